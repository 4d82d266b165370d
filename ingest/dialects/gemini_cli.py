"""Gemini CLI: log records `gemini_cli.tool_call` and `gemini_cli.user_prompt`, and its spans, which tell of the same calls."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from ingest.dialects import gemini_cli_spans as spans
from ingest.dialects.contract import (
    Dialect,
    digest,
    event_name,
    first,
    log_id,
    log_moment,
    logged,
    moment_of,
    number,
    parsed,
    payload,
    said_by,
    session_of,
    text,
)
from ingest.dialects.gemini_cli_spans import AGENT, NAME
from ingest.otlp.items import Item
from store.records import Access, Call, Observer, Outcome, Record

DECISIONS = {"accept": ("accept", "user"), "auto_accept": ("accept", "config"), "modify": ("accept", "user (modified)"), "reject": ("reject", "user")}
UNATTENDED = "yolo"
"""The approval mode in which nobody is asked."""

OUTCOMES = {"true": Outcome.OK, "false": Outcome.ERROR}


def recognises(item: Item) -> bool:
    """Its event names, or its name as agent or service."""
    if item.signal == "log" and event_name(item).startswith("gemini_cli."):
        return True
    return first(item, "gen_ai.agent.name") == AGENT or item.source.resource.get("service.name") == AGENT


def read(item: Item) -> Iterator[Record]:
    """Log records by their event's name; of the spans, `tool_call` is a call and the others may hold messages and definitions."""
    if item.signal == "span":
        yield from spans.read(item)
        return
    match event_name(item).removeprefix("gemini_cli."):
        case "tool_call":
            yield from _logged(item)
        case "user_prompt":
            session_id, source = session_of(item)
            said = said_by(item, NAME, "user", text(first(item, "prompt")) or "[REDACTED]", session_id, source)
            said = replace(said, said_at=log_moment(item), agent=AGENT)
            yield said if said.text is not None else replace(said, message_id=log_id(item, NAME))  # hidden prompts are not all the same one
        case "config":
            yield from _set_up(item)
        case _:
            yield from spans.messages(item)


def _logged(item: Item) -> Iterator[Call]:
    named = text(first(item, "mcp_server_name"))
    server, tool = spans.server_and_tool(text(first(item, "function_name", "gen_ai.tool.name")) or "(unnamed)", named)
    native = first(item, "tool_type") == "native"
    given = first(item, "function_args")
    arguments, state = payload(given)
    decision, decided_by = DECISIONS.get(str(first(item, "decision")).lower(), (None, None))
    if decided_by == "user" and UNATTENDED in (first(item, "active_approval_mode"), first(item, "approval_mode")):
        decided_by = "config"
    outcome = OUTCOMES.get(str(first(item, "success")).lower(), Outcome.UNKNOWN)
    made = logged(
        item, NAME, tool, Observer.AGENT, called_at=_began(item),
        tool_call_id=text(first(item, "gen_ai.tool.call_id", "call_id")), agent=AGENT,
        principal=text(first(item, "user.email", "installation.id")), server=AGENT if native else server,
        duration_ms=number(first(item, "duration_ms")), arguments=arguments, arguments_state=state, decision=decision, decided_by=decided_by,
        outcome=Outcome.DENIED if decision == "reject" else outcome, error_type=text(first(item, "error_type", "error.type")),
        error_message=text(first(item, "error", "error.message")),
    )
    made = replace(made, agent_version=spans.version(item))
    if made.tool_call_id or not item.trace_id:
        yield made
        return
    # The span of the same call tells its id, this record does not: what both know ties them.
    made = replace(made, tool_call_id=spans.tie(tool, parsed(given)), span_id=digest(made.observation_id)[:16])
    yield made
    yield spans.tied(made, spans.tie(tool, None))


def _began(item: Item) -> datetime | None:
    """The call's beginning, in unix milliseconds; the record itself is made at the end."""
    told = number(first(item, "start_time"))
    return moment_of(told / 1000) if told else None


def _set_up(item: Item) -> Iterator[Access]:
    """The servers of a session. Whether they answered is not told."""
    told: Any = first(item, "mcp_servers")
    for server in told.split(",") if isinstance(told, str) else []:
        if server.strip():
            yield Access(
                access_id=digest(log_id(item, NAME), server), accessed_at=log_moment(item), outcome=Outcome.UNKNOWN, dialect=NAME,
                principal=text(first(item, "user.email", "installation.id")), agent=AGENT, server=server.strip(), session_id=session_of(item)[0],
            )


DIALECT = Dialect(
    telling=("gen_ai.agent.name",),
    rank=30, recognises=recognises, read=read,
    carries="tool, MCP server, arguments and prompts (unless logPrompts is off), decision, outcome, session, user, servers that are set up; "
            "call ids in spans; results and tool definitions in spans with traces on, cut at 10,000 characters",
    never_carries="results in log records (only their length); the program's version; whether a server that is set up answered",
)
