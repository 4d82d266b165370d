"""Vercel AI SDK: `execute_tool` spans of version 7, `ai.toolCall` spans and `ai.prompt` of the versions before."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingest.dialects import otel_genai
from ingest.dialects.contract import AGENT_KEYS, Dialect, call, defined, first, parsed, payload, said_by, session_of, text
from ingest.dialects.plan import Plan, Text
from ingest.otlp.items import Item
from store.records import Call, Message, Observer, Record, ToolDefinition

NAME = "vercel"
SCOPES = ("ai", "@ai-sdk/otel")
PROMPTS = ("ai.prompt", "ai.prompt.messages", "ai.prompt.tools")
ANSWERS = ("ai.response.text", "ai.result.text")
CONTEXT = "ai.settings.context."
"""What the application lets version 7 tell of itself."""


def recognises(item: Item) -> bool:
    """Its scope, the names of its operations, or the application's context that it passes on."""
    if item.source.scope in SCOPES or "ai.operationId" in item.attributes:
        return True
    operation = item.attributes.get("operation.name")
    if isinstance(operation, str) and operation.startswith("ai."):
        return True
    return item.source.scope == "gen_ai" and any(key.startswith(CONTEXT) for key in item.attributes)


def read(item: Item) -> Iterator[Record]:
    """A call for a tool's span; messages and definitions for the model's."""
    name = text(first(item, "ai.toolCall.name"))
    if name and "gen_ai.tool.name" not in item.attributes:
        arguments, arguments_state = payload(first(item, "ai.toolCall.args"))
        result, result_state = payload(first(item, "ai.toolCall.result"))
        yield call(
            item, NAME, name, Observer.AGENT, tool_call_id=text(first(item, "ai.toolCall.id")), agent=_agent(item),
            arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
        )
        return
    for record in otel_genai.read(item):
        if isinstance(record, Call | Message | ToolDefinition):  # the agent's name comes from the `invoke_agent` span around
            yield replace(record, dialect=NAME)
    session_id, source = session_of(item)
    for role, said in _prompt(item):
        yield said_by(item, NAME, role, said, session_id, source)
    if answer := text(first(item, *ANSWERS)):
        yield said_by(item, NAME, "assistant", answer, session_id, source, item.ended_ns)
    tools = first(item, "ai.prompt.tools")
    yield from defined(item, NAME, [parsed(one) for one in tools] if isinstance(tools, list) else None)


def plan(item: Item) -> Plan | None:
    """Tools' spans of all versions."""
    if text(first(item, "ai.toolCall.name")) and "gen_ai.tool.name" not in item.attributes:
        return Plan(
            NAME, tool=Text(("ai.toolCall.name",)), tool_call_id=Text(("ai.toolCall.id",)),
            agent=Text((*AGENT_KEYS, "ai.telemetry.functionId"), otherwise=item.source.named("service.name")),
            arguments=Text(("ai.toolCall.args",)), result=Text(("ai.toolCall.result",)),
        )
    found = otel_genai.plan(item)
    return replace(found, dialect=NAME) if found and not any(key in item.attributes for key in PROMPTS) else None


def _agent(item: Item) -> str | None:
    return text(first(item, *AGENT_KEYS, "ai.telemetry.functionId")) or item.source.named("service.name")


def _prompt(item: Item) -> Iterator[tuple[str, str]]:
    """`ai.prompt` holds `system`, `prompt` or `messages`; `ai.prompt.messages` the last of these alone."""
    whole: Any = parsed(first(item, "ai.prompt"))
    whole = whole if isinstance(whole, dict) else {}
    for role, said in (("system", whole.get("system")), ("user", whole.get("prompt"))):
        if isinstance(said, str) and said:
            yield role, said
    for messages in (whole.get("messages"), whole.get("prompt"), parsed(first(item, "ai.prompt.messages"))):
        for message in messages if isinstance(messages, list) else []:
            if isinstance(message, dict) and message.get("role") in ("user", "system") and (said := _text_of(message.get("content"))):
                yield message["role"], said


def _text_of(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))
    return content if isinstance(content, str) else ""


DIALECT = Dialect(
    telling=("operation.name",),
    rank=62, recognises=recognises, read=read,
    carries="tool, call id, arguments, results, prompts, tool definitions; session and user where the application passes them on",
    never_carries="the MCP server; results of calls that failed",
    plan=plan,
)
