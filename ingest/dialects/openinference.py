"""OpenInference (Arize Phoenix and its instrumentations): TOOL spans, and prompts and tool lists on LLM, AGENT and CHAIN spans."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingest.dialects.contract import AGENT_KEYS, Dialect, call, context, defined, first, parsed, payload, principal_of, said_by, session_of, text
from ingest.dialects.plan import Plan, Text
from ingest.dialects.wrappings import GIVEN_BEGINS, GOT_BEGINS, given, got
from ingest.otlp.items import Item
from store.records import Observer, Outcome, Record

NAME = "openinference"
MOST_MESSAGES, DEEPEST = 400, 4
ALWAYS_OK = "openinference.instrumentation.autogen_agentchat"
"""Says so of tools that failed too: AutoGen hands it their error as a result, and tells of the failure in its own span inside."""

ACTORS = ("agent.name", "graph.node.id")
VERCEL_AGENT, VERCEL_RESULT = "ai.telemetry.functionId", "ai.toolCall.result"
"""OpenInference's processor for the Vercel AI SDK adds to its spans, and gives all of a tree the error of one. The result is only there where the
tool did not fail."""

IDS = ("tool.id", "tool_call.id", "gen_ai.tool.call.id")
SUFFIXES = (".__call__", ".acall", ".call", ".run")
"""Methods that instrumentations put behind the name of the tool or agent."""

ROLES = {"user": "user", "system": "system", "developer": "system", "assistant": "assistant", "model": "assistant"}
PROMPTS = ("input", "prompt", "question", "query", "message", "task", "user_msg", "user_input")


def recognises(item: Item) -> bool:
    """Its own span kind."""
    return "openinference.span.kind" in item.attributes


def read(item: Item) -> Iterator[Record]:
    """A call for a TOOL span; messages, definitions and who acts for the others. The kind also occurs in lower case."""
    kind = str(first(item, "openinference.span.kind")).upper()
    if kind == "TOOL":
        yield from _called(item)
        return
    session_id, source = session_of(item)
    agent, principal = _who(item)
    if kind == "AGENT":
        agent = text(first(item, *ACTORS, VERCEL_AGENT)) or agent or _bare(item.name)
    yield replace(context(item), agent=agent or _at_root(item), principal=principal)
    for role, said in _messages(item, "llm.input_messages"):
        yield said_by(item, NAME, role, said, session_id, source)
    for role, said in _messages(item, "llm.output_messages"):
        yield said_by(item, NAME, role, said, session_id, source, item.ended_ns)
    if kind in ("AGENT", "CHAIN") and item.parent_span_id is None:
        for prompt in _prompts(item):
            yield said_by(item, NAME, "user", prompt, session_id, source)
    yield from defined(item, NAME, list(_tools(item)))
    vercels = first(item, "ai.prompt.tools")
    yield from defined(item, NAME, [parsed(one) for one in vercels] if isinstance(vercels, list) else None)


def _called(item: Item) -> Iterator[Record]:
    # `tool.parameters` is the definition with some instrumentations and the values with others: a schema has properties, or is these.
    values = parsed(first(item, "tool.parameters"))
    is_definition = isinstance(values, dict) and (values.get("type") == "object" or _are_properties(values.get("properties")) or _are_typed(values))
    arguments, arguments_state = payload(given(first(item, "input.value", *(() if is_definition else ("tool.parameters",)))))
    answer = got(first(item, "output.value"))
    result, result_state = payload(answer.content)
    agent, principal = _who(item)
    tool, server = text(first(item, "tool.name")) or _bare(item.name), text(first(item, "mcp.server.name"))
    yield call(
        item, NAME, tool, Observer.AGENT, tool_call_id=text(first(item, *IDS)) or answer.tool_call_id, server=server,
        agent=text(first(item, *ACTORS)) or agent or _at_root(item), principal=principal,
        arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
        outcome=_outcome(item, answer.failed),
    )
    description = text(first(item, "tool.description"))
    if description:
        definition: dict[str, Any] = {"name": tool, "description": description}
        yield from defined(item, NAME, [definition | ({"parameters": values} if is_definition else {})], server)


def _outcome(item: Item, failed: bool) -> Outcome | None:
    """How it ended, where the span's own status does not tell it right."""
    if failed:
        return Outcome.ERROR
    if VERCEL_RESULT in item.attributes:
        return Outcome.OK
    return Outcome.UNKNOWN if item.source.scope == ALWAYS_OK and not item.failed else None


