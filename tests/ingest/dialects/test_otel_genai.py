"""GenAI conventions: the old events, the new attributes, and what frameworks make of them."""

from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from store.records import Observer, Outcome, State
from tests.ingest.payloads import START, call_of, log, logs, pairs, records_of, span, traces

TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather", "gen_ai.tool.call.id": "call_1"}


def test_execute_tool() -> None:
    attributes = TOOL | {
        "gen_ai.tool.call.arguments": '{"city": "Oslo"}', "gen_ai.tool.call.result": "sunny", "gen_ai.conversation.id": "conv-1",
        "gen_ai.agent.name": "planner", "gen_ai.agent.version": "3", "user.id": "u1", "server.port": 80,
    }
    call = call_of(traces(span(1, "execute_tool get_weather", attributes, parent_span_id=b"12345678")))
    assert (call.tool, call.tool_call_id, call.agent, call.agent_version, call.principal) == ("get_weather", "call_1", "planner", "3", "u1")
    assert (call.arguments, call.arguments_state, call.result, call.result_state) == ('{"city": "Oslo"}', State.CAPTURED, "sunny", State.CAPTURED)
    assert (call.session_id, call.session_source, call.observed_by, call.outcome) == ("conv-1", 1, Observer.AGENT, Outcome.OK)
    assert (call.duration_ms, call.called_at.timestamp(), call.dialect) == (2.5, (START + 1_000_000) / 1e9, "otel_genai")
    assert (call.trace_id, call.span_id, call.parent_span_id) == (f"{1001:032x}", f"{1001:016x}", b"12345678".hex())
    assert call.attributes is not None and '"server.port": 80' in call.attributes and "Oslo" not in call.attributes


@pytest.mark.parametrize(("given", "text", "state"), [
    ({"city": "Oslo", "days": 2, "deep": {"a": [1, None, True]}}, '{"city": "Oslo", "days": 2, "deep": {"a": [1, null, true]}}', State.CAPTURED),
    ({}, "{}", State.CAPTURED), ("{}", "{}", State.CAPTURED), (None, None, State.ABSENT), ("", None, State.ABSENT),
    ("<REDACTED>", None, State.REDACTED), ("[REDACTED]", None, State.REDACTED), ("N/A", None, State.REDACTED),
    ("not JSON {", "not JSON {", State.CAPTURED),
    ({"x": float("nan"), "y": b"ab"}, '{"x": "nan", "y": "ab"}', State.CAPTURED), (False, "false", State.CAPTURED),
])
def test_arguments_in_every_shape(given: Any, text: str | None, state: State) -> None:
    call = call_of(traces(span(attributes=TOOL | {"gen_ai.tool.call.arguments": given})))
    assert (call.arguments, call.arguments_state) == (text, state)


def test_nothing_recorded_is_absent() -> None:
    call = call_of(traces(span(attributes=TOOL)))
    assert (call.arguments, call.arguments_state, call.result, call.result_state) == (None, State.ABSENT, None, State.ABSENT)


@pytest.mark.parametrize("attributes", [
    {"gen_ai.tool.name": "t"}, {"gen_ai.tool.name": "t", "gen_ai.operation.name": "tool_call", "gen_ai.tool.call_id": "c"},
])
def test_frameworks_without_the_operations_name(attributes: dict[str, Any]) -> None:
    assert call_of(traces(span(1, "t", attributes))).tool == "t"


def test_placeholders_are_no_ids_and_merged_spans_no_calls() -> None:
    assert call_of(traces(span(attributes=TOOL | {"gen_ai.tool.call.id": "<not specified>", "user.id": "N/A"}))).tool_call_id is None
    merged = records_of(traces(span(1, "execute_tool (merged tools)", TOOL | {"gen_ai.tool.name": "(merged tools)"})))
    assert (merged.calls, len(merged.spans)) == ([], 1)


@pytest.mark.parametrize(("more", "outcome", "error_type", "message"), [
    ({"status": Status(code=Status.STATUS_CODE_ERROR, message="no such city")}, Outcome.ERROR, None, "no such city"),
    ({"status": Status(code=Status.STATUS_CODE_OK)}, Outcome.OK, None, None),
])
def test_outcome_of_the_status(more: dict[str, Any], outcome: Outcome, error_type: str | None, message: str | None) -> None:
    call = call_of(traces(span(attributes=TOOL, **more)))
    assert (call.outcome, call.error_type, call.error_message) == (outcome, error_type, message)


def test_outcome_of_the_error_type() -> None:
    call = call_of(traces(span(attributes=TOOL | {"error.type": "TimeoutError"})))
    assert (call.outcome, call.error_type) == (Outcome.ERROR, "TimeoutError")


def test_langchain_envelope() -> None:
    envelope = '{"input_str": "{\'city\': \'Oslo\'}", "tags": [], "metadata": {}, "inputs": %s, "kwargs": {}}'
    for inputs, arguments in (('{"city": "Oslo"}', '{"city": "Oslo"}'), ("null", "{'city': 'Oslo'}")):
        call = call_of(traces(span(attributes=TOOL | {"gen_ai.tool.call.arguments": envelope % inputs})))
        assert call.arguments == arguments


def test_strands_events_and_adk_attributes() -> None:
    events = [Span.Event(name="gen_ai.tool.message", attributes=pairs({"content": '{"a": 1}'})),
              Span.Event(name="gen_ai.choice", attributes=pairs({"message": "done"}))]
    call = call_of(traces(span(attributes=TOOL, events=events)))
    assert (call.arguments, call.result) == ('{"a": 1}', "done")
    call = call_of(traces(span(attributes=TOOL | {"gcp.vertex.agent.tool_call_args": '{"a": 1}', "gcp.vertex.agent.tool_response": "N/A"})))
    assert (call.arguments, call.result, call.result_state) == ('{"a": 1}', None, State.REDACTED)


