"""What is normal: merged in any order, bounded, decayed, without attacks, and enough for a slice."""

import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from starlette.testclient import TestClient
from typer.testing import CliRunner

from alerts import queue
from dashboards.app import create_app
from detectors.contract import Found, Scope, Slice
from detectors.scenarios import START, call, session, together
from store.errors import StoreError
from store.records import Grade, Record
from tests.toolhound.small import COUNTED, DELETED, FUTURE, detector, opened, spool, state, work
from toolhound import learn_verbs, learning
from toolhound.cli import app
from toolhound.client import Client
from toolhound.detection import look_at_touched
from toolhound.engine import Engine
from toolhound.lessons import counters
from toolhound.proof import database_of
from toolhound.settings import Learn
from toolhound.workspace import Workspace

COUNT = "SELECT agent || ' ' || tool AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at FROM calls GROUP BY 1"
COUNTERS = "SELECT detector, subject, key, n, first_at, last_at, sessions, round(weight, 4) AS weight FROM {} ORDER BY ALL"


def rare(seen: Slice) -> Iterable[Found]:
    for row in seen.rows("""
        SELECT c.session_id, c.call_id, m.sessions FROM calls AS c LEFT JOIN normal AS m ON m.key = c.agent || ' ' || c.tool
        WHERE coalesce(m.sessions, 0) < 3
    """):
        yield Found(row["session_id"], row["call_id"], [row["call_id"]], Grade.ORDER, 0.9, f"{row['sessions'] or 'No'} session did this.")


LEARNER = detector("learner", "SELECT * FROM calls WHERE false", learn=COUNTED.detector.learn)
BY_AGENT = detector("rare", rare, learn=COUNT, learn_by="coalesce(agent, '')")


def sessions(numbers: Iterable[int]) -> list[Record]:
    return together(*(
        session(*(call(tool=f"tool-{(n + step) % 3}", agent=f"agent-{n % 4}") for step in range(1 + n % 5)), name=f"s{n}",
                start=START + timedelta(hours=7 * n))
        for n in numbers
    ))


def settle(engine: Engine, records: Iterable[Record]) -> None:
    spool(engine, records)
    engine.catch_up()
    engine.settle(FUTURE)


def known(engine: Engine) -> list[dict[str, Any]]:
    return engine.database.rows(COUNTERS.format("hot.normal"))


@given(order=st.permutations(range(9)), cuts=st.lists(st.integers(0, 9), max_size=3))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counters_come_out_the_same_whatever_settles_first(order: list[int], cuts: list[int]) -> None:
    made = {n: sessions([n]) for n in range(9)}
    whole = database_of(together(*made.values()))
    expected = counters(whole, [BY_AGENT], whole.query("SELECT * FROM hot.calls"), 30.0)
    merged = database_of([])
    for begin, until in zip([0, *sorted(cuts)], [*sorted(cuts), 9], strict=True):
        part = database_of(together(*(made[n] for n in order[begin:until])))
        learning.merge(merged, counters(part, [BY_AGENT], part.query("SELECT * FROM hot.calls"), 30.0))
        part.close()
    with merged.named(expected=expected):
        assert merged.rows(COUNTERS.format("hot.normal")) == merged.rows(COUNTERS.format("expected"))
    whole.close()
    merged.close()


@pytest.mark.parametrize("seed", range(4))
def test_findings_are_the_same_whatever_settled_first(tmp_path: Path, only: Callable[..., None], seed: int) -> None:
    only(BY_AGENT)
    names = list(range(12))
    whole, apart = opened(tmp_path / "whole"), opened(tmp_path / "apart")
    made = {n: sessions([n]) for n in names}
    spool(whole, together(*made.values()))
    random.Random(seed).shuffle(names)
    for part in (names[:5], names[5:6], names[6:]):
        settle(apart, together(*(made[n] for n in part)))
    for engine in (whole, apart):
        engine.catch_up()
        engine.detect()
    assert state(whole)[0] == state(apart)[0] != []
    whole.close()
    apart.close()


def test_a_slice_is_given_the_counters_of_its_own_agents(started: Engine, only: Callable[..., None]) -> None:
    only(BY_AGENT, COUNTED)
    settle(started, sessions(range(8)))
    mine = started.database.query("SELECT * FROM calls WHERE agent = 'agent-1'")
    given = started.normal().of([BY_AGENT], mine, ["s1"]).to_pylist()
    assert {row["subject"] for row in given} == {"agent-1"}
    assert {row["detector"] for row in started.normal().of([BY_AGENT, COUNTED], mine, []).to_pylist()} == {"rare", "counted"}


def test_one_busy_session_counts_as_one(started: Engine, only: Callable[..., None]) -> None:
    only(COUNTED)
    settle(started, work(1, calls=50))
    assert [(row["n"], row["sessions"]) for row in known(started)] == [(50, 1)]
    settle(started, work(2, first=5))
    assert [(row["n"], row["sessions"]) for row in known(started)] == [(58, 3)]


