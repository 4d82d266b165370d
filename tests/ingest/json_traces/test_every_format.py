"""What holds for every format: golden records, the same from files and requests, the same twice, and no line breaks a reader."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import files
from ingest.batch import to_tables
from ingest.json_traces import lines
from ingest.json_traces.contract import OPEN_CALLS
from ingest.json_traces.lines import LogLines, formats, read_body
from ingest.redact import Redactor
from store.errors import SourceError
from store.records import Records
from tests.ingest.json_traces.samples import AT, SAMPLES, body

MOMENT = datetime(2026, 11, 20, 10, tzinfo=UTC)
MASKS = Redactor(b"a key for tests")

GOLDEN: dict[str, list[dict[str, Any]]] = {
    "call_lines": [{"tool": "t", "session_id": "s", "arguments": '{"a": 1}', "result_state": "absent", "observed_by": "gateway"}],
    "json_rpc": [{"tool": "read_file", "session_id": "s1", "agent": "desk", "server": "files", "server_version": "2", "arguments": '{"path": "a"}',
                  "result": "done", "outcome": "ok", "duration_ms": 1500.0, "observed_by": "gateway"}],
    "claude_desktop_log": [{"tool": "read_file", "server": "files", "result": "done", "outcome": "ok", "duration_ms": 1500.0,
                            "observed_by": "client"}],
    "mcp_server_logger": [{"tool": "read_file", "arguments": '{"path": "a"}', "result": "done", "outcome": "ok", "observed_by": "gateway"}],
    "claude_code_transcripts": [{"tool": "read_file", "server": "files", "session_id": "s1", "tool_call_id": "toolu_1", "result": "done",
                                 "outcome": "ok", "agent": "claude-code", "agent_version": "2.1.0", "observed_by": "agent"}],
    "codex_rollouts": [
        {"tool": "read_file", "server": "files", "session_id": "s1", "tool_call_id": "call_1", "arguments": '{"path": "a"}', "result": "done",
         "outcome": "error", "duration_ms": 1500.0, "agent": "codex", "agent_version": "0.169.0", "observed_by": "agent"},
        {"tool": "shell", "server": "codex", "outcome": "denied", "decision": "reject", "decided_by": "user"},
        {"tool": "list", "server": "files", "arguments": '{"path": "b"}', "result": "done", "outcome": "ok", "duration_ms": 1.0},
    ],
    "codex_exec": [
        {"tool": "read_file", "server": "files", "session_id": "s1", "arguments": '{"path": "a"}', "result": "done", "outcome": "ok"},
        {"tool": "command", "server": "codex", "arguments": '{"command": "ls"}', "result": "no", "outcome": "error"},
    ],
    "gemini_cli_chats": [{"tool": "read_file", "server": "files", "session_id": "s1", "tool_call_id": "c1", "arguments": '{"path": "a"}',
                          "result": "done", "outcome": "ok", "agent": "gemini-cli"}],
    "otel_js": [
        {"tool": "read_file", "server": "gemini-cli", "session_id": "s1", "arguments": '{"path": "a"}', "outcome": "ok", "dialect": "gemini_cli",
         "duration_ms": 12.0, "agent_version": None},
        {"tool": "drop", "session_id": "s2", "outcome": "error", "dialect": "otel_genai", "duration_ms": 1500.0, "error_message": "no",
         "trace_id": "5b8efff798038103d269b633813fc60c", "parent_span_id": "eee19b7ec3c1b173"},
    ],
    "chat_messages": [{"tool": "read_file", "session_id": "s1", "tool_call_id": "call_1", "arguments": '{"path": "a"}', "result": "done",
                       "observed_by": "agent"}],
    "langchain_messages": [{"tool": "read_file", "session_id": "s1", "arguments": '{"path": "a"}', "result": "done", "outcome": "ok"}],
    "openai_agents": [{"tool": "read_file", "server": "files", "session_id": "s1", "trace_id": "trace_1", "parent_span_id": "span_1",
                       "arguments": '{"path": "a"}', "result": "done", "outcome": "ok", "duration_ms": 1500.0, "principal": "ann@example.com"},
                      {"tool": "write_file", "outcome": "error", "error_message": "Error running tool (non-fatal): no such file"}],
    "toolhive": [{"tool": "read_file", "server": "files", "principal": "ann@example.com", "agent": "desk", "client_address": "192.0.2.1",
                  "outcome": "denied", "decision": "reject", "duration_ms": 150.0, "arguments_state": "absent", "transport": "streamable-http"}],
    "agentgateway_log": [{"tool": "read_file", "server": "files", "session_id": "s1", "principal": "ann", "client_address": "192.0.2.1",
                          "duration_ms": 12.0, "error_message": 'a "b" c', "outcome": "error", "arguments_state": "absent"}],
    "kuadrant": [{"tool": "read_file", "server": "mcp-test/files", "principal": "ann", "session_id": "jti:s1", "outcome": "ok"}],
    "kong_ai_mcp": [{"tool": "list_orders", "principal": "ann", "server": "orders", "duration_ms": 6.0, "outcome": "ok", "decision": "accept"},
                    {"tool": "drop_orders", "outcome": "denied", "decision": "reject"},
                    {"tool": "get_pet", "principal": "alice", "server": "pets", "session_id": "s2", "arguments": '{"id": 7}', "result": "no such pet",
                     "outcome": "error", "decision": "accept"},
                    {"tool": "drop_pet", "principal": "c-2", "session_id": "s2", "outcome": "denied", "decision": "reject"}],
    "envoy_ai_gateway_log": [{"tool": "(unnamed)", "server": "files", "session_id": "s1", "outcome": "ok", "duration_ms": 12.0},
                             {"tool": "drop", "server": "files", "session_id": "s1", "agent": "planner", "outcome": "denied", "duration_ms": 3.0}],
    "contextforge_siem": [],
    "docker_gateway_audit": [{"tool": "read_file", "duration_ms": 1200.0, "arguments_state": "redacted", "outcome": "unknown"},
                             {"tool": "drop", "server": "files", "outcome": "denied", "decision": "reject", "principal": "ann", "session_id": "s1"}],
    "pipelock": [{"tool": "drop", "outcome": "denied", "decision": "reject"}],
    "falco_prempti": [
        {"tool": "Bash", "outcome": "denied", "decision": "reject", "decided_by": "Deny recursive removal", "arguments": '{"command": "rm -rf /"}'},
        {"tool": "Edit", "outcome": "unknown", "decision": None, "session_id": "s1", "arguments": '{"file_path": "/etc/hosts"}'},
    ],
    "agentsh": [{"tool": "read_file", "server": "files", "session_id": "s1", "arguments": '{"path": "a"}', "outcome": "unknown"}],
    "mcp_defender": [{"tool": "read_file", "agent": "desk", "server": "files", "outcome": "denied", "arguments": '{"path": "a"}'}],
    "agent_governance": [{"tool": "read_file", "agent": "helper", "outcome": "denied", "decision": "reject", "error_message": "path"}],
    "agent_bom": [{"tool": "read_file", "agent": "helper", "outcome": "denied", "arguments_state": "absent"}],
    "agent_beacon": [{"tool": "read_file", "server": "files", "agent": "claude-code", "session_id": "s1", "arguments": '{"command": "read a"}'}],
    "mcp_audit": [{"tool": "read_file", "agent": "desk", "server": "files", "duration_ms": 12.0, "outcome": "unknown"}],
    "fastmcp_logging": [{"tool": "read_file", "arguments": '{"path": "aaaa', "arguments_state": "truncated", "outcome": "error",
                         "error_message": "no such file", "observed_by": "server"}],
    "splunk_mcp": [{"tool": "read_file", "arguments": '{"path": "a"}', "result_state": "absent"}],
}
OTHERS = {  # messages, definitions, access, spans
    "call_lines": (1, 0, 0, 0), "json_rpc": (0, 1, 1, 0), "claude_code_transcripts": (2, 0, 0, 0), "chat_messages": (2, 0, 0, 0),
    "langchain_messages": (1, 0, 0, 0),
    "codex_rollouts": (2, 0, 0, 0), "codex_exec": (1, 0, 0, 0), "gemini_cli_chats": (3, 0, 0, 0),
    "openai_agents": (0, 0, 0, 1), "toolhive": (0, 0, 1, 0), "agentgateway_log": (0, 0, 1, 0),
    "contextforge_siem": (0, 0, 1, 0), "pipelock": (0, 0, 1, 0), "agentsh": (0, 2, 0, 0),
}
every_format = pytest.mark.parametrize("name", [name for name, _ in formats()])


def all_of(records: Records) -> list[Any]:
    return [*records.calls, *records.messages, *records.definitions, *records.access, *records.spans]


@every_format
def test_golden(name: str) -> None:
    taken = read_body(body(SAMPLES[name]))
    assert (set(taken.claimed), taken.claimed.total(), list(taken.refused)) == ({name}, len(SAMPLES[name]), [])
    told = sorted(taken.records.calls, key=lambda c: [one["tool"] for one in GOLDEN[name]].index(c.tool))
    assert [{key: getattr(call, key) for key in one} for call, one in zip(told, GOLDEN[name], strict=True)] == GOLDEN[name]
    found = taken.records
    assert (len(found.messages), len(found.definitions), len(found.access), len(found.spans)) == OTHERS.get(name, (0, 0, 0, 0))
    assert {call.dialect for call in told} <= {name} or dict(formats())[name].of_dialects
    assert all(call.session_id for call in told)
    to_tables(taken.records, MASKS)


@every_format
def test_files_and_requests_give_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LINES_A_PART", 2)
    path = tmp_path / "log"
    path.write_bytes(body(SAMPLES[name]))
    found = Records()
    for part in files.read(str(path)):
        found.extend(part.records)
        assert not part.refused
    sent = read_body(body(SAMPLES[name])).records
    assert timeless(found) == timeless(sent)


def timeless(records: Records) -> list[Any]:
    """Lines without a time get one where they are read."""
    return [{f.name: getattr(one, f.name) for f in fields(one) if not f.name.endswith("_at")} for one in all_of(records)]


@every_format
def test_a_file_read_twice_counts_once(name: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(body(SAMPLES[name]))
    once, again = ([record for part in files.read(str(path)) for record in all_of(part.records)] for _ in range(2))
    assert once == again


@every_format
def test_observations_differ(name: str) -> None:
    calls = read_body(body(SAMPLES[name])).records.calls
    assert len({call.observation_id for call in calls}) == len(calls)


@every_format
def test_lines_that_are_cut_off_anywhere(name: str) -> None:
    for end in range(len(SAMPLES[name]) + 1):
        to_tables(read_body(body(SAMPLES[name][end:])).records, MASKS)


words = st.sampled_from([AT, "tools/call", "user", "tool_use", "{", "[1", "id", "type", "content", "name"])
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | words, inner, max_size=3),
    max_leaves=8,
)


def changed(value: Any, data: st.DataObject) -> Any:
    """A value of which something, somewhere, is something else."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 4)):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: changed(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.integers(0, 4)):
        n = data.draw(st.integers(0, len(value) - 1))
        return [*value[:n], changed(value[n], data), *value[n + 1:]]
    return data.draw(any_json)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
