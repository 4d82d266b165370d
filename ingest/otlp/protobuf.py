"""OTLP in protobuf.

`attributes` is declared as `map<string, AnyValue>`: the same bytes on the wire as `repeated KeyValue`, but the decoder then tells keys apart
in C instead of Python walking a list of pairs for every span. The descriptors are made from opentelemetry-proto's own at import.
"""

from collections.abc import Callable
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from ingest.otlp import limits, salvage
from ingest.otlp.items import Decoded, Event, Item, Refusals, Source, Value, plausible_nanos
from store.errors import SourceError, TooLargeError

_KEY_VALUE = ".opentelemetry.proto.common.v1.KeyValue"
_DEPTH = 64
"""How deeply a value may nest; what lies deeper is left out."""


def _with_maps() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for module in (common_pb2, resource_pb2, trace_pb2, logs_pb2, trace_service_pb2, logs_service_pb2):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            _attributes_as_map(message, f".{file.package}.{message.name}")
        pool.Add(file)
    return pool


def _attributes_as_map(message: descriptor_pb2.DescriptorProto, full_name: str) -> None:
    for nested in message.nested_type:
        _attributes_as_map(nested, f"{full_name}.{nested.name}")
    for field in message.field:
        if field.name == "attributes" and field.type_name == _KEY_VALUE:
            entry = message.nested_type.add(name="AttributesEntry")
            entry.options.map_entry = True
            single = descriptor_pb2.FieldDescriptorProto
            entry.field.add(name="key", number=1, type=single.TYPE_STRING, label=single.LABEL_OPTIONAL)
            entry.field.add(
                name="value", number=2, type=single.TYPE_MESSAGE, label=single.LABEL_OPTIONAL, type_name=".opentelemetry.proto.common.v1.AnyValue"
            )
            field.type_name = f"{full_name}.AttributesEntry"


def _message(name: str) -> type[Any]:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(name))


_POOL = _with_maps()
_TRACES = _message("opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest")
_LOGS = _message("opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest")


def _attributes(decoded: Any) -> dict[str, Value]:
    """Attributes of a decoded message, made into Python at once: dialects ask for most of them, and for many that are not there."""
    return {key: value.string_value or value_of(value) for key, value in decoded.items()}  # most are texts, and of any other kind that is empty


def value_of(value: Any, depth: int = 0) -> Value:
    """An AnyValue as a Python value."""
    which = value.WhichOneof("value")
    if which == "string_value":
        text: str = value.string_value
        return text
    if which is None or depth > _DEPTH:
        return None
    if which == "array_value":
        return [value_of(v, depth + 1) for v in value.array_value.values]
    if which == "kvlist_value":
        return {kv.key: value_of(kv.value, depth + 1) for kv in value.kvlist_value.values}
    found: Value = getattr(value, which)
    return found


class Traces:
    """An ExportTraceServiceRequest whose spans become items when they are asked for.

    Raises SourceError where the body is none, TooLargeError where it holds more than is taken at a time.
    """

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.refused, self.warnings = Refusals(), list[str]()
        limits.check_protobuf(body, "traces")
        self._request = _parse(_TRACES, body, "ExportTraceServiceRequest", self.refused, _check_not_logs)
        self.is_whole = not self.refused
        self.sources: list[Source] = []
        self._scopes = [scope for resource in self._request.resource_spans for scope in resource.scope_spans]
        limits.check_items(self.count)
        self._spans: list[tuple[Any, Source]] | None = None
        for resource_spans in self._request.resource_spans:
            resource = _attributes(resource_spans.resource.attributes)
            self.sources += [Source(resource, s.scope.name, s.scope.version) for s in resource_spans.scope_spans]

    def __len__(self) -> int:
        return self.count + len(self.refused)

    @property
    def count(self) -> int:
        """How many spans there are."""
        return sum(len(scope.spans) for scope in self._scopes)

    def item(self, n: int) -> Item | None:
        """A span as an item; None where it has to be refused, which `refused` then says. Raises TooLargeError where all have too many events."""
        if self._spans is None:
            self._spans = [(span, source) for scope, source in zip(self._scopes, self.sources, strict=True) for span in scope.spans]
            limits.check_events(sum(len(one.events) for one, _ in self._spans))
        span, source = self._spans[n]
        trace_id, span_id = _id(span.trace_id, 16), _id(span.span_id, 8)
        if not trace_id or not span_id:
            has = f"trace_id has {len(span.trace_id)} bytes and span_id {len(span.span_id)}"
            self.refused.append(f"span {n + 1}: {has}; they must have 16 and 8, not all zero")
        elif (parent := _id(span.parent_span_id, 8)) is None:
            self.refused.append(f"span {n + 1}: parent_span_id has {len(span.parent_span_id)} bytes; it must have 8, or none")
        elif len(span.events) > limits.MOST_EVENTS:
            self.refused.append(f"span {n + 1}: has {len(span.events):,} events; at most {limits.MOST_EVENTS:,} are taken")
        else:
            return _span(span, source, trace_id, span_id, parent)
        return None

    def check_signal(self) -> None:
        """Raises SourceError where nothing could be taken because the body holds logs."""
        _check_not_logs(self.body)


