"""Claude Code's log records, with and without details switched on."""

from typing import Any

import pytest

from store.records import Access, Call, Message, Observer, Outcome, State
from tests.ingest.payloads import log, logs, records_of

WHO = {"session.id": "s1", "user.email": "developer@example.com", "user.id": "u"}


def read(event: str, n: int = 1, **attributes: Any) -> Any:
    """The one record of an event; numbers come as text or as numbers."""
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    found = records_of(logs(log(n, f"claude_code.{event}", {"event.name": event, "event.sequence": str(n), **WHO, **named})))
    records: list[Any] = [*found.calls, *found.messages, *found.access]
    (record,) = records
    return record


def test_tool_result_of_a_builtin() -> None:
    call: Call = read("tool_result", 7, tool_name="Read", tool_use_id="toolu_1", success="true", duration_ms="12", tool_input='{"file_path": "/a"}',
                      tool_result_size_bytes="99")
    assert (call.tool, call.server, call.tool_call_id, call.seq, call.duration_ms) == ("Read", "claude-code", "toolu_1", 7, 12.0)
    assert (call.arguments, call.arguments_state) == ('{"file_path": "/a"}', State.CAPTURED)
    assert (call.result_state, call.outcome) == (State.ABSENT, Outcome.OK)
    assert (call.principal, call.session_id, call.session_source) == ("developer@example.com", "s1", 2)
    assert (call.agent, call.agent_version) == ("claude-code", "2.1")
    assert call.attributes is not None and "file_path" not in call.attributes


@pytest.mark.parametrize(("attributes", "server", "tool"), [
    ({"tool_name": "mcp__mail__send_mail"}, "mail", "send_mail"), ({"tool_name": "mcp__mail__send__all"}, "mail", "send__all"),
    ({"tool_name": "mcp_tool", "tool_parameters": '{"mcp_server_name": "mail", "mcp_tool_name": "send_mail"}'}, "mail", "send_mail"),
    ({"tool_name": "mcp_tool"}, None, "(unnamed)"), ({"tool_name": "mcp____x"}, None, "x"), ({}, "claude-code", "(unnamed)"),
])
def test_which_tool_of_which_server(attributes: dict[str, Any], server: str | None, tool: str) -> None:
    call: Call = read("tool_result", success="true", **attributes)
    assert (call.server, call.tool) == (server, tool)


@pytest.mark.parametrize(("attributes", "arguments", "state"), [
    ({"tool_parameters": '{"mcp_server_name": "mail", "mcp_tool_name": "send_mail"}'}, None, State.ABSENT),
    ({"tool_parameters": '{"bash_command": "ls", "full_command": "ls -l"}'}, '{"bash_command": "ls", "full_command": "ls -l"}', State.CAPTURED),
    ({"tool_input": "<REDACTED>"}, None, State.REDACTED), ({}, None, State.ABSENT), ({"tool_input": "{}"}, "{}", State.CAPTURED),
    ({"tool_input": '{"content": "cut in the mid'}, '{"content": "cut in the mid', State.TRUNCATED),
    ({"tool_input": '{"content": "%s"}' % ("x" * 512)}, '{"content": "%s"}' % ("x" * 512), State.TRUNCATED),
])
def test_arguments(attributes: dict[str, Any], arguments: str | None, state: State) -> None:
    call: Call = read("tool_result", tool_name="t", **attributes)
    assert (call.arguments, call.arguments_state) == (arguments, state)


@pytest.mark.parametrize(("success", "outcome"), [
    ("true", Outcome.OK), (True, Outcome.OK), ("false", Outcome.ERROR), (False, Outcome.ERROR), (None, Outcome.UNKNOWN),
])
def test_outcome(success: Any, outcome: Outcome) -> None:
    call: Call = read("tool_result", tool_name="t", success=success, error="it broke", error_type="Error")
    assert (call.outcome, call.error_message, call.error_type) == (outcome, "it broke", "Error")


@pytest.mark.parametrize("odd", ["nan", "1e999", "many", "", -1e300, "9" * 400])
def test_odd_numbers_are_no_numbers(odd: Any) -> None:
    call: Call = read("tool_result", tool_name="t", duration_ms=odd, event__sequence=odd)
    assert call.seq is None
    assert call.duration_ms in (None, -1e300)


