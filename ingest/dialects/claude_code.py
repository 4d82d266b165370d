"""Claude Code: log records `user_prompt`, `assistant_response`, `tool_decision`, `tool_result`, `mcp_server_connection`, `auth`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from ingest.dialects.contract import (
    Dialect,
    as_json,
    digest,
    event_name,
    first,
    leftover,
    moment,
    moment_of,
    number,
    parsed,
    payload,
    principal_of,
    said_by,
    session_of,
    text,
    whole,
)
from ingest.otlp.items import Item, Value
from store.records import Access, Call, Message, Observer, Outcome, Record, State

NAME = "claude_code"
AGENT = "claude-code"
OUTCOMES = {"true": Outcome.OK, "false": Outcome.ERROR}
UNNAMED, HIDDEN = "(unnamed)", "mcp_tool"
"""The second is what stands for the tools of servers that a user configured, unless details are switched on."""

CUT_AT = 512
"""Longer values of `tool_input` come cut."""


def recognises(item: Item) -> bool:
    """Its scopes, or its event names."""
    return item.source.scope.startswith("com.anthropic.claude_code") or (
        item.signal == "log" and isinstance(item.body, str) and item.body.startswith("claude_code.")
    )


def read(item: Item) -> Iterator[Record]:
    """Records by the event's name, which stands in the record, an attribute or the body, with or without the vendor's prefix."""
    if item.signal != "log":
        return
    event = event_name(item).removeprefix("claude_code.")
    match event:
        case "user_prompt":
            yield _said(item, "user", first(item, "prompt"))
        case "assistant_response":
            yield _said(item, "assistant", first(item, "response"))
        case "tool_result":
            yield _call(item, Observer.AGENT)
        case "tool_decision":
            yield _call(item, Observer.DECISION)
        case "mcp_server_connection":
            status = first(item, "status")
            if status != "disconnected":
                yield Access(
                    access_id=_id(item), accessed_at=_when(item), outcome=Outcome.OK if status == "connected" else Outcome.ERROR, dialect=NAME,
                    principal=principal_of(item), agent=AGENT, server=text(first(item, "server_name")),
                    transport=text(first(item, "transport_type")), error_message=text(first(item, "error_code", "error")),
                    session_id=session_of(item)[0],
                )
        case "auth":
            yield Access(
                access_id=_id(item), accessed_at=_when(item), dialect=NAME, method=text(first(item, "action")) or "authenticate",
                outcome=OUTCOMES.get(str(first(item, "success")).lower(), Outcome.UNKNOWN), agent=AGENT,
                principal=principal_of(item), error_message=text(first(item, "error", "error_category")),
                session_id=session_of(item)[0],
            )


def _said(item: Item, role: str, words: Value) -> Message:
    session_id, source = session_of(item)
    said = replace(said_by(item, NAME, role, str(words or "<REDACTED>"), session_id, source), said_at=_when(item), agent=AGENT)
    return said if said.text is not None else replace(said, message_id=_id(item))  # hidden ones are not all the same one


def _call(item: Item, observed_by: Observer) -> Call:
    session_id, source = session_of(item)
    server, tool = _server_and_tool(item)
    decided = observed_by == Observer.DECISION or first(item, "decision") is not None
    decision = text(first(item, "decision", "decision_type"))
    given, state = payload(_given(item))
    call_id = text(first(item, "tool_use_id"))
    if call_id is None and (observed_by == Observer.AGENT or decision != "reject"):  # a refused call has no result
        call_id = digest(NAME, server, tool)
    return Call(
        observation_id=_id(item), called_at=_when(item), tool=tool, observed_by=observed_by, dialect=NAME,
        seq=whole(first(item, "event.sequence")), tool_call_id=call_id,
        session_id=session_id, session_source=source, duration_ms=number(first(item, "duration_ms")),
        trace_id=item.trace_id, span_id=None, agent=AGENT, agent_version=item.source.named("service.version"),
        principal=principal_of(item), server=server, arguments=given,
        arguments_state=State.TRUNCATED if given is not None and _is_cut(given) else state,
        outcome=Outcome.UNKNOWN if observed_by == Observer.DECISION else OUTCOMES.get(str(first(item, "success")).lower(), Outcome.UNKNOWN),
        error_type=text(first(item, "error_type")), error_message=text(first(item, "error")),
        decision=decision, decided_by=text(first(item, "decision_source", *(("source",) if decided else ()))),
        attributes=leftover(item),
    )


def _server_and_tool(item: Item) -> tuple[str | None, str]:
    """`mcp__server__tool`, or `mcp_tool` with the names among the parameters, or a built-in tool."""
    name = text(first(item, "tool_name")) or UNNAMED
    if name.startswith("mcp__") and name.count("__") >= 2:
        _, server, tool = name.split("__", 2)
        return server or None, tool or UNNAMED
    details: Any = parsed(first(item, "tool_parameters"))
    if isinstance(details, dict) and details.get("mcp_tool_name"):
        return text(details.get("mcp_server_name")), str(details["mcp_tool_name"])
    return (None, UNNAMED) if name == HIDDEN else (AGENT, name)


def _given(item: Item) -> Value:
    """The arguments; without them what the parameters tell beyond the names of server and tool, such as a shell command."""
    given = first(item, "tool_input")
    if given is not None:
        return given
    details = parsed(first(item, "tool_parameters"))
    if not isinstance(details, dict):
        return first(item, "tool_parameters")
    told = {k: v for k, v in details.items() if k not in ("mcp_server_name", "mcp_tool_name")}
    return as_json(told) if told else None


def _is_cut(given: str) -> bool:
    loaded = parsed(given)
    return loaded is None or (isinstance(loaded, dict) and any(isinstance(v, str) and len(v) >= CUT_AT for v in loaded.values()))


def _id(item: Item) -> str:
    """Log records have no id of their own: session, sequence number (which a resumed session may begin anew) and time, else the whole record."""
    session_id, _ = session_of(item)
    sequence = first(item, "event.sequence")
    if session_id and sequence is not None:
        return digest(NAME, session_id, str(sequence), text(first(item, "event.name")), str(item.started_ns))
    return digest(NAME, str(item.started_ns), str(sorted((k, str(item.attributes.get(k))) for k in item.attributes)))


def _when(item: Item) -> datetime:
    if item.started_ns:
        return moment(item.started_ns)
    return moment_of(first(item, "event.timestamp")) or moment(0)


DIALECT = Dialect(
    rank=10, recognises=recognises, read=read,
    carries="tool, decision, outcome, session, user; arguments and server names with OTEL_LOG_TOOL_DETAILS=1, prompts with OTEL_LOG_USER_PROMPTS=1 "
            "and answers with OTEL_LOG_ASSISTANT_RESPONSES=1",
    never_carries="results (only their size); arguments beyond 512 characters a value",
)
