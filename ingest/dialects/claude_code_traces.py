"""Claude Code's spans (beta): `claude_code.tool` with its `.execution` and `.blocked_on_user`, and the prompt on `claude_code.interaction`."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingest.dialects.contract import Dialect, call, digest, first, parsed, payload, said_by, session_of, text
from ingest.otlp.items import Event, Item, Value
from store.records import Observer, Outcome, Record, State

NAME = "claude_code_traces"
AGENT = "claude-code"
UNNAMED, HIDDEN = "(unnamed)", "mcp_tool"
OUTPUT_CUT = 60_000
"""`tool.output` is cut at 60 KB."""

GIVEN_KEYS = ("full_command", "file_path", "skill_name", "subagent_type")
CONTENT_KEYS = ("output", "content", "diff")
GIVEN_AS, GOT_AS = "[TOOL INPUT: ", "[TOOL RESULT: "
"""How the detailed spans of the beta begin what they tell of a call; the tool's name and a line break follow."""

OUTCOMES = {"true": Outcome.OK, "false": Outcome.ERROR}


def recognises(item: Item) -> bool:
    """Its spans, by scope or name. `span.type` alone could be anybody's."""
    return item.signal == "span" and (item.source.scope.startswith("com.anthropic.claude_code") or item.name.startswith("claude_code."))


def read(item: Item) -> Iterator[Record]:
    """A call for the tool's span, what came of it from the spans inside, which have the call's id but mostly not the tool's name."""
    kind = (text(first(item, "span.type")) or item.name).removeprefix("claude_code.")
    call_id = text(first(item, "tool_use_id", "gen_ai.tool.call.id"))
    server, tool = _server_and_tool(item)
    who: dict[str, Any] = {
        "agent": text(first(item, "agent.name")) or AGENT, "server": server, "tool_call_id": call_id,
        "agent_version": text(first(item, "app.version")) or item.source.named("service.version"),
    }
    match kind:
        case "interaction":
            session_id, source = session_of(item)
            prompt = text(first(item, "user_prompt"))
            if prompt:
                yield replace(said_by(item, NAME, "user", prompt, session_id, source), agent=AGENT)
        case "tool":
            output = next((e for e in item.events if e.name == "tool.output"), None)
            arguments, arguments_state = payload(_given(item, output))
            result, result_state = payload(_content(item, output))
            if result is not None and len(result.encode("utf-8", "replace")) >= OUTPUT_CUT:
                result_state = State.TRUNCATED
            made = call(  # the status of this span is always unset
                item, NAME, tool, Observer.AGENT, arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
                outcome=OUTCOMES.get(str(first(item, "success")).lower(), Outcome.UNKNOWN), **who,
            )
            yield made
            if output is None:  # it may never have run: what tells of a refusal names only this span, in most versions
                yield replace(
                    made, observation_id=digest(made.observation_id, "refused"), tool_call_id=item.span_id, span_id=None, parent_span_id=item.span_id,
                    outcome=Outcome.UNKNOWN, arguments=None, arguments_state=State.ABSENT, result=None, result_state=State.ABSENT, attributes=None,
                )
        case "tool.execution" if call_id:
            yield call(
                item, NAME, tool, Observer.DECISION if tool == UNNAMED else Observer.CLIENT,
                outcome=OUTCOMES.get(str(first(item, "success")).lower(), Outcome.UNKNOWN), error_message=text(first(item, "error")), **who,
            )
        case "tool.blocked_on_user" if first(item, "decision") == "reject":  # an accepted call is told of by its execution
            decider = text(first(item, "source"))
            yield call(
                item, NAME, tool, Observer.DECISION, outcome=Outcome.UNKNOWN, decision="reject", decided_by=None if decider == "unknown" else decider,
                **who | {"tool_call_id": call_id or item.parent_span_id},
            )


def _server_and_tool(item: Item) -> tuple[str | None, str]:
    name = text(first(item, "tool_name", "gen_ai.tool.name")) or UNNAMED
    if name.startswith("mcp__") and name.count("__") >= 2:
        _, server, tool = name.split("__", 2)
        return server or None, tool or UNNAMED
    return (None, UNNAMED) if name in (HIDDEN, UNNAMED) else (AGENT, name)


def _given(item: Item, output: Event | None) -> Value:
    """The arguments as such, else what single attributes tell of them, else the command that stands beside the output."""
    whole = first(item, "tool_input")
    if whole is not None:
        return _bare(whole, GIVEN_AS)
    told = {key: found for key in GIVEN_KEYS if (found := text(first(item, key))) is not None}
    command = text(output.attributes.get("bash_command")) if output else None
    if not told and command:
        told = {"full_command": command}
    return text(dict(told)) if told else None


def _bare(told: Value, beginning: str) -> Value:
    return told.partition("]\n")[2] if isinstance(told, str) and told.startswith(beginning) else told


def _content(item: Item, output: Event | None) -> Value:
    """The tool's output; else, where the beta's details are on, what it brought into the conversation."""
    if output is None:
        context = first(item, "new_context")
        return _bare(context, GOT_AS) if isinstance(context, str) and context.startswith(GOT_AS) else None
    found = {key: value for key in CONTENT_KEYS if (value := output.attributes.get(key)) is not None}
    if len(found) <= 1:
        return next(iter(found.values()), None)
    return text({key: parsed(value) or value for key, value in found.items()})


DIALECT = Dialect(
    rank=5, recognises=recognises, read=read,
    carries="tool, call id, outcome, session, user; commands and paths with OTEL_LOG_TOOL_DETAILS=1, results with OTEL_LOG_TOOL_CONTENT=1",
    never_carries="who accepted a call (only who rejected one; the log records tell both); outcomes before the spans had the call's id",
)
