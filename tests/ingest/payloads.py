"""Small OTLP requests, in protobuf and in the JSON of the protocol (hex ids, which the protobuf library's own JSON does not write)."""

import base64
import json
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ingest.otlp import json as otlp_json
from ingest.otlp import protobuf
from ingest.otlp.items import Decoded
from ingest.reading import read_items
from store.records import Call, Records

START = 1_790_000_000_000_000_000
IDS = ("traceId", "spanId", "parentSpanId")


def any_value(value: Any) -> AnyValue:
    """A Python value as OTLP writes it."""
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=pairs(value)))
        case _:
            return AnyValue(array_value=ArrayValue(values=[any_value(v) for v in value]))


def pairs(attributes: dict[str, Any]) -> list[KeyValue]:
    """Attributes as OTLP writes them."""
    return [KeyValue(key=k, value=any_value(v)) for k, v in attributes.items()]


def span(n: int = 1, name: str = "execute_tool add", attributes: dict[str, Any] | None = None, **more: Any) -> Span:
    """A span of a tool call, unless said otherwise."""
    found = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "add"} if attributes is None else attributes
    fields: dict[str, Any] = {
        "trace_id": (1000 + n).to_bytes(16, "big"), "span_id": (1000 + n).to_bytes(8, "big"), "name": name, "attributes": pairs(found),
        "start_time_unix_nano": START + n * 1_000_000, "end_time_unix_nano": START + n * 1_000_000 + 2_500_000, "kind": 1,
    }
    return Span(**(fields | more))


def log(n: int = 1, body: Any = "claude_code.tool_result", attributes: dict[str, Any] | None = None, **more: Any) -> LogRecord:
    """A log record of a tool call, unless said otherwise."""
    found = {"event.name": "tool_result", "event.sequence": n, "session.id": "s1", "tool_name": "Read", "success": "true"}
    fields: dict[str, Any] = {
        "time_unix_nano": START + n * 1_000_000, "body": any_value(body), "attributes": pairs(found if attributes is None else attributes),
    }
    return LogRecord(**(fields | more))


def traces(*spans: Span, scope: str = "a-framework", resource: dict[str, Any] | None = None) -> ExportTraceServiceRequest:
    """A request of spans."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(pairs({"service.name": "an-agent"} if resource is None else resource))
    scoped = group.scope_spans.add()
    scoped.scope.name = scope
    scoped.spans.extend(spans)
    return request


def logs(*records: LogRecord, scope: str = "com.anthropic.claude_code.events", resource: dict[str, Any] | None = None) -> ExportLogsServiceRequest:
    """A request of log records."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.extend(pairs({"service.name": "claude-code", "service.version": "2.1"} if resource is None else resource))
    scoped = group.scope_logs.add()
    scoped.scope.name = scope
    scoped.log_records.extend(records)
    return request


def as_json(request: Any) -> bytes:
    """A request in OTLP/JSON."""
    return json.dumps(_hex_ids(json_format.MessageToDict(request, use_integers_for_enums=True))).encode()


def _hex_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: base64.b64decode(v).hex() if k in IDS else _hex_ids(v) for k, v in value.items()}
    return [_hex_ids(v) for v in value] if isinstance(value, list) else value


def as_protobuf(told: dict[str, Any]) -> Any:
    """A request out of OTLP/JSON; what the protocol does not know is left out."""
    made = ExportTraceServiceRequest() if "resourceSpans" in told else ExportLogsServiceRequest()
    return json_format.ParseDict(_base64_ids(told), made, ignore_unknown_fields=True)


def _base64_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: base64.b64encode(bytes.fromhex(v)).decode() if k in IDS else _base64_ids(v) for k, v in value.items()}
    return [_base64_ids(v) for v in value] if isinstance(value, list) else value


def both(request: Any) -> tuple[Decoded, Decoded]:
    """A request decoded from protobuf and from JSON."""
    body, text = request.SerializeToString(), as_json(request)
    if isinstance(request, ExportTraceServiceRequest):
        return protobuf.decode_traces(body), otlp_json.decode_traces(text)
    return protobuf.decode_logs(body), otlp_json.decode_logs(text)


def records_of(request: Any) -> Records:
    """The records of a request; both encodings must give the same."""
    from_protobuf, from_json = (read_items(decoded)[0] for decoded in both(request))
    assert from_protobuf == from_json
    return from_protobuf


def call_of(request: Any) -> Call:
    """The one call of a request."""
    (call,) = records_of(request).calls
    return call


def field(number: int, content: bytes) -> bytes:
    """A field of bytes on the wire, for what the library does not write."""
    size, made = len(content), bytearray([number << 3 | 2])
    while size > 127:
        made.append(size & 127 | 128)
        size >>= 7
    return bytes(made) + bytes([size]) + content


def deep_value(levels: int) -> bytes:
    """An AnyValue of kvlists inside one another, deeper than the library itself would go."""
    made = any_value("x").SerializeToString()
    for _ in range(levels):
        made = field(6, field(1, field(1, b"a") + field(2, made)))
    return made


def with_attribute(one: Span | LogRecord, key: bytes, value: bytes) -> bytes:
    """A span or log record on the wire with one more attribute."""
    number = 9 if isinstance(one, Span) else 6
    return one.SerializeToString() + field(number, field(1, key) + field(2, value))


def raw_request(*leaves: bytes) -> bytes:
    """A request of spans or log records that are on the wire already."""
    return field(1, field(2, b"".join(field(2, leaf) for leaf in leaves)))
