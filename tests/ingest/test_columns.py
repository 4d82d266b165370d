"""Reading many spans at once gives what reading them one by one gives."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from ingest.batch import to_tables
from ingest.dialects.contract import PLACEHOLDERS
from ingest.otlp.items import Decoded
from ingest.otlp.protobuf import Traces, decode_traces
from ingest.reading import read_items, read_request
from store.errors import SourceError
from store.records import Records
from tests.ingest.dialects.test_laws import NAMES, SCOPES, NoMasks

STARTED = 1_790_000_000_000_000_000
NOW = datetime.now(UTC)
KEYS = [
    "gen_ai.operation.name", "gen_ai.tool.name", "gen_ai.tool.call.id", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "tool_arguments",
    "gen_ai.agent.name", "agent_name", "gen_ai.agent.version", "gen_ai.conversation.id", "session.id", "mcp.session.id", "user.id", "user.email",
    "client.address", "server.address", "error.type", "mcp.method.name", "network.transport", "mcp.protocol.version", "mcp.server.name",
    "tool.id", "metadata", "anthropic.tool_result.content", "anthropic.session.id",
    "tool.status", "ai.toolCall.result", "ai.telemetry.functionId", "mcp.method", "rpc.service", "http.response.status_code",
    "openinference.span.kind", "tool.name", "tool.parameters", "tool.description", "input.value", "output.value", "graph.node.id",
    "gen_ai.tool.type", "http.status", "request", "rpc.system", "gen_ai.system", "sentry.op", "traceloop.span.kind", "input", "é", "",
]
FRAMEWORK_KEYS = [
    *(f"langfuse.observation.{name}" for name in ("type", "level", "name", "input", "output", "status_message")), "gen_ai.operation.name",
    *(f"ai.toolCall.{name}" for name in ("name", "id", "args", "result")), "ai.prompt", "ai.operationId", "operation.name", "ai.telemetry.functionId",
    "ai.settings.context.userId", "gen_ai.tool.name", "gen_ai.tool.call.id", "gen_ai.system", "agent_name", "error.type", "session.id",
    "gcp.vertex.agent.tool_call_args", "gcp.vertex.agent.tool_response", "gcp.mcp.server.destination.id",
]
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["execute_tool", "tools/call", "TOOL", "tool", "chat", "tcp", "pipe", "2024-11-05", "weather", '{"a": 1}', '{"input_str": 1}',
                     "2026-07-28", "ERROR", "{}", "ai.toolCall", "gcp.vertex.agent", '{"result": "N/A"}', '{"result": 1}',
                     '{"kwargs": {"a": 1}}', '{"type": "tool", "content": "x", "status": "error"}', '{"lc_agent_name": "x"}']),
    st.text(max_size=12), st.sampled_from(sorted(PLACEHOLDERS)), st.just(""), st.text("é\"\\\n\t\x01\x7f𝄞", min_size=190, max_size=230),
    st.booleans(), st.integers(-(1 << 63), (1 << 63) - 1), st.floats(), st.none(), st.lists(st.text(max_size=3), max_size=2), st.binary(max_size=3),
)
PLAIN = st.fixed_dictionaries({
    "gen_ai.operation.name": st.just("execute_tool"), "gen_ai.tool.name": st.sampled_from(["a", "b"]),
    "gen_ai.tool.call.arguments": st.text(max_size=20), "gen_ai.tool.call.result": st.text(max_size=20),
    "gen_ai.conversation.id": st.text(max_size=5),
})
WRAPPED = st.sampled_from([
    '{"tool_name": "x", "arguments": {"a": 1}}', '{"kwargs": {"a": 1}}', '{"input_str": "x", "inputs": null, "kwargs": {}}', '{"a": "cut',
    "plain", "{}",
    '{"type": "tool", "content": "x", "status": "error", "tool_call_id": "c1"}', '{"content": [{"type": "text", "text": "x"}], "is_error": true}',
    '{"output": {"lc": 1, "kwargs": {"type": "tool", "content": "\\ud800", "tool_call_id": "c2"}}}', '{"output": {"type": "tool", "content": null}}',
    '{"id": 1, "tool_name": "ran", "raw_output": "x"}', '{"tool_output": {"blocks": [], "raw_output": "x", "is_error": true}, "tool_id": "c3"}',
    '{"output": {"type": "tool", "status": "error"}}', "[REDACTED]", "", '{"output": "x", "kwargs": {}}',
])
CHAINS = st.fixed_dictionaries(
    {"traceloop.span.kind": st.just("tool"), "traceloop.entity.input": WRAPPED, "traceloop.entity.output": WRAPPED},
    optional={"traceloop.entity.name": st.sampled_from(["x", ""]), "traceloop.workflow.name": st.sampled_from(["flow", "weather.mcp"]),
              "tool.name": VALUES, "gen_ai.tool.call.result": WRAPPED, "gen_ai.tool.call.id": VALUES, "agent.name": VALUES},
) | st.fixed_dictionaries(
    {"langsmith.span.kind": st.just("tool"), "gen_ai.completion": WRAPPED}, optional={"gen_ai.prompt": WRAPPED, "gen_ai.tool.name": VALUES,
     "langsmith.trace.name": VALUES, "langsmith.metadata.lc_agent_name": VALUES, "gen_ai.tool.call.id": VALUES, "error.type": VALUES},
)
SPANS = st.fixed_dictionaries({
    "name": st.sampled_from([*NAMES, "MCP send tools/call weather", "tools/call  x ", "tools/call"]) | st.text(max_size=5),
    "attributes": st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=10) | PLAIN
    | st.dictionaries(st.sampled_from(FRAMEWORK_KEYS), VALUES, max_size=8) | CHAINS,
    "twice": st.sampled_from([False] * 9 + [True]), "kind": st.integers(0, 5), "failed": st.booleans(),
    "message": st.sampled_from(["", "went wrong"]),
    "ended": st.sampled_from([0, STARTED + 1_500_000, 1, (1 << 64) - 1]), "parent": st.sampled_from([b"", b"\0" * 8, b"12345678", b"short"]),
    "ids": st.sampled_from([(16, 8)] * 9 + [(15, 8), (16, 0)]),
    "event": st.sampled_from([None] * 5 + ["exception", "gen_ai.choice"]),
})
SERVICES = st.sampled_from(["", "weather-server", "unknown_service:python", "of-one-session"])
REQUESTS = st.lists(st.tuples(SERVICES, st.sampled_from([*SCOPES, "opentelemetry.instrumentation.mcp"]), st.lists(SPANS, max_size=6)), max_size=3)


def any_value(value: Any) -> Any:
    made: Any = AnyValue()
    match value:
        case bool():
            made.bool_value = value
        case int():
            made.int_value = value
        case float():
            made.double_value = value
        case str():
            made.string_value = value
        case bytes():
            made.bytes_value = value
        case list():
            made.array_value.values.extend(map(any_value, value))
    return made


def body_of(request: list[tuple[str, str, list[dict[str, Any]]]]) -> bytes:
    made, number = ExportTraceServiceRequest(), 0
    for service, scope, spans in request:
        resource = made.resource_spans.add()
        if service:
            resource.resource.attributes.add(key="service.name").value.CopyFrom(any_value(service))
        if service == "of-one-session":
            resource.resource.attributes.add(key="session.id").value.CopyFrom(any_value("s-9"))
            resource.resource.attributes.add(key="user.email").value.CopyFrom(any_value("ann@example.com"))
        scoped = resource.scope_spans.add()
        scoped.scope.name = scope
        for one in spans:
            number += 1
            span = scoped.spans.add(
                trace_id=number.to_bytes(16, "big")[: one["ids"][0]], span_id=number.to_bytes(8, "big")[: one["ids"][1]], name=one["name"],
                parent_span_id=one["parent"], kind=one["kind"], start_time_unix_nano=STARTED, end_time_unix_nano=one["ended"],
            )
            for key, value in one["attributes"].items():
                for _ in range(1 + one["twice"]):
                    span.attributes.add(key=key).value.CopyFrom(any_value(value))
            if one["failed"]:
                span.status.code = Status.STATUS_CODE_ERROR
            span.status.message = one["message"]
            if one["event"]:
                span.events.add(name=one["event"]).attributes.add(key="content").value.string_value = "said"
    return made.SerializeToString()


def rows(records: Records, columns: Any = None) -> dict[str, list[str]]:
    made = to_tables(records, NoMasks(), columns=columns or {})
    return {kind: sorted(repr(timeless(row)) for row in table.to_pylist()) for kind, table in made.items()}


def timeless(row: dict[str, Any]) -> dict[str, Any]:
    """Without moments that are now, where the source gave none."""
    return {name: value for name, value in row.items() if not (name.endswith("_at") and value.year < 2100 and value > NOW)}


def plain(**more: Any) -> dict[str, Any]:
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "x", **more}
    return {"name": "execute_tool x", "attributes": attributes, "twice": False, "kind": 1, "failed": False, "message": "", "ended": 0, "parent": b"",
            "ids": (16, 8), "event": None}


@settings(max_examples=150, deadline=None)
@given(REQUESTS)
@example([("", "", [plain(), plain(**{"user.id": 7}), plain(**{"gen_ai.tool.call.arguments": "-"}), plain(**{"http.status": 3.5, "x": "y"})])])
def test_the_same_as_one_by_one(request: list[tuple[str, str, list[dict[str, Any]]]]) -> None:
    assert_same(body_of(request))


@settings(max_examples=150, deadline=None)
@given(REQUESTS, st.data())
def test_the_same_where_bytes_were_changed(request: list[tuple[str, str, list[dict[str, Any]]]], data: st.DataObject) -> None:
    body = bytearray(body_of(request))
    for _ in range(data.draw(st.integers(1, 3)) if body else 0):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    assert_same(bytes(body))


def assert_same(body: bytes) -> None:
    try:
        one_by_one = decode_traces(body)
    except SourceError as error:
        with pytest.raises(SourceError, match=re.escape(str(error))):
            read_request(Traces(body))
        return
    records, claimed = read_items(one_by_one)
    decoded = read_request(one_by_one)
    assert rows(decoded.records, decoded.tables) == rows(records) and (decoded.claimed, decoded.accepted) == (claimed, len(one_by_one.items))
    at_once = Traces(body)
    read = read_request(at_once)
    assert rows(read.records, read.tables) == rows(records)
    assert read.claimed == claimed
    assert sorted(at_once.refused) == sorted(one_by_one.refused)
    assert read.accepted + len(at_once.refused) == len(one_by_one)


def test_plain_spans_make_no_records() -> None:
    read = read_request(Traces(body_of([("", "", [plain() for _ in range(50)])])))
    assert not len(read.records)
    assert sum(len(table) for table in read.tables["observations"]) == 50


@pytest.mark.parametrize("attributes", [
    {"traceloop.span.kind": "tool", "traceloop.entity.name": "x", "traceloop.entity.input": '{"tool_name": "x", "arguments": {"a": 1}}',
     "traceloop.entity.output": '{"content": "x", "type": "tool", "tool_call_id": "c"}'},
    {"langsmith.span.kind": "tool", "langsmith.trace.name": "x", "gen_ai.prompt": "{}",
     "gen_ai.completion": '{"output": {"type": "tool", "content": "x", "tool_call_id": "c"}}'},
])
def test_payloads_are_taken_out_of_wrappings_without_records(attributes: dict[str, Any]) -> None:
    read = read_request(Traces(body_of([("", "", [{**plain(), "attributes": attributes} for _ in range(5)])])))
    assert not len(read.records)
    (table,) = read.tables["observations"]
    assert {(row["tool"], row["tool_call_id"], row["result"]) for row in table.to_pylist()} == {("x", "c", "x")}


def test_decoded_spans_make_no_records_either() -> None:
    body = body_of([("", "", [plain(**{"y": 7, "z": 1.5, "parallel": True}) for _ in range(50)])])
    read = read_request(decode_traces(body))
    assert not len(read.records) and sum(len(table) for table in read.tables["observations"]) == 50
    strange = [replace(item, attributes={**item.attributes, "x": "\ud800"}) for item in decode_traces(body)]
    assert len(read_request(Decoded(strange)).records.calls) == 50


def test_a_field_that_stands_twice_is_read_by_protobuf() -> None:
    made = ExportTraceServiceRequest.FromString(body_of([("", "", [plain()])]))
    whole = made.resource_spans[0].scope_spans[0].spans[0].SerializeToString() + b"\x2a\x03two"  # the name again
    for field in (b"\x12", b"\x12", b"\x0a"):
        whole = field + bytes([len(whole) & 127 | 128, len(whole) >> 7]) + whole
    assert decode_traces(whole).items[0].name == "two"
    assert rows(read_request(Traces(whole)).records) == rows(read_items(decode_traces(whole))[0])


def test_tables_have_the_schema_of_the_store() -> None:
    read = read_request(Traces(body_of([("", "", [plain()])])))
    made = to_tables(read.records, NoMasks(), columns=read.tables)["observations"]
    assert made.schema == to_tables(read_items(decode_traces(body_of([("", "", [plain()])])))[0], NoMasks())["observations"].schema
    assert isinstance(made, pa.Table)
