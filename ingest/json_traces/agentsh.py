"""agentsh: its MCP events, with the history of tool definitions as hashes."""

from collections.abc import Iterator
from datetime import timedelta

from ingest.dialects.contract import as_json, digest, payload, rest, text
from ingest.json_traces.contract import UNNAMED, Clock, Line, LogFormat, captured, decided, each_line, outcome_of, word
from store.records import Call, Observer, Record, SessionSource, ToolDefinition

NAME = "agentsh"


def recognises(line: Line) -> bool:
    """Its event types, beside the server that they are about."""
    return str(line.get("type")).startswith("mcp_") and "server_id" in line


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """Calls, and sightings of definitions. What a definition says is not told: its hash stands for it, as a schema of its own."""
    at, session, server = clock.moment(line.get("timestamp")), word(line.get("session_id")), word(line.get("server_id"))
    tool = word(line.get("tool_name")) or UNNAMED
    match line.get("type"):
        case "mcp_tool_seen" | "mcp_tool_changed":
            hashes = [word(line.get("previous_hash")), word(line.get("new_hash"), line.get("tool_hash"))]
            for n, one in enumerate(hash_ for hash_ in hashes if hash_):
                yield ToolDefinition(
                    sighted_at=at + timedelta(milliseconds=n), tool=tool, dialect=NAME, server=server, description=text(line.get("description")),
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
                tool_call_id=digest(session, server, id_) if session and id_ else None, session_id=session,
                session_source=SessionSource.SESSION if session else SessionSource.TRACE, agent=word(line.get("agent_id")), server=server,
                arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
                outcome=outcome_of(decision, None), decision=decision, decided_by=NAME if decision == "reject" else None,
                attributes=rest([("jsonrpc.request.id", id_)] if id_ else []),
            )


FORMAT = LogFormat(
    rank=37, recognises=recognises, reader=each_line(read),
    carries="tool, server, session, arguments, that a tool's definition is new or has changed (as hashes)",
    never_carries="what definitions say; results; prompts; the user",
)
