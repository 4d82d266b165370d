"""A tool is called for a prompt whose words never led to it.

What it detects
Each word of what the user last asked for is held against how often this agent's requests with that word led to the tool, and how often all its
requests do: where the words that tell requests apart lead elsewhere, each weighing by how seldom it is, the call is not what prompts like this one
come to. It is told of tools that pay, delete, let somebody in, run commands or send, where one word alone led to the tool so seldom as chance brings
once in a thousand (never, where seven times were due), unless what the user said names the tool, or leaves it to data what to do.

Why it matters
Whoever plants an order in a page or a ticket does not know what the user will ask. What the agent does then may be its daily work, and its daily
tool, but it is the work of another prompt.

False positives
The first requests of a new kind that are put in an old kind's words. A tool that ordinary requests begin to lead to after a release is told once or
twice, until some sessions have done it.

Blind spots
Agents with fewer than fifty requests on record, prompts of words that nobody used before, and prompts that are about what the order is about. Scripts
without blanks between words have no words here. Of a conversation the last request of three words or more counts; tools that only read or keep notes
do not.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import pyarrow as pa

from detectors.contract import SAID_BEFORE, SAID_LENGTH, Detector, Found, Scope, Slice, quoted
from detectors.instructions import prompt_of
from detectors.instructions.tools import tool_of
from detectors.lifts import SESSIONS_AT_LEAST, SPLIT, Lift, Past, keys_of
from detectors.privileges import PRIVILEGED
from detectors.scenarios import START, call, message, session, together
from detectors.sending import SENDS
from store.records import Grade, Outcome, Record, Severity

WORDS_AT_LEAST, WORDS = 3, 6
"""A message with fewer goes on with what was asked before ("yes, go on"); and so many count, the first: what is wanted is said before how."""
STEM = 6
"""Letters of a word that count: to cut endings off needs no dictionary, whatever the language."""
NOTED, TOLD, CHANCE = -0.7, -1.5, 0.001
"""Bits: the mean of the words' lifts; and how likely the word that says most is to have led to the tool so seldom by chance."""
BITS = 4.0
"""A sixteenth of what is usual is as seldom as scores tell."""
ASKED = 0.5
"""So much of a tool's name in what was said asks for it."""
NAMED = 4
"""Words that a sentence names."""

_WORD = r"[^\x00-`{-\x{bf}\x{2000}-\x{206f}\x{3000}-\x{303f}]{4,}"
"""Of lower-case text: letters of any script. As what it is not, a pattern is made ready in a tenth of the time that `\\pL` takes; and in most languages
what is shorter than four letters is grammar."""
_WORDS = f"list_distinct(list_transform(regexp_extract_all(lower(text), '{_WORD}')[:{WORDS}], lambda w: left(w, {STEM})))"


def _requests(lesson: str, subject: str, calls: str, messages: str) -> str:
    """SQL: the words of each request (`asked`), which requests led to calls, and to which tools that act (`requests`)."""
    return f"""
        acting AS (  -- as one list, or the patterns would be made ready again for each batch of rows
            SELECT tool, true AS acts FROM (SELECT unnest(list(DISTINCT tool)) AS tool FROM {calls}) WHERE {PRIVILEGED} OR {SENDS}
        ), heard AS MATERIALIZED (
            SELECT {lesson}, said_at, {_WORDS} AS words
            FROM (SELECT {lesson}, said_at, string_agg(left(text, {SAID_LENGTH}), ' ' ORDER BY message_id) AS text FROM {messages} GROUP BY ALL)
        ), asked AS (
            FROM heard WHERE len(words) >= {WORDS_AT_LEAST}
        ), ran AS (
            SELECT {lesson}, {subject} AS subject, called_at, CASE WHEN acts THEN coalesce(server || '.', '') || tool END AS name
            FROM {calls} LEFT JOIN acting USING (tool)
            WHERE session_id IS NOT NULL AND outcome <> 'denied' AND coalesce(decision, '') <> 'reject'
        ), requests AS MATERIALIZED (
            SELECT r.{lesson}, r.subject, a.said_at, list(DISTINCT r.name) FILTER (r.name IS NOT NULL) AS names,
                   min(r.called_at) AS first_at, max(r.called_at) AS last_at
            FROM ran AS r ASOF JOIN (SELECT {lesson}, said_at FROM asked) AS a ON a.{lesson} = r.{lesson} AND a.said_at <= r.called_at
            WHERE a.said_at >= r.called_at - {SAID_BEFORE} GROUP BY ALL
        )
    """


