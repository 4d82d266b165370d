"""MCP as it passes: JSON-RPC messages, bare or in the envelope of a proxy, such as mcp-detect.

The message is the line itself, or stands under `raw`, `message`, `msg`, `payload`, `data`, `body`, `frame`, `rpc` or `json`. Around it may
stand `timestamp`, `direction` (`client_to_server`) or `from`, `session_id`, `connection_id`, `server`, `server_command` and a `decision`.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

from ingest.dialects.contract import as_json, digest, parsed
from ingest.json_traces.contract import Clock, Line, LogFormat, decided, told_moment, word
from ingest.json_traces.mcp_messages import Connections, Seen
from store.records import Observer, Record, SessionSource

NAME = "json_rpc"
ENVELOPES = ("raw", "message", "msg", "payload", "data", "body", "frame", "rpc", "json", "packet")
TIMES = ("timestamp", "ts", "time", "logged_at", "captured_at")
DIRECTIONS = ("direction", "dir", "from", "sender")
FROM_CLIENT = ("client", "c2s", "c->s", "stdin", "to_server", "to-server")
FROM_SERVER = ("server", "s2c", "s->c", "stdout", "from_server", "from-server", "to_client", "to-client")
SESSIONS = ("session_id", "sessionId", "mcp_session_id", "mcp-session-id", "Mcp-Session-Id", "session")
CONNECTIONS = ("connection_id", "connectionId", "conn_id", "connection", "conn", "stream_id")
SERVERS, COMMANDS = ("server", "server_name", "serverName", "server_id"), ("server_command", "command")
SESSIONS_KEPT = 10_000
DECISIONS = ("decision", "verdict", "policy_decision")


def recognises(line: Line) -> bool:
    """A message, or an envelope of one."""
    return "jsonrpc" in line or _message(line) is not None


class Reader:
    """Pairs requests with responses. A capture that names no session is one, until the next `initialize` of a server already heard of."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._connections = clock, Connections(NAME, Observer.GATEWAY)
        self._chain = self._session = ""
        self._heard: set[str] = set()
        self._whoms: OrderedDict[str, set[str]] = OrderedDict()

    def read(self, line: Line) -> Iterator[Record]:
        """What the line's message completes."""
        message = line if "jsonrpc" in line else _message(line)
        self._chain = digest(self._chain, as_json(line))
        server, connection, command = (word(*map(line.get, keys)) for keys in (SERVERS, CONNECTIONS, COMMANDS))
        to_whom = connection or server or command or ""
        self._begin(message, to_whom)
        told = next((line[key] for key in TIMES if told_moment(line.get(key))), None)
        session = word(*map(line.get, SESSIONS)) or (connection if not server else None)
        to_whom = self._whom(session or self._session, to_whom)
        yield from self._connections.read(message, Seen(
            at=self._clock.moment(told), timed=told is not None, connection=session or self._session,
            identity=f"{told}:{word(line.get('method'))}" if session and told is not None else self._chain,
            session_source=SessionSource.MCP_SESSION if session else SessionSource.TRACE, from_client=_from_client(line),
            server=server, launch_command=command, transport=word(line.get("transport")),
            channel=f"{session or self._session}\0{to_whom}" if to_whom else None,
            decision=next((found for key in DECISIONS if (found := decided(line.get(key)))), None),
        ))

    def _whom(self, session: str, to_whom: str) -> str:
        """The connection that a line tells; where it tells none, the only one of its session."""
        known = self._whoms.setdefault(session, set())
        if len(self._whoms) > SESSIONS_KEPT:
            self._whoms.popitem(last=False)
        if to_whom:
            known.add(to_whom)
        return to_whom or (next(iter(known)) if len(known) == 1 else "")

    def _begin(self, message: Any, to_whom: str) -> None:
        """A session begins with the first line, and where a server that was heard of begins anew."""
        begins = isinstance(message, dict) and message.get("method") == "initialize"
        if not self._session or (begins and to_whom in self._heard):
            self._session, self._heard = self._chain, set()
        self._heard.add(to_whom)

    def finish(self) -> Iterable[Record]:
        """What never got its pair."""
        return self._connections.finish()


def from_client(direction: Any) -> bool | None:
    """Whether a message goes from client to server; None where its direction is not known."""
    told = direction.lower() if isinstance(direction, str) else ""
    return True if told.startswith(FROM_CLIENT) else False if told.startswith(FROM_SERVER) else None


def _from_client(line: Line) -> bool | None:
    return next((told for key in DIRECTIONS if (told := from_client(line.get(key))) is not None), None)


def _message(line: Line) -> Any:
    for key in ENVELOPES:
        inner = line.get(key)
        if isinstance(inner, str) and inner[:1] in ("{", "["):
            inner = parsed(inner)
        one = inner[0] if isinstance(inner, list) and inner else inner
        if isinstance(one, dict) and "jsonrpc" in one:
            return inner
    return None


FORMAT = LogFormat(
    rank=60, recognises=recognises, reader=Reader,
    carries="tool, arguments, results, errors, tool definitions, the client's and the server's names and versions, connections; "
            "the launch command, the session and times where the proxy tells them",
    never_carries="the prompt; the user; for bare messages the time, and sessions beyond one for each connection",
)