@every_format
def test_nothing_breaks_a_reader(name: str, data: st.DataObject) -> None:
    sample = [parsed(name, line) if isinstance(line, str) else line for line in SAMPLES[name]]
    log = LogLines(MOMENT)
    found = Records()
    for line in sample:
        one = line
        for _ in range(data.draw(st.integers(0, 3))):
            now = changed(one, data)
            one = now if isinstance(now, dict) else one
        try:
            read = log.read_object(one)
        except SourceError:
            continue
        for record in read:
            found.add(record)
    for record in log.finish():
        found.add(record)
    to_tables(found, MASKS)


def parsed(name: str, line: str) -> Any:
    parse = dict(formats())[name].parse
    return parse(line) if parse else None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.builds(lambda a, b: f"{AT} [{a}] [info] Message from client: {b}", st.text(max_size=5), st.text(max_size=20)))
def test_any_text(line: str) -> None:
    to_tables(read_body(line.encode("utf-8", "replace")).records, MASKS)


def test_deep_lines_are_refused_or_taken() -> None:
    for depth in (100, 500, 900, 5000):
        deep = b"[" * depth + b"]" * depth
        for start in (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":', b'{"role":"user","content":{"a":'):
            to_tables(read_body(start + deep + b"}}").records, MASKS)


def test_every_format_has_a_sample_and_says_what_it_carries() -> None:
    assert {name for name, _ in formats()} == set(SAMPLES) == set(GOLDEN)
    assert all(one.carries and one.never_carries for _, one in formats())
    assert len({one.rank for _, one in formats()}) == len(formats())


def test_samples_of_all_formats_in_one_file() -> None:
    whole = read_body(b"".join(map(body, SAMPLES.values())))
    assert (dict(whole.claimed), list(whole.refused)) == ({name: len(sample) for name, sample in SAMPLES.items()}, [])


def test_open_calls_are_bounded() -> None:
    log = LogLines(MOMENT)
    calls = []
    for n in range(OPEN_CALLS + 5):
        calls += log.read_object({"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": {"name": "t"}})
    assert len(calls) == 5
    assert len(log.finish()) == OPEN_CALLS


def test_an_unknown_line_is_refused_with_number_and_keys() -> None:
    taken = read_body(b'{"tool":"t","session_id":"s"}\n\n{"what":1,"else":2}\nplain text\n[1, 2]\n')
    assert taken.claimed == {"call_lines": 1}
    assert [reason[:50] for reason in taken.refused] == [
        "line 3: unknown content with the keys what, else; ", "line 4: not JSON: Expecting value at column 1",
        "line 5: must be a JSON object, not list",
    ]
    assert lines.KNOWN_LINES in taken.refused.reasons[0]


def test_what_is_wrong_in_a_list_does_not_cost_the_rest(tmp_path: Path) -> None:
    line = b'[{"tool":"t","session_id":"s"}, {"what":1}, 5, {"tool":"u","session_id":"s"}]\n'
    taken = read_body(line)
    assert [call.tool for call in taken.records.calls] == ["t", "u"]
    assert [reason[:30] for reason in taken.refused] == ["line 1: item 2: unknown conten", "line 1: item 3: must be a JSON"]
    path = tmp_path / "log"
    path.write_bytes(line * 2)
    (part,) = files.read(str(path))
    assert (len(part.records.calls), len(part.refused)) == (4, 4)


def test_a_text_file_of_no_known_form_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("hello\nworld\n")
    with pytest.raises(SourceError, match="unknown content"):
        list(files.read(str(path)))


def test_a_known_line_after_noise(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"starting up\n" + body(SAMPLES["claude_desktop_log"]))
    (*parts,) = files.read(str(path))
    assert sum(len(part.records.calls) for part in parts) == 1
    assert [reason.partition(": ")[0] for part in parts for reason in part.refused] == [f"{path}:1"]


def test_untimed_lines_come_in_order() -> None:
    log = LogLines(MOMENT)
    calls: Any = [record for n in range(3) for record in log.read_object({"tool": "t", "session_id": "s", "seq": n})]
    assert [call.called_at > MOMENT for call in calls] == [True] * 3
    assert sorted(calls, key=lambda c: c.called_at) == calls
    json.dumps([call.called_at.isoformat() for call in calls])


@pytest.mark.parametrize(("said", "means"), [("deny", "reject"), ("Rejected", "reject"), ("allowed", "accept"), (True, "accept"), ("later", "later")])
def test_what_flat_lines_say_of_a_decision(said: Any, means: str) -> None:
    (call,) = read_body(json.dumps({"session_id": "s", "tool": "t", "decision": said}).encode()).records.calls
    assert call.decision == means
