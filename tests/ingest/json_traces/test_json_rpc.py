"""MCP messages: which response belongs to which request."""

import json
from typing import Any

import pytest

from ingest.json_traces.lines import read_body
from store.records import Call, Observer, Outcome, Records, State
from tests.ingest.json_traces.samples import AT, LATER, SCHEMA, TEXT, TOOL, body, passed, result, rpc
from toolhound.proof import database_of


def read(*messages: Any) -> Records:
    taken = read_body(body(list(messages)))
    assert not taken.refused
    return taken.records


def call(id_: Any, tool: str = "t", **more: Any) -> dict[str, Any]:
    return rpc(id_, "tools/call", name=tool, **more)


def by_tool(records: Records) -> dict[str, Call]:
    return {one.tool: one for one in records.calls}


@pytest.mark.parametrize("id_", [0, 1, "1", "", -5, 2**70, 1.5])
def test_ids_of_any_kind(id_: Any) -> None:
    (one,) = read(call(id_), result(id_, content=TEXT)).calls
    assert (one.result, one.outcome) == ("done", Outcome.OK)


def test_an_id_as_text_is_not_the_number() -> None:
    found = read(call(1, "number"), call("1", "text"), result("1", content=TEXT))
    assert {one.tool: one.outcome for one in found.calls} == {"number": Outcome.UNKNOWN, "text": Outcome.OK}


def test_late_and_out_of_order_and_missing() -> None:
    found = by_tool(read(call(1, "a"), call(2, "b"), call(3, "c"), result(2, content=TEXT), result(1, content=[{"type": "text", "text": "first"}])))
    assert (found["a"].result, found["b"].result, found["c"].result) == ("first", "done", None)
    assert (found["c"].outcome, found["c"].observed_by, found["c"].result_state) == (Outcome.UNKNOWN, Observer.DECISION, State.ABSENT)
    assert found["a"].called_at < found["b"].called_at < found["c"].called_at


def test_an_id_that_is_used_again() -> None:
    found = read(call(1, "a"), result(1, content=TEXT), call(1, "b"), result(1, isError=True, content=[{"type": "text", "text": "broken"}]))
    assert {one.tool: (one.outcome, one.error_message) for one in found.calls} == {"a": (Outcome.OK, None), "b": (Outcome.ERROR, "broken")}
    assert len({one.observation_id for one in found.calls}) == 2


def test_the_server_asks_with_the_same_id() -> None:
    asked = passed("server_to_client", rpc(1, "sampling/createMessage", messages=[]))
    found = read(passed("client_to_server", call(1)), asked, passed("client_to_server", result(1, role="assistant", content={"type": "text"})),
                 passed("server_to_client", result(1, content=TEXT)))
    assert [(one.tool, one.result) for one in found.calls] == [("t", "done")]


def test_the_server_asks_with_the_same_id_in_bare_messages() -> None:
    found = read(call(1), rpc(1, "roots/list"), result(1, roots=[]), result(1, content=TEXT))
    assert [(one.tool, one.result) for one in found.calls] == [("t", "done")]


def test_connections_with_the_same_id() -> None:
    def of(session: str, message: Any) -> dict[str, Any]:
        return {**passed("client_to_server", message), "session_id": session, "direction": None}

    found = by_tool(read(of("s1", call(1, "a")), of("s2", call(1, "b")), of("s2", result(1, content=TEXT))))
    assert (found["a"].result, found["b"].result, found["b"].session_id) == (None, "done", "s2")


def test_batches_are_read_in_order() -> None:
    asked, answered = [call(1, "a"), call(2, "b")], [result(2, content=TEXT), result(1, content=TEXT)]
    for found in (read(asked, answered), read(passed("client_to_server", asked), passed("server_to_client", answered))):
        assert {one.tool for one in found.calls if one.outcome == Outcome.OK} == {"a", "b"}


