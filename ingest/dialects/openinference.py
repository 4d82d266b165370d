"""OpenInference (Arize Phoenix and its instrumentations): TOOL spans, and prompts and tool lists on LLM, AGENT and CHAIN spans."""

from collections.abc import Iterator
from typing import Any

from ingest.dialects.contract import AGENT_KEYS, Dialect, call, defined, first, parsed, payload, said_by, session_of, text
from ingest.dialects.plan import Plan, Text
from ingest.otlp.items import Item
from store.records import Observer, Record

NAME = "openinference"
MOST_MESSAGES = 400
ACTORS = ("agent.name", "graph.node.id")


def recognises(item: Item) -> bool:
    """Its own span kind."""
    return "openinference.span.kind" in item.attributes


def read(item: Item) -> Iterator[Record]:
    """A call for a TOOL span; messages and definitions for the others. The kind also occurs in lower case."""
    kind = str(first(item, "openinference.span.kind")).upper()
    if kind == "TOOL":
        # `tool.parameters` is the definition with some instrumentations and the values with others: a schema has properties.
        values = parsed(first(item, "tool.parameters"))
        is_definition = isinstance(values, dict) and (values.get("type") == "object" or _are_properties(values.get("properties")))
        arguments, arguments_state = payload(first(item, "input.value", *(() if is_definition else ("tool.parameters",))))
        result, result_state = payload(first(item, "output.value"))
        yield call(
            item, NAME, text(first(item, "tool.name")) or item.name, Observer.AGENT,
            tool_call_id=text(first(item, "tool.id", "tool_call.id")), server=text(first(item, "mcp.server.name")),
            agent=text(first(item, *ACTORS)) or item.source.named("service.name"),
            arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
        )
        description = text(first(item, "tool.description"))
        if description:
            definition: dict[str, Any] = {"name": text(first(item, "tool.name")) or item.name, "description": description}
            yield from defined(item, NAME, [definition | ({"parameters": values} if is_definition else {})], text(first(item, "mcp.server.name")))
        return
    session_id, source = session_of(item)
    for role, said in _messages(item):
        yield said_by(item, NAME, role, said, session_id, source)
    if kind in ("AGENT", "CHAIN") and item.parent_span_id is None:
        prompt = _prompt(first(item, "input.value"))
        if prompt:
            yield said_by(item, NAME, "user", prompt, session_id, source)
    yield from defined(item, NAME, list(_tools(item)))


def plan(item: Item) -> Plan | None:
    """Tools' spans that say nothing of the tool's definition."""
    if str(first(item, "openinference.span.kind")).upper() != "TOOL" or first(item, "tool.parameters", "tool.description") is not None:
        return None
    own = item.source.named("service.name")
    return Plan(
        NAME, tool=Text(("tool.name",), name_from=0), tool_call_id=Text(("tool.id", "tool_call.id")), server=Text(("mcp.server.name",)),
        agent=Text(ACTORS, otherwise=own) if own else Text((*ACTORS, *AGENT_KEYS)), arguments=Text(("input.value",)), result=Text(("output.value",)),
    )


def _messages(item: Item) -> Iterator[tuple[str, str]]:
    for n in range(MOST_MESSAGES):
        prefix = f"llm.input_messages.{n}.message."
        role = first(item, prefix + "role")
        if role is None:
            return
        content = first(item, prefix + "content") or "\n".join(_contents(item, prefix))
        if role in ("user", "system") and content and isinstance(content, str):
            yield str(role), content


def _contents(item: Item, prefix: str) -> Iterator[str]:
    for n in range(MOST_MESSAGES):
        one = f"{prefix}contents.{n}.message_content."
        content = first(item, one + "text")
        if isinstance(content, str):
            yield content
        elif first(item, one + "type") is None:
            return


def _are_properties(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(v, dict) for v in value.values())


def _prompt(value: Any) -> str | None:
    """The text of a root span's input, which may be JSON around it."""
    inner = parsed(value)
    if isinstance(inner, dict):
        found = next((inner[k] for k in ("input", "prompt", "question", "query", "message") if isinstance(inner.get(k), str)), None)
        return found or text(value)
    return text(value)


def _tools(item: Item) -> Iterator[Any]:
    for n in range(MOST_MESSAGES):
        schema = first(item, f"llm.tools.{n}.tool.json_schema")
        if schema is None:
            return
        yield parsed(schema)


DIALECT = Dialect(
    rank=40, recognises=recognises, read=read,
    carries="tool, arguments, results, prompts, tool lists, session, user; all by default",
    never_carries="the MCP server, unless the instrumentation adds mcp.server.name",
    plan=plan, telling=("openinference.span.kind",),
)
