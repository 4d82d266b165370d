"""OpenInference: TOOL spans, messages and tool lists in flattened attributes."""

from typing import Any

import pytest

from store.records import State
from tests.ingest.payloads import call_of, records_of, span, traces

SCHEMA = '{"type": "object", "properties": {"city": {"type": "string"}}}'


def tool(**attributes: Any) -> dict[str, Any]:
    return {"openinference.span.kind": "TOOL", "tool.name": "get_weather", **{k.replace("__", "."): v for k, v in attributes.items()}}


@pytest.mark.parametrize("kind", ["TOOL", "tool", "Tool"])
def test_tool_span(kind: str) -> None:
    attributes = tool(tool__id="c1", input__value='{"city": "Oslo"}', output__value="sunny", session__id="s", user__id="u", agent__name="a")
    call = call_of(traces(span(1, "get_weather", attributes | {"openinference.span.kind": kind})))
    assert (call.tool, call.tool_call_id, call.arguments, call.result, call.session_id, call.principal, call.agent, call.dialect) == (
        "get_weather", "c1", '{"city": "Oslo"}', "sunny", "s", "u", "a", "openinference"
    )


@pytest.mark.parametrize(("parameters", "arguments"), [
    (SCHEMA, None), ('{"properties": {"city": {"type": "string"}}}', None), ('{"city": "Oslo"}', '{"city": "Oslo"}'),
    ('{"type": "refund", "amount": 3}', '{"type": "refund", "amount": 3}'), ('{"properties": "none"}', '{"properties": "none"}'),
    ("city=Oslo", "city=Oslo"), ({"city": "Oslo"}, '{"city": "Oslo"}'),
])
def test_parameters_are_a_definition_or_the_values(parameters: Any, arguments: str | None) -> None:
    call = call_of(traces(span(1, "t", tool(tool__parameters=parameters))))
    assert (call.arguments, call.arguments_state) == (arguments, State.CAPTURED if arguments else State.ABSENT)


def test_the_span_names_a_tool_without_a_name() -> None:
    assert call_of(traces(span(1, "search", {"openinference.span.kind": "TOOL"}))).tool == "search"


def test_definition_on_a_tool_span() -> None:
    (definition,) = records_of(traces(span(1, "t", tool(tool__description="Weather", tool__parameters=SCHEMA)))).definitions
    assert (definition.tool, definition.description, definition.input_schema) == ("get_weather", "Weather",
                                                                                  '{"properties": {"city": {"type": "string"}}, "type": "object"}')


def test_messages_and_tools_of_a_model_span() -> None:
    one = "llm.input_messages.{}.message."
    attributes = {
        "openinference.span.kind": "LLM", "session.id": "s",
        one.format(0) + "role": "system", one.format(0) + "content": "Be brief.",
        one.format(1) + "role": "user", one.format(1) + "contents.0.message_content.type": "image",
        one.format(1) + "contents.1.message_content.type": "text", one.format(1) + "contents.1.message_content.text": "What",
        one.format(1) + "contents.2.message_content.type": "text", one.format(1) + "contents.2.message_content.text": "is this?",
        one.format(2) + "role": "tool", one.format(2) + "content": "sunny",
        "llm.tools.0.tool.json_schema": "{broken",
        "llm.tools.1.tool.json_schema": '{"type": "function", "function": {"name": "t", "description": "d"}}',
    }
    found = records_of(traces(span(1, "ChatCompletion", attributes)))
    assert [(m.role, m.text) for m in found.messages] == [("system", "Be brief."), ("user", "What\nis this?")]
    assert [(d.tool, d.description) for d in found.definitions] == [("t", "d")]


@pytest.mark.parametrize(("value", "prompt"), [("plain", "plain"), ('{"input": "asked"}', "asked"), ('{"other": 1}', '{"other": 1}'), ("", None)])
def test_the_root_spans_input_is_the_prompt(value: str, prompt: str | None) -> None:
    attributes = {"openinference.span.kind": "AGENT", "input.value": value}
    found = records_of(traces(span(1, "run", attributes), span(2, "inner", attributes, parent_span_id=b"12345678")))
    assert [m.text for m in found.messages] == ([prompt] if prompt else [])


def test_what_the_model_says() -> None:
    attributes = {
        "openinference.span.kind": "LLM", "llm.input_messages.0.message.role": "developer", "llm.input_messages.0.message.content": "Be brief.",
        "llm.input_messages.1.message.role": "assistant", "llm.input_messages.1.message.content": "Let me see.",
        "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.contents.0.message_content.type": "text",
        "llm.output_messages.0.message.contents.0.message_content.text": "Sunny.",
    }
    said = records_of(traces(span(1, "ChatCompletion", attributes))).messages
    assert [(m.role, m.text) for m in said] == [("system", "Be brief."), ("assistant", "Let me see."), ("assistant", "Sunny.")]
    assert said[1].said_at < said[2].said_at


@pytest.mark.parametrize(("sent", "schema"), [
    ({"json_schema": '{"type": "object"}'}, '{"type": "object"}'), ({}, None),
    ({"json_schema": '{"name": "find", "parameters": {"a": 1}}'}, '{"a": 1}'),
])
def test_a_tools_name_may_stand_beside_its_schema(sent: dict[str, str], schema: str | None) -> None:
    attributes = {"openinference.span.kind": "LLM", "llm.tools.0.tool.name": "find"} | {f"llm.tools.0.tool.{k}": v for k, v in sent.items()}
    (definition,) = records_of(traces(span(1, "ChatCompletion", attributes))).definitions
    assert (definition.tool, definition.input_schema) == ("find", schema)
