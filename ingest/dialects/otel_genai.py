"""OpenTelemetry GenAI conventions: `execute_tool` spans, and the messages and tool definitions on agent and chat spans."""

from collections.abc import Iterator
from typing import Any

from ingest.dialects import wrappings
from ingest.dialects.contract import Dialect, call, defined, event_name, first, parsed, payload, text, told
from ingest.dialects.plan import Plan, Text
from ingest.otlp.items import Attributes, Item, Value
from store.records import Observer, Record

NAME = "otel_genai"
OLD_EVENTS = {
    "gen_ai.user.message": "user", "gen_ai.system.message": "system", "gen_ai.assistant.message": "assistant", "gen_ai.choice": "assistant",
}
CONTENT_EVENTS = ("gen_ai.client.inference.operation.details", "gen_ai.content.prompt", "gen_ai.content.completion")
"""Span events that hold what else stands in the span's attributes."""

TOOL_OPERATIONS = (None, "execute_tool", "tool_call")
GIVEN = ("gen_ai.tool.call.arguments", "tool_arguments", "gcp.vertex.agent.tool_call_args", "input")
GOT = ("gen_ai.tool.call.result", "tool_response", "gcp.vertex.agent.tool_response", "output")
IDS = ("gen_ai.tool.call.id", "gen_ai.tool.call_id")


def recognises(item: Item) -> bool:
    """Any GenAI tool or message attribute; some frameworks never set the operation's name."""
    found = item.attributes
    return _event_of(item) in OLD_EVENTS or any(
        key in found
        for key in ("gen_ai.operation.name", "gen_ai.tool.name", "gen_ai.tool.call.id", "gen_ai.input.messages", "gen_ai.tool.definitions")
    )


def read(item: Item) -> Iterator[Record]:
    """A call for an `execute_tool` span; messages and definitions for the others."""
    operation, tool = first(item, "gen_ai.operation.name"), text(first(item, "gen_ai.tool.name"))
    if tool and (operation in TOOL_OPERATIONS or item.name.startswith("execute_tool")):
        arguments, arguments_state = payload(_given(item))
        result, result_state = payload(_got(item))
        yield call(
            item, NAME, tool, Observer.AGENT, tool_call_id=text(first(item, *IDS)),
            arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
        )
        return
    for attributes in (item.attributes, *(event.attributes for event in item.events if event.name in CONTENT_EVENTS)):
        yield from _said(item, attributes)
    if (event_of := _event_of(item)) in OLD_EVENTS and isinstance(item.body, dict):
        yield from told(item, NAME, [{"role": OLD_EVENTS[event_of], "content": _content(item.body)}])
    for event in item.events:
        if event.name in OLD_EVENTS:
            yield from told(item, NAME, [{"role": OLD_EVENTS[event.name], "content": _content(event.attributes)}], event.name == "gen_ai.choice")
    yield from defined(item, NAME, parsed(first(item, "gen_ai.tool.definitions")))


def _event_of(item: Item) -> str:
    return event_name(item) if item.signal == "log" else ""


def _said(item: Item, attributes: Attributes) -> Iterator[Record]:
    """What was asked and answered; conventions before 1.28 have it as `gen_ai.prompt` and `gen_ai.completion`."""
    yield from told(item, NAME, _as_system(parsed(attributes.get("gen_ai.system_instructions"))))
    asked, answered = (parsed(attributes.get(f"gen_ai.{way}.messages")) for way in ("input", "output"))
    yield from told(item, NAME, parsed(attributes.get("gen_ai.prompt")) if asked is None else asked)
    yield from told(item, NAME, _completed(parsed(attributes.get("gen_ai.completion"))) if answered is None else answered, whole_run=True)


def _content(event: Attributes) -> str | None:
    """What an old event says; a choice has it inside of a message."""
    inner = parsed(event.get("message"))
    found = event.get("content") or (inner.get("content") if isinstance(inner, dict) else event.get("message"))
    return text(found) or None


def _completed(completion: Any) -> Any:
    """A completion as a message list: it may be one, or a message, or its text alone."""
    found = [completion] if isinstance(completion, dict) else completion
    return [
        {"role": "assistant", "content": one.get("text")} | one for one in found if isinstance(one, dict)
    ] if isinstance(found, list) else None


def plan(item: Item) -> Plan | None:
    """Tools' spans without events."""
    operation, tool = first(item, "gen_ai.operation.name"), first(item, "gen_ai.tool.name")
    if not tool or not (operation in TOOL_OPERATIONS or item.name.startswith("execute_tool")):
        return None
    return Plan(
        NAME, tool=Text(("gen_ai.tool.name",)), tool_call_id=Text(IDS), arguments=Text(GIVEN, unless=wrappings.GIVEN_BEGINS), result=Text(GOT),
    )


def _given(item: Item) -> Value:
    """The arguments: in an attribute, in LangChain's envelope, or (Strands) in an event."""
    found = first(item, *GIVEN)
    return _event(item, "gen_ai.tool.message", "content") if found is None else wrappings.given(found)


def _got(item: Item) -> Value:
    found = first(item, *GOT)
    return _event(item, "gen_ai.choice", "message") if found is None else found


def _event(item: Item, name: str, key: str) -> Value:
    return next((e.attributes.get(key) for e in item.events if e.name == name), None)


def _as_system(instructions: Any) -> Any:
    """System instructions are a list of parts; as one message they are told like the others."""
    if isinstance(instructions, list) and any(isinstance(part, dict) and "role" not in part for part in instructions):
        return [{"role": "system", "parts": instructions}]
    return instructions


DIALECT = Dialect(
    rank=80, recognises=recognises, read=read,
    carries="tool, call id, agent, conversation, outcome; arguments, results, prompts and tool definitions where content capture is switched on",
    never_carries="the MCP server's name; content by default",
    plan=plan, telling=("gen_ai.operation.name",),
)
