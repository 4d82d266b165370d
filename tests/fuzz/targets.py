"""What fuzzing tries: each target takes bytes and raises where a promise is broken.

The promises: whatever is sent, only SourceError is raised; accepted and refused together are what was sent; what was refused is kept with its
reason; what is stored can be read again. What was sent is counted here by other means than the decoders use.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pyarrow as pa
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingest import fingerprint
from ingest.batch import Payloads
from ingest.collector import Answer, Collector
from ingest.otlp import salvage
from ingest.redact import Redactor
from store.errors import SourceError
from store.rejected import Rejected
from store.spool import Spool, encode
from tests.fuzz.built import Built
from tests.ingest.payloads import as_json

Target = Callable[[bytes], None]
MISTAKE = "mistake of the collector"
MASKS = Redactor(b"a key for tests")
PLANTED = "AK" + "IA" + "QWERTYUIOP234567"
REQUESTS: dict[str, Any] = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest}
NAMES = {"traces": ("resourceSpans", "scopeSpans", "spans"), "logs": ("resourceLogs", "scopeLogs", "logRecords")}
FORGOTTEN = ("seen_at",)
"""Columns that differ between two tellings of the same."""


class Held(Spool):
    """A spool in memory, for speed; what is written is checked as the engine would check it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.batches: list[Mapping[str, pa.Table]] = []

    def write(self, batch: Mapping[str, pa.Table]) -> Path:
        """Hold a batch."""
        for table in batch.values():
            table.validate(full=True)
        assert encode(batch)
        self.batches.append(batch)
        return self.folder

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """What was written, in an order that does not tell how it was read."""
        rows = [row for batch in self.batches if kind in batch for row in batch[kind].to_pylist()]
        return sorted(({name: value for name, value in row.items() if name not in FORGOTTEN} for row in rows), key=str)


class Refusing(Rejected):
    """Refusals in memory."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.reasons: list[str] = []

    def keep(self, body: bytes, reason: str, source: str, size: int | None = None) -> None:
        """Keep the reason."""
        reason.encode()
        assert PLANTED.encode() not in body
        self.reasons.append(reason)


@cache
def _collector() -> tuple[Collector, Held, Refusing]:
    folder = Path(mkdtemp())
    spool, rejected = Held(folder / "spool"), Refusing(folder / "rejected")
    return Collector(spool, rejected, MASKS, Payloads(), spool_bytes=1 << 40), spool, rejected


def taken(accept: Callable[[Collector], Answer]) -> tuple[Answer | None, Held]:
    """What a collector answered, None where it refused the whole, and what it stored."""
    collector, spool, rejected = _collector()
    spool.batches.clear()
    rejected.reasons.clear()
    accepted, refused = collector.counts.accepted, collector.counts.refused
    try:
        answer = accept(collector)
    except SourceError as error:
        assert MISTAKE not in str(error), error
        assert rejected.reasons and not spool.batches, "a refused request is kept, and nothing of it stored"
        assert collector.counts.refused > refused and collector.counts.accepted == accepted
        return None, spool
    assert bool(rejected.reasons) == bool(answer.refused), "whatever is refused is kept"
    assert (collector.counts.accepted - accepted, collector.counts.refused - refused) == (answer.accepted, answer.refused)
    assert not answer.refused or answer.message
    answer.message.encode()
    return answer, spool


def otlp(signal: str, encoding: str) -> Target:
    """Any bytes as a request."""
    count = sent_in_json if encoding == "json" else sent_in_protobuf

    def target(body: bytes) -> None:
        answer, spool = taken(lambda collector: collector.accept_otlp(signal, encoding, body, "fuzz"))
        sent = count(signal, body)
        if answer and sent is not None:
            assert answer.accepted + answer.refused == sent, (answer, sent)
        if answer and signal == "traces":
            assert len(spool.rows("spans")) + len(spool.rows("observations")) >= answer.accepted, "each span is a call, or context of calls"

    return target


def sent_in_protobuf(signal: str, body: bytes) -> int | None:
    """How many spans or log records a request holds; None where the protocol's own library cannot read it."""
    try:
        request = REQUESTS[signal].FromString(body)
    except DecodeError:
        return None
    if signal == "traces":
        return sum(len(scope.spans) for group in request.resource_spans for scope in group.scope_spans)
    return sum(len(scope.log_records) for group in request.resource_logs for scope in group.scope_logs)


