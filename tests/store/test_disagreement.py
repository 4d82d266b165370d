"""What the agent asked for and what the server ran, where they differ: told in the call, and only where they do."""

import json
from typing import Any

import pytest

from tests.store.sightings import Row, Sent, absorbed, calls, database, sighting

Told = list[dict[str, Any]]
ONLY: Row = {"arguments_state": "fingerprint_only"}


def told(agent: Row, server: Row, tool: str = "read") -> Told | None:
    """The disagreement of a call that an agent and, inside it, a server saw; the same whichever comes first."""
    def sides() -> list[Sent]:
        return [
            sighting("a", **{"tool": tool, "trace_id": "t", "span_id": "1", **agent}),
            sighting("b", **{"tool": "read", "observed_by": "server", "trace_id": "t", "span_id": "2", "parent_span_id": "1", "second": 1, **server}),
        ]

    found = set()
    for batches in ([sides()], [[one] for one in sides()], [[one] for one in reversed(sides())]):
        ours = database()
        absorbed(ours, *batches)
        ((disagreement, observed_by),) = calls(ours, "disagreement", "observed_by")
        assert observed_by == ["agent", "server"] and ours.value("SELECT count(*) FROM observations") == 2
        found.add(disagreement)
    (same,) = found
    return None if same is None else json.loads(same)


def captured(arguments: str) -> Row:
    return {"arguments": arguments, "arguments_state": "captured"}


@pytest.mark.parametrize(("agent", "server"), [
    (captured('{"path": "a", "n": 1}'), captured('{"n":1,"path":"a"}')), (captured("read  a"), captured("read a")),
    (captured('{"path": "a"}'), {}), (captured('{"path": "a"}'), {"arguments": "***", "arguments_state": "redacted"}),
    (captured('{"path": "a"}'), {"arguments_state": "fingerprint_only", "argument_shingles": [1, 2]}),
    (ONLY | {"argument_shingles": [1, 2, 3, 4]}, ONLY | {"argument_shingles": [1, 2, 3]}),
    ({"outcome": "ok"}, {"outcome": "unknown"}), ({"outcome": "ok"}, {"outcome": "ok"}), ({"server": "Files"}, {"server": "files"}),
    ({"server": None}, {"server": "files"}),
])
def test_what_is_the_same_or_unknown_is_no_disagreement(agent: Row, server: Row) -> None:
    assert told(agent, server) is None
    assert told(agent, server, "mcp__files__read") is None  # the server's name before the tool's


def test_each_side_is_told_with_what_it_said() -> None:
    assert told({"outcome": "ok"} | captured('{"path": "notes"}'), {"outcome": "error"} | captured('{"path": "secrets"}')) == [
        {"what": "arguments", "said": [
            {"observed_by": "agent", "hash": "5ce14c1ecac179ab", "value": '{"path": "notes"}'},
            {"observed_by": "server", "hash": "c66fecd84e8cb1ae", "value": '{"path": "secrets"}'},
        ]},
        {"what": "outcome", "said": [{"observed_by": "agent", "value": "ok"}, {"observed_by": "server", "value": "error"}]},
    ]
    (servers,) = told({"server": "files"}, {"server": "evil"}) or []
    assert servers["what"] == "server" and [one["value"] for one in servers["said"]] == ["files", "evil"]
    (tools,) = told({"tool_call_id": "u"}, {"tool_call_id": "u", "tool": "delete", "parent_span_id": None}) or []
    assert tools["what"] == "tool" and [one["value"] for one in tools["said"]] == ["read", "delete"]


def test_payloads_are_told_in_short_and_only_where_they_are_kept() -> None:
    (arguments,) = told(captured(json.dumps({"text": "a" * 5000})), captured(json.dumps({"text": "b" * 5000}))) or []
    assert all(len(one["value"]) == 100 for one in arguments["said"])
    (hashes,) = told(ONLY | {"argument_shingles": [1, 2, 3]}, ONLY | {"argument_shingles": [7, 8, 9]}) or []
    assert [set(one) for one in hashes["said"]] == [{"observed_by", "hash"}] * 2


def test_deeply_nested_arguments_are_compared_as_words() -> None:
    deep = "[" * 100_000
    assert told(captured(deep), captured(f" {deep}")) is None and told(captured(deep), captured(deep + "]"))
