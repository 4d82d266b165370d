"""Pydantic AI: formats v2 and v5 of the same run say the same."""

import json
from typing import Any

import pytest

from store.records import State
from tests.ingest.payloads import records_of, span, traces

PARAMETERS = json.dumps({"function_tools": [
    {"name": "get_weather", "description": "Weather", "parameters_json_schema": {"type": "object"}, "toolset_id": "weather"},
    {"name": "own", "description": None, "parameters_json_schema": {}, "toolset_id": "<agent>"},
]})
MESSAGES = '[{"role": "user", "parts": [{"type": "text", "content": "weather?"}]}]'
WHO = {"gen_ai.agent.name": "weather_agent", "gen_ai.conversation.id": "c1"}
V2 = {"gen_ai.tool.name": "get_weather", "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.id": "i", "tool_arguments": '{"city": "a"}',
      "tool_response": "sunny"}
V5 = {"gen_ai.tool.name": "get_weather", "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.id": "i",
      "gen_ai.tool.call.arguments": '{"city": "a"}', "gen_ai.tool.call.result": "sunny", "logfire.json_schema": "{}"}


@pytest.mark.parametrize(("name", "attributes"), [("running tool", V2), ("execute_tool get_weather", V5)])
def test_tool_span(name: str, attributes: dict[str, Any]) -> None:
    (call,) = records_of(traces(span(1, name, WHO | attributes), scope="pydantic-ai")).calls
    assert (call.tool, call.tool_call_id, call.arguments, call.result, call.dialect) == ("get_weather", "i", '{"city": "a"}', "sunny", "pydantic_ai")
    assert (call.agent, call.session_id, call.arguments_state, call.result_state) == ("weather_agent", "c1", State.CAPTURED, State.CAPTURED)
    assert call.attributes is not None and "sunny" not in call.attributes


@pytest.mark.parametrize("attributes", [
    {"pydantic_ai.all_messages": MESSAGES}, {"gen_ai.input.messages": MESSAGES},
    {"all_messages_events": '[{"event.name": "gen_ai.user.message", "role": "user", "content": "weather?"}]'},
])
def test_messages(attributes: dict[str, Any]) -> None:
    found = records_of(traces(span(1, "agent run", WHO | {"gen_ai.operation.name": "invoke_agent"} | attributes), scope="pydantic-ai"))
    assert [(m.role, m.text, m.session_id) for m in found.messages] == [("user", "weather?", "c1")]


def test_definitions_know_their_server() -> None:
    told = {"model_request_parameters": PARAMETERS, "gen_ai.tool.definitions": '[{"name": "get_weather"}]'}
    attributes = WHO | {"gen_ai.operation.name": "chat", **told}
    found = records_of(traces(span(1, "chat test", attributes), scope="pydantic-ai")).definitions
    assert [(d.tool, d.server, d.description, d.input_schema) for d in found] == [
        ("get_weather", "weather", "Weather", '{"type": "object"}'), ("own", None, None, "{}"),
    ]