def test_an_older_session_weighs_less(started: Engine, only: Callable[..., None]) -> None:
    only(LEARNER)
    settle(started, [*session(call("old"), name="a", start=START), *session(call("new"), name="b", start=START + timedelta(days=30))])
    calls = started.database.query("SELECT * FROM calls")
    weights = {row["key"]: row["weight"] for row in started.normal().of([LEARNER], calls, []).to_pylist()}
    assert weights["new"] == pytest.approx(1.0, abs=1e-3) and weights["old"] == pytest.approx(0.5, abs=1e-3)


def test_what_nobody_does_any_more_is_forgotten_and_what_one_did_sooner(started: Engine, only: Callable[..., None]) -> None:
    only(LEARNER)
    at = {"new": 0, "once": 100, "twice": 101, "long ago": 200}
    made = [
        session(call(tool), name=f"{tool}-{n}", start=START - timedelta(days=days + n))
        for tool, days in at.items() for n in range(1 if tool == "once" else 2)
    ]
    settle(started, together(*made))
    assert {row["key"] for row in known(started)} == {"new", "twice"}


def test_there_are_never_more_counters_than_allowed(started: Engine, only: Callable[..., None]) -> None:
    only(LEARNER)
    settle(started, together(*(session(call(f"tool-{n}"), name=f"s{n}", start=START + timedelta(hours=n)) for n in range(30))))
    learning.forget(started.database, Learn.model_construct(counters=10, forget_days=180, forget_once_days=90))
    assert {row["key"] for row in known(started)} == {f"tool-{n}" for n in range(20, 30)}


def close(engine: Engine, verdict: str) -> None:
    for row in queue.page(engine.database, states=["new"]).rows:
        engine.decide(lambda database, row=row: queue.decide(  # type: ignore[misc]  # mypy cannot tell the default's type
            database, row["alert_id"], actor="kim", state="closed", verdict=verdict, now=datetime.now(UTC)))


def keys(engine: Engine) -> set[str]:
    return {row["key"] for row in known(engine)}


@pytest.mark.parametrize(("verdict", "learned"), [("true_positive", False), ("benign_positive", True), ("false_positive", True)])
def test_a_session_with_a_proven_alert_teaches_once_it_is_cleared(started: Engine, only: Callable[..., None], verdict: str, learned: bool) -> None:
    only(COUNTED, DELETED)
    settle(started, [*work(3), *session(call("delete"), call("rare"), name="odd")])
    assert keys(started) == {"get_weather"}
    close(started, verdict)
    settle(started, work(1, first=9))
    assert keys(started) == ({"get_weather", "delete", "rare"} if learned else {"get_weather"})


def test_what_was_learned_before_the_alert_is_taken_out(started: Engine, only: Callable[..., None]) -> None:
    only(LEARNER)
    settle(started, [*work(3), *session(call("delete"), call("get_weather"), name="odd")])
    before = {row["key"]: (row["n"], row["sessions"]) for row in known(started)}
    assert before == {"get_weather": (13, 4), "delete": (1, 1)}
    only(LEARNER, DELETED)
    started.detect()
    settle(started, work(1, first=9))
    assert {row["key"]: (row["n"], row["sessions"]) for row in known(started)} == {"get_weather": (16, 4)}


def test_an_alert_that_nobody_looks_at_does_not_hold_for_ever(started: Engine, only: Callable[..., None]) -> None:
    only(COUNTED, DELETED)
    settle(started, session(call("delete"), name="odd"))
    assert keys(started) == set()
    started.database.execute("UPDATE hot.alerts SET opened_at = opened_at - INTERVAL 8 DAY")
    settle(started, work(1))
    assert keys(started) == {"delete", "get_weather"}


def test_an_attack_does_not_make_the_next_one_usual(started: Engine, only: Callable[..., None]) -> None:
    only(COUNTED, DELETED)
    spool(started, session(call("delete"), name="first"))
    started.catch_up()
    given = started.normal().of([COUNTED], started.database.query("SELECT * FROM calls"), [])
    assert given.num_rows == 0


def test_confirmed_attacks_are_no_part_of_the_past(started: Engine, only: Callable[..., None]) -> None:
    only(DELETED)
    settle(started, [*work(3), *session(call("delete"), name="odd")])
    count = "SELECT score, sessions FROM hot.scores WHERE detector = 'deleted' ORDER BY score"
    assert started.database.rows(count) == [{"score": 0, "sessions": 3}, {"score": 900, "sessions": 1}]
    close(started, "true_positive")
    settle(started, work(1, first=9))
    assert started.database.rows(count) == [{"score": 0, "sessions": 4}]


