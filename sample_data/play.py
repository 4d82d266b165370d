"""The player: sends a recording to a collector through its real receivers, in the order it was recorded."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import grpc
import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from sample_data.recording import Request

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_ATTEMPTS = 8
_FIRST_PAUSE_S = 0.2
_TIMEOUT_S = 30.0
_MESSAGE_LIMIT = 64 * 1024 * 1024
# The codes that OTLP 1.11 lets a client retry; RESOURCE_EXHAUSTED only with RetryInfo, so it counts as a refusal here.
_RETRYABLE_GRPC = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
_RETRYABLE_HTTP = frozenset({429, 502, 503, 504})
_CONTENT_TYPES = {
    "http_protobuf": "application/x-protobuf",
    "http_json": "application/json",
    "calls": "application/x-ndjson",
}


class Refused(Exception):
    """A request that the collector did not accept, or accepted only in part."""


def play(recording: Iterable[Request], grpc_address: str, http_address: str, token: str | None = None, pace: float = 0) -> dict[str, int]:
    """Send every request and return how many went over each transport.

    `grpc_address` is `host:port`, `http_address` a base address like `http://127.0.0.1:4318`, `token` a bearer token.
    `pace` is how many recorded seconds pass in one second of playing; 0 sends without waiting.
    Temporary refusals are retried; a final refusal or a partial success raises `Refused`.
    """
    counts: Counter[str] = Counter()
    headers = {"authorization": f"Bearer {token}"} if token else {}
    options = [("grpc.max_send_message_length", _MESSAGE_LIMIT)]
    with (
        grpc.insecure_channel(grpc_address, options=options) as channel,
        httpx.Client(base_url=http_address, headers=headers, timeout=_TIMEOUT_S, trust_env=False) as client,
    ):
        # Not the generated stub: the recorded bytes go out as they are.
        export = channel.unary_unary(_EXPORT, response_deserializer=ExportTraceServiceResponse.FromString)
        before = None
        for request in recording:
            if pace and before is not None:
                time.sleep(max(0.0, (request.sent_at - before).total_seconds() / pace))
            before = request.sent_at
            if request.transport == "grpc":
                _send_grpc(export, request, tuple(headers.items()))
            else:
                _send_http(client, request)
            counts[request.transport] += 1
    return dict(counts)


def _send_grpc(export: Callable[..., Any], request: Request, metadata: tuple[tuple[str, str], ...]) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            answer = export(request.body, metadata=metadata, timeout=_TIMEOUT_S)
        except grpc.RpcError as error:
            if error.code() not in _RETRYABLE_GRPC or attempt == _ATTEMPTS - 1:
                raise Refused(f"gRPC {request.path} of {request.sent_at}: {error.code()}: {error.details()}") from error
            time.sleep(_FIRST_PAUSE_S * 2**attempt)
            continue
        if answer.partial_success.rejected_spans:
            raise Refused(f"gRPC {request.path} of {request.sent_at}: {answer.partial_success.error_message}")
        return


def _send_http(client: httpx.Client, request: Request) -> None:
    headers = {"content-type": _CONTENT_TYPES[request.transport]}
    for attempt in range(_ATTEMPTS):
        try:
            answer = client.post(request.path, content=request.body, headers=headers)
        except httpx.TransportError as error:
            if attempt == _ATTEMPTS - 1:
                raise Refused(f"{request.path} of {request.sent_at}: {error}") from error
            time.sleep(_FIRST_PAUSE_S * 2**attempt)
            continue
        if answer.status_code in _RETRYABLE_HTTP and attempt < _ATTEMPTS - 1:
            time.sleep(_pause(answer.headers.get("retry-after"), attempt))
            continue
        if answer.status_code >= 300:
            raise Refused(f"{request.path} of {request.sent_at}: {answer.status_code}: {answer.text[:500]}")
        if part := _rejected(request, answer):
            raise Refused(f"{request.path} of {request.sent_at}: {part} items refused: {answer.text[:500]}")
        return


def _rejected(request: Request, answer: httpx.Response) -> int:
    """How many items of an accepted request were refused all the same."""
    if not answer.content:
        return 0
    if request.transport == "http_protobuf":
        return ExportTraceServiceResponse.FromString(answer.content).partial_success.rejected_spans
    told = answer.json()
    part = told.get("partialSuccess", {})
    return int(part.get("rejectedSpans", 0)) + int(part.get("rejectedLogRecords", 0)) + int(told.get("refused", 0))


def _pause(retry_after: str | None, attempt: int) -> float:
    # The other legal form of Retry-After is a date; then the ordinary back-off is good enough.
    return float(retry_after) if retry_after and retry_after.isdigit() else _FIRST_PAUSE_S * 2**attempt
