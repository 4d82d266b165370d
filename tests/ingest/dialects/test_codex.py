from datetime import UTC, datetime
from typing import Any

import pytest

from store.records import Observer, Outcome, SessionSource, State
from tests.ingest.dialects.sent import fields, log, only, span

COMMON: dict[str, Any] = {
    "conversation.id": "conv-1", "user.email": "ann@example.com", "user.account_id": "acc-1", "app.version": "0.153.4",
    "event.timestamp": "2026-09-21T12:53:20Z",
}
SHELL: dict[str, Any] = COMMON | {
    "event.name": "codex.tool_result", "tool_name": "shell", "call_id": "call_1", "arguments": '{"command":["ls"]}', "duration_ms": "12",
    "success": "true", "output": "README.md", "mcp_server": "", "mcp_server_origin": "", "tool_result_seq": "7",
}


def test_built_in_tool() -> None:
    records, dialect = log(SHELL, scope="codex_otel.log_only", service="codex_cli_rs")
    assert dialect == "codex"
    fields(
        only(records), tool="shell", server="codex", tool_call_id="call_1", arguments='{"command":["ls"]}', arguments_state=State.CAPTURED,
        result="README.md", result_state=State.CAPTURED, session_id="conv-1", session_source=SessionSource.CONVERSATION, agent="codex",
        agent_version="0.153.4", principal="ann@example.com", outcome=Outcome.OK, duration_ms=12.0, seq=7, observed_by=Observer.AGENT,
        transport=None, server_address=None, decision=None, called_at=datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC),
    )


def test_tool_of_an_mcp_server_that_failed() -> None:
    sent = SHELL | {
        "tool_name": "mcp__files__read_file", "mcp_server": "files", "mcp_server_origin": "stdio", "success": "false", "output": "no such file",
        "output_truncated": "true",
    }
    fields(
        only(log(sent)[0]), tool="read_file", server="files", transport="stdio", outcome=Outcome.ERROR, result="no such file",
        result_state=State.TRUNCATED,
    )


def test_remote_server() -> None:
    made = only(log(SHELL | {"mcp_server": "crm", "mcp_server_origin": "https://crm.example.com", "success": True, "duration_ms": 12})[0])
    fields(made, server="crm", transport="http", server_address="https://crm.example.com", outcome=Outcome.OK, duration_ms=12.0)


def test_failure_before_the_call_has_no_arguments() -> None:
    sent = {k: v for k, v in SHELL.items() if k not in ("arguments", "call_id")} | {"success": False}
    fields(only(log(sent)[0]), arguments=None, arguments_state=State.ABSENT, tool_call_id=None, outcome=Outcome.ERROR)


@pytest.mark.parametrize(
    ("said", "means"),
    [("approved", "accept"), ("approved_for_session", "accept"), ("denied", "reject"), ("abort", "reject"), ("timed_out", "reject"),
     ("allow", "accept"), ("deny", "reject"), ("denied_with_network_policy_deny", "reject"), ("Rejected", "reject"), ("deferred", None)],
)
def test_decision(said: str, means: str | None) -> None:
    records, _ = log(COMMON | {"tool_name": "mcp__crm__delete", "call_id": "call_2", "decision": said, "source": "User"}, event="codex.tool_decision")
    fields(
        only(records), tool="delete", server="crm", tool_call_id="call_2", decision=means, decided_by="user", observed_by=Observer.DECISION,
        outcome=Outcome.UNKNOWN, arguments_state=State.ABSENT, result_state=State.ABSENT,
    )


def test_prompts_and_redacted_prompts() -> None:
    records, _ = log(COMMON | {"prompt": "List the files", "prompt_length": "14"}, body="codex.user_prompt")
    assert [(m.role, m.text, m.text_state, m.session_id, m.agent) for m in records.messages] == [
        ("user", "List the files", State.CAPTURED, "conv-1", "codex")
    ]
    hidden = [log(COMMON | {"prompt": "[REDACTED]", "prompt_length": n}, body="codex.user_prompt")[0].messages[0] for n in ("14", "15")]
    assert [(m.text, m.text_state) for m in hidden] == [(None, State.REDACTED)] * 2
    assert len({m.message_id for m in hidden}) == 2


def test_servers_that_are_set_up() -> None:
    records, _ = log(COMMON | {"mcp_servers": "files, crm", "approval_policy": "never"}, event="codex.conversation_starts")
    assert [(a.server, a.outcome, a.agent, a.principal, a.session_id) for a in records.access] == [
        ("files", Outcome.UNKNOWN, "codex", "ann@example.com", "conv-1"), ("crm", Outcome.UNKNOWN, "codex", "ann@example.com", "conv-1"),
    ]
    assert not log(COMMON | {"mcp_servers": ""}, event="codex.conversation_starts")[0].access


def test_twin_with_lengths_only_is_no_second_call() -> None:
    records, dialect = log(COMMON | {"event.name": "codex.tool_result", "arguments_length": 3}, scope="codex_otel.trace_safe")
    assert (dialect, len(records)) == ("codex", 0)


def test_sent_twice_is_the_same_sighting_and_another_time_is_not() -> None:
    first, again, other = (only(log(SHELL, at=at)[0]).observation_id for at in (1, 1, 2))
    assert first == again != other


def test_a_log_record_lies_inside_the_span_that_it_names() -> None:
    made = only(log(SHELL)[0])
    assert made.span_id is None and made.parent_span_id


def test_spans_are_context() -> None:
    records, dialect = span("session_task.turn", {}, service="codex_exec")
    assert (dialect, len(records.calls), len(records.spans)) == ("codex", 0, 1)


def test_payloads_stay_out_of_the_other_attributes() -> None:
    assert "README" not in str(only(log(SHELL)[0]).attributes)
