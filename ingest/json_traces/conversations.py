"""Conversations out of message lists, which tell no times and seldom a session.

Ids follow from all that was said before, so a list that is told again with one message more gives the same calls.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ingest.dialects.contract import as_json, digest, payload, text
from ingest.json_traces.contract import OPEN_CALLS, UNNAMED, Clock, Line, Pairs, captured, definitions_of, outcome_of, split_name, word
from ingest.json_traces.turns import APPROVAL, Answered, Asked, Listed, Said, Turn
from store.records import Call, Message, Observer, Record, SessionSource, State, ToolDefinition

EARLY_RECORDS = 100
"""So many records before the first call wait for it; it tells conversations apart that begin alike."""


class Conversation:
    """One conversation, message by message.

    Without a session of its own it is named after all up to its first call; one without calls, after its first words.
    """

    def __init__(
        self, dialect: str, clock: Clock, pairs: Pairs, session: str | None = None, agent: str | None = None, principal: str | None = None
    ) -> None:
        self._dialect, self._clock, self._pairs = dialect, clock, pairs
        self._session, self._agent, self._principal = session, agent, principal
        self._source = SessionSource.SESSION if session else SessionSource.TRACE
        self._chain, self._opening = digest(dialect, session), ""
        self._early: list[Message | ToolDefinition] = []
        self._keys: OrderedDict[str, str] = OrderedDict()
        self._approvals: OrderedDict[str, Call] = OrderedDict()

    def read(self, message: Line, turns: Iterable[Turn], at: Any = None) -> Iterator[Record]:
        """What a message completes. at: its time, where it tells one."""
        self._chain = digest(self._chain, as_json(message))
        for n, turn in enumerate(turns):
            match turn:
                case Said():
                    self._opening = self._opening or (self._chain if turn.role == "user" else "")
                    yield from self._hold(Message(
                        message_id=digest(self._chain, str(n)), said_at=self._clock.moment(at), role=turn.role, dialect=self._dialect, text=turn.text,
                        text_state=State.CAPTURED, agent=self._agent,
                    ))
                case Listed():
                    for one in definitions_of(turn.tools, self._clock.moment(at), self._dialect, turn.server, agent=self._agent):
                        yield from self._hold(one)
                case Asked():
                    self._opening = self._chain if not self._session else self._opening
                    yield from self.settle()
                    yield from self._asked(turn, n, at)
                case Answered():
                    yield from self._answered(turn)

    def settle(self) -> Iterator[Record]:
        """What waited for the session's name."""
        self._session = self._session or self._opening or self._chain
        held, self._early = self._early, []
        yield from (self._named(one) for one in held)

    def _hold(self, record: Message | ToolDefinition) -> Iterator[Record]:
        if self._session:
            yield self._named(record)
            return
        self._early.append(record)
        if len(self._early) >= EARLY_RECORDS:
            yield from self.settle()

    def _named(self, record: Message | ToolDefinition) -> Record:
        if isinstance(record, ToolDefinition):
            return replace(record, session_id=self._session)
        id_ = digest(self._session, record.role, record.text)
        return replace(record, message_id=id_, session_id=self._session, session_source=self._source)

    def _asked(self, turn: Asked, n: int, at: Any) -> Iterator[Call]:
        key = digest(self._chain, turn.id, str(n))
        if turn.id:
            self._keys[turn.id] = key
            if len(self._keys) > OPEN_CALLS:
                self._keys.popitem(last=False)
        named, tool = split_name(turn.name or UNNAMED)
        arguments, arguments_state = payload(turn.arguments)
        call = Call(
            observation_id=key, called_at=self._clock.moment(at), tool=tool, observed_by=Observer.AGENT, dialect=self._dialect,
            tool_call_id=turn.id, session_id=self._session, session_source=self._source, agent=self._agent, principal=self._principal,
            server=turn.server or named, arguments=arguments, arguments_state=arguments_state,
        )
        if turn.id and turn.id.startswith(APPROVAL):  # a call of its own only where it is refused
            self._approvals[turn.id] = call
            if len(self._approvals) > OPEN_CALLS:
                self._approvals.popitem(last=False)
        else:
            yield from self._pairs.ask(key, call)

    def _answered(self, turn: Answered) -> Iterator[Call]:
        result, state = captured(turn.content)
        decision = "reject" if turn.refused else None
        found = {
            "result": result, "result_state": state, "decision": decision, "decided_by": "user" if turn.refused else None,
            "outcome": outcome_of(decision, turn.failed if turn.failed is not None else False), "error_message": word(text(turn.error)),
        }
        key = self._keys.get(turn.id or "", "")
        if turn.refused and (call := self._approvals.pop(turn.id or "", None)) is not None:
            yield from self._pairs.ask(key, call)
        yield from self._pairs.answer(key, **found)
