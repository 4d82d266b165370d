"""What OTLP asks of a server, over real sockets, on every way that a request can come.

The numbers are those of the obligations in docs/otlp-conformance.md, which is made out of the marks here: whoever removes a proof is told.
"""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.rpc.error_details_pb2 import BadRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from store import intake
from store.spool import Spool
from tests.ingest.payloads import field, log, logs, span, traces
from tests.ingest.receiver import BODY_BYTES, Receiver, collector_in, receiving, until
from tests.ingest.ways import (
    ANSWER_SECONDS,
    HTTP,
    TYPES,
    Way,
    connected,
    each_grpc,
    each_http,
    each_signal,
    each_way,
    encoded,
    exporting,
    over_http,
    proves,
    send,
)
from toolhound.engine import Engine
from toolhound.settings import Collect, Settings

REQUESTS = {"traces": traces(span(1), span(2)), "logs": logs(log(1), log(2))}
OTHER = {"traces": "logs", "logs": "traces"}
BROKEN = {"protobuf": b"\x0a\xff\xff\x01", "json": b'{"resourceSpans": [{"scope'}
MOST_ANSWER_BYTES = 4 << 20
"""OTLP 1.11."""

RETRYABLE = {"http": {"429", "502", "503", "504"}, "grpc": {
    "CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS",
}}


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Receiver]:
    """A receiver whose spool holds more than it may."""
    with receiving(tmp_path, collector_in(tmp_path, spool_bytes=1000)) as receiver:
        (tmp_path / "spool" / "0-1-a.arrow").write_bytes(bytes(1001))
        yield receiver


@proves("R1")
@each_way
def test_each_transport_has_its_port(receiver: Receiver, way: Way) -> None:
    assert (Collect().grpc_port, Collect().http_port) == (4317, 4318)
    assert receiver.grpc_port != receiver.http_port
    assert send(receiver, way, "traces", REQUESTS["traces"]).is_ok


@proves("R2")
@each_http
@each_signal
@pytest.mark.parametrize("prefix", ["", "/otel", "/a/b"])
def test_paths_may_have_a_prefix(receiver: Receiver, way: Way, signal: str, prefix: str) -> None:
    assert send(receiver, way, signal, REQUESTS[signal], f"{prefix}/v1/{signal}").is_ok
    assert len(receiver.rows("observations")) == 2


@proves("R3")
@each_grpc
def test_three_services_and_many_calls_on_one_connection(receiver: Receiver, way: Way) -> None:
    compression = grpc.Compression.Gzip if way.coding == "gzip" else grpc.Compression.NoCompression
    with connected(receiver) as channel:
        call: Any = exporting(channel, "traces")
        answers = [call.future(traces(span(n)).SerializeToString(), timeout=30, compression=compression) for n in range(100)]
        assert [answer.result() for answer in answers] == [b""] * 100
        assert exporting(channel, "logs")(REQUESTS["logs"].SerializeToString(), compression=compression) == b""
        assert exporting(channel, "metrics")(b"", compression=compression)
        with pytest.raises(grpc.RpcError) as raised:
            channel.unary_unary("/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export")(b"", timeout=30)
    assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert len({row["observation_id"] for row in receiver.rows("observations")}) == 102


@proves("R4")
@each_way
@each_signal
def test_plain_and_gzip_are_read(receiver: Receiver, way: Way, signal: str) -> None:
    assert send(receiver, way, signal, REQUESTS[signal]).is_ok
    assert len(receiver.rows("observations")) == 2


@proves("R4")
@each_http
@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip"])
def test_other_codings_are_refused(receiver: Receiver, way: Way, coding: str) -> None:
    told = over_http(receiver, way, "/v1/traces", b"\x28\xb5\x2f\xfd", content_encoding=coding)
    assert (told.code, told.content_type) == ("415", TYPES[way.encoding])
    assert (receiver.stored(), len(receiver.rejected())) == (0, 1)


