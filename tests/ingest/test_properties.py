"""Whatever is sent: only SourceError is raised, everything is counted, and both encodings mean the same."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.batch import to_tables
from ingest.collector import DECODERS, Answer, Collector
from ingest.json_traces import call_lines
from ingest.json_traces.lines import read_body
from ingest.otlp import json as otlp_json
from ingest.otlp import protobuf, salvage
from ingest.otlp.items import Decoded
from ingest.otlp.protobuf import Traces
from ingest.reading import read_request
from ingest.redact import Redactor
from store.errors import SourceError
from store.records import Records
from tests.ingest.payloads import as_json, both, log, logs, raw_request, span, traces
from tests.ingest.receiver import collector_in

MASKS = Redactor(b"a key for tests")
KEYS = [
    "gen_ai.tool.name", "gen_ai.operation.name", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.input.messages", "session.id",
    "gen_ai.tool.definitions", "gen_ai.system_instructions", "openinference.span.kind", "tool.parameters", "input.value",
    "llm.tools.0.tool.json_schema",
    "llm.input_messages.0.message.role", "llm.input_messages.0.message.content", "mcp.method.name", "event.name", "event.sequence", "tool_input",
    "tool_parameters", "tool_name", "duration_ms", "success", "prompt", "event.timestamp", "model_request_parameters", "pydantic_ai.all_messages",
    "status",
]
WORDS = [
    "TOOL", "LLM", "tools/call", "tools/list", "initialize", "execute_tool", "tool_result", "tool_decision", "user_prompt", "mcp_server_connection",
    "nan",
    "1e999", "-5", "9999-12-31T23:59:59-14:00", "0001-01-01", "<REDACTED>", "{", "[]", "null",
    '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]',
    '{"function_tools":[{"name":"t","parameters_json_schema":{"a":[1]}}]}', '[{"name":"t"},5,{"function":5}]', "mcp__a__b", "mcp____", "mcp_tool",
]
texts = st.text(max_size=20) | st.sampled_from(WORDS)
plain = st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.floats(allow_nan=False) | texts
values = st.recursive(
    plain | st.binary(max_size=9), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6,
)
TOOL = {"gen_ai.tool.name": "t", "event.name": "tool_result", "tool_name": "t", "openinference.span.kind": "TOOL"}
attributes = st.builds(
    lambda kept, more: {k: v for k, v in TOOL.items() if k in kept} | more, st.sets(st.sampled_from(sorted(TOOL))),
    st.dictionaries(st.sampled_from(KEYS) | texts, values, max_size=6),
)
ids16, ids8 = (st.binary(min_size=n, max_size=n) | st.sampled_from([b"", bytes(n), b"abc"]) for n in (16, 8))
nanos = st.integers(0, (1 << 64) - 1)
scopes = st.sampled_from(["", "pydantic-ai", "mcp-python-sdk", "fastmcp", "com.anthropic.claude_code.events", "another"])
spans = st.builds(
    span, st.integers(1, 9), name=texts, attributes=attributes, trace_id=ids16, span_id=ids8, parent_span_id=ids8, start_time_unix_nano=nanos,
    end_time_unix_nano=nanos, kind=st.integers(0, 5),
)
records = st.builds(
    log, st.integers(1, 9), body=values, attributes=attributes, trace_id=ids16, span_id=ids8, time_unix_nano=nanos, event_name=texts,
)
requests = st.one_of(
    st.builds(lambda found, scope, resource: traces(*found, scope=scope, resource=resource), st.lists(spans, max_size=4), scopes, attributes),
    st.builds(lambda found, scope, resource: logs(*found, scope=scope, resource=resource), st.lists(records, max_size=4), scopes, attributes),
)
json_text = st.text(alphabet=st.characters(), max_size=9)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | json_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        json_text | st.sampled_from(["resource", "scope", "attributes", "key", "value", "stringValue", "kvlistValue", "values", "spans", "name"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)
many = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def take(request: Decoded | Traces) -> Records:
    """All the way to what the spool takes."""
    read = read_request(request)
    assert sum(read.claimed.values()) == read.accepted
    to_tables(read.records, MASKS, columns=read.tables)
    return read.records


def sent_in(request: Any) -> int:
    groups = request.resource_spans if hasattr(request, "resource_spans") else request.resource_logs
    scopes_of = [scope for group in groups for scope in (group.scope_spans if hasattr(group, "scope_spans") else group.scope_logs)]
    return sum(len(scope.spans if hasattr(scope, "spans") else scope.log_records) for scope in scopes_of)


@many
@given(requests)
def test_both_encodings_give_equal_records_and_everything_is_counted(request: Any) -> None:
    from_protobuf, from_json = both(request)
    for decoded in (from_protobuf, from_json):
        assert len(decoded.items) + len(decoded.refused) == sent_in(request)
    one, other = take(from_protobuf), take(from_json)
    for kind in ("calls", "spans", "messages", "definitions", "access"):
        ours, theirs = getattr(one, kind), getattr(other, kind)
        assert [_timeless(r) for r in ours] == [_timeless(r) for r in theirs]


def _timeless(record: Any) -> dict[str, Any]:
    """Without moments: where a source gave none it is now."""
    return {name: getattr(record, name) for name in record.__slots__ if not name.endswith("_at")}


@many
@given(st.sampled_from(sorted(DECODERS)), st.binary(max_size=200))
def test_arbitrary_bytes(kind: tuple[str, str], body: bytes) -> None:
    try:
        take(DECODERS[kind](body))
    except SourceError:
        return


@many
@given(requests, st.data())
def test_damaged_protobuf(request: Any, data: st.DataObject) -> None:
    body = bytearray(request.SerializeToString())
    for _ in range(data.draw(st.integers(1, 3)) if body else 0):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    for decode in (protobuf.decode_traces, protobuf.decode_logs, Traces):
        try:
            take(decode(bytes(body)))
        except SourceError:
            continue


@many
@given(any_json, any_json, any_json, st.sampled_from(["resource", "scopeSpans", "scopeLogs"]))
def test_arbitrary_json_in_every_place(outer: Any, inner: Any, leaf: Any, key: str) -> None:
    for signal, names in (("traces", ("resourceSpans", "scopeSpans", "spans")), ("logs", ("resourceLogs", "scopeLogs", "logRecords"))):
        beside = {"traceId": "1" * 32, "spanId": "1" * 16, "attributes": [{"key": "k", "value": inner}], "name": outer}
        for request in (
            outer, {names[0]: outer}, {names[0]: [{key: inner}]}, {names[0]: [{"resource": inner, names[1]: [{"scope": outer, names[2]: leaf}]}]},
            {names[0]: [{names[1]: [{names[2]: [leaf, beside]}]}]},
        ):
            try:
                take(DECODERS[signal, "json"](json.dumps(request).encode()))
            except SourceError:
                continue


call_like = st.builds(
    lambda more, tool: {"tool": tool, "session_id": "s", **more},
    st.dictionaries(st.sampled_from(sorted(call_lines.KNOWN)), any_json, max_size=5), json_text,
)


@many
@given(st.lists(any_json | call_like, max_size=5))
def test_call_lines(lines: list[Any]) -> None:
    body = b"\n".join(json.dumps(line).encode() for line in lines)
    taken = read_body(body)
    found, refused = taken.records, taken.refused
    assert len(found.calls) + len(refused) == len(lines)
    to_tables(found, MASKS)
    "; ".join(refused).encode()


@pytest.mark.parametrize("line", [
    b'{"tool":"t","session_id":"s","seq":99999999999999999999}',
    b'{"tool":"t","session_id":"s","duration_ms":1' + b"0" * 400 + b"}",
    b'{"tool":"t","session_id":"s","arguments":{"x":NaN,"y":[Infinity]}}', b'{"tool":"t\\ud800","session_id":"\\udfff","\\ud900":"\\ud800"}',
    b'{"tool":"t","session_id":"s","arguments":' + b"[" * 200 + b"]" * 200 + b"}", b'{"tool":"t","timestamp":"2026-01-01T00:00:00+05:30"}',
    b'{"tool":"t","session_id":["a"],"agent":{"b":1},"user_prompt":[1]}', b'{"tool":"t","tool":"u","session_id":"s"}',
])
def test_odd_lines_are_taken(line: bytes) -> None:
    taken = read_body(line)
    found, refused = taken.records, taken.refused
    assert (len(found.calls), len(refused)) == (1, 0)
    for text in (found.calls[0].arguments, found.calls[0].attributes):
        json.loads(text or "null", parse_constant=pytest.fail)
    assert to_tables(found, MASKS)["observations"].num_rows == 1


@pytest.mark.parametrize("line", [
    b'{"tool":"t","session_id":"s","seq":' + b"9" * 5000 + b"}",
    b'{"tool":"t","session_id":"s","arguments":' + b"[" * 960 + b"]" * 960 + b"}",
    b'{"tool":"t","timestamp":"9999-12-31T23:59:59-14:00"}', b'{"tool":"t","timestamp":"0001-01-01T00:00:00+14:00"}',
    b'{"tool":"t","timestamp":1e300}',
    b'{"tool":"t","timestamp":-1e12}', b'{"tool":"t","timestamp":NaN}', b'{"tool":"t","timestamp":true}', b'{"tool":"","session_id":"s"}',
    b'{"tool":5}',
    b"[" * 100_000, b"\xff", b'"\\ud800"', b'{"\\ud800":1}',
    b"{" + b",".join(b'"%d":1' % n for n in range(9)) + b"}", b"nan",
])
def test_lines_that_cannot_be_taken_are_refused_with_a_reason(line: bytes) -> None:
    taken = read_body(line)
    found, refused = taken.records, taken.refused
    (reason,) = refused
    assert len(found) == 0
    assert reason.startswith("line 1: ") and len(reason.encode()) < 3000


def test_depth_200_costs_one_span() -> None:
    deep: Any = {"stringValue": "x"}
    for _ in range(200):
        deep = {"kvlistValue": {"values": [{"key": "a", "value": deep}]}}
    request = json.loads(as_json(traces(span(1), span(2))))
    request["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"].append({"key": "deep", "value": deep})
    decoded = otlp_json.decode_traces(json.dumps(request).encode())
    assert (len(decoded.items), list(decoded.refused)) == (1, ["resourceSpans[0].scopeSpans[0].spans[0]: attribute 'deep': nests deeper than 64"])
    request["resourceSpans"][0]["resource"] = {"attributes": [{"key": "deep", "value": deep}]}
    assert len(otlp_json.decode_traces(json.dumps(request).encode()).warnings) == 1


@pytest.mark.parametrize("value", [
    '{"kvlistValue":{"values":[{"key":"a","value":' * 400 + "{}" + "}]}}" * 400, '{"arrayValue":{"values":[' * 2000 + "]}}" * 2000,
    '{"stringValue":"\\"]}["}'.join(['{"arrayValue":{"values":[' * 500, "]}}" * 500]), '{"intValue":' + "9" * 5000 + "}", "[" * 5000 + "]" * 5000,
    '{"arrayValue":{"values":[{"intValue":' * 300 + "9" * 5000 + "}]}}" * 300,
])
def test_what_the_parser_cannot_take_costs_one_span(value: str) -> None:
    body = as_json(traces(span(1), span(2, attributes={"MARK": "x"}), span(3))).decode()
    (place,) = (found for found in [body.partition('"key": "MARK", "value": ')] if found[1])
    after = place[2].partition("}")[2]
    decoded = otlp_json.decode_traces((place[0] + place[1] + value + after).encode())
    assert ([item.span_id for item in decoded.items], len(decoded.refused)) == (["00000000000003e9", "00000000000003eb"], 1)
    assert "attribute 'MARK'" in next(iter(decoded.refused))


def test_depth_of_what_nobody_knows_is_ignored() -> None:
    body = as_json(traces(span(1))).replace(b'"name"', b'"new": ' + b'[{"a":' * 3000 + b'"]"' + b"}]" * 3000 + b', "name"', 1)
    assert len(otlp_json.decode_traces(body).items) == 1


def test_garbage_does_not_fill_the_memory() -> None:
    decoded = otlp_json.decode_traces(b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b",".join([b"1"] * 50_000) + b"]}]}]}")
    assert (len(decoded.refused), len(list(decoded.refused))) == (50_000, 1_000)


@given(st.binary(max_size=300))
def test_taking_apart_never_invents(body: bytes) -> None:
    found = salvage.without_unreadable(body, lambda _: True)
    assert found is None or found[1] == []


def test_taking_apart_keeps_everything_else() -> None:
    request = traces(*(span(n) for n in range(300)))
    request.resource_spans[0].schema_url = "https://example.com/schema"
    request.resource_spans.add().resource.attributes.extend(traces().resource_spans[0].resource.attributes)
    body = request.SerializeToString()
    found = salvage.without_unreadable(body, lambda _: True)
    assert found == (body, [])
    assert salvage.without_unreadable(raw_request(b"\xff"), lambda _: False) is None


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = collector_in(tmp_path_factory.mktemp("collector"))
    yield made
    made.stop()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(request=requests)
def test_the_collector_accepts_or_refuses_every_item(collector: Collector, request: Any) -> None:
    signal = "traces" if hasattr(request, "resource_spans") else "logs"
    answer = collector.accept_otlp(signal, "protobuf", request.SerializeToString(), "a test")
    assert isinstance(answer, Answer)
    assert answer.accepted + answer.refused == sent_in(request)


def test_a_mistake_of_ours_is_kept_and_said(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any) -> Any:
        raise KeyError("a mistake")

    monkeypatch.setattr("ingest.collector.read_request", broken)
    before = collector.counts.refused
    with pytest.raises(SourceError, match="mistake of the collector"):
        collector.accept_otlp("traces", "protobuf", traces(span(1), span(2)).SerializeToString(), "a test")
    assert collector.counts.refused == before + 2
