"""What fuzzing starts from: the payloads of the tests, and whatever files it is given besides."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.ingest.dialects.sent import GOLDEN
from tests.ingest.json_traces.samples import SAMPLES
from tests.ingest.payloads import as_json, as_protobuf, deep_value, log, logs, raw_request, span, traces, with_attribute

MOST_BYTES = 1 << 20
CHOICES, MADE = 300, 60
"""What is built out of bytes begins with so many of them, so many times."""

LONG = b"\xff" * 9 + b"\x01"
"""A number of the wire in as many bytes as it may take."""


def seeds(target: str, folder: Path | None = None) -> list[bytes]:
    """Bodies for a target."""
    signal, _, encoding = target.partition("-")
    found = [path.read_bytes() for path in sorted(folder.iterdir()) if path.stat().st_size <= MOST_BYTES] if folder else []
    if encoding in ("json", "protobuf"):
        requests = list(_requests(signal))
        found += [as_json(one) for one in requests] if encoding == "json" else [one.SerializeToString() for one in requests]
    if target in ("traces-protobuf", "taking-apart"):
        found += _on_the_wire()
    if target in ("lines", "formats", "redaction", "fingerprints"):
        found += ["\n".join(one if isinstance(one, str) else json.dumps(one) for one in sample).encode() for sample in SAMPLES.values()]
    if target in ("dialects", "formats"):
        found += [random.Random(n).randbytes(CHOICES) for n in range(MADE)]
    return found


def _requests(signal: str) -> Iterator[Any]:
    yield traces(span(1), span(2)) if signal == "traces" else logs(log(1), log(2))
    for path in sorted(GOLDEN.glob("*.json")):
        told = json.loads(path.read_text())
        if ("resourceSpans" in told) == (signal == "traces"):
            yield as_protobuf(told)


def _on_the_wire() -> list[bytes]:
    good = span(1).SerializeToString()
    return [
        raw_request(good, with_attribute(span(2), b"deep", deep_value(200))), raw_request(good, b"\xff", good), raw_request(good + good),
        raw_request(good + b"\xf8\x01" + LONG), raw_request(*[b""] * 40), b"\x0a\x00" * 40, b"\x0a" + LONG, raw_request(b"\x4a\x00" * 40),
    ]
