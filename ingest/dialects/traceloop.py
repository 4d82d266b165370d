"""OpenLLMetry (Traceloop): `{tool}.tool` spans of its MCP instrumentation, LangChain tools in an envelope, indexed prompts of older versions."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingest.dialects.contract import (
    AGENT_KEYS,
    Dialect,
    call,
    context,
    defined,
    digest,
    first,
    moment,
    parsed,
    payload,
    said_by,
    session_of,
    text,
    told,
)
from ingest.dialects.plan import Inside, Plan, Text
from ingest.dialects.wrappings import GOT_BEGINS, Got, given, got
from ingest.otlp.items import Item, Value
from store.records import Access, Observer, Outcome, Record, State

NAME = "traceloop"
MCP_SCOPE = "opentelemetry.instrumentation.mcp"
SERVED = ".mcp"
"""Its MCP servers name their workflow so: `weather.mcp`."""

NAMED, ENTITY = ("gen_ai.tool.name", "tool.name"), "traceloop.entity.name"
ACTING = (*AGENT_KEYS, "traceloop.association.properties.lc_agent_name", "traceloop.workflow.name")
ARGUMENTS = ("gen_ai.tool.call.arguments", "tool.arguments", "traceloop.entity.input")
OUTPUT = "traceloop.entity.output"
RESULT = ("gen_ai.tool.call.result", OUTPUT)

MOST_MESSAGES = 400


def recognises(item: Item) -> bool:
    """Its own keys, or the scope of its MCP instrumentation, whose requests other than calls have no kind."""
    found = item.attributes
    return "traceloop.span.kind" in found or ENTITY in found or item.source.scope.startswith(MCP_SCOPE)


def read(item: Item) -> Iterator[Record]:
    """A call for a tool's span, an access and definitions for MCP requests, messages and definitions for the others."""
    if _is_call(item):
        yield _call(item)
        return
    if not item.source.scope.startswith(MCP_SCOPE):  # whose spans may be the server's
        yield replace(context(item), agent=_agent(item))
    if item.name == "initialize.mcp":
        yield _connected(item)
    elif item.name == "tools/list.mcp":
        listed = parsed(first(item, OUTPUT))
        yield from defined(item, NAME, listed.get("tools") if isinstance(listed, dict) else None)
    else:
        session_id, source = session_of(item)
        for role, said in _indexed(item):
            yield said_by(item, NAME, role, said, session_id, source)
        instructions = parsed(first(item, "gen_ai.system_instructions"))
        yield from told(item, NAME, [{"role": "system", "parts": instructions}])
        yield from told(item, NAME, parsed(first(item, "gen_ai.input.messages")))
        yield from defined(item, NAME, parsed(first(item, "gen_ai.tool.definitions")))
        yield from defined(item, NAME, list(_functions(item)))
        entity = parsed(first(item, "traceloop.entity.input"))
        asked = entity.get("kwargs") if isinstance(entity, dict) else None  # LlamaIndex's request to the model
        yield from defined(item, NAME, asked.get("tools") if isinstance(asked, dict) else None)


def _is_call(item: Item) -> bool:
    """A tool's span; for LlamaIndex, which has none of that kind, the task that names a tool or whose output does."""
    kind = first(item, "traceloop.span.kind")
    return kind == "tool" or (kind == "task" and (first(item, "tool.name") is not None or _ran(first(item, OUTPUT)) is not None))


def _ran(output: Value) -> str | None:
    """The tool that LlamaIndex's output names."""
    found = parsed(output) if isinstance(output, str) and output.startswith(GOT_BEGINS) else None
    return text(found.get("tool_name")) if isinstance(found, dict) and "raw_output" in found else None


def _answer(value: Value) -> Got:
    """The result, out of the framework's wrapping or out of the result that the MCP instrumentation tells whole."""
    found: Any = parsed(value)
    if isinstance(found, dict) and "tool_output" in found:  # LlamaIndex's event
        return replace(got(found["tool_output"]), tool_call_id=text(found.get("tool_id")))
    answer = got(value)
    return replace(answer, failed=True) if isinstance(found, dict) and found.get("is_error") is True else answer


def _agent(item: Item) -> str | None:
    """Who acts: as the span says, a workflow, or at the root the service. LangChain tells it among what the application associates."""
    if first(item, "traceloop.span.kind") == "agent":
        return text(first(item, *AGENT_KEYS, ENTITY))
    told = text(first(item, *ACTING))
    return told or (item.source.named("service.name") if item.parent_span_id is None else None)


