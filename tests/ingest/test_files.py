"""Files of every kind that is known, by content; what is unknown is named with its place."""

import gzip
import io
import json
import os
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest import files
from ingest.files import Part
from store import tables
from store.errors import SourceError
from store.records import Outcome
from tests.ingest.payloads import as_json, log, logs, span, traces

compress = partial(gzip.compress, mtime=0)
"""The same at any time: what is compressed here stands in the names of tests."""

LINES = b"".join(json.dumps({"session_id": "s", "seq": n, "tool": "t", "arguments": {"n": n}}).encode() + b"\n" for n in range(5))


def whole(name: Path | str) -> Part:
    total = Part()
    for part in files.read(str(name)):
        total.records.extend(part.records)
        total.refused += part.refused
        total.read_bytes += part.read_bytes
    return total


def written(folder: Path, body: bytes, name: str = "a-file") -> Path:
    path = folder / name
    path.write_bytes(body)
    return path


@pytest.mark.parametrize("body", [LINES, compress(LINES), compress(LINES[:100]) + compress(LINES[100:]), b"\n \r\n" + LINES,
                                  b"\xef\xbb\xbf" + LINES, LINES.replace(b"\n", b"\r\n"), LINES.rstrip(), LINES.replace(b"\n", b"\n\n")])
def test_call_lines(tmp_path: Path, body: bytes) -> None:
    part = whole(written(tmp_path, body))
    assert ([c.seq for c in part.records.calls], part.refused) == ([0, 1, 2, 3, 4], [])


def test_many_lines_come_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LINES_A_PART", 2)
    path = written(tmp_path, LINES)
    parts = list(files.read(str(path)))
    assert [len(p.records.calls) for p in parts] == [2, 2, 1]
    assert sum(p.read_bytes for p in parts) == len(LINES)


def test_exports_of_a_collector_one_a_line(tmp_path: Path) -> None:
    part = whole(written(tmp_path, as_json(traces(span(1), span(2))) + b"\n" + as_json(logs(log(1))) + b"\n" + LINES))
    assert (len(part.records.calls), part.refused) == (8, [])


@pytest.mark.parametrize("request_", [traces(span(1), span(2)), logs(log(1), log(2))])
@pytest.mark.parametrize("packed", [False, True])
def test_protobuf(tmp_path: Path, request_: Any, packed: bool) -> None:
    body = request_.SerializeToString()
    assert body[:1] == b"\n"  # which text may begin with as well
    part = whole(written(tmp_path, compress(body) if packed else body))
    assert (len(part.records.calls), part.refused) == (2, [])


@pytest.mark.parametrize("size", range(100, 140))
def test_protobuf_whose_second_byte_is_a_bracket_or_a_blank(tmp_path: Path, size: int) -> None:
    assert len(whole(written(tmp_path, traces(span(attributes={"gen_ai.tool.name": "t" * size})).SerializeToString())).records.calls) == 1


@pytest.mark.parametrize("indent", [1, 4])
def test_a_pretty_printed_document(tmp_path: Path, indent: int) -> None:
    body = json.dumps(json.loads(as_json(traces(span(1), span(2)))), indent=indent).encode()
    for one in (body, b"\xef\xbb\xbf" + body, b"\n\n" + body, compress(body)):
        part = whole(written(tmp_path, one))
        assert (len(part.records.calls), part.refused) == (2, [])


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_of_lines(tmp_path: Path, indent: int | None) -> None:
    loaded = [json.loads(line) for line in LINES.splitlines()] + [{"what": "this"}, 5]
    path = written(tmp_path, json.dumps(loaded, indent=indent).encode())
    part = whole(path)
    assert len(part.records.calls) == 5
    assert [reason.partition(": ")[2][:24] for reason in part.refused] == ["item 6: unknown content ", "item 7: must be a JSON o"]


def test_a_broken_first_line_does_not_hide_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, b'{"cut": \n' + LINES + b'{"cut"')
    for size in (1 << 20, 10):
        monkeypatch.setattr(files, "DOCUMENT_BYTES", size)
        part = whole(path)
        assert len(part.records.calls) == 5
        assert [reason.partition(": ")[0] for reason in part.refused] == [f"{path}:1", f"{path}:7"]


def test_what_is_unknown_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, LINES + b'{"jsonrequest": "2.0", "method": "x"}\n\n[1]\nno\n{"tool": "t", "timestamp": "soon"}\n{"a\\ud800": 1}\n')
    part = whole(path)
    assert len(part.records.calls) == 5
    places = [reason.removeprefix(str(path)).partition(": ")[0] for reason in part.refused]
    assert places == [":6", ":8", ":9", ":10", ":11"]
    assert "jsonrequest, method" in part.refused[0] and "known are" in part.refused[0]
    "".join(part.refused).encode()


