"""What Gemini CLI's spans tell: a tool's request and response as its scheduler has them, contents in the shape of Google's API."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingest.dialects.contract import AGENT_KEYS, as_json, call, context, defined, digest, first, parsed, payload, said_by, session_of, text
from ingest.otlp.items import Item, Value
from store.records import Call, Message, Observer, Outcome, Record, Span, State

NAME, AGENT = "gemini_cli", "gemini-cli"
PREFIX, SHOWN = "mcp_", " MCP Server)"
"""Tools of MCP servers are called `mcp_<server>_<tool>`, and shown as `<tool> (<server> MCP Server)`."""

CUT, CUT_LENGTH = "...[TRUNCATED: original length ", 60
"""What stands at the end of a value of a span that was cut."""

PARTS = '"responseParts":'
GIVEN, GOT = ("gen_ai.input.messages", "input-json"), ("gen_ai.output.messages", "output-json")
"""The second names are those of the versions before the spans followed the conventions."""

STATES = {"success": Outcome.OK, "error": Outcome.ERROR, "cancelled": Outcome.ERROR}
CANCELLED, APPROVED = "cancel", "proceed"
"""How the words begin for what the user answered."""

ROLES = {"user": "user", "model": "assistant", "assistant": "assistant", "system": "assistant"}
"""Log records say `system` of what the model said."""

SET_UP = "<session_context>"
"""How the program's own first words to the model begin, which come as the user's."""


def version(item: Item) -> str | None:
    """The program's version. What is told as the service's is Node's, which begins with a v."""
    told = item.source.named("service.version")
    return None if told is None or told.startswith("v") else told


def server_and_tool(name: str, server: str | None = None, shown: Any = None) -> tuple[str | None, str]:
    """Whose tool it is, by the server's name where that is known, by what is shown to the user, or as the program itself splits the name."""
    if isinstance(shown, str) and shown.endswith(SHOWN) and " (" in shown:
        tool, _, told = shown.removesuffix(SHOWN).rpartition(" (")
        return told, tool
    if server:
        return server, name.removeprefix(f"{PREFIX}{server}_").removeprefix(f"{server}__")
    if name.startswith(PREFIX):
        told, _, tool = name.removeprefix(PREFIX).partition("_")
        return (told, tool) if told and tool else (None, name)
    return None, name


def tie(tool: str, arguments: Any) -> str:
    """What a span and a log record of one call both know, as an id within their trace. Spans do not tell the arguments by default."""
    return digest(NAME, tool, None if arguments is None else as_json(arguments, sort_keys=True))


def tied(made: Call, tool_call_id: str, observed_by: Observer = Observer.DECISION) -> Call:
    """A sighting inside of another that says nothing but what it is tied to: one that somebody else has of the same call."""
    return Call(
        observation_id=digest(made.observation_id, tool_call_id), called_at=made.called_at, tool=made.tool, observed_by=observed_by,
        dialect=NAME, tool_call_id=tool_call_id, session_id=made.session_id, session_source=made.session_source, trace_id=made.trace_id,
        parent_span_id=made.span_id, server=made.server, outcome=Outcome.UNKNOWN,
    )


def read(item: Item) -> Iterator[Record]:
    """A call and its tie to the log record for `tool_call`; messages and definitions for the others."""
    if (text(first(item, "gen_ai.operation.name")) or item.name) == "tool_call" and first(item, "gen_ai.tool.name") is not None:
        request: Any = parsed(first(item, *GIVEN))
        made = _call(item, request if isinstance(request, dict) else {})
        yield made
        given = parsed(made.arguments) if made.arguments_state == State.CAPTURED else None
        yield tied(made, tie(made.tool, given), Observer.AGENT if given is None else Observer.DECISION)
        return
    yield _around(item)
    yield from messages(item)
    for tools in _objects(parsed(first(item, "gen_ai.tool.definitions"))):
        for one in defined(item, NAME, tools.get("functionDeclarations", [tools])):
            server, tool = server_and_tool(one.tool)
            yield replace(one, tool=tool, server=server or (None if one.tool.startswith(PREFIX) else AGENT), agent=AGENT)


