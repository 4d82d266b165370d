"""Strands Agents: GenAI spans whose arguments and results stand in span events, in the old convention's shape or the latest one's."""

from collections.abc import Iterator
from typing import Any

from ingest.dialects.contract import Dialect, call, defined, first, parsed, payload, said_by, session_of, text, told
from ingest.otlp.items import Item, Value
from store.records import Observer, Outcome, Record

NAME = "strands"
SCOPE = "strands.telemetry.tracer"
SYSTEM = "strands-agents"
DETAILS = "gen_ai.client.inference.operation.details"
ROLES = {"gen_ai.user.message": "user", "gen_ai.system.message": "system"}
TELLING = ("chat", "invoke_agent")
"""Operations whose messages are read; those of the event loop between them are the same ones."""


def recognises(item: Item) -> bool:
    """Its scope, or its name as the system or provider."""
    return item.source.scope == SCOPE or SYSTEM in (first(item, "gen_ai.system"), first(item, "gen_ai.provider.name"))


def read(item: Item) -> Iterator[Record]:
    """A call and the tool's definition for `execute_tool`, messages for the model's and the agent's spans."""
    operation, tool = first(item, "gen_ai.operation.name"), text(first(item, "gen_ai.tool.name"))
    if operation == "execute_tool" and tool:
        arguments, arguments_state = payload(_given(item))
        result, result_state = payload(_got(item))
        failed = item.failed or first(item, "error.type") or first(item, "gen_ai.tool.status") == "error"
        yield call(
            item, NAME, tool, Observer.AGENT, tool_call_id=text(first(item, "gen_ai.tool.call.id")),
            arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
            outcome=Outcome.ERROR if failed else Outcome.OK,
        )
        if (shape := parsed(first(item, "gen_ai.tool.json_schema"))) is not None:
            yield from defined(item, NAME, [{"name": tool, "description": first(item, "gen_ai.tool.description"), "parameters": shape}])
    elif operation in TELLING:
        yield from _messages(item)


def _given(item: Item) -> Value:
    """The arguments: an attribute, a part of the latest event, or the old event."""
    found = first(item, "gen_ai.tool.call.arguments")
    if found is None:
        found = _part(item, "gen_ai.input.messages", "tool_call", "arguments")
    return _event(item, "gen_ai.tool.message", "content") if found is None else found


def _got(item: Item) -> Value:
    """The result; the attribute is left out where the tool failed, the events are not."""
    found = first(item, "gen_ai.tool.call.result")
    if found is None:
        found = _part(item, "gen_ai.output.messages", "tool_call_response", "response")
    return _event(item, "gen_ai.choice", "message") if found is None else found


def _event(item: Item, name: str, key: str) -> Value:
    return next((e.attributes.get(key) for e in item.events if e.name == name), None)


def _part(item: Item, key: str, kind: str, field: str) -> Any:
    """A field of the first message part of a kind, in an event or, for some exporters, in the span's own attributes."""
    for value in (item.attributes.get(key), *(e.attributes.get(key) for e in item.events if e.name == DETAILS)):
        messages = parsed(value)
        for message in messages if isinstance(messages, list) else []:
            parts = message.get("parts") if isinstance(message, dict) else None
            for part in parts if isinstance(parts, list) else []:
                if isinstance(part, dict) and part.get("type") == kind:
                    return part.get(field)
    return None


def _messages(item: Item) -> Iterator[Record]:
    session_id, source = session_of(item)
    for attributes in (item.attributes, *(e.attributes for e in item.events if e.name == DETAILS)):
        yield from told(item, NAME, [{"role": "system", "parts": parsed(attributes.get("gen_ai.system_instructions"))}])
        yield from told(item, NAME, parsed(attributes.get("gen_ai.input.messages")))
    for event in item.events:
        content = event.attributes.get("content")
        if event.name in ROLES and content:
            blocks = parsed(content)
            texts = [b["text"] for b in blocks if isinstance(b, dict) and isinstance(b.get("text"), str)] if isinstance(blocks, list) else []
            said = "\n".join(texts) if isinstance(blocks, list) else text(content)
            if said:
                yield said_by(item, NAME, ROLES[event.name], said, session_id, source)


DIALECT = Dialect(
    telling=("gen_ai.system", "gen_ai.provider.name"),
    rank=70, recognises=recognises, read=read,
    carries="tool, call id, arguments, results, prompts, tool definitions, agent; session and user where trace_attributes hold them",
    never_carries="the MCP server",
)
