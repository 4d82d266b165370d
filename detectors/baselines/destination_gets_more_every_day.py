"""A destination gets more, day after day, than it used to.

What it detects
The bytes that an agent's calls bring to one host, day by day on a log scale, against the first ten days on record: a cumulative sum (CUSUM)
of what lies above them passes ten standard deviations. No day counts for more than three, so that only a lasting rise gets there, of five
days or more and 10 KB in all. Where the rest of what the agent sends rises alike, it is more work, and only ranks.

Why it matters
A slow drip stays below every limit for a single call and a single day; OWASP's first scenario for missing telemetry is such a leak over
months.

False positives
A customer or a project that becomes more important. Such a rise is told once; then the new level is the usual one.

Blind spots
A drip that begins with the first contact (see `content_reaches_new_destination`), many hosts that get little each, destinations without a
host. Hosts that a text only mentions count as well. A year's history is as long as the settings keep counters.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from math import log2
from statistics import median
from typing import Any

from detectors.contract import Detector, Found, Scope, Slice
from detectors.scenarios import START, call, session, together
from store.records import Grade, Outcome, Record, Severity

BASE_DAYS = 10
SLACK, LIMIT = 0.5, 10.0
"""In standard deviations (Page 1954): with these a steady destination alarms by chance once in some 140,000 days (Siegmund's formula)."""
DAY_AT_MOST = 3.0
RISE_DAYS, RISE_BYTES = 5, 10_000
UNNOTICED = 1_000
"""Bytes a day that are added before the logarithm: below it no day differs from another, and a host seldom used is no host at nothing."""
MAD_TO_SIGMA, NARROWEST = 1.4826, 0.75
"""The second in octaves: days differ by that much for no reason."""
REST_RISES = 1.0
"""Octaves: where all else doubles too, it is more work."""

_SENT = """
    SELECT call_id, coalesce(agent, '') AS agent, called_at, arguments_bytes, unnest(list_filter(argument_atoms, lambda a: (a & 15) = 3)) AS host
    FROM calls WHERE outcome <> 'denied' AND coalesce(decision, '') <> 'reject' AND arguments_bytes > 0
"""
LEARN = f"""
SELECT lesson, subject, host::VARCHAR || chr(31) || called_at::DATE AS key, sum(arguments_bytes) AS n, min(called_at) AS first_at, max(called_at) AS last_at
FROM ({_SENT.replace('SELECT call_id, coalesce', 'SELECT lesson, subject, call_id, coalesce')}) GROUP BY ALL
"""
_DAYS = """
SELECT subject AS agent, split_part(key, chr(31), 1) AS host, split_part(key, chr(31), 2)::DATE AS day, n AS bytes
FROM normal WHERE detector = 'destination_gets_more_every_day' ORDER BY ALL
"""
_CALLS = f"""
SELECT agent, host::VARCHAR AS host, called_at::DATE AS day, list(call_id ORDER BY called_at, call_id)[:50] AS call_ids FROM ({_SENT}) GROUP BY ALL
"""


@dataclass(frozen=True, slots=True)
class Rise:
    """A rise: when it began and was told, and the bytes of a usual day and of its days."""

    first: date
    last: date
    typical: int
    days: tuple[int, ...]
    lowest: int
    highest: int


def find(seen: Slice) -> Iterator[Found]:
    """The rises that are told on a day of the slice."""
    calls = {(r["agent"], r["host"], r["day"]): r["call_ids"] for r in seen.rows(_CALLS)}
    sent: dict[str, dict[str, dict[date, int]]] = defaultdict(lambda: defaultdict(dict))
    for r in seen.rows(_DAYS):
        sent[r["agent"]][r["host"]][r["day"]] = r["bytes"]
    for agent, host in sorted({(agent, host) for agent, host, _ in calls}):
        hosts = sent.get(agent, {})
        if len(hosts.get(host, {})) > RISE_DAYS:
            all_days = sorted({day for days in hosts.values() for day in days})
            for rise in rises(hosts[host], all_days):
                if proof := calls.get((agent, host, rise.last)):
                    yield _found(agent, host, rise, proof, _rest(hosts, host, all_days, rise))


def rises(sent: dict[date, int], days: list[date]) -> Iterator[Rise]:
    """The rises of one destination; `days` are those on which its agent sent anything to anybody. After each the past begins anew."""
    ours = [day for day in days if day >= min(sent)]
    while len(ours) > BASE_DAYS:
        base = [sent.get(day, 0) for day in ours[:BASE_DAYS]]
        octaves = [log2(UNNOTICED + n) for n in base]
        middle = median(octaves)
        typical = round(2**middle) - UNNOTICED
        sigma = max(MAD_TO_SIGMA * median(abs(x - middle) for x in octaves), NARROWEST)
        total, began = 0.0, BASE_DAYS
        for n in range(BASE_DAYS, len(ours)):
            total += min((log2(UNNOTICED + sent.get(ours[n], 0)) - middle) / sigma, DAY_AT_MOST) - SLACK
            if total <= 0:
                total, began = 0.0, n + 1
                continue
            run = tuple(sent.get(day, 0) for day in ours[began : n + 1])
            if total > LIMIT and len(run) >= RISE_DAYS and sum(run) - len(run) * typical >= RISE_BYTES and run[-1]:
                yield Rise(ours[began], ours[n], typical, run, min(base), max(base))
                ours = ours[n + 1 :]
                break
        else:
            return


def _rest(hosts: dict[str, dict[date, int]], host: str, days: list[date], rise: Rise) -> float:
    """By how many octaves everything else rose that the agent sent."""
    def usual(some: list[date]) -> float:
        return median(log2(UNNOTICED + sum(sent.get(day, 0) for name, sent in hosts.items() if name != host)) for day in some) if some else 0.0

    before = [day for day in days if day < rise.first][-BASE_DAYS:]
    return usual([day for day in days if rise.first <= day <= rise.last]) - usual(before)


def _found(agent: str, host: str, rise: Rise, proof: list[str], rest: float) -> Found:
    alerting = rest < REST_RISES
    evidence: dict[str, Any] = {
        "actual": round(sum(rise.days) / len(rise.days)), "typical": rise.typical, "range": [rise.lowest, rise.highest], "baseline_days": BASE_DAYS,
        "days": list(rise.days[-30:]), "since": rise.first, "host": host, "rest_rose_by_octaves": round(rest, 1), "alerting": alerting,
    }
    return Found(
        scope_key=agent, subject=f"{host} {rise.last}", call_ids=proof, grade=Grade.CONTENT if alerting else Grade.ORDER, score=0.8 if alerting else 0.3,
        sentence=f"Since {rise.first} {agent or 'the agent'} sends one host about {evidence['actual']:,} bytes a day, over {len(rise.days)} days; "
                 f"in the {BASE_DAYS} days on record before it was about {rise.typical:,}"
                 f"{'.' if alerting else ', but all else that it sends rose alike.'}",
        evidence=evidence,
    )


def _day(n: int, size: int, to: str = "ops@partner.example", **more: Any) -> list[Record]:
    return session(call("send_email", {"to": to, "body": "x1 " * (size // 3)}, "sent", server="mail", **more),
                   call("send_email", {"to": "pat@steady.example", "body": "fine " * 200}, "sent", server="mail"),
                   name=f"day-{n}-{to}", start=START + timedelta(days=n), prompt="The daily report, please.")


_STEADY = [_day(n, 900 + 40 * (n % 5)) for n in range(12)]

DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP08", "owasp-mcp:2025:MCP10", "owasp-asi:2026:ASI10", "owasp-llm:2026:LLM02", "atlas:AML.T0086", "attack:T1048", "attack:T1030"),
    scope=Scope.AGENT,
    learn=LEARN,
    learn_at_once=True,
    learn_by="coalesce(agent, '')",
    needs=("normal",),
    find=find,
    fires_on={"the daily mail to a partner swells for a week": together(*_STEADY, *(_day(n, 6_000) for n in range(12, 20)))},
    quiet_on={
        "a steady destination": together(*_STEADY, *(_day(n, 900 + 40 * (n % 5)) for n in range(12, 30))),
        "one large day": together(*_STEADY, _day(12, 40_000), *(_day(n, 900) for n in range(13, 20))),
        "all that it sends grows": together(*_STEADY, *(_day(n, 6_000) for n in range(12, 20)), *(
            _day(n, 9_000, f"team{n % 3}@other.example") for n in range(12, 20))),
        "a young deployment": together(*_STEADY[:4], *(_day(n, 6_000) for n in range(4, 9))),
        "the calls were denied": together(*_STEADY, *(_day(n, 6_000, outcome=Outcome.DENIED) for n in range(12, 20))),
    },
)
