"""How much less often than usual words led to a tool: new words speak for nothing and against nothing, and a session is no witness of itself."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from detectors.lifts import SPLIT, Past, keys_of
from detectors.registry import detectors
from detectors.scenarios import START, call, message, session
from store.records import Record
from toolhound.detection import look_at_touched
from toolhound.lessons import said_in, teach
from toolhound.proof import database_of

PROMPTS = detectors()["prompt_never_led_to_tool"]


def request(*words: str, name: str = "s1", tool: str = "pay") -> dict[str, Any]:
    return {"session_id": name, "agent": "a", "words": list(words), "hashed": [f"h-{word}" for word in words], "names": [tool]}


def past(known: dict[str, tuple[int, int]], *requests: dict[str, Any], requests_of_all: int = 100, led: int = 50) -> Past:
    """known: of words, how many requests hold them, and how many of these led to the tool; one session each, and one of `requests` besides."""
    counts = {SPLIT: requests_of_all, f"{SPLIT}pay": led}
    for word, (n, did) in known.items():
        counts |= {f"h-{word}{SPLIT}": n, f"h-{word}{SPLIT}pay": did}
    for key in (key for one in requests for key in keys_of(one)):
        counts[key] = counts.get(key, 0) + 1
    return Past(requests, [{"subject": "a", "key": key, "n": n, "sessions": n} for key, n in counts.items()])


def bits(known: dict[str, tuple[int, int]], *words: str, **more: int) -> float | None:
    asked = request(*words)
    lift = past(known, asked, **more).lift(asked, "pay", 9.0)
    return lift.bits if lift else None


@pytest.mark.parametrize(("did", "least", "most"), [(0, -4.0, -3.0), (15, -0.1, 0.1), (30, 0.9, 1.0)], ids=["never", "as usual", "always"])
def test_words_say_how_usual_the_tool_is(did: int, least: float, most: float) -> None:
    told = bits({"snow": (30, did), "oslo": (30, did)}, "snow", "oslo")
    assert told is not None and least * (1 if least > 0 else 1.1) <= told <= most


def test_a_word_without_history_may_explain_it() -> None:
    known = {"snow": (30, 0), "oslo": (30, 0), "shovel": (3, 0)}
    alone, with_new = bits(known, "snow", "oslo"), bits(known, "snow", "oslo", "shovel")
    assert alone is not None and with_new is not None and alone < with_new / 2 < 0
    assert bits(known, "shovel") is None


@pytest.mark.parametrize("more", [{"requests_of_all": 49}, {"led": 4}], ids=["an agent with little history", "a tool with little history"])
def test_with_little_history_nothing_is_said(more: dict[str, int]) -> None:
    assert bits({"snow": (30, 0)}, "snow", **more) is None


def test_a_session_does_not_speak_for_itself() -> None:
    own = [request("snow", "oslo") for _ in range(20)]
    lift = past({"snow": (30, 0), "oslo": (30, 0)}, *own).lift(own[0], "pay", 9.0)
    assert lift is not None and (lift.requests, lift.led) == (100, 50)
    assert [(one["n"], one["led"]) for one in lift.known] == [(30, 0), (30, 0)]


def kept(records: list[Record]) -> set[str]:
    database = database_of(records)
    calls = database.query("SELECT * FROM hot.calls")
    told = teach([PROMPTS], calls, said_in(database, [PROMPTS], calls))
    assert not told.failures
    return set(told.lessons["key"].to_pylist())


def test_what_is_kept_of_a_prompt_are_not_its_words() -> None:
    keys = kept(session(call("send_mail", server=None), prompt="Write to Kim Wentworth about her divorce."))
    assert {len(key.split(SPLIT)[0]) for key in keys} == {0, 4}
    assert {key.split(SPLIT)[1] for key in keys} == {"", "send_mail"}


def test_a_call_is_held_against_what_was_asked_last_and_not_against_a_yes() -> None:
    snow = kept(session(call("send_mail"), prompt="Show the snow around Oslo."))
    asked = [
        message("Tell everybody about yesterday's meeting.", said_at=START.replace(year=2025)),
        message("Yes please.", said_at=START + timedelta(seconds=2)),
    ]
    assert kept([*session(call("send_mail"), prompt="Show the snow around Oslo."), *asked]) == snow


def test_each_kind_of_request_keeps_its_own_tools() -> None:
    """In a long conversation of many requests, none is blamed for what another led to."""
    kinds = [("Show how much snow fell around town.", "get_weather"), ("Settle the invoice of that supplier.", "create_transfer")]
    talks: list[Record] = []
    for n, turn in product(range(12), range(8)):
        (asked, tool), hour = kinds[turn % 2], START.replace(hour=turn + 1, day=n + 1)
        talks += [message(f"{asked} ({n}.{turn})", session_id=f"talk-{n}", said_at=hour),
                  call(tool, session_id=f"talk-{n}", called_at=hour + timedelta(minutes=5))]
    odd = session(call("create_transfer"), name="odd", start=START.replace(day=20), prompt="Show how much snow fell around town.")
    looked = look_at_touched(database_of([*talks, *odd]), [PROMPTS])
    assert not looked.failures
    assert [(f.session_id, f.evidence["alerting"]) for f in looked.findings] == [("odd", True)]
