"""OpenAI Agents SDK: the spans and traces of its own export, one object a line or a list under `data`."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from ingest.dialects.contract import digest, payload, text
from ingest.json_traces.contract import OPEN_CALLS, UNNAMED, Clock, Line, LogFormat, captured, definitions_of, inside, told_moment, word
from ingest.json_traces.turns import Said, dicts, turns_of
from store.records import Call, Message, Observer, Outcome, Record, SessionSource, Span, State

NAME = "openai_agents"
OBJECTS = ("trace", "trace.span")
USER_KEYS = ("user_id", "user.id", "user", "user_email")
"""Where applications write the user into a trace's metadata."""


def recognises(line: Line) -> bool:
    """A trace, a span, or a list of them."""
    return line.get("object") in OBJECTS or any(one.get("object") in OBJECTS for one in dicts(line.get("data")))


class Reader:
    """Remembers of each trace the group, which is the conversation, and the user; the SDK writes a trace before its spans."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._traces: OrderedDict[str, tuple[str | None, str | None]] = OrderedDict()

    def read(self, line: Line) -> Iterator[Record]:
        """Calls of function spans, texts of generation spans, and the other spans for parentage."""
        if line.get("object") not in OBJECTS:
            for one in dicts(line.get("data")):
                if one.get("object") in OBJECTS:
                    yield from self.read(one)
        elif line["object"] == "trace":
            if trace := word(line.get("id")):
                user = word(*(inside(line, "metadata", key) for key in USER_KEYS))
                self._traces[trace] = word(line.get("group_id")), user
                if len(self._traces) > OPEN_CALLS:
                    self._traces.popitem(last=False)
        else:
            yield from self._span(line, line["span_data"] if isinstance(line.get("span_data"), dict) else {})

    def finish(self) -> Iterable[Record]:
        """Nothing is ever open."""
        return ()

    def _span(self, line: Line, data: Line) -> Iterator[Record]:
        at, trace, span = self._clock.moment(line.get("started_at")), word(line.get("trace_id")), word(line.get("id"))
        group, user = self._traces.get(trace or "", (None, None))
        session, source = group or trace, SessionSource.CONVERSATION if group else SessionSource.TRACE
        kind = data.get("type")
        if kind == "function":
            yield replace(self._call(line, data, at, trace, span, session, source), principal=user)
            return
        if trace and span:
            agent = word(data.get("name")) if kind == "agent" else None
            yield Span(trace_id=trace, span_id=span, started_at=at, parent_span_id=word(line.get("parent_id")), session_id=group,
                       session_source=source, agent=agent, principal=user)
        for message in [*dicts(data.get("input")), *dicts(data.get("output"))] if kind in ("generation", "response") else []:
            for turn in turns_of(message):
                if isinstance(turn, Said):
                    yield Message(
                        message_id=digest(session, turn.role, turn.text), said_at=at, role=turn.role, dialect=NAME, text=turn.text,
                        text_state=State.CAPTURED, session_id=session, session_source=source, trace_id=trace,
                    )
        if kind == "mcp_tools" and isinstance(data.get("result"), list):
            yield from definitions_of(data["result"], at, NAME, word(data.get("server")), session_id=session)

    def _call(
        self, line: Line, data: Line, at: datetime, trace: str | None, span: str | None, session: str | None, source: SessionSource
    ) -> Call:
        arguments, arguments_state = payload(data.get("input"))
        result, result_state = captured(data.get("output"))
        ended, error = told_moment(line.get("ended_at")), line.get("error")
        return Call(
            observation_id=digest(NAME, trace, span) if span else digest(NAME, trace, at.isoformat(), word(data.get("name")), arguments),
            called_at=at, tool=word(data.get("name")) or UNNAMED, observed_by=Observer.AGENT, dialect=NAME, session_id=session,
            session_source=source, duration_ms=(ended - at).total_seconds() * 1000 if ended and ended >= at else None, trace_id=trace, span_id=span,
            parent_span_id=word(line.get("parent_id")), server=word(inside(data, "mcp_data", "server")), arguments=arguments,
            arguments_state=arguments_state, result=result, result_state=result_state,
            outcome=Outcome.ERROR if error else Outcome.OK if ended else Outcome.UNKNOWN,
            error_message=_error(error),
        )


def _error(error: Any) -> str | None:
    """The message, and what the SDK was told went wrong."""
    told = [found for found in (word(inside(error, "message")), word(inside(error, "data", "error"))) if found]
    return ": ".join(told) or (text(error) if error else None)


FORMAT = LogFormat(
    rank=16, recognises=recognises, reader=Reader,
    carries="tool, MCP server, arguments, results (as Python prints them), prompts and answers, the conversation's group, agent, user where the "
            "metadata name one, errors, times",
    never_carries="call ids; whether an MCP tool answered with an error; prompts of the Responses API (only ids of responses); the descriptions of "
                  "tools, unless the export lists them",
)
