"""Pydantic AI: GenAI spans (formats v2 to v5) that also say which toolset, so which MCP server, a tool came from."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingest.dialects import otel_genai
from ingest.dialects.contract import Dialect, defined, first, parsed, told
from ingest.dialects.plan import Plan
from ingest.otlp.items import Item
from store.records import Call, Message, Record, ToolDefinition

NAME = "pydantic_ai"
REQUEST, MESSAGES = "model_request_parameters", ("pydantic_ai.all_messages", "all_messages_events")


def recognises(item: Item) -> bool:
    """Its scope."""
    return item.source.scope == "pydantic-ai"


def read(item: Item) -> Iterator[Record]:
    """As GenAI; the definitions out of `model_request_parameters` know their toolset."""
    request = parsed(first(item, REQUEST))
    tools: Any = request.get("function_tools") if isinstance(request, dict) else None
    for record in otel_genai.read(item):
        if tools and isinstance(record, ToolDefinition):
            continue
        yield replace(record, dialect=NAME) if isinstance(record, Call | Message | ToolDefinition) else record
    yield from defined(item, NAME, tools)
    yield from told(item, NAME, parsed(first(item, *MESSAGES)), whole_run=True)


def plan(item: Item) -> Plan | None:
    """As GenAI."""
    found = otel_genai.plan(item)
    return replace(found, dialect=NAME) if found and first(item, REQUEST, *MESSAGES) is None else None


DIALECT = Dialect(
    rank=60, recognises=recognises, read=read,
    carries="tool, call id, arguments, results, prompts, tool definitions with their toolset, agent, conversation; all by default",
    never_carries="the MCP server's version and address", plan=plan,
)
