"""MCP's own messages (JSON-RPC 2.0): requests and responses of one connection and direction paired by id."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ingest.dialects.contract import as_json, digest, payload, rest, text
from ingest.json_traces.contract import OPEN_CALLS, UNNAMED, Line, Pairs, captured, definitions_of, inside, is_text, plain, word
from store.records import Access, Call, Observer, Outcome, Record, SessionSource

FROM_SERVER = frozenset({"sampling/createMessage", "roots/list", "elicitation/create"})
"""Requests that only servers send."""
TO_SERVER_RESULTS = ("roots", "role", "action")
"""Keys of results that only clients send."""
HEX = frozenset("0123456789abcdef")
TRACE_DIGITS, SPAN_DIGITS = 32, 16
ERROR_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Seen:
    """Where and when a message was seen.

    identity: tells this message from all others, the same each time the log is read. timed: the log itself told the moment.
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
        self._others: OrderedDict[str, None] = OrderedDict()
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
        """Calls and connections without an answer."""
        yield from self._calls.left()
        while self._greetings:
            yield self._access(self._greetings.popitem(last=False)[1].seen, Outcome.UNKNOWN)

    def _read(self, message: Line, seen: Seen) -> Iterator[Record]:
        method = message.get("method")
        if isinstance(method, str) and method:
            if message.get("id") is not None:
                yield from self._request(method, message, seen)
        elif "result" in message or "error" in message:
            yield from self._response(message, seen)

    def _request(self, method: str, message: Line, seen: Seen) -> Iterator[Record]:
        from_client = method not in FROM_SERVER if seen.from_client is None else seen.from_client
        key = _key(seen.connection, from_client, message["id"])
        match method:
            case "tools/call":
                yield from self._calls.ask(key, self._call(message, seen), once=False)
            case "initialize":
                peers = self._peer(seen.connection)
                client = inside(message, "params", "clientInfo")
                peers.agent, peers.agent_version = word(inside(client, "name")), word(inside(client, "version"))
                _remember(self._greetings, key, _Greeting(seen))
            case _:
                _remember(self._others, key, None)

    def _response(self, message: Line, seen: Seen) -> Iterator[Record]:
        result, is_of_other = message.get("result"), False
        for asked_by_client in _askers(result, seen):
            key = _key(seen.connection, asked_by_client, message.get("id"))
            if (call := self._calls.asked(key)) is not None:
                took = (seen.at - call.called_at).total_seconds() * 1000 if seen.timed and seen.at >= call.called_at else None
                yield from self._calls.answer(key, duration_ms=took, **_found(message))
                return
            if (greeting := self._greetings.pop(key, None)) is not None:
                yield from self._greeted(message, greeting.seen)
                return
            if key in self._others:
                del self._others[key]
                is_of_other = True
                break
        if isinstance(inside(result, "tools"), list):
            yield from self._definitions(result, seen)
        elif not is_of_other and isinstance(inside(result, "content"), list):  # the answer to a call whose request lies in another file or request
            yield replace(
                self._call({"id": message.get("id")}, seen), observation_id=digest(self._dialect, seen.connection, seen.identity, "answer"),
                observed_by=Observer.CLIENT if self._observed_by != Observer.CLIENT else Observer.GATEWAY, **_found(message),
            )

    def _call(self, message: Line, seen: Seen) -> Call:
        params = message.get("params")
        peers = self._peer(seen.connection)
        arguments, arguments_state = payload(inside(params, "arguments"))
        trace_id, span_id = _trace(inside(params, "_meta", "traceparent"))
        id_ = _shape(message.get("id"))
        return Call(
            observation_id=digest(self._dialect, seen.connection, id_, seen.identity), called_at=seen.at,
            tool=word(inside(params, "name")) or UNNAMED, observed_by=self._observed_by, dialect=self._dialect,
            tool_call_id=digest(seen.connection, id_), session_id=seen.connection,
            session_source=seen.session_source, trace_id=trace_id, parent_span_id=span_id, agent=peers.agent, agent_version=peers.agent_version,
            principal=seen.principal, server=peers.server or seen.server, server_version=peers.server_version, transport=seen.transport,
            arguments=arguments, arguments_state=arguments_state, attributes=rest([("jsonrpc.request.id", text(message.get("id")))]),
        )

    def _greeted(self, message: Line, asked: Seen) -> Iterator[Record]:
        server = inside(message, "result", "serverInfo")
        peers = self._peer(asked.connection)
        peers.server, peers.server_version = word(inside(server, "name")), word(inside(server, "version"))
        failed = message.get("error")
        yield self._access(asked, Outcome.ERROR if failed else Outcome.OK, text(inside(failed, "message")))

    def _access(self, seen: Seen, outcome: Outcome, why: str | None = None) -> Access:
        peers = self._peer(seen.connection)
        return Access(
            access_id=digest(self._dialect, seen.connection, seen.identity), accessed_at=seen.at, outcome=outcome, dialect=self._dialect,
            method="initialize", principal=seen.principal, agent=peers.agent, server=peers.server or seen.server, transport=seen.transport,
            error_message=why, session_id=seen.connection,
        )

    def _definitions(self, result: Any, seen: Seen) -> Iterator[Record]:
        peers = self._peer(seen.connection)
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
    return as_json([connection, from_client, _shape(id_)])


def _askers(result: Any, seen: Seen) -> tuple[bool, ...]:
    """Whether the client asked for this, where the direction is known; else both, the likelier first."""
    if seen.from_client is not None:
        return (not seen.from_client,)
    return (False, True) if isinstance(result, dict) and any(key in result for key in TO_SERVER_RESULTS) else (True, False)


def _found(message: Line) -> dict[str, Any]:
    """What a response says of its call."""
    error = message.get("error")
    if error is not None:
        return {
            "outcome": Outcome.ERROR, "error_type": text(inside(error, "code")),
            "error_message": (text(inside(error, "message")) or text(error) or "")[:ERROR_CHARACTERS] or None,
        }
    result = message.get("result")
    content = inside(result, "content")
    only_text = isinstance(content, list) and content and all(map(is_text, content)) and inside(result, "structuredContent") is None
    shown, state = captured(content if only_text else result)
    failed = inside(result, "isError") is True
    waits = inside(result, "resultType") not in (None, "complete")
    return {
        "result": shown, "result_state": state, "outcome": Outcome.UNKNOWN if waits else Outcome.ERROR if failed else Outcome.OK,
        "error_message": (plain(content) or "")[:ERROR_CHARACTERS] or None if failed else None,
    }


def _trace(parent: Any) -> tuple[str | None, str | None]:
    """Trace and span of a W3C traceparent."""
    parts = parent.split("-") if isinstance(parent, str) else []
    if len(parts) >= 4 and len(parts[1]) == TRACE_DIGITS and len(parts[2]) == SPAN_DIGITS and set(parts[1] + parts[2]) <= HEX:
        return (parts[1], parts[2]) if set(parts[1]) != {"0"} and set(parts[2]) != {"0"} else (None, None)
    return None, None
