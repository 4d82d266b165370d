"""What coding agents write of their sessions beside the plainest of their lines, in the shapes that they really printed."""

import json
from typing import Any

import pytest

from ingest.json_traces.lines import read_body
from store.records import Observer, Outcome, Records
from tests.ingest.json_traces.samples import AT, SAMPLES, body


def read(*lines: Any) -> Records:
    taken = read_body("\n".join(map(json.dumps, lines)).encode())
    assert not taken.refused.reasons
    return taken.records


STREAM: list[dict[str, Any]] = [
    {"type": "system", "subtype": "init", "session_id": "s1", "uuid": "u0", "claude_code_version": "2.1.197",
     "mcp_servers": [{"name": "crm", "status": "connected"}, {"name": "mail", "status": "failed"}]},
    {"type": "assistant", "session_id": "s1", "uuid": "u1", "parent_tool_use_id": None, "message": {"role": "assistant", "content": [
        {"type": "tool_use", "id": "toolu_1", "name": "mcp__crm__find", "input": {"name": "Bo"}},
        {"type": "tool_use", "id": "toolu_2", "name": "WebFetch", "input": {"url": "https://example.com"}}]}},
    {"type": "user", "session_id": "s1", "uuid": "u2", "parent_tool_use_id": None, "timestamp": AT,
     "tool_use_result": [{"type": "text", "text": "Bo Example"}], "message": {"role": "user", "content": [
         {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "Bo Example"}]}]}},
    {"type": "user", "session_id": "s1", "uuid": "u3", "parent_tool_use_id": None, "timestamp": AT,
     "tool_use_result": "Error: Claude requested permissions to use WebFetch, but you haven't granted it yet.",
     "message": {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_2", "is_error": True,
                                              "content": "Claude requested permissions to use WebFetch, but you haven't granted it yet."}]}},
    {"type": "result", "subtype": "success", "session_id": "s1", "uuid": "u4",
     "permission_denials": [{"tool_name": "WebFetch", "tool_use_id": "toolu_2", "tool_input": {}}]},
]


def test_claude_code_prints_a_stream() -> None:
    found = read(*STREAM)
    assert [(c.tool, c.server, c.result, c.outcome, c.agent_version) for c in found.calls[:2]] == [
        ("find", "crm", "Bo Example", Outcome.OK, "2.1.197"), ("WebFetch", "claude-code", None, Outcome.DENIED, "2.1.197"),
    ]
    denied = found.calls[2]
    assert (denied.observed_by, denied.decision, denied.tool_call_id, denied.session_id) == (Observer.DECISION, "reject", "toolu_2", "s1")
    assert [(a.server, a.outcome) for a in found.access] == [("crm", Outcome.OK), ("mail", Outcome.ERROR)]


def test_a_server_cannot_say_that_its_call_was_not_allowed() -> None:
    words = "Claude requested permissions to use mcp__crm__find, but you haven't granted it yet."
    refused = {"type": "user", "session_id": "s1", "uuid": "u2", "tool_use_result": f"Error: {words}", "message": {
        "role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "is_error": True, "content": words}]}}
    call = read(STREAM[1], refused).calls[0]
    assert (call.tool, call.outcome, call.decision) == ("find", Outcome.ERROR, None)


def test_what_a_subagent_is_told_is_not_the_users_word() -> None:
    line = {"type": "user", "session_id": "s1", "uuid": "u", "parent_tool_use_id": "toolu_9", "message": {"role": "user", "content": "Look there"}}
    assert [m.role for m in read(line).messages] == ["assistant"]


@pytest.mark.parametrize(("output", "result", "outcome"), [
    ('{"output":"no","metadata":{"exit_code":1,"duration_seconds":0.1}}', "no", Outcome.ERROR),
    ('{"output":"yes","metadata":{"exit_code":0}}', "yes", Outcome.OK), ({"content": "no", "success": False}, "no", Outcome.ERROR),
    ("plain", "plain", Outcome.OK), ([{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}], "a\nb", Outcome.OK),
])
def test_outputs_of_codex_in_all_its_versions(output: Any, result: str, outcome: Outcome) -> None:
    asked = {"type": "function_call", "name": "shell", "arguments": "{}", "call_id": "c"}
    answered = {"type": "function_call_output", "call_id": "c", "output": output}
    (call,) = read(*({"timestamp": AT, "type": "response_item", "payload": one} for one in (asked, answered))).calls
    assert (call.result, call.outcome) == (result, outcome)


def test_codex_ended_a_command_with_an_error() -> None:
    asked = {"type": "function_call", "name": "shell", "arguments": "{}", "call_id": "c"}
    ended = {"type": "exec_command_end", "call_id": "c", "exit_code": 2, "duration": {"secs": 0, "nanos": 5_000_000}}
    answered = {"type": "function_call_output", "call_id": "c", "output": "no such file"}
    lines = [("response_item", asked), ("event_msg", ended), ("response_item", answered)]
    (call,) = read(*({"timestamp": AT, "type": kind, "payload": one} for kind, one in lines)).calls
    assert (call.outcome, call.duration_ms, call.result) == (Outcome.ERROR, 5.0, "no such file")


def test_a_whole_session_of_gemini_in_one_object() -> None:
    head, _, *messages = SAMPLES["gemini_cli_chats"]
    assert isinstance(head, dict)
    found = read(head | {"messages": messages})
    assert [(c.tool, c.session_id, c.result) for c in found.calls] == [("read_file", "s1", "done")]
    assert [(m.role, m.text) for m in found.messages] == [("user", "read it"), ("assistant", "reading")]


@pytest.mark.parametrize("indent", [1, 2])
@pytest.mark.parametrize("name", ["otel_js", "gemini_cli_chats", "chat_messages"])
def test_objects_printed_prettily_one_after_another(name: str, indent: int) -> None:
    lines = SAMPLES[name]
    pretty = "\n".join(json.dumps(one, indent=indent) for one in lines).encode()
    taken, plain = read_body(pretty), read_body(body(lines))
    assert (taken.claimed, list(taken.refused)) == (plain.claimed, [])
    assert len(taken.records) == len(plain.records)


def test_a_pretty_text_that_breaks_off_is_refused_line_by_line() -> None:
    pretty = json.dumps(SAMPLES["chat_messages"][0], indent=1)[:-20].encode()
    taken = read_body(pretty)
    assert not taken.claimed and taken.refused.count == pretty.count(b"\n") + 1


def test_moments_of_a_span_in_javascript() -> None:
    call = read_body(body(SAMPLES["otel_js"])).records.calls[-1]
    assert call.called_at.isoformat() == "2025-11-20T10:00:01+00:00"
