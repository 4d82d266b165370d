"""OTLP in JSON, by a walk of our own: the protobuf library's JSON parser silently garbles hex ids and fails a whole request for one bad value.

One bad span or record is refused alone, with its place; the others are taken.
"""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

from pydantic_core import from_json

from ingest.otlp import limits
from ingest.otlp.depth import shallower
from ingest.otlp.items import Decoded, Event, Item, Source, Value, plausible_nanos
from store.errors import SourceError, TooLargeError

_DEPTH = 64
_INT64 = range(-(1 << 63), 1 << 63)


class _Bad(Exception):
    """One value that is not what the protocol says."""


def decode_traces(body: bytes) -> Decoded:
    """Spans of an ExportTraceServiceRequest. Raises SourceError where the body is none, TooLargeError where it holds too much."""
    request = _loaded(body)
    if "resourceLogs" in request:
        raise SourceError("the body holds resourceLogs; send logs to /v1/logs")
    return _decode(request, "resourceSpans", "scopeSpans", "spans", _span)


def decode_logs(body: bytes) -> Decoded:
    """Log records of an ExportLogsServiceRequest. Raises SourceError where the body is none, TooLargeError where it holds too much."""
    request = _loaded(body)
    if "resourceSpans" in request:
        raise SourceError("the body holds resourceSpans; send spans to /v1/traces")
    return _decode(request, "resourceLogs", "scopeLogs", "logRecords", _log)


