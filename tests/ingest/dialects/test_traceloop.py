import json
from typing import Any

import pytest

from store.records import Observer, Outcome, SessionSource, State
from tests.ingest.dialects.sent import fields, golden, only, span

TOOL: dict[str, Any] = {"traceloop.span.kind": "tool", "traceloop.entity.name": "find"}


def test_what_its_mcp_instrumentation_sends_from_a_client() -> None:
    records = golden("openllmetry_mcp_0_62_client.json")
    good, bad = records.calls
    fields(
        good, dialect="traceloop", tool="get_weather", observed_by=Observer.CLIENT, server=None, agent="trip-planner", tool_call_id=None,
        arguments='{"city": "Paris"}', arguments_state=State.CAPTURED, result='{"result": "sunny in Paris"}', result_state=State.CAPTURED,
        outcome=Outcome.OK,
    )
    fields(
        bad, outcome=Outcome.ERROR, error_type="tool_error", error_message="Error calling tool 'get_weather': no such city",
        arguments='{"city": "nowhere"}',
    )
    assert [(d.tool, d.description) for d in records.definitions] == [("get_weather", "Weather of a city.")]
    assert [(a.server, a.agent, a.outcome) for a in records.access] == [("weather", "trip-planner", Outcome.OK)]


def test_what_its_mcp_instrumentation_sends_from_a_server() -> None:
    good, bad = golden("openllmetry_mcp_0_62_server.json").calls
    fields(
        good, tool="get_weather", observed_by=Observer.SERVER, server="weather", agent=None, arguments='{"city": "Paris"}',
        result='[{"type": "text", "content": "sunny in Paris"}]', outcome=Outcome.OK,
    )
    fields(bad, outcome=Outcome.ERROR, error_type="ToolError", result=None, result_state=State.ABSENT)
    assert "Paris" not in str(good.attributes)


def test_what_its_langchain_instrumentation_sends() -> None:
    good, bad = golden("openllmetry_langchain_0_62.json").calls
    fields(
        good, tool="get_weather", observed_by=Observer.AGENT, tool_call_id="call_1", arguments='{"city": "Paris"}', result="sunny in Paris",
        session_id="trip-1", session_source=SessionSource.SESSION, principal="ann@example.com", agent="planner", outcome=Outcome.OK,
    )
    fields(bad, tool_call_id=None, arguments='{"city": "nowhere"}', result_state=State.ABSENT, outcome=Outcome.ERROR, error_type="ValueError")
    assert not any("Paris" in str(c.attributes) for c in (good, bad))


def test_the_envelope_without_inputs() -> None:
    envelope: dict[str, Any] = {"input_str": "{'name': 'Bo'}", "tags": [], "metadata": {}, "inputs": None, "kwargs": {}}
    made = only(span("find.tool", TOOL | {"traceloop.entity.input": json.dumps(envelope)})[0])
    fields(made, tool="find", arguments="{'name': 'Bo'}", arguments_state=State.CAPTURED)


def test_the_conventions_are_preferred() -> None:
    sent = TOOL | {
        "gen_ai.tool.name": "find_contact", "gen_ai.tool.call.id": "c-1", "gen_ai.tool.call.arguments": {"name": "Bo"},
        "traceloop.entity.input": '{"name":"other"}', "gen_ai.tool.call.result": "Bo", "traceloop.entity.output": "other",
    }
    fields(only(span("find.tool", sent)[0]), tool="find_contact", tool_call_id="c-1", arguments='{"name": "Bo"}', result="Bo")


def test_cut_json_and_no_content() -> None:
    made = only(span("find.tool", TOOL | {"traceloop.entity.input": '{"tool_name": "find", "argum'})[0])
    fields(made, arguments='{"tool_name": "find", "argum', arguments_state=State.TRUNCATED, result=None, result_state=State.ABSENT)
    assert only(span("find.tool", TOOL | {"traceloop.entity.input": '{"tool_name":"find","arguments":null}'})[0]).arguments_state == State.ABSENT
    assert only(span("find.tool", TOOL | {"traceloop.entity.input": '{"tool_name":"find","arguments":{}}'})[0]).arguments == "{}"


def test_prompts_and_functions_of_older_versions() -> None:
    sent = {
        "traceloop.span.kind": "task", "traceloop.association.properties.thread_id": "t-1", "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Be short.", "gen_ai.prompt.1.role": "user", "gen_ai.prompt.1.content": "Find Bo",
        "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.tool_calls.0.name": "find", "gen_ai.completion.0.tool_calls.0.id": "c-1",
        "llm.request.functions.0.name": "find", "llm.request.functions.0.description": "Finds.", "llm.request.functions.0.parameters": "{}",
    }
    records, dialect = span("openai.chat", sent)
    assert dialect == "traceloop" and not records.calls  # what a model asks for is no call yet
    assert [(m.role, m.text, m.session_id) for m in records.messages] == [("system", "Be short.", "t-1"), ("user", "Find Bo", "t-1")]
    assert [(d.tool, d.description, d.input_schema) for d in records.definitions] == [("find", "Finds.", "{}")]


@pytest.mark.parametrize("kind", ["workflow", "task", "agent", "server", "session"])
def test_other_kinds_are_context(kind: str) -> None:
    records, _ = span("mcp.server", {"traceloop.span.kind": kind, "traceloop.entity.name": "x"})
    assert not records.calls and len(records.spans) == 1
