"""Claude Desktop: text lines of `mcp-server-<name>.log` and `mcp.log`, with the messages to and from each server."""

from collections.abc import Iterable, Iterator

from ingest.dialects.contract import digest, moment_of
from ingest.json_traces.contract import Clock, Line, LogFormat, word
from ingest.json_traces.leading_json import leading_json
from ingest.json_traces.mcp_messages import Connections, Seen
from store.records import Observer, Record, SessionSource

NAME = "claude_desktop_log"
LEVELS = ("[info]", "[error]", "[warn]", "[debug]")
CLIENT, SERVER = "Message from client: ", "Message from server: "


def parse(line: str) -> Line | None:
    """`<time> [<server>] [info] Message from client: {json} { metadata: undefined }`; older lines name no server."""
    time, _, told = line.partition(" ")
    if not told.startswith("[") or moment_of(time) is None:
        return None
    server, told = (None, told) if told.startswith(LEVELS) else (told[1:].partition("] ")[0], told.partition("] ")[2])
    if not told.startswith(LEVELS):
        return None
    said = told.partition("] ")[2]
    made = {"claude_desktop": True, "timestamp": time, "server": server}
    for start in (CLIENT, SERVER):
        if said.startswith(start):
            return made | {"from_client": start == CLIENT, "message": leading_json(said[len(start):])}
    return made


class Reader:
    """Pairs by id for each server."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._connections = clock, Connections(NAME, Observer.CLIENT)
        self._started: dict[str, str] = {}

    def read(self, line: Line) -> Iterator[Record]:
        """What the line's message completes; other lines only tell the time."""
        at = self._clock.moment(line.get("timestamp"))
        message, server = line.get("message"), word(line.get("server"))
        if not isinstance(message, dict):
            return
        key = server or ""
        if key not in self._started or message.get("method") == "initialize":
            self._started = {**self._started, key: digest(NAME, server, at.isoformat())} if len(self._started) < 1000 else {}
        yield from self._connections.read(message, Seen(
            at=at, timed=True, connection=self._started.get(key) or digest(NAME, server), identity=at.isoformat(),
            session_source=SessionSource.TRACE, from_client=line.get("from_client") is True, server=server, transport="stdio",
        ))

    def finish(self) -> Iterable[Record]:
        """What never got its pair."""
        return self._connections.finish()


FORMAT = LogFormat(
    rank=20, recognises=lambda line: "claude_desktop" in line, reader=Reader, parse=parse,
    carries="tool, arguments, results, errors, tool definitions, server, connections, times",
    never_carries="prompts; the user; what was cut: long messages may break off and are then not read",
)
