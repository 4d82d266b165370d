"""Files to records: JSON tool-call lines, OTLP in JSON lines or protobuf, calls in Parquet; plain or gzipped. Content decides, not the name."""

import gzip
import io
import itertools
import json
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.json_traces import call_lines
from ingest.otlp import json as otlp_json
from ingest.otlp import protobuf
from ingest.otlp.items import Decoded
from ingest.reading import read_items
from store.errors import SourceError
from store.records import Records

LINES_A_PART = 5_000
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
KNOWN_CONTENT = "JSON tool-call lines (tool, session_id, ...), OTLP/JSON lines (resourceSpans, resourceLogs), OTLP protobuf, or Parquet with those columns"


@dataclass(slots=True)
class Part:
    """A stretch of a file: its records, and for what was refused the place and the reason."""

    records: Records = field(default_factory=Records)
    refused: list[str] = field(default_factory=list)
    read_bytes: int = 0


def read(name: str) -> Iterator[Part]:
    """The parts of a file; `-` is standard input. Raises SourceError where it cannot be opened or nothing in it is known."""
    if name == "-":
        yield from read_stream(sys.stdin.buffer, "standard input")
        return
    try:
        source = Path(name).open("rb")
    except OSError as error:
        raise SourceError(f"{name}: {error.strerror}") from error
    with source:
        yield from read_stream(source, name)


def read_stream(source: IO[bytes], name: str) -> Iterator[Part]:
    """The same for an open file."""
    buffered = source if isinstance(source, io.BufferedReader) else io.BufferedReader(source)  # type: ignore[arg-type]  # IO[bytes] is raw enough
    head = buffered.peek(4)[:4]
    try:
        if head[:2] == GZIP:
            yield from read_stream(gzip.GzipFile(fileobj=buffered), name)
        elif head == PARQUET:
            yield from _parquet(buffered.read(), name)
        elif head and head[:1] not in b"{[ \t\r\n\xef":
            yield _protobuf(buffered.read(), name)
        else:
            yield from _lines(buffered, name)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(f"{name}: the gzip stream is broken or truncated: {error}") from error


def _lines(source: Iterable[bytes], name: str) -> Iterator[Part]:
    numbered = enumerate(source, 1)
    while chunk := list(itertools.islice(numbered, LINES_A_PART)):
        part = Part(read_bytes=sum(len(line) for _, line in chunk))
        for n, line in chunk:
            if line.strip():
                try:
                    _line(line, part)
                except SourceError as error:
                    part.refused.append(f"{name}:{n}: {error}")
        part.refused = [r if r.startswith(name) else f"{name}: {r}" for r in part.refused]
        yield part


def _line(line: bytes, part: Part) -> None:
    loaded = call_lines.parse_line(line)
    if "resourceSpans" in loaded or "resourceLogs" in loaded:
        _take(otlp_json.decode_traces(line) if "resourceSpans" in loaded else otlp_json.decode_logs(line), part)
    elif call_lines.is_call_line(loaded):
        records, refused = call_lines.read_lines([line])
        if refused:
            raise SourceError(refused[0].removeprefix("line 1: "))
        part.records.extend(records)
    else:
        keys = ", ".join(str(k)[:40] for k in list(loaded)[:8]) or "none"
        raise SourceError(f"unknown content with the keys {keys}; known are {KNOWN_CONTENT}")


def _take(decoded: Decoded, part: Part) -> None:
    records, _ = read_items(decoded)
    part.records.extend(records)
    part.refused += decoded.refused


def _protobuf(body: bytes, name: str) -> Part:
    part = Part(read_bytes=len(body))
    for decode in (protobuf.decode_traces, protobuf.decode_logs):
        try:
            decoded = decode(body)
        except SourceError:
            continue
        if decoded.items:
            _take(decoded, part)
            return part
    raise SourceError(f"{name}: unknown content; known are {KNOWN_CONTENT}")


def _parquet(body: bytes, name: str) -> Iterator[Part]:
    try:
        file = pq.ParquetFile(pa.BufferReader(body))
    except pa.ArrowInvalid as error:
        raise SourceError(f"{name}: damaged Parquet: {error}") from error
    if "tool" not in file.schema_arrow.names:
        raise SourceError(f"{name}: the Parquet file has no column tool; known are {KNOWN_CONTENT}")
    row = 0
    for batch in file.iter_batches(LINES_A_PART):
        part = Part(read_bytes=batch.nbytes)
        for line in batch.to_pylist():
            row += 1
            records, refused = call_lines.read_lines([json.dumps(_as_line(line), default=_iso).encode()])
            part.records.extend(records)
            part.refused += [f"{name}: row {row}: {r.removeprefix('line 1: ')}" for r in refused]
        yield part


def _as_line(row: dict[str, Any]) -> dict[str, Any]:
    """A row of our own lake, or of somebody's export with the flat line's columns."""
    line = {k: v for k, v in row.items() if v is not None}
    if "called_at" in line:
        line.setdefault("timestamp", line.pop("called_at"))
    if "outcome" in line:
        line.setdefault("is_error", line["outcome"] == "error")
    return {k: v for k, v in line.items() if k in call_lines.KNOWN}


def _iso(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
