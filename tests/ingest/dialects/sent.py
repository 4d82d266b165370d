"""Spans and log records as a sender writes them, taken through the decoders and the dialects."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ingest.otlp.items import Decoded
from ingest.otlp.json import decode_logs, decode_traces
from ingest.reading import UNKNOWN, read_items
from store.records import Call, Records

GOLDEN = Path(__file__).parent / "golden"
STARTED, ENDED = 1_790_000_000_000_000_000, 1_790_000_000_250_000_000
TRACE, SPAN, PARENT = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173"
INTERNAL, SERVER, CLIENT = 1, 2, 3
FAILED = {"code": 2, "message": "it broke"}

Events = Sequence[tuple[str, Mapping[str, Any]]]


def span(
    name: str, attributes: Mapping[str, Any], *, scope: str = "", service: str | None = None, kind: int = INTERNAL, events: Events = (),
    status: Mapping[str, Any] | None = None, parent: str = PARENT,
) -> tuple[Records, str]:
    """What one span becomes, and the dialect that claimed it."""
    one = {
        "traceId": TRACE, "spanId": SPAN, "parentSpanId": parent, "name": name, "kind": kind, "startTimeUnixNano": str(STARTED),
        "endTimeUnixNano": str(ENDED), "attributes": _pairs(attributes), "status": status or {},
        "events": [{"name": n, "timeUnixNano": str(STARTED), "attributes": _pairs(a)} for n, a in events],
    }
    scoped = {"scope": {"name": scope}, "spans": [one]}
    decoded = decode_traces(json.dumps({"resourceSpans": [{"resource": _resource(service), "scopeSpans": [scoped]}]}).encode())
    assert not decoded.refused.count
    return _read(decoded)


def log(
    attributes: Mapping[str, Any], *, body: str | None = None, event: str | None = None, scope: str = "", service: str | None = None,
    at: int = STARTED, trace: str = TRACE,
) -> tuple[Records, str]:
    """What one log record becomes, and the dialect that claimed it."""
    one: dict[str, Any] = {"attributes": _pairs(attributes), "traceId": trace, "spanId": SPAN if trace else "", "body": None}
    if at:
        one["timeUnixNano"] = str(at)
    if event:
        one["eventName"] = event
    if body:
        one["body"] = {"stringValue": body}
    scoped = {"scope": {"name": scope}, "logRecords": [one]}
    decoded = decode_logs(json.dumps({"resourceLogs": [{"resource": _resource(service), "scopeLogs": [scoped]}]}).encode())
    assert not decoded.refused.count
    return _read(decoded)


def golden(name: str) -> Records:
    """What an SDK really sent, as records; nothing of it may go unknown."""
    records, claimed = read_items(recorded(name))
    assert UNKNOWN not in claimed
    return records


def recorded(name: str) -> Decoded:
    """The same as items."""
    decode = decode_logs if name.endswith("_logs.json") else decode_traces
    decoded = decode((GOLDEN / name).read_bytes())
    assert not decoded.refused.count
    return decoded


def only(records: Records) -> Call:
    """The one call."""
    assert len(records.calls) == 1
    return records.calls[0]


def foremost(records: Records) -> Call:
    """The call itself, where what ties it to other sightings of the same comes after it."""
    assert len(records.calls) == 2 and {one.parent_span_id for one in records.calls[1:]} == {records.calls[0].span_id}
    return records.calls[0]


def fields(call: Call, **expected: Any) -> None:
    """Every expected field at once, so that a failure shows all that differs."""
    assert {name: getattr(call, name) for name in expected} == expected


def _read(decoded: Any) -> tuple[Records, str]:
    records, claimed = read_items(decoded)
    return records, next(iter(claimed))


def _resource(service: str | None) -> dict[str, Any]:
    return {"attributes": _pairs({"service.name": service, "service.version": "1.2.3"} if service else {})}


def _pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [_value(v) for v in value]}}
        case dict():
            return {"kvlistValue": {"values": _pairs(value)}}
    return {"stringValue": value}
