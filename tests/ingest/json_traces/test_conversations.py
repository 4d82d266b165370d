"""Transcripts and message lists."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.batch import to_tables
from ingest.json_traces.lines import read_body
from ingest.redact import Redactor
from store.intake import absorb
from store.records import Observer, Outcome, Records, State
from tests.ingest.json_traces.samples import AT, LATER, TEXT, body
from toolhound.proof import database_of


def read(*given: Any) -> Records:
    taken = read_body(body(list(given)))
    assert not taken.refused
    return taken.records


def line(kind: str, content: Any, session: str = "s1", at: str = AT, **more: Any) -> dict[str, Any]:
    return {"type": kind, "uuid": "u", "sessionId": session, "timestamp": at, "message": {"role": kind, "content": content}, **more}


def use(id_: str, name: str = "Bash", **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": name, "input": given}


def answer(id_: str, content: Any = "done", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id_, "content": content, **more}


def test_builtin_tools_and_servers() -> None:
    found = read(line("assistant", [use("toolu_1"), use("toolu_2", "mcp__my__server__x")]), line("user", [answer("toolu_1"), answer("toolu_2")]))
    assert [(one.server, one.tool) for one in found.calls] == [("claude-code", "Bash"), ("my", "server__x")]


def test_a_resumed_session_counts_once() -> None:
    asked, told = line("assistant", [use("toolu_1")]), line("user", [answer("toolu_1")], at=LATER)
    again = {**asked, "sessionId": "s2"}, {**told, "sessionId": "s2"}
    (one,) = read(asked, told, asked, told).calls
    (resumed,) = read(*again).calls
    assert one.observation_id == resumed.observation_id
    assert len(read(asked, told, *again).calls) == 1


def test_a_call_under_way_gets_its_result_later() -> None:
    asked, told = line("assistant", [use("toolu_1")]), line("user", [answer("toolu_1")], at=LATER)
    sightings = [*read(asked).calls, *read(asked, told).calls]
    assert [one.observed_by for one in sightings] == [Observer.DECISION, Observer.AGENT]
    (one,) = database_of(sightings).rows("SELECT result, outcome FROM calls")
    assert (one["result"], one["outcome"]) == ("done", "ok")


def test_a_rejection_stands_where_no_server_can_write() -> None:
    asked = line("assistant", [use("toolu_1")])
    (one,) = read(asked, line("user", [answer("toolu_1", "The user doesn't want", is_error=True)], toolUseResult="User rejected tool use")).calls
    assert (one.outcome, one.decision, one.decided_by, one.result_state) == (Outcome.DENIED, "reject", "user", State.ABSENT)
    (one,) = read(asked, line("user", [answer("toolu_1", "User rejected tool use", is_error=True)], toolUseResult="Error: User rejected")).calls
    assert (one.outcome, one.decision, one.error_message) == (Outcome.ERROR, None, "User rejected tool use")


def test_who_said_it() -> None:
    found = read(line("user", "from the user"), line("user", "from above", isSidechain=True), line("user", "note", isMeta=True),
                 line("assistant", [{"type": "text", "text": "answer"}]), line("user", "so far", isCompactSummary=True),
                 {**line("user", ""), "message": "plain"})
    assert [(one.role, one.text) for one in found.messages] == [
        ("user", "from the user"), ("assistant", "from above"), ("system", "note"), ("assistant", "answer"), ("assistant", "so far"),
        ("user", "plain"),
    ]


OPENAI = [
    {"role": "user", "content": "read it"},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "a", "arguments": '{"x": broken'}},
        {"id": "call_2", "type": "function", "function": {"name": "b", "arguments": {"x": 1}}},
    ]},
    {"role": "tool", "tool_call_id": "call_2", "content": TEXT}, {"role": "tool", "tool_call_id": "call_1", "content": "one"},
    {"role": "assistant", "content": "there you are"},
]
LEGACY = [
    {"role": "assistant", "content": None, "function_call": {"name": "a", "arguments": "{}"}}, {"role": "function", "name": "a", "content": "one"},
]
RESPONSES = [
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "read it"}]},
    {"type": "function_call", "call_id": "c1", "name": "a", "arguments": "{}"}, {"type": "function_call_output", "call_id": "c1", "output": "one"},
    {"type": "mcp_list_tools", "server_label": "files", "tools": [{"name": "b", "description": "d", "input_schema": {"type": "object"}}]},
    {"type": "mcp_approval_request", "id": "r1", "server_label": "files", "name": "no", "arguments": "{}"},
    {"type": "mcp_approval_response", "approval_request_id": "r1", "approve": False},
    {"type": "mcp_approval_request", "id": "r2", "server_label": "files", "name": "b", "arguments": "{}"},
    {"type": "mcp_approval_response", "approval_request_id": "r2", "approve": True},
    {"type": "mcp_call", "id": "m1", "server_label": "files", "name": "b", "arguments": "{}", "output": None, "error": "broken"},
]
ANTHROPIC = [
    {"role": "user", "content": "read it"},
    {"role": "assistant", "content": [
        {"type": "text", "text": "yes"}, use("toolu_1", "a"),
        {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "b", "server_name": "files", "input": {}},
        {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": True, "content": TEXT},
    ]},
    {"role": "user", "content": [answer("toolu_1")]},
]


def told(records: Records) -> list[tuple[str | None, str, str | None, str]]:
    return [(one.server, one.tool, one.result, one.outcome) for one in sorted(records.calls, key=lambda c: c.tool)]


CASES = [
    (OPENAI, [(None, "a", "one", "ok"), (None, "b", "done", "ok")]), (LEGACY, [(None, "a", "one", "ok")]),
    (RESPONSES, [(None, "a", "one", "ok"), ("files", "b", None, "error"), ("files", "no", None, "denied")]),
    (ANTHROPIC, [(None, "a", "done", "ok"), ("files", "b", "done", "error")]),
]


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_lists_in_one_line_and_message_by_message(given: list[dict[str, Any]], expected: list[Any]) -> None:
    for found in (read({"messages": given}), read(*given), read({"input": given}), read({"request": {"messages": given}})):
        assert told(found) == expected
        assert len({one.session_id for one in found.calls} | {one.session_id for one in found.messages}) == 1
        assert {one.observed_by for one in found.calls} == {Observer.AGENT}


def test_arguments_that_are_no_json_stay_as_they_are() -> None:
    assert {one.arguments for one in read({"messages": OPENAI}).calls} == {'{"x": broken', '{"x": 1}'}


def test_a_history_that_grows_counts_once() -> None:
    grown = [{"messages": OPENAI[:n]} for n in range(1, len(OPENAI) + 1)]
    assert told(read(*grown)) == told(read({"messages": OPENAI}))
    whole = {one.observation_id for one in read({"messages": OPENAI}).calls}
    assert {one.observation_id for one in read(*grown).calls} == whole


def test_a_history_without_calls_is_one_session() -> None:
    talk = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}, {"role": "user", "content": "and you?"}]
    found = read(*({"messages": talk[:n]} for n in (1, 2, 3)))
    assert len({one.session_id for one in found.messages}) == 1
    assert len({one.message_id for one in found.messages}) == 3


def test_calls_of_a_timed_list_keep_their_order() -> None:
    found = read({"messages": OPENAI, "timestamp": AT}).calls
    assert [one.tool for one in sorted(found, key=lambda c: c.called_at)] == ["a", "b"]


def test_a_history_that_is_sent_again_later_counts_once() -> None:
    database = database_of(read({"messages": OPENAI[:2], "created": 1763632800}).calls)
    for created in (1763632801, 1763632900):
        with database.transaction():
            absorb(database, to_tables(read({"messages": OPENAI, "created": created}), Redactor(b"a key for tests")), datetime.now(UTC))
    rows = database.rows("SELECT tool, result FROM calls ORDER BY tool")
    assert [(row["tool"], row["result"]) for row in rows] == [("a", "one"), ("b", "done")]


def test_conversations_that_begin_alike_are_two() -> None:
    other = [OPENAI[0], {"role": "assistant", "content": None, "tool_calls": [{"id": "call_9", "function": {"name": "a", "arguments": "{}"}}]}]
    found = read({"messages": OPENAI}, {"messages": other})
    assert len({one.session_id for one in found.calls}) == 2
    assert len({one.observation_id for one in found.calls}) == 3


def test_requests_with_tools_and_their_answers() -> None:
    tools = [{"type": "function", "function": {"name": "a", "description": "d", "parameters": {"type": "object"}}}]
    found = read({"request": {"messages": OPENAI[:1], "tools": tools, "user": "ann"}, "response": {"choices": [{"message": OPENAI[1]}]}})
    assert [(one.tool, one.description, one.input_schema) for one in found.definitions] == [("a", "d", '{"type": "object"}')]
    assert {one.principal for one in found.calls} == {"ann"}
    assert {one.observed_by for one in found.calls} == {Observer.DECISION}


def lc(name: str, **kwargs: Any) -> dict[str, Any]:
    return {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", name], "kwargs": kwargs}


ASKED = {"content": "", "tool_calls": [{"name": "a", "args": {"x": 1}, "id": "c1", "type": "tool_call"}],
         "invalid_tool_calls": [{"name": "b", "args": "{x", "id": "c2", "error": "no JSON"}]}
ANSWERED = {"content": "done", "tool_call_id": "c1", "status": "error"}


@pytest.mark.parametrize("given", [
    [{"type": "human", "content": "hi"}, {"type": "ai", **ASKED}, {"type": "tool", **ANSWERED}],
    [{"type": "human", "data": {"content": "hi"}}, {"type": "ai", "data": {**ASKED, "type": "ai"}}, {"type": "tool", "data": ANSWERED}],
    [lc("HumanMessage", content="hi"), lc("AIMessage", **ASKED), lc("ToolMessage", **ANSWERED)],
])
def test_langchain_in_its_three_forms(given: list[dict[str, Any]]) -> None:
    for found in (read({"messages": given}), read(*given)):
        assert told(found) == [(None, "a", "done", "error"), (None, "b", None, "unknown")]
        assert [one.text for one in found.messages] == ["hi"]
        assert {one.dialect for one in found.calls} == {"langchain_messages"}


def test_langchain_calls_in_the_former_place() -> None:
    extra = {"tool_calls": [{"id": "c1", "type": "function", "function": {"name": "a", "arguments": "{}"}}]}
    assert told(read({"type": "ai", "content": "", "additional_kwargs": extra}, {"type": "tool", **ANSWERED})) == [(None, "a", "done", "error")]


@pytest.mark.parametrize("kind", ["chat", "langchain"])
def test_lines_that_are_lists_of_messages_are_conversations_of_their_own(kind: str) -> None:
    def line(name: str) -> bytes:
        if kind == "chat":
            call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": "{}"}}
            told: list[dict[str, Any]] = [
                {"role": "user", "content": f"Do {name}"}, {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1", "content": f"{name} done"},
            ]
        else:
            told = [
                {"type": "human", "content": f"Do {name}"}, {"type": "ai", "content": "", "tool_calls": [{"name": name, "args": {}, "id": "call_1"}]},
                {"type": "tool", "tool_call_id": "call_1", "content": f"{name} done"},
            ]
        return json.dumps(told).encode()

    records = read_body(line("a") + b"\n" + line("b")).records
    assert [(c.tool, c.result) for c in records.calls] == [("a", "a done"), ("b", "b done")]
    assert len({c.session_id for c in records.calls}) == 2
