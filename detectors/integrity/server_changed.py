"""A server is no longer where, or what, it was: another host, or another program behind the same name.

What it detects
A server whose address moved to another host, or whose launch command starts another program or gives it other arguments, for an agent that
had known it for at least a day; judged against the server's own past with that agent. New versions at the same place, in the same command
or in the server's own account of itself are kept for ranking, downgrades a little above upgrades.

Why it matters
Approval is given to a name. Whoever changes what stands behind it (a swapped entry in the client's configuration, a taken-over domain)
inherits that approval without being asked again.

False positives
A real move to another host or package: the alert comes once for each. Private and loopback addresses, and names that several
configurations use at the same time, only rank.

Blind spots
Certificates, package hashes and publishers: no source tells them. A change that leaves address, command and version as they were.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import re2

from detectors.contract import Detector, Found, Scope, Slice, quoted
from detectors.scenarios import START, call, definition
from store.records import Call, Grade, Severity, ToolDefinition

LEARN = """
SELECT lesson, subject, json_array(server, coalesce(agent, ''), server_version, server_address)::VARCHAR AS key, count(*) AS n, min(called_at) AS first_at,
       max(called_at) AS last_at
FROM calls WHERE server IS NOT NULL AND (server_version IS NOT NULL OR server_address IS NOT NULL) GROUP BY ALL
"""

_STANDINGS = """
WITH told AS (
    SELECT server, coalesce(agent, '') AS agent, server_version AS version, server_address AS address, launch_command AS command,
           first_seen_at AS first_at, last_seen_at AS last_at
    FROM tool_definitions WHERE server IS NOT NULL
    UNION ALL
    SELECT key ->> '$[0]', key ->> '$[1]', key ->> '$[2]', key ->> '$[3]', NULL, first_at, last_at FROM normal WHERE detector = 'server_changed'
), sides AS (
    UNPIVOT (SELECT server, agent, version, address, command, first_at, last_at FROM told) ON version, address, command INTO NAME side VALUE value
)
SELECT server, agent, side, value, min(first_at) AS first_at, max(last_at) AS last_at FROM sides
GROUP BY ALL ORDER BY server, agent, side, first_at, value
"""
KNOWN_FOR = timedelta(days=1)
"""A server that is set up changes now and then on its first day."""
_MOVED, _OTHER_PROGRAM, _DOWNGRADE, _SLIGHT = 0.7, 0.7, 0.2, 0.1
_VERSION = re2.compile(r"(?:@|==|:)?\bv?\d+(?:\.\d+)+[\w.+-]*|@latest\b|:latest\b")
_PRIVATE = re2.compile(r"(?i)^(?:localhost|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|::1|fd|fe80)|\.(?:local|internal|svc|localhost)$|^[^.:]+$")


def find(seen: Slice) -> Iterator[Found]:
    """Each change of address, command or version of a server with an agent."""
    for (server, agent, side), rows in groupby(seen.rows(_STANDINGS), key=lambda r: (r["server"], r["agent"], r["side"])):
        known: list[dict[str, Any]] = []
        for row in rows:
            if known and row["first_at"] > known[-1]["first_at"]:
                judged = _judged(side, known, row)
                if judged:
                    yield _found(server, agent, side, known, row, *judged)
            known.append(row)


def _judged(side: str, known: list[dict[str, Any]], row: dict[str, Any]) -> tuple[str, float] | None:
    """What the change is, and how much it weighs; None where an older standing comes back."""
    before, now, settled = known[-1]["value"], row["value"], _settled(known, row["first_at"])
    if side == "version":
        down = _parts(now) < _parts(before)
        return ("went back to an older version" if down else "has a new version"), (_DOWNGRADE if down else _SLIGHT)
    if side == "address":
        if _host(now) in {_host(k["value"]) for k in known}:
            return None
        private = _PRIVATE.search(_host(now)) and _PRIVATE.search(_host(before))
        return "moved to another host", _MOVED if settled and not private else _SLIGHT
    if _VERSION.sub("", now) in {_VERSION.sub("", k["value"]) for k in known}:
        return "is launched in another version", _SLIGHT
    return "is launched by another command", _OTHER_PROGRAM if settled else _SLIGHT


def _settled(known: list[dict[str, Any]], moment: datetime) -> bool:
    """Whether the former standings had held for a while and are not used beside the new one."""
    return moment - known[0]["first_at"] >= KNOWN_FOR and all(k["last_at"] < moment for k in known)


def _parts(version: str) -> list[int]:
    return [int(part) for part in "".join(c if c.isdecimal() else " " for c in version[:100]).split()]


def _host(address: str) -> str:
    bare = address.partition("://")[2] or address
    return bare.partition("/")[0].rpartition("@")[2].rsplit(":", 1)[0].lower() if "[" not in bare else bare.partition("]")[0].strip("[")


def _found(server: str, agent: str, side: str, known: list[dict[str, Any]], row: dict[str, Any], what: str, weight: float) -> Found:
    return Found(
        scope_key=server, subject=f"{agent}\0{side}\0{row['value']}", call_ids=[], grade=Grade.CONTENT if weight > 0.5 else Grade.ORDER, score=weight,
        sentence=f"{quoted(server)}, known to {quoted(agent) if agent else 'its agents'} since {known[0]['first_at']:%Y-%m-%d}, {what} on "
                 f"{row['first_at']:%Y-%m-%d}: {quoted(row['value'])} after {quoted(known[-1]['value'])}.",
        evidence={"alerting": weight > 0.5, "what": side, "actual": quoted(row["value"], 400), "typical": quoted(known[-1]["value"], 400),
                  "baseline_size": len(known)},
        about={"servers": [server], "agents": [agent] if agent else [], "first_at": row["first_at"], "last_at": row["last_at"]},
    )


_LATER = START + timedelta(days=7)


def _launched(command: str, later: bool = False) -> ToolDefinition:
    return definition(launch_command=command, sighted_at=_LATER if later else START)


def _reached(address: str, later: bool = False, **more: Any) -> Call:
    return call(server_address=address, called_at=_LATER if later else START, **more)


DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP04", "owasp-mcp:2025:MCP09", "owasp-asi:2026:ASI04", "owasp-llm:2026:LLM04", "atlas:AML.T0109", "atlas:AML.T0010.005",
                "attack:T1195.002"),
    scope=Scope.SERVER,
    learn=LEARN,
    learn_at_once=True,
    find=find,
    fires_on={
        "the approved entry starts another program": [_launched("npx weather-server@1.2.0"), _launched("sh -c /opt/update.sh", later=True)],
        "the server is reached at another host": [_reached("https://weather.example.com/mcp"), _reached("https://weather.evil.example/mcp", later=True)],
    },
    quiet_on={
        "another version in the same command": [_launched("npx weather-server@1.2.0"), _launched("npx weather-server@1.3.0", later=True)],
        "another port of the same host": [_reached("https://weather.example.com/mcp"), _reached("https://weather.example.com:8443/v2/mcp", later=True)],
        "containers get new addresses": [_reached("10.0.3.7:8080"), _reached("10.0.9.2:8080", later=True)],
        "two configurations side by side": [_launched("uvx weather --home /home/pat"), _launched("uvx weather --home /home/kim", later=True),
                                            definition("get_forecast", "The forecast.", launch_command="uvx weather --home /home/pat",
                                                       sighted_at=_LATER + timedelta(days=1))],
        "set up and corrected on the first day": [_launched("npx wether-server"), definition(launch_command="npx weather-server@1.2.0",
                                                                                           sighted_at=START + timedelta(hours=1))],
        "a new version": [definition(), definition(server_version="1.1.0", sighted_at=_LATER)],
    },
)
