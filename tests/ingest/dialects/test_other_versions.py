"""SDKs in versions before and beside those of the other tests: in other words, in another language, with another one's processor around."""

from typing import Any

import pytest

from store.records import Outcome
from tests.ingest.dialects.sent import SPAN, TRACE, golden, recorded, span
from tests.ingest.dialects.test_counted_once import calls_of, item

WHO = {"session_id": "trip-1", "principal": "ann@example.com"}
CALLS: dict[str, tuple[dict[str, Any], ...]] = {
    "strands_0_1": (
        WHO | {"arguments": '{"city": "Paris"}', "result": '[{"text": "sunny in Paris"}]', "outcome": "ok", "agent": "Strands Agent"},
        WHO | {"arguments": '{"city": "nowhere"}', "result": '[{"text": "Error: no such city"}]', "outcome": "error", "agent": "Strands Agent"},
    ),
    "langfuse_js_5_11": (
        WHO | {"arguments": '{"city":"nowhere"}', "outcome": "error", "agent": "planner", "error_message": "no such city"},
        WHO | {"arguments": '{"city":"Paris"}', "result": '{"weather":"sunny"}', "outcome": "ok", "agent": "planner"},
    ),
    "openinference_vercel_2_8": (
        WHO | {"arguments": '{"city":"Paris"}', "result": '"sunny in Paris"', "outcome": "ok", "agent": "planner"},
        WHO | {"arguments": '{"city":"nowhere"}', "result": None, "outcome": "error", "agent": "planner"},
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_call_once(name: str) -> None:
    calls = sorted(calls_of(recorded(f"{name}.json")), key=lambda c: [w["arguments"] for w in CALLS[name]].index(c["arguments"]))
    assert [{key: call[key] for key in wanted} for call, wanted in zip(calls, CALLS[name], strict=True)] == list(CALLS[name])
    assert {call["tool"] for call in calls} == {"get_weather"}


@pytest.mark.parametrize("name", CALLS)
def test_what_was_said(name: str) -> None:
    said = {(m.role, m.text) for m in golden(f"{name}.json").messages}
    assert said >= {("system", "You plan trips."), ("user", "What is the weather in Paris?")}
    assert {text for role, text in said if role == "user"} == {"What is the weather in Paris?"}
    assert said & {("assistant", "It is sunny."), ("assistant", "I look.")}


def test_the_vercel_sdks_definitions_under_openinference() -> None:
    assert {(d.tool, d.description) for d in golden("openinference_vercel_2_8.json").definitions} == {("get_weather", "Weather of a city")}


def test_google_adk_before_1_1_has_a_call_and_its_response_beside_one_another() -> None:
    system = {"gen_ai.system": "gcp.vertex.agent"}
    answer = '{"content":{"parts":[{"function_response":{"id":"adk-1","name":"find","response":{"found":"Bo"}}}],"role":"user"}}'
    items = [
        item("agent_run [planner]", 1, None, {}, "gcp.vertex.agent"),
        item("call_llm", 2, 1, system | {"gcp.vertex.agent.session_id": "s-1"}, "gcp.vertex.agent"),
        item("tool_call [find]", 3, 2, system | {"gcp.vertex.agent.tool_call_args": '{"name": "Bo"}'}, "gcp.vertex.agent"),
        item("tool_response [find]", 4, 2, system | {"gcp.vertex.agent.tool_response": answer}, "gcp.vertex.agent"),
    ]
    (call,) = calls_of(items)
    assert (call["tool"], call["arguments"], call["result"], call["agent"], call["session_id"], call["outcome"]) == (
        "find", '{"name": "Bo"}', '{"found": "Bo"}', "planner", "s-1", "ok",
    )


def test_the_vercel_sdk_answers() -> None:
    sent = {"ai.operationId": "ai.generateText", "ai.prompt": '{"prompt":"Who?"}', "ai.response.text": "Bo.", "ai.telemetry.metadata.chatId": "s-1"}
    records, _ = span("ai.generateText", sent, scope="ai")
    assert [(m.role, m.text, m.session_id) for m in records.messages] == [("user", "Who?", "s-1"), ("assistant", "Bo.", "s-1")]


def test_a_span_that_only_looks_like_an_old_one() -> None:
    records, dialect = span("Tool: x", {"tool.name": "x"})
    assert dialect == "unknown" and records.spans[0].span_id == SPAN and records.spans[0].trace_id == TRACE
    assert span("Tool: x", {"tool.name": "x", "tool.status": "error"})[0].calls[0].outcome == Outcome.ERROR
