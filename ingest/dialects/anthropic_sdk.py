"""Anthropic SDK's own spans (beta): GenAI spans of its tool runner, whose results stand under a name of its own."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingest.dialects import otel_genai
from ingest.dialects.contract import Dialect, context, first, parsed, payload, text
from ingest.dialects.plan import Plan
from ingest.otlp.items import Item
from store.records import Call, Message, Record, SessionSource, State, ToolDefinition

NAME = "anthropic_sdk"
SCOPES = ("com.anthropic.sdk.", "com.anthropic.claude-platform")
RESULT, SESSION, CUT = "anthropic.tool_result.content", "anthropic.session.id", "anthropic.content.truncated"


def recognises(item: Item) -> bool:
    """Its scopes, of the SDK and of the service behind it, or its own names."""
    return item.source.scope.startswith(SCOPES) or RESULT in item.attributes


def read(item: Item) -> Iterator[Record]:
    """As GenAI, with the result. Agents have no names here: the service stands for them at the root."""
    records = list(otel_genai.read(item))
    if item.parent_span_id is None and not any(isinstance(record, Call) for record in records):
        around = context(item)
        yield replace(around, agent=around.agent or item.source.named("service.name"))
    for record in records:
        if isinstance(record, Call):
            yield _whole(item, replace(record, dialect=NAME))
        else:
            yield replace(record, dialect=NAME) if isinstance(record, Message | ToolDefinition) else record


def plan(item: Item) -> Plan | None:
    """As GenAI, where there is nothing of its own."""
    found = otel_genai.plan(item)
    return replace(found, dialect=NAME) if found and first(item, RESULT, SESSION, CUT) is None else None


def _whole(item: Item, call: Call) -> Call:
    """A call with the result, the session, and that either payload was cut to the SDK's limit."""
    if call.result is None and (given := first(item, RESULT)) is not None:
        result, state = payload(_plain(given))
        call = replace(call, result=result, result_state=state)
    if call.session_id is None and (session := text(first(item, SESSION))):
        call = replace(call, session_id=session, session_source=int(SessionSource.SESSION))
    if first(item, CUT) is True:
        given_state, got_state = (state if state is not State.CAPTURED else State.TRUNCATED for state in (call.arguments_state, call.result_state))
        call = replace(call, arguments_state=given_state, result_state=got_state)
    return call


def _plain(given: Any) -> Any:
    """Text blocks as the model reads them; anything else as it is."""
    blocks = parsed(given)
    if isinstance(blocks, list) and blocks and all(isinstance(b, dict) and isinstance(b.get("text"), str) for b in blocks):
        return "\n".join(block["text"] for block in blocks)
    return given


DIALECT = Dialect(
    rank=78, recognises=recognises, read=read,
    carries="tool, call id, outcome, conversation where the application sets one; arguments, results and prompts where the content mode is "
            "switched on",
    never_carries="the user; the agent's name, other than the service's; the MCP server; content by default; input schemas",
    plan=plan,
)