def test_a_bad_span_in_a_line_is_named_with_line_and_place(tmp_path: Path) -> None:
    request = json.loads(as_json(traces(span(1), span(2))))
    request["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["traceId"] = "short"
    path = written(tmp_path, LINES + json.dumps(request).encode())
    part = whole(path)
    assert (len(part.records.calls), len(part.refused)) == (6, 1)
    assert part.refused[0].startswith(f"{path}:6: resourceSpans[0].scopeSpans[0].spans[1]: traceId must be")


@pytest.mark.parametrize("body", [b"\x00\x01\x02", b"PK\x03\x04", b"some text\nmore", b"a,b\n1,2\n", b"PAR1 no", compress(b"x\x00"),
                                  compress(LINES)[:-5], b"\x1f\x8b", compress(compress(LINES)), compress(LINES) + b"\x01\x02"])
def test_unknown_and_broken_files(tmp_path: Path, body: bytes) -> None:
    path = written(tmp_path, body)
    with pytest.raises(SourceError, match="a-file"):
        whole(path)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    for name in (tmp_path / "none", tmp_path):
        with pytest.raises(SourceError):
            whole(name)


@pytest.mark.parametrize("body", [b"", b"\n\n", compress(b"")])
def test_empty_files_hold_nothing(tmp_path: Path, body: bytes) -> None:
    part = whole(written(tmp_path, body))
    assert (len(part.records), part.refused) == (0, [])


@pytest.mark.parametrize("body", [LINES, compress(LINES), traces(*(span(n) for n in range(5))).SerializeToString()])
def test_a_stream_that_comes_bit_by_bit(body: bytes) -> None:
    """As standard input does: no seeking, no length, whatever arrives."""
    reader, writer = os.pipe()

    def write() -> None:
        with os.fdopen(writer, "wb", buffering=0) as sink:
            for start in range(0, len(body), 7):
                sink.write(body[start : start + 7])

    thread = threading.Thread(target=write)
    with os.fdopen(reader, "rb", buffering=0) as source:
        thread.start()
        total = sum(len(part.records.calls) for part in files.read_stream(source, "standard input"))
        assert not source.closed
    thread.join()
    assert total == 5


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LINES)))
    assert len(whole("-").records.calls) == 5


def test_parquet_of_flat_columns(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 20, 12, tzinfo=UTC)
    table = pa.table({
        "session_id": ["a", "a", None], "tool": ["t", "u", None], "timestamp": pa.array([moment, None, moment], pa.timestamp("ns", "UTC")),
        "arguments": [{"x": 1.5}, {"x": float("nan")}, None], "is_error": [True, None, False], "seq": [1.0, float("nan"), 3.0], "more": [1, 2, 3],
    })
    path = tmp_path / "calls"
    pq.write_table(table, path)
    part = whole(path)
    one, other = part.records.calls
    assert (one.called_at, one.arguments, one.outcome, one.seq) == (moment, '{"x": 1.5}', Outcome.ERROR, 1)
    assert (other.arguments, other.outcome, other.seq) == ('{"x": "nan"}', Outcome.UNKNOWN, None)
    assert [reason.partition(": no tool")[0] for reason in part.refused] == [f"{path}: row 3"]


def test_parquet_of_our_lake(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 20, 12, tzinfo=UTC)
    shared = {"session_id": "a", "tool": "t", "called_at": moment, "arguments": '{"x": 1}', "result": "done", "server": "mail", "decision": "reject"}
    rows = [shared | {"outcome": outcome, "error_message": "why"} for outcome in ("ok", "error", "denied", "unknown")]
    path = tmp_path / "calls"
    pq.write_table(tables.rows_to_table("calls", rows), path)
    calls = whole(path).records.calls
    assert [c.outcome for c in calls] == [Outcome.OK, Outcome.ERROR, Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert {(c.called_at, c.arguments, c.result, c.server, c.decision, c.error_message) for c in calls} == {
        (moment, '{"x": 1}', "done", "mail", "reject", "why")
    }


def test_parquet_that_is_damaged_or_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "a-file"
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(SourceError, match="no column tool"):
        whole(path)
    pq.write_table(pa.table({"tool": ["t" * 50] * 1000, "session_id": [str(n) for n in range(1000)]}), path, compression="none", use_dictionary=False)
    body = bytearray(path.read_bytes())
    body[4:60] = b"\xff" * 56
    with pytest.raises(SourceError, match="damaged"):
        whole(written(tmp_path, bytes(body)))
