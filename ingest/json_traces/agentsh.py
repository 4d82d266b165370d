"""agentsh: its MCP events, with the history of tool definitions as hashes."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from ingest.dialects.contract import as_json, digest, parsed, payload, rest, text
from ingest.json_traces.contract import UNNAMED, Clock, Line, LogFormat, captured, decided, each_line, inside, outcome_of, word
from ingest.json_traces.turns import dicts
from store.records import Call, Observer, Record, SessionSource, ToolDefinition

NAME = "agentsh"


def recognises(line: Line) -> bool:
    """Its event types, beside the server that they are about, on the line or among its fields."""
    return str(line.get("type")).startswith("mcp_") and ("server_id" in line or inside(line, "fields", "server_id") is not None)


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """Calls, and sightings of definitions. What a definition says is seldom told: its hash stands for it, as a schema of its own."""
    if isinstance(fields := line.get("fields"), dict):
        line = fields | {key: value for key, value in line.items() if key != "fields"}
    at, session, server = clock.moment(line.get("timestamp")), word(line.get("session_id")), word(line.get("server_id"))
    tool = word(line.get("tool_name")) or UNNAMED
    match line.get("type"):
        case "mcp_tool_seen" | "mcp_tool_changed":
            hashes = [word(line.get("previous_hash")), word(line.get("new_hash"), line.get("tool_hash"))]
            for n, one in enumerate(hash_ for hash_ in hashes if hash_):
                yield ToolDefinition(
                    sighted_at=at + timedelta(milliseconds=n), tool=tool, dialect=NAME, server=server,
                    description=_described(line, is_new=one == hashes[1]),
                    input_schema=as_json({"tool_hash": one}), session_id=session,
                )
        case "mcp_tool_called":
            arguments, arguments_state = payload(line.get("input"))
            result, result_state = captured(line.get("output"))
            decision = decided(line.get("decision") or line.get("action"))
            id_ = word(line.get("jsonrpc_id"))
            yield Call(
                observation_id=digest(NAME, session, server, id_, at.isoformat() if line.get("timestamp") else None, tool, arguments),
                called_at=at, tool=tool, observed_by=Observer.GATEWAY, dialect=NAME,
                tool_call_id=_tie(server, tool, arguments) if session else None, session_id=session,
                session_source=SessionSource.SESSION if session else SessionSource.TRACE, agent=word(line.get("agent_id")), server=server,
                arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
                outcome=outcome_of(decision, None), decision=decision, decided_by=NAME if decision == "reject" else None,
                attributes=rest([("jsonrpc.request.id", id_)] if id_ else []),
            )
        case "mcp_tool_call_intercepted":
            yield _intercepted(line, at, session, server, tool)


def _intercepted(line: Line, at: datetime, session: str | None, server: str | None, tool: str) -> Call:
    """What the model asked for, and whether it was let through; one that was is seen again on its way to the server."""
    arguments, arguments_state = payload(line.get("input"))
    decision, id_ = decided(line.get("action")), word(line.get("tool_call_id"))
    return Call(
        observation_id=digest(NAME, session, server, id_, at.isoformat() if line.get("timestamp") else None, tool, arguments), called_at=at,
        tool=tool, observed_by=Observer.CLIENT, dialect=NAME, tool_call_id=id_ if decision == "reject" else _tie(server, tool, arguments),
        session_id=session, session_source=SessionSource.SESSION if session else SessionSource.TRACE, server=server,
        server_address=word(line.get("server_addr")), transport=word(line.get("server_type")), arguments=arguments,
        arguments_state=arguments_state, outcome=outcome_of(decision, None), decision=decision, decided_by=NAME if decision else None,
        error_message=text(line.get("reason")) if decision == "reject" else None,
        attributes=rest((key, found) for key in ("request_id", "tool_call_id", "cross_server_rule") if (found := word(line.get(key)))),
    )


def _tie(server: str | None, tool: str, arguments: str | None) -> str:
    """What both who see a call know of it."""
    given = parsed(arguments)
    return digest(NAME, server, tool, arguments if given is None else as_json(given, sort_keys=True))


def _described(line: Line, is_new: bool) -> str | None:
    """The description, which a change may tell before and after."""
    changed = next((one for one in dicts(line.get("changes")) if one.get("field") == "description"), None)
    return text(changed.get("new" if is_new else "previous")) if changed else text(line.get("description"))


FORMAT = LogFormat(
    rank=37, recognises=recognises, reader=each_line(read),
    carries="tool, server, session, arguments, what was let through or blocked and why, that a tool's definition is new or has changed (as hashes)",
    never_carries="what definitions say; results; prompts; the user",
)
