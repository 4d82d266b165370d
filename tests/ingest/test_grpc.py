"""The same obligations over gRPC, with the stubs of the protocol itself."""

import gzip
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.ingest.payloads import deep_value, log, logs, raw_request, span, traces, with_attribute
from tests.ingest.receiver import BODY_BYTES, Receiver

SERVICE = "/opentelemetry.proto.collector.{}.v1.{}Service/Export"


@pytest.fixture
def channel(receiver: Receiver) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(receiver.target, options=[("grpc.enable_http_proxy", 0)]) as channel:
        yield channel


def export(channel: grpc.Channel, signal: str, body: bytes, compression: grpc.Compression = grpc.Compression.NoCompression) -> Any:
    name = {"traces": "Trace", "logs": "Logs", "metrics": "Metrics"}[signal]
    call = channel.unary_unary(SERVICE.format(name.lower(), name))
    return call(body, timeout=30, compression=compression)


def refused(channel: grpc.Channel, signal: str, body: bytes) -> tuple[grpc.StatusCode, Status]:
    with pytest.raises(grpc.RpcError) as raised:
        export(channel, signal, body)
    trailers = dict(raised.value.trailing_metadata())
    return raised.value.code(), Status.FromString(trailers.get("grpc-status-details-bin", b""))


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_success(receiver: Receiver, channel: grpc.Channel, compression: grpc.Compression) -> None:
    assert export(channel, "traces", traces(span(1), span(2)).SerializeToString(), compression) == b""
    assert export(channel, "logs", logs(log(1)).SerializeToString(), compression) == b""
    assert len(receiver.rows("observations")) == 3


@pytest.mark.parametrize("signal", ["traces", "logs"])
def test_empty_requests_succeed(receiver: Receiver, channel: grpc.Channel, signal: str) -> None:
    assert export(channel, signal, b"") == b""
    assert receiver.stored() == 0


def test_metrics_are_answered_politely(channel: grpc.Channel) -> None:
    told = ExportMetricsServiceResponse.FromString(export(channel, "metrics", b"")).partial_success
    assert (told.rejected_data_points, bool(told.error_message)) == (0, True)


def test_partial_success(receiver: Receiver, channel: grpc.Channel) -> None:
    spans = [span(n) for n in range(1000)]
    spans[7].trace_id = bytes(16)
    told = ExportTraceServiceResponse.FromString(export(channel, "traces", traces(*spans).SerializeToString())).partial_success
    assert (told.rejected_spans, told.error_message[:6]) == (1, "span 8")
    assert (len(receiver.rows("observations")), len(receiver.rejected())) == (999, 1)


def test_partial_success_of_logs(receiver: Receiver, channel: grpc.Channel) -> None:
    body = raw_request(log(1).SerializeToString(), with_attribute(log(2), b"a", deep_value(200)), log(3, trace_id=b"short").SerializeToString())
    told = ExportLogsServiceResponse.FromString(export(channel, "logs", body)).partial_success
    assert told.rejected_log_records == 2
    assert len(receiver.rows("observations")) == 1


@pytest.mark.parametrize(("signal", "body"), [
    ("traces", b"\x0a\xff\xff\x01"), ("logs", b"{}"), ("traces", traces(span()).SerializeToString()[:-3]),
    ("traces", logs(log(1), log(2)).SerializeToString()), ("logs", traces(span(1), span(2)).SerializeToString()),
])
def test_bad_data(receiver: Receiver, channel: grpc.Channel, signal: str, body: bytes) -> None:
    code, status = refused(channel, signal, body)
    assert (code, status.code) == (grpc.StatusCode.INVALID_ARGUMENT, 3)
    assert status.details[0].Unpack(BadRequest())
    assert receiver.stored() == 0
    assert [kept["reason"] for kept in receiver.rejected()] == [status.message]


def test_too_large_is_not_to_be_sent_again(receiver: Receiver, channel: grpc.Channel) -> None:
    """Also where only the decompressed message is too large."""
    large = traces(span(attributes={"gen_ai.tool.name": "add", "pad": "x" * BODY_BYTES})).SerializeToString()
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        with pytest.raises(grpc.RpcError) as raised:
            export(channel, "traces", large, compression)
        assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "grpc-status-details-bin" not in dict(raised.value.trailing_metadata() or ())
    assert receiver.stored() == 0
    assert len(gzip.compress(large)) < BODY_BYTES


def test_many_calls_on_one_connection(receiver: Receiver, channel: grpc.Channel) -> None:
    call = channel.unary_unary(SERVICE.format("trace", "Trace"))
    answers = [call.future(traces(span(n)).SerializeToString(), timeout=30) for n in range(100)]
    assert [answer.result() for answer in answers] == [b""] * 100
    assert len({row["observation_id"] for row in receiver.rows("observations")}) == 100


def test_unknown_services_are_unimplemented(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary("/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export")(b"", timeout=30)
    assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED
