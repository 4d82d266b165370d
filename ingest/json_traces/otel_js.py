"""OpenTelemetry's objects as JavaScript has them: spans and log records as file exporters write them (Gemini CLI's `outfile`, Copilot Chat).

They are read as the dialects read them from OTLP.
"""

from collections.abc import Iterator
from typing import Any

from ingest.json_traces.contract import Clock, Line, LogFormat, each_line, inside
from ingest.otlp.items import Event, Item, Source, plausible_nanos
from ingest.reading import read_items
from store.records import Record

TRACE_DIGITS, SPAN_DIGITS = 32, 16
HEX = frozenset("0123456789abcdef")


def recognises(line: Line) -> bool:
    """A log record, a span, or metrics, which say nothing of single calls."""
    if not isinstance(line.get("resource"), dict):
        return False
    return _is_log(line) or _is_span(line) or isinstance(line.get("scopeMetrics"), list)


def read(line: Line, clock: Clock) -> Iterator[Record]:
    """The records of whatever dialect it is."""
    if not (_is_log(line) or _is_span(line)):
        return
    own = _context(line, "spanContext") or {}
    trace, span = _id(own.get("traceId"), TRACE_DIGITS), _id(own.get("spanId"), SPAN_DIGITS)
    scope = _object(line, "instrumentationScope", "instrumentationLibrary")
    source = Source(_resource(line["resource"]), str(scope.get("name") or ""), str(scope.get("version") or ""))
    attributes = _object(line, "attributes")
    if _is_log(line):
        body = line.get("_body", line.get("body"))
        item = Item(
            "log", str(line.get("eventName") or line.get("_eventName") or ""), source, attributes, trace, span, None,
            _nanos(line.get("hrTime")) or _nanos(line.get("hrTimeObserved")), body=body if isinstance(body, str | dict | list) else None,
        )
    elif trace and span:
        status, kind, parent = _object(line, "status"), line.get("kind"), inside(line, "parentSpanContext", "spanId") or line.get("parentSpanId")
        item = Item(
            "span", str(line["name"]), source, attributes, trace, span, _id(parent, SPAN_DIGITS),
            _nanos(line.get("startTime")), _nanos(line.get("endTime")), kind=kind + 1 if isinstance(kind, int) else 0,  # here INTERNAL is 0
            failed=status.get("code") == 2, status_message=str(status.get("message") or ""), events=tuple(_events(line.get("events"))),
        )
    else:
        return
    records, _ = read_items([item])
    yield from records.calls
    yield from records.messages
    yield from records.definitions
    yield from records.access
    yield from records.spans


def _is_log(line: Line) -> bool:
    return isinstance(line.get("hrTime"), list) and isinstance(line.get("attributes"), dict)


def _is_span(line: Line) -> bool:
    return isinstance(line.get("startTime"), list) and isinstance(line.get("name"), str) and _context(line, "spanContext") is not None


def _context(line: Line, name: str) -> Line | None:
    found = line.get(f"_{name}", line.get(name))
    return found if isinstance(found, dict) else None


def _resource(resource: Line) -> dict[str, Any]:
    """The attributes: an object, or the pairs that are behind it while some are awaited."""
    raw = resource.get("_rawAttributes")
    pairs = {one[0]: one[1] for one in raw if isinstance(one, list) and len(one) == 2 and isinstance(one[0], str)} if isinstance(raw, list) else {}
    return pairs | _object(resource, "attributes", "_attributes")


def _object(line: Line, *keys: str) -> Line:
    """The object under the first of the keys that has one; else an empty one."""
    return next((line[key] for key in keys if isinstance(line.get(key), dict)), {})


def _events(events: Any) -> Iterator[Event]:
    for one in events if isinstance(events, list) else []:
        if isinstance(one, dict):
            yield Event(str(one.get("name") or ""), _object(one, "attributes"))


def _nanos(told: Any) -> int:
    """Nanoseconds out of seconds and nanoseconds."""
    if isinstance(told, list) and len(told) == 2 and all(isinstance(part, int) and not isinstance(part, bool) for part in told):
        return plausible_nanos(told[0] * 1_000_000_000 + told[1])
    return 0


def _id(told: Any, digits: int) -> str | None:
    return told if isinstance(told, str) and len(told) == digits and set(told) <= HEX and told.strip("0") else None


FORMAT = LogFormat(
    rank=14, recognises=recognises, reader=each_line(read),
    carries="what the dialect that speaks in it carries: see there",
    never_carries="what that dialect never carries; single calls, where only metrics are written",
    of_dialects=True,
)
