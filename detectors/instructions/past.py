"""What past sessions of a deployment say about where calls have their values from, and where they send or pay to.

Counters, by session: `from|SOURCE|TOOL`, a call of TOOL held a value that a result of SOURCE had shown before; `of|TOOL`, the same whatever
the source; `used|TOOL`; `to|HASH`, arguments named this host or account; `sessions`. Values are kept as hashes only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

ENOUGH = 30
"""Sessions; of fewer nobody can say what is usual."""
_RESTLESS = 3.0
"""Where every third session brings a new tool, a new tool says nothing."""
_DIGITS = 16

LEARN = r"""
WITH said AS (  -- of each tool the first calls: a session that repeats itself teaches nothing new, and must not cost more
    SELECT tool, unnest(arg_min({'at': called_at, 'seq': coalesce(seq, 0), 'text': left(arguments, 4000)}, (called_at, coalesce(seq, 0)), 6)) AS one
    FROM calls WHERE arguments IS NOT NULL AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject' GROUP BY tool
), valued AS (
    SELECT tool, one.at AS said_at, one.seq AS seq,
           unnest(list_distinct(regexp_extract_all(one.text, '"((?:[^"\\]|\\.){3,200})"\s*[,}\]]', 1)
                                || regexp_extract_all(one.text, ':\s*(-?[\d.]{3,})\s*[,}]', 1))) AS value
    FROM said
), shown AS (
    SELECT tool, unnest(arg_min({'at': called_at, 'seq': coalesce(seq, 0), 'text': left(result, 20000)}, (called_at, coalesce(seq, 0)), 6)) AS one
    FROM calls WHERE result IS NOT NULL AND outcome <> 'denied' GROUP BY tool
), taken AS (
    SELECT s.tool AS source, v.tool, v.said_at FROM valued AS v JOIN shown AS s
    ON (s.one.at < v.said_at OR (s.one.at = v.said_at AND s.one.seq < v.seq)) AND contains(s.one.text, v.value)
), addressed AS (
    SELECT one.at AS said_at, unnest(regexp_extract_all(lower(one.text), '(?:[\w.+-]+@|https?://)([\w-]+(?:\.[\w-]+)+)', 1)
                                     || regexp_extract_all(lower(one.text), '\b([a-z]{2}\d{10,})\b', 1)) AS host
    FROM said
)
SELECT 'from|' || source || '|' || tool AS key, count(*) AS n, min(said_at) AS first_at, max(said_at) AS last_at FROM taken GROUP BY 1
UNION ALL SELECT 'of|' || tool, count(*), min(said_at), max(said_at) FROM taken GROUP BY 1
UNION ALL SELECT 'used|' || tool, count(*), min(called_at), max(called_at) FROM calls GROUP BY 1
UNION ALL SELECT 'to|' || left(sha256(host), 16), count(*), min(said_at), max(said_at) FROM addressed GROUP BY 1
UNION ALL SELECT 'sessions', count(*), min(called_at), max(called_at) FROM calls HAVING count(*) > 0
"""


@dataclass(frozen=True, slots=True)
class Past:
    """What was usual before a session began."""

    sessions: Mapping[str, tuple[int, datetime]]
    """By key: in how many sessions, and when first."""
    began_at: datetime
    new_tools: float
    """How often a session brings a tool that was never used before, estimated from those that one session alone used (Good, 1953)."""

    def _known(self, key: str) -> int:
        count, first_at = self.sessions.get(key, (0, self.began_at))
        return count if first_at < self.began_at else 0

    def steered(self, source: str | None, tool: str) -> int:
        """In how many sessions a call of `tool` took a value from a result of `source`, or of any tool."""
        return self._known(f"of|{tool}" if source is None else f"from|{source}|{tool}")

    def addressed(self, atom: str) -> int:
        """In how many sessions arguments held this account, or an address at this host."""
        return self._known(f"to|{_hashed(atom.rpartition('@')[2].partition('/')[0])}")

    def familiar(self, tool: str) -> float:
        """How much can be said of what is usual for a tool, 0..1: nothing of a new one where new ones come all the time."""
        return 1.0 if self._known(f"used|{tool}") else max(0.0, 1 - _RESTLESS * self.new_tools)


class Pasts:
    """The past of each session, out of the counters of one detector; None where there is too little of it."""

    def __init__(self, counters: Iterable[Mapping[str, Any]]) -> None:
        self._sessions = {row["key"]: (int(row["sessions"]), row["first_at"]) for row in counters}
        self._count = self._sessions["sessions"][0] if "sessions" in self._sessions else 0
        once = sum(count == 1 for key, (count, _) in self._sessions.items() if key.startswith("used|"))
        self._new_tools = once / self._count if self._count else 1.0

    def before(self, began_at: datetime) -> Past | None:
        """What was usual before this moment."""
        if self._count < ENOUGH or self._sessions["sessions"][1] >= began_at:
            return None
        return Past(self._sessions, began_at, self._new_tools)


@lru_cache(maxsize=4_096)
def _hashed(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:_DIGITS]
