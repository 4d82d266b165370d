"""MCP's own messages (JSON-RPC 2.0): requests and responses of one connection and direction paired by id."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import re2

from ingest.dialects.contract import digest, payload, rest, text
from ingest.json_traces.contract import OPEN_CALLS, UNNAMED, Line, Pairs, captured, definitions_of, inside, is_text, plain, word
from store.records import Access, Call, Observer, Outcome, Record, SessionSource

FROM_SERVER = frozenset({"sampling/createMessage", "roots/list", "elicitation/create"})
"""Requests that only servers send."""
TO_SERVER_RESULTS = ("roots", "role", "action")
"""Keys of results that only clients send."""
HEX = frozenset("0123456789abcdef")
TRACE_DIGITS, SPAN_DIGITS = 32, 16
ERROR_CHARACTERS = 2_000
LISTS, CANCELS = "tools/list", "notifications/cancelled"
EARLY = timedelta(minutes=1)
"""So long before its request a response may have been written down: both directions are often captured by two tasks."""
_BY_WHOM = r"(?:user|human|operator|policy|polic(?:y|ies) \w+|gateway|proxy|guard\w*|firewall|administrator|approver)"
_REFUSED = re2.compile(
    r"(?i)\b(?:denied|rejected|declined|refused|blocked|disallowed|not (?:approved|allowed|permitted))\b"
    rf"[^.\n]{{0,20}}\bby (?:the |a |an )?(?:\w+ )?{_BY_WHOM}\b"
    rf"|\b{_BY_WHOM}\b[^.\n]{{0,12}}\b(?:denied|rejected|declined|refused|blocked)\b")
"""Errors that say that somebody did not let the call happen."""
_STOPPED = re2.compile(r"(?i)\b(?:user|human|operator|stop(?:ped)?|abort(?:ed)?|interrupt(?:ed)?|rejected|denied|declined)\b")


@dataclass(frozen=True, slots=True)
class Seen:
    """Where and when a message was seen.

    identity: tells this message from all others, the same each time the log is read. timed: the log itself told the moment.
    connection: the session. channel: within it the connection to one server, where that is told: ids are unique only there.
    decision: what a proxy that stands between said to a request, where it said anything.
    """

    at: datetime
    timed: bool
    connection: str
    identity: str
    session_source: int = SessionSource.MCP_SESSION
    from_client: bool | None = None
    server: str | None = None
    launch_command: str | None = None
    transport: str | None = None
    principal: str | None = None
    channel: str | None = None
    decision: str | None = None

    @property
    def ids(self) -> str:
        """Within what an id is one message's."""
        return self.channel or self.connection


@dataclass(slots=True)
class _Peers:
    agent: str | None = None
    agent_version: str | None = None
    server: str | None = None
    server_version: str | None = None


@dataclass(frozen=True, slots=True)
class _Greeting:
    seen: Seen


