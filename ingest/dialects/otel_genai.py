"""OpenTelemetry GenAI conventions: `execute_tool` spans, and the messages and tool definitions on agent and chat spans."""

from collections.abc import Iterator

from ingest.dialects.contract import Dialect, call, defined, first, parsed, payload, text, told
from ingest.otlp.items import Item
from store.records import Observer, Record

NAME = "otel_genai"
OLD_EVENTS = {"gen_ai.user.message": "user", "gen_ai.system.message": "system"}


def recognises(item: Item) -> bool:
    """Any GenAI tool or message attribute; some frameworks never set the operation's name."""
    found = item.attributes
    return any(
        key in found
        for key in ("gen_ai.operation.name", "gen_ai.tool.name", "gen_ai.tool.call.id", "gen_ai.input.messages", "gen_ai.tool.definitions")
    )


def read(item: Item) -> Iterator[Record]:
    """A call for an `execute_tool` span; messages and definitions for the others."""
    operation, tool = first(item, "gen_ai.operation.name"), text(first(item, "gen_ai.tool.name"))
    if tool and (operation in (None, "execute_tool") or item.name.startswith("execute_tool")):
        arguments, arguments_state = payload(first(item, "gen_ai.tool.call.arguments", "tool_arguments", "input"))
        result, result_state = payload(first(item, "gen_ai.tool.call.result", "tool_response", "output"))
        yield call(
            item, NAME, tool, Observer.AGENT, tool_call_id=text(first(item, "gen_ai.tool.call.id", "gen_ai.tool.call_id")),
            arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
        )
        return
    yield from told(item, NAME, parsed(first(item, "gen_ai.system_instructions")))
    yield from told(item, NAME, parsed(first(item, "gen_ai.input.messages")))
    for event in item.events:
        if event.name in OLD_EVENTS and event.attributes.get("content"):
            yield from told(item, NAME, [{"role": OLD_EVENTS[event.name], "content": text(event.attributes.get("content"))}])
    yield from defined(item, NAME, parsed(first(item, "gen_ai.tool.definitions")))


DIALECT = Dialect(
    rank=80, recognises=recognises, read=read,
    carries="tool, call id, agent, conversation, outcome; arguments, results, prompts and tool definitions where content capture is switched on",
    never_carries="the MCP server's name; content by default",
)
