"""Sentry's MCP server instrumentation: spans `tools/call X` with one attribute for each argument."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingest.dialects import otel_mcp
from ingest.dialects.contract import Dialect, call, first, parsed, payload, text
from ingest.dialects.contract import whole as whole_of
from ingest.otlp.items import Item, Value
from store.records import Access, Observer, Outcome, Record, State

NAME = "sentry_mcp"
ARGUMENT = "mcp.request.argument."
RESULT = "mcp.tool.result."
FILTERED = "[Filtered]"
MOST_BLOCKS = 100


def recognises(item: Item) -> bool:
    """Its operation, or its names of arguments and results."""
    if first(item, "sentry.op") == "mcp.server":
        return True
    return "mcp.method.name" in item.attributes and any(key.startswith((ARGUMENT, RESULT)) for key in item.attributes)


def read(item: Item) -> Iterator[Record]:
    """A call for `tools/call`; the other methods as the conventions have them."""
    if first(item, "mcp.method.name") != "tools/call" and not item.name.startswith("tools/call"):
        for record in otel_mcp.read(item):
            yield replace(record, dialect=NAME) if isinstance(record, Access) else record
        return
    arguments, arguments_state = _arguments(item)
    result, result_state = payload(_result(item))
    failed = item.failed or first(item, "error.type") or str(first(item, RESULT + "is_error")).lower() == "true"
    yield call(
        item, NAME, text(first(item, "mcp.tool.name")) or item.name.removeprefix("tools/call").strip() or "(unnamed)", Observer.SERVER,
        server=text(first(item, "mcp.server.name")) or item.source.named("service.name"), server_version=text(first(item, "mcp.server.version")),
        agent=text(first(item, "mcp.client.name", "mcp.client.title")), agent_version=text(first(item, "mcp.client.version")),
        transport=_transport(text(first(item, "mcp.transport", "network.transport"))), arguments=arguments, arguments_state=arguments_state,
        result=result, result_state=result_state, outcome=Outcome.ERROR if failed else Outcome.OK,
    )


def _result(item: Item) -> Value:
    """The result's text; of several blocks each has an attribute of its own."""
    whole = first(item, RESULT + "content")
    blocks = [first(item, f"{RESULT}{n}.content") for n in range(min(whole_of(first(item, RESULT + "content_count")) or 0, MOST_BLOCKS))]
    told = [block for block in blocks if isinstance(block, str)]
    return whole if whole is not None or not told else FILTERED if set(told) == {FILTERED} else "\n".join(told)


def _arguments(item: Item) -> tuple[str | None, State]:
    """The arguments put together again; each value is JSON."""
    found = {key.removeprefix(ARGUMENT): item.attributes.get(key) for key in item.attributes if key.startswith(ARGUMENT)}
    if not found:
        return None, State.ABSENT
    if all(value == FILTERED for value in found.values()):
        return None, State.REDACTED
    values: dict[str, Any] = {}
    for name, value in found.items():
        loaded = parsed(value)
        values[name] = value if loaded is None else loaded
    return payload(values)


def _transport(said: str | None) -> str | None:
    """Plain names, or the classes of the MCP SDK: `StdioServerTransport`, `SSEServerTransport`."""
    known = {"pipe": "stdio", "stdio": "stdio", "sse": "sse", "http": "http", "tcp": "http"}
    lower = (said or "").lower()
    return next((plain for part, plain in known.items() if part in lower), said)


DIALECT = Dialect(
    telling=("sentry.op",),
    rank=43, recognises=recognises, read=read,
    carries="tool, server, MCP session, client's address, outcome; arguments and results where personal data may be sent",
    never_carries="prompts; the call's id",
)
