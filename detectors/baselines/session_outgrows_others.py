"""A session grows far beyond what its agent's sessions are.

What it detects
A session with many times the calls, the different tools, the servers or the text of this agent's other sessions, or that costs many times the
tokens or the money, where calls tell them: at least five robust deviations above their median (on a logarithmic scale) and more than any of them,
once twenty others are known. From three and a half deviations on, it is noted for the session's ranking.

Why it matters
Runaway agents and fan-out show in size before anybody reads a transcript: every call may be in order, and the bill is not. An agent that tries
every tool it can reach is looking for something.

False positives
The first big job of an agent that did small ones. Conversations that go on for days.

Blind spots
Agents with fewer than twenty other sessions; sub-agents with names of their own; loops that stay below fifty calls. Tokens and costs are known
where a call's own attributes tell them; most sources tell them of the model's turns alone, which are not kept. What the calls sent and read, some
four bytes a token, stands for them there.
"""

from detectors.contract import Detector, Scope
from detectors.costs import COST, TOKENS
from detectors.scenarios import START, call, session, together
from store.records import Outcome, Record, Severity

SESSIONS_AT_LEAST = 20
LEAST = {"calls": 50, "tools": 15, "servers": 6, "kilobytes": 2_000, "tokens": 200_000, "cents": 100}
"""Smaller sessions are nobody's trouble, however small the others are."""
_NAMES = {"tools": "different tools", "kilobytes": "kilobytes of arguments and results", "cents": "cents of costs"}
NOTED, TOLD = 3.5, 5.0
"""Robust deviations: Iglewicz and Hoaglin call values unusual from 3.5 on; sizes of sessions have long tails, so more is asked to tell."""
SPREAD_AT_LEAST = 0.25
"""Of logarithms: below it, 5 deviations would be less than six times the median."""
_SIZES = f"""
    count(*) AS calls, count(DISTINCT coalesce(server, '') || chr(31) || tool) AS tools, count(DISTINCT server) AS servers,
    ((coalesce(sum(arguments_bytes), 0) + coalesce(sum(result_bytes), 0)) // 1000)::BIGINT AS kilobytes,
    coalesce(sum({TOKENS}), 0)::BIGINT AS tokens, coalesce(100 * sum({COST}), 0)::BIGINT AS cents
"""
_ALL = ", ".join(LEAST)

LEARN = f"""
SELECT lesson, subject, measure || chr(31) || CASE WHEN amount < 100 THEN amount ELSE round(amount, 1 - floor(log10(amount))::INT)::BIGINT END AS key,
       1 AS n, first_at, last_at
FROM (UNPIVOT (SELECT lesson, subject, {_SIZES}, min(called_at) AS first_at, max(called_at) AS last_at FROM calls WHERE session_id IS NOT NULL AND outcome <> 'denied' GROUP BY lesson, subject)
      ON {_ALL} INTO NAME measure VALUE amount) WHERE amount > 0
"""

LARGE = f"""
    SELECT session_id, coalesce(agent, '') AS agent, {_SIZES} FROM calls WHERE session_id IS NOT NULL AND outcome <> 'denied' GROUP BY 1, 2
    HAVING {' OR '.join(f"{measure} >= {least}" for measure, least in LEAST.items())}
"""

