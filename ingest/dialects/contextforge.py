"""ContextForge (IBM MCP gateway): spans `tool.invoke` with steps inside, and `tool.pre_invoke` and `tool.post_invoke` of its telemetry plugin."""

from collections.abc import Iterator
from dataclasses import replace

from ingest.dialects.contract import Dialect, call, first, number, payload, text
from ingest.otlp.items import Item
from store.records import Observer, Outcome, Record

NAME = "contextforge"
CALL, BEFORE, AFTER = "tool.invoke", "tool.pre_invoke", "tool.post_invoke"
STEPS = ("tool.lookup", "tool.gateway_call", "mcp.client.call", "mcp.client.initialize", "mcp.client.request", "mcp.client.response")
OWN_KEYS = ("tool.name", "mcp.tool.name", "request_id", "correlation_id", "contextforge.tool.name")


def recognises(item: Item) -> bool:
    """The names of its spans, and one of its keys on them."""
    if item.signal != "span" or item.name not in (CALL, BEFORE, AFTER, *STEPS):
        return False
    return any(key in item.attributes for key in OWN_KEYS) or any(key.startswith("contextforge.") for key in item.attributes)


def read(item: Item) -> Iterator[Record]:
    """A call for `tool.invoke`; two sightings of one call for the plugin's spans, tied by the request's id; the steps are context."""
    match item.name:
        case "tool.invoke":
            yield _call(item)
        case "tool.pre_invoke":
            yield _sighted(item, Observer.GATEWAY, Outcome.UNKNOWN)
        case "tool.post_invoke":  # does not name the tool, so its word on that must come after the other's: as the client of the server behind
            failed = str(first(item, "tool.invocation.has_error")).lower() == "true"
            yield _sighted(item, Observer.CLIENT, Outcome.ERROR if failed else Outcome.OK)


def _call(item: Item) -> Record:
    arguments, arguments_state = payload(first(item, "langfuse.observation.input", "tool.invocation.args"))
    result, result_state = payload(first(item, "langfuse.observation.output", "tool.invocation.result"))
    failed = item.failed or str(first(item, "success")).lower() == "false" or first(item, "error.type")
    return call(
        item, NAME, text(first(item, "tool.name", "mcp.tool.name", "contextforge.tool.name")) or "(unnamed)", Observer.GATEWAY,
        server=text(first(item, "gateway.name", "tool.gateway_id", "server_id")), duration_ms=number(first(item, "duration.ms")),
        arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
        outcome=Outcome.ERROR if failed else Outcome.OK, error_message=text(first(item, "error.message")) or item.status_message or None,
    )


def _sighted(item: Item, observed_by: Observer, outcome: Outcome) -> Record:
    """One of the plugin's spans, which last no time."""
    arguments, arguments_state = payload(first(item, "tool.invocation.args"))
    result, result_state = payload(first(item, "tool.invocation.result"))
    made = call(
        item, NAME, text(first(item, "tool.name")) or "(unnamed)", observed_by, tool_call_id=text(first(item, "request_id")),
        server=text(first(item, "target_mcp_server.name", "target_mcp_server.id", "server_id")), outcome=outcome,
        server_address=text(first(item, "target_mcp_server.url")), principal=text(first(item, "user.email", "user")),
        arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
    )
    return replace(made, duration_ms=None)


DIALECT = Dialect(
    rank=45, recognises=recognises, read=read,
    carries="tool, gateway's id of the server, user, session, outcome; arguments and results where Langfuse attributes or the plugin are switched on",
    never_carries="arguments and results by default (only how many arguments there were); prompts; the call's id",
)
