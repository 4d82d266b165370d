"""LangSmith's OTLP export: runs of kind `tool`, and the prompts and tool lists of runs of kind `llm`."""

from collections.abc import Iterator
from typing import Any

from ingest.dialects.contract import AGENT_KEYS, Dialect, call, defined, first, parsed, payload, said_by, session_of, text
from ingest.dialects.plan import Inside, Plan, Text
from ingest.dialects.wrappings import Got
from ingest.otlp.items import Item, Value
from store.records import Observer, Outcome, Record

NAME = "langsmith"
ROLES = {"human": "user", "user": "user", "system": "system"}
DEEPEST = 3
"""Chat prompts are a list of lists of messages."""


def recognises(item: Item) -> bool:
    """Its own span kind."""
    return "langsmith.span.kind" in item.attributes


def read(item: Item) -> Iterator[Record]:
    """A call for a run of a tool; messages and definitions for a run of a model. `langsmith.trace.session_id` is a project, no session."""
    kind = text(first(item, "langsmith.span.kind"))
    if kind == "tool":
        yield _call(item)
    elif kind == "llm":
        session_id, source = session_of(item)
        prompt = parsed(first(item, "gen_ai.prompt"))
        for role, said in _messages(prompt.get("messages") if isinstance(prompt, dict) else None):
            yield said_by(item, NAME, role, said, session_id, source)
        yield from defined(item, NAME, parsed(first(item, "gen_ai.tool.definitions")))


def plan(item: Item) -> Plan | None:
    """Runs of tools."""
    if first(item, "langsmith.span.kind") != "tool":
        return None
    return Plan(
        NAME, tool=Text(("gen_ai.tool.name", "langsmith.trace.name"), name_from=0), tool_call_id=Text(("gen_ai.tool.call.id",)),
        agent=Text((*AGENT_KEYS, "langsmith.metadata.lc_agent_name"), otherwise=item.source.named("service.name")),
        arguments=Text(("gen_ai.prompt",)), result=Text(("gen_ai.completion",)), inside=_inside,
    )


def _call(item: Item) -> Record:
    arguments, arguments_state = payload(first(item, "gen_ai.prompt"))
    completion = first(item, "gen_ai.completion")
    answer = _answer(completion)
    if item.failed and parsed(completion) == {}:  # what a run that failed has for outputs
        answer = Got(None)
    result, result_state = payload(answer.content)
    return call(
        item, NAME, text(first(item, "gen_ai.tool.name", "langsmith.trace.name")) or item.name, Observer.AGENT,
        tool_call_id=text(first(item, "gen_ai.tool.call.id")) or answer.tool_call_id,
        agent=text(first(item, *AGENT_KEYS, "langsmith.metadata.lc_agent_name")) or item.source.named("service.name"),
        arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
        outcome=Outcome.ERROR if item.failed or first(item, "error.type") or answer.failed else Outcome.OK,
    )


def _answer(completion: Value) -> Got:
    """A run's output, out of LangChain's message if it is one."""
    answer: Any = parsed(completion)
    message = _fields(answer.get("output") if isinstance(answer, dict) else None)
    if message.get("type") != "tool":
        return Got(completion)
    return Got(message.get("content", completion), text(message.get("tool_call_id")), message.get("status") == "error")


def _inside(arguments: str | None, completion: str | None) -> Inside | None:
    if completion is not None and parsed(completion) == {}:  # what that means, the span's status tells
        return None
    answer = _answer(completion)
    return Inside(payload(arguments), payload(answer.content), answer.tool_call_id, answer.failed)


def _fields(message: Any) -> dict[str, Any]:
    """A LangChain message as it is, or inside its serialised constructor."""
    inner = message.get("kwargs", message) if isinstance(message, dict) and message.get("lc") else message
    return inner if isinstance(inner, dict) else {}


def _messages(messages: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    if isinstance(messages, list) and depth < DEEPEST:
        for one in messages:
            yield from _messages(one, depth + 1)
        return
    fields = _fields(messages)
    role, content = ROLES.get(str(fields.get("type") or fields.get("role"))), fields.get("content")
    if isinstance(content, list):
        content = "\n".join(str(part["text"]) for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))
    if role and isinstance(content, str) and content:
        yield role, content


DIALECT = Dialect(
    telling=("langsmith.span.kind",), plan=plan,
    rank=66, recognises=recognises, read=read,
    carries="tool, call id, arguments, results, prompts, tool definitions, thread and user out of the run's metadata; content by default",
    never_carries="the MCP server",
)
