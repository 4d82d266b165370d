"""A tool is called that requests like this one never needed.

What it detects
Requests are alike that an agent opens with the same tool: that first call follows from what the user said alone, as no result has been read yet. A
tool is told that the agent uses for other requests, so often that seven or more of those like this one should have needed it, and none did
(pointwise mutual information, corrected for rarity by what chance would bring); it pays, deletes, sends, lets somebody in or runs commands, and the
user's words do not ask for it. Otherwise it is noted for the session's ranking.

Why it matters
A hijacked agent uses what it has. The tool is no stranger to it, but a stranger to this kind of work: payments are made every day, and never after
a question about the weather.

False positives
A request that ends in something new; the first one of a new kind of work that opens like an old kind. Users who agree to a proposal in the agent's
words.

Blind spots
Agents with fewer than fifty other sessions; kinds of request that all open with one tool; tools that are rare with the agent altogether, which
others tell of. Where the prompt was not recorded, or is in another language than English, it only ranks.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from math import exp, log2
from typing import Any

from detectors.contract import Detector, Found, Scope, Slice
from detectors.instructions import prompt_of, words
from detectors.instructions.tools import tool_of
from detectors.scenarios import START, call, session, together
from store.records import Call, Grade, Outcome, Record, Severity

SESSIONS_AT_LEAST = 50
NOTED, TOLD = 4.0, 7.0
"""Sessions that should have used the tool, where none did: by chance that comes in one of 50 and one of 1,000."""
ASKED = 0.5
"""So much of a tool's name in the prompt asks for it."""

_OPENED = """
    SELECT session_id, call_id, called_at, seq, agent, tool, name, first_value(name) OVER (PARTITION BY session_id, agent ORDER BY called_at, seq, call_id)
               AS opening
    FROM (SELECT *, coalesce(server || '.', '') || tool AS name
          FROM (SELECT session_id, call_id, called_at, seq, coalesce(agent, '') AS agent, server, tool FROM calls
                WHERE session_id IS NOT NULL AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject'))
"""
LEARN = f"""
SELECT lesson, subject, opening || chr(31) || name AS key, 1 AS n, min(called_at) AS first_at, max(called_at) AS last_at FROM ({_OPENED.replace('SELECT session_id', 'SELECT lesson, subject, session_id')}) GROUP BY ALL
"""
_NEW = f"""
SELECT session_id, agent, opening, name, any_value(tool) AS tool, arg_min(call_id, (called_at, seq, call_id)) AS call_id
FROM ({_OPENED}) AS o LEFT JOIN (SELECT subject, key, sessions FROM normal WHERE detector = 'request_never_needed_tool') AS n
  ON n.subject = o.agent AND n.key = o.opening || chr(31) || o.name
WHERE o.name <> o.opening AND coalesce(n.sessions, 0) <= 1 GROUP BY ALL ORDER BY agent, session_id, name
"""
_KNOWN = """
SELECT split_part(key, chr(31), 1) AS opening, split_part(key, chr(31), 2) AS name, sessions FROM normal
WHERE detector = 'request_never_needed_tool' AND subject = $agent
"""
_PROMPTS = "SELECT call_id, prompt FROM steps WHERE call_id IN (SELECT unnest($calls::VARCHAR[]))"


def find(seen: Slice) -> Iterator[Found]:
    """One answer for each session and tool that is new to its kind of request."""
    for agent, rows in groupby(seen.rows(_NEW), key=lambda row: str(row["agent"])):
        opened: dict[str, int] = defaultdict(int)
        used: dict[str, int] = defaultdict(int)
        for r in seen.rows(_KNOWN, {"agent": agent}):
            used[r["name"]] += r["sessions"]
            opened[r["opening"]] += r["sessions"] if r["opening"] == r["name"] else 0
        others = sum(opened.values()) - 1
        suspects = [(row, (opened[row["opening"]] - 1) * (used[row["name"]] - 1) / others) for row in rows if others >= SESSIONS_AT_LEAST]
        if suspects := [(row, expected) for row, expected in suspects if expected >= NOTED]:
            prompts = {r["call_id"]: r["prompt"] for r in seen.rows(_PROMPTS, {"calls": [row["call_id"] for row, _ in suspects]})}
            for row, expected in suspects:
                yield _found(row, expected, prompts.get(row["call_id"]) or "", opened[row["opening"]] - 1, used[row["name"]] - 1, others)


