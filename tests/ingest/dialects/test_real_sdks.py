"""What agents really send: one agent with one tool, asked about Paris, that calls the tool for Paris and for nowhere, where it fails.

Each run was recorded with a scripted model and shortened. Every call counts once, with all that its payload tells, and the prompt is text.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from ingest.otlp.json import decode_traces
from store.records import Outcome, State
from tests.ingest.dialects.sent import GOLDEN, golden, span
from tests.ingest.dialects.test_counted_once import calls_of

ASKED, INSTRUCTED = "What is the weather in Paris?", "You plan trips."
GOOD: dict[str, Any] = {"tool": "get_weather", "arguments": '{"city": "Paris"}', "result": "sunny in Paris", "outcome": "ok", "agent": "planner"}
BAD: dict[str, Any] = {
    "tool": "get_weather", "arguments": '{"city": "nowhere"}', "outcome": "error", "agent": "planner", "error_message": "no such city",
    "error_type": "ValueError", "result": None,
}
COMPACT = {"arguments": '{"city":"Paris"}'}, {"arguments": '{"city":"nowhere"}'}
SERVICE = {"agent": "trip-planner"}
WHO = {"principal": "ann@example.com", "session_id": "trip-1"}
RETRIED = {"result": "no such city", "error_type": "pydantic_ai.exceptions.ToolRetryError"}
SHOWN = "An error occurred while running the tool. Please try again."
REDACTED = "{'tool_name': 'get_weather', 'error': 'Tool execution failed. Error details are redacted.'}"

CALLS: dict[str, tuple[Mapping[str, Any], ...]] = {
    "openinference_langchain_0_1": (
        GOOD | WHO | {"arguments": "Paris"}, BAD | WHO | {"arguments": "nowhere", "error_message": "ValueError('no such city')"},
    ),
    "openinference_openai_agents_2_6": (
        GOOD, BAD | {"error_message": f"Error running tool (non-fatal): {REDACTED}", "error_type": None, "result": SHOWN},
    ),
    "openllmetry_openai_agents_0_62": (
        GOOD, BAD | {"error_message": f"{{'message': 'Error running tool (non-fatal)', 'data': {REDACTED}}}", "error_type": None, "result": SHOWN},
    ),
    "openinference_crewai_1_1": (GOOD, BAD),
    "openinference_llama_index_4_6": (GOOD | SERVICE, BAD | SERVICE | {"error_message": "ValueError: no such city"}),
    "openllmetry_llama_index_0_62": (GOOD | SERVICE, BAD | SERVICE | {"error_message": None, "error_type": None, "result": "no such city"}),
    "openinference_smolagents_0_1": (GOOD,),
    "openinference_google_adk_1_0": (
        GOOD | WHO | {"result": '{"weather": "sunny in Paris"}'}, BAD | WHO | {"error_message": "ValueError: no such city"},
    ),
    "openinference_agno_1_0": (GOOD | WHO, BAD | WHO | {"error_type": None, "result": "no such city"}),
    "openinference_autogen_0_1": (GOOD | WHO, BAD | WHO | {"error_message": "ValueError: no such city", "result": "no such city"}),
    "openinference_dspy_0_1": (
        GOOD | SERVICE | {"result": '"sunny in Paris"'}, BAD | SERVICE | {"error_message": "ValueError: no such city"},
        SERVICE | {"tool": "finish", "arguments": "{}", "outcome": "ok"},
    ),
    "semantic_kernel_1_45": (GOOD | {"tool": "W-get_weather"}, BAD | {"tool": "W-get_weather", "error_message": "ValueError: no such city"}),
    "agent_framework_1_23_agent": (GOOD, BAD | {"error_message": "ValueError('no such city')"}),
    "pydantic_ai_2_68_v2": (GOOD | COMPACT[0], BAD | COMPACT[1] | RETRIED),
    "pydantic_ai_2_68_v5": (GOOD | COMPACT[0], BAD | COMPACT[1] | RETRIED),
    "anthropic_sdk_2_12": (
        GOOD | COMPACT[0] | SERVICE,
        BAD | COMPACT[1] | SERVICE | {"result": "ValueError('no such city')", "error_type": "tool_error", "error_message": None},
    ),
    "vercel_7_0": (GOOD | COMPACT[0] | {"result": '"sunny in Paris"'}, BAD | COMPACT[1] | {"error_type": "Error"}),
    "vercel_7_0_legacy": (GOOD | COMPACT[0] | {"result": '"sunny in Paris"'}, BAD | COMPACT[1] | {"error_type": "Error"}),
}
SILENT = {"openinference_crewai_1_1", "openinference_dspy_0_1", "semantic_kernel_1_45"}
"""Those that do not tell the system's instructions, or only in what was left out."""


@pytest.mark.parametrize("name", CALLS)
def test_each_call_once_with_all_that_is_told(name: str) -> None:
    calls = calls_of(decode_traces((GOLDEN / f"{name}.json").read_bytes()))
    assert [{key: call[key] for key in wanted} for call, wanted in zip(calls, CALLS[name], strict=True)] == [dict(w) for w in CALLS[name]]


