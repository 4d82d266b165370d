"""A recording: what clients sent to a collector, in the order it was sent.

Files of a recording folder, all gzip, all in order of sending:

- `otlp_grpc.pb.gz`, `otlp_http.pb.gz`: frames of 8 bytes unix nanoseconds, 4 bytes length (both big endian), then one
  serialised ExportTraceServiceRequest
- `otlp_http.jsonl.gz`, `claude_code_logs.jsonl.gz`: one OTLP/JSON request a line; it was sent one second after the
  latest moment it speaks of
- `calls.jsonl.gz`: flat call lines; neighbouring lines of one session were sent together as one body, one second after
  the last of them ended
"""

import gzip
import heapq
import io
import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

Transport = Literal["grpc", "http_protobuf", "http_json", "calls"]

_FRAME = struct.Struct(">QI")
_SENDING_DELAY_NS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

GRPC = "otlp_grpc.pb.gz"
HTTP_PROTOBUF = "otlp_http.pb.gz"
HTTP_JSON = "otlp_http.jsonl.gz"
CLAUDE_CODE_LOGS = "claude_code_logs.jsonl.gz"
CALLS = "calls.jsonl.gz"
FILES = (GRPC, HTTP_PROTOBUF, HTTP_JSON, CLAUDE_CODE_LOGS, CALLS)


@dataclass(frozen=True, slots=True)
class Request:
    """One body as a client sent it; `path` is the HTTP path, also for gRPC, where it names the signal."""

    sent_at: datetime
    transport: Transport
    path: str
    body: bytes


def from_nanos(nanos: int) -> datetime:
    """The moment of a unix time in nanoseconds, to the microsecond."""
    return _EPOCH + timedelta(microseconds=nanos // 1000)


def to_nanos(moment: datetime) -> int:
    """Unix time in nanoseconds, exact to the microsecond."""
    return ((moment - _EPOCH) // timedelta(microseconds=1)) * 1000


def read(folder: Path) -> Iterator[Request]:
    """All requests of a recording in the order they were sent."""
    streams = (
        _frames(folder / GRPC, "grpc"),
        _frames(folder / HTTP_PROTOBUF, "http_protobuf"),
        _json_lines(folder / HTTP_JSON, "/v1/traces"),
        _json_lines(folder / CLAUDE_CODE_LOGS, "/v1/logs"),
        _call_groups(folder / CALLS),
    )
    yield from heapq.merge(*streams, key=lambda request: request.sent_at)


def write(folder: Path, requests: Iterable[Request]) -> dict[str, int]:
    """Write requests to the files of a recording, sorted by time; returns the number of requests per file."""
    folder.mkdir(parents=True, exist_ok=True)
    bodies: dict[str, list[bytes]] = {name: [] for name in FILES}
    for request in sorted(requests, key=lambda request: (request.sent_at, request.transport, request.body)):
        bodies[_file_of(request)].append(_written(request))
    for name, parts in bodies.items():
        buffer = io.BytesIO()
        # No file name and no time in the gzip header, so that equal content makes equal files.
        with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as packed:
            packed.write(b"".join(parts))
        (folder / name).write_bytes(buffer.getvalue())
    return {name: len(parts) for name, parts in bodies.items()}


def _file_of(request: Request) -> str:
    match request.transport, request.path:
        case "grpc", _:
            return GRPC
        case "http_protobuf", _:
            return HTTP_PROTOBUF
        case "http_json", "/v1/logs":
            return CLAUDE_CODE_LOGS
        case "http_json", _:
            return HTTP_JSON
        case _:
            return CALLS


def _written(request: Request) -> bytes:
    if request.transport in ("grpc", "http_protobuf"):
        return _FRAME.pack(to_nanos(request.sent_at), len(request.body)) + request.body
    return request.body.rstrip(b"\n") + b"\n"


def _frames(path: Path, transport: Transport) -> Iterator[Request]:
    if not path.exists():
        return
    with gzip.open(path, "rb") as file:
        while head := file.read(_FRAME.size):
            nanos, length = _FRAME.unpack(head)
            yield Request(from_nanos(nanos), transport, "/v1/traces", file.read(length))


def _json_lines(path: Path, signal: str) -> Iterator[Request]:
    if not path.exists():
        return
    with gzip.open(path, "rb") as file:
        for line in file:
            moment = from_nanos(latest_nanos(json.loads(line)) + _SENDING_DELAY_NS)
            yield Request(moment, "http_json", signal, line.rstrip(b"\n"))


def _call_groups(path: Path) -> Iterator[Request]:
    if not path.exists():
        return
    with gzip.open(path, "rb") as file:
        for _, lines in groupby(file, key=lambda line: json.loads(line)["session_id"]):
            group = list(lines)
            yield Request(calls_sent_at(json.loads(group[-1])), "calls", "/v1/calls", b"".join(group))


def calls_sent_at(last: dict[str, Any]) -> datetime:
    """When a group of call lines was sent, told by its last line."""
    ended = datetime.fromisoformat(last["timestamp"]) + timedelta(milliseconds=last.get("duration_ms") or 0)
    return ended + timedelta(microseconds=_SENDING_DELAY_NS // 1000)


def latest_nanos(request: dict[str, Any]) -> int:
    """The latest moment that an OTLP/JSON request speaks of, in unix nanoseconds."""
    moments = [
        int(item.get("endTimeUnixNano") or item.get("timeUnixNano") or 0)
        for resource in request.get("resourceSpans", []) + request.get("resourceLogs", [])
        for scope in resource.get("scopeSpans", []) + resource.get("scopeLogs", [])
        for item in scope.get("spans", []) + scope.get("logRecords", [])
    ]
    return max(moments, default=0)
