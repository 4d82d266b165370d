"""ToolHive: the audit log of its proxy, one event a line."""

from collections.abc import Iterator
from datetime import datetime

from ingest.dialects.contract import digest, number, payload, rest, text
from ingest.json_traces.contract import (
    UNNAMED,
    Clock,
    Line,
    LogFormat,
    captured,
    client_of,
    definitions_of,
    each_line,
    inside,
    parsed_part,
    word,
)
from store.records import Access, Call, Observer, Outcome, Record, SessionSource

NAME = "toolhive"
OUTCOMES = {"success": Outcome.OK, "failure": Outcome.ERROR, "error": Outcome.ERROR, "denied": Outcome.DENIED,
            "application_error": Outcome.ERROR}
"""The last is an error of JSON-RPC in an answer that HTTP calls a success."""

ACCESS = ("mcp_initialize", "sse_connection", "http_request")
"""Failed authentication comes as http_request, never as one of MCP's own types."""


def recognises(line: Line) -> bool:
    """Its audit id and type."""
    return "audit_id" in line and "type" in line and "outcome" in line


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """A call, definitions, or a connection."""
    at, kind = clock.moment(line.get("logged_at")), line.get("type")
    request, response = parsed_part(line, "data", "request"), parsed_part(line, "data", "response")
    if kind == "mcp_tool_call":
        yield _call(line, at, request, response)
    elif kind == "mcp_tools_list":
        tools = inside(response, "result", "tools") or inside(response, "tools")
        yield from definitions_of(tools, at, NAME, _server(line), session_id=_told(line))
    elif kind in ACCESS:
        yield Access(
            access_id=digest(NAME, word(line.get("audit_id"))), accessed_at=at, outcome=OUTCOMES.get(str(line.get("outcome")), Outcome.UNKNOWN),
            dialect=NAME, method=str(kind), principal=_principal(line), client_address=word(inside(line, "source", "value")),
            agent=word(inside(line, "subjects", "client_name")), server=word(line.get("component")),
            transport=word(inside(line, "metadata", "extra", "transport")), session_id=_told(line),
        )


def _call(line: Line, at: datetime, request: object, response: object) -> Call:
    outcome = OUTCOMES.get(str(line.get("outcome")), Outcome.UNKNOWN)
    params = inside(request, "params") or request
    arguments, arguments_state = payload(inside(params, "arguments"))
    answer = inside(response, "result") or response
    content = inside(answer, "content")
    result, result_state = captured(content if isinstance(content, list) and inside(answer, "structuredContent") is None else answer)
    session, source = _session(line)
    error, extra = inside(response, "error"), inside(line, "metadata", "extra")
    if outcome == Outcome.OK and (error is not None or inside(answer, "isError") is True):
        outcome = Outcome.ERROR
    return Call(
        observation_id=digest(NAME, word(line.get("audit_id"))), called_at=at, tool=word(inside(line, "target", "name")) or UNNAMED,
        observed_by=Observer.GATEWAY, dialect=NAME, session_id=session, session_source=source,
        duration_ms=number(inside(line, "metadata", "extra", "duration_ms")), agent=word(inside(line, "subjects", "client_name")),
        agent_version=word(inside(line, "subjects", "client_version")), principal=_principal(line),
        client_address=word(inside(line, "source", "value")), server=_server(line),
        transport=word(inside(line, "metadata", "extra", "transport")), arguments=arguments, arguments_state=arguments_state, result=result,
        result_state=result_state, outcome=outcome, error_type=word(inside(extra, "jsonrpc_error_code"), inside(error, "code")),
        error_message=text(inside(error, "message")) or word(inside(extra, "jsonrpc_error_message")),
        decision="reject" if outcome == Outcome.DENIED else None, decided_by="toolhive" if outcome == Outcome.DENIED else None,
        attributes=rest((k, v) for k, v in (
            ("request_id", inside(line, "source", "extra", "request_id")), ("endpoint", inside(line, "target", "endpoint")),
            ("delegation", text(line["delegation"]) if line.get("delegation") else None),
        ) if v is not None),
    )


def _server(line: Line) -> str | None:
    """The server behind, where several stand behind one gateway; else the component, which is named after the server."""
    return word(inside(line, "metadata", "extra", "backend_name"), line.get("component"))


def _principal(line: Line) -> str | None:
    return word(inside(line, "subjects", "user"), inside(line, "subjects", "user_id"))


def _told(line: Line) -> str | None:
    return word(inside(line, "metadata", "extra", "session_id"), inside(line, "source", "extra", "session_id"))


def _session(line: Line) -> tuple[str, SessionSource]:
    if told := _told(line):
        return told, SessionSource.MCP_SESSION
    who = (_principal(line), word(inside(line, "subjects", "client_name")), word(inside(line, "source", "value")))
    return client_of(NAME, *who), SessionSource.CLIENT


FORMAT = LogFormat(
    rank=15, recognises=recognises, reader=each_line(read),
    carries="tool, server, user, client and its address, outcome, denials, failed authentication (as http_request), durations; "
            "arguments and results where request and response data are switched on",
    never_carries="prompts; sessions: one is made of user, client, address and day; arguments and results by default, and beyond 1,024 bytes ever",
)
