"""What a log format is, and the parts of a line that every format reads the same way."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeAlias

from ingest.dialects.contract import PLACEHOLDERS, as_json, digest, moment_of, number, parsed, text
from store.records import Call, Observer, Outcome, Record, State, ToolDefinition

Line: TypeAlias = dict[str, Any]

OPEN_CALLS = 10_000
"""So many calls may wait for their result, in each reader; then the oldest goes without."""

UNNAMED = "(unnamed)"
SECONDS_END, MILLISECONDS_END, MICROSECONDS_END = 1e11, 1e14, 1e17
"""Up to these a unix time is in seconds, milliseconds, microseconds; above, in nanoseconds. The first is the year 5138."""

REFUSED = frozenset({"deny", "denied", "block", "blocked", "reject", "rejected", "false", "forbidden"})
ALLOWED = frozenset({"allow", "allowed", "accept", "accepted", "approve", "approved", "permit", "permitted", "true"})


class Clock:
    """Moments as lines tell them; what tells none comes a millisecond after what came before it."""

    def __init__(self, start: datetime) -> None:
        self._last = start

    def moment(self, value: Any = None) -> datetime:
        """The moment that a value tells, else the next one."""
        told = told_moment(value)
        self._last = told or min(self._last, LAST_MOMENT) + timedelta(milliseconds=1)
        return self._last


LAST_MOMENT = datetime(2262, 1, 1, tzinfo=UTC)


class Reader(Protocol):
    """Reads the lines of one file or request in order; formats whose request and response are two lines keep state between."""

    def read(self, line: Line) -> Iterable[Record]:
        """The records that a line completes. Raises SourceError where it cannot be read."""

    def finish(self) -> Iterable[Record]:
        """What never got its pair."""


@dataclass(frozen=True, slots=True)
class LogFormat:
    """How one kind of log writes its lines.

    rank: formats with keys of their own come before generic ones; the first that recognises a line reads it.
    recognises: sniffs keys.
    reader: a new reader; the clock gives a moment to lines that have none.
    carries, never_carries: for the docs: what detectors can see in it, and what it can never show.
    parse: where lines are text, makes an object out of one; None where it is none of this format.
    of_dialects: spans and log records in another form; any dialect may speak in them.
    """

    rank: int
    recognises: Callable[[Line], bool]
    reader: Callable[[Clock], Reader]
    carries: str
    never_carries: str
    parse: Callable[[str], Line | None] | None = None
    of_dialects: bool = False


class EachLine:
    """A reader for formats whose lines stand alone."""

    def __init__(self, read: Callable[[Line, Clock], Iterable[Record]], clock: Clock) -> None:
        self._read, self._clock = read, clock

    def read(self, line: Line) -> Iterable[Record]:
        """The line's records."""
        return self._read(line, self._clock)

    def finish(self) -> Iterable[Record]:
        """Nothing is ever open."""
        return ()


def each_line(read: Callable[[Line, Clock], Iterable[Record]]) -> Callable[[Clock], Reader]:
    """Makes readers of lines that stand alone."""
    return lambda clock: EachLine(read, clock)


class Pairs:
    """Calls that wait for their result."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Call] = OrderedDict()
        self._done: OrderedDict[str, None] = OrderedDict()

    def ask(self, key: str, call: Call, once: bool = True) -> Iterator[Call]:
        """A call begins. once: the key tells it from all others, so that a second telling is the same call."""
        if once and (key in self._open or key in self._done):
            return
        if (former := self._open.pop(key, None)) is not None:
            yield unanswered(former)
        self._open[key] = call
        if len(self._open) > OPEN_CALLS:
            yield unanswered(self._open.popitem(last=False)[1])

    def asked(self, key: str) -> Call | None:
        """The call that waits under a key."""
        return self._open.get(key)

    def answer(self, key: str, **found: Any) -> Iterator[Call]:
        """A call's result is there; nothing where none waits for it."""
        if (call := self._open.pop(key, None)) is None:
            return
        self._done[key] = None
        if len(self._done) > OPEN_CALLS:
            self._done.popitem(last=False)
        yield replace(call, **found)

    def left(self) -> Iterator[Call]:
        """Those that never got one."""
        while self._open:
            yield unanswered(self._open.popitem(last=False)[1])


def unanswered(call: Call) -> Call:
    """A call whose result has not come: the sighting of a decision, so that the result can still come with a later file or request."""
    return replace(call, observation_id=digest(call.observation_id, "unanswered"), observed_by=Observer.DECISION)


