"""Gemini CLI's sessions: `session-*` in the folders `chats` below `~/.gemini/tmp`, one message a line, or all of them in one object."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ingest.dialects.contract import digest, payload
from ingest.dialects.gemini_cli_spans import AGENT, SET_UP, STATES, answer_of, server_and_tool
from ingest.json_traces.contract import OPEN_CALLS, UNNAMED, Clock, Line, LogFormat, word
from ingest.json_traces.turns import dicts
from store.records import Call, Message, Observer, Outcome, Record, SessionSource, State

NAME = "gemini_cli_chats"
ROLES = {"user": "user", "gemini": "assistant"}
OTHERS = ("info", "error", "warning")


def recognises(line: Line) -> bool:
    """The head of a session, a message of it, or a change of the head."""
    if "sessionId" in line and "projectHash" in line:
        return True
    if isinstance(line.get("$set"), dict):
        return True
    kind = line.get("type")
    return isinstance(kind, str) and (kind in ROLES or kind in OTHERS) and "content" in line and "id" in line and "timestamp" in line


class Reader:
    """Remembers the session, which the head names. Messages are told again whenever something is added to them."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._session = clock, ""
        self._told: OrderedDict[str, None] = OrderedDict()

    def read(self, line: Line) -> Iterator[Record]:
        """The calls that are complete, and what was said."""
        if "projectHash" in line:
            self._session, self._told = word(line.get("sessionId")) or "", OrderedDict()
        changed = line["$set"] if isinstance(line.get("$set"), dict) else line
        for message in dicts(changed.get("messages")):
            yield from self._message(message)
        if "type" in line:
            yield from self._message(line)

    def finish(self) -> Iterable[Record]:
        """Nothing is ever open."""
        return ()

    def _message(self, message: Line) -> Iterator[Record]:
        role, content = ROLES.get(str(message.get("type"))), message.get("content")
        if role is None:
            return
        at = self._clock.moment(message.get("timestamp"))
        for part in [content] if isinstance(content, str) else content if isinstance(content, list) else []:
            words = part.get("text") if isinstance(part, dict) else part
            if isinstance(words, str) and words:
                speaker = "system" if role == "user" and words.startswith(SET_UP) else role
                if self._is_new(id_ := digest(self._session, speaker, words)):
                    yield Message(
                        message_id=id_, said_at=at, role=speaker, dialect=NAME, text=words, text_state=State.CAPTURED,
                        session_id=self._session or None, session_source=SessionSource.SESSION, agent=AGENT,
                    )
        for call in dicts(message.get("toolCalls")):
            if str(call.get("status")) in STATES and self._is_new(digest(NAME, self._session, word(call.get("id")))):
                yield self._call(call, at)

    def _is_new(self, id_: str) -> bool:
        if id_ in self._told:
            return False
        self._told[id_] = None
        if len(self._told) > OPEN_CALLS:
            self._told.popitem(last=False)
        return True

    def _call(self, call: Line, at: datetime) -> Call:
        server, tool = server_and_tool(word(call.get("name")) or UNNAMED, shown=call.get("displayName"))
        arguments, arguments_state = payload(call.get("args"))
        answer: Any = answer_of(call.get("result"))
        result, result_state = payload(answer)
        outcome, id_ = STATES[str(call["status"])], word(call.get("id"))
        return Call(
            observation_id=digest(NAME, self._session, id_, arguments), called_at=self._clock.moment(call.get("timestamp")), tool=tool,
            observed_by=Observer.AGENT, dialect=NAME, tool_call_id=id_, session_id=self._session or digest(NAME, id_, at.isoformat()),
            session_source=SessionSource.SESSION, agent=AGENT, server=server or AGENT, arguments=arguments, arguments_state=arguments_state,
            result=result, result_state=result_state, outcome=outcome, error_message=result if outcome == Outcome.ERROR else None,
        )


FORMAT = LogFormat(
    rank=13, recognises=recognises, reader=Reader,
    carries="tool, MCP server, call id, arguments, results, outcome, prompts, answers, session, times",
    never_carries="the user; decisions; tool definitions; durations",
)
