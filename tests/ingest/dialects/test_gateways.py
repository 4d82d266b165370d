from typing import Any

import pytest

from store.records import Observer, Outcome, SessionSource, State
from tests.ingest.dialects.sent import CLIENT, FAILED, SERVER, fields, log, only, span

DOCKER: dict[str, Any] = {
    "mcp.tool.name": "find", "mcp.server.name": "crm", "mcp.server.type": "docker", "mcp.server.image": "example/crm",
    "mcp.server.endpoint": "crm.example.com", "mcp.client.name": "planner",
}


def test_docker_gateway() -> None:
    records, dialect = span("mcp.tool.call", DOCKER, kind=CLIENT)
    assert dialect == "docker_gateway"
    fields(
        only(records), tool="find", server="crm", server_address="crm.example.com", agent="planner", observed_by=Observer.GATEWAY,
        outcome=Outcome.OK, arguments=None, arguments_state=State.ABSENT, result=None, result_state=State.ABSENT, session_id=None,
        session_source=SessionSource.TRACE, tool_call_id=None,
    )


@pytest.mark.parametrize("error", [{"mcp.tool.error": True}, {"mcp.tool.error": "true"}, {"mcp.error.type": "execution_failed"}])
def test_docker_gateway_error(error: dict[str, Any]) -> None:
    fields(only(span("mcp.tool.call", DOCKER | error)[0]), outcome=Outcome.ERROR, error_type=error.get("mcp.error.type"))


def test_docker_gateway_connection_and_lists() -> None:
    records, dialect = span("mcp.initialize", {"mcp.client.name": "planner"}, service="docker-mcp-gateway", status=FAILED)
    assert dialect == "docker_gateway"
    assert [(a.agent, a.server, a.outcome, a.error_message) for a in records.access] == [("planner", "docker-mcp-gateway", Outcome.ERROR, "it broke")]
    records, dialect = span("mcp.list.tools", {"mcp.list.type": "tools"})
    assert (dialect, len(records.calls), len(records.spans)) == ("docker_gateway", 0, 1)


AGENTGATEWAY: dict[str, Any] = {
    "mcp.method.name": "tools/call", "mcp.target": "crm", "gen_ai.tool.name": "find", "mcp.session.id": "m-1", "jwt.sub": "ann",
    "src.addr": "192.0.2.7:4711", "http.status": 200, "endpoint": "crm.example.com:443",
}


def test_agentgateway() -> None:
    records, dialect = span("POST /mcp", AGENTGATEWAY, scope="agentgateway")
    assert dialect == "agentgateway"
    fields(
        only(records), tool="find", server="crm", server_address="crm.example.com:443", principal="ann", client_address="192.0.2.7",
        session_id="m-1", session_source=SessionSource.MCP_SESSION, observed_by=Observer.GATEWAY, outcome=Outcome.OK, decision=None,
        arguments_state=State.ABSENT, result_state=State.ABSENT, error_type=None,
    )


def test_agentgateway_with_payloads_by_cel() -> None:
    sent = AGENTGATEWAY | {"mcp.tool.arguments": {"name": "Bo"}, "mcp.tool.result": "Bo Example", "src.addr": "[2001:db8::7]:4711"}
    made = only(span("POST /mcp", sent)[0])
    fields(made, arguments='{"name": "Bo"}', result="Bo Example", client_address="2001:db8::7")
    assert "Bo" not in str(made.attributes)


def test_agentgateway_refusal_and_error() -> None:
    refused = only(span("POST /mcp", AGENTGATEWAY | {"http.status": "403", "reason": "Authorization"})[0])
    fields(refused, outcome=Outcome.DENIED, decision="reject", decided_by="agentgateway", error_type="403", error_message="Authorization")
    failed = only(span("POST /mcp", AGENTGATEWAY | {"mcp.error.code": -32602, "mcp.error.message": "unknown tool"})[0])
    fields(failed, outcome=Outcome.ERROR, error_type="-32602", error_message="unknown tool", decision=None)


def test_agentgateway_log_records() -> None:
    sent = AGENTGATEWAY | {"http.status": "200", "duration": "6ms"}
    records, dialect = log(sent, scope="agentgateway")
    assert dialect == "agentgateway"
    fields(only(records), tool="find", server="crm", duration_ms=6.0, outcome=Outcome.OK)
    assert only(records).observation_id == only(span("POST /mcp", sent)[0]).observation_id  # the span that it names, told twice
    apart = [only(log(sent | {"duration": d}, trace="")[0]).observation_id for d in ("6", "7")]
    assert len(set(apart)) == 2


