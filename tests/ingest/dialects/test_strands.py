from typing import Any

import pytest

from store.records import Observer, Outcome, SessionSource, State
from tests.ingest.dialects.sent import FAILED, fields, golden, only, span

TOOL: dict[str, Any] = {
    "gen_ai.operation.name": "execute_tool", "gen_ai.system": "strands-agents", "gen_ai.tool.name": "find", "gen_ai.tool.call.id": "t-1",
    "gen_ai.tool.status": "success", "gen_ai.agent.name": "planner",
}


@pytest.mark.parametrize("name", ["strands_1_62.json", "strands_1_62_latest.json"])
def test_what_the_sdk_sends_in_both_conventions(name: str) -> None:
    records = golden(name)
    good, bad = records.calls
    fields(
        good, dialect="strands", tool="get_weather", tool_call_id="tooluse_1", arguments='{"city": "Paris"}', arguments_state=State.CAPTURED,
        result='[{"text": "sunny in Paris"}]', result_state=State.CAPTURED, session_id="trip-1", session_source=SessionSource.SESSION,
        principal="ann@example.com", server=None, agent=None, outcome=Outcome.OK, error_type=None, error_message=None, observed_by=Observer.AGENT,
    )
    fields(
        bad, tool_call_id="tooluse_2", arguments='{"city": "nowhere"}', result='[{"text": "Error: no such city"}]', result_state=State.CAPTURED,
        outcome=Outcome.ERROR, error_type="ValueError", error_message="no such city",
    )
    assert {(m.role, m.text) for m in records.messages} == {("system", "You plan trips."), ("user", "What is the weather in Paris?")}
    assert {(d.tool, d.description) for d in records.definitions} == {("get_weather", "Weather of a city.")}
    assert {s.agent for s in records.spans} == {None, "planner"}
    assert not any("Paris" in str(c.attributes) for c in records.calls)


def test_arguments_in_events() -> None:
    records, dialect = span(
        "execute_tool find", TOOL,
        events=[
            ("gen_ai.tool.message", {"role": "tool", "content": '{"name":"Bo"}', "id": "t-1"}), ("gen_ai.choice", {"message": "Bo", "id": "t-1"}),
        ],
    )
    assert dialect == "strands"
    fields(only(records), arguments='{"name":"Bo"}', result="Bo", agent="planner")


def test_arguments_in_parts_of_the_latest_event() -> None:
    details = "gen_ai.client.inference.operation.details"
    given = '[{"role":"tool","parts":[{"type":"tool_call","name":"find","id":"t-1","arguments":{"name":"Bo"}}]}]'
    got = '[{"role":"tool","parts":[{"type":"tool_call_response","id":"t-1","response":[{"text":"Bo"}]}]}]'
    events = [(details, {"gen_ai.input.messages": given}), (details, {"gen_ai.output.messages": got})]
    fields(only(span("execute_tool find", TOOL, events=events)[0]), arguments='{"name": "Bo"}', result='[{"text": "Bo"}]')
    kept = TOOL | {"gen_ai.input.messages": given, "gen_ai.output.messages": got}  # as for exporters that drop events
    fields(only(span("execute_tool find", kept)[0]), arguments='{"name": "Bo"}', result='[{"text": "Bo"}]')


def test_nothing_recorded_is_absent_and_the_status_tells_the_outcome() -> None:
    made = only(span("execute_tool find", TOOL | {"gen_ai.tool.status": "error"}, status={"code": 0})[0])
    fields(made, arguments=None, arguments_state=State.ABSENT, result=None, result_state=State.ABSENT, outcome=Outcome.ERROR)
    assert only(span("execute_tool find", TOOL, status=FAILED)[0]).error_message == "it broke"


def test_the_event_loop_between_is_context() -> None:
    records, _ = span("execute_event_loop_cycle", TOOL | {"gen_ai.operation.name": "execute_event_loop_cycle"})
    assert not records.calls and not records.messages and len(records.spans) == 1
