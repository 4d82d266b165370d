"""OpenTelemetry MCP conventions, as the MCP SDK 2.x and FastMCP emit them: `tools/call` spans of client and server, connections, tool lists."""

from collections.abc import Iterator
from dataclasses import replace

from ingest.dialects.contract import AGENT_KEYS, Dialect, call, defined, digest, first, moment, parsed, payload, session_of, text
from ingest.dialects.plan import Plan, Text
from ingest.otlp.items import Item
from store.records import Access, Observer, Outcome, Record, SessionSource

NAME = "otel_mcp"
SERVER_KIND = 2
CONNECTING = ("initialize", "server/discover")
OLD_SSE, SESSIONLESS = "2024-11-05", "2026-07-28"
"""Protocol versions: the one with the old SSE transport, and the first without sessions."""

UNNAMED = "(unnamed)"
SERVER_KEYS = ("fastmcp.server.name", "mcp.server.name")


def recognises(item: Item) -> bool:
    """Its scopes, or the method's name."""
    return "mcp.method.name" in item.attributes or item.source.scope in ("mcp-python-sdk", "fastmcp")


def read(item: Item) -> Iterator[Record]:
    """A call for `tools/call`, an access for a connection, definitions for a tool list."""
    method = text(first(item, "mcp.method.name")) or ""
    served = item.kind == SERVER_KIND
    server = text(first(item, *SERVER_KEYS)) or (item.source.named("service.name") if served else None)
    if method == "tools/call" or (not method and "tools/call" in item.name):
        arguments, arguments_state = payload(first(item, "gen_ai.tool.call.arguments"))
        result, result_state = payload(first(item, "gen_ai.tool.call.result"))
        made = call(
            item, NAME, text(first(item, "gen_ai.tool.name")) or _tool_of(item.name), Observer.SERVER if served else Observer.CLIENT,
            server=server, server_version=item.source.named("service.version") if served else None, transport=_transport(item),
            agent=None if served or first(item, *AGENT_KEYS) else item.source.named("service.name"),
            arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
        )
        yield replace(made, session_id=None, session_source=int(SessionSource.TRACE)) if _is_of_request(item) else made
    elif method in CONNECTING:
        yield Access(
            access_id=digest(item.trace_id, item.span_id), accessed_at=moment(item.started_ns), dialect=NAME,
            outcome=Outcome.ERROR if item.failed or first(item, "error.type") else Outcome.OK,
            principal=text(first(item, "enduser.id", "user.id")), client_address=text(first(item, "client.address")), server=server,
            agent=None if served else item.source.named("service.name"), transport=_transport(item),
            error_message=item.status_message or text(first(item, "error.type")), session_id=session_of(item)[0],
        )
    elif method == "tools/list":
        yield from defined(item, NAME, parsed(first(item, "gen_ai.tool.definitions")), server)


def plan(item: Item) -> Plan | None:
    """Calls whose server is named by the source."""
    method, served = text(first(item, "mcp.method.name")) or "", item.kind == SERVER_KIND
    _, called, after = item.name.partition("tools/call")
    if method != "tools/call" and (method or not called):
        return None
    if _is_of_request(item):
        return None
    own = item.source.named("service.name")
    named = Text(("gen_ai.tool.name",), otherwise=UNNAMED)
    if after.strip():
        start = len(item.name) - len(after.lstrip())
        if after != after.rstrip():
            return None
        named = Text(("gen_ai.tool.name",), name_from=len(item.name[:start].encode()))
    return Plan(
        NAME, Observer.SERVER if served else Observer.CLIENT, named, server=Text(SERVER_KEYS, otherwise=own if served else None),
        server_version=Text(otherwise=item.source.named("service.version") if served else None), transport=Text(otherwise=_transport(item)),
        agent=Text(AGENT_KEYS, otherwise=None if served else own),
        arguments=Text(("gen_ai.tool.call.arguments",)), result=Text(("gen_ai.tool.call.result",)),
    )


def _is_of_request(item: Item) -> bool:
    """Whether the only session's id is MCP's in a protocol that has no sessions: FastMCP then makes one for each request."""
    version = text(first(item, "mcp.protocol.version")) or ""
    return version >= SESSIONLESS and session_of(item)[1] == SessionSource.MCP_SESSION


def _tool_of(name: str) -> str:
    """The client's span of the MCP SDK names the tool in the span's name alone: `MCP send tools/call get-weather`."""
    return name.partition("tools/call")[2].strip() or UNNAMED


def _transport(item: Item) -> str | None:
    network = text(first(item, "network.transport", "mcp.transport"))
    if network == "pipe":
        return "stdio"
    if network in ("tcp", "quic"):
        return "sse" if first(item, "mcp.protocol.version") == OLD_SSE else "http"
    return network


DIALECT = Dialect(
    rank=50, recognises=recognises, read=read,
    carries="tool, server (the service's name), outcome, protocol; arguments and results where the convention's opt-in is used",
    never_carries="arguments and results from the MCP SDK and FastMCP; prompts; sessions since MCP 2026-07-28",
    plan=plan, telling=("mcp.method.name", "network.transport", "mcp.transport", "mcp.protocol.version"),
)
