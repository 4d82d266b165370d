"""Files to records: lines of logs, OTLP in JSON lines or protobuf, calls in Parquet; plain or gzipped. Content decides, not the name."""

import gzip
import io
import itertools
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.json_traces import call_lines
from ingest.json_traces.leading_json import documents
from ingest.json_traces.lines import KNOWN_LINES, LogLines, is_known_text, parse_line
from ingest.otlp import json as otlp_json
from ingest.otlp import protobuf
from ingest.otlp.items import Decoded
from ingest.reading import read_items
from store.errors import SourceError, TooLargeError
from store.records import Records

LINES_A_PART = 5_000
GZIP, PARQUET, BYTE_ORDER_MARK = b"\x1f\x8b", b"PAR1", b"\xef\xbb\xbf"
CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))
"""Bytes that no JSON text holds, and every protobuf message of ours does: lengths and field numbers are among them."""

OUR_COLUMNS = {"called_at": "timestamp", "error_message": "error"}
DOCUMENT_BYTES = 256 << 20
"""Up to this size a file whose first line is broken is tried as one document."""

KNOWN_CONTENT = f"{KNOWN_LINES}, OTLP/JSON lines (resourceSpans, resourceLogs), OTLP protobuf, or Parquet with the columns of tool-call lines"


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
        with Path(name).open("rb") as source:
            yield from read_stream(source, name, datetime.fromtimestamp(os.fstat(source.fileno()).st_mtime, UTC))
    except OSError as error:
        raise SourceError(f"{name}: {error.strerror or error}") from error


def read_stream(source: IO[bytes] | gzip.GzipFile, name: str, written_at: datetime | None = None) -> Iterator[Part]:
    """The same for an open file. written_at: the moment of what tells no time, so that a file read twice tells the same one; else now."""
    buffered: Any = source if isinstance(source, io.BufferedReader) else io.BufferedReader(source)
    head = buffered.peek()
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    try:
        if head[:2] == GZIP:
            if isinstance(source, gzip.GzipFile):  # there is gzip that unpacks to itself
                raise SourceError(f"{name}: is gzip inside gzip")
            yield from read_stream(gzip.GzipFile(fileobj=buffered), name, written_at)
        elif head[:4] == PARQUET:
            yield from _parquet(buffered.read(), name)
        elif head.translate(None, CONTROLS) != head:
            yield _protobuf(buffered.read(), name)
        elif text and text[:1] not in b"{[" and not is_known_text(text):
            raise SourceError(f"{name}: unknown content; known are {KNOWN_CONTENT}")
        else:
            yield from _lines(buffered, name, LogLines(written_at))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(f"{name}: the gzip stream is broken or truncated: {error}") from error
    finally:
        if buffered is not source:
            buffered.detach()  # otherwise it would close what is not ours


def _lines(source: IO[bytes], name: str, log: LogLines) -> Iterator[Part]:
    """Line by line; or, where the first line is no object but the whole is JSON (printed prettily, or as an array), object by object."""
    blank = 0
    while (line := source.readline()) and not line.strip():
        blank += 1
    lines: Iterable[bytes] = itertools.chain([line], source)
    if line and not _is_object(line) and not is_known_text(line):
        whole = line + source.read(DOCUMENT_BYTES) + source.readline()
        if (found := documents(whole)) is not None:
            yield from _parts(((f"{name}: item {n}" if len(found) > 1 else name, one) for n, one in enumerate(found, 1)), log)
            return
        lines = itertools.chain(io.BytesIO(whole), source)
    yield from _parts(((f"{name}:{n}", line) for n, line in enumerate(lines, blank + 1)), log)


def _parts(placed: Iterator[tuple[str, bytes]], log: LogLines) -> Iterator[Part]:
    while chunk := list(itertools.islice(placed, LINES_A_PART)):
        part = Part(read_bytes=sum(len(line) for _, line in chunk))
        for place, line in chunk:
            if line.strip():
                try:
                    _line(line, part, place, log)
                except SourceError as error:
                    part.refused.append(f"{place}: {error}")
        yield part
    left = Part()
    for record in log.finish():
        left.records.add(record)
    if left.records:
        yield left


def _is_object(line: bytes) -> bool:
    try:
        parse_line(line)
    except SourceError:
        return False
    return True


def _line(line: bytes, part: Part, place: str, log: LogLines) -> None:
    if b"resourceSpans" in line or b"resourceLogs" in line:
        loaded = parse_line(line)
        if "resourceSpans" in loaded or "resourceLogs" in loaded:
            _take(otlp_json.decode_traces(line) if "resourceSpans" in loaded else otlp_json.decode_logs(line), part, place)
            return
    for record in log.read(line, lambda reason: part.refused.append(f"{place}: {reason}")):
        part.records.add(record)


def _take(decoded: Decoded, part: Part, place: str) -> None:
    records, _ = read_items(decoded)
    part.records.extend(records)
    part.refused += [f"{place}: {reason}" for reason in decoded.refused]
    if more := len(decoded.refused) - len(decoded.refused.reasons):
        part.refused.append(f"{place}: and {more} more")


def _protobuf(body: bytes, name: str) -> Part:
    part = Part(read_bytes=len(body))
    for decode in (protobuf.decode_traces, protobuf.decode_logs):
        try:
            decoded = decode(body)
        except TooLargeError as error:
            raise TooLargeError(f"{name}: {error}") from error
        except SourceError:
            continue
        if decoded.items:
            _take(decoded, part, name)
            return part
    raise SourceError(f"{name}: unknown content; known are {KNOWN_CONTENT}")


def _parquet(body: bytes, name: str) -> Iterator[Part]:
    try:
        file = pq.ParquetFile(pa.BufferReader(body))
        if "tool" not in file.schema_arrow.names:
            raise SourceError(f"{name}: the Parquet file has no column tool; known are {KNOWN_CONTENT}")
        row = 0
        for batch in file.iter_batches(LINES_A_PART):
            part = Part(read_bytes=batch.nbytes)
            for line in batch.to_pylist():
                row += 1
                try:
                    for record in list(call_lines.record_of(_as_line(line))):
                        part.records.add(record)
                except SourceError as error:
                    part.refused.append(f"{name}: row {row}: {error}")
            yield part
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{name}: damaged Parquet: {error}") from error


def _as_line(row: dict[str, Any]) -> dict[str, Any]:
    """A row of our own lake, or of somebody's export with the flat line's columns. NaN is what pandas writes for "nothing"."""
    line = {k: v for k, v in row.items() if v is not None and v == v}
    for ours, theirs in OUR_COLUMNS.items():
        if ours in line:
            line.setdefault(theirs, line.pop(ours))
    if line.get("outcome") in ("ok", "error"):
        line.setdefault("is_error", line["outcome"] == "error")
    return {k: v for k, v in line.items() if k in call_lines.KNOWN}
