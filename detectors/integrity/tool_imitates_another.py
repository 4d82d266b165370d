"""A tool passes for another one: the same name from a second server, a name that looks the same, or the other's words under a new name.

What it detects
A server that begins to offer, to the same agent, a tool of the name and with the words of one that another server offered and the agent
used; and a tool whose name only looks like another's (letters of another script, digits for letters). The same name with words of its own,
and the same words under another name, only rank.

Why it matters
Two tools that read alike are one to the model: the call, with its arguments, goes to whichever it picks (tool shadowing).

False positives
A server that was renamed: the same definitions from the same command or address stay quiet. A fork beside its original is told once.

Blind spots
Sources that never show definitions, or do not name servers. A shadow that was there first, and one that describes itself in other words.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from detectors.contract import Detector, Found, Scope, Slice, quoted
from detectors.names import LOOKS_ALIKE, alike, fillers
from detectors.scenarios import START, call, definition
from store.records import Grade, Record, Severity

LEARN = """
SELECT lesson, subject, json_array(server, agent, tool)::VARCHAR AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at
FROM calls WHERE server IS NOT NULL AND outcome <> 'denied' GROUP BY ALL
"""

_OFFERED = """
    SELECT d.server, d.tool, d.definition_hash, any_value(d.description) AS description, min(d.first_seen_at) AS first_at,
           max(d.last_seen_at) AS last_at, list_sort(list(DISTINCT coalesce(d.agent, ''))) AS agents,
           coalesce(any_value(d.launch_command), '') AS command, coalesce(any_value(d.server_address), '') AS address, min(u.first_at) AS used_at
    FROM tool_definitions AS d
    LEFT JOIN normal AS u ON u.detector = 'tool_imitates_another' AND u.key = json_array(d.server, d.agent, d.tool)::VARCHAR
    WHERE d.server IS NOT NULL GROUP BY d.server, d.tool, d.definition_hash ORDER BY ALL