class Connections:
    """The messages of any number of connections, in the order in which they passed."""

    def __init__(self, dialect: str, observed_by: Observer) -> None:
        self._dialect, self._observed_by = dialect, observed_by
        self._calls = Pairs()
        self._greetings: OrderedDict[str, _Greeting] = OrderedDict()
        self._others: OrderedDict[str, str] = OrderedDict()
        self._answered: OrderedDict[str, None] = OrderedDict()
        self._early: OrderedDict[str, tuple[Line, Seen]] = OrderedDict()
        self._peers: OrderedDict[str, _Peers] = OrderedDict()

    def read(self, message: Any, seen: Seen) -> Iterator[Record]:
        """What a message, or a batch of them, completes."""
        if isinstance(message, list):
            for n, one in enumerate(message):
                if isinstance(one, dict):
                    yield from self._read(one, replace(seen, identity=f"{seen.identity}/{n}"))
        elif isinstance(message, dict):
            yield from self._read(message, seen)

    def finish(self) -> Iterator[Record]:
        """Calls and connections without an answer, and answers without a call."""
        yield from self._calls.left()
        while self._early:
            message, seen = self._early.popitem(last=False)[1]
            if message.get("error") is None:  # which may be that of any method
                yield self._orphan(message, seen)
        while self._greetings:
            yield self._access(self._greetings.popitem(last=False)[1].seen, Outcome.UNKNOWN)

    def _read(self, message: Line, seen: Seen) -> Iterator[Record]:
        method = message.get("method")
        if isinstance(method, str) and method:
            if message.get("id") is not None:
                yield from self._request(method, message, seen)
            elif method == CANCELS:
                yield from self._cancelled(message, seen)
        elif "result" in message or "error" in message:
            yield from self._response(message, seen)

    def _request(self, method: str, message: Line, seen: Seen) -> Iterator[Record]:
        from_client = method not in FROM_SERVER if seen.from_client is None else seen.from_client
        key = _key(seen.ids, from_client, message["id"])
        self._answered.pop(key, None)
        match method:
            case "tools/call":
                yield from self._ask(key, self._call(message, seen))
            case "initialize":
                peers = self._peer(seen.ids)
                client = inside(message, "params", "clientInfo")
                peers.agent, peers.agent_version = word(inside(client, "name")), word(inside(client, "version"))
                _remember(self._greetings, key, _Greeting(seen))
            case _:
                _remember(self._others, key, method)

    def _ask(self, key: str, call: Call) -> Iterator[Record]:
        """A call begins, unless it is one that waits already and was sent once more; its answer may stand before it."""
        waiting = self._calls.asked(key)
        if waiting is not None and (waiting.tool, waiting.arguments) == (call.tool, call.arguments):
            return
        yield from self._calls.ask(key, call, once=False)
        message, seen = self._early.pop(key, (None, None))
        if message is not None and seen is not None:
            if call.called_at - seen.at <= EARLY:
                yield from self._answer(key, message, None)
            elif message.get("error") is None:
                yield self._orphan(message, seen)

    def _cancelled(self, message: Line, seen: Seen) -> Iterator[Record]:
        """A call that somebody stopped. One that only took too long may have been carried out all the same, and waits on."""
        why = text(inside(message, "params", "reason")) or ""
        key = _key(seen.ids, seen.from_client is not False, inside(message, "params", "requestId"))
        if self._calls.asked(key) is not None and _STOPPED.search(why[:ERROR_CHARACTERS].encode("utf-8", "replace").decode()):
            _remember(self._answered, key, None)
            yield from self._calls.answer(key, outcome=Outcome.DENIED, error_message=why[:ERROR_CHARACTERS])

    def _answer(self, key: str, message: Line, took: float | None) -> Iterator[Record]:
        _remember(self._answered, key, None)
        call = self._calls.asked(key)
        found = _found(message)
        if call is not None and call.outcome == Outcome.DENIED:  # what the proxy answered in the server's place
            found["outcome"] = Outcome.DENIED
        yield from self._calls.answer(key, duration_ms=took, **found)

    def _response(self, message: Line, seen: Seen) -> Iterator[Record]:
        result, method = message.get("result"), LISTS
        keys = [_key(seen.ids, asked_by_client, message.get("id")) for asked_by_client in _askers(result, seen)]
        for key in keys:
            if (call := self._calls.asked(key)) is not None:
                took = (seen.at - call.called_at).total_seconds() * 1000 if seen.timed and seen.at >= call.called_at else None
                yield from self._answer(key, message, took)
                return
            if (greeting := self._greetings.pop(key, None)) is not None:
                yield from self._greeted(message, greeting.seen)
                return
            if key in self._others:
                method = self._others.pop(key)
                _remember(self._answered, key, None)
                break
        else:
            if any(key in self._answered for key in keys):
                return  # the same answer once more
            is_answer = isinstance(inside(result, "content"), list) and not any(inside(result, one) for one in TO_SERVER_RESULTS)
            if is_answer or (message.get("error") is not None and seen.from_client is False):
                yield from self._wait(keys[0], message, seen, is_answer)
        if method == LISTS and isinstance(inside(result, "tools"), list):
            yield from self._definitions(result, seen)

    def _wait(self, key: str, message: Line, seen: Seen, is_answer: bool) -> Iterator[Record]:
        """A response whose request has not been seen: it may follow, or lie in another file or request. Errors alone tell nothing of a call."""
        former = self._early.pop(key, None)
        if former is not None and isinstance(inside(former[0], "result", "content"), list):
            yield self._orphan(*former)
        if is_answer or former is None:
            _remember(self._early, key, (message, seen))

    def _orphan(self, message: Line, seen: Seen) -> Call:
        """The answer to a call whose request lies in another file or request."""
        return replace(
            self._call({"id": message.get("id")}, seen), observation_id=digest(self._dialect, seen.connection, seen.identity, "answer"),
            observed_by=Observer.CLIENT if self._observed_by != Observer.CLIENT else Observer.GATEWAY, **_found(message),
        )

    def _call(self, message: Line, seen: Seen) -> Call:
        params = message.get("params")
        peers = self._peer(seen.ids)
        arguments, arguments_state = payload(inside(params, "arguments"))
        trace_id, span_id = _trace(inside(params, "_meta", "traceparent"))
        id_ = _shape(message.get("id"))
        return Call(
            observation_id=digest(self._dialect, seen.ids, id_, seen.identity), called_at=seen.at,
            tool=word(inside(params, "name")) or UNNAMED, observed_by=self._observed_by, dialect=self._dialect,
            tool_call_id=digest(seen.ids, id_), session_id=seen.connection,
            session_source=seen.session_source, trace_id=trace_id, parent_span_id=span_id, agent=peers.agent, agent_version=peers.agent_version,
            principal=seen.principal, server=peers.server or seen.server, server_version=peers.server_version, transport=seen.transport,
            arguments=arguments, arguments_state=arguments_state, decision=seen.decision,
            outcome=Outcome.DENIED if seen.decision == "reject" else Outcome.UNKNOWN,
            attributes=rest([("jsonrpc.request.id", text(message.get("id")))]),
        )

    def _greeted(self, message: Line, asked: Seen) -> Iterator[Record]:
        server = inside(message, "result", "serverInfo")
        peers = self._peer(asked.ids)
        peers.server, peers.server_version = word(inside(server, "name")), word(inside(server, "version"))
        failed = message.get("error")
        yield self._access(asked, Outcome.ERROR if failed else Outcome.OK, text(inside(failed, "message")))

    def _access(self, seen: Seen, outcome: Outcome, why: str | None = None) -> Access:
        peers = self._peer(seen.ids)
        return Access(
            access_id=digest(self._dialect, seen.ids, seen.identity), accessed_at=seen.at, outcome=outcome, dialect=self._dialect,
            method="initialize", principal=seen.principal, agent=peers.agent, server=peers.server or seen.server, transport=seen.transport,
            error_message=why, session_id=seen.connection,
        )

    def _definitions(self, result: Any, seen: Seen) -> Iterator[Record]:
        peers = self._peer(seen.ids)
        yield from definitions_of(
            result["tools"], seen.at, self._dialect, peers.server or seen.server, server_version=peers.server_version,
            launch_command=seen.launch_command, agent=peers.agent, session_id=seen.connection,
        )

    def _peer(self, connection: str) -> _Peers:
        if connection not in self._peers:
            _remember(self._peers, connection, _Peers())
        return self._peers[connection]


