"""MCP as it passes: JSON-RPC messages, bare or in the envelope of a proxy, such as mcp-detect.

The message is the line itself, or stands under `raw`, `message`, `msg`, `payload` or `data`. Around it may stand `timestamp`,
`direction` (`client_to_server`), `session_id`, `server` and `server_command`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from ingest.dialects.contract import as_json, digest, parsed
from ingest.json_traces.contract import Clock, Line, LogFormat, told_moment, word
from ingest.json_traces.mcp_messages import Connections, Seen
from store.records import Observer, Record, SessionSource

NAME = "json_rpc"
ENVELOPES = ("raw", "message", "msg", "payload", "data")
TIMES = ("timestamp", "ts", "time", "logged_at")
FROM_CLIENT, FROM_SERVER = ("client", "c2s", "c->s", "stdin", "to_server"), ("server", "s2c", "s->c", "stdout", "from_server")


def recognises(line: Line) -> bool:
    """A message, or an envelope of one."""
    return "jsonrpc" in line or _message(line) is not None


class Reader:
    """Pairs requests with responses. A capture that names no session is one connection, until the next `initialize`."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._connections = clock, Connections(NAME, Observer.GATEWAY)
        self._chain = self._connection = ""

    def read(self, line: Line) -> Iterator[Record]:
        """What the line's message completes."""
        message = line if "jsonrpc" in line else _message(line)
        self._chain = digest(self._chain, as_json(line))
        if not self._connection or (isinstance(message, dict) and message.get("method") == "initialize"):
            self._connection = self._chain
        told = next((line[key] for key in TIMES if told_moment(line.get(key))), None)
        session = word(line.get("session_id"), line.get("sessionId"), line.get("mcp_session_id"), line.get("connection_id"))
        yield from self._connections.read(message, Seen(
            at=self._clock.moment(told), timed=told is not None, connection=session or self._connection,
            identity=f"{told}:{word(line.get('method'))}" if session and told is not None else self._chain,
            session_source=SessionSource.MCP_SESSION if session else SessionSource.TRACE, from_client=from_client(line.get("direction")),
            server=word(line.get("server"), line.get("server_name"), line.get("server_id")),
            launch_command=word(line.get("server_command"), line.get("command")), transport=word(line.get("transport")),
        ))

    def finish(self) -> Iterable[Record]:
        """What never got its pair."""
        return self._connections.finish()


def from_client(direction: Any) -> bool | None:
    """Whether a message goes from client to server; None where its direction is not known."""
    told = direction.lower() if isinstance(direction, str) else ""
    return True if told.startswith(FROM_CLIENT) else False if told.startswith(FROM_SERVER) else None


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