"""
LATER = timedelta(hours=1)
"""Servers that a client lists within an hour of one another were set up together."""
_SHADOW, _LOOKS, _SAME_NAME, _SAME_WORDS = 0.8, 0.9, 0.1, 0.15
_TELLING = 20
"""Shorter descriptions are the same by chance: "Returns the result."."""
_COMPARED = 3
"""A tool is compared with so many others of its name or words, the oldest first."""

Row = dict[str, Any]


def find(seen: Slice) -> Iterator[Found]:
    """Of each definition, the strongest imitation."""
    rows = sorted(seen.rows(_OFFERED), key=lambda r: (r["first_at"], r["server"], r["tool"], r["definition_hash"]))
    best: dict[tuple[str, str, str], Found] = {}
    for later, older, score, what in (*_of_the_same_name(rows), *_that_look_alike(rows), *_in_the_same_words(rows)):
        key = later["server"], later["tool"], later["definition_hash"]
        if key not in best or score > best[key].score:
            best[key] = _found(later, older, score, what)
    yield from (found for _, found in sorted(best.items()))


def _of_the_same_name(rows: list[Row]) -> Iterator[tuple[Row, Row, float, str]]:
    for shelf in _shelves(rows, lambda r: r["tool"]):
        for older in _first_of_each_server(shelf)[:_COMPARED]:
            for row in shelf:
                if row["server"] == older["server"] or row["first_at"] - older["first_at"] < LATER or not set(row["agents"]) & set(older["agents"]):
                    continue
                renamed = row["definition_hash"] == older["definition_hash"] and (row["command"], row["address"]) == (older["command"], older["address"])
                used = older["used_at"] is not None and older["used_at"] < row["first_at"]
                copied = _words(row) == _words(older) and len(_words(row)) >= _TELLING
                yield row, older, _SHADOW if used and copied and not renamed else _SAME_NAME, (
                    f"the same name{' and words' if copied else ''} as that of {quoted(older['server'])}, "
                    f"{'used' if used else 'known'} since {(older['used_at'] if used else older['first_at']):%Y-%m-%d}")


def _that_look_alike(rows: list[Row]) -> Iterator[tuple[Row, Row, float, str]]:
    by_name = {tool: shelf for shelf in _shelves(rows, lambda r: r["tool"]) for tool in [shelf[0]["tool"]]}
    for one in alike(frozenset(by_name), slips=False):
        if one.kind == LOOKS_ALIKE:
            older, later = sorted((by_name[one.one][0], by_name[one.other][0]), key=lambda r: (r["first_at"], not r["tool"].isascii(), r["tool"]))
            for row in by_name[later["tool"]]:
                yield row, older, _LOOKS, f"a name like that of {quoted(older['tool'])} of {quoted(older['server'])}, with {one.what}"


def _in_the_same_words(rows: list[Row]) -> Iterator[tuple[Row, Row, float, str]]:
    for shelf in _shelves([r for r in rows if len(_words(r)) >= _TELLING], _words):
        for older in shelf[:_COMPARED]:
            for row in shelf:
                together = row["first_at"] - older["first_at"] < LATER
                if row["tool"] != older["tool"] and (row["first_at"] >= older["first_at"] if not together else fillers(row["tool"]) >= fillers(older["tool"])):
                    yield row, older, _SAME_WORDS, f"the words of {quoted(older['tool'])} of {quoted(older['server'])}"


def _shelves(rows: list[Row], key: Any) -> list[list[Row]]:
    shelves: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        shelves[key(row)].append(row)
    return list(shelves.values())


def _first_of_each_server(shelf: list[Row]) -> list[Row]:
    return list({row["server"]: row for row in reversed(shelf)}.values())[::-1]


def _words(row: Row) -> str:
    return " ".join((row["description"] or "").lower().split())


def _found(later: Row, older: Row, score: float, what: str) -> Found:
    return Found(
        scope_key=later["server"], subject=f"{later['tool']}\0{later['definition_hash']}", call_ids=[],
        grade=Grade.CONTENT if score >= _SHADOW else Grade.ORDER, score=score,
        sentence=f"{quoted(later['tool'])} of {quoted(later['server'])}, first seen on {later['first_at']:%Y-%m-%d}, has {what}.",
        evidence={"alerting": score >= _SHADOW, "older_server": older["server"], "older_tool": older["tool"], "description": quoted(later["description"], 400),
                  "older_description": quoted(older["description"], 400)},
        about={"servers": sorted({later["server"], older["server"]}), "tools": sorted({later["tool"], older["tool"]}),
               "agents": [a for a in later["agents"] if a], "first_at": later["first_at"], "last_at": later["last_at"]},
    )


_THEN = START + timedelta(days=7)
_WORDS = "Sends a message to one or more recipients."


def _beside(tool: str = "send_message", words: str = _WORDS, used: bool = True, **more: Any) -> list[Record]:
    """A chat server's tool, used for a week, and then another server's."""
    older: list[Record] = [definition("send_message", _WORDS, server="chat", launch_command="npx chat@1")]
    fields: dict[str, Any] = {"server": "helper", "sighted_at": _THEN, "launch_command": "npx helper@1", **more}
    return [*older, *([call("send_message", {"to": "pat"}, "sent", server="chat")] if used else []), definition(tool, words, **fields)]


DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP03", "owasp-mcp:2025:MCP09", "owasp-asi:2026:ASI04", "owasp-asi:2026:ASI07", "owasp-llm:2026:LLM04", "atlas:AML.T0110",
                "safe-mcp:SAFE-T1008", "safe-mcp:SAFE-T1301", "attack:T1036"),
    scope=Scope.SERVER,
    learn=LEARN,
    learn_at_once=True,
    find=find,
    fires_on={
        "a second server offers a tool that is in use, in its words": _beside(),
        "a name with a letter of another script": _beside("send_m\u0435ssage", "Sends it."),
    },
    quiet_on={
        "the same name for something else": _beside(words="Sends a note to the pager of whoever is on call."),
        "the server was renamed": _beside(launch_command="npx chat@1"),
        "two forks set up together": _beside(sighted_at=START + timedelta(minutes=5)),
        "another agent's server": _beside(agent="night shift"),
        "nobody used the first one": _beside(used=False),
        "the same words for another tool": _beside("post_message"),
    },
)