def _loaded(body: bytes) -> dict[str, Any]:
    limits.check_json(body)
    try:
        request = _parsed(body)
    except UnicodeDecodeError as error:
        raise SourceError(f"the body is not UTF-8: byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise SourceError(f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise SourceError("the body nests too deeply") from error
    if not isinstance(request, dict):
        raise SourceError(f"the body must be a JSON object, not {type(request).__name__}")
    _check_case(request, "resource_spans", "resource_logs")
    return request


def _parsed(body: bytes) -> Any:
    """The body's JSON. A value that the parser cannot take is read as one that its own span or record is refused for.

    The faster parser takes nothing that Python's does not, and makes the same of it; what it does not take, Python's may, or has the better word.
    """
    try:
        return from_json(body)
    except ValueError:
        pass
    try:
        return json.loads(body)
    except RecursionError:
        return json.loads(shallower(body), parse_int=_whole)
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise
    except ValueError:
        return json.loads(body, parse_int=_whole)


def _whole(digits: str) -> int | float:
    """A number; of more digits than Python converts, as a double has it: infinite, and no integer anywhere."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def _check_case(owner: dict[str, Any], *snake: str) -> None:
    found = next((k for k in snake if k in owner), None)
    if found:
        raise SourceError(f"the body holds {found}; OTLP/JSON keys are in lowerCamelCase")


def _decode(request: dict[str, Any], outer: str, inner: str, leaf: str, read: Callable[[dict[str, Any], Source], Item]) -> Decoded:
    decoded, total, events = Decoded(), 0, 0
    for o, group in enumerate(_objects(request, outer)):
        try:
            resource = _attributes(_object(group, "resource"))
        except (_Bad, RecursionError) as error:
            decoded.warnings.append(f"{outer}[{o}].resource: {error or 'nests too deeply'}")
            resource = {}
        _check_case(group, "scope_spans", "scope_logs")
        if "instrumentationLibrarySpans" in group:
            decoded.warnings.append(f"{outer}[{o}]: instrumentationLibrarySpans (OTLP before 0.15) is not read; send scopeSpans")
        for i, scoped in enumerate(_objects(group, inner)):
            _check_case(scoped, "log_records")
            scope = _object(scoped, "scope")
            name, version = (found if isinstance(found := scope.get(key), str) else "" for key in ("name", "version"))
            source = Source(resource, name, version)
            leaves = found if isinstance(found := scoped.get(leaf) or [], list) else [found]
            limits.check_items(total := total + len(leaves))
            for n, one in enumerate(leaves):
                place = f"{outer}[{o}].{inner}[{i}].{leaf}[{n}]"
                try:
                    if not isinstance(one, dict):
                        raise _Bad(f"must be an object, not {type(one).__name__}")
                    decoded.items.append(read(one, source))
                    limits.check_events(events := events + len(decoded.items[-1].events))
                except TooLargeError:
                    raise
                except (_Bad, SourceError, RecursionError) as error:
                    decoded.refused.append(f"{place}: {error or 'nests too deeply'}")
    return decoded


def _span(span: dict[str, Any], source: Source) -> Item:
    status, events = _object(span, "status"), list(_objects(span, "events"))
    if len(events) > limits.MOST_EVENTS:
        raise _Bad(f"has {len(events):,} events; at most {limits.MOST_EVENTS:,} are taken")
    return Item(
        signal="span", name=_text(span, "name"), source=source, attributes=_attributes(span),
        trace_id=_hex(span, "traceId", 32, required=True), span_id=_hex(span, "spanId", 16, required=True),
        parent_span_id=_hex(span, "parentSpanId", 16),
        started_ns=_nanos(span, "startTimeUnixNano"), ended_ns=_nanos(span, "endTimeUnixNano"), kind=_enum(span, "kind"),
        failed=_enum(status, "code") == 2, status_message=_text(status, "message"),
        events=tuple(Event(_text(e, "name"), _attributes(e)) for e in events),
    )


def _log(record: dict[str, Any], source: Source) -> Item:
    _enum(record, "severityNumber")
    return Item(
        signal="log", name=_text(record, "eventName"), source=source, attributes=_attributes(record),
        trace_id=_hex(record, "traceId", 32), span_id=_hex(record, "spanId", 16), parent_span_id=None,
        started_ns=_nanos(record, "timeUnixNano") or _nanos(record, "observedTimeUnixNano"), body=_value(record.get("body")),
    )


def _objects(owner: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    found = owner.get(key) or []
    if not isinstance(found, list):
        raise SourceError(f"{key} must be an array, not {type(found).__name__}")
    for n, one in enumerate(found):
        if not isinstance(one, dict):
            raise SourceError(f"{key}[{n}] must be an object, not {type(one).__name__}")
        yield one


def _object(owner: dict[str, Any], key: str) -> dict[str, Any]:
    found = owner.get(key)
    return found if isinstance(found, dict) else {}


def _attributes(owner: dict[str, Any]) -> dict[str, Value]:
    found = owner.get("attributes") or []
    if not isinstance(found, list):
        raise _Bad(f"attributes must be an array, not {type(found).__name__}")
    made: dict[str, Value] = {}
    for pair in found:
        if isinstance(pair, dict) and len(pair) == 2:  # most are texts and nothing else
            named, value = pair.get("key"), pair.get("value")
            if isinstance(named, str) and isinstance(value, dict) and len(value) == 1 and isinstance(said := value.get("stringValue"), str):
                made[named] = said
                continue
        key = _key(pair)
        try:
            made[key] = _value(pair.get("value"))
        except _Bad as error:
            raise _Bad(f"attribute {key[:80]!r}: {error}") from error
    return made


def _key(pair: Any) -> str:
    found = pair.get("key", "") if isinstance(pair, dict) else None
    if not isinstance(found, str):
        raise _Bad("every attribute must be an object with a key")
    return found


def _text(owner: dict[str, Any], key: str) -> str:
    found = owner.get(key) or ""
    if not isinstance(found, str):
        raise _Bad(f"{key} must be a string, not {type(found).__name__}")
    return found


def _value(value: Any, depth: int = 0) -> Value:
    if value is None or value == {}:
        return None
    if depth > _DEPTH:
        raise _Bad(f"nests deeper than {_DEPTH}")
    if not isinstance(value, dict):
        raise _Bad(f"must be an object such as {{\"stringValue\": ...}}, not {type(value).__name__}")
    for kind, read in _READERS.items():
        if value.get(kind) is not None:  # null is "not set" in the JSON of protobuf
            return read(value[kind], depth)
    if snake := next((k for k in value if "_" in k), None):
        raise _Bad(f"{snake[:40]!r} is no kind of value; OTLP/JSON keys are in lowerCamelCase")
    return None


def _string(value: Any, depth: int) -> Value:
    if not isinstance(value, str):
        raise _Bad(f"stringValue must be a string, not {type(value).__name__}")
    return value


def _bool(value: Any, depth: int) -> Value:
    if not isinstance(value, bool):
        raise _Bad(f"boolValue must be true or false, not {value!r:.40}")
    return value


def _int(value: Any, depth: int) -> Value:
    try:
        made = int(value) if not isinstance(value, float) or value.is_integer() else None
    except (TypeError, ValueError):
        made = None
    if made is None or isinstance(value, bool) or made not in _INT64:
        raise _Bad(f"intValue must be a 64-bit integer, not {value!r:.40}")
    return made


def _double(value: Any, depth: int) -> Value:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise _Bad(f"doubleValue must be a number, not {value!r:.40}") from error


def _bytes(value: Any, depth: int) -> Value:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError) as error:
        raise _Bad("bytesValue must be base64") from error


def _array(value: Any, depth: int) -> Value:
    values = value.get("values") or [] if isinstance(value, dict) else None
    if not isinstance(values, list):
        raise _Bad("arrayValue must be an object with an array of values")
    return [_value(v, depth + 1) for v in values]


def _pairs(value: Any, depth: int) -> Value:
    values = value.get("values") or [] if isinstance(value, dict) else None
    if not isinstance(values, list):
        raise _Bad("kvlistValue must be an object with an array of key and value pairs")
    return {_key(v): _value(v.get("value"), depth + 1) for v in values}


_READERS: dict[str, Callable[[Any, int], Value]] = {
    "stringValue": _string, "boolValue": _bool, "intValue": _int, "doubleValue": _double, "arrayValue": _array, "kvlistValue": _pairs,
    "bytesValue": _bytes,
}


def _hex(owner: dict[str, Any], key: str, digits: int, required: bool = False) -> str | None:
    found = owner.get(key) or ""
    if not isinstance(found, str):
        raise _Bad(f"{key} must be hex text, not {type(found).__name__}")
    found = found.lower()
    if len(found) == digits and _is_hex(found) and found.strip("0"):
        return found
    if not found.strip("0") and len(found) in (0, digits) and not required:  # some SDKs write zeros for "none"
        return None
    raise _Bad(f"{key} must be {digits} hex digits, not all zero; it has {len(found)} characters")


def _is_hex(text: str) -> bool:
    try:
        return 2 * len(bytes.fromhex(text)) == len(text)  # it passes over blanks
    except ValueError:
        return False


def _nanos(owner: dict[str, Any], key: str) -> int:
    found = owner.get(key) or 0
    try:
        return plausible_nanos(int(found))
    except (TypeError, ValueError, OverflowError) as error:
        raise _Bad(f"{key} must be unix nanoseconds, not {found!r:.40}") from error


def _enum(owner: dict[str, Any], key: str) -> int:
    found = owner.get(key) or 0
    if isinstance(found, bool) or not isinstance(found, int):
        raise _Bad(f"{key} must be a number, not {found!r:.40}; OTLP/JSON writes enums as integers")
    return found
