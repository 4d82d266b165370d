"""mcp-server-logger: text lines `<time> [STDIN] {json}` and `<time> [STDOUT] {json}` around a server."""

from collections.abc import Iterable, Iterator

from ingest.dialects.contract import digest, moment_of
from ingest.json_traces.contract import Clock, Line, LogFormat
from ingest.json_traces.leading_json import leading_json
from ingest.json_traces.mcp_messages import Connections, Seen
from store.records import Observer, Record, SessionSource

NAME = "mcp_server_logger"
STREAMS = {"[STDIN] ": True, "[STDOUT] ": False, "[STDERR] ": None}


def parse(line: str) -> Line | None:
    """The time, the stream and the message."""
    time, _, told = line.partition(" [")
    time = time.strip("[]")
    for stream, from_client in STREAMS.items():
        if f"[{told}".startswith(stream) and moment_of(time) is not None:
            message = None if from_client is None else leading_json(f"[{told}"[len(stream):])
            return {"mcp_server_logger": True, "timestamp": time, "from_client": from_client, "message": message}
    return None


class Reader:
    """Pairs by id; each `initialize` begins a connection."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._connections, self._connection = clock, Connections(NAME, Observer.GATEWAY), ""

    def read(self, line: Line) -> Iterator[Record]:
        """What the line's message completes."""
        at, message = self._clock.moment(line.get("timestamp")), line.get("message")
        if not self._connection or (isinstance(message, dict) and message.get("method") == "initialize"):
            self._connection = digest(NAME, at.isoformat())
        yield from self._connections.read(message, Seen(
            at=at, timed=True, connection=self._connection, identity=at.isoformat(), session_source=SessionSource.TRACE,
            from_client=line.get("from_client") is True, transport="stdio",
        ))

    def finish(self) -> Iterable[Record]:
        """What never got its pair."""
        return self._connections.finish()


FORMAT = LogFormat(
    rank=21, recognises=lambda line: "mcp_server_logger" in line, reader=Reader, parse=parse,
    carries="tool, arguments, results, errors, tool definitions, server, connections, times",
    never_carries="prompts; the user",
)
