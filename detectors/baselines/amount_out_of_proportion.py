"""A tool sends far more than its agent ever does with it.

What it detects
A call of a tool that sends (mails, posts, uploads) whose bytes, records (lines or objects) or named addresses and accounts lie far above
what this agent's sessions send with it: a robust z of 6 or more on a log scale (median and MAD, one session counting once), eight times the
median, and above nine in ten of what other agents send. What is unusual for the hour of the week alone only ranks.

Why it matters
Exfiltration by a tool of everyday use looks like everyday use but for its amount: a hundred addresses in a mail, a table in a comment.

False positives
The first newsletter, export or month end of an agent. With less than twenty sessions of its own an agent is measured by others and raises
no alert.

Blind spots
Amounts taken in many calls (see `destination_gets_more_every_day`), tools whose names do not say that they send; records are counted where
arguments were captured. Amounts are known to within a factor of 1.4, hours are those of UTC.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import accumulate
from math import log2
from typing import Any

from detectors.contract import Detector, Found, Scope, Slice
from detectors.scenarios import START, call, session, together
from detectors.sending import SENDS
from store.records import Grade, Outcome, Record, Severity

SESSIONS_AT_LEAST = 20
"""Below it a median and a MAD say little."""
ROBUST_Z = 6.0
"""Iglewicz and Hoaglin (1993) call 3.5 an outlier; amounts have longer tails than a bell, and there are many calls."""
OCTAVES = 3.0
"""Eight times the median, however narrow the past."""
MAD_TO_SIGMA, NARROWEST = 1.4826, 0.5
"""The second in octaves: no past is known more exactly than its buckets."""
PEERS_SHARE = 0.9
HALF_BUCKET = 0.25
_UNITS = {"bytes": "bytes", "records": "records", "names": "addresses and accounts"}
_WHOSE = {"own": "{}", "hour": "{} in this hour of the week", "peers": "all agents, as {} has little history of its own,"}
_LEAST = {"bytes": 4_000, "records": 20, "names": 8}
"""Below it nothing is bulk: a page, a screenful, a meeting."""

_MEASURES = {
    "bytes": "arguments_bytes",
    "records": r"greatest(len(string_split(arguments, '\n')), len(string_split(arguments, '},')))",
    "names": "len(list_filter(argument_atoms, lambda a: (a & 15) IN (1, 4, 8)))",
}
"""SQL: how much a call sends."""

_AMOUNTS = f"""
    SELECT c.*, m.measure, m.amount, isodow(called_at) * 24 + hour(called_at) AS hour_of_week, floor(2 * log2(m.amount))::INT AS bucket
    FROM (
        SELECT call_id, called_at, coalesce(server, '') AS server, tool, coalesce(agent, '') AS agent, unnest([
            {', '.join(f"{{measure: '{measure}', amount: {sql}}}" for measure, sql in _MEASURES.items())}
        ]) AS m FROM calls WHERE {SENDS} AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject'
    ) AS c WHERE m.amount > 0
"""

LEARN = f"""
SELECT lesson, subject, array_to_string([tool, agent, measure, hour_of_week::VARCHAR, bucket::VARCHAR], chr(31)) AS key, count(*) AS n,
       min(called_at) AS first_at, max(called_at) AS last_at
