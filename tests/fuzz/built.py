"""Requests built out of arbitrary bytes, in the words that dialects and log formats look for."""

import importlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.ingest.payloads import log, logs, span, traces

ROOT = Path(__file__).resolve().parents[2]
LONGEST_WORD = 60
MOMENT = 1_790_000_000
DEPTH = 3
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 200, 1 << 62, -(1 << 63), 0.5, 1e300, MOMENT, str(MOMENT), "", "{}", "[]", "null", "{", "true", "nan", "1e999", "-5",
    "2026-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01", "<REDACTED>", "mcp__server__tool", "mcp____", "a/b", "x" * 300, "\0",
    '{"name": "t", "arguments": {"path": "../../etc/passwd"}}', '[{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]',
    '[{"type": "tool_use", "id": "1", "name": "t", "input": {}}]', '{"content": [{"type": "text", "text": "done"}], "isError": true}',
)


@cache
def words(package: str) -> tuple[str, ...]:
    """Every short text that the modules of a package hold: the keys that they look for, and the values that they know."""
    found: set[str] = set()
    for path in sorted((ROOT / package).glob("*.py")):
        module = importlib.import_module(f"{package.replace('/', '.')}.{path.stem}")
        found.update(_texts(compile(path.read_text(), path.name, "exec")))
        found.update(_held(module))
    return tuple(sorted(word for word in found if 0 < len(word) <= LONGEST_WORD and "\n" not in word))


def _texts(code: CodeType) -> Iterator[str]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _texts(one)
        for text in one if isinstance(one, tuple | frozenset) else (one,):
            if isinstance(text, str):
                yield text


def _held(module: ModuleType) -> Iterator[str]:
    for one in vars(module).values():
        if isinstance(one, frozenset | set | tuple):
            yield from (text for text in one if isinstance(text, str))


class Built:
    """Reads choices off bytes, one after another; where they end it chooses the first of everything."""

    def __init__(self, body: bytes) -> None:
        self._body, self._place = body, 0

    def below(self, limit: int) -> int:
        """A number from 0 to limit - 1."""
        size = 1 if limit <= 256 else 2
        found = int.from_bytes(self._body[self._place : self._place + size], "big")
        self._place += size
        return found % limit

    def traces(self) -> ExportTraceServiceRequest:
        """Some spans of one trace, inside one another or not."""
        found = [
            span(n, self.word("ingest/dialects"), self.attributes(), trace_id=bytes([1]) * 16, parent_span_id=bytes(7) + bytes([self.below(4)]))
            for n in range(1 + self.below(3))
        ]
        for one in found:
            for _ in range(self.below(2)):
                one.events.add(name=self.word("ingest/dialects")).attributes.extend(span(attributes=self.attributes()).attributes)
        return traces(*found, scope=self.word("ingest/dialects"), resource=self.attributes())

    def logs(self) -> ExportLogsServiceRequest:
        """Some log records."""
        found = [log(n, self.value("ingest/dialects"), self.attributes()) for n in range(1 + self.below(3))]
        return logs(*found, scope=self.word("ingest/dialects"), resource=self.attributes())

    def lines(self) -> bytes:
        """Some JSON objects, one a line."""
        return b"\n".join(json.dumps(self.object("ingest/json_traces")).encode() for _ in range(1 + self.below(4)))

    def attributes(self) -> dict[str, Any]:
        """Some attributes."""
        return self.object("ingest/dialects")

    def object(self, package: str, depth: int = 0) -> dict[str, Any]:
        """Some keys that the package knows, and values."""
        return {self.word(package): self.value(package, depth) for _ in range(self.below(6))}

    def word(self, package: str) -> str:
        """A word of the package's own."""
        known = words(package)
        return known[self.below(len(known))]

    def value(self, package: str, depth: int = 0) -> Any:
        """Something that may stand where a value does."""
        kind = self.below(8)
        if kind < 4:
            return VALUES[self.below(len(VALUES))]
        if kind == 4:
            return self.word(package)
        if depth >= DEPTH:
            return ""
        if kind == 5:
            return [self.value(package, depth + 1) for _ in range(self.below(4))]
        made = self.object(package, depth + 1)
        return made if kind == 6 else json.dumps(made)
