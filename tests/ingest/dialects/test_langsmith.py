from typing import Any

from store.records import Outcome, SessionSource, State
from tests.ingest.dialects.sent import FAILED, fields, golden, only, span

TOOL: dict[str, Any] = {
    "langsmith.span.kind": "tool", "langsmith.trace.name": "find", "langsmith.trace.session_id": "project-1",
    "gen_ai.prompt": '{"input":"Bo"}', "gen_ai.completion": '{"output":"Bo Example"}',
}


def test_what_the_exporter_sends() -> None:
    records = golden("langsmith_0_14.json")
    good, bad = records.calls
    fields(
        good, dialect="langsmith", tool="get_weather", tool_call_id="call_1", arguments='{"city":"Paris"}', arguments_state=State.CAPTURED,
        result="sunny in Paris", result_state=State.CAPTURED, session_id="trip-1", session_source=SessionSource.SESSION,
        principal="ann@example.com", agent="trip-planner", server=None, outcome=Outcome.OK,
    )
    fields(
        bad, tool_call_id="call_2", arguments='{"city":"nowhere"}', result=None, result_state=State.ABSENT, outcome=Outcome.ERROR,
        error_message="ValueError('no such city')",
    )
    assert {(m.role, m.text) for m in records.messages} == {("system", "You plan trips."), ("user", "What is the weather in Paris?")}
    assert {(d.tool, d.description) for d in records.definitions} == {("get_weather", "Weather of a city.")}
    assert not any("Paris" in str(c.attributes) for c in records.calls)


def test_a_project_is_no_session() -> None:
    records, dialect = span("find", TOOL)
    assert dialect == "langsmith"
    fields(
        only(records), tool="find", session_id=None, session_source=SessionSource.TRACE, tool_call_id=None, arguments='{"input":"Bo"}',
        result='{"output":"Bo Example"}',
    )


def test_thread_and_a_run_that_returns_an_empty_object() -> None:
    made = only(span("find", TOOL | {"langsmith.metadata.thread_id": "t-1", "gen_ai.completion": "{}"})[0])
    fields(made, session_id="t-1", session_source=SessionSource.SESSION, result="{}", result_state=State.CAPTURED)
    fields(only(span("find", TOOL | {"gen_ai.completion": "{}"}, status=FAILED)[0]), result=None, result_state=State.ABSENT, error_message="it broke")


def test_serialised_tool_message() -> None:
    answer = '{"output":{"lc":1,"type":"constructor","kwargs":{"type":"tool","content":"gone","tool_call_id":"c-1","status":"error"}}}'
    fields(only(span("find", TOOL | {"gen_ai.completion": answer})[0]), result="gone", tool_call_id="c-1", outcome=Outcome.ERROR)


def test_chains_are_context() -> None:
    records, _ = span("plan", TOOL | {"langsmith.span.kind": "chain"})
    assert not records.calls and len(records.spans) == 1


def test_messages_in_other_shapes() -> None:
    parts = '{"role":"user","content":[{"type":"text","text":"Find Bo"}]}'
    prompt = f'{{"messages":[{parts},{{"type":"ai","content":"No"}},{{"type":"system","content":"Short"}}]}}'
    records, _ = span("chat", {"langsmith.span.kind": "llm", "gen_ai.prompt": prompt})
    assert [(m.role, m.text) for m in records.messages] == [("user", "Find Bo"), ("system", "Short")]