@pytest.mark.parametrize("name", CALLS)
def test_the_prompt_is_text_and_nothing_else_is_one(name: str) -> None:
    said = {(message.role, message.text) for message in golden(f"{name}.json").messages}
    users = {text for role, text in said if role == "user"}
    assert ASKED in users and not any(text and text.startswith("{") for text in users)
    if name not in SILENT and "smolagents" not in name:
        assert any(role == "system" and (text or "").startswith(INSTRUCTED) for role, text in said)


def test_the_anthropic_sdk_says_whose_session_and_what_was_cut() -> None:
    sent = {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "read", "anthropic.session.id": "session_1", "anthropic.content.truncated": True,
        "anthropic.tool_result.content": '[{"type":"text","text":"a"},{"type":"text","text":"b"}]',
    }
    records, dialect = span("anthropic.tool_use read", sent, scope="com.anthropic.sdk.typescript")
    (call,) = records.calls
    assert (dialect, call.session_id, call.result, call.result_state) == ("anthropic_sdk", "session_1", "a\nb", State.TRUNCATED)
    assert (call.arguments, call.arguments_state) == (None, State.ABSENT)


def test_fastmcp_has_no_session_where_the_protocol_has_none() -> None:
    good, bad = calls_of(decode_traces((GOLDEN / "fastmcp_4_1.json").read_bytes()))
    for call, outcome in ((good, "ok"), (bad, "error")):
        assert (call["tool"], call["server"], call["agent"], call["outcome"]) == ("get_weather", "weather", "trip-planner", outcome)
        assert sorted(call["observed_by"]) == ["client", "server"]
        assert call["session_id"] == call["trace_id"]


TOOL = {"openinference.span.kind": "TOOL", "tool.name": "get_weather"}


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        ('{"kwargs": {"a": 1}}', '{"a": 1}'), ('{"args": [], "kwargs": {"a": 1}}', '{"a": 1}'),
        ('{"args": [7], "kwargs": {}}', '{"args": [7], "kwargs": {}}'), ('{"kwargs": "x"}', '{"kwargs": "x"}'),
        ('{"kwargs": {"a": 1}, "b": 2}', '{"kwargs": {"a": 1}, "b": 2}'), ('{"kwargs": {broken', '{"kwargs": {broken'),
    ],
)
def test_arguments_inside_of_a_wrapping(given: str, arguments: str) -> None:
    assert span("t", TOOL | {"input.value": given})[0].calls[0].arguments == arguments


@pytest.mark.parametrize(
    ("given", "result", "call_id", "outcome"),
    [
        ('{"type": "tool", "content": "x", "tool_call_id": "c", "status": "error"}', "x", "c", Outcome.ERROR),
        ('{"lc": 1, "kwargs": {"type": "tool", "content": "x", "tool_call_id": "c"}}', "x", "c", Outcome.OK),
        ('{"blocks": [{"text": "x"}], "raw_output": 1, "is_error": true}', "x", None, Outcome.ERROR),
        ('{"blocks": [{"url": "x"}], "raw_output": 1, "is_error": false}', "1", None, Outcome.OK),
        ('{"id": "c", "name": "t", "response": {"a": 1}}', '{"a": 1}', "c", Outcome.OK),
        ('{"type": "refund", "content": "x"}', '{"type": "refund", "content": "x"}', None, Outcome.OK),
        ('{"id": 7}', '{"id": 7}', None, Outcome.OK),
    ],
)
def test_results_inside_of_a_wrapping(given: str, result: str, call_id: str | None, outcome: Outcome) -> None:
    (call,) = span("t", TOOL | {"output.value": given})[0].calls
    assert (call.result, call.result_state, call.tool_call_id, call.outcome) == (result, State.CAPTURED, call_id, outcome)


def test_the_service_is_the_agent_only_where_nothing_around_can_tell() -> None:
    assert span("t", TOOL, service="trip-planner", parent="")[0].calls[0].agent == "trip-planner"
    assert span("t", TOOL, service="trip-planner")[0].calls[0].agent is None
    around = span("planner.run", {"openinference.span.kind": "AGENT"}, service="trip-planner")[0]
    assert [one.agent for one in around.spans] == ["planner"]


def test_a_traceback_is_no_message() -> None:
    thrown = [("exception", {"exception.type": "ValueError", "exception.message": "no such city"})]
    told = {"code": 2, "message": "ValueError('no')Traceback (most recent call last):\n  File"}
    (call,) = span("t", TOOL, events=thrown, status=told)[0].calls
    assert (call.error_type, call.error_message) == ("ValueError", "ValueError('no')")
    (handled,) = span("t", TOOL, events=thrown)[0].calls
    assert (handled.error_type, handled.error_message, handled.outcome) == (None, None, Outcome.OK)