@proves("R5")
@each_http
def test_content_types(receiver: Receiver, way: Way) -> None:
    body, kind = encoded(way, REQUESTS["traces"]), TYPES[way.encoding]
    for written in (f"{kind}; charset=utf-8", f"{kind} ;a=b", kind.upper()):
        assert over_http(receiver, way, "/v1/traces", body, content_type=written).is_ok
    receiver.empty()
    for other in ("text/plain", "", "application/x-ndjson", "multipart/form-data"):
        assert over_http(receiver, way, "/v1/traces", body, content_type=other).code == "415"
    assert (receiver.stored(), len(receiver.rejected())) == (0, 4)


@proves("R5", "R12")
@each_http
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_and_paths(receiver: Receiver, way: Way, method: str) -> None:
    for path in ("/v1/traces", "/v1/logs", "/otel/v1/metrics"):
        told = over_http(receiver, way, path, b"", method)
        assert (told.code, told.content_type) == ("405", TYPES[way.encoding])
    told = over_http(receiver, way, "/v2/traces", b"", method)
    assert (told.code, told.content_type) == ("404", TYPES[way.encoding])
    assert method == "HEAD" or (told.status and told.status.code == 12)


@proves("R6", "R7")
@each_http
@each_signal
def test_success_is_answered_in_the_requests_own_type(receiver: Receiver, way: Way, signal: str) -> None:
    told = send(receiver, way, signal, REQUESTS[signal])
    assert (told.code, told.content_type, told.raw) == ("200", TYPES[way.encoding], b"{}" if way.encoding == "json" else b"")


@proves("R7")
@each_way
@each_signal
def test_success_leaves_partial_success_unset(receiver: Receiver, way: Way, signal: str) -> None:
    told = send(receiver, way, signal, REQUESTS[signal])
    assert told.is_ok and not told.response.HasField("partial_success")
    assert len(receiver.rows("observations")) == 2


@proves("R8")
@each_way
@each_signal
def test_empty_requests_succeed(receiver: Receiver, way: Way, signal: str) -> None:
    key = "resourceSpans" if signal == "traces" else "resourceLogs"
    bodies = [b"{}", f'{{"{key}":[]}}'.encode(), f'{{"{key}":null}}'.encode()] if way.encoding == "json" else [b"", b"\x0a\x00"]
    for body in bodies:
        told = send(receiver, way, signal, body)
        assert told.is_ok and not told.response.HasField("partial_success")
    assert (receiver.stored(), receiver.rejected()) == (0, [])


@proves("R9")
@each_way
def test_one_bad_span_among_a_thousand(receiver: Receiver, way: Way) -> None:
    spans = [span(n) for n in range(1000)]
    spans[500].span_id = b"\x01\x02\x03"
    told = send(receiver, way, "traces", traces(*spans))
    count, message = told.rejected("traces")
    assert (told.is_ok, count) == (True, 1)
    assert "50" in message and ("spanId" in message or "span_id" in message)
    rows = receiver.rows("observations")
    assert (len(rows), len({row["span_id"] for row in rows}), spans[500].span_id.hex() in {row["span_id"] for row in rows}) == (999, 999, False)
    (kept,) = receiver.rejected()
    assert kept["reason"] == message and (receiver.folder / "rejected" / kept["file"]).stat().st_size > 1000


@proves("R9")
@each_way
def test_one_bad_log_record_among_a_thousand(receiver: Receiver, way: Way) -> None:
    records = [log(n) for n in range(1000)]
    records[500].trace_id = b"short"
    told = send(receiver, way, "logs", logs(*records))
    assert (told.is_ok, told.rejected("logs")[0]) == (True, 1)
    assert len(receiver.rows("observations")) == 999
    assert [kept["reason"] for kept in receiver.rejected()] == [told.rejected("logs")[1]]


@proves("R9")
@each_way
def test_a_warning_rejects_nothing(receiver: Receiver, way: Way) -> None:
    """Metrics are taken and not kept: said, and not an error, since exporters of metrics could do nothing about it."""
    told = send(receiver, way, "metrics", b"{}" if way.encoding == "json" else b"")
    count, message = told.rejected("metrics")
    assert (told.is_ok, count, bool(message)) == (True, 0, True)


