"""OpenLLMetry (Traceloop): `{tool}.tool` spans of its MCP instrumentation, LangChain tools in an envelope, indexed prompts of older versions."""

from collections.abc import Iterator
from typing import Any

from ingest.dialects.contract import AGENT_KEYS, Dialect, call, defined, digest, first, moment, parsed, payload, said_by, session_of, text, told
from ingest.otlp.items import Item, Value
from store.records import Access, Observer, Outcome, Record, State

NAME = "traceloop"
MCP_SCOPE = "opentelemetry.instrumentation.mcp"
SERVED = ".mcp"
"""Its MCP servers name their workflow so: `weather.mcp`."""

MOST_MESSAGES = 400


def recognises(item: Item) -> bool:
    """Its own keys, or the scope of its MCP instrumentation, whose requests other than calls have no kind."""
    found = item.attributes
    return "traceloop.span.kind" in found or "traceloop.entity.name" in found or item.source.scope.startswith(MCP_SCOPE)


def read(item: Item) -> Iterator[Record]:
    """A call for a tool's span, an access and definitions for MCP requests, messages and definitions for the others."""
    if first(item, "traceloop.span.kind") == "tool":
        yield _call(item)
    elif item.name == "initialize.mcp":
        yield _connected(item)
    elif item.name == "tools/list.mcp":
        listed = parsed(first(item, "traceloop.entity.output"))
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


def _call(item: Item) -> Record:
    workflow = text(first(item, "traceloop.workflow.name"))
    by_mcp = item.source.scope.startswith(MCP_SCOPE)
    server = workflow.removesuffix(SERVED) if by_mcp and workflow and workflow.endswith(SERVED) else None
    arguments, arguments_state = _unwrapped(first(item, "gen_ai.tool.call.arguments", "traceloop.entity.input"))
    result, result_state = _unwrapped(first(item, "gen_ai.tool.call.result", "traceloop.entity.output"))
    envelope = parsed(first(item, "gen_ai.tool.call.result", "traceloop.entity.output"))
    name = item.name.removeprefix("execute_tool ").removesuffix(".tool")
    return call(
        item, NAME, text(first(item, "gen_ai.tool.name", "traceloop.entity.name")) or name or "(unnamed)",
        Observer.SERVER if server else Observer.CLIENT if by_mcp else Observer.AGENT, server=server,
        tool_call_id=text(first(item, "gen_ai.tool.call.id")) or _id_inside(envelope),
        agent=None if server else text(first(item, *AGENT_KEYS)) or workflow or item.source.named("service.name"),
        arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
        outcome=Outcome.ERROR if item.failed or first(item, "error.type") or _is_error(envelope) else Outcome.OK,
    )


def _unwrapped(value: Value) -> tuple[str | None, State]:
    """A payload out of what is put around it: `tool_name` and `arguments`, or LangChain's callback parameters."""
    found: Any = parsed(value)
    if isinstance(found, dict):
        if found.keys() == {"tool_name", "arguments"}:
            return payload(found["arguments"])
        if found.keys() >= {"input_str", "inputs", "kwargs"}:
            return payload(found["inputs"] if found["inputs"] is not None else found["input_str"])
        if found.keys() == {"output", "kwargs"}:
            return payload(_message(found["output"]).get("content", found["output"]))
    given, state = payload(value)
    broken = given is not None and found is None and given.startswith(("{", "["))  # cut to the SDK's limit on attribute values
    return given, State.TRUNCATED if broken else state


def _message(output: Any) -> dict[str, Any]:
    """The fields of LangChain's ToolMessage; nothing where the output is none."""
    inner = output.get("kwargs", output) if isinstance(output, dict) else None
    return inner if isinstance(inner, dict) and inner.get("type") == "tool" else {}


def _id_inside(envelope: Any) -> str | None:
    return text(_message(envelope.get("output")).get("tool_call_id")) if isinstance(envelope, dict) else None


def _is_error(envelope: Any) -> bool:
    return isinstance(envelope, dict) and (envelope.get("is_error") is True or _message(envelope.get("output")).get("status") == "error")


def _connected(item: Item) -> Record:
    answer = parsed(first(item, "traceloop.entity.output"))
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
    rank=55, recognises=recognises, read=read,
    carries="tool, arguments, results, prompts, tool definitions, session and user where the application sets them; content by default",
    never_carries="the MCP server's name on the client's spans; the call's id (but for LangChain tools that answer with a message)",
)
