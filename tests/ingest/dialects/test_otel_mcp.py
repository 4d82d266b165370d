"""MCP conventions, as the SDK 2.x and FastMCP write them."""

from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from store.records import Observer, Outcome, State
from tests.ingest.payloads import call_of, records_of, span, traces

SERVER, CLIENT = 2, 3
FAILED = Status(code=Status.STATUS_CODE_ERROR, message="Unknown tool")
CALLED = {"mcp.method.name": "tools/call", "mcp.protocol.version": "2026-07-28", "jsonrpc.request.id": "3",
          "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather"}


def test_server_span_of_the_sdk() -> None:
    call = call_of(traces(span(1, "tools/call get_weather", CALLED, kind=SERVER), scope="mcp-python-sdk",
                          resource={"service.name": "weather", "service.version": "1.2"}))
    assert (call.tool, call.server, call.server_version) == ("get_weather", "weather", "1.2")
    assert (call.observed_by, call.dialect) == (Observer.SERVER, "otel_mcp")
    assert (call.arguments_state, call.result_state, call.agent, call.session_id) == (State.ABSENT, State.ABSENT, None, None)


@pytest.mark.parametrize("name", ["unknown_service", "unknown_service:python3", ""])
def test_a_service_without_a_name_is_no_server(name: str) -> None:
    assert call_of(traces(span(1, "tools/call x", CALLED, kind=SERVER), resource={"service.name": name})).server is None


@pytest.mark.parametrize(("name", "tool"), [
    ("MCP send tools/call get-weather", "get-weather"), ("tools/call x y", "x y"), ("tools/call", "(unnamed)"),
])
def test_client_span_names_the_tool_in_its_name(name: str, tool: str) -> None:
    call = call_of(traces(span(1, name, {"mcp.method.name": "tools/call"}, kind=CLIENT), scope="mcp-python-sdk"))
    assert (call.tool, call.observed_by, call.server, call.agent) == (tool, Observer.CLIENT, None, "an-agent")


def test_an_agents_own_name_beats_the_service() -> None:
    assert call_of(traces(span(1, "tools/call x", CALLED | {"gen_ai.agent.name": "planner"}, kind=CLIENT))).agent == "planner"


def test_failed_call() -> None:
    request = traces(span(1, "tools/call nope", CALLED | {"error.type": "tool_error"}, kind=SERVER, status=FAILED))
    call = call_of(request)
    assert (call.outcome, call.error_type, call.error_message) == (Outcome.ERROR, "tool_error", "Unknown tool")


def test_fastmcp() -> None:
    attributes = {"mcp.method.name": "tools/call", "fastmcp.server.name": "weather", "mcp.session.id": "m1", "gen_ai.tool.name": "get_weather",
                  "fastmcp.component.key": "tool:get_weather@", "enduser.id": "client-7"}
    call = call_of(traces(span(1, "tools/call get_weather", attributes, kind=SERVER), scope="fastmcp"))
    assert (call.server, call.session_id, call.session_source, call.principal) == ("weather", "m1", 3, "client-7")


@pytest.mark.parametrize(("attributes", "transport"), [
    ({"network.transport": "pipe"}, "stdio"), ({"network.transport": "tcp", "mcp.protocol.version": "2025-06-18"}, "http"),
    ({"network.transport": "tcp", "mcp.protocol.version": "2024-11-05"}, "sse"), ({}, None),
])
def test_transport(attributes: dict[str, Any], transport: str | None) -> None:
    assert call_of(traces(span(1, "tools/call x", {"mcp.method.name": "tools/call", **attributes}, kind=SERVER))).transport == transport


@pytest.mark.parametrize("method", ["initialize", "server/discover"])
def test_connections(method: str) -> None:
    attributes = {"mcp.method.name": method, "client.address": "192.0.2.7", "user.id": "u", "error.type": "401"}
    found = records_of(traces(span(1, method, attributes, kind=SERVER), scope="mcp-python-sdk", resource={"service.name": "mail"}))
    (access,) = found.access
    assert (access.outcome, access.server, access.error_message) == (Outcome.ERROR, "mail", "401")
    assert (access.client_address, access.principal) == ("192.0.2.7", "u")
    assert (found.calls, len(found.spans)) == ([], 1)


def test_opt_in_content_and_tool_lists() -> None:
    attributes = CALLED | {"gen_ai.tool.call.arguments": {"city": "Oslo"}, "gen_ai.tool.call.result": '{"content": []}'}
    call = call_of(traces(span(1, "tools/call get_weather", attributes, kind=SERVER)))
    assert (call.arguments, call.result) == ('{"city": "Oslo"}', '{"content": []}')
    listed = {"mcp.method.name": "tools/list", "gen_ai.tool.definitions": '[{"name": "t", "inputSchema": {"b": 1, "a": 2}}]'}
    (definition,) = records_of(traces(span(1, "tools/list", listed, kind=SERVER), resource={"service.name": "mail"})).definitions
    assert (definition.tool, definition.server, definition.input_schema) == ("t", "mail", '{"a": 2, "b": 1}')


def test_other_methods_are_context() -> None:
    found = records_of(traces(span(1, "ping", {"mcp.method.name": "ping"}, kind=SERVER), span(2, "delegate x", {}), scope="fastmcp"))
    assert (len(found), len(found.spans)) == (2, 2)
