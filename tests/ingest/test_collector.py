"""The collector itself: what it keeps of what it refuses, what it counts, and that it can be asked from many threads."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingest.collector import LONGEST_SECRET, Collector
from store.errors import SourceError
from store.rejected import KEPT_BYTES, Rejected
from tests.ingest.payloads import span, traces
from tests.ingest.receiver import collector_in

SECRET = b"AK" + b"IA" + b"QWERTYUIOP234567"


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    made = collector_in(tmp_path)
    yield made
    made.stop()


def kept_in(folder: Path) -> tuple[dict[str, object], bytes]:
    (about,) = Rejected(folder / "rejected").listed()
    return about, (folder / "rejected" / str(about["file"])).read_bytes()


@pytest.mark.parametrize("body", [b"\xff\x00 key=" + SECRET, b'{"a": "' + SECRET + b'"', b"\xed\xa0\x80" + SECRET + b"\xc3"])
def test_what_is_refused_is_kept_without_its_secrets(tmp_path: Path, collector: Collector, body: bytes) -> None:
    with pytest.raises(SourceError):
        collector.accept_otlp("traces", "json", body, "a test")
    about, kept = kept_in(tmp_path)
    assert (about["bytes"], about["source"]) == (len(body), "a test")
    assert SECRET not in kept
    assert kept[:2] == body[:2] and b"[secret:" in kept


@pytest.mark.parametrize("before", [KEPT_BYTES - 5, KEPT_BYTES + LONGEST_SECRET - 5])
def test_of_a_large_one_the_beginning_is_kept(tmp_path: Path, collector: Collector, before: int) -> None:
    collector.refuse(b"x " * (before // 2) + SECRET + b" y" * KEPT_BYTES, "why", "a test")
    about, kept = kept_in(tmp_path)
    assert about["bytes"] == before // 2 * 2 + len(SECRET) + 2 * KEPT_BYTES
    assert KEPT_BYTES - LONGEST_SECRET <= len(kept) <= KEPT_BYTES
    assert SECRET[:5] not in kept


def test_some_lines_of_many(tmp_path: Path, collector: Collector) -> None:
    good = json.dumps({"tool": "t", "session_id": "s"}).encode()
    answer = collector.accept_calls(b"\n".join([good, b"{", good, b"5"]), "a test")
    assert (answer.accepted, answer.refused) == (2, 2)
    assert answer.message.startswith("line 2: ") and "line 4: " in answer.message
    assert kept_in(tmp_path)[0]["reason"] == answer.message


def test_no_line_of_many(tmp_path: Path, collector: Collector) -> None:
    with pytest.raises(SourceError, match=r"\(and 10 more\)"):
        collector.accept_calls(b"{\n" * 20, "a test")
    assert (collector.counts.refused, collector.counts.accepted) == (20, 0)


def test_counts_from_many_threads(collector: Collector) -> None:
    bodies = [traces(span(n), span(n + 1000, "other", {}), span(n + 2000, trace_id=b"")).SerializeToString() for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: collector.accept_otlp("traces", "protobuf", body, "a test"), bodies))
    assert {(a.accepted, a.refused) for a in answers} == {(2, 1)}
    counts = collector.counts
    assert (counts.requests, counts.accepted, counts.refused, dict(counts.dialects)) == (40, 80, 40, {"otel_genai": 40, "unknown": 40})
