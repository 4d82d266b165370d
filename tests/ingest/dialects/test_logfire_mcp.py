from typing import Any

from store.records import Observer, Outcome, State
from tests.ingest.dialects.sent import fields, golden, only, span

NAME = "MCP request: tools/call find"
CALL: dict[str, Any] = {
    "rpc.system": "jsonrpc", "rpc.jsonrpc.version": "2.0", "rpc.method": "tools/call",
    "request": '{"method":"tools/call","params":{"name":"find","arguments":{"name":"Bo"}}}',
    "response": '{"content":[{"type":"text","text":"Bo"}],"isError":false}',
}


def test_what_both_sides_send() -> None:
    records = golden("logfire_5_2_mcp_1_30.json")
    served, asked, served_bad, asked_bad = records.calls
    fields(
        asked, dialect="logfire_mcp", tool="get_weather", observed_by=Observer.CLIENT, agent="trip-planner", server=None,
        arguments='{"city": "Paris"}', arguments_state=State.CAPTURED, result_state=State.CAPTURED, outcome=Outcome.OK, tool_call_id=None,
    )
    fields(
        served, tool="get_weather", observed_by=Observer.SERVER, server="trip-planner", agent=None, arguments='{"city": "Paris"}',
        outcome=Outcome.OK, parent_span_id=asked.span_id,
    )
    for call in (served_bad, asked_bad):
        fields(call, outcome=Outcome.ERROR, error_type="tool_error", arguments='{"city": "nowhere"}')
    assert "sunny in Paris" in str(asked.result)
    assert {d.tool for d in records.definitions} == {"get_weather"}
    assert [(a.server, a.agent, a.outcome) for a in records.access] == [("weather", "trip-planner", Outcome.OK)]
    assert not any("Paris" in str(c.attributes) for c in records.calls)


def test_without_its_scope() -> None:
    records, dialect = span(NAME, CALL)
    assert dialect == "logfire_mcp"
    assert only(records).arguments == '{"name": "Bo"}'


def test_no_arguments_are_absent_and_empty_ones_are_not() -> None:
    absent = only(span(NAME, CALL | {"request": '{"method":"tools/call","params":{"name":"find"}}'})[0])
    fields(absent, arguments=None, arguments_state=State.ABSENT)
    empty = only(span(NAME, CALL | {"request": '{"method":"tools/call","params":{"name":"find","arguments":{}}}'})[0])
    fields(empty, arguments="{}", arguments_state=State.CAPTURED)


def test_a_request_that_was_cut_is_named_by_the_span() -> None:
    cut = '{"method":"tools/call","params":{"name":"find","arg'
    fields(only(span(NAME, CALL | {"request": cut})[0]), tool="find", arguments=cut, arguments_state=State.TRUNCATED)


def test_structured_attributes() -> None:
    sent = CALL | {"request": {"method": "tools/call", "params": {"name": "find", "arguments": {"name": "Bo"}}}, "response": {"isError": True}}
    fields(only(span(NAME, sent)[0]), tool="find", arguments='{"name": "Bo"}', result='{"isError": true}', outcome=Outcome.ERROR)