def plan(item: Item) -> Plan | None:
    """Tools' spans that name the tool in an attribute."""
    is_named = first(item, *NAMED) is not None
    if first(item, "traceloop.span.kind") != "tool" or text(first(item, *NAMED, ENTITY)) is None:
        return None
    if not is_named and "gen_ai.tool.call.result" in item.attributes:
        return None
    by_mcp, server, service = item.source.scope.startswith(MCP_SCOPE), _server(item), item.source.named("service.name")
    return Plan(
        NAME, Observer.SERVER if server else Observer.CLIENT if by_mcp else Observer.AGENT, tool=Text((*NAMED, ENTITY)),
        server=Text(otherwise=server), tool_call_id=Text(("gen_ai.tool.call.id",)), arguments=Text(ARGUMENTS), result=Text(RESULT),
        agent=None if server else Text(ACTING, otherwise=service if by_mcp else None), agent_at_root=None if server else service,
        inside=_inside if is_named else _inside_of_unnamed,
    )


def _inside(arguments: str | None, result: str | None) -> Inside:
    answer = _answer(result)
    return Inside(_unwrapped(arguments), _unwrapped(answer.content), answer.tool_call_id, answer.failed)


def _inside_of_unnamed(arguments: str | None, result: str | None) -> Inside | None:
    return _inside(arguments, result) if _ran(result) is None else None


def _server(item: Item) -> str | None:
    """Which MCP server tells this, if one does."""
    workflow = text(first(item, "traceloop.workflow.name")) if item.source.scope.startswith(MCP_SCOPE) else None
    return workflow.removesuffix(SERVED) if workflow and workflow.endswith(SERVED) else None


def _call(item: Item) -> Record:
    by_mcp, server = item.source.scope.startswith(MCP_SCOPE), _server(item)
    arguments, arguments_state = _unwrapped(first(item, *ARGUMENTS))
    answer = _answer(first(item, *RESULT))
    result, result_state = _unwrapped(answer.content)
    named = text(first(item, *NAMED)) or _ran(first(item, OUTPUT)) or text(first(item, ENTITY))
    tool = named or item.name.removeprefix("execute_tool ").removesuffix(".tool") or "(unnamed)"
    return call(
        item, NAME, tool, Observer.SERVER if server else Observer.CLIENT if by_mcp else Observer.AGENT, server=server,
        tool_call_id=text(first(item, "gen_ai.tool.call.id")) or answer.tool_call_id,
        agent=None if server else _agent(item) or (item.source.named("service.name") if by_mcp else None),
        arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
        outcome=Outcome.ERROR if item.failed or first(item, "error.type") or answer.failed else Outcome.OK,
    )


def _unwrapped(value: Value) -> tuple[str | None, State]:
    """A payload out of what is put around it: `tool_name` and `arguments`, or a framework's wrapping."""
    found: Any = parsed(value)
    if isinstance(found, dict) and found.keys() == {"tool_name", "arguments"}:
        return payload(found["arguments"])
    shown, state = payload(given(value))
    broken = shown is not None and found is None and shown.startswith(("{", "["))  # cut to the SDK's limit on attribute values
    return shown, State.TRUNCATED if broken else state


def _connected(item: Item) -> Record:
    answer = parsed(first(item, OUTPUT))
    told_server = answer.get("serverInfo") if isinstance(answer, dict) else None
    return Access(
        access_id=digest(item.trace_id, item.span_id), accessed_at=moment(item.started_ns), dialect=NAME,
        outcome=Outcome.ERROR if item.failed or first(item, "error.type") else Outcome.OK, agent=item.source.named("service.name"),
        server=text(told_server.get("name")) if isinstance(told_server, dict) else None, error_message=item.status_message or None,
        session_id=session_of(item)[0],
    )


def _indexed(item: Item) -> Iterator[tuple[str, str]]:
    for n in range(MOST_MESSAGES):
        role, content = first(item, f"gen_ai.prompt.{n}.role"), text(first(item, f"gen_ai.prompt.{n}.content"))
        if role is None and content is None:
            return
        if role in ("user", "system") and content:
            yield str(role), content


def _functions(item: Item) -> Iterator[dict[str, Any]]:
    for n in range(MOST_MESSAGES):
        prefix = f"llm.request.functions.{n}."
        if (name := text(first(item, prefix + "name"))) is None:
            return
        shape = parsed(first(item, prefix + "parameters"))
        yield {"name": name, "description": first(item, prefix + "description")} | ({} if shape is None else {"parameters": shape})


DIALECT = Dialect(
    telling=("traceloop.span.kind", "traceloop.workflow.name"), plan=plan,
    rank=55, recognises=recognises, read=read,
    carries="tool, arguments, results, prompts, tool definitions, session and user where the application sets them; content by default",
    never_carries="the MCP server's name on the client's spans; the call's id (but for LangChain tools that answer with a message)",
)