def sent_in_json(signal: str, body: bytes) -> int | None:
    """The same; None where something is of another shape than the protocol's, or a key stands twice."""
    outer, inner, leaf = NAMES[signal]
    try:
        request = json.loads(body, object_pairs_hook=_once)
        return sum(len(_list(scope, leaf)) for group in _list(request, outer) for scope in _list(group, inner))
    except (ValueError, TypeError, RecursionError):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key stands twice")
    return made


def _list(owner: Any, key: str) -> list[Any]:
    found = (owner.get(key) or []) if isinstance(owner, dict) else None
    if not isinstance(found, list):
        raise TypeError(key)
    return found


def lines(body: bytes) -> None:
    """Any bytes as lines of logs."""
    answer, _ = taken(lambda collector: collector.accept_calls(body, "fuzz"))
    sent = [_length(line) for line in body.split(b"\n") if line.strip()]
    if answer:
        assert len(sent) <= answer.accepted + answer.refused <= sum(sent), (answer, sent)


def _length(line: bytes) -> int:
    try:
        loaded = json.loads(line)
    except (ValueError, RecursionError):
        return 1
    return max(1, len(loaded)) if isinstance(loaded, list) else 1


def taking_apart(body: bytes) -> None:
    """Salvage finds nothing wrong in what the protocol's library reads, and loses nothing of it."""
    sent, whole = sent_in_protobuf("traces", body), salvage.without_unreadable(body, lambda _: True)
    assert whole is None or whole[1] == []
    if sent is not None and whole is not None:
        assert ExportTraceServiceRequest.FromString(whole[0]) == ExportTraceServiceRequest.FromString(body)
    readable = salvage.without_unreadable(body, lambda one: sent_in_protobuf("traces", one) is not None)
    if sent is not None and whole is not None and sent > 0:
        assert readable == whole


def redaction(body: bytes) -> None:
    """A secret between blanks is masked whatever stands around it; masks stay; JSON stays JSON."""
    text = body.decode("utf-8", "replace")
    half = len(text) // 2
    planted = f"{text[:half]} {PLANTED} {text[half:]}"
    masked, secrets = MASKS.mask(planted)
    assert PLANTED not in masked
    assert all(f"[secret:{one.kind}:{one.digest}]" in masked for one in secrets)
    quoted = json.dumps({"a": text, "b": PLANTED})
    json.loads(MASKS.mask(quoted)[0])


def fingerprints(body: bytes) -> None:
    """A text's fingerprint does not depend on the texts beside it."""
    texts = [part.decode("utf-8", "replace") for part in body.split(b"\0")][:8]
    atoms, shingles = fingerprint.atoms_and_shingles(texts)
    for n, text in enumerate(texts):
        alone = fingerprint.atoms_and_shingles([text])
        for together, by_itself in zip((atoms, shingles), alone, strict=True):
            found = together[n].as_py()
            assert found == by_itself[0].as_py() == sorted(set(found))


def dialects(body: bytes) -> None:
    """Spans and log records in the words of all dialects: read alike from both encodings, and stored."""
    built = Built(body)
    for signal, request in (("traces", built.traces()), ("logs", built.logs())):
        bodies = {"protobuf": request.SerializeToString(), "json": as_json(request)}
        stored = []
        for encoding, encoded in bodies.items():
            otlp(signal, encoding)(encoded)
            spool = _collector()[1]
            stored.append({kind: spool.rows(kind) for kind in ("observations", "spans", "messages", "tool_definitions", "access")})
        assert stored[0] == stored[1], "both encodings mean the same"


def formats(body: bytes) -> None:
    """Lines in the words of all log formats."""
    lines(Built(body).lines())


TARGETS: dict[str, Target] = {
    **{f"{signal}-{encoding}": otlp(signal, encoding) for signal in REQUESTS for encoding in ("protobuf", "json")},
    "lines": lines, "taking-apart": taking_apart, "redaction": redaction, "fingerprints": fingerprints, "dialects": dialects, "formats": formats,
}