def test_a_rejected_call_has_only_its_decision() -> None:
    call: Call = read("tool_decision", tool_name="Bash", tool_use_id="toolu_1", decision="reject", source="user_reject",
                      tool_parameters='{"full_command": "git push"}')
    assert (call.observed_by, call.decision, call.decided_by, call.outcome) == (Observer.DECISION, "reject", "user_reject", Outcome.UNKNOWN)
    assert call.arguments == '{"full_command": "git push"}'


def test_prompts() -> None:
    message: Message = read("user_prompt", prompt="Fix the test", prompt_length="12")
    assert (message.role, message.text, message.text_state, message.session_id) == ("user", "Fix the test", State.CAPTURED, "s1")


def test_hidden_prompts_are_told_apart() -> None:
    one, other, again = (read("user_prompt", n, prompt="<REDACTED>") for n in (1, 2, 1))
    assert (one.text, one.text_state) == (None, State.REDACTED)
    assert one.message_id != other.message_id
    assert one.message_id == again.message_id


@pytest.mark.parametrize(("status", "outcome"), [("connected", Outcome.OK), ("failed", Outcome.ERROR)])
def test_connections(status: str, outcome: Outcome) -> None:
    access: Access = read("mcp_server_connection", status=status, server_name="mail", transport_type="http", error_code="ECONNREFUSED")
    assert (access.outcome, access.server, access.transport, access.error_message) == (outcome, "mail", "http", "ECONNREFUSED")


def test_the_events_name_stands_in_three_places() -> None:
    shared = WHO | {"tool_name": "Read", "event.sequence": 1}
    for record in (log(1, "claude_code.tool_result", shared), log(1, None, shared | {"event.name": "tool_result"}),
                   log(1, None, shared, event_name="claude_code.tool_result")):
        assert [c.tool for c in records_of(logs(record)).calls] == ["Read"]


def test_a_retried_export_is_the_same_sighting_and_a_resumed_session_another() -> None:
    one, again, later = (read("tool_result", tool_name="Read", event__sequence=5),
                         read("tool_result", tool_name="Read", event__sequence=5), read("tool_result", 2, tool_name="Read", event__sequence=5))
    assert one.observation_id == again.observation_id != later.observation_id


@pytest.mark.parametrize(("stamp", "moment"), [
    ("2026-08-11T00:14:50.277Z", "2026-08-11T00:14:50.277000+00:00"), ("2026-08-11T02:14:50+02:00", "2026-08-11T00:14:50+00:00"),
    ("2026-08-11T00:14:50", "2026-08-11T00:14:50+00:00"),
])
def test_the_moment_of_a_record_without_one(stamp: str, moment: str) -> None:
    attributes = WHO | {"event.name": "tool_result", "tool_name": "t", "event.timestamp": stamp}
    (call,) = records_of(logs(log(1, None, attributes, time_unix_nano=0))).calls
    assert call.called_at.isoformat() == moment


def test_other_events_are_no_records() -> None:
    assert len(records_of(logs(log(1, "claude_code.api_request", WHO), log(2, "claude_code.mcp_server_connection", {"status": "disconnected"})))) == 0


def test_what_the_assistant_says() -> None:
    message: Message = read("assistant_response", response="It is done.", response_length="11", model="m")
    assert (message.role, message.text, message.session_id, message.agent) == ("assistant", "It is done.", "s1", "claude-code")
    hidden: Message = read("assistant_response", response="<REDACTED>")
    assert (hidden.text, hidden.text_state) == (None, State.REDACTED)


def test_a_prompt_without_a_moment_of_its_own() -> None:
    attributes = WHO | {"event.name": "user_prompt", "prompt": "hi", "event.timestamp": "2026-08-11T00:14:50Z"}
    (message,) = records_of(logs(log(1, None, attributes, time_unix_nano=0))).messages
    assert message.said_at.isoformat() == "2026-08-11T00:14:50+00:00"


def test_a_result_tells_who_let_it_run() -> None:
    call: Call = read("tool_result", tool_name="Bash", success="true", decision_type="accept", decision_source="user_permanent", source="x")
    assert (call.observed_by, call.decision, call.decided_by, call.outcome) == (Observer.AGENT, "accept", "user_permanent", Outcome.OK)


@pytest.mark.parametrize(("success", "outcome"), [("true", Outcome.OK), ("false", Outcome.ERROR)])
def test_logging_in(success: str, outcome: Outcome) -> None:
    access: Access = read("auth", action="login", success=success, auth_method="claude_ai", error_category="expired")
    assert (access.method, access.outcome, access.principal, access.agent) == ("login", outcome, "developer@example.com", "claude-code")
    assert access.error_message == "expired"