FIND = f"""
WITH large AS ({LARGE}), measured AS (
    SELECT * FROM (UNPIVOT large ON {_ALL} INTO NAME measure VALUE amount)
    WHERE amount >= CASE measure {' '.join(f"WHEN '{measure}' THEN {least}" for measure, least in LEAST.items())} END
), known AS (
    SELECT subject AS agent, split_part(key, chr(31), 1) AS measure, split_part(key, chr(31), 2)::BIGINT AS amount, sessions FROM normal
    WHERE detector = 'session_outgrows_others' AND subject IN (SELECT agent FROM measured)
), middle AS (
    SELECT agent, measure, min(amount) FILTER (upto * 2 >= total) AS typical, max(total) AS sessions
    FROM (SELECT *, sum(sessions) OVER (PARTITION BY agent, measure ORDER BY amount) AS upto,
                 sum(sessions) OVER (PARTITION BY agent, measure) AS total
          FROM known) GROUP BY agent, measure
), spread AS (
    SELECT agent, measure, min(apart) FILTER (upto * 2 >= total) AS spread
    FROM (SELECT agent, measure, apart, sum(known.sessions) OVER (PARTITION BY agent, measure ORDER BY apart) AS upto,
                 sum(known.sessions) OVER (PARTITION BY agent, measure) AS total
          FROM (SELECT k.*, abs(ln(k.amount) - ln(m.typical)) AS apart FROM known AS k JOIN middle AS m USING (agent, measure)) AS known)
    GROUP BY agent, measure
), judged AS (
    SELECT d.session_id, d.agent, d.measure, d.amount, m.typical, (m.sessions - 1)::BIGINT AS others,
           robust_z(ln(d.amount), ln(m.typical), s.spread, {SPREAD_AT_LEAST}) AS z,
           coalesce((SELECT max(k.amount) FROM known AS k
                     WHERE k.agent = d.agent AND k.measure = d.measure AND k.amount < 0.94 * d.amount), m.typical) AS largest,
           (SELECT coalesce(sum(k.sessions), 0) FROM known AS k
            WHERE k.agent = d.agent AND k.measure = d.measure AND k.amount >= 0.94 * d.amount) AS as_large
    FROM measured AS d JOIN middle AS m USING (agent, measure) JOIN spread AS s USING (agent, measure)
    WHERE m.sessions > {SESSIONS_AT_LEAST}
)
SELECT j.session_id AS scope_key, j.agent || chr(31) || j.measure AS subject,
       list(c.call_id ORDER BY c.called_at, c.seq, c.call_id)[-20:] AS call_ids, 1 AS grade, least(1.0, 0.4 + j.z / 20.0) AS score,
       'The session of ' || printed(CASE j.agent WHEN '' THEN 'an unnamed agent' ELSE j.agent END) || ' has ' || j.amount || ' '
           || CASE j.measure {' '.join(f"WHEN '{measure}' THEN '{name}'" for measure, name in _NAMES.items())} ELSE j.measure END || ', where half of its ' || j.others || ' others have at most '
           || j.typical || ' and the largest smaller one ' || j.largest
           || CASE WHEN j.as_large <= 1 THEN '; none is as large.' ELSE '.' END AS sentence,
       {{'actual': j.amount, 'typical': j.typical, 'range': [1, j.largest], 'deviations': round(j.z, 2), 'baseline_sessions': j.others,
        'measure': j.measure, 'alerting': j.z >= {TOLD} AND j.as_large <= 1}} AS evidence
FROM judged AS j JOIN calls AS c ON c.session_id = j.session_id AND coalesce(c.agent, '') = j.agent AND c.outcome <> 'denied'
WHERE j.z >= {NOTED}
GROUP BY j.session_id, j.agent, j.measure, j.amount, j.typical, j.others, j.z, j.largest, j.as_large
"""  # counters of large sessions are rounded to two digits, hence 0.94: as large, as far as is known


def _sized(name: str, calls: int, tools: int = 4, day: int = 0, **more: Outcome) -> list[Record]:
    return session(*(call(f"tool_{n % tools}", {"n": n}, f"answer {n}", **more) for n in range(calls)), name=name, start=START.replace(day=5 + day))


_PAST = together(*(_sized(f"past-{n}", 2 + (n % 3 == 0), day=n % 20) for n in range(22)))


def _paid(attributes: str, name: str = "s1", day: int = 21) -> list[Record]:
    return session(*(call("ask", {"n": n}, f"answer {n}", attributes=attributes) for n in range(4)), name=name, start=START.replace(day=5 + day))


_CHEAP = together(*(_paid('{"gen_ai.usage.input_tokens": 900, "gen_ai.usage.output_tokens": 100, "cost_usd": 0.02}', f"past-{n}", n % 20)
                    for n in range(22)))

DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP06", "owasp-asi:2026:ASI08", "owasp-asi:2026:ASI10", "owasp-llm:2026:LLM06", "atlas:AML.T0034.002",
                "safe-mcp:SAFE-T1106", "safe-mcp:SAFE-T2102", "attack:T1499"),
    scope=Scope.SESSION,
    learn=LEARN,
    learn_at_once=True,
    learn_by="coalesce(agent, '')",
    needs=("normal",),
    suspect=f"""count(*) >= {LEAST['tools']} OR count(DISTINCT server) >= {LEAST['servers']}
        OR sum(coalesce(arguments_bytes, 0) + coalesce(result_bytes, 0)) >= {LEAST['kilobytes']} * 1000
        OR bool_or(contains(attributes, 'tokens') OR contains(attributes, 'token_count') OR contains(attributes, 'cost'))""",
    find=FIND,
    fires_on={
        "sixty calls where two are usual": [*_PAST, *_sized("s1", 60, day=21)],
        "calls that tell many tokens": [*_CHEAP, *_paid('{"gen_ai.usage.input_tokens": 90000, "gen_ai.usage.output_tokens": 10000}')],
        "calls that tell high costs": [*_CHEAP, *_paid('{"cost_usd": 2.5}')],
        "every tool is tried": [*_PAST, *_sized("s1", 24, tools=24, day=21)],
    },
    quiet_on={
        "a few times as large": [*_PAST, *_sized("s1", 10, day=21)],
        "an agent without history": _sized("s1", 60),
        "tokens as ever": [*_CHEAP, *_paid('{"gen_ai.usage.total_tokens": 1200, "cost_usd": 0.03}')],
        "a number that counts no tokens": [*_CHEAP, *_paid('{"max_tokens": 4000000, "token_id": 99999999}')],
        "another session was as large": [*_PAST, *_sized("past-60", 60, day=20), *_sized("s1", 60, day=21)],
        "sessions of all sizes": [*together(*(_sized(f"past-{n}", 2 + n * n // 20, day=n % 20) for n in range(22))), *_sized("s1", 60, day=21)],
        "the calls were denied": [*_PAST, *_sized("s1", 60, day=21, outcome=Outcome.DENIED)],
    },
)