def test_a_protocol_error() -> None:
    (one,) = read(call(1), {"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "no such tool"}}).calls
    assert (one.outcome, one.error_type, one.error_message, one.result_state) == (Outcome.ERROR, "-32602", "no such tool", State.ABSENT)


def test_payloads_as_they_are() -> None:
    found = by_tool(read(call(1, "none"), result(1), call(2, "empty", arguments={}), result(2, content=[]), call(3, "image"),
                         result(3, content=[{"type": "image", "data": "AAAA"}]), call(4, "both"),
                         result(4, content=TEXT, structuredContent={"x": 1})))
    assert (found["none"].arguments, found["none"].arguments_state) == (None, State.ABSENT)
    assert (found["empty"].arguments, found["empty"].arguments_state) == ("{}", State.CAPTURED)
    assert json.loads(found["image"].result or "") == {"content": [{"type": "image", "data": "AAAA"}]}
    assert json.loads(found["both"].result or "")["structuredContent"] == {"x": 1}


def test_definitions_and_connections() -> None:
    found = read(
        passed("client_to_server", rpc(0, "initialize", clientInfo={"name": "desk", "version": "1"})),
        passed("server_to_client", result(0, serverInfo={"name": "files", "version": "2"})),
        passed("client_to_server", rpc(1, "tools/list")), passed("server_to_client", result(1, tools=[TOOL, {"name": 5}, None, {}])),
        passed("client_to_server", rpc(2, "initialize")),
    )
    (one, _), (connected, open_) = found.definitions, found.access
    assert (one.tool, one.server, one.server_version, one.launch_command, one.agent) == ("read_file", "files", "2", "npx files", "desk")
    assert (one.description, one.input_schema, one.session_id) == ("Reads a file", SCHEMA, "s1")
    assert (connected.outcome, connected.server, connected.agent, open_.outcome) == (Outcome.OK, "files", "desk", Outcome.UNKNOWN)


def test_a_connection_that_is_refused() -> None:
    (one,) = read(rpc(0, "initialize"), {"jsonrpc": "2.0", "id": 0, "error": {"code": -32001, "message": "unauthorized"}}).access
    assert (one.outcome, one.error_message) == (Outcome.ERROR, "unauthorized")


def test_each_initialize_begins_a_session_of_bare_messages() -> None:
    found = read(rpc(0, "initialize"), result(0), call(1, "a"), result(1), rpc(0, "initialize"), result(0), call(1, "b"), result(1))
    assert len({one.session_id for one in found.calls}) == 2


def test_a_capture_that_begins_in_the_middle() -> None:
    found = by_tool(read(call(5, "a"), result(5), rpc(0, "initialize"), result(0), call(1, "b"), result(1)))
    assert found["a"].session_id != found["b"].session_id


def test_results_of_other_methods_are_no_calls() -> None:
    found = read(rpc(1, "resources/read"), result(1, contents=[]), rpc(2, "prompts/get"), result(2, content=[]), result(9, contents=[]),
                 {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}})
    assert len(found) == 0


def test_traces_named_in_meta() -> None:
    trace, span = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
    (one,) = read(call(1, _meta={"traceparent": f"00-{trace}-{span}-01"}), result(1)).calls
    assert (one.trace_id, one.parent_span_id, one.span_id) == (trace, span, None)
    for wrong in ("00-x-y-01", f"00-{'0' * 32}-{span}-01", 5, "---"):
        assert read(call(1, _meta={"traceparent": wrong}), result(1)).calls[0].trace_id is None


def test_request_and_response_in_two_requests_are_one_call() -> None:
    asked, answered = passed("client_to_server", call(7, arguments={"a": 1})), passed("server_to_client", result(7, content=TEXT), LATER)
    apart = [*read(asked).calls, *read(answered).calls]
    assert [one.observed_by for one in apart] == [Observer.DECISION, Observer.CLIENT]
    for sightings in (apart, [*apart, *read(asked, answered).calls]):  # and with the whole capture after them
        (one,) = database_of(sightings).rows("SELECT tool, arguments, result, outcome FROM calls")
        assert one["arguments"] == '{"a": 1}'
        assert (one["result"], one["outcome"]) == ("done", "ok")


@pytest.mark.parametrize("key", ["raw", "message", "msg", "payload", "data"])
def test_envelopes(key: str) -> None:
    for inner in (call(1), json.dumps(call(1)), [call(1)]):
        assert len(read({"ts": AT, key: inner}).calls) == 1


def at_server(server: str, direction: str, message: Any, **more: Any) -> dict[str, Any]:
    return {**passed(direction, message), "server": server, **more}


def test_two_servers_of_one_session_use_the_same_ids() -> None:
    to, back = "client_to_server", "server_to_client"
    found = read(at_server("mail", to, call(1, "search")), at_server("notes", to, call(1, "search")),
                 at_server("notes", back, result(1, content=TEXT)), at_server("mail", back, result(1, content=[{"type": "text", "text": "mails"}])))
    assert {(one.server, one.result, one.session_id) for one in found.calls} == {("mail", "mails", "s1"), ("notes", "done", "s1")}


def test_servers_without_a_session_share_one_until_one_begins_again() -> None:
    def of(server: str, message: Any) -> dict[str, Any]:
        return {"ts": AT, "server": server, "raw": message}

    found = read(of("mail", rpc(0, "initialize")), of("notes", rpc(0, "initialize")), of("mail", result(0, serverInfo={"name": "mail"})),
                 of("notes", result(0, serverInfo={"name": "notes"})), of("mail", call(1, "a")), of("notes", call(1, "b")),
                 of("mail", rpc(0, "initialize")), of("mail", call(1, "c")))
    tools = by_tool(found)
    assert (tools["a"].server, tools["b"].server) == ("mail", "notes")
    assert tools["a"].session_id == tools["b"].session_id != tools["c"].session_id


def test_a_line_that_names_no_server_is_of_the_only_one() -> None:
    def of(message: Any, **more: Any) -> dict[str, Any]:
        return {"ts": AT, "session_id": "s1", "raw": message, **more}

    (one,) = read(of(call(1), server="mail"), of(result(1, content=TEXT))).calls
    assert (one.server, one.result) == ("mail", "done")


def test_what_is_sent_twice_is_one_call_with_one_answer() -> None:
    asked, answered = call(1, arguments={"a": 1}), result(1, content=TEXT)
    (one,) = read(asked, asked, answered, answered).calls
    assert (one.result, one.outcome) == ("done", Outcome.OK)


def test_an_answer_that_was_written_down_before_its_request() -> None:
    (one,) = read(passed("server_to_client", result(1, content=TEXT)), passed("client_to_server", call(1))).calls
    assert (one.tool, one.result, one.outcome) == ("t", "done", Outcome.OK)
    error = {"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "broken"}}
    (failed,) = read(passed("server_to_client", error), passed("client_to_server", call(1))).calls
    assert failed.outcome == Outcome.ERROR


def test_only_lists_of_tools_define_tools() -> None:
    tools, more = [{**TOOL, "name": "other"}], [{**TOOL, "name": "second"}]
    found = read(rpc(1, "registry/search"), result(1, tools=tools), call(2, "search"), result(2, content=TEXT, structuredContent={"tools": tools}),
                 rpc(3, "tools/list"), result(3, tools=[TOOL], nextCursor="2"), rpc(4, "tools/list", cursor="2"), result(4, tools=more))
    assert [one.tool for one in found.definitions] == ["read_file", "second"]


@pytest.mark.parametrize(("message", "outcome"), [
    ("Tool call rejected by the user", Outcome.DENIED), ("User declined the request", Outcome.DENIED), ("blocked by security policy", Outcome.DENIED),
    ("Permission denied", Outcome.ERROR), ("connection refused", Outcome.ERROR), ("the user was not found", Outcome.ERROR),
])
def test_an_error_that_says_that_somebody_refused(message: str, outcome: Outcome) -> None:
    error = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32001, "message": message}}
    for answer in (error, result(1, content=[{"type": "text", "text": message}], isError=True)):
        (one,) = read(call(1), answer).calls
        assert (one.outcome, one.error_message) == (outcome, message)


def test_a_call_that_the_proxy_stops() -> None:
    error = {"jsonrpc": "2.0", "id": 1, "error": {"code": 1}}
    (one,) = read({**passed("client_to_server", call(1)), "decision": "block"}, passed("server_to_client", error)).calls
    assert (one.outcome, one.decision) == (Outcome.DENIED, "reject")


@pytest.mark.parametrize(("reason", "outcome"), [
    ("user pressed stop", Outcome.DENIED), ("Request timed out", Outcome.UNKNOWN), (None, Outcome.UNKNOWN),
])
def test_a_call_that_is_cancelled(reason: str | None, outcome: Outcome) -> None:
    (one,) = read(call(1), {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1, "reason": reason}}).calls
    assert one.outcome == outcome
