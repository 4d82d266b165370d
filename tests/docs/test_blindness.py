"""The page of blind spots: what dialects say of themselves is understood, and what detectors need is what they cannot do without."""

from types import ModuleType

import pytest

from docs.blindness import MATTERS, Carried, Needs, carried, needs, sources
from ingest.dialects import claude_code, docker_gateway

YES, PARTLY, NO = Carried.YES, Carried.PARTLY, Carried.NO
BARE = ModuleType("ingest.dialects.bare")
"""A module without code, so that only what it says of itself counts."""


@pytest.mark.parametrize(("carries", "never", "expected"), [
    ("tool, arguments, results", "nothing", {"arguments": YES, "results": YES, "servers": NO}),
    ("tool; arguments where the log is told to", "arguments by default; results", {"arguments": PARTLY, "results": NO}),
    ("tool, arguments, user where the application sets one", "", {"arguments": YES, "users": PARTLY}),
    ("tool, arguments, results, session and user where it is set; content by default", "", {"arguments": YES, "results": YES, "users": PARTLY}),
    ("tool; arguments and results where content capture is switched on", "content by default", {"arguments": PARTLY, "results": PARTLY}),
    ("tool, outcome", "the MCP server, unless the application adds it; arguments (only their shape)", {"servers": PARTLY, "arguments": NO}),
    ("tool, size of the result", "results (only their size)", {"results": NO}),
    ("tool; commands with LOG_DETAILS=1", "who accepted a call", {"arguments": PARTLY}),
])
def test_what_a_dialect_says_of_itself_is_understood(carries: str, never: str, expected: dict[str, Carried]) -> None:
    has = carried(BARE, carries, never)
    assert {matter: has[matter] for matter in expected} == expected


def test_what_comes_as_records_of_its_own_follows_from_the_code() -> None:
    assert carried(claude_code, claude_code.DIALECT.carries, claude_code.DIALECT.never_carries)["connections"] is YES
    assert carried(docker_gateway, "prompts, tool definitions", "")["prompts"] is NO
    assert carried(docker_gateway, "prompts, tool definitions", "")["tool definitions"] is NO


def test_every_source_carries_something_that_detectors_need() -> None:
    known = dict(sources())
    assert known["docker_gateway"]["arguments"] is NO
    assert known["call_lines"]["arguments"] is YES
    assert [name for name, has in known.items() if has["calls"] is not YES] == ["contextforge_siem"]
    assert all(len(has) == len(MATTERS) for has in known.values())


def test_a_detector_needs_what_it_finds_nothing_without() -> None:
    """Plays every scenario again and again, which takes seconds; the generated page needs the same, and both share it."""
    known = needs()
    assert known["secret_in_result"].always == ["results"]
    assert {"arguments", "results"} <= set(known["credential_leaves_session"].always)
    assert "tool definitions" in known["poisoned_definition"].always
    assert known["session_outgrows_others"].always == ["calls"]
    assert all(one.proofs for one in known.values()), "each tells its scenarios among all the others"


def test_a_detector_sees_as_much_as_of_what_needs_least() -> None:
    either = Needs((frozenset({"arguments"}), frozenset({"results", "prompts"})))
    assert (either.always, either.sometimes) == ([], ["arguments", "results", "prompts"])
    has = dict.fromkeys(MATTERS, YES)
    assert either.seen(has) is YES
    assert either.seen({**has, "arguments": NO}) is YES
    assert either.seen({**has, "arguments": NO, "prompts": PARTLY}) is PARTLY
    assert either.seen({**has, "arguments": NO, "results": NO}) is NO
