"""Answers of an OTLP server: export responses with partial success, and Status bodies, in the request's own encoding."""

import json
from typing import Any

from google.protobuf import duration_pb2, json_format
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from ingest.collector import Answer

RETRY_SECONDS = 5
INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 3, 8, 12, 13, 14
MESSAGE_BYTES = 4_000
"""The whole answer must stay below 4 MiB (OTLP 1.11); a reason needs far less."""


def export_response(signal: str, answer: Answer) -> Any:
    """The answer to a request that was stored; partial success says what was not, or warns."""
    message = _sayable(answer.message)
    if signal == "logs":
        logs = ExportLogsServiceResponse()
        if message:
            logs.partial_success.rejected_log_records, logs.partial_success.error_message = answer.refused, message
        return logs
    if signal == "metrics":
        metrics = ExportMetricsServiceResponse()
        if message:
            metrics.partial_success.rejected_data_points, metrics.partial_success.error_message = answer.refused, message
        return metrics
    traces = ExportTraceServiceResponse()
    if message:
        traces.partial_success.rejected_spans, traces.partial_success.error_message = answer.refused, message
    return traces


def status(code: int, message: str, retry: bool = False) -> status_pb2.Status:
    """A Status; what is wrong with the request as BadRequest, or when to come back as RetryInfo."""
    made = status_pb2.Status(code=code, message=_sayable(message))
    if retry:
        made.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=RETRY_SECONDS)))
    elif code == INVALID_ARGUMENT:
        violation = error_details_pb2.BadRequest.FieldViolation(field="body", description=_sayable(message))
        made.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    return made


def _sayable(message: str) -> str:
    return message[:MESSAGE_BYTES].encode("utf-8", "replace").decode()


def encoded(message: Any, encoding: str) -> bytes:
    """A protobuf message in the request's encoding."""
    if encoding == "json":
        return json.dumps(json_format.MessageToDict(message)).encode()
    body: bytes = message.SerializeToString()
    return body