@proves("R10")
@each_way
def test_answers_stay_small(receiver: Receiver, way: Way) -> None:
    bad = [span(n, "\U0001f4a5" * 50, {"\u20ac" * 200: "x"}, trace_id=b"short") for n in range(1000)]
    told = send(receiver, way, "traces", traces(span(1), *bad))
    assert told.rejected("traces")[0] == 1000
    assert len(told.raw) < MOST_ANSWER_BYTES // 100
    told = send(receiver, way, "traces", b'{"resourceSpans": "' + b"x" * 1_000_000 if way.encoding == "json" else b"\xff" * 1_000_000)
    assert told.status and 0 < len(told.raw) < MOST_ANSWER_BYTES // 100


@proves("R11")
@each_way
@each_signal
def test_bad_data(receiver: Receiver, way: Way, signal: str) -> None:
    told = send(receiver, way, signal, BROKEN[way.encoding])
    assert told.code == ("INVALID_ARGUMENT" if way.transport == "grpc" else "400")
    assert told.status and told.status.code == 3 and told.status.message
    assert told.status.details[0].Unpack(BadRequest())
    assert receiver.stored() == 0
    assert [kept["reason"] for kept in receiver.rejected()] == [told.status.message]


@proves("R11")
@each_way
@each_signal
def test_the_other_signal_is_refused_and_nothing_stored(receiver: Receiver, way: Way, signal: str) -> None:
    told = send(receiver, way, signal, REQUESTS[OTHER[signal]])
    assert told.code == ("INVALID_ARGUMENT" if way.transport == "grpc" else "400")
    assert told.status and f"/v1/{OTHER[signal]}" in told.status.message
    assert (receiver.stored(), len(receiver.rejected())) == (0, 1)


@proves("R6", "R12")
@each_http
def test_every_failure_is_a_status_in_the_requests_own_type(receiver: Receiver, full: Receiver, way: Way) -> None:
    good = encoded(way, REQUESTS["traces"])
    answers = {
        "400": over_http(receiver, way, "/v1/traces", BROKEN[way.encoding]), "404": over_http(receiver, way, "/nowhere", good),
        "405": over_http(receiver, way, "/v1/traces", good, "PUT"), "413": over_http(receiver, way, "/v1/traces", bytes(BODY_BYTES + 1)),
        "415": over_http(receiver, way, "/v1/traces", good, content_encoding="br"), "503": over_http(full, way, "/v1/traces", good),
    }
    for code, told in answers.items():
        assert (told.code, told.content_type) == (code, TYPES[way.encoding])
        assert told.status and told.status.code and told.status.message


@proves("R13", "R14", "R15")
@each_way
@each_signal
def test_a_full_spool_is_to_be_tried_again_later(full: Receiver, way: Way, signal: str) -> None:
    told = send(full, way, signal, REQUESTS[signal])
    assert told.code in RETRYABLE[way.transport]
    assert told.retry_seconds > 0
    assert len(list((full.folder / "spool").iterdir())) == 1
    (full.folder / "spool" / "0-1-a.arrow").unlink()  # the engine took it
    assert send(full, way, signal, REQUESTS[signal]).is_ok


@proves("R13", "R14", "R15")
@each_way
def test_what_will_never_be_taken_is_not_to_be_tried_again(receiver: Receiver, way: Way) -> None:
    for body in (BROKEN[way.encoding], bytes(BODY_BYTES + 1), encoded(way, REQUESTS["logs"])):
        told = send(receiver, way, "traces", body)
        assert not told.is_ok and told.code not in RETRYABLE[way.transport]
        assert told.retry_seconds == 0


@proves("R16")
@each_way
@each_signal
def test_the_limit_counts_what_is_decompressed(receiver: Receiver, way: Way, signal: str) -> None:
    assert Settings().collect.body_bytes == 64 << 20
    padded = {"pad": "x" * BODY_BYTES}
    told = send(receiver, way, signal, traces(span(attributes=padded)) if signal == "traces" else logs(log(attributes=padded)))
    assert told.code == ("RESOURCE_EXHAUSTED" if way.transport == "grpc" else "413")
    assert told.retry_seconds == 0
    assert receiver.stored() == 0


