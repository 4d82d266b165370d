"""Gemini CLI: log records `gemini_cli.tool_call` and `gemini_cli.user_prompt`, and its spans."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingest.dialects.contract import (
    AGENT_KEYS,
    Dialect,
    call,
    event_name,
    first,
    log_id,
    log_moment,
    logged,
    number,
    parsed,
    payload,
    said_by,
    session_of,
    text,
    told,
)
from ingest.otlp.items import Item, Value
from store.records import Observer, Outcome, Record, State

NAME = "gemini_cli"
AGENT = "gemini-cli"
DECISIONS = {"accept": ("accept", "user"), "auto_accept": ("accept", "config"), "modify": ("accept", "user (modified)"), "reject": ("reject", "user")}
CUT, CUT_LENGTH = "...[TRUNCATED: original length ", 60
"""What stands at the end of a value of a span that was cut."""

OUTCOMES = {"true": Outcome.OK, "false": Outcome.ERROR}


def recognises(item: Item) -> bool:
    """Its event names, or its name as agent or service."""
    if item.signal == "log" and event_name(item).startswith("gemini_cli."):
        return True
    return first(item, "gen_ai.agent.name") == AGENT or item.source.resource.get("service.name") == AGENT


def read(item: Item) -> Iterator[Record]:
    """Log records by their event's name; of the spans, `tool_call` is a call and the others may hold messages."""
    if item.signal == "span":
        yield from _span(item)
        return
    match event_name(item).removeprefix("gemini_cli."):
        case "tool_call":
            yield _logged(item)
        case "user_prompt":
            session_id, source = session_of(item)
            said = said_by(item, NAME, "user", text(first(item, "prompt")) or "[REDACTED]", session_id, source)
            said = replace(said, said_at=log_moment(item), agent=AGENT)
            yield said if said.text is not None else replace(said, message_id=log_id(item, NAME))  # hidden prompts are not all the same one
        case _:
            yield from told(item, NAME, parsed(first(item, "gen_ai.input.messages")))


def _logged(item: Item) -> Record:
    server = text(first(item, "mcp_server_name"))
    tool = text(first(item, "function_name", "gen_ai.tool.name")) or "(unnamed)"
    native = first(item, "tool_type") == "native"
    arguments, state = payload(first(item, "function_args"))
    decision, decided_by = DECISIONS.get(str(first(item, "decision")).lower(), (None, None))
    outcome = OUTCOMES.get(str(first(item, "success")).lower(), Outcome.UNKNOWN)
    return logged(
        item, NAME, tool.removeprefix(f"mcp_{server}_").removeprefix(f"{server}__"), Observer.AGENT,
        tool_call_id=text(first(item, "gen_ai.tool.call_id", "call_id")), agent=AGENT, agent_version=item.source.named("service.version"),
        principal=text(first(item, "user.email", "installation.id")), server=server or (AGENT if native else None),
        duration_ms=number(first(item, "duration_ms")), arguments=arguments, arguments_state=state, decision=decision, decided_by=decided_by,
        outcome=Outcome.DENIED if decision == "reject" else outcome, error_type=text(first(item, "error_type", "error.type")),
        error_message=text(first(item, "error", "error.message")),
    )


def _span(item: Item) -> Iterator[Record]:
    if (text(first(item, "gen_ai.operation.name")) or item.name) != "tool_call":
        yield from told(item, NAME, parsed(first(item, "gen_ai.input.messages")))
        return
    arguments, arguments_state = _inner(first(item, "gen_ai.input.messages"), "args")
    result, result_state = _inner(first(item, "gen_ai.output.messages"), "responseParts")
    yield call(
        item, NAME, text(first(item, "gen_ai.tool.name")) or "(unnamed)", Observer.AGENT,
        tool_call_id=text(first(item, "gen_ai.tool.call_id", "gen_ai.tool.call.id")), agent=text(first(item, *AGENT_KEYS)) or AGENT,
        agent_version=item.source.named("service.version"), arguments=arguments, arguments_state=arguments_state,
        result=result, result_state=result_state,
    )


def _inner(value: Value, key: str) -> tuple[str | None, State]:
    """What a request or response of the tool holds; the span's values are cut, so that what begins as JSON may not end as such."""
    found: Any = parsed(value)
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if isinstance(found, dict) and key in found:
        return payload(found[key])
    given, state = payload(value)
    broken = given is not None and (CUT in given[-CUT_LENGTH:] or (found is None and given.startswith(("{", "["))))
    return given, State.TRUNCATED if broken else state


DIALECT = Dialect(
    telling=("gen_ai.agent.name",),
    rank=30, recognises=recognises, read=read,
    carries="tool, MCP server, arguments and prompts (unless logPrompts is off), decision, outcome, session, user; results in spans, cut",
    never_carries="results in log records (only their length); tool definitions",
)
