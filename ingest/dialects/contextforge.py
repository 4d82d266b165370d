"""ContextForge (IBM MCP gateway): spans `tool.invoke` with steps inside, and those of its telemetry plugin."""

from collections.abc import Iterator
from typing import Any

from ingest.dialects.contract import Dialect, call, first, number, payload, text
from ingest.otlp.items import Item
from store.records import Observer, Outcome, Record

NAME = "contextforge"
CALL = "tool.invoke"
STEPS = ("tool.lookup", "tool.gateway_call", "mcp.client.call", "mcp.client.initialize", "mcp.client.request", "mcp.client.response")
PLUGIN = ("tool.invocation.args", "tool.invocation.result")


def recognises(item: Item) -> bool:
    """The names of its spans with the tool's, or what its plugin adds."""
    if item.signal != "span":
        return False
    named = "tool.name" in item.attributes or "mcp.tool.name" in item.attributes or any(k.startswith("contextforge.") for k in item.attributes)
    return ((item.name == CALL or item.name in STEPS) and named) or any(key in item.attributes for key in PLUGIN)


def read(item: Item) -> Iterator[Record]:
    """A call for `tool.invoke` and for the plugin's spans, which lie inside it; the steps are context."""
    if item.name != CALL and not any(key in item.attributes for key in PLUGIN):
        return
    arguments, arguments_state = payload(first(item, "langfuse.observation.input", "tool.invocation.args"))
    result, result_state = payload(first(item, "langfuse.observation.output", "tool.invocation.result"))
    succeeded = str(first(item, "success")).lower()
    failed = item.failed or succeeded == "false" or first(item, "error.type")
    duration = number(first(item, "duration.ms"))
    more: dict[str, Any] = {} if duration is None else {"duration_ms": duration}
    yield call(
        item, NAME, text(first(item, "tool.name", "mcp.tool.name")) or "(unnamed)", Observer.GATEWAY,
        server=text(first(item, "target_mcp_server.name", "gateway.name", "tool.gateway_id", "target_mcp_server.id", "server_id")),
        server_address=text(first(item, "target_mcp_server.url")), principal=text(first(item, "user.email", "user.id", "user")),
        arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
        outcome=Outcome.ERROR if failed else Outcome.OK, error_message=text(first(item, "error.message")) or item.status_message or None, **more,
    )


DIALECT = Dialect(
    rank=45, recognises=recognises, read=read,
    carries="tool, gateway's id of the server, user, session, outcome; arguments and results where Langfuse attributes or the plugin are switched on",
    never_carries="arguments and results by default (only how many arguments there were); prompts; the call's id",
)
