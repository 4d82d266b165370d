"""Spool files into the hot tables: each counts once, damaged ones hold nobody up, and what changed is noted."""

import random
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from store import intake, spool
from store.database import Database
from store.errors import DiskError
from store.rejected import Rejected
from store.spool import Spool
from tests.store.sightings import NOON, Sent, absorbed, calls, database, defined, moment, said, sighting, span, tabled, whole_call


def put(into: Spool, *sent: Sent) -> Path:
    return into.write(tabled(sent))


def touched(of: Database) -> set[tuple[str, str]]:
    found = {(row["kind"], row["key"]) for row in of.rows("SELECT kind, key FROM hot.touched")}
    of.execute("DELETE FROM hot.touched")
    return found


def test_a_file_counts_once(tmp_path: Path) -> None:
    ours, waiting = database(), Spool(tmp_path)
    put(waiting, *whole_call("t", 1))
    files = waiting.pending(10)
    assert intake.take(ours, files).records == 5
    again = intake.take(ours, files)  # the process was killed before the file was removed
    assert (again.records, again.files) == (0, files) and len(calls(ours, "call_id")) == 1
    waiting.set_aside(files)
    put(waiting, *whole_call("t", 1))  # the sender was killed before it heard the answer
    assert intake.take(ours, waiting.pending(10)).merged.call_ids == [] and len(calls(ours, "call_id")) == 1


def test_damaged_files_are_told_and_the_others_taken(tmp_path: Path) -> None:
    ours, waiting = database(), Spool(tmp_path / "spool")
    good = [put(waiting, sighting(f"o{n}", trace_id=f"t{n}", span_id="1")) for n in range(3)]
    body = good[1].read_bytes()
    cut, strange, none = (waiting.folder / f"{n}-9-x.arrow" for n in range(3))
    cut.write_bytes(body[:-40])
    strange.write_bytes(b"not Arrow at all")
    none.write_bytes(spool.encode({"observations": pa.table({"of_another_version": [1]})}))
    impossible = put(waiting, sighting("odd", observed_by="nobody that we know"))
    taken = intake.take(ours, waiting.pending(10))
    assert set(taken.damaged) == {cut, strange, none, impossible} and set(taken.files) == set(good) and len(calls(ours, "call_id")) == 3
    rejected = Rejected(tmp_path / "rejected")
    for path, reason in taken.damaged.items():
        rejected.take(path, reason)
    assert rejected.count() == 4 and {p.stem for p in rejected.folder.glob("*.bin")} == {p.stem for p in rejected.folder.glob("*.json")}
    listed = next(row for row in rejected.listed() if row["source"] == str(cut))
    assert "damaged" in listed["reason"] and (rejected.folder / listed["file"]).read_bytes() == body[:-40]
    assert waiting.pending(10) == sorted(good)


def test_a_flipped_bit_never_stops_the_others(tmp_path: Path) -> None:
    chance, waiting = random.Random(5), Spool(tmp_path)
    good = put(waiting, *whole_call("t", 1), said("m", "Grüße", trace_id="t"))
    body = good.read_bytes()
    for n in range(60):
        broken = bytearray(body)
        broken[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        (waiting.folder / f"{n:03d}-1-x.arrow").write_bytes(broken)
    ours, files = database(), waiting.pending(100)
    taken = intake.take(ours, files)
    assert {*taken.files, *taken.damaged} == set(files) and taken.damaged and good in taken.files


def test_a_file_that_cannot_be_read_just_now_is_not_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, waiting = database(), Spool(tmp_path)
    put(waiting, sighting("o"))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refuse)
        with pytest.raises(DiskError):
            intake.take(ours, waiting.pending(10))
    assert intake.take(ours, waiting.pending(10)).records == 1


def test_a_step_takes_no_more_than_it_can_hold(tmp_path: Path) -> None:
    waiting = Spool(tmp_path)
    files = [put(waiting, sighting(f"o{n}")) for n in range(5)]
    size = files[0].stat().st_size
    assert waiting.pending(3) == files[:3] and waiting.pending(9, int(size * 2.5)) == files[:2] and waiting.pending(9, 1) == files[:1]


def test_a_prompt_that_arrives_late_or_without_its_session(tmp_path: Path) -> None:
    ours = database()
    absorbed(ours, [*whole_call("t", 1), span("t", "chat", session_id="s", session_source=1)])
    touched(ours)
    absorbed(ours, [said("m", "Close the issue.", trace_id="t", session_id="t")])
    assert ours.rows("SELECT session_id, session_source FROM messages") == [{"session_id": "s", "session_source": 1}]
    assert {("session", "s"), ("session", "t")} <= touched(ours)
    absorbed(ours, [said("m", "Close the issue.", -5, trace_id="t", session_id="t")])  # told again, with an earlier moment
    assert ours.value("SELECT min(said_at) FROM messages") < NOON
    early = database()
    absorbed(early, [said("m", "Close the issue.", trace_id="t", session_id="t")])
    touched(early)
    absorbed(early, [*whole_call("t", 1), span("t", "chat", session_id="s", session_source=1)])
    assert early.value("SELECT session_id FROM messages") == "s" and ("session", "s") in touched(early)


