"""Kong AI MCP Proxy: lines of its log plugins; one line may hold several calls."""

from collections.abc import Iterator
from datetime import datetime

from ingest.dialects.contract import as_json, digest, number, payload, rest
from ingest.json_traces.contract import (
    UNNAMED,
    Clock,
    Line,
    LogFormat,
    captured,
    client_of,
    decided,
    each_line,
    inside,
    outcome_of,
    parsed_part,
    word,
)
from ingest.json_traces.turns import dicts
from store.records import Call, Observer, Record, SessionSource, State

NAME = "kong_ai_mcp"


def recognises(line: Line) -> bool:
    """What the plugin adds to a line."""
    return isinstance(inside(line, "ai", "mcp"), dict)


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """A call for each RPC, and for each that the access list refused before there was one."""
    at, identity = clock.moment(line.get("started_at")), digest(NAME, as_json(line))
    audits = {word(one.get("primitive_name")): one for one in dicts(inside(line, "ai", "mcp", "audit")) if one.get("primitive") == "tool"}
    for n, rpc in enumerate(dicts(inside(line, "ai", "mcp", "rpc"))):
        if rpc.get("method") == "tools/call":
            yield _call(line, at, digest(identity, str(n)), rpc, audits.pop(word(rpc.get("tool_name")), {}))
    for tool, audit in audits.items():
        if tool and decided(audit.get("action")) == "reject":  # without a name it is the list of tools that was asked for
            yield _call(line, at, digest(identity, tool), {"tool_name": tool}, audit)


def _call(line: Line, at: datetime, identity: str, rpc: Line, audit: Line) -> Call:
    decision = decided(audit.get("action"))
    principal = _consumer(line, audit)
    address, session = word(line.get("client_ip")), word(inside(line, "ai", "mcp", "mcp_session_id"))
    error, status = rpc.get("error"), number(inside(line, "response", "status"))
    request, response = (parsed_part(rpc, "payload", way) for way in ("request", "response"))
    arguments, arguments_state = payload(inside(request, "params", "arguments"))
    answer = inside(response, "result")
    result, result_state = captured(response if answer is None else answer if inside(answer, "content") is None else answer["content"])
    error = word(inside(response, "error", "message")) or error
    failed = bool(error) or inside(answer, "isError") is True
    return Call(
        observation_id=identity, called_at=at, tool=word(rpc.get("tool_name")) or UNNAMED, observed_by=Observer.GATEWAY, dialect=NAME,
        session_id=session or client_of(NAME, principal, address),
        session_source=SessionSource.MCP_SESSION if session else SessionSource.CLIENT, duration_ms=number(rpc.get("latency")), principal=principal,
        client_address=address, server=word(inside(line, "service", "name"), inside(line, "ai", "mcp", "mcp_server_id")), arguments=arguments,
        arguments_state=arguments_state if request is None or arguments else State.ABSENT, result=result, result_state=result_state,
        outcome=outcome_of(decision, failed or (status >= 400 if status is not None else None)), error_message=word(error),
        decision=decision, decided_by="kong" if decision else None,
        attributes=rest((k, v) for k, v in (("jsonrpc.request.id", word(rpc.get("id"))), ("response_body_size", rpc.get("response_body_size")),
                                            ("scope", word(audit.get("scope")))) if v is not None),
    )


def _consumer(line: Line, audit: Line) -> str | None:
    """Who called. An audit entry names the group that was let in, where it says so, and the consumer by id alone."""
    told = inside(audit, "consumer", "identifier")
    name = None if told == "consumer_group" else inside(audit, "consumer", "name")
    return word(inside(line, "consumer", "username"), inside(line, "consumer", "custom_id"), name, inside(audit, "consumer", "id"),
                inside(line, "consumer", "id"))


FORMAT = LogFormat(
    rank=33, recognises=recognises, reader=each_line(read),
    carries="tool, consumer, client address, service, what the access list allowed or denied, latency, size of the result",
    never_carries="arguments and results, unless payloads are logged; prompts; tool definitions",
)