def test_agentgateway_before_the_conventions() -> None:
    sent = {"mcp.method": "tools/call", "mcp.target": "crm", "mcp.resource.type": "tool", "mcp.resource.name": "find", "http.status": 200}
    fields(only(span("POST /mcp", sent)[0]), tool="find", server="crm", outcome=Outcome.OK)


def test_agentgateway_authentication() -> None:
    sent = {"mcp.method.name": "initialize", "mcp.target": "crm", "http.status": 401, "src.addr": "192.0.2.7:4711"}
    records, _ = span("POST /mcp", sent)
    assert [(a.method, a.outcome, a.client_address, a.server, a.error_message) for a in records.access] == [
        ("authenticate", Outcome.DENIED, "192.0.2.7", "crm", "401")
    ]


ROUTED = ("route to backend", {"mcp.backend.name": "crm", "mcp.session.id": "m-1", "mcp.session.new": True})
ENVOY: dict[str, Any] = {
    "mcp.protocol.version": "2025-06-18", "mcp.transport": "http", "mcp.request.id": "3", "mcp.method.name": "tools/call", "mcp.tool.name": "find",
}
ENVOY_NEW: dict[str, Any] = {
    "mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "find", "jsonrpc.request.id": "3",
    "network.transport": "tcp", "gen_ai.tool.call.arguments": '{"name":"Bo"}', "gen_ai.tool.call.result": '{"content":[]}',
}


def test_envoy_in_its_first_vocabulary() -> None:
    records, dialect = span("CallTool", ENVOY, kind=CLIENT, events=[ROUTED])
    assert dialect == "envoy_ai_gateway"
    fields(
        only(records), tool="find", server="crm", transport="http", session_id="m-1", session_source=SessionSource.MCP_SESSION,
        observed_by=Observer.GATEWAY, outcome=Outcome.OK, arguments_state=State.ABSENT, result_state=State.ABSENT, tool_call_id=None,
    )
    assert span("CallTool", ENVOY)[1] == "envoy_ai_gateway"  # before it is routed


def test_envoy_in_the_conventions() -> None:
    records, dialect = span("tools/call find", ENVOY_NEW, events=[ROUTED])
    assert dialect == "envoy_ai_gateway"
    fields(
        only(records), tool="find", server="crm", transport="http", arguments='{"name":"Bo"}', arguments_state=State.CAPTURED,
        result='{"content":[]}', outcome=Outcome.OK,
    )


def test_envoy_errors() -> None:
    failed = only(span("tools/call find", ENVOY_NEW | {"rpc.response.status_code": -32602}, events=[ROUTED])[0])
    fields(failed, outcome=Outcome.ERROR, error_type="-32602")
    assert only(span("tools/call find", ENVOY_NEW | {"rpc.response.status_code": 0}, events=[ROUTED])[0]).outcome == Outcome.OK
    broke = ("exception", {"exception.type": "internal_error", "exception.message": "no backend"})
    fields(
        only(span("CallTool", ENVOY, status=FAILED, events=[broke])[0]), outcome=Outcome.ERROR, error_type="internal_error", error_message="it broke"
    )


def test_envoy_refuses() -> None:
    status = {"code": 2, "message": "authorization failed"}
    made = only(span("tools/call drop", ENVOY_NEW | {"error.type": "internal_error", "agent.id": "planner"}, scope="envoyproxy/ai-gateway",
                     status=status)[0])
    fields(made, outcome=Outcome.DENIED, decision="reject", decided_by="envoy_ai_gateway", agent="planner", error_message="authorization failed")


def test_envoy_connection() -> None:
    sent = {"mcp.method.name": "initialize", "mcp.request.id": "1", "mcp.client.name": "planner", "mcp.transport": "http"}
    records, _ = span("Initialize", sent, events=[ROUTED])
    assert [(a.agent, a.server, a.session_id, a.transport) for a in records.access] == [("planner", "crm", "m-1", "http")]


FORGE: dict[str, Any] = {
    "tool.name": "find", "tool.id": "t-1", "tool.gateway_id": "gateway-1", "arguments_count": 1, "user.email": "ann@example.com",
    "langfuse.session.id": "s-1", "success": True, "duration.ms": 12.5,
}


def test_contextforge() -> None:
    records, dialect = span("tool.invoke", FORGE, service="mcp-gateway")
    assert dialect == "contextforge"
    fields(
        only(records), tool="find", server="gateway-1", principal="ann@example.com", session_id="s-1", session_source=SessionSource.CONVERSATION,
        duration_ms=12.5, observed_by=Observer.GATEWAY, outcome=Outcome.OK, arguments=None, arguments_state=State.ABSENT,
        result_state=State.ABSENT, tool_call_id=None,
    )