def plan(item: Item) -> Plan | None:
    """Tools' spans that say nothing of the tool's definition, and nothing in metadata."""
    if str(first(item, "openinference.span.kind")).upper() != "TOOL" or item.name.endswith(SUFFIXES) or item.source.scope == ALWAYS_OK:
        return None
    if first(item, "tool.parameters", "tool.description", "metadata") is not None:
        return None
    return Plan(
        NAME, tool=Text(("tool.name",), name_from=0), tool_call_id=Text(IDS), server=Text(("mcp.server.name",)),
        agent=Text((*ACTORS, *AGENT_KEYS)), agent_at_root=item.source.named("service.name"),
        arguments=Text(("input.value",), unless=GIVEN_BEGINS), result=Text(("output.value",), unless=GOT_BEGINS),
    )


def _who(item: Item) -> tuple[str | None, str | None]:
    """Agent and user, which LangChain's instrumentation tells in the metadata."""
    told: Any = parsed(first(item, "metadata"))
    inside = told if isinstance(told, dict) else {}
    return text(first(item, *AGENT_KEYS)) or _word(inside.get("lc_agent_name")), principal_of(item) or _word(inside.get("user_id"))


def _word(value: Any) -> str | None:
    return text(value) if isinstance(value, str) and value else None


def _at_root(item: Item) -> str | None:
    """The service's name stands for the agent where no span around can tell it."""
    return item.source.named("service.name") if item.parent_span_id is None else None


def _bare(name: str) -> str:
    """The name of a tool or agent out of `planner.run` or `get_weather.__call__`."""
    return next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix) and name != suffix), name)


def _messages(item: Item, key: str) -> Iterator[tuple[str, str]]:
    for n in range(MOST_MESSAGES):
        prefix = f"{key}.{n}.message."
        role = first(item, prefix + "role")
        if role is None:
            return
        content = first(item, prefix + "content") or "\n".join(_contents(item, prefix))
        if role in ROLES and content and isinstance(content, str):
            yield ROLES[str(role)], content


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


def _are_typed(value: dict[str, Any]) -> bool:
    """Properties without a schema around them, as smolagents writes them."""
    return bool(value) and all(isinstance(one, dict) and isinstance(one.get("type"), str) and "description" in one for one in value.values())


def _prompts(item: Item) -> list[str]:
    """What the user asked for at the root: the input, which may be JSON around it, or the tasks of a crew."""
    tasks = parsed(first(item, "crew_tasks"))
    if isinstance(tasks, list):
        return [task["description"] for task in tasks if isinstance(task, dict) and _word(task.get("description"))]
    value = first(item, "input.value")
    loaded, whole = parsed(value), text(value)
    if isinstance(loaded, dict) and "init_state" in loaded:  # LlamaIndex tells the workflow's state instead
        return []
    return list(_asked(loaded, DEEPEST)) or ([whole] if whole else [])


def _asked(value: Any, depth: int) -> Iterator[str]:
    """The prompt inside of an object: under a name that says so, in a list of messages, or deeper."""
    if not isinstance(value, dict) or not depth:
        return
    messages = value.get("messages")
    for message in messages if isinstance(messages, list) else []:
        inner = next((message[key] for key in ("data", "kwargs") if isinstance(message.get(key), dict)), message) if isinstance(message, dict) else {}
        content = inner.get("content")
        if (inner.get("role") or inner.get("type")) in ("user", "human") and isinstance(content, str) and content:
            yield content
    parts = value.get("parts") if value.get("role") == "user" else None  # Google's Content
    if said := "\n".join(part["text"] for part in (parts if isinstance(parts, list) else []) if isinstance(part, dict) and _word(part.get("text"))):
        yield said
    elif (found := next((value[key] for key in PROMPTS if _word(value.get(key))), None)) is not None:
        yield found
    elif not isinstance(messages, list):
        for inner in value.values():
            yield from _asked(inner, depth - 1)


def _tools(item: Item) -> Iterator[Any]:
    for n in range(MOST_MESSAGES):
        tool = f"llm.tools.{n}.tool."
        schema = parsed(first(item, tool + "json_schema"))
        name = first(item, tool + "name")
        if schema is None and name is None and first(item, tool + "json_schema") is None:
            return
        if name is not None and not (isinstance(schema, dict) and ("name" in schema or "function" in schema)):
            yield {"name": name, "description": first(item, tool + "description")} | ({} if schema is None else {"parameters": schema})
        else:
            yield schema


DIALECT = Dialect(
    rank=40, recognises=recognises, read=read,
    carries="tool, agent, arguments, results, prompts, tool lists, session, user; all by default; the call's id from some instrumentations",
    never_carries="the MCP server, unless the instrumentation adds mcp.server.name",
    plan=plan, telling=("openinference.span.kind",),
)
