from typing import Any

import pytest

from store.records import Outcome, SessionSource, State
from tests.ingest.dialects.sent import fields, golden, only, span

TOOL: dict[str, Any] = {
    "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "find", "gen_ai.tool.call.id": "c-1", "gen_ai.agent.name": "planner",
    "gcp.vertex.agent.llm_request": "{}", "gcp.vertex.agent.llm_response": "{}", "gcp.vertex.agent.tool_call_args": '{"name":"Bo"}',
    "gcp.vertex.agent.tool_response": '{"result":"Bo Example"}', "gcp.vertex.agent.session_id": "s-1",
}


@pytest.mark.parametrize("name", ["google_adk_2_13.json", "google_adk_2_13_schema_1.json"])
def test_what_the_sdk_sends_in_both_schemas(name: str) -> None:
    records = golden(name)
    good, other, bad = records.calls  # and none for `(merged tools)`
    fields(
        good, dialect="google_adk", tool="get_weather", tool_call_id="c1", arguments='{"city": "Paris"}', arguments_state=State.CAPTURED,
        result='{"result": "sunny in Paris"}', result_state=State.CAPTURED, agent="planner", server=None, outcome=Outcome.OK,
    )
    fields(other, tool="list_cities", arguments="{}", arguments_state=State.CAPTURED, result='{"cities": ["Paris", "Rome"]}')
    fields(
        bad, tool="get_weather", tool_call_id=None, arguments='{"city": "nowhere"}', result=None, result_state=State.ABSENT,
        outcome=Outcome.ERROR, error_type="ValueError", error_message="ValueError: no such city",
    )
    assert ("user", "What is the weather in Paris?", "trip-1") in {(m.role, m.text, m.session_id) for m in records.messages}
    assert {(d.tool, d.description, d.input_schema is None) for d in records.definitions} == {
        ("get_weather", "Weather of a city.", False), ("list_cities", "Cities.", True),
    }
    assert not any("Paris" in str(c.attributes) for c in records.calls)


def test_content_switched_off_is_not_an_empty_object() -> None:
    calls = golden("google_adk_2_13_schema_1_without_content.json").calls
    assert [(c.tool, c.arguments, c.arguments_state, c.result, c.result_state) for c in calls] == [
        (tool, None, State.REDACTED, None, State.REDACTED) for tool in ("get_weather", "list_cities", "get_weather")
    ]


def test_fields_of_schema_1() -> None:
    records, dialect = span("execute_tool find", TOOL, scope="gcp.vertex.agent")
    assert dialect == "google_adk"
    fields(
        only(records), arguments='{"name":"Bo"}', result='{"result":"Bo Example"}', session_id="s-1", session_source=SessionSource.SESSION,
        agent="planner", tool_call_id="c-1",
    )


def test_placeholders_are_no_values() -> None:
    sent = TOOL | {"gen_ai.tool.call.id": "<not specified>", "gcp.vertex.agent.tool_response": '{"result": "<not specified>"}'}
    fields(only(span("execute_tool find", sent)[0]), tool_call_id=None, result=None, result_state=State.ABSENT, arguments='{"name":"Bo"}')


def test_the_span_that_gathers_a_batch_is_dropped() -> None:
    merged = TOOL | {"gen_ai.tool.name": "(merged tools)", "gcp.vertex.agent.tool_call_args": "N/A"}
    records, dialect = span("execute_tool (merged)", merged, scope="gcp.vertex.agent")
    assert (dialect, len(records.calls), len(records.spans)) == ("google_adk", 0, 1)


def test_no_payloads_at_all_are_absent() -> None:
    sent = {k: v for k, v in TOOL.items() if not k.startswith("gcp.vertex.agent.tool_")}
    fields(only(span("execute_tool find", sent)[0]), arguments_state=State.ABSENT, result_state=State.ABSENT)


def test_a_request_that_was_left_out_says_nothing() -> None:
    records, _ = span("call_llm", {"gen_ai.system": "gcp.vertex.agent", "gcp.vertex.agent.llm_request": "{}", "gcp.vertex.agent.session_id": "s-1"})
    assert not records.messages and records.spans[0].session_id == "s-1"
