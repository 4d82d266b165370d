"""What servers say of their tools when clients connect in the morning, and how that changes within a fortnight of releases."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from benchmarks.workplaces.compose import CONFIRMING
from benchmarks.workplaces.place import Place


@dataclass(frozen=True)
class Release:
    """From a day on, a server has another version, and what comes with it."""

    day: int
    server: str
    version: str
    tool: str = ""
    """A tool that it did not have."""
    parameter: tuple[str, str] = ("", "")
    """A parameter that one of its tools did not take: tool, name."""
    reworded: bool = False
    moved: bool = False
    """To another host, where it is the same server."""


RELEASES = (
    Release(1, "ehr", "2.4.0"),
    Release(2, "tracker", "2.4.0", tool="link_issues"),
    Release(4, "finance", "2.3.2", parameter=("invoice_settle", "reference")),
    Release(7, "billing", "2.3.1", moved=True),
    Release(8, "itsm", "3.0.0", reworded=True),
    Release(9, "halls", "2.4.0", tool="hall_opening_hours", reworded=True),
)
FIRST_VERSION = "2.3.1"


def released(server: str, number: int) -> list[Release]:
    """What was released of a server up to a day."""
    return [one for one in RELEASES if one.server == server and one.day <= number]


def definitions(place: Place, agents: tuple[str, ...], number: int, moment: datetime) -> Iterator[dict[str, Any]]:
    """What each server tells each agent: who it is, and which tools it has."""
    tools: dict[str, set[str]] = {}
    read = ((one.server, name) for one in place.sources for name in (one.tool, one.lists) if name)
    done = ((one.server, one.tool) for one in (*place.duties, place.reply))
    for server, tool in chain(read, done, ((one.server, one.tool) for one in place.goals)):
        tools.setdefault(server, {*CONFIRMING, f"list_{server}"}).add(tool)
    for agent in agents:
        for server, names in sorted(tools.items()):
            yield from _told(place, agent, server, names, number, moment)


def _told(place: Place, agent: str, server: str, names: set[str], number: int, moment: datetime) -> Iterator[dict[str, Any]]:
    since = released(server, number)
    listed = [_tool(name, since) for name in sorted(names | {one.tool for one in since if one.tool})]
    host = f"{server}-2" if any(one.moved for one in since) else server
    line = {
        "session_id": f"{place.name}-{agent}-{server}-{moment:%m%d}", "server": server,
        "server_command": f"npx mcp-remote https://{host}.{place.domain}/mcp",
    }
    server_info = {"name": server, "version": since[-1].version if since else FIRST_VERSION}
    said: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
        ("initialize", {"clientInfo": {"name": agent, "version": "1"}}, {"serverInfo": server_info, "capabilities": {}}),
        ("tools/list", {}, {"tools": listed}),
    )
    for n, (method, asked, answer) in enumerate(said, 1):
        at = (moment + timedelta(seconds=n)).isoformat()
        yield {**line, "timestamp": at, "direction": "client_to_server", "raw": {"jsonrpc": "2.0", "id": n, "method": method, "params": asked}}
        yield {**line, "timestamp": at, "direction": "server_to_client", "raw": {"jsonrpc": "2.0", "id": n, "result": answer}}


def _tool(name: str, since: list[Release]) -> dict[str, Any]:
    words = " ".join(name.replace("_", " ").split())
    reworded = any(one.reworded for one in since)
    said = f"Lets you {words}. Answers with the result or an error." if reworded else f"Use it to {words}. Returns the result."
    more = {one.parameter[1]: {"type": "string"} for one in since if one.parameter[0] == name}
    return {"name": name, "description": said, "inputSchema": {"type": "object", **({"properties": more} if more else {})}}