def _remember(kept: OrderedDict[str, Any], key: str, value: Any) -> None:
    kept[key] = value
    if len(kept) > OPEN_CALLS:
        kept.popitem(last=False)


def _shape(id_: Any) -> str:
    """1 and "1" are two ids."""
    return f"{type(id_).__name__}:{text(id_)}"


def _key(connection: str, from_client: bool, id_: Any) -> str:
    return f"{connection}\0{from_client}\0{_shape(id_)}"


def _askers(result: Any, seen: Seen) -> tuple[bool, ...]:
    """Whether the client asked for this, where the direction is known; else both, the likelier first."""
    if seen.from_client is not None:
        return (not seen.from_client,)
    return (False, True) if isinstance(result, dict) and any(key in result for key in TO_SERVER_RESULTS) else (True, False)


def _found(message: Line) -> dict[str, Any]:
    """What a response says of its call."""
    error = message.get("error")
    if error is not None:
        told = (text(inside(error, "message")) or text(error) or "")[:ERROR_CHARACTERS]
        return {"outcome": _failure(told), "error_type": text(inside(error, "code")), "error_message": told or None}
    result = message.get("result")
    content = inside(result, "content")
    only_text = isinstance(content, list) and content and all(map(is_text, content)) and inside(result, "structuredContent") is None
    shown, state = captured(content if only_text else result)
    failed = inside(result, "isError") is True
    waits = inside(result, "resultType") not in (None, "complete")
    told = (plain(content) or "")[:ERROR_CHARACTERS] if failed else ""
    outcome = Outcome.UNKNOWN if waits else _failure(told) if failed else Outcome.OK
    return {"result": shown, "result_state": state, "outcome": outcome, "error_message": told or None}


def _failure(told: str) -> Outcome:
    """How a call ended that ended in an error: whether it was let happen at all."""
    return Outcome.DENIED if _REFUSED.search(told.encode("utf-8", "replace").decode()) else Outcome.ERROR


def _trace(parent: Any) -> tuple[str | None, str | None]:
    """Trace and span of a W3C traceparent."""
    parts = parent.split("-") if isinstance(parent, str) else []
    if len(parts) >= 4 and len(parts[1]) == TRACE_DIGITS and len(parts[2]) == SPAN_DIGITS and set(parts[1] + parts[2]) <= HEX:
        return (parts[1], parts[2]) if set(parts[1]) != {"0"} and set(parts[2]) != {"0"} else (None, None)
    return None, None
