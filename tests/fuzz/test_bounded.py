"""Bodies made to cost much: work grows with their size and not faster. Nothing is timed here; what grew faster would take minutes."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fuzz.targets import TARGETS
from tests.ingest.payloads import as_json, deep_value, field, log, raw_request, span, traces, with_attribute

MANY, LONG = 10_000, 1 << 16
GOOD = span(1).SerializeToString()
HUGE = b"\xff" * 9 + b"\x01"
ONE_SPAN = json.loads(as_json(traces(span(1))))["resourceSpans"][0]["scopeSpans"][0]["spans"][0]


def attribute(key: bytes, value: bytes) -> bytes:
    return field(9, field(1, key) + field(2, value))


def spans(*found: Any) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": found}]}]}).encode()


def with_attributes(*found: Any) -> bytes:
    return spans({**ONE_SPAN, "attributes": [*ONE_SPAN["attributes"], *found]})


PROTOBUF: dict[str, Callable[[], bytes]] = {
    "many empty spans": lambda: raw_request(*[b""] * MANY),
    "many empty spans beside one that is damaged": lambda: raw_request(GOOD, b"\xff", *[b""] * MANY),
    "many spans of which each is damaged": lambda: raw_request(*[b"\xff"] * MANY, GOOD),
    "many groups of nothing": lambda: field(1, b"") * MANY + field(1, field(2, b"")) * MANY,
    "many small attributes": lambda: raw_request(GOOD + b"".join(attribute(b"%d" % n, b"\x12\x01x"[:0]) for n in range(MANY))),
    "one attribute many times": lambda: raw_request(GOOD + attribute(b"gen_ai.tool.name", field(1, b"add")) * MANY),
    "one attribute of many equal keys": lambda: raw_request(with_attribute(
        span(1), b"gen_ai.tool.call.arguments", field(6, field(1, field(1, b"k") + field(2, field(1, b"v"))) * MANY))),
    "a name many times": lambda: raw_request(GOOD + field(5, b"n") * MANY),
    "an id many times": lambda: raw_request(GOOD + field(1, b"\1" * 16) * MANY),
    "unknown fields": lambda: raw_request(GOOD + b"\xf8\x7f\x00" * MANY) + b"\xf8\x7f\x00" * MANY,
    "huge numbers": lambda: raw_request(GOOD + b"\x30" + HUGE, *[b"\x38" + HUGE] * MANY),
    "lengths beyond the end": lambda: field(1, field(2, b"\x12" + HUGE)) * MANY,
    "deep groups": lambda: raw_request(GOOD + b"\xfb\x07" * MANY, GOOD),
    "deep values": lambda: raw_request(*[with_attribute(span(n), b"deep", deep_value(90)) for n in range(300)], GOOD),
    "events": lambda: raw_request(GOOD + field(11, field(2, b"e")) * MANY),
    "a long text that is not UTF-8": lambda: raw_request(GOOD, with_attribute(span(2), b"k", field(1, b"\xc3" * LONG))),
}
JSON: dict[str, Callable[[], bytes]] = {
    "many empty spans": lambda: spans(*[{}] * MANY, ONE_SPAN),
    "many numbers for spans": lambda: spans(*range(MANY), ONE_SPAN),
    "many small attributes": lambda: with_attributes(*({"key": str(n), "value": {"intValue": n}} for n in range(MANY))),
    "one attribute many times": lambda: with_attributes(*[{"key": "gen_ai.tool.name", "value": {"stringValue": "add"}}] * MANY),
    "one attribute of many equal keys": lambda: with_attributes(
        {"key": "k", "value": {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": 1}}] * MANY}}}),
    "a key many times": lambda: b'{"resourceSpans":[],' * 1 + b",".join([b'"resourceSpans":[]'] * MANY) + b"}",
    "unknown fields": lambda: spans({**ONE_SPAN, **{f"of the future {n}": [{}] for n in range(MANY)}}),
    "a long number": lambda: with_attributes({"key": "k", "value": {"intValue": "9" * LONG}}),
    "a long id": lambda: spans({**ONE_SPAN, "traceId": "a" * LONG}, ONE_SPAN),
    "escapes": lambda: with_attributes({"key": "gen_ai.tool.call.result", "value": {"stringValue": "\\\"\u0000" * MANY}}),
    "deep values": lambda: with_attributes({"key": "k", "value": json.loads('{"arrayValue":{"values":[' * 100 + "{}" + "]}}" * 100)}),
    "brackets": lambda: b"[" * LONG,
}
LINES: dict[str, Callable[[], bytes]] = {
    "many empty objects": lambda: b"{}\n" * MANY,
    "a list of many": lambda: json.dumps([{"tool": "t", "session_id": "s"}] * MANY).encode(),
    "brackets": lambda: b"[" * LONG + b"\n" + b'{"tool":"t","session_id":"s"}',
    "many keys": lambda: json.dumps({"tool": "t", "session_id": "s", **{str(n): n for n in range(MANY)}}).encode(),
    "questions without answers": lambda: b"\n".join(
        b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"t"}}' % n for n in range(MANY // 2)),
    "text": lambda: b"2026-01-01T00:00:00Z [" * (LONG // 22) + b"\n" + b"x" * LONG,
}
TEXTS: dict[str, Callable[[], bytes]] = {
    "assignments": lambda: b"password=" * (LONG // 9), "quotes": lambda: b"token='" * (LONG // 7) + b'secret="' * (LONG // 8),
    "key blocks that never end": lambda: b"-----BEGIN PRIVATE KEY-----\n" * (LONG // 28), "addresses": lambda: b"https://a:" * (LONG // 10),
    "digits": lambda: b"4111 1111 " * (LONG // 10), "one letter": lambda: b"a" * LONG, "backslashes": lambda: b"\\" * LONG,
    "escapes": lambda: b"\\u00" * (LONG // 4), "percents": lambda: b"%25" * (LONG // 3), "base64": lambda: b"QUJD" * (LONG // 4),
    "hex": lambda: b"4a" * (LONG // 2), "marks": lambda: "e\u0301".encode() * (LONG // 3), "dots": lambda: b"a@b." * (LONG // 4),
    "masks": lambda: b"[secret:password:0123456789abcdef]" * (LONG // 34),
}
LOGS: dict[str, Callable[[], bytes]] = {
    "many empty records": lambda: raw_request(*[b""] * MANY),
    "records of which each is damaged": lambda: raw_request(*[b"\xff"] * MANY, log(1).SerializeToString()),
    "one attribute many times": lambda: raw_request(log(1).SerializeToString() + field(6, field(1, b"k") + field(2, field(1, b"v"))) * MANY),
}
CASES = [
    (target, name, body) for targets, bodies in (
        (("traces-protobuf", "taking-apart"), PROTOBUF), (("traces-json",), JSON), (("lines",), LINES), (("redaction", "fingerprints"), TEXTS),
        (("logs-protobuf",), LOGS),
    ) for target in targets for name, body in bodies.items()
]


@pytest.mark.parametrize(("target", "body"), [(target, body) for target, _, body in CASES], ids=[f"{target}: {name}" for target, name, _ in CASES])
def test_work_is_bounded(target: str, body: Callable[[], bytes]) -> None:
    TARGETS[target](body())
