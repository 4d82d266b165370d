"""A surge of failed access by one principal.

What it detects
Many refused calls and failed connections of one principal (else client address, else agent) within ten minutes, most of what it tried, and
far more than it usually has: guessing credentials, spraying over tools and servers, or an agent that tries every door.

Why it matters
It is the loud beginning of credential abuse and of an agent that was told to find a way around its limits.

False positives
An expired token of a busy job: then every call fails alike; the alert still tells whose. A few failures before success stay quiet.

Blind spots
Gateways that do not log refusals (Kuadrant), and slow guessing below the threshold. Refusals are known by outcome, status and wording.
"""

from datetime import timedelta

from detectors.contract import Detector, Scope
from detectors.refusals import REFUSED
from detectors.scenarios import START, access, call, session, steady
from store.records import Outcome, Severity

LEARN = f"""
SELECT lesson, subject, coalesce(principal, client_address, agent, '') || '|' || date_trunc('hour', called_at)::VARCHAR AS key, count(*) AS n,
       min(called_at) AS first_at, max(called_at) AS last_at
FROM calls
WHERE {REFUSED}
GROUP BY ALL
"""

FIND = f"""
WITH attempts AS (
    SELECT coalesce(principal, client_address, agent, '') AS who, called_at AS happened_at, call_id, server, tool,
           {REFUSED}
           AS failed
    FROM calls
    UNION ALL
    SELECT coalesce(principal, client_address, agent, ''), accessed_at, NULL, server, method, outcome IN ('error', 'denied') FROM access
), counted AS (
    SELECT who, happened_at, call_id, server, tool, failed,
           count(*) FILTER (failed) OVER ten AS failures, count(*) OVER ten AS tried
    FROM attempts
    WINDOW ten AS (PARTITION BY who ORDER BY happened_at RANGE BETWEEN INTERVAL 10 MINUTE PRECEDING AND CURRENT ROW)
), usual AS (
    SELECT split_part(key, '|', 1) AS who, max(n) AS worst_hour, count(*) AS hours, min(first_at) AS since FROM normal
    WHERE detector = 'access_failures_surge' AND first_at < (SELECT min(happened_at) FROM attempts) GROUP BY 1
), peaks AS (
    SELECT who, arg_max(happened_at, failures) AS peak_at, max(failures) AS failures, arg_max(tried, failures) AS tried
    FROM counted WHERE failed AND failures >= 8 AND failures * 2 >= tried GROUP BY who, date_trunc('hour', happened_at)
), surges AS (
    SELECT p.who, p.peak_at, p.failures, p.tried, coalesce(u.worst_hour, 0) AS worst_hour, coalesce(u.hours, 0) AS hours
    FROM peaks AS p LEFT JOIN usual AS u USING (who) WHERE p.failures >= 3 * coalesce(u.worst_hour, 0)
    QUALIFY row_number() OVER (PARTITION BY p.who, p.peak_at::DATE ORDER BY p.failures DESC, p.peak_at) = 1
)
SELECT s.who AS scope_key, strftime(s.peak_at::DATE, '%Y-%m-%d') AS subject, list(a.call_id ORDER BY a.happened_at, a.call_id)
           FILTER (a.failed AND a.call_id IS NOT NULL)[:50] AS call_ids,
       3 AS grade, least(1.0, 0.5 + s.failures / 50.0) AS score,
       s.who || ' was refused ' || s.failures || ' times of ' || s.tried || ' within ten minutes, over '
           || count(DISTINCT a.server || '.' || a.tool) FILTER (a.failed) || ' tools; '
           || CASE WHEN s.hours > 0 THEN 'its worst hour before had ' || s.worst_hour || '.' ELSE 'it had no refusals before.' END AS sentence,
       {{'actual': s.failures, 'typical': s.worst_hour, 'tried': s.tried, 'baseline_hours': s.hours}} AS evidence,
       {{'servers': list_sort(list(DISTINCT a.server) FILTER (a.failed AND a.server IS NOT NULL)),
        'tools': list_sort(list(DISTINCT a.tool) FILTER (a.failed AND a.call_id IS NOT NULL)),
        'first_at': min(a.happened_at) FILTER (a.failed), 'last_at': max(a.happened_at) FILTER (a.failed)}} AS about
FROM surges AS s JOIN attempts AS a ON a.who = s.who AND a.happened_at BETWEEN s.peak_at - INTERVAL 10 MINUTE AND s.peak_at
GROUP BY s.who, s.peak_at, s.failures, s.tried, s.worst_hour, s.hours
"""

_REFUSED = call("get_secret", {"name": "db"}, "403 Forbidden", server="vault", principal="pat@example.com", outcome=Outcome.ERROR)

DETECTOR = Detector(
    severity=Severity.HIGH,
    techniques=("owasp-mcp:2025:MCP07", "owasp-asi:2026:ASI03", "safe-mcp:SAFE-T1304", "attack:T1110"),
    scope=Scope.PRINCIPAL,
    payloads=("result",),
    lookback=timedelta(hours=1),
    learn=LEARN,
    learn_at_once=True,
    learn_by="coalesce(principal, client_address, agent, '')",
    suspect=f"count(*) FILTER ({REFUSED}) + (SELECT count(*) FROM access WHERE outcome IN ('error', 'denied')) >= 8",
    find=FIND,
    fires_on={
        "twenty refusals in ten minutes": steady(_REFUSED, 20, timedelta(seconds=20)),
        "connections refused one after the other": [access(Outcome.ERROR, server=f"server-{n}", accessed_at=START + timedelta(seconds=5 * n)) for n in range(12)],
    },
    quiet_on={
        "three failures, then success": [*steady(_REFUSED, 3, timedelta(seconds=5)),
                                         call("get_secret", {"name": "db"}, "ok", server="vault", principal="pat@example.com")],
        "many errors that are no refusals": session(*(call("read_file", {"path": f"/data/{n}"}, "no such file", outcome=Outcome.ERROR) for n in range(20))),
        "refusals spread over a day": steady(_REFUSED, 20, timedelta(hours=1)),
    },
)
