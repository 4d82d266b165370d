"""One place fails to get in under many names.

What it detects
At one server, connections or calls from one client address (else one agent) refused for five principals or more within an hour, and refused
for most of the principals that came from there.

Why it matters
Guessing one password for many accounts stays below every account's own limit; only the place where it comes from shows it.

False positives
A proxy or an office behind one address while the identity provider is down: then nearly everybody fails, also those from elsewhere, and the
finding stays quiet.

Blind spots
Attempts that are spread over addresses or hours, and sources that tell neither address nor principal. One principal that fails everywhere is
told by `access_failures_surge`.
"""

from datetime import timedelta

from detectors.contract import Detector, Scope
from detectors.refusals import REFUSED
from detectors.scenarios import START, access
from store.records import Access, Outcome, Severity

PRINCIPALS_AT_LEAST = 5
"""As many as one person or service hardly has accounts on one server."""

FIND = f"""
WITH attempts AS (
    SELECT coalesce(server, '') AS server, coalesce(client_address, agent) AS place, principal, accessed_at AS happened_at, NULL AS call_id,
           outcome IN ('error', 'denied') AS failed
    FROM access WHERE principal IS NOT NULL
    UNION ALL
    SELECT coalesce(server, ''), coalesce(client_address, agent), principal, called_at, call_id, {REFUSED} FROM calls WHERE principal IS NOT NULL
), tried AS (
    SELECT server, place, date_trunc('hour', happened_at) AS hour, principal, bool_or(failed) AS failed, bool_or(NOT failed) AS got_in
    FROM attempts WHERE place IS NOT NULL GROUP BY ALL
), places AS (
    SELECT server, place, hour, count(*) FILTER (failed) AS refused, count(*) AS principals, count(*) FILTER (failed AND got_in) AS entered
    FROM tried GROUP BY ALL
), elsewhere AS (
    SELECT p.server, p.place, p.hour, count(t.principal) AS others, count(t.principal) FILTER (t.failed) AS others_refused
    FROM places AS p LEFT JOIN tried AS t ON t.server = p.server AND t.hour = p.hour AND t.place <> p.place
    WHERE p.refused >= {PRINCIPALS_AT_LEAST} GROUP BY ALL
)
SELECT p.server AS scope_key, p.place || chr(31) || strftime(p.hour, '%Y-%m-%dT%H') AS subject,
       coalesce(list(a.call_id ORDER BY a.happened_at, a.call_id) FILTER (a.failed AND a.call_id IS NOT NULL)[:50], []) AS call_ids,
       CASE WHEN p.entered > 0 THEN 4 ELSE 3 END AS grade, least(1.0, 0.5 + p.refused / 20.0) AS score,
       'From ' || printed(p.place) || ' ' || p.refused || ' of ' || p.principals || ' principals were refused at ' || printed(p.server)
           || ' within an hour; ' || CASE WHEN e.others = 0 THEN 'nobody came from elsewhere then'
               ELSE 'of ' || e.others || ' from elsewhere ' || e.others_refused || ' were' END
           || CASE WHEN p.entered > 0 THEN ', and ' || p.entered || ' got in in the end.' ELSE '.' END AS sentence,
       {{'actual': p.refused, 'principals': p.principals, 'got_in': p.entered, 'elsewhere': e.others, 'elsewhere_refused': e.others_refused}} AS evidence,
       {{'servers': [nullif(p.server, '')], 'first_at': min(a.happened_at), 'last_at': max(a.happened_at)}} AS about
FROM places AS p JOIN elsewhere AS e USING (server, place, hour)
JOIN attempts AS a ON a.server = p.server AND a.place = p.place AND date_trunc('hour', a.happened_at) = p.hour
WHERE p.refused >= {PRINCIPALS_AT_LEAST} AND p.refused * 2 > p.principals AND e.others_refused * 2 <= e.others
GROUP BY p.server, p.place, p.hour, p.refused, p.principals, p.entered, e.others, e.others_refused
"""


def _tried(n: int, outcome: Outcome = Outcome.DENIED, address: str = "203.0.113.9", minutes: int = 1) -> list[Access]:
    return [access(outcome, principal=f"user{i}@example.com", client_address=address, method="authenticate",
                   accessed_at=START + timedelta(minutes=minutes * i)) for i in range(n)]


DETECTOR = Detector(
    severity=Severity.HIGH,
    techniques=("owasp-mcp:2025:MCP07", "owasp-asi:2026:ASI03", "attack:T1110"),
    scope=Scope.SERVER,
    payloads=("result",),
    lookback=timedelta(hours=1),
    suspect=f"count(*) FILTER ({REFUSED}) + (SELECT count(*) FROM access WHERE outcome IN ('error', 'denied')) >= {PRINCIPALS_AT_LEAST}",
    find=FIND,
    fires_on={
        "eight names from one address": _tried(8),
        "and one gets in": [*_tried(8), *_tried(1, Outcome.OK)],
    },
    quiet_on={
        "one name, again and again": [access(Outcome.DENIED, client_address="203.0.113.9", accessed_at=START + timedelta(seconds=n)) for n in range(20)],
        "an office that gets in": [*_tried(8, Outcome.OK), *_tried(2)],
        "the identity provider is down": [*_tried(8), *(record for n in range(4) for record in _tried(8, address=f"198.51.100.{n}"))],
        "four names": _tried(4),
        "spread over days": _tried(8, minutes=600),
    },
)
