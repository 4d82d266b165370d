from typing import Any

from store.records import Outcome, SessionSource, State
from tests.ingest.dialects.sent import fields, golden, only, span

TOOL: dict[str, Any] = {"langfuse.observation.type": "tool"}


def test_what_the_sdk_sends() -> None:
    records = golden("langfuse_5_0.json")
    good, bad = records.calls
    fields(
        good, dialect="langfuse", tool="get_weather", arguments='{"city": "Paris"}', arguments_state=State.CAPTURED, result="sunny in Paris",
        result_state=State.CAPTURED, session_id="trip-1", session_source=SessionSource.SESSION, principal="ann@example.com",
        agent="trip-planner", tool_call_id=None, server=None, outcome=Outcome.OK, error_message=None,
    )
    fields(bad, arguments='{"city": "nowhere"}', result=None, result_state=State.ABSENT, outcome=Outcome.ERROR, error_message="no such city")
    assert {(m.role, m.text, m.session_id) for m in records.messages} == {
        ("user", "What is the weather in Paris?", "trip-1"), ("assistant", "Done", "trip-1"),
    }
    assert not any("Paris" in str(c.attributes) for c in records.calls)


def test_level_tells_a_failure_without_status() -> None:
    sent = TOOL | {"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "gone", "langfuse.session.id": "s-1"}
    records, dialect = span("find", sent)
    assert dialect == "langfuse"
    fields(
        only(records), tool="find", outcome=Outcome.ERROR, error_message="gone", arguments_state=State.ABSENT, result_state=State.ABSENT,
        session_id="s-1", session_source=SessionSource.CONVERSATION,
    )


def test_other_types_are_context() -> None:
    messages = '{"messages":[{"role":"user","content":"Hi"}]}'
    records, _ = span("plan", {"langfuse.observation.type": "generation", "langfuse.observation.input": messages})
    assert not records.calls and [m.text for m in records.messages] == ["Hi"]
    assert not span("plan", {"langfuse.observation.type": "span", "langfuse.observation.input": "inside"})[0].messages
