import json
from dataclasses import replace
from typing import Any

import pytest

from ingest.otlp.items import Item, Source
from ingest.reading import read_items
from store.records import Observer, Outcome, SessionSource, State
from tests.ingest.dialects.sent import fields, foremost, golden, log, recorded, span
from tests.ingest.dialects.test_counted_once import calls_of

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
        foremost(records), tool="find", server="crm", arguments='{"name":"Bo"}', arguments_state=State.CAPTURED, result=None,
        result_state=State.ABSENT, session_id="s-1", session_source=SessionSource.SESSION, agent="gemini-cli", agent_version="1.2.3",
        principal="ann@example.com", outcome=Outcome.OK, decision="accept", decided_by="config", duration_ms=31.0, observed_by=Observer.AGENT,
    )


@pytest.mark.parametrize(
    ("said", "decision", "decided_by"),
    [("accept", "accept", "user"), ("modify", "accept", "user (modified)"), ("reject", "reject", "user"), ("whatever", None, None)],
)
def test_decisions(said: str, decision: str | None, decided_by: str | None) -> None:
    made = foremost(log(CALL | {"decision": said, "success": "false", "error": "cancelled", "error_type": "user_cancelled"})[0])
    outcome = Outcome.DENIED if decision == "reject" else Outcome.ERROR
    fields(made, decision=decision, decided_by=decided_by, outcome=outcome, error_type="user_cancelled", error_message="cancelled")


def test_own_tool_without_arguments() -> None:
    sent = {k: v for k, v in CALL.items() if k not in ("function_args", "mcp_server_name")} | {"function_name": "read_file", "tool_type": "native"}
    fields(foremost(log(sent)[0]), tool="read_file", server="gemini-cli", arguments=None, arguments_state=State.ABSENT)


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
        foremost(records), tool="find", server="gemini-cli", tool_call_id="find-1", arguments='{"name": "Bo"}', arguments_state=State.CAPTURED,
        result='[{"text": "Bo Example"}]', result_state=State.CAPTURED, session_id="s-1", session_source=SessionSource.CONVERSATION,
        agent="gemini-cli", outcome=Outcome.OK,
    )


def test_cut_arguments_of_a_span() -> None:
    made = foremost(span("tool_call", SPAN | {"gen_ai.input.messages": '{"callId":"find-1","args":{"name":"B'})[0])
    fields(made, arguments='{"callId":"find-1","args":{"name":"B', arguments_state=State.TRUNCATED)
    made = foremost(span("tool_call", SPAN | {"gen_ai.output.messages": "Bo Exam...[TRUNCATED: original length 10001]"})[0])
    fields(made, result="Bo Exam...[TRUNCATED: original length 10001]", result_state=State.TRUNCATED)


def test_other_spans_are_context_with_messages() -> None:
    sent = '[{"role":"user","parts":[{"type":"text","content":"Find Bo"}]}]'
    records, _ = span("llm_call", SPAN | {"gen_ai.operation.name": "llm_call", "gen_ai.input.messages": sent})
    assert not records.calls and records.spans[0].agent == "gemini-cli" and [m.text for m in records.messages] == ["Find Bo"]


REAL, REAL_LOGS = "gemini_cli_0_61.json", "gemini_cli_0_61_logs.json"
FOUND = "<untrusted_context>\nBo Example\n</untrusted_context>"


@pytest.mark.parametrize("order", [1, -1])
def test_a_real_session_counts_each_call_once(order: int) -> None:
    items = [*recorded(REAL_LOGS), *recorded(REAL)][::order]
    told = [
        (c["tool"], c["server"], c["outcome"], c["result"][:29], c["decision"], c["decided_by"], c["error_type"], c["agent_version"])
        for c in calls_of(items)
    ]
    assert sorted(told) == [
        ("drop_customer", "crm", "error", "MCP tool 'drop_customer' repo", "accept", "user", "mcp_tool_error", None),
        ("find_customer", "crm", "ok", FOUND[:29], "accept", "user", None, None),
        ("read_file", "gemini-cli", "error", "File not found: /srv/shop/mis", "accept", "user", "file_not_found", None),
        ("read_file", "gemini-cli", "ok", "Call Bo on Monday.\n", "accept", "user", None, None),
    ]