def test_contextforge_with_content_and_error() -> None:
    sent = FORGE | {
        "langfuse.observation.type": "tool", "langfuse.observation.input": '{"name":"Bo"}', "langfuse.observation.output": "gone",
        "success": "false", "error.type": "ToolError", "error.message": "gone",
    }
    records, dialect = span("tool.invoke", sent)
    assert dialect == "contextforge"
    fields(only(records), arguments='{"name":"Bo"}', result="gone", outcome=Outcome.ERROR, error_type="ToolError", error_message="gone")


def test_contextforge_plugin() -> None:
    request = {"request_id": "r-1", "user": "ann@example.com", "server_id": "s-1"}
    sent = request | {
        "tool.name": "find", "tool.invocation.args": '{"name":"Bo"}', "target_mcp_server.name": "crm", "target_mcp_server.url": "http://crm.example.com",
        "headers": '{"authorization":"Bearer abc"}',
    }
    before = only(span("tool.pre_invoke", sent)[0])
    fields(
        before, dialect="contextforge", tool="find", tool_call_id="r-1", server="crm", server_address="http://crm.example.com",
        principal="ann@example.com", arguments='{"name":"Bo"}', result_state=State.ABSENT, outcome=Outcome.UNKNOWN,
        observed_by=Observer.GATEWAY, duration_ms=None,
    )
    assert "Bearer" not in str(before.attributes)
    after = only(span("tool.post_invoke", request | {"tool.invocation.result": "Bo Example", "tool.invocation.has_error": False})[0])
    fields(after, tool_call_id="r-1", result="Bo Example", arguments_state=State.ABSENT, outcome=Outcome.OK, observed_by=Observer.CLIENT)
    assert only(span("tool.post_invoke", request | {"tool.invocation.has_error": True})[0]).outcome == Outcome.ERROR


def test_contextforge_steps_are_context() -> None:
    records, dialect = span("tool.gateway_call", {"tool.name": "find", "tool.id": "t-1"})
    assert (dialect, len(records.calls), len(records.spans)) == ("contextforge", 0, 1)


TOOLHIVE = "github.com/stacklok/toolhive/pkg/telemetry"
PROXIED: dict[str, Any] = {
    "mcp.method.name": "tools/call", "gen_ai.tool.name": "find", "gen_ai.operation.name": "execute_tool", "mcp.server.name": "crm",
    "gen_ai.tool.call.arguments": "name=Bo, api_key=[REDACTED]", "mcp.session.id": "s-1", "network.transport": "pipe", "client.address": "192.0.2.7",
    "http.response.status_code": 200, "server.address": "gateway.example.com",
}


def test_toolhive_spans() -> None:
    records, dialect = span("tools/call find", PROXIED, scope=TOOLHIVE, kind=SERVER, status={"code": 1})
    assert dialect == "toolhive_traces"
    fields(
        only(records), tool="find", server="crm", transport="stdio", session_id="s-1", client_address="192.0.2.7", outcome=Outcome.OK,
        arguments="name=Bo, api_key=[REDACTED]", arguments_state=State.CAPTURED, observed_by=Observer.GATEWAY,
    )
    cut = only(span("tools/call find", PROXIED | {"gen_ai.tool.call.arguments": "name=Bo..."}, scope=TOOLHIVE)[0])
    assert cut.arguments_state == State.TRUNCATED


@pytest.mark.parametrize(("status", "outcome", "decision"), [
    (403, Outcome.DENIED, "reject"), (404, Outcome.ERROR, None), (502, Outcome.ERROR, None), ("401", Outcome.DENIED, "reject"),
])
def test_toolhive_spans_leave_their_status_unset_where_the_caller_is_to_blame(status: Any, outcome: Outcome, decision: str | None) -> None:
    made = only(span("tools/call find", PROXIED | {"http.response.status_code": status}, scope=TOOLHIVE, kind=SERVER)[0])
    fields(made, outcome=outcome, error_type=str(status), decision=decision)


def test_toolhive_spans_before_the_conventions() -> None:
    old = {"mcp.method": "tools/call", "rpc.system": "jsonrpc", "rpc.service": "mcp", "mcp.tool.name": "find", "mcp.tool.arguments": "name=Bo",
           "mcp.server.name": "crm", "mcp.transport": "streamable-http", "http.status_code": 200}
    records, dialect = span("mcp.tools/call", old, kind=SERVER)
    assert dialect == "toolhive_traces"
    fields(only(records), tool="find", server="crm", transport="streamable-http", arguments="name=Bo", outcome=Outcome.OK)
    greeted = old | {"mcp.method": "initialize", "mcp.client.name": "desk", "http.status_code": 401}
    (access,) = span("mcp.initialize", greeted, kind=SERVER)[0].access
    assert (access.agent, access.server, access.outcome, access.method) == ("desk", "crm", Outcome.DENIED, "authenticate")
