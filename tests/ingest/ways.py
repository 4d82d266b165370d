"""The ways a request comes: transport, encoding and coding; and what is told to the sender, in the same terms for all of them."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import grpc
import httpx
import pytest
from google.protobuf import json_format
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.ingest.payloads import as_json
from tests.ingest.receiver import Receiver

TYPES = {"protobuf": "application/x-protobuf", "json": "application/json"}
SERVICES = {"traces": "trace.v1.Trace", "logs": "logs.v1.Logs", "metrics": "metrics.v1.Metrics"}
RESPONSES: dict[str, Any] = {"traces": ExportTraceServiceResponse, "logs": ExportLogsServiceResponse, "metrics": ExportMetricsServiceResponse}
REJECTED = {"traces": "rejected_spans", "logs": "rejected_log_records", "metrics": "rejected_data_points"}
DETAILS = "grpc-status-details-bin"
ANSWER_SECONDS = 30


class Way(NamedTuple):
    """How a request comes."""

    transport: str
    encoding: str
    coding: str

    def __str__(self) -> str:
        return " ".join(self)


HTTP = tuple(Way("http", encoding, coding) for encoding in TYPES for coding in ("identity", "gzip"))
GRPC = tuple(Way("grpc", "protobuf", coding) for coding in ("identity", "gzip"))
WAYS = HTTP + GRPC

proves = pytest.mark.proves
each_way = pytest.mark.parametrize("way", WAYS, ids=str)
each_http = pytest.mark.parametrize("way", HTTP, ids=str)
each_grpc = pytest.mark.parametrize("way", GRPC, ids=str)
each_signal = pytest.mark.parametrize("signal", ["traces", "logs"])


@dataclass(frozen=True)
class Told:
    """An answer: its code by the transport's own name, what it holds, and when to come back."""

    code: str
    raw: bytes
    response: Any = None
    status: Status | None = None
    retry_seconds: float = 0
    content_type: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether the request was taken, perhaps but in part."""
        return self.code in ("200", "OK")

    def rejected(self, signal: str) -> tuple[int, str]:
        """What partial success says: how many, and why."""
        partial = self.response.partial_success
        return getattr(partial, REJECTED[signal]), partial.error_message


def encoded(way: Way, request: Any) -> bytes:
    """A request in the way's encoding; bytes are taken as they are."""
    if isinstance(request, bytes):
        return request
    return as_json(request) if way.encoding == "json" else bytes(request.SerializeToString())


def send(receiver: Receiver, way: Way, signal: str, request: Any, path: str = "") -> Told:
    """Send a request, or bytes, and hear what is told."""
    body = encoded(way, request)
    return _over_grpc(receiver, way, signal, body) if way.transport == "grpc" else over_http(receiver, way, path or f"/v1/{signal}", body)


def over_http(receiver: Receiver, way: Way, path: str, body: bytes, method: str = "POST", **headers: str) -> Told:
    """Send bytes over HTTP; `headers` take the place of the way's own."""
    packed = gzip.compress(body) if way.coding == "gzip" else body
    own = {"content-type": TYPES[way.encoding], "content-encoding": way.coding}
    with httpx.Client(trust_env=False, verify=False, timeout=ANSWER_SECONDS) as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return told_over_http(client.request(method, f"{receiver.url}{path}", content=packed, headers={**own, **named}), path)


def told_over_http(answer: httpx.Response, path: str) -> Told:
    """An answer, read in the type that it says it has."""
    kind, content = answer.headers["content-type"], answer.content
    response, status = RESPONSES.get(path.rpartition("/")[2], ExportTraceServiceResponse)(), Status()
    read_into = response if answer.is_success else status
    if answer.request.method == "HEAD":
        pass
    elif kind == TYPES["json"]:
        json_format.Parse(content, read_into)
    else:
        assert kind == TYPES["protobuf"], kind
        read_into.ParseFromString(content)
    if answer.is_success:
        return Told(str(answer.status_code), content, response=response, content_type=kind)
    retry = float(answer.headers.get("retry-after", 0))
    assert retry == retry_seconds(status), "the header and the Status say the same"
    return Told(str(answer.status_code), content, status=status, retry_seconds=retry, content_type=kind)


def exporting(channel: grpc.Channel, signal: str) -> Callable[..., Any]:
    """The Export method of a signal's service, with the bytes left to the caller."""
    call: Callable[..., Any] = channel.unary_unary(f"/opentelemetry.proto.collector.{SERVICES[signal]}Service/Export")
    return call


def connected(receiver: Receiver) -> grpc.Channel:
    """A connection, to be closed."""
    return grpc.insecure_channel(receiver.target, options=[("grpc.enable_http_proxy", 0)])


def _over_grpc(receiver: Receiver, way: Way, signal: str, body: bytes) -> Told:
    compression = grpc.Compression.Gzip if way.coding == "gzip" else grpc.Compression.NoCompression
    with connected(receiver) as channel:
        try:
            raw = exporting(channel, signal)(body, timeout=ANSWER_SECONDS, compression=compression)
        except grpc.RpcError as error:
            details = dict(error.trailing_metadata() or ()).get(DETAILS, b"")
            status = Status.FromString(details) if details else None
            return Told(error.code().name, details, status=status, retry_seconds=retry_seconds(status))
    return Told("OK", raw, response=RESPONSES[signal].FromString(raw))


def retry_seconds(status: Status | None) -> float:
    """When a Status says to come back; 0 where it does not."""
    hint = RetryInfo()
    return next((hint.retry_delay.ToTimedelta().total_seconds() for one in (status.details if status else ()) if one.Unpack(hint)), 0)