def test_a_real_session_without_traces_switched_on() -> None:
    bare = []
    for one in recorded(REAL):
        bare.append(replace(one, attributes={k: v for k, v in one.attributes.items() if not k.endswith(".messages")}))
    told = {(c["tool"], c["arguments"], c["outcome"]) for c in calls_of([*bare, *recorded(REAL_LOGS)])}
    assert {(tool, outcome) for tool, _, outcome in told} == {
        ("drop_customer", "error"), ("find_customer", "ok"), ("read_file", "ok"), ("read_file", "error"),
    }
    assert len(told) == 4 and all(arguments for _, arguments, _ in told)
    alone = next(one for one in bare if one.name == "tool_call")
    assert (read_items([alone])[0].calls[0].outcome, read_items([alone])[0].calls[0].arguments_state) == (Outcome.UNKNOWN, State.ABSENT)


@pytest.mark.parametrize("name", [REAL, REAL_LOGS])
def test_what_was_said_in_a_real_session(name: str) -> None:
    said = {(m.role, m.text, m.agent) for m in golden(name).messages}
    assert said >= {("user", "Find the customer Bo", "gemini-cli"), ("assistant", "Bo Example was found.", "gemini-cli")}
    assert {text for role, text, _ in said if role == "user"} == {"Find the customer Bo"}
    assert ("system", "You help with software.", "gemini-cli") in said


def test_definitions_and_servers_of_a_real_session() -> None:
    defined = {(d.server, d.tool) for d in golden(REAL).definitions}
    assert defined == {("gemini-cli", "read_file"), ("crm", "find_customer")}
    assert all('"type": "object"' in (d.input_schema or "") for d in golden(REAL).definitions)
    assert [(a.server, a.outcome) for a in golden(REAL_LOGS).access] == [("crm", Outcome.UNKNOWN)]


@pytest.mark.parametrize(("name", "shown", "server", "tool"), [
    ("mcp_my_crm_find", "find (my_crm MCP Server)", "my_crm", "find"), ("mcp_crm_find_all", "Find", "crm", "find_all"),
    ("read_file", "ReadFile", "gemini-cli", "read_file"), ("mcp_", "x", None, "mcp_"),
])
def test_whose_tool_a_span_names(name: str, shown: str, server: str | None, tool: str) -> None:
    given = json.dumps({"name": name, "args": {}, "display": {"name": shown}})
    made = foremost(span("tool_call", SPAN | {"gen_ai.tool.name": name, "gen_ai.input.messages": given})[0])
    fields(made, server=server, tool=tool, arguments="{}")


@pytest.mark.parametrize(("output", "result", "state", "outcome"), [
    ('{"status":"error","request":{"args":{}},"response":{"responseParts":[{"functionResponse":{"response":{"error":"no"}}}],"er', "no",
     State.CAPTURED, Outcome.ERROR),
    ('{"status":"success","request":{},"response":{"responseParts":[{"functionResponse":{"resp', '[{"functionResponse":{"resp', State.TRUNCATED,
     Outcome.OK),
    ('{"status":"success","request":{},"tool":{"na', None, State.ABSENT, Outcome.OK),
    ('{"status":"cancelled","request":{},"outcome":"cancel","response":{"responseParts":[{"text":"x"}]}}', '[{"text": "x"}]', State.CAPTURED,
     Outcome.DENIED),
])
def test_output_that_is_cut_or_tells_of_a_failure(output: str, result: str | None, state: State, outcome: Outcome) -> None:
    made = foremost(span("tool_call", SPAN | {"gen_ai.output.messages": output}, status={"code": 1})[0])
    fields(made, result=result, result_state=state, outcome=outcome)


def test_a_session_that_only_the_resource_names() -> None:
    source = Source({"service.name": "gemini-cli", "service.version": "v22.1.0", "session.id": "s-9"}, "gemini-cli", "v1")
    records, _ = read_items([Item("span", "llm_call", source, {}, "1" * 32, "2" * 16, None, 1)])
    assert [(one.session_id, one.agent, one.agent_version) for one in records.spans] == [("s-9", "gemini-cli", None)]


def test_nobody_was_asked_where_all_is_approved() -> None:
    fields(foremost(log(CALL | {"decision": "accept", "active_approval_mode": "yolo"})[0]), decision="accept", decided_by="config")


def test_when_a_call_began() -> None:
    made = foremost(log(CALL | {"start_time": 1_790_000_000_000, "duration_ms": 31}, at=1_790_000_009_000_000_000)[0])
    assert made.called_at.isoformat() == "2026-09-21T14:13:20+00:00"
