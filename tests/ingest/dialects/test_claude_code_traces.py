from typing import Any

import pytest

from store.records import Observer, Outcome, SessionSource, State
from tests.ingest.dialects.sent import fields, foremost, log, only, span

SCOPE = "com.anthropic.claude_code.tracing"
TOOL: dict[str, Any] = {
    "span.type": "tool", "session.id": "s-1", "user.email": "ann@example.com", "app.version": "2.1.226", "tool_name": "Bash",
    "tool_use_id": "toolu_1", "gen_ai.tool.call.id": "toolu_1", "full_command": "env | grep OTEL", "duration_ms": 69,
}
OUTPUT = ("tool.output", {"bash_command": "env | grep OTEL", "output": "OTEL_LOGS_EXPORTER=otlp"})


@pytest.mark.parametrize("kind", ["tool", "claude_code.tool"])
def test_tool(kind: str) -> None:
    records, dialect = span("claude_code.tool", TOOL | {"span.type": kind}, scope=SCOPE, service="claude-code", events=[OUTPUT])
    assert dialect == "claude_code_traces"
    fields(
        only(records), tool="Bash", server="claude-code", tool_call_id="toolu_1", arguments='{"full_command": "env | grep OTEL"}',
        arguments_state=State.CAPTURED, result="OTEL_LOGS_EXPORTER=otlp", result_state=State.CAPTURED, session_id="s-1",
        session_source=SessionSource.SESSION, agent="claude-code", agent_version="2.1.226", principal="ann@example.com",
        outcome=Outcome.UNKNOWN, decision=None, observed_by=Observer.AGENT,
    )


def test_tool_input_and_a_tool_of_an_mcp_server() -> None:
    sent = TOOL | {"tool_name": "mcp__crm__find_contact", "tool_input": '{"name":"Bo"}'}
    fields(foremost(span("claude_code.tool", sent)[0]), tool="find_contact", server="crm", arguments='{"name":"Bo"}')


def test_hidden_tool_without_payloads() -> None:
    sent = {k: v for k, v in TOOL.items() if k != "full_command"} | {"tool_name": "mcp_tool"}
    fields(
        foremost(span("claude_code.tool", sent)[0]), tool="(unnamed)", server=None, arguments=None, arguments_state=State.ABSENT,
        result=None, result_state=State.ABSENT,
    )


def test_long_output_is_cut() -> None:
    records, _ = span("claude_code.tool", TOOL, events=[("tool.output", {"content": "x" * 60_000})])
    assert only(records).result_state == State.TRUNCATED


def test_command_beside_the_output_when_details_are_off() -> None:
    sent = {k: v for k, v in TOOL.items() if k != "full_command"}
    assert only(span("claude_code.tool", sent, events=[OUTPUT])[0]).arguments == '{"full_command": "env | grep OTEL"}'


@pytest.mark.parametrize(("success", "outcome"), [(True, Outcome.OK), ("false", Outcome.ERROR), (None, Outcome.UNKNOWN)])
def test_execution_says_what_came_of_it(success: Any, outcome: Outcome) -> None:
    sent = {"span.type": "tool.execution", "session.id": "s-1", "tool_use_id": "toolu_1"} | ({} if success is None else {"success": success})
    records, _ = span("claude_code.tool.execution", sent | ({"error": "exit 1"} if outcome == Outcome.ERROR else {}), scope=SCOPE)
    fields(
        only(records), tool_call_id="toolu_1", outcome=outcome, observed_by=Observer.DECISION,
        error_message="exit 1" if outcome == Outcome.ERROR else None,
    )


def test_execution_without_the_calls_id_is_context() -> None:
    records, _ = span("claude_code.tool.execution", {"span.type": "tool.execution", "success": True}, scope=SCOPE)
    assert not records.calls and len(records.spans) == 1


def test_rejection() -> None:
    sent = {"span.type": "tool.blocked_on_user", "tool_use_id": "toolu_1", "source": "user_reject"}
    rejected, accepted = (span("claude_code.tool.blocked_on_user", sent | {"decision": d})[0] for d in ("reject", "accept"))
    fields(only(rejected), decision="reject", decided_by="user_reject", observed_by=Observer.DECISION, tool_call_id="toolu_1")
    assert not accepted.calls


def test_prompt_of_an_interaction() -> None:
    sent = {"span.type": "interaction", "session.id": "s-1", "user_prompt": "Show the settings"}
    told, hidden = (span("claude_code.interaction", sent | more, scope=SCOPE)[0] for more in ({}, {"user_prompt": "<REDACTED>"}))
    assert [(m.role, m.text) for m in told.messages] == [("user", "Show the settings")]
    assert not hidden.messages and hidden.spans[0].session_id == "s-1"


def test_log_records_stay_with_their_own_dialect() -> None:
    assert log({"event.name": "tool_result", "tool_name": "Bash"}, scope="com.anthropic.claude_code.events")[1] == "claude_code"


def test_details_of_the_beta() -> None:
    """Arguments and what a call brought into the conversation come behind a line that says so; neither is told twice."""
    given, got = '{"command":"ls","description":"List"}', '{"stdout":"README","stderr":""}'
    sent = TOOL | {"tool_input": f"[TOOL INPUT: Bash]\n{given}", "new_context": f"[TOOL RESULT: Bash]\n{got}"}
    made = foremost(span("claude_code.tool", sent, scope=SCOPE)[0])
    fields(made, arguments=given, arguments_state=State.CAPTURED, result=got, result_state=State.CAPTURED)
    assert "README" not in str(made.attributes)
    assert only(span("claude_code.tool", sent, scope=SCOPE, events=[OUTPUT])[0]).result == "OTEL_LOGS_EXPORTER=otlp"
    assert foremost(span("claude_code.tool", sent | {"new_context": "[USER]\nhi"}, scope=SCOPE)[0]).result is None
