"""A session is of another shape than its agent's sessions.

What it detects
Nine measures of a session, such as calls, tools, bytes, failures and pauses, each against how often this agent's other sessions go as far; the
logarithms of these shares are added up (ECOD: outliers by empirical distributions). A sum as of three measures that go further than sixty others
ranks the session; it is told where four measures or more, sizes and rates among them, go further than all others.

Why it matters
A hijacked or runaway session is seldom extreme in one thing and often odd in several: more servers, more failures, a faster pace.

False positives
Rare but honest kinds of work, and the first session after the agent's task has changed.

Blind spots
Agents with fewer than sixty other sessions. Measures are compared one by one, so that an odd combination of usual ones stays quiet; sizes are
known to within a factor of two.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log
from typing import Any

from detectors.contract import Detector, Found, Scope, Slice
from detectors.scenarios import START, call, session, together
from store.records import Grade, Outcome, Record, Severity

SESSIONS_AT_LEAST, CALLS_AT_LEAST = 60, 5
"""Fewer calls have no shape yet."""
BEYOND_ALL = 4
SIZES = {"calls": "calls", "tools": "different tools", "servers": "servers", "lasts": "length"}
RATES = {"sent": "bytes sent with a call", "read": "bytes read with a call", "failures": "share of failed calls", "repeats": "calls for each tool",
         "pace": "pause between calls"}
"""Of sizes only large ones are unusual, as a session may still be going on; rates are either way. Bytes are rates, or they would count calls again."""
NOTED = 3 * log(SESSIONS_AT_LEAST)
"""What three measures that lie beyond all others add up to. What more than a tenth of the others have is not added."""

_NAMES = [*SIZES, *RATES]

_SHAPES = f"""
    SELECT session_id, agent, floor(log2(calls))::INT AS calls, tools, servers, floor(log2(1 + seconds))::INT AS lasts,
           floor(log2(1 + sent / calls))::INT AS sent, floor(log2(1 + read / calls))::INT AS read, (10 * failures // calls)::INT AS failures,
           floor(2 * log2(calls / tools))::INT AS repeats, floor(log2(1 + 10 * seconds / (calls - 1)))::INT AS pace
    FROM (
        SELECT session_id, coalesce(agent, '') AS agent, count(*) AS calls, count(DISTINCT tool) AS tools,
               count(DISTINCT server) AS servers, coalesce(sum(arguments_bytes), 0) AS sent, coalesce(sum(result_bytes), 0) AS read,
               count(*) FILTER (outcome = 'error') AS failures, epoch(max(called_at)) - epoch(min(called_at)) AS seconds
        FROM calls WHERE session_id IS NOT NULL AND outcome <> 'denied' GROUP BY 1, 2 HAVING count(*) >= {CALLS_AT_LEAST}
    )
"""
LEARN = f"""
SELECT t.lesson, t.subject, unnest({_NAMES}) || chr(31) || unnest([{', '.join(_NAMES)}]) AS key, 1 AS n, t.first_at, t.last_at
FROM ({_SHAPES}) AS s JOIN (SELECT lesson, subject, session_id, min(called_at) AS first_at, max(called_at) AS last_at FROM calls GROUP BY ALL) AS t
  ON t.session_id = s.session_id AND t.subject = s.agent
"""
_SETTLED = f"""
SELECT subject FROM normal WHERE detector = 'session_has_unusual_shape' AND starts_with(key, 'calls' || chr(31))
GROUP BY subject HAVING sum(sessions) > {SESSIONS_AT_LEAST} LIMIT 1
"""
_CALLS = """
SELECT call_id FROM calls WHERE session_id = $session AND coalesce(agent, '') = $agent AND outcome <> 'denied' ORDER BY called_at, seq, call_id LIMIT 20
"""
_KNOWN = """
SELECT subject, split_part(key, chr(31), 1) AS measure, split_part(key, chr(31), 2)::INT AS bucket, sessions FROM normal
WHERE detector = 'session_has_unusual_shape'
"""


def find(seen: Slice) -> Iterator[Found]:
    """One answer for each session and agent of which enough is rare."""
    known: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    shapes = seen.rows(_SHAPES) if seen.rows(_SETTLED) else []
    for r in seen.rows(_KNOWN) if shapes else ():
        known[r["subject"], r["measure"]].append((r["bucket"], r["sessions"]))
    for shape in shapes:
        measures = [one for name in _NAMES if (one := rarity(name, shape[name], known[shape["agent"], name]))]
        total = sum(-log(one.share) for one in measures)
        if total >= NOTED:
            proof = [r["call_id"] for r in seen.rows(_CALLS, {"session": shape["session_id"], "agent": shape["agent"]})]
            yield _found(shape, measures, total, proof)


@dataclass(frozen=True, slots=True)
class Rare:
    """A measure in which few other sessions go as far: how many there are, their share, and whether none goes as far."""

    measure: str
    others: int
    share: float
    large: bool
    beyond: bool


def rarity(measure: str, bucket: int, known: list[tuple[int, int]]) -> Rare | None:
    """The session itself is among those that are known, and is not counted."""
    others = sum(n for _, n in known) - 1
    above, below = (max(0, sum(n for b, n in known if side * b >= side * bucket) - 1) for side in (1, -1))
    fewer = above if measure in SIZES else min(above, below)
    if others < SESSIONS_AT_LEAST or fewer * 10 >= others:
        return None
    return Rare(measure, others, min(1.0, (1 if measure in SIZES else 2) * (1 + fewer) / (1 + others)), fewer == above, fewer == 0)


def _found(shape: Mapping[str, Any], measures: list[Rare], total: float, proof: list[str]) -> Found:
    beyond = {one.measure: "more" if one.large else "less" for one in measures if one.beyond}
    alerting = len(beyond) >= BEYOND_ALL and not beyond.keys().isdisjoint(SIZES) and not beyond.keys().isdisjoint(RATES)
    named = sorted(measures, key=lambda one: (one.share, one.measure))[:5]
    told = ", ".join(f"{(SIZES | RATES)[one.measure]} ({round(one.share * (1 + one.others))} in {1 + one.others})" for one in named)
    return Found(
        scope_key=shape["session_id"], subject=shape["agent"], call_ids=proof, grade=Grade.ORDER,
        score=min(1.0, 0.3 + total / 80) if alerting else 0.3,
        sentence=f"Among {named[0].others} other sessions of {shape['agent'] or 'this agent'} few are as extreme in: {told}; {len(beyond)} of "
                 f"{len(_NAMES)} measures lie beyond all others.",
        evidence={"actual": round(total, 1), "typical": f"below {NOTED:.1f}", "measures": {one.measure: round(one.share, 4) for one in measures},
                  "beyond_all": beyond, "baseline_sessions": named[0].others, "alerting": alerting},
    )


def _shaped(name: str = "s1", times: int = 6, servers: int = 1, failures: int = 0, day: int = 0, text: str = "fine", **more: Outcome) -> list[Record]:
    made = (call(f"tool_{n % (2 * servers)}", {"n": n}, f"{text} {n}", server=f"desk {n % servers}", **(
        more or {"outcome": Outcome.ERROR if n < failures else Outcome.OK})) for n in range(times))
    return session(*made, name=name, start=START.replace(day=5 + day))


_PAST = together(*(_shaped(f"past-{n}", 5 + n % 4, 1 + n % 2, n % 9 == 0, n % 20) for n in range(64)))

DETECTOR = Detector(
    severity=Severity.LOW,
    techniques=("owasp-mcp:2025:MCP06", "owasp-asi:2026:ASI08", "owasp-asi:2026:ASI10", "owasp-llm:2026:LLM06", "atlas:AML.T0053", "safe-mcp:SAFE-T1106"),
    scope=Scope.SESSION,
    learn=LEARN,
    learn_at_once=True,
    learn_by="coalesce(agent, '')",
    needs=("normal",),
    suspect=f"count(*) >= {CALLS_AT_LEAST}",
    find=find,
    fires_on={"many servers, failures and texts at once": [*_PAST, *_shaped(times=40, servers=5, failures=24, day=21, text="row " * 50)]},
    quiet_on={
        "a usual session": [*_PAST, *_shaped(times=8, servers=2, failures=1, day=21)],
        "only longer": [*_PAST, *_shaped(times=40, servers=2, failures=4, day=21)],
        "an agent with little history": [*_PAST[:100], *_shaped(times=40, servers=5, failures=24, day=21, text="row " * 50)],
        "another agent's history": together(_PAST, session(*(
            call(f"tool_{n % 10}", {"n": n}, "row " * 50, server=f"desk {n % 5}", agent="other") for n in range(40)))),
        "the calls were denied": [*_PAST, *_shaped(times=40, servers=5, day=21, text="row " * 50, outcome=Outcome.DENIED)],
    },
)