def test_messages_and_definitions_of_a_chat() -> None:
    """1.38 and later; JSON text or values."""
    messages = [{"role": "user", "parts": [{"type": "text", "content": "weather?"}, {"type": "blob", "content": "x"}]},
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "result": "x"}]}]
    definitions = '[{"type": "function", "name": "get_weather", "description": "Weather", "parameters": {"type": "object"}}, "junk"]'
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": messages, "gen_ai.tool.definitions": definitions,
                  "gen_ai.system_instructions": '[{"type": "text", "content": "Be brief."}]', "gen_ai.conversation.id": "c", "gen_ai.agent.name": "a"}
    found = records_of(traces(span(1, "chat a-model", attributes)))
    assert [(m.role, m.text, m.session_id, m.agent) for m in found.messages] == [("system", "Be brief.", "c", "a"), ("user", "weather?", "c", "a")]
    assert [(d.tool, d.description, d.input_schema) for d in found.definitions] == [("get_weather", "Weather", '{"type": "object"}')]
    assert (found.calls, len(found.spans)) == ([], 1)


def test_messages_of_1_36_events_on_the_span() -> None:
    events = [Span.Event(name="gen_ai.system.message", attributes=pairs({"content": "Be brief."})),
              Span.Event(name="gen_ai.user.message", attributes=pairs({"content": "weather?"})),
              Span.Event(name="gen_ai.tool.message", attributes=pairs({"content": "sunny"}))]
    found = records_of(traces(span(1, "chat a-model", {"gen_ai.operation.name": "chat", "gen_ai.system": "openai"}, events=events)))
    assert [(m.role, m.text) for m in found.messages] == [("system", "Be brief."), ("user", "weather?")]


def test_messages_of_1_36_events_as_log_records() -> None:
    record = log(1, {"content": "weather?"}, {"gen_ai.system": "openai"}, event_name="gen_ai.user.message", trace_id=b"1234567890123456")
    found = records_of(logs(record, scope="opentelemetry.instrumentation.openai_v2"))
    assert [(m.role, m.text, m.trace_id) for m in found.messages] == [("user", "weather?", b"1234567890123456".hex())]


def test_one_message_told_twice_is_one() -> None:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": '[{"role": "user", "content": "hi"}]', "session.id": "s"}
    found = records_of(traces(span(1, "chat", attributes), span(2, "chat", attributes)))
    assert len({m.message_id for m in found.messages}) == 1


def test_answers_of_a_chat_come_at_its_end() -> None:
    answer = [{"role": "assistant", "parts": [{"type": "text", "content": "Sunny."}, {"type": "tool_call", "id": "1", "name": "t"}]}]
    found = records_of(traces(span(1, "chat", {"gen_ai.operation.name": "chat", "gen_ai.output.messages": answer})))
    assert [(m.role, m.text, m.said_at.timestamp()) for m in found.messages] == [("assistant", "Sunny.", (START + 3_500_000) / 1e9)]


@pytest.mark.parametrize("completion", [
    '{"text": "Sunny.", "finish_reason": "stop"}', '[{"role": "assistant", "content": "Sunny."}]', '{"role": "assistant", "content": "Sunny."}',
])
def test_prompts_and_completions_of_before(completion: str) -> None:
    prompt = '[{"role": "user", "parts": [{"type": "text", "content": "weather?"}]}]'
    found = records_of(traces(span(1, "chat", {"gen_ai.operation.name": "chat", "gen_ai.prompt": prompt, "gen_ai.completion": completion})))
    assert [(m.role, m.text) for m in found.messages] == [("user", "weather?"), ("assistant", "Sunny.")]
    events = [Span.Event(name="gen_ai.content.prompt", attributes=pairs({"gen_ai.prompt": prompt})),
              Span.Event(name="gen_ai.content.completion", attributes=pairs({"gen_ai.completion": completion}))]
    assert records_of(traces(span(1, "chat", {"gen_ai.operation.name": "chat"}, events=events))).messages == found.messages


def test_details_in_an_event() -> None:
    details = {"gen_ai.input.messages": '[{"role": "user", "content": "weather?"}]',
               "gen_ai.system_instructions": '[{"type": "text", "content": "Hm."}]'}
    events = [Span.Event(name="gen_ai.client.inference.operation.details", attributes=pairs(details))]
    found = records_of(traces(span(1, "chat", {"gen_ai.operation.name": "chat"}, events=events)))
    assert [(m.role, m.text) for m in found.messages] == [("system", "Hm."), ("user", "weather?")]


@pytest.mark.parametrize(("name", "said"), [
    ("gen_ai.assistant.message", {"content": "Sunny.", "tool_calls": "[]"}), ("gen_ai.choice", {"index": 0, "message": '{"content": "Sunny."}'}),
    ("gen_ai.choice", {"message": "Sunny."}), ("gen_ai.choice", {"message": {"role": "assistant", "content": "Sunny."}}),
])
def test_answers_of_1_36_events(name: str, said: dict[str, Any]) -> None:
    on_the_span = span(1, "chat", {"gen_ai.operation.name": "chat"}, events=[Span.Event(name=name, attributes=pairs(said))])
    assert [(m.role, m.text) for m in records_of(traces(on_the_span)).messages] == [("assistant", "Sunny.")]
    record = log(1, said, {"gen_ai.system": "openai"}, event_name=name, trace_id=b"1234567890123456")
    found = records_of(logs(record, scope="opentelemetry.instrumentation.openai_v2"))
    assert [(m.role, m.text) for m in found.messages] == [("assistant", "Sunny.")]
