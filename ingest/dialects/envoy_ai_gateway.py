"""Envoy AI Gateway: MCP spans in its first vocabulary (`CallTool`, `mcp.tool.name`) and in the conventions', the backend in an event."""

from collections.abc import Iterator

from ingest.dialects.contract import Dialect, call, digest, first, moment, payload, session_of, text
from ingest.otlp.items import Item, Value
from store.records import Access, Observer, Outcome, Record, SessionSource

NAME = "envoy_ai_gateway"
ROUTED = "route to backend"
LEGACY_NAMES = ("CallTool", "Initialize", "ListTools", "ListPrompts", "GetPrompt", "ListResources", "ReadResource", "Ping")
CONNECTING = ("initialize", "server/discover")
SUCCEEDED = ("", "0", "200", "None")
"""What `rpc.response.status_code` says of success; here it is a number."""

DENIED = "authorization failed"
"""How the status of a call begins that the gateway refused."""


def recognises(item: Item) -> bool:
    """MCP with its event, its scope, or the names of its first vocabulary."""
    if "mcp.method.name" not in item.attributes:
        return False
    if any(event.name == ROUTED for event in item.events) or "ai-gateway" in item.source.scope:
        return True
    return item.name in LEGACY_NAMES and "mcp.request.id" in item.attributes


def read(item: Item) -> Iterator[Record]:
    """A call for `tools/call`, an access for a connection."""
    method = text(first(item, "mcp.method.name"))
    error_type = text(first(item, "error.type")) or _event(item, "exception", "exception.type")
    code = str(first(item, "rpc.response.status_code"))
    failed = item.failed or error_type or code not in SUCCEEDED
    error_message = item.status_message or _event(item, "exception", "exception.message")
    denied = bool(failed) and DENIED in (error_message or "").lower()
    outcome = Outcome.DENIED if denied else Outcome.ERROR if failed else Outcome.OK
    session_id, source = session_of(item)
    backend_session = _event(item, ROUTED, "mcp.session.id")
    if session_id is None and backend_session:
        session_id, source = backend_session, int(SessionSource.MCP_SESSION)
    backend = text(first(item, "mcp.backend.name", "mcp.provider.name")) or _event(item, ROUTED, "mcp.backend.name")
    transport = text(first(item, "mcp.transport")) or ("http" if first(item, "network.transport") == "tcp" else None)
    if method == "tools/call":
        arguments, arguments_state = payload(first(item, "gen_ai.tool.call.arguments"))
        result, result_state = payload(first(item, "gen_ai.tool.call.result"))
        yield call(
            item, NAME, text(first(item, "gen_ai.tool.name", "mcp.tool.name")) or "(unnamed)", Observer.GATEWAY, server=backend,
            transport=transport, session_id=session_id, session_source=source, agent=text(first(item, "mcp.client.name", "agent.id")),
            arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state, outcome=outcome,
            error_type=error_type or (code if failed and code not in SUCCEEDED else None), error_message=error_message,
            decision="reject" if denied else None, decided_by=NAME if denied else None,
        )
    elif method in CONNECTING:
        yield Access(
            access_id=digest(item.trace_id, item.span_id), accessed_at=moment(item.started_ns), dialect=NAME, outcome=outcome,
            client_address=text(first(item, "client.address")), agent=text(first(item, "mcp.client.name")), server=backend, transport=transport,
            error_message=error_message, session_id=session_id,
        )


def _event(item: Item, name: str, key: str) -> str | None:
    found: Value = next((e.attributes.get(key) for e in item.events if e.name == name), None)
    return text(found) or None


DIALECT = Dialect(
    rank=44, recognises=recognises, read=read,
    carries="tool, backend, the backend's MCP session, client, outcome; arguments and results with AI_GATEWAY_TRACING_SEMCONV=gen_ai and capture on",
    never_carries="prompts, users; arguments and results in the first vocabulary",
)
