"""Langfuse SDK: observations of type `tool`, and what went into and came out of agents and generations."""

from collections.abc import Iterator
from dataclasses import replace

from ingest.dialects.contract import AGENT_KEYS, Dialect, call, context, first, parsed, payload, said_by, session_of, text, told
from ingest.dialects.plan import Plan, Text
from ingest.otlp.items import Item
from store.records import Observer, Outcome, Record

NAME = "langfuse"


def recognises(item: Item) -> bool:
    """Its type of observation."""
    return "langfuse.observation.type" in item.attributes


def read(item: Item) -> Iterator[Record]:
    """A call for a tool; messages for a generation; the prompt for what stands at the root."""
    kind, given = text(first(item, "langfuse.observation.type")), first(item, "langfuse.observation.input")
    if kind == "tool":
        arguments, arguments_state = payload(given)
        result, result_state = payload(first(item, "langfuse.observation.output"))
        failed = item.failed or first(item, "langfuse.observation.level") == "ERROR" or first(item, "error.type")
        yield call(
            item, NAME, text(first(item, "gen_ai.tool.name", "langfuse.observation.name")) or item.name or "(unnamed)", Observer.AGENT,
            tool_call_id=text(first(item, "gen_ai.tool.call.id")), agent=text(first(item, *AGENT_KEYS)) or item.source.named("service.name"),
            arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
            outcome=Outcome.ERROR if failed else Outcome.OK,
            error_message=text(first(item, "langfuse.observation.status_message")) or item.status_message or None,
        )
        return
    if kind == "agent":
        yield replace(context(item), agent=text(first(item, *AGENT_KEYS)) or item.name or item.source.named("service.name"))
    loaded = parsed(given)
    if isinstance(loaded, dict) and isinstance(loaded.get("messages"), list):
        loaded = loaded["messages"]
    if isinstance(loaded, list):
        yield from told(item, NAME, loaded)
    elif item.parent_span_id is None and isinstance(given, str) and loaded is None:
        session_id, source = session_of(item)
        yield said_by(item, NAME, "user", given, session_id, source)
    got = first(item, "langfuse.observation.output")
    answer = parsed(got)
    if isinstance(answer, dict | list):
        yield from told(item, NAME, [answer] if isinstance(answer, dict) else answer, whole_run=True)
    elif answer is None and isinstance(got, str) and got and (kind == "generation" or item.parent_span_id is None):
        session_id, source = session_of(item)
        yield said_by(item, NAME, "assistant", got, session_id, source, item.ended_ns)


def plan(item: Item) -> Plan | None:
    """Tools that went well."""
    if first(item, "langfuse.observation.type") != "tool" or first(item, "langfuse.observation.level") == "ERROR":
        return None
    if first(item, "langfuse.observation.status_message") is not None:
        return None
    return Plan(
        NAME, tool=Text(("gen_ai.tool.name", "langfuse.observation.name"), name_from=0), tool_call_id=Text(("gen_ai.tool.call.id",)),
        agent=Text(AGENT_KEYS, otherwise=item.source.named("service.name")), arguments=Text(("langfuse.observation.input",)),
        result=Text(("langfuse.observation.output",)),
    )


DIALECT = Dialect(
    telling=("langfuse.observation.type", "langfuse.observation.level"), plan=plan,
    rank=68, recognises=recognises, read=read,
    carries="tool, arguments, results, prompts, session, user; content by default",
    never_carries="the call's id and the MCP server, unless the application adds them",
)
