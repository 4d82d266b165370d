"""ToolHive: the spans of its proxy, with the conventions' names or, before them, its own. Its log lines are read as a log format."""

from collections.abc import Iterator

from ingest.dialects.contract import Dialect, call, digest, first, moment, number, payload, principal_of, session_of, text
from ingest.otlp.items import Item
from store.records import Access, Observer, Outcome, Record, State

NAME = "toolhive_traces"
SCOPE = "stacklok/toolhive"
TRANSPORTS = {"pipe": "stdio", "tcp": "http"}
CUT = "..."
"""What stands at the end of arguments that were cut; they are told as `key=value, key=value`."""

FAILED, REFUSED = 400, (401, 403)


def recognises(item: Item) -> bool:
    """Its scope, or the names that it had for MCP's method and server."""
    return item.signal == "span" and (SCOPE in item.source.scope or ("mcp.method" in item.attributes and first(item, "rpc.service") == "mcp"))


def read(item: Item) -> Iterator[Record]:
    """A call for `tools/call`, an access for a connection. What the caller is to blame for is no error of the span: the HTTP status tells it."""
    method, server = text(first(item, "mcp.method.name", "mcp.method")), text(first(item, "mcp.server.name"))
    status = number(first(item, "http.response.status_code", "http.status_code")) or 0
    failed = item.failed or status >= FAILED or first(item, "error.type") is not None
    refused = status in REFUSED
    outcome = Outcome.DENIED if refused else Outcome.ERROR if failed else Outcome.OK
    error_type = text(first(item, "error.type")) or (str(int(status)) if status >= FAILED else None)
    network = text(first(item, "mcp.transport", "network.transport"))
    transport = TRANSPORTS.get(network or "", network)
    if method == "tools/call":
        arguments, state = payload(first(item, "gen_ai.tool.call.arguments", "mcp.tool.arguments"))
        yield call(
            item, NAME, text(first(item, "gen_ai.tool.name", "mcp.tool.name", "mcp.resource.id")) or "(unnamed)", Observer.GATEWAY, server=server,
            transport=transport, arguments=arguments, arguments_state=State.TRUNCATED if (arguments or "").endswith(CUT) else state,
            outcome=outcome, error_type=error_type, decision="reject" if refused else None, decided_by="toolhive" if refused else None,
        )
    elif method == "initialize" or refused:
        yield Access(
            access_id=digest(item.trace_id, item.span_id), accessed_at=moment(item.started_ns), dialect=NAME, outcome=outcome,
            method="authenticate" if refused else "connect", principal=principal_of(item), client_address=text(first(item, "client.address")),
            agent=text(first(item, "mcp.client.name")), server=server, transport=transport, error_message=item.status_message or error_type,
            session_id=session_of(item)[0],
        )


DIALECT = Dialect(
    rank=39, recognises=recognises, read=read,
    carries="tool, server, MCP session, client address, outcome, refusals; arguments as text of limited length, without what is called a secret",
    never_carries="results, prompts, the user, the call's id; errors inside of answers that HTTP calls a success",
)