def _found(row: dict[str, Any], expected: float, prompt: str, alike: int, used: int, others: int) -> Found:
    asked, tool = prompt_of(prompt), tool_of(row["tool"])
    explained = asked.delegates or tool.cover(asked.tokens) >= ASKED
    acts = tool.carrier or (tool.kind in words.SIDE_EFFECTS and tool.kind != "write")  # notes and drafts are how agents work
    understood = not asked.tokens.isdisjoint(words.ACTIONS | words.READS)  # of another language nobody here can say what it asks for
    alerting = understood and not explained and expected >= TOLD and acts
    return Found(
        scope_key=row["session_id"], subject=f"{row['agent']}\x1f{row['name']}", call_ids=[row["call_id"]], grade=Grade.ORDER,
        score=0.6 if alerting else 0.1 if explained else 0.3,
        sentence=f"None of {alike} other requests of {row['agent'] or 'this agent'} that open with {row['opening']} needed {row['name']}, which {used} "
                 f"of {others} other sessions use; some {expected:.0f} should have{', and the user did not ask for it' if alerting else ''}.",
        evidence={"actual": 0, "typical": round(expected, 1), "chance": float(f"{exp(-expected):.2g}"), "mutual_information": round(-log2(1 + expected), 2),
                  "opening": row["opening"], "like_this_one": alike, "sessions_with_tool": used, "baseline_sessions": others, "alerting": alerting},
    )


def _work(*tools: str, name: str = "s1", day: int = 0, prompt: str | None = "Show me how much snow there is in Oslo.", **more: Outcome) -> list[Record]:
    calls: list[Call] = [call(tool, {"n": n}, f"answer {n}", server="desk", **more) for n, tool in enumerate(tools)]
    return session(*calls, name=name, start=START.replace(day=5 + day), prompt=prompt)


_KINDS = (("get_weather", "search_news"), ("get_invoice", "create_transfer"), ("get_invoice", "search_news"))
_PAST = together(*(_work(*_KINDS[n % 3], name=f"past-{n}", day=n % 20) for n in range(66)))

DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP06", "owasp-asi:2026:ASI01", "owasp-asi:2026:ASI02", "owasp-llm:2026:LLM03", "atlas:AML.T0053", "safe-mcp:SAFE-T1104"),
    scope=Scope.SESSION,
    learn=LEARN,
    learn_at_once=True,
    learn_by="coalesce(agent, '')",
    needs=("normal",),
    suspect="count(*) > 1",
    find=find,
    fires_on={"a question about the weather ends in a payment": [*_PAST, *_work("get_weather", "create_transfer", day=21)]},
    quiet_on={
        "the user asked for it": [*_PAST, *_work("get_weather", "create_transfer", day=21, prompt="If it snows in Oslo, transfer 7 EUR to Kim.")],
        "the prompt is not on record": [*_PAST, *_work("get_weather", "create_transfer", day=21, prompt=None)],
        "a kind of request that needs it": [*_PAST, *_work("get_invoice", "create_transfer", day=21, prompt="Is invoice 7 right?")],
        "a tool that only reads": [*together(*(_work(*(("get_weather",), ("get_invoice", "search_news"))[n % 2], name=f"past-{n}", day=n % 20)
                                              for n in range(66))), *_work("get_weather", "search_news", day=21)],
        "an agent with little history": [*_PAST[:100], *_work("get_weather", "create_transfer", day=21)],
        "the call was denied": [*_PAST, *_work("get_weather", "create_transfer", day=21, outcome=Outcome.DENIED)],
    },
)