@proves("R17")
@each_way
def test_unknown_fields_are_ignored_at_every_level(receiver: Receiver, way: Way) -> None:
    if way.encoding == "json":
        body = (
            b'{"x":1,"resourceSpans":[{"x":{},"resource":{"x":[]},"scopeSpans":[{"x":"","scope":{"x":0},"spans":[{"x":[{}],"traceId":"%s","spanId":"%s",'
            b'"name":"n","status":{"x":1},"events":[{"x":1}],"attributes":[{"key":"gen_ai.tool.name","value":{"stringValue":"add","x":1},"x":1}]}]}]}]}'
        ) % (b"ab" * 16, b"cd" * 8)
    else:
        new = b"\xc2\x3e\x03new"  # field 1000
        one = span(1).SerializeToString() + new + field(9, field(1, b"k") + field(2, new) + new) + field(11, new) + field(15, new)
        body = new + field(1, new + field(1, new) + field(2, new + field(1, new) + field(2, one)))
        assert len(ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans) == 1
    told = send(receiver, way, "traces", body)
    assert told.is_ok and not told.response.HasField("partial_success")
    assert [row["tool"] for row in receiver.rows("observations")] == ["add"]


@proves("R17")
@each_http
def test_a_request_of_nothing_but_unknown_fields_is_empty(receiver: Receiver, way: Way) -> None:
    body = b'{"new":{"a":[1]}}' if way.encoding == "json" else b"\xc2\x3e\x03new"
    assert send(receiver, way, "traces", body).is_ok
    assert receiver.stored() == 0


@proves("R18")
@each_http
def test_a_connection_is_kept_and_there_may_be_several(receiver: Receiver, way: Way) -> None:
    with httpx.Client(trust_env=False, timeout=ANSWER_SECONDS, limits=httpx.Limits(max_connections=1)) as client:
        ports = set()
        for _ in range(5):
            with client.stream("POST", f"{receiver.url}/v1/traces", content=b"", headers={"content-type": TYPES[way.encoding]}) as answer:
                answer.read()
                ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
                assert answer.http_version == "HTTP/1.1"
    assert len(ports) == 1
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: send(receiver, way, "traces", traces(span(n))), range(40)))
    assert all(told.is_ok for told in answers)
    assert len({row["observation_id"] for row in receiver.rows("observations")}) == 40


@proves("R19")
@each_way
@each_signal
def test_what_is_sent_again_counts_once(receiver: Receiver, tmp_path: Path, way: Way, signal: str) -> None:
    for _ in range(3):
        assert send(receiver, way, signal, REQUESTS[signal]).is_ok
    assert calls_of(receiver, tmp_path) == 2


@proves("R19")
@pytest.mark.parametrize("way", [way for way in HTTP if way.coding == "identity"], ids=str)
def test_an_answer_that_never_arrived(receiver: Receiver, tmp_path: Path, way: Way) -> None:
    """The sender is gone before the answer comes, and sends the same again over another connection."""
    body = encoded(way, REQUESTS["traces"])
    head = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {TYPES[way.encoding]}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", receiver.http_port)) as lost:
        lost.sendall(head.encode() + body)
    until(lambda: len(receiver.rows("observations")) == 2)
    assert send(receiver, way, "traces", REQUESTS["traces"]).is_ok
    assert (len(receiver.rows("observations")), calls_of(receiver, tmp_path)) == (4, 2)


@proves("R19")
@each_grpc
def test_a_call_that_was_given_up(receiver: Receiver, tmp_path: Path, way: Way) -> None:
    with connected(receiver) as channel:
        call: Any = exporting(channel, "traces")
        lost = call.future(REQUESTS["traces"].SerializeToString())
        until(lambda: len(receiver.rows("observations")) == 2)
        lost.cancel()
    assert send(receiver, way, "traces", REQUESTS["traces"]).is_ok
    assert calls_of(receiver, tmp_path) == 2


def calls_of(receiver: Receiver, folder: Path) -> int:
    """How many calls the engine makes of what lies in the spool."""
    engine = Engine(folder / "engine", Settings())
    try:
        taken = intake.take(engine.database, Spool(receiver.folder / "spool").pending(10_000))
        assert not taken.damaged
        return int(engine.database.value("SELECT count(*) FROM calls"))
    finally:
        engine.close()