def messages(item: Item) -> Iterator[Message]:
    """What was said: lists of contents, whose parts say their type (log records) or not (spans)."""
    session_id, source = session_of(item)

    def said(role: str, part: Any, late: bool = False) -> Iterator[Message]:
        words = part if isinstance(part, str) else next((part[k] for k in ("text", "content") if isinstance(part.get(k), str)), "")
        if words and not (isinstance(part, dict) and (part.get("thought") is True or part.get("type", "text") != "text")):
            role = "system" if words.startswith(SET_UP) else role
            made = said_by(item, NAME, role, words, session_id, source, item.ended_ns if late and item.ended_ns else item.started_ns)
            yield replace(made, agent=AGENT)

    instructed = parsed(first(item, "gen_ai.system_instructions"))
    for part in [instructed] if isinstance(instructed, str) else _parts(instructed):
        yield from said("system", part)
    for keys, late in ((GIVEN, False), (GOT, True)):
        found = first(item, *keys)
        told = parsed(found)
        if isinstance(told, str) or (told is None and isinstance(found, str) and not found.startswith(("[", "{", '"'))):
            yield from said("assistant" if late else "user", told or found, late)
        for content in [told] if isinstance(told, dict) else _objects(told):
            if role := ROLES.get(str(content.get("role"))):
                for part in _parts(content):
                    yield from said(role, part, late)


def _around(item: Item) -> Span:
    return replace(context(item), agent=AGENT, agent_version=version(item))


def _call(item: Item, request: dict[str, Any]) -> Call:
    completed: Any = parsed(first(item, *GOT))
    completed = completed if isinstance(completed, dict) else {}
    server, tool = server_and_tool(text(first(item, "gen_ai.tool.name")) or "(unnamed)", shown=_inside(request, "display", "name"))
    arguments, arguments_state = payload(request["args"]) if "args" in request else _whole(first(item, *GIVEN))
    result, result_state = _result(first(item, *GOT), completed)
    state, answered = str(completed.get("status") or _status(first(item, *GOT))), str(completed.get("outcome"))
    rejected = state == "cancelled" and answered == CANCELLED
    error = _inside(completed, "response", "error")
    made = call(
        item, NAME, tool, Observer.AGENT, tool_call_id=text(first(item, "gen_ai.tool.call_id", "gen_ai.tool.call.id")),
        agent=text(first(item, *AGENT_KEYS)) or AGENT, server=server or (None if tool.startswith(PREFIX) else AGENT),
        arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
        outcome=Outcome.DENIED if rejected else Outcome.ERROR if item.failed else _outcome(state, first(item, *GOT)),
        decision="reject" if rejected else "accept" if answered.startswith(APPROVED) else None,
        error_type=text(_inside(completed, "response", "errorType")),
        error_message=text(error) if isinstance(error, str) else result if state == "error" else None,
    )
    return replace(made, agent_version=version(item))


def _outcome(state: str, output: Value) -> Outcome:
    """The span's status is OK whatever the tool answered, so without the output nothing is known."""
    return STATES.get(state, Outcome.UNKNOWN if output is None else Outcome.OK)


def _result(value: Value, completed: dict[str, Any]) -> tuple[str | None, State]:
    """What the tool answered: the function's response out of all that the scheduler knows of the call, of which the end may be cut off."""
    response = _inside(completed, "response") if "response" in completed else completed
    if isinstance(response, dict) and "responseParts" in response:
        return payload(answer_of(response["responseParts"]))
    if completed and "request" in completed:
        return None, State.ABSENT
    if isinstance(value, str) and value.startswith('{"status"'):
        _, found, rest = value.partition(PARTS)
        try:
            return payload(answer_of(json.JSONDecoder().raw_decode(rest)[0])) if found else (None, State.ABSENT)
        except (ValueError, RecursionError):
            return (rest, State.TRUNCATED) if rest else (None, State.ABSENT)
    return _whole(value)


def answer_of(parts: Any) -> Any:
    """A single function's response, and of that its only text; else the parts as they are."""
    only = parts[0] if isinstance(parts, list) and len(parts) == 1 else parts
    answer = _inside(only, "functionResponse", "response")
    if isinstance(answer, dict) and len(answer) == 1 and isinstance(said := answer.get("output", answer.get("error")), str):
        return said
    return parts if answer is None else answer


def _whole(value: Value) -> tuple[str | None, State]:
    given, state = payload(value)
    broken = given is not None and (CUT in given[-CUT_LENGTH:] or (given.startswith(("{", "[")) and parsed(given) is None))
    return given, State.TRUNCATED if broken else state


def _status(value: Value) -> str | None:
    """The state, which stands at the beginning of what may be cut at the end."""
    return value[:40].removeprefix('{"status":"').partition('"')[0] if isinstance(value, str) and value.startswith('{"status":"') else None


def _inside(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _parts(value: Any) -> list[Any]:
    found = value.get("parts") if isinstance(value, dict) else value
    return [part for part in found if isinstance(part, str | dict)] if isinstance(found, list) else []
