"""agentgateway: spans, and the same as access log records, with the target's name and the caller out of the token."""

from collections.abc import Iterator

from ingest.dialects.contract import Dialect, call, digest, first, log_id, log_moment, logged, number, payload, session_of, text
from ingest.otlp.items import Item
from store.records import Access, Observer, Outcome, Record

NAME = "agentgateway"
CONNECTING = ("initialize", "server/discover")
REFUSED = (401, 403)
FAILED = 400


def recognises(item: Item) -> bool:
    """Its scope, or its name of the MCP server."""
    return item.source.scope == NAME or "mcp.target" in item.attributes


def read(item: Item) -> Iterator[Record]:
    """A call for `tools/call`, an access for a connection. A log record that names its span is the same sighting as that span."""
    method, tool = text(first(item, "mcp.method.name", "mcp.method")), _tool(item)
    make = call if item.span_id else logged
    status = number(first(item, "http.status", "http.response.status_code"))
    failed = item.failed or (status or 0) >= FAILED or first(item, "mcp.error.code", "error.type", "error")
    refused = status in REFUSED
    outcome = Outcome.DENIED if refused else Outcome.ERROR if failed else Outcome.OK
    error_type = text(first(item, "mcp.error.code", "error.type")) or (str(int(status)) if status is not None and status >= FAILED else None)
    error_message = text(first(item, "mcp.error.message", "error", "reason")) or item.status_message or None
    server, client = text(first(item, "mcp.target")), _host(text(first(item, "src.addr", "client.address")))
    if tool and method in (None, "tools/call"):
        arguments, arguments_state = payload(first(item, "mcp.tool.arguments", "gen_ai.tool.call.arguments"))
        result, result_state = payload(first(item, "mcp.tool.result", "gen_ai.tool.call.result"))
        yield make(
            item, NAME, tool, Observer.GATEWAY, server=server, duration_ms=_duration(item), server_address=text(first(item, "endpoint")),
            client_address=client, arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state, outcome=outcome,
            error_type=error_type, error_message=error_message if outcome != Outcome.OK else None,
            decision="reject" if refused else None, decided_by=NAME if refused else None,
        )
    elif method in CONNECTING:
        yield Access(
            access_id=digest(item.trace_id, item.span_id) if item.span_id else log_id(item, NAME), accessed_at=log_moment(item),
            dialect=NAME, outcome=outcome,
            method="authenticate" if refused else "connect", principal=text(first(item, "jwt.sub", "user.id")), client_address=client,
            server=server, error_message=(error_message or error_type) if outcome != Outcome.OK else None, session_id=session_of(item)[0],
        )


def _tool(item: Item) -> str | None:
    """The tool's name; before it followed the conventions it was a resource of type `tool`."""
    named = text(first(item, "gen_ai.tool.name", "mcp.tool.name"))
    return named or (text(first(item, "mcp.resource.name")) if first(item, "mcp.resource.type") == "tool" else None)


def _duration(item: Item) -> float | None:
    """Milliseconds, of which log records say `6` or `6ms`; spans last as long as they last."""
    said = first(item, "duration")
    return None if item.ended_ns else number(said.removesuffix("ms") if isinstance(said, str) else said)


def _host(address: str | None) -> str | None:
    """An address without its port: `192.0.2.7:4711`, `[2001:db8::7]:4711`."""
    if address is None:
        return None
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.rpartition(":")[0] if address.count(":") == 1 else address


DIALECT = Dialect(
    rank=42, recognises=recognises, read=read,
    carries="tool, target, caller (jwt.sub and address), MCP session, outcome, refusals; arguments and results where a CEL expression adds them",
    never_carries="arguments and results by default; prompts; the call's id",
)
