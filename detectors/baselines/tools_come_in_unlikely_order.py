"""A session's tools come in an order that is unlikely for its agent.

What it detects
How surprising each step from one tool to the next is, in bits, by a Markov chain over the steps of this agent's sessions (smoothed; where a step is
new, by how often its second tool comes at all). A session is told whose steps are on average four standard errors more surprising than the
agent's own, with so many rare ones among them as chance brings in one session of 100,000; from three on, it is noted for the session's ranking.

Why it matters
Chains of attack are made of tools that the agent uses anyway: a ticket is read, then the payroll, then a mail is sent. What gives them away is
that nobody's work ever went from the one to the other.

False positives
New kinds of work, and the first session after a release. Where an agent tries new orders all the time, new ones do not surprise.

Blind spots
Agents with fewer than fifty other sessions; detours of one or two steps; orders that are usual. Calls of one tool in a row count as one, and so
does a step that comes again.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby, pairwise, permutations
from math import exp, log, log2, sqrt
from typing import Any

from detectors.contract import Detector, Found, Scope, Slice, quoted
from detectors.scenarios import START, call, session, together
from store.records import Call, Grade, Outcome, Record, Severity

SESSIONS_AT_LEAST = 50
STEPS_AT_LEAST = 3
NOTED, TOLD = 3.0, 4.0
"""Standard errors of the mean; surprises have a long tail, so more is asked than for a bell."""
CHANCE = 1e-5
BACK_OFF = 2.0
"""Calls that a shorter memory is worth against what was counted."""
SPREAD_AT_LEAST = 0.5
"""Bits: an agent that always does the same is not infinitely sure to do so."""

_STEPS = """
    SELECT *, lag(name) OVER (PARTITION BY session_id, agent ORDER BY called_at, seq, call_id) AS before
    FROM (SELECT session_id, call_id, called_at, seq, coalesce(agent, '') AS agent, coalesce(server || '.', '') || tool AS name FROM calls
          WHERE session_id IS NOT NULL AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject')
    QUALIFY before IS DISTINCT FROM name
"""
LEARN = f"""
SELECT lesson, subject, coalesce(before, '') || chr(31) || name AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at FROM ({_STEPS.replace('SELECT session_id', 'SELECT lesson, subject, session_id')}) GROUP BY ALL
"""
_NEW = f"""
SELECT session_id, agent, list({{'call_id': call_id, 'name': name}} ORDER BY called_at, seq, call_id) AS steps
FROM ({_STEPS}) AS s LEFT JOIN (SELECT subject, key, sessions FROM normal WHERE detector = 'tools_come_in_unlikely_order') AS n
  ON n.subject = s.agent AND n.key = coalesce(s.before, '') || chr(31) || s.name
GROUP BY ALL HAVING count(*) >= {STEPS_AT_LEAST} AND count(*) FILTER (coalesce(n.sessions, 0) <= 1) > 0 ORDER BY agent, session_id
"""
_KNOWN = "SELECT key, n FROM normal WHERE detector = 'tools_come_in_unlikely_order' AND subject = $agent"


class Chain:
    """What an agent's sessions did after what."""

    def __init__(self, counts: dict[tuple[str, str], int]) -> None:
        self.counts = counts
        self.after: dict[str, int] = defaultdict(int)
        self.names: dict[str, int] = defaultdict(int)
        for (before, name), n in self.counts.items():
            self.after[before] += n
            self.names[name] += n
        self.total = sum(self.counts.values())

    def without(self, steps: list[tuple[str, str]]) -> "Chain":
        """The chain as it was without these steps."""
        counts = dict(self.counts)
        for step in steps:
            counts[step] = max(0, counts.get(step, 0) - 1)
        return Chain(counts)

    def surprise(self, before: str, name: str, itself: int = 0) -> float:
        """Bits; `itself` is 1 for a step that was counted and is now asked about."""
        kinds = len(self.names) + 1
        rough = (self.names.get(name, 0) - itself + BACK_OFF / kinds) / (self.total - itself + BACK_OFF)
        return -log2((self.counts.get((before, name), 0) - itself + BACK_OFF * rough) / (self.after.get(before, 0) - itself + BACK_OFF))


def find(seen: Slice) -> Iterator[Found]:
    """One answer for each session and agent; sessions that only do what others did are never looked at."""
    for agent, rows in groupby(seen.rows(_NEW), key=lambda row: str(row["agent"])):
        counts = {tuple(r["key"].split("\x1f", 1)): r["n"] for r in seen.rows(_KNOWN, {"agent": agent})}
        chain = Chain({(before, name): n for (before, name), n in counts.items()})
        if chain.after.get("", 0) > SESSIONS_AT_LEAST:  # every session has one first step
            for row in rows:
                yield from _judged(row["session_id"], agent, row["steps"], chain)


def _judged(session_id: str, agent: str, calls: list[dict[str, Any]], chain: Chain) -> Iterator[Found]:
    every = list(pairwise(["", *(one["name"] for one in calls)]))
    others = chain.without(every)
    at = {step: n for n, step in reversed([*enumerate(every)])}
    steps = list(at)  # each once: what goes on as it began is a loop, and no surprise
    usual = [(others.surprise(*step, itself=1), n) for step, n in others.counts.items() if n]
    total = sum(n for _, n in usual)
    typical = sum(s * n for s, n in usual) / total
    spread = max(sqrt(sum(n * (s - typical) ** 2 for s, n in usual) / total), SPREAD_AT_LEAST)
    surprises = [others.surprise(*step) for step in steps]
    mean, most = sum(surprises) / len(surprises), max(surprises)
    errors = (mean - typical) / (spread / sqrt(len(steps)))
    if errors < NOTED:
        return
    chance = chance_of(surprises, usual, total)
    alerting = errors >= TOLD and chance <= CHANCE
    sessions = others.after.get("", 0)
    worst = [at[step] for _, step in sorted(zip(surprises, steps, strict=True), key=lambda one: (-one[0], one[1]))[:10]]
    before, name = steps[surprises.index(most)]
    yield Found(
        scope_key=session_id, subject=agent, call_ids=[calls[n]["call_id"] for n in sorted({m for n in worst for m in (n - 1, n) if m >= 0})],
        grade=Grade.ORDER, score=min(1.0, 0.4 + errors / 40) if alerting else 0.3,
        sentence=f"The steps from tool to tool tell {mean:.1f} bits each, where those of {sessions} other sessions of {agent or 'this agent'} tell "
                 f"{typical:.1f}; least likely: {quoted(name)} {f'after {quoted(before)}' if before else 'to begin with'} ({most:.1f} bits).",
        evidence={"actual": round(mean, 2), "typical": round(typical, 2), "most": round(most, 2), "standard_errors": round(errors, 1),
                  "chance": float(f"{chance:.2g}"), "steps": len(steps), "baseline_sessions": sessions, "alerting": alerting},
    )


def chance_of(surprises: list[float], usual: list[tuple[float, int]], total: int) -> float:
    """How often chance brings so many steps that are so rare: Chernoff's bound, the least over their number, times the numbers tried."""
    least, steps = 0.0, len(surprises)
    for many, bits in enumerate(sorted(surprises, reverse=True), 1):
        usually, here = (1 + sum(n for s, n in usual if s >= bits)) / (2 + total), many / steps
        if here > usually:
            apart = here * log(here / usually) + ((1 - here) * log((1 - here) / (1 - usually)) if here < 1 else 0.0)
            least = min(least, -steps * apart)
    return min(1.0, exp(least) * steps)


_TICKETS, _BILLS = ("list_tickets", "get_ticket", "add_comment"), ("list_invoices", "get_invoice", "send_email")


def _work(tools: tuple[str, ...], name: str = "s1", day: int = 0, **more: Outcome) -> list[Record]:
    calls: list[Call] = [call(tool, {"n": n}, f"answer {n}", server="desk", **more) for n, tool in enumerate(tools)]
    return session(*calls, name=name, start=START.replace(day=5 + day))


_PAST = together(*(_work(_BILLS if n % 3 == 2 else _TICKETS, f"past-{n}", n % 20) for n in range(54)))
_MIXED = together(*(_work(tools, f"past-{n}", n % 20) for n, tools in enumerate([*permutations((*_TICKETS, *_BILLS))][::13])))
_JUMPS = ("get_ticket", "get_invoice", "add_comment", "list_invoices", "list_tickets", "send_email")

DETECTOR = Detector(
    severity=Severity.LOW,
    techniques=("owasp-mcp:2025:MCP06", "owasp-mcp:2025:MCP10", "owasp-asi:2026:ASI02", "owasp-asi:2026:ASI10", "owasp-llm:2026:LLM03",
                "atlas:AML.T0053", "safe-mcp:SAFE-T1703"),
    scope=Scope.SESSION,
    learn=LEARN,
    learn_at_once=True,
    learn_by="coalesce(agent, '')",
    needs=("normal",),
    suspect=f"count(*) >= {STEPS_AT_LEAST}",
    find=find,
    fires_on={"two kinds of work that never met": [*_PAST, *_work(_JUMPS, day=21)]},
    quiet_on={
        "the usual order, twice over": [*_PAST, *_work((*_TICKETS, *_TICKETS), day=21)],
        "one detour": [*_PAST, *_work(("list_tickets", "get_ticket", "get_invoice", "send_email"), day=21)],
        "an agent that mixes everything": [*_MIXED, *_work(_JUMPS, day=21)],
        "an agent with little history": [*_PAST[:80], *_work(_JUMPS, day=21)],
        "the calls were denied": [*_PAST, *_work(_JUMPS, day=21, outcome=Outcome.DENIED)],
    },
)
