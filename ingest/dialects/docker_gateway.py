"""Docker MCP gateway: spans `mcp.tool.call` and `mcp.initialize`."""

from collections.abc import Iterator

from ingest.dialects.contract import Dialect, call, digest, first, moment, session_of, text
from ingest.otlp.items import Item
from store.records import Access, Observer, Outcome, Record

NAME = "docker_gateway"
SPANS = ("mcp.tool.call", "mcp.initialize", "mcp.prompt.get", "mcp.resource.read", "mcp.resource_template.read")
LISTS = "mcp.list."


def recognises(item: Item) -> bool:
    """The names of its spans, which the conventions do not use."""
    return item.signal == "span" and "mcp.method.name" not in item.attributes and (item.name in SPANS or item.name.startswith(LISTS))


def read(item: Item) -> Iterator[Record]:
    """A call for `mcp.tool.call`, an access for `mcp.initialize`; the rest is context."""
    failed = item.failed or str(first(item, "mcp.tool.error")).lower() == "true" or first(item, "mcp.error.type", "error.type")
    outcome = Outcome.ERROR if failed else Outcome.OK
    if item.name == "mcp.tool.call":
        yield call(
            item, NAME, text(first(item, "mcp.tool.name")) or "(unnamed)", Observer.GATEWAY, server=text(first(item, "mcp.server.name")),
            server_address=text(first(item, "mcp.server.endpoint")), agent=text(first(item, "mcp.client.name")),
            outcome=outcome, error_type=text(first(item, "mcp.error.type", "error.type")),
        )
    elif item.name == "mcp.initialize":
        yield Access(
            access_id=digest(item.trace_id, item.span_id), accessed_at=moment(item.started_ns), dialect=NAME, outcome=outcome,
            agent=text(first(item, "mcp.client.name")), server=text(first(item, "mcp.server.name")) or item.source.named("service.name"),
            error_message=item.status_message or None, session_id=session_of(item)[0],
        )


DIALECT = Dialect(
    rank=41, recognises=recognises, read=read,
    carries="tool, server, server's endpoint, client, outcome",
    never_carries="arguments and results, ever; sessions, users, prompts, call ids",
)