def decode_traces(body: bytes) -> Decoded:
    """Spans of an ExportTraceServiceRequest. Raises as `Traces` does."""
    traces = Traces(body)
    items = [item for n in range(traces.count) if (item := traces.item(n))]
    if traces.count and not items:
        traces.check_signal()
    return Decoded(items, traces.refused, traces.warnings)


def _id(raw: bytes, size: int) -> str | None:
    """An id in hex, "" where there is none (some SDKs write zeros for that), None where it has another length."""
    if len(raw) not in (0, size):
        return None
    return raw.hex() if any(raw) else ""


def _span(span: Any, source: Source, trace_id: str, span_id: str, parent: str) -> Item:
    return Item(
        signal="span", name=span.name, source=source, attributes=_attributes(span.attributes),
        trace_id=trace_id, span_id=span_id, parent_span_id=parent or None,
        started_ns=plausible_nanos(span.start_time_unix_nano), ended_ns=plausible_nanos(span.end_time_unix_nano),
        kind=span.kind, failed=span.status.code == 2, status_message=span.status.message,
        events=tuple(Event(e.name, _attributes(e.attributes)) for e in span.events),
    )


def decode_logs(body: bytes) -> Decoded:
    """Log records of an ExportLogsServiceRequest. Raises SourceError where the body is none, TooLargeError where it holds too much."""
    decoded, total = Decoded(), 0
    limits.check_protobuf(body, "logs")
    request = _parse(_LOGS, body, "ExportLogsServiceRequest", decoded.refused, _check_not_traces)
    limits.check_items(sum(len(scope_logs.log_records) for resource_logs in request.resource_logs for scope_logs in resource_logs.scope_logs))
    for resource_logs in request.resource_logs:
        resource = _attributes(resource_logs.resource.attributes)
        for scope_logs in resource_logs.scope_logs:
            source = Source(resource, scope_logs.scope.name, scope_logs.scope.version)
            for record in scope_logs.log_records:
                total += 1
                trace_id, span_id = _id(record.trace_id, 16), _id(record.span_id, 8)
                if trace_id is None or span_id is None:
                    has = f"trace_id has {len(record.trace_id)} bytes and span_id {len(record.span_id)}"
                    decoded.refused.append(f"log record {total}: {has}; they must have 16 and 8, or none")
                    continue
                decoded.items.append(Item(
                    signal="log", name=record.event_name, source=source, attributes=_attributes(record.attributes),
                    trace_id=trace_id or None, span_id=span_id or None, parent_span_id=None,
                    started_ns=plausible_nanos(record.time_unix_nano) or plausible_nanos(record.observed_time_unix_nano),
                    body=value_of(record.body),
                ))
    if total and not any(item.started_ns for item in decoded.items):
        _check_not_traces(body)
    return decoded


def _parse(kind: type[Any], body: bytes, name: str, refused: Refusals, check: Callable[[bytes], None]) -> Any:
    try:
        return kind.FromString(body)
    except DecodeError as error:
        check(body)
        found = salvage.without_unreadable(body, lambda one: _decodes(kind, one))
        if found is None or not _decodes(kind, found[0]):
            raise SourceError(f"the body of {len(body)} bytes is not an {name} in protobuf: it is truncated or something else") from error
        for number in found[1]:
            refused.append(f"span or log record {number}: its text is not UTF-8, or it nests too deeply, or it is damaged")
        return kind.FromString(found[0])


def _decodes(kind: type[Any], body: bytes) -> bool:
    try:
        kind.FromString(body)
    except DecodeError:
        return False
    return True


def _check_not_logs(body: bytes) -> None:
    if _looks_like_logs(body):
        raise SourceError("the body is an ExportLogsServiceRequest; send logs to /v1/logs (gRPC: LogsService)")


def _check_not_traces(body: bytes) -> None:
    if _looks_like_traces(body):
        raise SourceError("the body is an ExportTraceServiceRequest; send spans to /v1/traces (gRPC: TraceService)")


def _looks_like_logs(body: bytes) -> bool:
    try:
        limits.check_protobuf(body, "logs")
        request = _LOGS.FromString(body)
    except (DecodeError, TooLargeError):
        return False
    records = [r for rl in request.resource_logs for sl in rl.scope_logs for r in sl.log_records]
    return bool(records) and any(r.time_unix_nano or r.observed_time_unix_nano or r.body.WhichOneof("value") for r in records)


def _looks_like_traces(body: bytes) -> bool:
    try:
        limits.check_protobuf(body, "traces")
        request = _TRACES.FromString(body)
    except (DecodeError, TooLargeError):
        return False
    spans = [s for rs in request.resource_spans for ss in rs.scope_spans for s in ss.spans]
    return bool(spans) and all(len(s.trace_id) == 16 and len(s.span_id) == 8 and s.name for s in spans)