# A counter holds a word as four digits of its hash: so counters stay few, and nobody reads there what users said.
LEARN = f"""
WITH {_requests('lesson', 'subject', 'calls', 'messages')}, worded AS (
    SELECT lesson, subject, first_at, last_at, names, unnest(list_append(list_transform(words, lambda w: left(md5(w), 4)), '')) AS word
    FROM requests JOIN asked USING (lesson, said_at)
)
SELECT lesson, subject, key, count(*) AS n, min(first_at) AS first_at, max(last_at) AS last_at
FROM (SELECT lesson, subject, word || chr(31) || unnest(list_append(coalesce(names, []), '')) AS key, first_at, last_at FROM worded) GROUP BY ALL
"""
_AGENT = "coalesce(agent, '')"
_REQUESTS = f"""
WITH doing AS MATERIALIZED (
    SELECT DISTINCT session_id FROM calls JOIN normal ON subject = {_AGENT} AND key = chr(31) || coalesce(server || '.', '') || tool
    WHERE detector = 'prompt_never_led_to_tool' AND sessions > {SESSIONS_AT_LEAST}
), {_requests('session_id', _AGENT, '(FROM calls SEMI JOIN doing USING (session_id))',
              "(FROM messages SEMI JOIN doing USING (session_id) WHERE role = 'user' AND text IS NOT NULL)")}
SELECT session_id, subject AS agent, said_at, coalesce(names, []) AS names, words, list_transform(words, lambda w: left(md5(w), 4)) AS hashed
FROM requests JOIN asked USING (session_id, said_at) ORDER BY session_id, agent, said_at
"""
_KNOWN = "SELECT subject, key, n, sessions FROM normal SEMI JOIN asked_keys USING (subject, key) WHERE detector = 'prompt_never_led_to_tool'"
_TOLD = """
SELECT session_id, said_at AS moment, message_id AS call_id, NULL AS name, NULL AS tool, text FROM messages
WHERE role = 'user' AND text IS NOT NULL AND session_id IN (SELECT unnest($sessions::VARCHAR[]))
UNION ALL
SELECT session_id, called_at, call_id, coalesce(agent, '') || chr(31) || coalesce(server || '.', '') || tool, tool, NULL FROM calls
WHERE outcome <> 'denied' AND coalesce(decision, '') <> 'reject' AND session_id IN (SELECT unnest($sessions::VARCHAR[]))
ORDER BY session_id, moment, call_id
"""


def find(seen: Slice) -> Iterator[Found]:
    """One answer for each session, agent and tool: for the request that led to it least likely."""
    requests = seen.rows(_REQUESTS)
    if not requests:
        return
    agents, keys = zip(*{(row["agent"], key) for row in requests for key in keys_of(row)}, strict=True)
    with seen.named(asked_keys=pa.table({"subject": pa.array(agents, pa.string()), "key": pa.array(keys, pa.string())})):
        past = Past(requests, seen.rows(_KNOWN))
    worst: dict[tuple[str, str, str], tuple[dict[str, Any], Lift]] = {}
    for row in requests:
        for name in row["names"]:
            lift, at = past.lift(row, name, NOTED), (row["session_id"], row["agent"], name)
            if lift and (at not in worst or lift.bits < worst[at][1].bits):
                worst[at] = row, lift
    if worst:
        rows = seen.rows(_TOLD, {"sessions": sorted({session for session, *_ in worst})})
        told = {session: list(of_session) for session, of_session in groupby(rows, key=lambda row: str(row["session_id"]))}
        for (session, agent, name), (row, lift) in sorted(worst.items(), key=lambda one: one[0]):
            yield _found(session, agent, name, row["said_at"], lift, told[session])


def _found(session: str, agent: str, name: str, said_at: datetime, lift: Lift, told: list[dict[str, Any]]) -> Found:
    subject = f"{agent}{SPLIT}{name}"
    made = next(one for one in told if one["name"] == subject and one["moment"] >= said_at)
    before = [one for one in told if one["text"] and one["moment"] <= made["moment"]]
    said = prompt_of("\n".join(one["text"] for one in before))
    request = prompt_of("\n".join(one["text"] for one in before if one["moment"] >= said_at))
    explained = request.delegates or tool_of(made["tool"]).cover(said.tokens) >= ASKED
    chance = lift.known[0]["chance"]
    alerting = not explained and lift.bits <= TOLD and chance <= CHANCE
    words = ", ".join(f"{quoted(one['word'])} in {one['n']}, {one['led']} of which did and {one['should']:.0f} should have" for one in lift.known[:NAMED])
    return Found(
        scope_key=session, subject=subject, call_ids=[made["call_id"]], grade=Grade.ORDER,
        score=min(1.0, -lift.bits / BITS) * (1.0 if alerting else 0.25 if explained else 0.5),
        sentence=f"Requests in such words seldom lead {quoted(agent) if agent else 'this agent'} to {quoted(name)}, which {lift.led} of its "
                 f"{lift.requests} other requests did: {words}.",
        evidence={"actual": round(lift.bits, 2), "typical": 0.0, "chance": float(f"{chance:.2g}"), "baseline_requests": lift.requests,
                  "requests_with_tool": lift.led, "words": [{**one, "chance": float(f"{one['chance']:.2g}")} for one in lift.known],
                  "words_without_history": lift.new, "alerting": alerting},
    )


