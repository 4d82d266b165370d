"""Codex CLI: log records `codex.tool_result`, `codex.tool_decision`, `codex.user_prompt`, `codex.conversation_starts`."""

from collections.abc import Iterator
from dataclasses import replace

from ingest.dialects.contract import (
    Dialect,
    digest,
    event_name,
    first,
    log_id,
    log_moment,
    logged,
    number,
    payload,
    said_by,
    session_of,
    text,
    whole,
)
from ingest.otlp.items import Item
from store.records import Access, Call, Observer, Outcome, Record, State

NAME = "codex"
AGENT = "codex"
LENGTHS_ONLY = "codex_otel.trace_safe"
"""The scope of the twin of each event that carries lengths instead of content."""

SPACE, BUILT_IN = "mcp__", "functions"
"""How the names of the namespaces of MCP servers begin, and that of the tools of Codex itself."""

OUTCOMES = {"true": Outcome.OK, "false": Outcome.ERROR}
REFUSED, ALLOWED = ("den", "abort", "timed_out", "reject", "cancel", "block"), ("approv", "allow", "accept")
"""How the words for a decision begin; any other is neither."""


def recognises(item: Item) -> bool:
    """Its event names, or its service and scope."""
    if item.signal == "log" and event_name(item).startswith("codex."):
        return True
    return item.source.scope.startswith("codex_otel") or str(item.source.resource.get("service.name")).startswith("codex_")


def read(item: Item) -> Iterator[Record]:
    """Records by the event's name; spans are context."""
    if item.signal != "log" or item.source.scope == LENGTHS_ONLY:
        return
    session_id, source = session_of(item)
    match event_name(item):
        case "codex.tool_result":
            yield _result(item)
        case "codex.tool_decision":
            decision = (text(first(item, "decision")) or "").lower()
            yield _call(
                item, Observer.DECISION, outcome=Outcome.UNKNOWN, decided_by=(text(first(item, "source")) or "").lower() or None,
                decision="reject" if decision.startswith(REFUSED) else "accept" if decision.startswith(ALLOWED) else None,
            )
        case "codex.user_prompt":
            said = said_by(item, NAME, "user", text(first(item, "prompt")) or "[REDACTED]", session_id, source)
            said = replace(said, said_at=log_moment(item), agent=AGENT)
            yield said if said.text is not None else replace(said, message_id=log_id(item, NAME))  # hidden prompts are not all the same one
        case "codex.conversation_starts":
            for server in (text(first(item, "mcp_servers")) or "").split(","):
                if server.strip():
                    yield Access(  # Codex tells which servers are set up, not whether they answered
                        access_id=digest(log_id(item, NAME), server), accessed_at=log_moment(item), outcome=Outcome.UNKNOWN, dialect=NAME,
                        principal=_principal(item), agent=AGENT, server=server.strip(), session_id=session_id,
                    )


def _result(item: Item) -> Call:
    result, state = payload(first(item, "output"))
    if result is not None and str(first(item, "output_truncated")).lower() == "true":
        state = State.TRUNCATED
    arguments, arguments_state = payload(item.attributes.get("arguments"))
    return _call(
        item, Observer.AGENT, outcome=OUTCOMES.get(str(first(item, "success")).lower(), Outcome.UNKNOWN), result=result, result_state=state,
        arguments=arguments or None, arguments_state=arguments_state if arguments != "" else State.ABSENT,
    )


def _call(item: Item, observed_by: Observer, outcome: Outcome, **more: object) -> Call:
    server, tool = _server_and_tool(item)
    origin = text(first(item, "mcp_server_origin"))
    call_id = text(first(item, "call_id"))
    return logged(
        item, NAME, tool, observed_by, session_of(item)[0], call_id, event_name(item), seq=whole(first(item, "tool_result_seq")),
        tool_call_id=call_id, agent=AGENT, agent_version=text(first(item, "app.version")) or item.source.named("service.version"),
        principal=_principal(item), server=server, duration_ms=number(first(item, "duration_ms")), outcome=outcome,
        transport=None if origin is None else "stdio" if origin == "stdio" else "http",
        server_address=None if origin == "stdio" else origin, **more,
    )


def _server_and_tool(item: Item) -> tuple[str | None, str]:
    """`mcp_server` is empty for built-in tools; a decision does not tell it, but its tool's full name may."""
    tool, server = text(first(item, "tool_name")) or "(unnamed)", text(item.attributes.get("mcp_server"))
    space = text(first(item, "tool_namespace")) or ""
    server = server or (space.removeprefix(SPACE) if space.startswith(SPACE) else server)
    if server:
        return server, tool.removeprefix(f"mcp__{server}__")
    if tool.startswith("mcp__") and tool.count("__") >= 2:
        _, server, inner = tool.split("__", 2)
        return server or None, inner or tool
    return (AGENT if server == "" or space == BUILT_IN else None), tool


def _principal(item: Item) -> str | None:
    return text(first(item, "user.email", "user.account_id"))


DIALECT = Dialect(
    rank=20, recognises=recognises, read=read,
    carries="tool, MCP server, call id, arguments, results, decision, outcome, conversation, user; prompts with log_user_prompt",
    never_carries="whether a server that is set up answered; tool definitions",
)
