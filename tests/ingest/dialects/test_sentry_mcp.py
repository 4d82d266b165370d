from typing import Any

import pytest

from store.records import Observer, Outcome, SessionSource, State
from tests.ingest.dialects.sent import SERVER, fields, only, span

CALL: dict[str, Any] = {
    "sentry.op": "mcp.server", "mcp.method.name": "tools/call", "mcp.tool.name": "find", "mcp.request.id": "3", "mcp.session.id": "m-1",
    "mcp.transport": "StreamableHTTPServerTransport", "mcp.server.name": "crm", "client.address": "192.0.2.7",
    "mcp.request.argument.name": '"Bo"', "mcp.request.argument.limit": "3", "mcp.request.argument.note": "no JSON",
    "mcp.tool.result.content": "Bo Example", "mcp.tool.result.content_count": 1, "mcp.tool.result.is_error": False,
}


def test_flattened_arguments() -> None:
    records, dialect = span("tools/call find", CALL, kind=SERVER)
    assert dialect == "sentry_mcp"
    fields(
        only(records), tool="find", server="crm", tool_call_id=None, arguments='{"name": "Bo", "limit": 3, "note": "no JSON"}',
        arguments_state=State.CAPTURED, result="Bo Example", result_state=State.CAPTURED, session_id="m-1",
        session_source=SessionSource.MCP_SESSION, transport="http", client_address="192.0.2.7", outcome=Outcome.OK, observed_by=Observer.SERVER,
    )
    assert "Bo" not in str(only(records).attributes)


@pytest.mark.parametrize("said", [True, "true"])
def test_error(said: Any) -> None:
    assert only(span("tools/call find", CALL | {"mcp.tool.result.is_error": said})[0]).outcome == Outcome.ERROR


def test_without_personal_data_payloads_are_absent() -> None:
    sent = {k: v for k, v in CALL.items() if not k.startswith(("mcp.request.argument.", "mcp.tool.result."))}
    fields(only(span("tools/call find", sent)[0]), arguments=None, arguments_state=State.ABSENT, result=None, result_state=State.ABSENT)


def test_scrubbed_values_are_redacted() -> None:
    filtered = {k: "[Filtered]" for k in CALL if k.startswith("mcp.request.argument.")}
    made = only(span("tools/call find", CALL | filtered | {"mcp.tool.result.content": "[Filtered]"})[0])
    fields(made, arguments=None, arguments_state=State.REDACTED, result=None, result_state=State.REDACTED)


@pytest.mark.parametrize(("said", "means"), [("stdio", "stdio"), ("SSEServerTransport", "sse"), ("http", "http"), ("pigeon", "pigeon")])
def test_transports(said: str, means: str) -> None:
    assert only(span("tools/call find", CALL | {"mcp.transport": said})[0]).transport == means


def test_connection() -> None:
    records, dialect = span("initialize", {"sentry.op": "mcp.server", "mcp.method.name": "initialize", "mcp.server.name": "crm"}, kind=SERVER)
    assert dialect == "sentry_mcp" and [(a.server, a.dialect, a.outcome) for a in records.access] == [("crm", "sentry_mcp", Outcome.OK)]


def test_several_blocks_of_a_result_and_who_asked() -> None:
    sent = {k: v for k, v in CALL.items() if not k.startswith("mcp.tool.result.content")} | {
        "mcp.tool.result.content_count": 3, "mcp.tool.result.0.content": "one", "mcp.tool.result.0.content_type": "text",
        "mcp.tool.result.1.content_type": "image", "mcp.tool.result.1.data_size": 12, "mcp.tool.result.2.content": "two",
        "mcp.client.name": "desk", "mcp.client.version": "4",
    }
    made = only(span("tools/call find", sent)[0])
    fields(made, result="one\ntwo", result_state=State.CAPTURED, agent="desk", agent_version="4")
    assert "one" not in str(made.attributes)
    filtered = {k: "[Filtered]" for k in sent if k.endswith(".content")}
    fields(only(span("tools/call find", sent | filtered)[0]), result=None, result_state=State.REDACTED)
    fields(only(span("tools/call find", sent | {"mcp.tool.result.content_count": 1 << 40})[0]), result="one\ntwo")
