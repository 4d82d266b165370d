"""What a session sends, beside what it was told until then."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from detectors.contract import Slice
from detectors.overlap import Memory

LOOKED_AT = 200
"""Suspect calls of one session that are looked at, the first ones: a flood of them must not stall us."""
LEAVES = 200
"""Values of one call."""

_SUSPECTS = """
    SELECT call_id, session_id FROM calls
    WHERE session_id IS NOT NULL AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject' AND regexp_matches(arguments, $pattern)
    QUALIFY row_number() OVER (PARTITION BY session_id ORDER BY called_at, seq, call_id) <= $most
"""
_VALUES = f"""
    WITH suspect AS ({_SUSPECTS})
    SELECT l.call_id, l.name, l.value FROM leaves AS l SEMI JOIN suspect USING (call_id) ORDER BY l.call_id, l.name, l.value
"""
_STEPS = f"""
    WITH suspect AS ({_SUSPECTS})
    SELECT session_id, call_id, tool, server, called_at, prompt, result, min(called_at) OVER (PARTITION BY session_id) AS began_at
    FROM steps SEMI JOIN (SELECT DISTINCT session_id FROM suspect) USING (session_id) ORDER BY session_id, step
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """One text value of a call's arguments."""

    session_id: str
    call_id: str
    tool: str
    server: str | None
    called_at: datetime
    began_at: datetime
    """When the session did."""
    prompt: str
    name: str
    value: str
    told: Memory
    """The results of the session before this call."""


def sent(seen: Slice, pattern: str) -> Iterator[Sent]:
    """The values of calls whose arguments match a pattern of RE2, session by session and in order. Calls that were refused sent nothing."""
    asked = {"pattern": pattern, "most": LOOKED_AT}
    values = {c: [(r["name"], r["value"]) for r in rows] for c, rows in groupby(seen.rows(_VALUES, asked), key=lambda r: r["call_id"])}
    if not values:
        return
    for session_id, rows in groupby(seen.rows(_STEPS, asked), key=lambda r: r["session_id"]):
        told = Memory()
        for row in rows:
            for name, value in values.get(row["call_id"], [])[:LEAVES]:
                yield Sent(
                    session_id, row["call_id"], row["tool"], row["server"], row["called_at"], row["began_at"], row["prompt"] or "",
                    name or "", value, told,
                )
            told.add(row["call_id"], row["tool"], row["server"], row["result"])
