"""FastMCP: the lines of its StructuredLoggingMiddleware, which have no ids."""

from collections.abc import Iterator
from typing import Any

from ingest.dialects.contract import as_json, digest, number, parsed, payload, text
from ingest.json_traces.contract import UNNAMED, Clock, Line, LogFormat, Pairs, inside, word
from ingest.json_traces.leading_json import leading_json
from store.records import Call, Observer, Outcome, Record, State

NAME = "fastmcp_logging"
EVENTS = ("request_start", "request_success", "request_error")
CUT = "..."


def recognises(line: Line) -> bool:
    """Its events, beside a method of MCP."""
    return line.get("event") in EVENTS and "method" in line


class Reader:
    """Pairs by order. Where several calls are under way, nobody can tell which of them ended how: then only the call is told."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._pairs, self._chain, self._session = clock, Pairs(), "", ""
        self._open: list[str] = []

    def read(self, line: Line) -> Iterator[Record]:
        """The call that a line completes."""
        if line.get("method") != "tools/call":
            return
        self._chain = digest(self._chain, as_json(line))
        self._session = self._session or digest(NAME, self._chain)
        if line["event"] == "request_start":
            yield from self._start(line)
            return
        if not self._open:
            return
        is_certain, key = len(self._open) == 1, self._open.pop(0)
        failed = line["event"] == "request_error"
        found: dict[str, Any] = {
            "outcome": Outcome.ERROR if failed else Outcome.OK, "duration_ms": number(line.get("duration_ms")),
            "error_message": text(line.get("error")) if failed else None,
        }
        yield from self._pairs.answer(key, **(found if is_certain else {}))

    def finish(self) -> Iterator[Record]:
        """Calls that were not seen to end."""
        yield from self._pairs.left()

    def _start(self, line: Line) -> Iterator[Record]:
        tool, arguments, state = _called(line.get("payload"))
        self._open = [*self._open, self._chain][-1000:]
        yield from self._pairs.ask(self._chain, Call(
            observation_id=self._chain, called_at=self._clock.moment(line.get("timestamp")), tool=tool or UNNAMED, observed_by=Observer.SERVER,
            dialect=NAME, session_id=self._session, arguments=arguments, arguments_state=state,
        ))


def _called(told: Any) -> tuple[str | None, str | None, State]:
    """Tool, arguments and their state out of a payload, which may be cut."""
    whole = parsed(told)
    if isinstance(whole, dict):
        arguments, state = payload(inside(whole, "arguments"))
        return word(whole.get("name")), arguments, state
    if not isinstance(told, str) or not told.endswith(CUT):
        return None, None, State.ABSENT
    _, named, after = told.partition('"name":')
    _, given, rest = told.partition('"arguments":')
    tool = word(leading_json(after)) if named else None
    return tool, rest.strip().removesuffix(CUT) or None if given else None, State.TRUNCATED if given else State.ABSENT


FORMAT = LogFormat(
    rank=43, recognises=recognises, reader=Reader,
    carries="that a tool was called, whether it failed, durations; tool and arguments where payloads are logged",
    never_carries="ids, sessions, the user, results; tool and arguments by default; outcomes of calls that overlap",
)
