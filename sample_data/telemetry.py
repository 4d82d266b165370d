"""OpenTelemetry in the processes that play: seeded ids, a person on every span, requests written to a file."""

import struct
from collections.abc import Sequence
from pathlib import Path
from random import Random

from opentelemetry import baggage, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator

from sample_data.script import seeded_uuid

PERSON = "user.id"
_LENGTH = struct.Struct(">I")


class SeededIds(IdGenerator):
    """Ids from a seeded source, which `restart` sets anew for each session."""

    def __init__(self, *parts: object) -> None:
        self._random = Random("|".join(map(str, parts)))

    def restart(self, *parts: object) -> None:
        """Begin again from these parts."""
        self._random = Random("|".join(map(str, parts)))

    def generate_span_id(self) -> int:
        """A span id; zero is not legal."""
        return self._random.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        """A trace id; zero is not legal."""
        return self._random.getrandbits(128) or 1


class PersonOnSpans(SpanProcessor):
    """Copies the person from the W3C baggage to every span, in the agent and in the servers it calls."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Set `user.id` where the baggage has one."""
        person = baggage.get_baggage(PERSON, parent_context)
        if isinstance(person, str):
            span.set_attribute(PERSON, person)


class RequestFile(SpanExporter):
    """Appends each export as a length and the bytes of an ExportTraceServiceRequest."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write through at once, since servers over stdio are stopped without a chance to flush."""
        body = encode_spans(spans).SerializeToString()
        with self._path.open("ab") as file:
            file.write(_LENGTH.pack(len(body)) + body)
        return SpanExportResult.SUCCESS


def read_requests(path: Path) -> list[bytes]:
    """The bodies that a `RequestFile` holds."""
    data, bodies, at = path.read_bytes(), [], 0
    while at < len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        bodies.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return bodies


def start(service: str, version: str, seed: int, path: Path) -> SeededIds:
    """Make this process a service of its own whose spans go to `path`; returns its ids."""
    ids = SeededIds(seed, service, path.stem)
    resource = Resource.create(
        {
            "service.name": service,
            "service.version": version,
            "service.instance.id": seeded_uuid(seed, service, path.stem),
        }
    )
    provider = TracerProvider(resource=resource, id_generator=ids, shutdown_on_exit=False)
    provider.add_span_processor(PersonOnSpans())
    provider.add_span_processor(SimpleSpanProcessor(RequestFile(path)))
    trace.set_tracer_provider(provider)
    return ids