FROM ({_AMOUNTS.replace('SELECT call_id, called_at', 'SELECT lesson, subject, call_id, called_at')}) GROUP BY ALL
"""

_LARGE = f"""
SELECT * EXCLUDE (m) FROM ({_AMOUNTS}) WHERE {' OR '.join(f"measure = '{m}' AND amount >= {least}" for m, least in _LEAST.items())}
"""
_KNOWN = f"""
WITH large AS (SELECT DISTINCT server, tool, measure FROM ({_LARGE})), known AS (
    SELECT subject AS server, string_split(key, chr(31)) AS part, sessions, first_at FROM normal WHERE detector = 'amount_out_of_proportion'
)
SELECT k.first_at, k.server, k.part[1] AS tool, k.part[2] AS agent, k.part[3] AS measure, k.part[4]::INT AS hour_of_week, k.part[5]::INT AS bucket, k.sessions
FROM known AS k JOIN large AS l ON l.server = k.server AND l.tool = k.part[1] AND l.measure = k.part[3]
"""


@dataclass
class Past:
    """What was sent before: sessions by bucket, and since when a bucket is known."""

    counts: Counter[float] = field(default_factory=Counter)
    since: dict[float, datetime] = field(default_factory=dict)

    def add(self, octaves: float, sessions: int, first_at: datetime) -> None:
        """Count sessions that sent so much."""
        self.counts[octaves] += sessions
        self.since[octaves] = min(self.since.get(octaves, first_at), first_at)

    @cached_property
    def middle(self) -> float:
        """The median, in octaves."""
        return quantile(self.counts, 0.5)

    @cached_property
    def sigma(self) -> float:
        """The width, in octaves."""
        spread: Counter[float] = Counter()
        for octaves, n in self.counts.items():
            spread[abs(octaves - self.middle)] += n
        return max(MAD_TO_SIGMA * quantile(spread, 0.5), NARROWEST)

    def outlying(self, amount: int) -> bool:
        """Whether so much is far out of proportion, as far as this past can say."""
        above = log2(amount) - self.middle if self.known else 0.0
        return above >= OCTAVES and above / self.sigma >= ROBUST_Z

    @property
    def known(self) -> bool:
        """Whether it is long enough."""
        return sum(self.counts.values()) > SESSIONS_AT_LEAST


def find(seen: Slice) -> Iterator[Found]:
    """One answer for each call and measure."""
    pasts: dict[tuple[str | int, ...], Past] = defaultdict(Past)
    for r in seen.rows(_KNOWN):
        what = (r["server"], r["tool"], r["measure"])
        for whose in (what, (*what, r["agent"]), (*what, r["agent"], r["hour_of_week"])):
            pasts[whose].add((r["bucket"] + 0.5) / 2, r["sessions"], r["first_at"])
    for r in seen.rows(_LARGE):
        what = (r["server"], r["tool"], r["measure"])
        own, peers, hour = pasts[*what, r["agent"]], pasts[what], pasts[*what, r["agent"], r["hour_of_week"]]
        if own.outlying(r["amount"]):
            yield _found(r, own, "own", log2(r["amount"]) > quantile(peers.counts, PEERS_SHARE))
        elif own.known and hour.outlying(r["amount"]):
            yield _found(r, hour, "hour", False)
        elif not own.known and peers.outlying(r["amount"]):
            yield _found(r, peers, "peers", False)


def quantile(counts: Mapping[float, int], share: float) -> float:
    """The value that so large a share of counted values does not exceed."""
    values = sorted(counts)
    sums = accumulate(counts[v] for v in values)
    return next(v for v, upto in zip(values, sums, strict=True) if upto >= share * sum(counts.values()))


def _found(r: dict[str, Any], past: Past, whose: str, alerting: bool) -> Found:
    agent = r["agent"] or "the agent"
    before = [octaves for octaves, since in past.since.items() if since < r["called_at"]] or [past.middle]
    sessions = sum(past.counts[octaves] for octaves in before)
    typical, least, most = (round(2**octaves) for octaves in (past.middle, min(before) - HALF_BUCKET, max(before) + HALF_BUCKET))
    z = (log2(r["amount"]) - past.middle) / past.sigma
    tool = f"{r['tool']} of {r['server']}" if r["server"] else r["tool"]
    return Found(
        scope_key=r["call_id"], subject=r["measure"], call_ids=[r["call_id"]], grade=Grade.CONTENT if alerting else Grade.ORDER,
        score=min(1.0, 0.5 + z / 40) if alerting else 0.3,
        sentence=f"{tool} sent {r['amount']:,} {_UNITS[r['measure']]}; in some {sessions} sessions of {_WHOSE[whose].format(agent)} it sent about "
                 f"{typical:,} at a time and at most {most:,}.",
        evidence={"measure": r["measure"], "actual": r["amount"], "typical": typical, "range": [least, most], "robust_z": round(z, 1),
                  "baseline": whose, "baseline_sessions": sessions, "alerting": alerting},
    )


_PAST = [
    session(call("send_email", {"to": f"pat{n % 3}@example.com", "body": "The figures of today are fine. " * (1 + n % 4)}, "sent", server="mail"),
            name=f"past-{n}", start=START - timedelta(days=n + 1))
    for n in range(30)
]
_LIST = " ".join(f"customer{n}@shop{n}.example" for n in range(90))


def _mailed(body: str, agent: str = "assistant", **more: Outcome) -> list[Record]:
    return session(call("send_email", {"to": "pat1@example.com", "body": body}, "sent", server="mail", **more), agent=agent)


DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP10", "owasp-asi:2026:ASI02", "owasp-llm:2026:LLM02", "atlas:AML.T0086", "safe-mcp:SAFE-T1801", "attack:T1567"),
    scope=Scope.CALL,
    learn=LEARN,
    learn_at_once=True,
    learn_by="coalesce(server, '')",
    suspect=f"bool_or(CASE WHEN {SENDS} THEN {' OR '.join(f'{_MEASURES[m]} >= {least}' for m, least in _LEAST.items())} END)",
    needs=("normal",),
    find=find,
    fires_on={
        "a customer list in a mail": together(*_PAST, _mailed(_LIST)),
        "a table in a mail": together(*_PAST, _mailed("\n".join(f"row {n}" for n in range(400)))),
    },
    quiet_on={
        "a long mail": together(*_PAST, _mailed("The figures of today are fine. " * 20)),
        "an agent without history": together(*_PAST, _mailed(_LIST, agent="newcomer")),
        "a young deployment": together(*_PAST[:5], _mailed(_LIST)),
        "a tool that does not send": together(*_PAST, session(call("read_email", {"body": _LIST}, "ok", server="mail"))),
        "the call was denied": together(*_PAST, _mailed(_LIST, outcome=Outcome.DENIED)),
    },
)
