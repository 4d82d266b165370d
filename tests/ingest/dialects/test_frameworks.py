"""Frameworks that need no dialect of their own, as the SDKs really send, and CrewAI."""

import pytest

from store.records import Observer, Outcome, SessionSource, State
from tests.ingest.dialects.sent import fields, golden, only, span


def test_microsoft_agent_framework_speaks_the_conventions() -> None:
    good, bad = golden("agent_framework_1_23.json").calls
    fields(
        good, dialect="otel_genai", tool="get_weather", tool_call_id="call_1", arguments='{"city": "Paris"}', arguments_state=State.CAPTURED,
        result="sunny in Paris", result_state=State.CAPTURED, outcome=Outcome.OK, observed_by=Observer.AGENT,
    )
    fields(bad, tool_call_id="call_2", result_state=State.ABSENT, outcome=Outcome.ERROR, error_type="ValueError")


def test_autogen_speaks_the_conventions_without_content() -> None:
    good, bad = golden("autogen_0_7.json").calls
    fields(
        good, dialect="otel_genai", tool="get_weather", tool_call_id="call_1", arguments_state=State.ABSENT, result_state=State.ABSENT,
        outcome=Outcome.OK,
    )
    fields(bad, outcome=Outcome.ERROR, error_type="ValueError", error_message="ValueError: no such city")


@pytest.mark.parametrize(
    ("name", "outcome", "error_type"),
    [
        ("Tool Usage", Outcome.OK, None), ("Tool Usage Error", Outcome.ERROR, "tool_usage_error"),
        ("Tool Repeated Usage", Outcome.ERROR, "repeated_usage"),
    ],
)
def test_crewai(name: str, outcome: Outcome, error_type: str | None) -> None:
    sent = {"tool_name": "find", "attempts": 1, "llm": "example", "crew_id": "crew-1", "crewai_version": "1.0.0"}
    records, dialect = span(name, sent, scope="crewai.telemetry", service="crewAI-telemetry")
    assert dialect == "crewai"
    fields(
        only(records), tool="find", outcome=outcome, error_type=error_type, session_id="crew-1", session_source=SessionSource.SESSION,
        arguments_state=State.ABSENT, result_state=State.ABSENT, tool_call_id=None, observed_by=Observer.AGENT,
    )


def test_crewai_otherwise_is_context() -> None:
    records, dialect = span("Crew Created", {"crew_id": "crew-1"}, scope="crewai.telemetry")
    assert (dialect, len(records.calls), len(records.spans)) == ("crewai", 0, 1)


def test_crewai_tells_what_a_shared_crew_was_asked() -> None:
    """Its usages of tools name the agent's role and no crew."""
    sent = {"crew_id": "crew-1", "crew_tasks": '[{"id": "1", "description": "Find it.", "agent_role": "finder"}, 5]', "crew_output": "Found."}
    records, _ = span("Crew Execution", sent, scope="crewai.telemetry")
    assert [(m.role, m.text, m.session_id) for m in records.messages] == [("user", "Find it.", "crew-1"), ("assistant", "Found.", "crew-1")]
    assert records.messages[0].said_at < records.messages[1].said_at
    used, _ = span("Tool Usage", {"tool_name": "find", "agent_role": "finder", "agent_fingerprint": "f"}, scope="crewai.telemetry")
    fields(only(used), agent="finder", session_id=None, outcome=Outcome.OK)
