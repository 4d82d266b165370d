"""`logfire.instrument_mcp` (MCP SDK 1.x): JSON-RPC requests and responses as JSON in attributes."""

from collections.abc import Iterator
from typing import Any

from ingest.dialects.contract import Dialect, call, defined, digest, first, moment, parsed, payload, session_of, text
from ingest.otlp.items import Item
from store.records import Access, Observer, Outcome, Record, State

NAME = "logfire_mcp"
SCOPE = "logfire.mcp"
SERVED = "MCP server handle request"


def recognises(item: Item) -> bool:
    """Its scope, or JSON-RPC with the request beside it. The server's spans do not say `rpc.system`."""
    return item.source.scope == SCOPE or (first(item, "rpc.system") == "jsonrpc" and "request" in item.attributes)


def read(item: Item) -> Iterator[Record]:
    """A call for `tools/call`, an access for `initialize`, definitions for `tools/list`."""
    request, response = _object(parsed(first(item, "request"))), _object(parsed(first(item, "response")))
    method = text(request.get("method") or first(item, "rpc.method")) or item.name.partition(": ")[2].partition(" ")[0]
    served = item.name.startswith(SERVED)
    own = item.source.named("service.name")
    server = own if served else None
    match method:
        case "tools/call":
            yield _call(item, _object(request.get("params")), response, served, own)
        case "initialize":
            yield Access(
                access_id=digest(item.trace_id, item.span_id), accessed_at=moment(item.started_ns), dialect=NAME,
                outcome=Outcome.ERROR if item.failed else Outcome.OK, server=server or text(_object(response.get("serverInfo")).get("name")),
                agent=text(_object(_object(request.get("params")).get("clientInfo")).get("name")) if served else own,
                error_message=item.status_message or None, session_id=session_of(item)[0],
            )
        case "tools/list":
            yield from defined(item, NAME, response.get("tools"), server)


def _call(item: Item, params: dict[str, Any], response: dict[str, Any], served: bool, own: str | None) -> Record:
    arguments: tuple[str | None, State] = (None, State.ABSENT)
    if params.get("arguments") is not None:
        arguments = payload(params["arguments"])
    elif not params and first(item, "request") is not None:  # the request is there, but not whole
        arguments = text(first(item, "request")), State.TRUNCATED
    result, result_state = payload(first(item, "response"))
    failed = item.failed or first(item, "error.type") or response.get("isError") is True
    return call(
        item, NAME, text(params.get("name")) or item.name.partition("tools/call")[2].strip() or "(unnamed)",
        Observer.SERVER if served else Observer.CLIENT, server=own if served else None, agent=None if served else own,
        arguments=arguments[0], arguments_state=arguments[1], result=result, result_state=result_state,
        outcome=Outcome.ERROR if failed else Outcome.OK,
        error_type=text(first(item, "error.type")) or ("tool_error" if response.get("isError") is True else None),
    )


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


DIALECT = Dialect(
    telling=("rpc.system",),
    rank=69, recognises=recognises, read=read,
    carries="tool, arguments, results, tool definitions, connections and the server's name, by default",
    never_carries="prompts, sessions and users; anything with MCP SDK 2.x",
)
