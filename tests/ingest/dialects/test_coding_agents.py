"""What coding agents really send: one prompt, two tools of an MCP server of which one refuses, two of the agent's own, and what was not allowed."""

from dataclasses import replace
from typing import Any

import pytest

from ingest.otlp.items import Item, Source
from store.records import Outcome
from tests.ingest.dialects.sent import golden, log, recorded
from tests.ingest.dialects.test_counted_once import calls_of

CLAUDE, CLAUDE_LOGS, CODEX_LOGS = "claude_code_2_1_197.json", "claude_code_2_1_197_logs.json", "codex_0_169_logs.json"
BY_CLAUDE = [
    ("Bash", "claude-code", "error", "accept", "config"), ("Read", "claude-code", "ok", "accept", "config"),
    ("WebFetch", "claude-code", "denied", "reject", None), ("drop_customer", "crm", "error", "accept", "config"),
    ("find_customer", "crm", "ok", "accept", "config"),
]
BY_CODEX = [
    ("drop_customer", "crm", "error", None, None), ("exec_command", "codex", "ok", "accept", "config"),
    ("exec_command", "codex", "ok", "accept", "config"), ("find_customer", "crm", "ok", None, None),
]


def told(items: list[Item]) -> list[tuple[Any, ...]]:
    return sorted(tuple(c[k] for k in ("tool", "server", "outcome", "decision", "decided_by")) for c in calls_of(items))


@pytest.mark.parametrize("names", [(CLAUDE, CLAUDE_LOGS), (CLAUDE_LOGS, CLAUDE)])
def test_claude_code_tells_each_call_in_spans_and_log_records(names: tuple[str, str]) -> None:
    assert told([one for name in names for one in recorded(name)]) == BY_CLAUDE


def test_claude_code_in_spans_alone() -> None:
    assert told(list(recorded(CLAUDE))) == [(tool, server, outcome, *(how if outcome == "denied" else (None, None)))
                                            for tool, server, outcome, *how in BY_CLAUDE]


def test_claude_code_in_log_records_alone() -> None:
    assert told(list(recorded(CLAUDE_LOGS))) == [one for one in BY_CLAUDE if one[2] != "denied"]  # nothing there tells of what was not allowed


def test_codex_whose_records_name_the_place_in_the_program() -> None:
    items = list(recorded(CODEX_LOGS))
    assert all(one.name.startswith("event otel/src/") for one in items)
    assert told(items) == BY_CODEX
    (call,) = [c for c in calls_of(items) if c["tool"] == "find_customer"]
    assert (call["arguments"], call["result"]) == ('{"name": "Bo"}', "Wall time: 0.0036 seconds\nOutput:\nBo Example")
    assert (call["session_id"], call["agent_version"], call["transport"]) == ("conversation-1", "0.169.0", "stdio")


def test_a_decision_of_codex_names_the_server_in_its_namespace() -> None:
    sent = {"event.name": "codex.tool_decision", "tool_name": "find", "tool_namespace": "mcp__crm", "call_id": "c", "decision": "denied"}
    (call,) = log(sent, scope="codex_otel.log_only")[0].calls
    assert (call.server, call.tool, call.decision) == ("crm", "find", "reject")


@pytest.mark.parametrize("name", [CLAUDE, CLAUDE_LOGS, CODEX_LOGS])
def test_the_prompt_is_told(name: str) -> None:
    assert ("user", "Find the customer Bo", True) in {(m.role, m.text, bool(m.agent)) for m in golden(name).messages}


def test_servers_that_answered_or_are_set_up() -> None:
    assert [(a.server, a.outcome, a.transport) for a in golden(CLAUDE_LOGS).access] == [("crm", Outcome.OK, "stdio")]
    assert [(a.server, a.outcome) for a in golden(CODEX_LOGS).access] == [("crm", Outcome.UNKNOWN)]


OLD: dict[str, Any] = {"session.id": "s-1", "tool_name": "Bash"}


def of_old(event: str, at: int, **more: Any) -> Item:
    """A record of a version that gave calls no id."""
    source = Source({"service.name": "claude-code"}, "com.anthropic.claude_code.events", "")
    return Item("log", "", source, OLD | {"event.name": event} | more, None, None, None, 1_790_000_000_000_000_000 + at)


def test_decisions_and_results_without_ids() -> None:
    items = [
        of_old("tool_decision", 1, decision="reject", source="user_reject"),
        of_old("tool_decision", 2_000, decision="accept", source="user_temporary"),
        of_old("tool_result", 3_000, success="true", decision="accept", source="user_temporary"),
        of_old("tool_decision", 4_000, decision="accept", source="config"), of_old("tool_result", 5_000, success="false", error="exit 1"),
    ]
    assert told(items) == [
        ("Bash", "claude-code", "denied", "reject", "user_reject"), ("Bash", "claude-code", "error", "accept", "config"),
        ("Bash", "claude-code", "ok", "accept", "user_temporary"),
    ]


def test_session_and_user_that_only_the_resource_names() -> None:
    source = Source({"session.id": "s-9", "user.email": "ann@example.com"}, "com.anthropic.claude_code.events", "")
    bare = {k: v for k, v in of_old("tool_result", 1, success="true").attributes.items() if k != "session.id"}
    (call,) = calls_of([replace(of_old("tool_result", 1), source=source, attributes=bare)])
    assert (call["session_id"], call["principal"]) == ("s-9", "ann@example.com")
