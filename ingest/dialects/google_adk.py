"""Google ADK: `execute_tool` spans with payloads under `gcp.vertex.agent` (schema 1) or `gen_ai` (schema 2), and the model's requests."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingest.dialects import otel_genai
from ingest.dialects.contract import PLACEHOLDERS, Dialect, call, context, defined, digest, first, parsed, payload, said_by, session_of, text
from ingest.dialects.plan import Plan, Text
from ingest.otlp.items import Item, Value
from store.records import Message, Observer, Record, State, ToolDefinition

NAME = "google_adk"
SYSTEM = "gcp.vertex.agent"
GIVEN, GOT = f"{SYSTEM}.tool_call_args", f"{SYSTEM}.tool_response"
OLD_SPANS = ("agent_run [", "tool_call [", "tool_response [")
OWN_KEYS = (GIVEN, f"{SYSTEM}.session_id", f"{SYSTEM}.invocation_id", f"{SYSTEM}.event_id")


def recognises(item: Item) -> bool:
    """Its scope, its name as the system, or its own keys."""
    return item.source.scope == SYSTEM or first(item, "gen_ai.system") == SYSTEM or any(key in item.attributes for key in OWN_KEYS)


def read(item: Item) -> Iterator[Record]:
    """A call for `execute_tool`, but none for the span that only gathers a parallel batch; messages and definitions of the model's request."""
    if item.name.startswith(OLD_SPANS):
        yield from _before_1_1(item)
        return
    if first(item, "gen_ai.operation.name") == "execute_tool" or GIVEN in item.attributes:
        tool = text(first(item, "gen_ai.tool.name"))
        if tool:
            yield _call(item, tool)
        return
    for record in otel_genai.read(item):
        if isinstance(record, Message | ToolDefinition):
            yield replace(record, dialect=NAME)
    request: Any = parsed(first(item, f"{SYSTEM}.llm_request"))
    if isinstance(request, dict):
        yield from _asked(item, request)


def _before_1_1(item: Item) -> Iterator[Record]:
    """Spans that name an agent or a tool in brackets; a call and its response are two of them, beside one another, which nothing else ties."""
    kind, _, named = item.name.removesuffix("]").partition(" [")
    tie = digest(NAME, item.trace_id, item.parent_span_id, named)
    if kind == "agent_run":
        yield replace(context(item), agent=named)
    elif kind == "tool_call":
        arguments, arguments_state = payload(first(item, GIVEN))
        yield call(item, NAME, named, Observer.AGENT, tool_call_id=tie, arguments=arguments, arguments_state=arguments_state)
    else:
        event: Any = parsed(first(item, GOT))
        content = event.get("content") if isinstance(event, dict) else None
        parts = content.get("parts") if isinstance(content, dict) else None
        for part in parts if isinstance(parts, list) else []:
            answer = part.get("function_response") if isinstance(part, dict) else None
            if isinstance(answer, dict):
                result, result_state = payload(answer.get("response"))
                made = call(item, NAME, named, Observer.DECISION, tool_call_id=tie, result=result, result_state=result_state)
                yield replace(made, duration_ms=None)


def plan(item: Item) -> Plan | None:
    """Tools' spans; those whose arguments are empty or whose response is no object may tell that content is switched off."""
    if first(item, "gen_ai.operation.name") != "execute_tool" and GIVEN not in item.attributes:
        return None
    if item.name.startswith(OLD_SPANS):
        return None
    if text(first(item, "gen_ai.tool.name")) is None:
        return None
    return Plan(
        NAME, tool=Text(("gen_ai.tool.name",)), tool_call_id=Text(("gen_ai.tool.call.id",)), server=Text(("gcp.mcp.server.destination.id",)),
        arguments=Text(("gen_ai.tool.call.arguments", GIVEN), unless=("{}",)), result=Text(("gen_ai.tool.call.result", GOT), unless=('{"result"',)),
    )


def _call(item: Item, tool: str) -> Record:
    given, got = first(item, "gen_ai.tool.call.arguments", GIVEN), first(item, "gen_ai.tool.call.result", GOT)
    if item.attributes.get(GIVEN) == "{}" and item.attributes.get(GOT) == "{}":  # what schema 1 writes for both where content is switched off
        arguments, arguments_state, result, result_state = None, State.REDACTED, None, State.REDACTED
    else:
        arguments, arguments_state = payload(given)
        result, result_state = payload(_real(got))
    return call(
        item, NAME, tool, Observer.AGENT, tool_call_id=text(first(item, "gen_ai.tool.call.id")),
        server=text(first(item, "gcp.mcp.server.destination.id")), arguments=arguments, arguments_state=arguments_state,
        result=result, result_state=result_state,
    )


def _real(got: Value) -> Value:
    """The response; one that was never made is a placeholder in the wrapping of every response that is no object."""
    loaded: Any = parsed(got)
    if isinstance(loaded, dict) and loaded.keys() == {"result"} and isinstance(loaded["result"], str) and loaded["result"] in PLACEHOLDERS:
        return None
    return got


def _asked(item: Item, request: dict[str, Any]) -> Iterator[Record]:
    """Messages and tools of a request in the shape of Google's API."""
    session_id, source = session_of(item)
    found = request.get("config")
    config: dict[str, Any] = found if isinstance(found, dict) else {}
    contents = request.get("contents")
    for content in contents if isinstance(contents, list) else []:
        if isinstance(content, dict) and content.get("role") == "user" and (said := _text_of(content.get("parts"))):
            yield said_by(item, NAME, "user", said, session_id, source)
    system = config.get("system_instruction")
    said = system if isinstance(system, str) else _text_of(system.get("parts")) if isinstance(system, dict) else ""
    if said:
        yield said_by(item, NAME, "system", said, session_id, source)
    tools = config.get("tools")
    for tool in tools if isinstance(tools, list) else []:
        yield from defined(item, NAME, tool.get("function_declarations") if isinstance(tool, dict) else None)


def _text_of(parts: Any) -> str:
    texts = [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)] if isinstance(parts, list) else []
    return "\n".join(texts)


DIALECT = Dialect(
    telling=("gen_ai.system", "gen_ai.operation.name"), plan=plan,
    rank=64, recognises=recognises, read=read,
    carries="tool, call id, agent, conversation, outcome; arguments, results, prompts and tool definitions where content capture is switched on",
    never_carries="the MCP server (but for those registered with Google Cloud); the id of a call that failed",
)