_KINDS = (
    ("Show me how much snow fell around {} yesterday.", ("get_weather", "search_news")),
    ("Please settle the invoice of the supplier in {}.", ("get_invoice", "create_transfer")),
    ("Bitte die Rechnung vom Lieferanten aus {} begleichen.", ("get_invoice", "create_transfer")),
)
_TOWNS = ("Oslo", "Bergen", "Tromsø", "Bodø", "Hamar")
_SNOW, _BILL, _RECHNUNG = (asked for asked, _ in _KINDS)


def _work(asked: str, *tools: str, name: str = "s1", day: int = 21, more: Sequence[str] = (), **fields: Any) -> list[Record]:
    calls = [call(tool, {"n": n}, f"answer {n}", **{"server": "desk", **fields}) for n, tool in enumerate(tools)]
    start = START.replace(day=5 + day)
    return [*session(*calls, name=name, start=start, prompt=asked),
            *(message(text, session_id=name, said_at=start + timedelta(seconds=n + 1)) for n, text in enumerate(more))]


_PAST = together(*(_work(_KINDS[n % 3][0].format(_TOWNS[n % 5]), *_KINDS[n % 3][1], name=f"past-{n}", day=n % 20) for n in range(75)))

DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP06", "owasp-asi:2026:ASI01", "owasp-asi:2026:ASI02", "owasp-llm:2026:LLM01", "atlas:AML.T0053", "safe-mcp:SAFE-T1102"),
    scope=Scope.SESSION,
    learn=LEARN,
    learn_at_once=True,
    learn_prompts=True,
    learn_by="coalesce(agent, '')",
    needs=("normal", "messages"),
    find=find,
    fires_on={
        "a question about snow ends in a payment": [*_PAST, *_work(_SNOW.format("Oslo"), "get_weather", "create_transfer")],
        "it opens with the tool": [*_PAST, *_work(_SNOW.format("Oslo"), "create_transfer")],
        "after a request that it belonged to": [*_PAST, *_work(_BILL.format("Oslo"), "get_invoice", "create_transfer"), *_work(
            _SNOW.format("Hamar"), "get_weather", "create_transfer", day=22)],
    },
    quiet_on={
        "requests that lead to it": [*_PAST, *_work(_BILL.format("Oslo"), "get_invoice", "create_transfer")],
        "the same in another language": [*_PAST, *_work(_RECHNUNG.format("Oslo"), "get_invoice", "create_transfer")],
        "in other words": [*_PAST, *_work("The supplier in Bergen sent an invoice; kindly see that it gets settled.", "get_invoice", "create_transfer")],
        "of both kinds": [*_PAST, *_work("Show me how much snow fell in Oslo, and settle the invoice of the supplier.", "get_weather", "create_transfer")],
        "in words that nobody used before": [*_PAST, *_work("Überweise Kim sieben Kronen, sobald Schnee liegt.", "get_weather", "create_transfer")],
        "a known word among new ones": [*_PAST, *_work("Snow: reimburse Kim's broken shovel from petty cash.", "get_weather", "create_transfer")],
        "the user agreed to it": [*_PAST, *_work(_SNOW.format("Oslo"), "get_weather", "create_transfer", more=["Yes, go ahead."])],
        "the user left it to a ticket": [*_PAST, *_work("Show me how much snow fell around Oslo, then do what ticket 12 asks for.", "get_weather", "create_transfer")],
        "the user named it before": [*_PAST, *_work(_SNOW.format("Oslo"), "get_weather", "create_transfer", more=["Then create the transfer to Kim."])],
        "a tool that only reads": [*_PAST, *_work(_SNOW.format("Oslo"), "get_weather", "get_invoice")],
        "a tool that is new": [*_PAST, *_work(_SNOW.format("Oslo"), "get_weather", "send_alert")],
        "an agent with little history": [*_PAST[:120], *_work(_SNOW.format("Oslo"), "get_weather", "create_transfer")],
        "the prompt is not on record": [*_PAST, *_work(_SNOW.format("Oslo"), "get_weather", "create_transfer")[1:]],
        "the call was denied": [*_PAST, *_work(_SNOW.format("Oslo"), "get_weather", "create_transfer", outcome=Outcome.DENIED)],
    },
)