def test_learning_anew_gives_what_was_learned(tmp_path: Path, only: Callable[..., None]) -> None:
    only(LEARNER, BY_AGENT, DELETED)
    with Workspace(tmp_path) as workspace:
        settle(workspace.engine, [*sessions(range(9)), *session(call("delete"), name="odd", start=START)])
        settle(workspace.engine, sessions(range(9, 14)))
        before = known(workspace.engine), workspace.engine.database.rows("SELECT * FROM hot.scores ORDER BY ALL")
        workspace.engine.database.execute("DELETE FROM hot.normal")
        done = workspace.learn()
        assert (known(workspace.engine), workspace.engine.database.rows("SELECT * FROM hot.scores ORDER BY ALL")) == before
        assert done == {"counters": len(before[0]), "sessions": 15, "unsettled": 0, "refused": []}


def test_files_teach_without_being_kept(tmp_path: Path, only: Callable[..., None]) -> None:
    only(COUNTED, DELETED)
    line = '{{"session_id": "{0}", "called_at": "2026-01-05T09:00:0{1}Z", "agent": "a", "tool": "{2}", "arguments": {{}}, "result": "x"}}\n'
    path = tmp_path / "past.jsonl"
    path.write_text("".join(line.format(f"s{n}", n, "delete" if n == 3 else "look") for n in range(5)) + "no call\n")
    with Workspace(tmp_path / "workspace") as workspace:
        done = workspace.learn([str(path)])
        assert done["counters"] == 2 and done["sessions"] == 5 and len(done["refused"]) == 1
        assert workspace.engine.database.value("SELECT count(*) FROM calls") == 0
        assert [row["n"] for row in known(workspace.engine)] == [1, 4]
        workspace.learn([str(path)], reset=True)
        assert [row["n"] for row in known(workspace.engine)] == [1, 4]


def test_what_is_normal_can_be_read_and_says_whether_it_is_cold(tmp_path: Path, only: Callable[..., None]) -> None:
    only(BY_AGENT, DELETED)
    with Workspace(tmp_path) as workspace:
        settle(workspace.engine, sessions(range(9)))
        told = workspace.baselines()
        assert told["sessions"] == 9 and told["cold"] and [row["detector"] for row in told["detectors"]] == ["rare"]
        assert told["detectors"][0]["subjects"] == 4 and told["detectors"][0]["cold"]
        assert {row["subject"] for row in workspace.baselines(subject="AGENT-2")["counters"]} == {"agent-2"}
        assert len(workspace.baselines(limit=2)["counters"]) == 2 and workspace.baselines(detector="deleted")["counters"] == []


def test_a_detector_that_cannot_learn_does_not_stop_the_others(only: Callable[..., None]) -> None:
    broken = detector("broken", "SELECT * FROM calls WHERE false", Scope.CALL, learn="SELECT nothing AS key FROM calls")
    only(broken, DELETED)
    looked = look_at_touched(database_of([call("delete")]))
    assert list(looked.failures) == ["broken"] and len(looked.findings) == 1


def test_calls_settle_though_a_detector_cannot_learn(started: Engine, only: Callable[..., None]) -> None:
    only(detector("broken", "SELECT * FROM calls WHERE false", learn="SELECT nothing AS key FROM calls"), LEARNER)
    settle(started, work(2))
    assert keys(started) == {"get_weather"} and started.database.value("SELECT count(*) FROM hot.calls") == 0
    assert "broken" in started.progress.failures


@pytest.mark.filterwarnings("ignore:You should not use the 'timeout'")
def test_the_verbs_are_the_same_where_the_workspace_is_served(tmp_path: Path, only: Callable[..., None]) -> None:
    only(BY_AGENT)
    with Workspace(tmp_path) as workspace, Client("http://127.0.0.1:8765") as client:
        settle(workspace.engine, sessions(range(9)))
        served = TestClient(create_app(workspace, "t"), base_url=client.address, headers={"authorization": "Bearer t"})
        client._http = served  # type: ignore[assignment]  # it speaks as httpx does
        assert client.learn() == workspace.learn()
        mine, theirs = workspace.baselines(subject="agent-2"), client.baselines(subject="agent-2")
        assert [row["key"] for row in theirs["counters"]] == [row["key"] for row in mine["counters"]] != []
        with pytest.raises(StoreError, match="not served"):
            client.learn(["past.jsonl"])


def test_baselines_on_a_terminal_obey_nothing(tmp_path: Path, only: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    only(BY_AGENT)
    monkeypatch.setattr(learn_verbs, "shown", Console(width=200))
    with Workspace(tmp_path) as workspace:
        settle(workspace.engine, session(call(tool="\x1b[31m[bold]look", agent="agent"), name="s"))
    shown = CliRunner().invoke(app, ["baselines", "show", "--workspace", str(tmp_path)])
    assert shown.exit_code == 0 and "\x1b" not in shown.output and "agent \\u001b[31m[bold]look" in shown.output
