"""A server's name imitates that of a server which is already in use.

What it detects
A server that was first seen after another and whose name reads like the older one's: letters of another script that look the same,
digits and letter pairs that look the same (`paypa1`, `rn` for `m`), one or two letters changed (`filesytem`). Other separators, filler
words and another order of the same words only rank: configurations differ in these honestly.

Why it matters
Whoever adds a server, and the model that picks a tool, reads names. A typing error in a package name installs the impostor, and the tools of
both stand side by side.

False positives
Two honest servers whose long names differ in one letter. Names that differ in digits, plurals or where a word begins stay quiet.

Blind spots
An impostor that was there first, or whose name is the same (that changes what is launched or where it is reached). Names of fewer than five letters.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from detectors.contract import Detector, Found, Scope, Slice, quoted
from detectors.names import LOOKS_ALIKE, SLIP, Likeness, alike
from detectors.scenarios import START, call, definition
from store.records import Call, Grade, Severity

LEARN = """
SELECT lesson, subject, server AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at FROM calls WHERE server IS NOT NULL GROUP BY ALL
"""

_KNOWN = """
    SELECT server, min(first_at) AS first_at, max(last_at) AS last_at, sum(n)::BIGINT AS calls FROM (
        SELECT key AS server, first_at, last_at, n FROM normal WHERE detector = 'server_imitates_another'
        UNION ALL SELECT server, first_seen_at, last_seen_at, 0 FROM tool_definitions WHERE server IS NOT NULL
    ) GROUP BY server ORDER BY server
"""
_SCORES = {LOOKS_ALIKE: 0.9, SLIP: 0.6}
_OTHERWISE = 0.1
AT_ONCE = timedelta(hours=1)
"""Servers that appear within an hour of one another were set up together."""


def find(seen: Slice) -> Iterator[Found]:
    """Each server with the older one that its name imitates most."""
    known = {row["server"]: row for row in seen.rows(_KNOWN)}
    best: dict[str, tuple[float, str, Likeness]] = {}
    for likeness in alike(frozenset(known)):
        later, older = sorted((likeness.one, likeness.other), key=lambda name: (known[name]["first_at"], name), reverse=True)
        if known[later]["first_at"] - known[older]["first_at"] >= AT_ONCE:
            score = _SCORES.get(likeness.kind, _OTHERWISE)
            if later not in best or (score, older) > best[later][:2]:
                best[later] = score, older, likeness
    for later, (score, older, likeness) in sorted(best.items()):
        yield _found(known[later], known[older], score, likeness)


def _found(later: dict[str, Any], older: dict[str, Any], score: float, likeness: Likeness) -> Found:
    return Found(
        scope_key=later["server"], subject=older["server"], call_ids=[],
        grade=Grade.CONTENT if likeness.kind == LOOKS_ALIKE else Grade.ORDER, score=score,
        sentence=f"{quoted(later['server'])}, first seen on {later['first_at']:%Y-%m-%d}, is named like {quoted(older['server'])}, in use since "
                 f"{older['first_at']:%Y-%m-%d}, with {likeness.what}.",
        evidence={"alerting": score > _OTHERWISE, "likeness": likeness.what, "older": older["server"], "calls": later["calls"], "calls_of_older": older["calls"]},
        about={"servers": sorted({later["server"], older["server"]}), "first_at": later["first_at"], "last_at": later["last_at"]},
    )


_LATER = START + timedelta(days=7)


def _pair(older: str, later: str, later_at: timedelta = timedelta(days=7)) -> list[Call]:
    return [call(server=older), call(server=later, called_at=START + later_at)]


DETECTOR = Detector(
    severity=Severity.HIGH,
    techniques=("owasp-mcp:2025:MCP09", "owasp-mcp:2025:MCP03", "owasp-asi:2026:ASI04", "owasp-llm:2026:LLM04", "atlas:AML.T0010.005",
                "safe-mcp:SAFE-T1004", "attack:T1036"),
    scope=Scope.SERVER,
    learn=LEARN,
    learn_at_once=True,
    find=find,
    fires_on={
        "a letter of another script": _pair("payments", "p\u0430yments"),
        "a digit for a letter": _pair("bluemail", "b1uemail"),
        "a letter left out": _pair("filesystem", "filesytem"),
        "letters swapped, and no call yet": [call(server="postgres"), definition(server="postgers", sighted_at=_LATER)],
    },
    quiet_on={
        "two of one kind": _pair("weather-north", "weather-south"),
        "numbered servers": _pair("files-node-1", "files-node-2"),
        "opposites": _pair("data-import", "data-export"),
        "other separators": _pair("issue-tracker", "issue_tracker"),
        "both were set up together": _pair("filesystem", "filesytem", timedelta(minutes=10)),
        "a name and its plural": _pair("calendar", "calendars"),
    },
)
