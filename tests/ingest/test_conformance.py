"""What OTLP asks of a server, over real sockets; the numbers are those of the obligations in the specification's order."""

import gzip
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.ingest.payloads import as_json, deep_value, log, logs, raw_request, span, traces, with_attribute
from tests.ingest.receiver import BODY_BYTES, Receiver

TYPES = {"protobuf": "application/x-protobuf", "json": "application/json"}
SIGNALS: dict[str, tuple[Any, Any]] = {
    "traces": (traces(span(1), span(2)), ExportTraceServiceResponse), "logs": (logs(log(1), log(2)), ExportLogsServiceResponse),
}
each_encoding = pytest.mark.parametrize("encoding", TYPES)
each_signal = pytest.mark.parametrize("signal", SIGNALS)


def body_of(request: Any, encoding: str) -> bytes:
    return as_json(request) if encoding == "json" else bytes(request.SerializeToString())


def sent(receiver: Receiver, path: str, body: bytes, encoding: str | None = "protobuf", method: str = "POST", **headers: str) -> httpx.Response:
    kind = {"content-type": TYPES.get(encoding, encoding)} if encoding else {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with httpx.Client(trust_env=False) as client:
        return client.request(method, f"{receiver.url}{path}", content=body, headers={**kind, **named}, timeout=30)


def status_of(answer: httpx.Response) -> tuple[int, str]:
    """The Status in the body of an error, in the encoding that it says it is in."""
    if answer.headers["content-type"] == TYPES["json"]:
        told = answer.json()
        return told["code"], told["message"]
    assert answer.headers["content-type"] == TYPES["protobuf"]
    status = Status.FromString(answer.content)
    return status.code, status.message


@each_signal
@each_encoding
@pytest.mark.parametrize("coding", ["identity", "gzip", "deflate"])
def test_success_is_answered_in_the_requests_own_type(receiver: Receiver, signal: str, encoding: str, coding: str) -> None:
    request, _ = SIGNALS[signal]
    body = body_of(request, encoding)
    packed = {"identity": body, "gzip": gzip.compress(body), "deflate": zlib.compress(body)}[coding]
    answer = sent(receiver, f"/v1/{signal}", packed, encoding, content_encoding=coding)
    assert (answer.status_code, answer.headers["content-type"]) == (200, TYPES[encoding])
    assert answer.content == (b"{}" if encoding == "json" else b"")
    assert len(receiver.rows("observations")) == 2


@pytest.mark.parametrize("path", ["/v1/traces", "/otel/v1/traces", "/a/b/v1/traces"])
@pytest.mark.parametrize("kind", ["application/x-protobuf", "application/x-protobuf; charset=utf-8", "Application/X-Protobuf"])
def test_prefixes_and_media_type_parameters(receiver: Receiver, path: str, kind: str) -> None:
    assert sent(receiver, path, traces(span()).SerializeToString(), kind).status_code == 200
    assert len(receiver.rows("observations")) == 1


@each_signal
@pytest.mark.parametrize(("encoding", "body"), [
    ("protobuf", b""), ("json", b"{}"), ("json", b'{"resourceSpans":[]}'), ("json", b'{"resourceLogs":null}'),
    ("json", b'{"ofTheFuture":{"a":[1]}}'), ("protobuf", b"\xc2\x3e\x03abc"),
])
def test_empty_requests_and_unknown_fields_succeed(receiver: Receiver, signal: str, encoding: str, body: bytes) -> None:
    if b"resource" in body and (b"Spans" in body) != (signal == "traces"):
        pytest.skip("the other signal's")
    answer = sent(receiver, f"/v1/{signal}", body, encoding)
    assert (answer.status_code, answer.content) == (200, b"{}" if encoding == "json" else b"")
    assert receiver.stored() == 0


def test_unknown_fields_inside_are_ignored(receiver: Receiver) -> None:
    request = json.loads(as_json(traces(span())))
    group = request["resourceSpans"][0]
    group["x"] = group["scopeSpans"][0]["x"] = group["scopeSpans"][0]["spans"][0]["x"] = {"y": [1]}
    answer = sent(receiver, "/v1/traces", json.dumps(request).encode(), "json")
    assert (answer.status_code, answer.json(), len(receiver.rows("observations"))) == (200, {}, 1)


@each_encoding
def test_one_bad_span_among_a_thousand(receiver: Receiver, encoding: str) -> None:
    spans = [span(n) for n in range(1000)]
    spans[500].span_id = b"\x01\x02\x03"
    answer = sent(receiver, "/v1/traces", body_of(traces(*spans), encoding), encoding)
    assert answer.status_code == 200
    if encoding == "json":
        partial = answer.json()["partialSuccess"]
        rejected, message = int(partial["rejectedSpans"]), partial["errorMessage"]
    else:
        told = ExportTraceServiceResponse.FromString(answer.content).partial_success
        rejected, message = told.rejected_spans, told.error_message
    assert rejected == 1
    assert "50" in message and ("spanId" in message or "span_id" in message)
    assert len(receiver.rows("observations")) == 999
    (kept,) = receiver.rejected()
    assert kept["reason"] == message
    assert (receiver.folder / "rejected" / kept["file"]).stat().st_size > 1000


@pytest.mark.parametrize("damage", [
    {"attributes": [{"key": "a", "value": {"intValue": "9223372036854775808"}}]}, {"attributes": [{"key": "a", "value": "bare"}]},
    {"attributes": {"a": 1}}, {"attributes": ["a"]}, {"attributes": [{"key": 5}]}, {"kind": "SPAN_KIND_CLIENT"}, {"traceId": "0" * 32},
    {"traceId": 5}, {"spanId": "xyz"}, {"events": 5}, {"events": ["x"]}, {"name": {"a": 1}}, {"startTimeUnixNano": "soon"},
    {"attributes": [{"key": "a", "value": {"string_value": "x"}}]}, {"status": {"code": "STATUS_CODE_OK"}},
    {"attributes": [{"key": "a", "value": {"bytesValue": "!"}}]}, {"attributes": [{"key": "a", "value": {"arrayValue": 1}}]},
])
def test_json_damage_costs_one_span(receiver: Receiver, damage: dict[str, Any]) -> None:
    request = json.loads(as_json(traces(span(1), span(2), span(3))))
    request["resourceSpans"][0]["scopeSpans"][0]["spans"][1] |= damage
    answer = sent(receiver, "/v1/traces", json.dumps(request).encode(), "json")
    assert answer.json()["partialSuccess"]["rejectedSpans"] == "1"
    assert answer.json()["partialSuccess"]["errorMessage"].startswith("resourceSpans[0].scopeSpans[0].spans[1]: ")
    assert len(receiver.rows("observations")) == 2


def test_protobuf_damage_costs_one_span(receiver: Receiver) -> None:
    """Text that was cut inside a character, and values nested deeper than protobuf goes."""
    cut = span(2, name="MARK").SerializeToString().replace(b"MARK", b"\xe2\x82\xff\xff")
    deep = with_attribute(span(3), b"gen_ai.tool.call.arguments", deep_value(200))
    body = raw_request(span(1).SerializeToString(), cut, deep, span(4).SerializeToString())
    told = ExportTraceServiceResponse.FromString(sent(receiver, "/v1/traces", body).content).partial_success
    assert told.rejected_spans == 2
    assert len(receiver.rows("observations")) == 2


@each_encoding
@pytest.mark.parametrize("body", [b"\x0a\xff\xff\x01", b"{", b"[]", b"null", b"not at all", b'{"resourceSpans":5}', b'{"resourceSpans":[5]}',
                                  b'{"resource_spans":[]}', b'{"resourceSpans":[{"scope_spans":[]}]}', b"[" * 100_000, b"9" * 5000, b"\xff\xfe"])
def test_bad_bodies_are_answered_with_a_status(receiver: Receiver, encoding: str, body: bytes) -> None:
    answer = sent(receiver, "/v1/traces", body, encoding)
    assert (answer.status_code, answer.headers["content-type"]) == (400, TYPES[encoding])
    code, message = status_of(answer)
    assert code == 3 and message
    if encoding == "protobuf":
        details = BadRequest()
        assert Status.FromString(answer.content).details[0].Unpack(details)
    assert receiver.stored() == 0
    assert [kept["reason"] for kept in receiver.rejected()] == [message]


@each_encoding
@pytest.mark.parametrize(("path", "request_"), [("/v1/traces", logs(log(1), log(2))), ("/v1/logs", traces(span(1), span(2)))])
def test_the_other_signal_is_refused_and_nothing_stored(receiver: Receiver, encoding: str, path: str, request_: Any) -> None:
    answer = sent(receiver, path, body_of(request_, encoding), encoding)
    assert answer.status_code == 400
    assert ("/v1/logs" if path == "/v1/traces" else "/v1/traces") in status_of(answer)[1]
    assert receiver.stored() == 0


@each_encoding
def test_truncated_bodies(receiver: Receiver, encoding: str) -> None:
    whole = body_of(traces(span()), encoding)
    assert sent(receiver, "/v1/traces", whole[:-7], encoding).status_code == 400
    assert sent(receiver, "/v1/traces", gzip.compress(whole)[:-9], encoding, content_encoding="gzip").status_code == 400
    assert sent(receiver, "/v1/traces", gzip.compress(whole) + b"more", encoding, content_encoding="gzip").status_code == 400
    assert sent(receiver, "/v1/traces", whole, encoding, content_encoding="gzip").status_code == 400
    assert receiver.stored() == 0


def test_gzip_of_several_members_is_read_whole(receiver: Receiver) -> None:
    body = traces(span(1)).SerializeToString(), traces(span(2)).SerializeToString()
    assert sent(receiver, "/v1/traces", b"".join(map(gzip.compress, body)), content_encoding="gzip").status_code == 200
    assert len(receiver.rows("observations")) == 2


@each_encoding
def test_too_large(receiver: Receiver, encoding: str) -> None:
    for body, coding in ((gzip.compress(bytes(BODY_BYTES * 50)), "gzip"), (bytes(BODY_BYTES + 1), "identity")):
        answer = sent(receiver, "/v1/traces", body, encoding, content_encoding=coding)
        assert answer.status_code == 413
        assert status_of(answer)[0] == 8
    fits = sent(receiver, "/v1/traces", bytes(BODY_BYTES), encoding)
    assert fits.status_code == 400  # large enough to be read, and then it is nonsense


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_and_paths(receiver: Receiver, method: str) -> None:
    answer = sent(receiver, "/v1/traces", b"", "json", method)
    assert (answer.status_code, answer.headers["content-type"]) == (405, TYPES["json"])
    elsewhere = sent(receiver, "/v2/traces", b"", "protobuf", method)
    assert elsewhere.status_code in (404, 405)
    assert elsewhere.headers["content-type"] == TYPES["protobuf"]
    if method != "HEAD":
        assert status_of(answer)[0] == status_of(elsewhere)[0] == 12


@pytest.mark.parametrize(("kind", "coding"), [("text/plain", "identity"), (None, "identity"), ("application/json", "br"),
                                              ("application/x-protobuf", "zstd"), ("application/x-protobuf", "gzip, gzip")])
def test_unknown_types_and_codings(receiver: Receiver, kind: str | None, coding: str) -> None:
    answer = sent(receiver, "/v1/traces", traces(span()).SerializeToString(), kind, content_encoding=coding)
    assert answer.status_code == 415
    assert answer.headers["content-type"] == (TYPES["json"] if kind == "application/json" else TYPES["protobuf"])
    assert status_of(answer)[1]
    assert receiver.stored() == 0
    assert len(receiver.rejected()) == 1


@each_encoding
def test_metrics_are_answered_politely(receiver: Receiver, encoding: str) -> None:
    answer = sent(receiver, "/v1/metrics", b"{}" if encoding == "json" else b"", encoding)
    assert (answer.status_code, answer.headers["content-type"]) == (200, TYPES[encoding])
    if encoding == "protobuf":
        told = ExportMetricsServiceResponse.FromString(answer.content).partial_success
        assert (told.rejected_data_points, bool(told.error_message)) == (0, True)


def test_unknown_spans_succeed_and_count(receiver: Receiver) -> None:
    before = httpx.get(f"{receiver.url}/livez", trust_env=False).json()["dialects"].get("unknown", 0)
    request = traces(span(1, "GET /", {"http.request.method": "GET"}), span(2, "SELECT", {}))
    assert sent(receiver, "/v1/traces", request.SerializeToString()).content == b""
    assert httpx.get(f"{receiver.url}/livez", trust_env=False).json()["dialects"]["unknown"] == before + 2
    assert (len(receiver.rows("spans")), len(receiver.rows("observations"))) == (2, 0)


def test_many_connections_at_once(receiver: Receiver) -> None:
    bodies = [traces(span(n)).SerializeToString() for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda body: sent(receiver, "/v1/traces", body).status_code, bodies))
    assert codes == [200] * 40
    assert len({row["observation_id"] for row in receiver.rows("observations")}) == 40
