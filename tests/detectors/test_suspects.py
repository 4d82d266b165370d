"""Who is asked about what: the groups that a detector suspects, and nothing of the others."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from detectors.contract import Detector, Found, Scope, Slice
from detectors.registry import Registered
from detectors.scenarios import call, session, together
from store.records import Grade, Severity
from toolhound.detection import Look, Looked, Part
from toolhound.proof import database_of

SESSIONS, CALLS = 120, 4
SECRETS = ("s7", "s55")


def seeing(seen: Slice) -> Iterator[Found]:
    """Tells of each session that it sees."""
    for row in seen.rows("SELECT session_id, min(call_id) AS call_id, count(*) AS calls FROM calls GROUP BY session_id"):
        yield Found(row["session_id"], "seen", [row["call_id"]], Grade.ORDER, 0.5, f"{row['calls']} calls.", {"calls": row["calls"]})


def asked(
    name: str = "one", scope: Scope = Scope.SESSION, suspect: str | None = None, result: str | None = None, needs: tuple[str, ...] = (),
) -> Registered:
    detector = Detector(severity=Severity.LOW, techniques=(), scope=scope, find=seeing, fires_on={}, quiet_on={}, suspect=suspect,
                        suspect_result=result, needs=needs)
    return Registered(name, "rules", detector, name, {})


@pytest.fixture(scope="module")
def look() -> Look:
    return Look(database_of(together(*(
        session(*(call("read_file", {"path": f"/n/{n}/{step}"}, f"The Canary of {n}" if f"s{n}" in SECRETS and step == 2 else f"text {n}")
                  for step in range(CALLS)), name=f"s{n}")
        for n in range(SESSIONS)
    ))), [])


def seen_by(look: Look, *detectors: Registered, calls: list[str] | None = None) -> Looked:
    look.asked, looked = list(detectors), Looked()
    look.parts([Part(Scope.SESSION, [f"s{n}" for n in range(SESSIONS)], calls=calls)], looked)
    return looked


@pytest.mark.parametrize("one", [
    asked(suspect="bool_or(contains(result, 'Canary'))"), asked(result="(?i)canary"), asked(suspect=f"count(*) >= {CALLS}", result="Canary of"),
])
def test_it_sees_the_groups_that_it_suspects_and_all_their_calls(look: Look, one: Registered) -> None:
    looked = seen_by(look, one, asked("other", result="nothing like it"))
    assert {f.scope_key for f in looked.findings} == set(SECRETS)
    assert {f.evidence["calls"] for f in looked.findings} == {CALLS}


def test_who_suspects_all_and_who_suspects_nothing(look: Look) -> None:
    looked = seen_by(look, asked("all", suspect="count(*) > 1"), asked("none", suspect="count(*) > 100"), asked("every"))
    assert {d: len({f.scope_key for f in looked.findings if f.detector == d}) for d in ("all", "none", "every")} == {
        "all": SESSIONS, "none": 0, "every": SESSIONS}


def test_without_what_it_needs_it_is_not_asked(look: Look) -> None:
    assert not seen_by(look, asked(needs=("registry",)), asked("two", needs=("normal",), suspect="count(*) > 0")).findings
    assert seen_by(look, asked(needs=("calls",))).findings


def test_one_whose_suspicion_fails_is_told_and_the_others_go_on(look: Look) -> None:
    looked = seen_by(look, asked("broken", suspect="nothing_like_it > 0"), asked(suspect="bool_or(contains(result, 'Canary'))"))
    assert {f.scope_key for f in looked.findings} == set(SECRETS)
    assert "nothing_like_it" in looked.failures["broken"] and looked.well == {"one"}


def test_other_tables_are_asked_where_a_group_has_no_calls(look: Look) -> None:
    nobody, everybody = (f"(SELECT count(*) FROM messages) {sign} 0" for sign in ("<", ">"))
    assert not seen_by(look, asked(suspect=nobody)).findings
    assert len(seen_by(look, asked(suspect=everybody)).findings) == SESSIONS


def test_of_a_session_only_the_calls_that_were_touched_are_looked_at_by_themselves(look: Look) -> None:
    every = [row["call_id"] for row in look.database.rows("SELECT call_id FROM calls ORDER BY call_id")]
    one = asked(scope=Scope.CALL)
    one = replace(one, detector=replace(one.detector, find="""
        SELECT call_id AS scope_key, 'seen' AS subject, [call_id] AS call_ids, 1 AS grade, 0.5 AS score, 'Seen.' AS sentence, {'a': 1} AS evidence
        FROM calls
    """))
    assert {f.scope_key for f in seen_by(look, one, calls=every[:3]).findings} == set(every[:3])
    assert {f.scope_key for f in seen_by(look, one, calls=None).findings} == set(every)
    assert not seen_by(look, one, calls=[]).findings
