"""Lines of logs to records: names the format of each line by its keys, or by its form where it is text."""

import importlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any

from ingest.json_traces.contract import Clock, Line, LogFormat, Reader
from ingest.json_traces.leading_json import documents
from ingest.otlp import limits
from ingest.otlp.items import Refusals, shown
from store.errors import SourceError
from store.records import Record, Records

KEYS_SHOWN, CHARACTERS_SHOWN = 12, 40
MESSAGE_LISTS = ("chat_messages", "langchain_messages")
FIRST_LINE = 4_096
"""Somebody's first line of an object over several lines is shorter than half of that."""

TEXT_LINES_TRIED, BYTE_ORDER_MARK = 50, b"\xef\xbb\xbf"
KNOWN_LINES = "JSON tool-call lines (tool, and session_id or timestamp), MCP messages, transcripts, message lists, gateway logs (docs/dialects.md)"


@cache
def formats() -> tuple[tuple[str, LogFormat], ...]:
    """All formats by name, in the order in which they are asked: those with keys of their own before generic ones."""
    found = []
    for path in sorted(Path(__file__).parent.glob("*.py")):
        module = importlib.import_module(f"ingest.json_traces.{path.stem}")
        if isinstance(made := getattr(module, "FORMAT", None), LogFormat):
            found.append((path.stem, made))
    return tuple(sorted(found, key=lambda pair: pair[1].rank))


@dataclass(slots=True)
class Taken:
    """What the lines of a request held: records, how many lines each format claimed, and what was refused."""

    records: Records = field(default_factory=Records)
    claimed: Counter[str] = field(default_factory=Counter)
    refused: Refusals = field(default_factory=Refusals)


class LogLines:
    """The lines of one file or request, in order."""

    def __init__(self, start: datetime | None = None) -> None:
        self._clock = Clock(start or datetime.now(UTC))
        self._readers: dict[str, Reader] = {}
        self.claimed = Counter[str]()

    def read(self, line: bytes, refuse: Callable[[str], None]) -> list[Record]:
        """The records that a line completes, which may be a list of objects. refuse: gets the reason for whatever cannot be read."""
        stripped = line.strip().removeprefix(BYTE_ORDER_MARK)
        try:
            if stripped[:1] not in (b"{", b"[") and (found := _parsed(stripped)):
                return self._take(*found)
            loaded = parse_any(line)
            if _is_conversation(loaded):
                return self.read_object({"messages": loaded})
            if not isinstance(loaded, list) or not any(isinstance(one, dict) and _format_of(one) for one in loaded):
                return self.read_object(loaded)
        except SourceError as error:
            refuse(str(error))
            return []
        records: list[Record] = []
        for n, one in enumerate(loaded, 1):
            try:
                records += self.read_object(one)
            except SourceError as error:
                refuse(f"item {n}: {error}")
        return records

    def read_object(self, loaded: Any) -> list[Record]:
        """The records that an object completes. Raises SourceError where it is of no known format, or cannot be read."""
        if not isinstance(loaded, dict):
            raise SourceError(f"must be a JSON object, not {type(loaded).__name__}")
        if (name := _format_of(loaded)) is None:
            keys = ", ".join(shown(k)[:CHARACTERS_SHOWN] for k in list(loaded)[:KEYS_SHOWN]) or "none"
            raise SourceError(f"unknown content with the keys {keys}; known are {KNOWN_LINES}")
        return self._take(name, loaded)

    def finish(self) -> list[Record]:
        """What never got its pair."""
        return [record for reader in self._readers.values() for record in reader.finish()]

    def _take(self, name: str, line: Line) -> list[Record]:
        if name not in self._readers:
            self._readers[name] = dict(formats())[name].reader(self._clock)
        try:
            read = list(self._readers[name].read(line))
        except RecursionError as error:
            raise SourceError("nests too deeply") from error
        self.claimed[name] += 1
        return read


def read_body(body: bytes) -> Taken:
    """Everything in many lines; for what was refused its line and the reason. Raises TooLargeError where there is too much."""
    taken, lines = Taken(), LogLines()
    for n, line in enumerate(_printed_prettily(body) or BytesIO(body), 1):
        if line.strip():
            _add(taken.records, lines.read(line, partial(_refused, taken.refused, n)))
            limits.check_records(len(taken.records) + len(taken.refused))
    _add(taken.records, lines.finish())
    taken.claimed = lines.claimed
    return taken


def _printed_prettily(body: bytes) -> list[bytes] | None:
    """The objects of a body whose first line does not hold the whole of one; None where it is written line by line."""
    first = body[:FIRST_LINE].removeprefix(BYTE_ORDER_MARK).lstrip().partition(b"\n")[0].rstrip()
    if first[:1] not in (b"{", b"[") or first[-1:] in (b"}", b"]") or len(first) >= FIRST_LINE // 2:
        return None
    limits.check_json(body)
    return documents(body)


def parse_line(line: bytes) -> dict[str, Any]:
    """A line as a JSON object. Raises SourceError where it is none."""
    loaded = parse_any(line)
    if not isinstance(loaded, dict):
        raise SourceError(f"must be a JSON object, not {type(loaded).__name__}")
    return loaded


def parse_any(line: bytes) -> Any:
    """A line as whatever JSON it is. Raises SourceError where it is none, TooLargeError where it holds too much."""
    limits.check_json(line)
    try:
        return json.loads(line)
    except UnicodeDecodeError as error:
        raise SourceError(f"not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise SourceError(f"not JSON: {error.msg} at column {error.colno}") from error
    except RecursionError as error:
        raise SourceError("nests too deeply") from error
    except ValueError as error:  # a number of more digits than Python converts
        raise SourceError(f"not JSON that can be read: {error}") from error


def is_known_text(head: bytes) -> bool:
    """Whether among the first lines of a text is one of a known format."""
    return any(_parsed(line.strip()) for line in head.split(b"\n")[:TEXT_LINES_TRIED] if line.strip())


def _is_conversation(loaded: Any) -> bool:
    """Whether a line is a list of messages: a conversation of its own."""
    return isinstance(loaded, list) and len(loaded) > 1 and all(isinstance(one, dict) and _format_of(one) in MESSAGE_LISTS for one in loaded)


def _refused(refusals: Refusals, n: int, reason: str) -> None:
    refusals.append(f"line {n}: {reason}")


def _format_of(line: Line) -> str | None:
    return next((name for name, one in formats() if one.recognises(line)), None)


def _parsed(line: bytes) -> tuple[str, Line] | None:
    told = line.decode("utf-8", "replace")
    for name, one in _text_formats():
        if (found := one.parse(told) if one.parse else None) is not None:
            return name, found
    return None


@cache
def _text_formats() -> tuple[tuple[str, LogFormat], ...]:
    return tuple(pair for pair in formats() if pair[1].parse)


def _add(records: Records, found: Iterable[Record]) -> None:
    for record in found:
        records.add(record)