def test_a_server_is_known_from_the_definitions_in_either_order() -> None:
    for split in ([0, 1], [1, 0]):
        ours = database()
        sent = [sighting("o", "list_issues", agent="coder"), defined("github", "list_issues", "coder")]
        absorbed(ours, [sent[split[0]]])
        touched(ours)
        absorbed(ours, [sent[split[1]]])
        ((server, call_id),) = calls(ours, "server", "call_id")
        assert server == "github" and ("call", call_id) in touched(ours)
    absorbed(ours, [defined("gitlab", "list_issues", "coder"), sighting("p", "list_issues", 5, agent="coder")])
    assert calls(ours, "server") == [("github",), (None,)]  # two may be meant: not known


def test_sessions_that_a_call_leaves_are_looked_at_again() -> None:
    ours = database()
    absorbed(ours, whole_call("t", 1), [sighting("other", "ping", trace_id="t", span_id="z", session_id="kept", session_source=2)])
    touched(ours)
    assert ours.value("SELECT count(*) FROM calls WHERE session_id = 'kept'") == 2
    absorbed(ours, [span("t", "chat", session_id="new", session_source=1)])  # now the trace has two: the first call moves, the other stays
    assert {("session", "kept")} < touched(ours)
    assert sorted(calls(ours, "session_id")) == [("kept",), ("new",)]


def test_a_message_told_in_every_trace_of_a_conversation_is_there_once() -> None:
    def trace(n: int) -> list[Sent]:
        return [span(f"t{n}", "chat", session_id="s", session_source=1), said(f"m{n}", "Close the issue.", n, trace_id=f"t{n}", session_id=f"t{n}")]

    at_once, one_by_one, backwards, own = database(), database(), database(), said("own", "Close the issue.", 9, session_id="s", session_source=1)
    absorbed(at_once, [*trace(0), *trace(1), *trace(2), said("other", "Thank you.", 5, trace_id="t2", session_id="t2")])
    absorbed(one_by_one, *([one] for n in range(3) for one in trace(n)), [said("other", "Thank you.", 5, trace_id="t2", session_id="t2")])
    absorbed(backwards, *([one] for n in (2, 1, 0) for one in reversed(trace(n))), [said("other", "Thank you.", 5, trace_id="t0", session_id="t0")])
    for ours in (at_once, one_by_one, backwards):
        for _ in range(2):
            rows = ours.rows("SELECT session_id, text, said_at FROM messages ORDER BY said_at")
            assert [tuple(row.values()) for row in rows] == [("s", "Close the issue.", NOON), ("s", "Thank you.", moment(5))]
            absorbed(ours, [own])  # and once more, by its session's name
    first = database()
    absorbed(first, [own], trace(3))
    assert first.rows("SELECT message_id, said_at FROM messages") == [{"message_id": "own", "said_at": moment(3)}]


def test_messages_that_a_source_tells_apart_stay_apart() -> None:
    ours = database()
    absorbed(ours, [said("m1", "yes", 1, session_id="s", session_source=2), said("m2", "yes", 8, session_id="s", session_source=2)])
    hidden = [said(f"h{n}", "", n, trace_id=f"t{n}", session_id=f"t{n}") for n in (3, 4)]
    for _, row in hidden:
        row["text"], row["text_state"] = None, "redacted"
    absorbed(ours, [*hidden, *(span(f"t{n}", "chat", session_id="s", session_source=1) for n in (3, 4))])
    assert ours.value("SELECT count(*) FROM messages WHERE session_id = 's'") == 4


def test_the_first_of_two_that_say_something_else_under_one_id_counts() -> None:
    for batches in ([["a", "b", "b"]], [["a"], ["b"], ["b"]]):
        ours = database()
        contradicted = repeated = 0
        for batch in batches:
            merged = absorbed(ours, [sighting("same", f"tool_{name}", trace_id="t", span_id="1", result=name) for name in batch])
            contradicted, repeated = contradicted + merged.contradicted, repeated + merged.repeated
        assert calls(ours, "tool", "result") == [("tool_a", "a")] and (contradicted, repeated) == (2, 2)
    again = absorbed(ours, [sighting("same", "tool_a", trace_id="t", span_id="1", result="a")])
    assert (again.contradicted, again.repeated) == (0, 1)


def test_any_moment_is_kept_and_none_becomes_that_of_being_seen() -> None:
    ours = database()
    past, future = datetime(1971, 1, 1, tzinfo=UTC), datetime(2262, 4, 1, tzinfo=UTC)
    sent = [sighting(name, second=n, session_id="s", session_source=2, seq=None) for n, name in enumerate(("past", "none", "future"))]
    for (_, row), at in zip(sent, (past, None, future), strict=True):
        row["called_at"] = at
    merged = absorbed(ours, sent)
    assert calls(ours, "called_at") == [(past,), (moment(2),), (future,)] and merged.ahead == 1
    assert [row["called_at"] for row in ours.rows("SELECT called_at FROM steps ORDER BY step")] == [past, moment(2), future]