def inside(value: Any, *path: str) -> Any:
    """What lies at a path of keys; None where nothing does."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def word(*values: Any) -> str | None:
    """The first value that can be a name or an id: text that is no placeholder, or a whole number."""
    for value in values:
        if isinstance(value, str) and value and value not in PLACEHOLDERS:
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value) if abs(value) < 1 << 63 else None
    return None


def told_moment(value: Any) -> datetime | None:
    """ISO 8601, or unix seconds, milliseconds, microseconds or nanoseconds, which may come as text."""
    if value is None or value == "" or isinstance(value, bool | dict | list):
        return None
    found = number(value)
    if found is None:
        return moment_of(value)
    for end, divisor in ((SECONDS_END, 1), (MILLISECONDS_END, 1e3), (MICROSECONDS_END, 1e6)):
        if abs(found) < end:
            return moment_of(found / divisor)
    return moment_of(found / 1e9)


def decided(value: Any) -> str | None:
    """`reject` or `accept`; None where the value tells neither."""
    told = str(value).lower() if isinstance(value, str | bool) else ""
    return "reject" if told in REFUSED else "accept" if told in ALLOWED else None


def outcome_of(decision: str | None, failed: bool | None) -> Outcome:
    """How a call ended, out of a decision and whether it failed."""
    if decision == "reject":
        return Outcome.DENIED
    return Outcome.UNKNOWN if failed is None else Outcome.ERROR if failed else Outcome.OK


def client_of(dialect: str, *who: str | None) -> str:
    """Instead of a session, where a format tells none: who did it. The store makes sessions out of that and the pauses (SessionSource.CLIENT)."""
    return digest(dialect, *who)


def split_name(name: str, builtin: str | None = None) -> tuple[str | None, str]:
    """Server and tool of `mcp__server__tool`; a name without them is a tool of the agent itself."""
    if name.startswith("mcp__") and name.count("__") >= 2:
        _, server, tool = name.split("__", 2)
        return server or None, tool or UNNAMED
    return builtin, name


def plain(content: Any) -> str | None:
    """A content as its reader sees it: text blocks joined, anything else as JSON."""
    if isinstance(content, list) and content and all(is_text(block) for block in content):
        return "\n".join(block if isinstance(block, str) else block["text"] for block in content)
    return text(content)


def is_text(block: Any) -> bool:
    """Whether a content block is text and nothing else."""
    return isinstance(block, str) or (
        isinstance(block, dict) and block.get("type") in ("text", "input_text", "output_text") and isinstance(block.get("text"), str)
    )


def captured(content: Any) -> tuple[str | None, State]:
    """A content, and what is known of it."""
    if content is None:
        return None, State.ABSENT
    found = plain(content)
    return (None, State.REDACTED) if found is None else (found, State.CAPTURED)


def definitions_of(tools: Any, at: datetime, dialect: str, server: str | None = None, **more: Any) -> Iterator[ToolDefinition]:
    """Definitions of a tool list: MCP (`inputSchema`), Anthropic (`input_schema`) or OpenAI (`function`, `parameters`) shape."""
    for one in tools if isinstance(tools, list) else []:
        inner = one["function"] if isinstance(one, dict) and isinstance(one.get("function"), dict) else one
        if not isinstance(inner, dict) or not (name := word(inner.get("name"))):
            continue
        shape = next((inner[k] for k in ("inputSchema", "input_schema", "parameters") if inner.get(k) is not None), None)
        named, tool = split_name(name)
        yield ToolDefinition(
            sighted_at=at, tool=tool, dialect=dialect, server=server or named, description=text(inner.get("description")),
            input_schema=None if shape is None else shape if isinstance(shape, str) else as_json(shape, sort_keys=True), **more,
        )


def parsed_part(line: Line, *path: str) -> Any:
    """What lies at a path, which may be written as JSON text, or as the events of a stream; text that is neither stays text."""
    value = inside(line, *path)
    made = parsed(value)
    if made is None and isinstance(value, str) and value.startswith(STREAMED):
        made = _last_event(value)
    return value if made is None else made


STREAMED = ("event:", "data:", "id:")
"""How a body of type text/event-stream begins: in this form servers answer over streamable HTTP."""


def _last_event(stream: str) -> Any:
    """The last JSON object among the events of a stream: the answer comes after notifications."""
    told = [line.removeprefix("data:").strip() for line in stream.splitlines() if line.startswith("data:")]
    return next((made for one in reversed(told) if isinstance(made := parsed(one), dict)), None)
