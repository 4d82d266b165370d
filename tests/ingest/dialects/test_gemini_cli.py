from typing import Any

import pytest

from store.records import Observer, Outcome, SessionSource, State
from tests.ingest.dialects.sent import fields, log, only, span

CALL: dict[str, Any] = {
    "event.name": "gemini_cli.tool_call", "session.id": "s-1", "user.email": "ann@example.com", "prompt_id": "p-1", "function_name": "mcp_crm_find",
    "function_args": '{"name":"Bo"}', "duration_ms": 31, "success": True, "decision": "auto_accept", "tool_type": "mcp", "mcp_server_name": "crm",
    "content_length": 12,
}
BODY = "Tool call: mcp_crm_find. Decision: auto_accept. Success: true. Duration: 31ms."


def test_tool_of_an_mcp_server() -> None:
    records, dialect = log(CALL, body=BODY, service="gemini-cli")
    assert dialect == "gemini_cli"
    fields(
        only(records), tool="find", server="crm", tool_call_id=None, arguments='{"name":"Bo"}', arguments_state=State.CAPTURED, result=None,
        result_state=State.ABSENT, session_id="s-1", session_source=SessionSource.SESSION, agent="gemini-cli", agent_version="1.2.3",
        principal="ann@example.com", outcome=Outcome.OK, decision="accept", decided_by="config", duration_ms=31.0, observed_by=Observer.AGENT,
    )


@pytest.mark.parametrize(
    ("said", "decision", "decided_by"),
    [("accept", "accept", "user"), ("modify", "accept", "user (modified)"), ("reject", "reject", "user"), ("whatever", None, None)],
)
def test_decisions(said: str, decision: str | None, decided_by: str | None) -> None:
    made = only(log(CALL | {"decision": said, "success": "false", "error": "cancelled", "error_type": "user_cancelled"})[0])
    outcome = Outcome.DENIED if decision == "reject" else Outcome.ERROR
    fields(made, decision=decision, decided_by=decided_by, outcome=outcome, error_type="user_cancelled", error_message="cancelled")


def test_own_tool_without_arguments() -> None:
    sent = {k: v for k, v in CALL.items() if k not in ("function_args", "mcp_server_name")} | {"function_name": "read_file", "tool_type": "native"}
    fields(only(log(sent)[0]), tool="read_file", server="gemini-cli", arguments=None, arguments_state=State.ABSENT)


def test_prompt() -> None:
    told, hidden = (log({"event.name": "gemini_cli.user_prompt", "session.id": "s-1"} | more)[0] for more in ({"prompt": "Find Bo"}, {}))
    assert [(m.role, m.text, m.session_id) for m in told.messages] == [("user", "Find Bo", "s-1")]
    assert [(m.text, m.text_state) for m in hidden.messages] == [(None, State.REDACTED)]


SPAN: dict[str, Any] = {
    "gen_ai.operation.name": "tool_call", "gen_ai.agent.name": "gemini-cli", "gen_ai.conversation.id": "s-1", "gen_ai.tool.name": "find",
    "gen_ai.tool.call_id": "find-1", "gen_ai.input.messages": '{"callId":"find-1","name":"find","args":{"name":"Bo"}}',
    "gen_ai.output.messages": '{"callId":"find-1","responseParts":[{"text":"Bo Example"}]}',
}


def test_span_with_an_underscore_in_the_name_of_the_call_id() -> None:
    records, dialect = span("tool_call", SPAN)
    assert dialect == "gemini_cli"
    fields(
        only(records), tool="find", tool_call_id="find-1", arguments='{"name": "Bo"}', arguments_state=State.CAPTURED,
        result='[{"text": "Bo Example"}]', result_state=State.CAPTURED, session_id="s-1", session_source=SessionSource.CONVERSATION,
        agent="gemini-cli", outcome=Outcome.OK,
    )


def test_cut_arguments_of_a_span() -> None:
    made = only(span("tool_call", SPAN | {"gen_ai.input.messages": '{"callId":"find-1","args":{"name":"B'})[0])
    fields(made, arguments='{"callId":"find-1","args":{"name":"B', arguments_state=State.TRUNCATED)
    made = only(span("tool_call", SPAN | {"gen_ai.output.messages": "Bo Exam...[TRUNCATED: original length 10001]"})[0])
    fields(made, result="Bo Exam...[TRUNCATED: original length 10001]", result_state=State.TRUNCATED)


def test_other_spans_are_context_with_messages() -> None:
    sent = '[{"role":"user","parts":[{"type":"text","content":"Find Bo"}]}]'
    records, _ = span("llm_call", SPAN | {"gen_ai.operation.name": "llm_call", "gen_ai.input.messages": sent})
    assert not records.calls and records.spans[0].agent == "gemini-cli" and [m.text for m in records.messages] == ["Find Bo"]
