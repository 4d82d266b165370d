"""What users said teaches beside the calls: of the same sessions, the same whatever settles first, and done anew where a prompt comes later."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from detectors.contract import SAID_LENGTH
from detectors.registry import Registered
from detectors.scenarios import START, call, message, session, together
from store.records import Record
from tests.toolhound.small import DELETED, FUTURE, detector, spool
from toolhound.engine import Engine
from toolhound.lessons import Taught, counters, said_in, teach
from toolhound.proof import database_of
from toolhound.workspace import Workspace

HEARD = "SELECT m.text || ' ' || c.tool AS key, count(*) AS n, min(c.called_at) AS first_at, max(c.called_at) AS last_at FROM calls AS c"
APART = detector("apart", "SELECT * FROM calls WHERE false", learn=f"{HEARD} CROSS JOIN messages AS m GROUP BY 1", learn_prompts=True)
AT_ONCE = detector(
    "at_once", "SELECT * FROM calls WHERE false",
    learn=f"{HEARD.replace('SELECT', 'SELECT c.lesson, c.subject,')} JOIN messages AS m USING (lesson) GROUP BY ALL", learn_by="coalesce(agent, '')",
    learn_prompts=True, learn_at_once=True,
)
DEAF = detector("deaf", "SELECT * FROM calls WHERE false", learn=f"{HEARD} CROSS JOIN messages AS m GROUP BY 1")
BOTH = [APART, AT_ONCE]


def asked(prompt: str | None, tool: str = "look", name: str = "s1", start: int = 0) -> list[Record]:
    return session(call(tool), name=name, start=START + timedelta(hours=start), prompt=prompt)


def known(engine: Engine) -> list[tuple[Any, ...]]:
    rows = engine.database.rows("SELECT detector, key, n, sessions FROM hot.normal ORDER BY ALL")
    return [(row["detector"], row["key"], row["n"], row["sessions"]) for row in rows]


def both(*counts: tuple[str, int, int]) -> list[tuple[Any, ...]]:
    return [(one.name, *count) for one in BOTH for count in sorted(counts)]


def settle(engine: Engine, records: Iterable[Record]) -> None:
    spool(engine, records)
    engine.catch_up()
    engine.settle(FUTURE)


def lessons(engine: Engine) -> set[str]:
    return {row["key"] for row in engine.database.rows("SELECT key FROM hot.lessons WHERE detector = 'at_once'")}


def taught(records: Iterable[Record], *learners: Registered) -> Taught:
    database = database_of([*records])
    calls = database.query("SELECT * FROM hot.calls")
    return teach(learners, calls, said_in(database, learners, calls))


def keys(records: Iterable[Record]) -> set[str]:
    return set(taught(records, *BOTH).lessons["key"].to_pylist())


def test_a_session_teaches_with_its_own_prompts(started: Engine, only: Callable[..., None]) -> None:
    only(*BOTH)
    settle(started, [*asked("snow"), *asked("rain", name="s2"), *asked("snow", name="s3"), call("look", session_id=None)])
    assert known(started) == both(("rain look", 1, 1), ("snow look", 2, 2))


def test_who_does_not_ask_hears_nothing() -> None:
    database = database_of(asked("snow"))
    assert said_in(database, [DEAF], database.query("SELECT * FROM hot.calls")) is None
    told = taught(asked("snow"), DEAF, *BOTH)
    assert set(told.lessons["detector"].to_pylist()) == {"apart", "at_once"} and not told.failures


def test_only_what_users_said_shortly_before_is_heard() -> None:
    more = [
        message("long ago", said_at=START - timedelta(days=2)), message("too late", said_at=START + timedelta(hours=1)),
        message("an answer", role="assistant"), replace(message("elsewhere"), session_id="s2"),
        message("the day before", said_at=START - timedelta(hours=20)),
    ]
    assert keys([*asked("snow"), *more]) == {"snow look", "the day before look"}
    assert {len(key) for key in keys(asked("x" * 9_000))} == {SAID_LENGTH + len(" look")}


def test_a_prompt_that_comes_later_is_learned_from_while_calls_may_change(started: Engine, only: Callable[..., None]) -> None:
    only(*BOTH)
    records = asked("snow")
    spool(started, [one for one in records if hasattr(one, "tool")])
    started.catch_up()
    assert lessons(started) == set()
    spool(started, records[:1])
    started.catch_up()
    assert lessons(started) == {"snow look"}
    settle(started, [message("more", said_at=START)])
    assert known(started) == both(("more look", 1, 1), ("snow look", 1, 1))


def test_a_prompt_that_nobody_looked_at_before_its_calls_settle_is_heard(started: Engine, only: Callable[..., None]) -> None:
    only(*BOTH)
    records = asked("snow")
    spool(started, records[1:])
    started.catch_up()
    spool(started, records[:1])
    started.take()
    started.settle(FUTURE)
    assert known(started) == both(("snow look", 1, 1))


def test_prompts_that_settled_before_their_calls_are_heard(started: Engine, only: Callable[..., None]) -> None:
    only(*BOTH)
    records = asked("snow")
    settle(started, records[:1])
    assert started.database.value("SELECT count(*) FROM hot.messages") == 0
    settle(started, records[1:])
    assert known(started) == both(("snow look", 1, 1))


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_same_whatever_settles_first_and_learned_anew(tmp_path: Path, only: Callable[..., None], seed: int) -> None:
    only(*BOTH)
    made = [asked(("snow", "rain", None)[n % 3], f"tool-{n % 2}", f"s{n}", n) for n in range(12)]
    whole = database_of(together(*made))
    expected = [(r["detector"], r["key"], r["n"], r["sessions"]) for r in sorted(
        counters(whole, BOTH, whole.query("SELECT * FROM hot.calls"), 30.0).to_pylist(), key=lambda r: (r["detector"], r["key"]))]
    random.Random(seed).shuffle(made)
    with Workspace(tmp_path) as workspace:
        for part in (made[:5], made[5:6], made[6:]):
            settle(workspace.engine, together(*part))
        assert known(workspace.engine) == expected != []
        workspace.learn()
        assert known(workspace.engine) == expected


def test_what_a_prompt_taught_before_the_alert_is_taken_out(started: Engine, only: Callable[..., None]) -> None:
    only(*BOTH)
    settle(started, [*asked("snow"), *asked("snow", "delete", "s2"), *asked("rain", "delete", "s3")])
    only(*BOTH, DELETED)
    started.detect()
    settle(started, asked("rain", name="s4"))
    assert known(started) == both(("rain look", 1, 1), ("snow look", 1, 1))
