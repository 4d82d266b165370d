"""Strands Agents: GenAI spans whose arguments and results stand in span events, in the old convention's shape or the latest one's.

Before 0.2 it had spans `Tool: X` with names of its own.
"""

from collections.abc import Iterator
from typing import Any

from ingest.dialects.contract import Dialect, call, defined, first, parsed, payload, said_by, session_of, text, told
from ingest.otlp.items import Item, Value
from store.records import Observer, Outcome, Record

NAME = "strands"
SCOPE = "strands.telemetry.tracer"
SYSTEM = "strands-agents"
OLD_TOOL = "Tool: "
DETAILS = "gen_ai.client.inference.operation.details"
ROLES = {"gen_ai.user.message": "user", "gen_ai.system.message": "system"}
TELLING = ("chat", "invoke_agent")
"""Operations whose messages are read; those of the event loop between them are the same ones."""


def recognises(item: Item) -> bool:
    """Its scope, or its name as the system or provider."""
    if item.source.scope in (SCOPE, SYSTEM) or SYSTEM in (first(item, "gen_ai.system"), first(item, "gen_ai.provider.name")):
        return True
    return item.name.startswith(OLD_TOOL) and "tool.status" in item.attributes


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
    elif operation is None and item.name.startswith(OLD_TOOL):
        yield _old_call(item)
    elif operation is None:
        yield from _old_messages(item)


def _old_call(item: Item) -> Record:
    arguments, arguments_state = payload(first(item, "tool.parameters"))
    result, result_state = payload(first(item, "tool.result"))
    failed = item.failed or first(item, "tool.status") == "error"
    return call(
        item, NAME, text(first(item, "tool.name")) or item.name.removeprefix(OLD_TOOL), Observer.AGENT, tool_call_id=text(first(item, "tool.id")),
        arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
        outcome=Outcome.ERROR if failed else Outcome.OK,
    )


def _old_messages(item: Item) -> Iterator[Record]:
    """What the agent's span says; the spans of the model and of the event loop inside of it repeat it."""
    if first(item, "gen_ai.agent.tools", "agent.tools", "system_prompt") is None and item.parent_span_id is not None:
        return
    session_id, source = session_of(item)
    for role, key, at in (("system", "system_prompt", item.started_ns), ("user", "gen_ai.prompt", item.started_ns),
                          ("assistant", "gen_ai.completion", item.ended_ns)):
        said = text(first(item, key))
        if said and not isinstance(parsed(said), list | dict):
            yield said_by(item, NAME, role, said.strip(), session_id, source, at)


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
