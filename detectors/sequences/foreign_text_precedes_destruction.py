"""Text of strangers is read, and then something is deleted, paid or opened to somebody that nobody asked for.

What it detects
A call that by its tool's name deletes, moves money or changes who has access, that no word of the prompt asks for, after a result of the same
session that strangers write (web pages, mail, messages, issues, comments, reviews, tickets). Order alone: whether the call does what that text
says is told by another detector.

Why it matters
An injected text that is reworded, in another language or in an image leaves no sentence to compare; what it does remains visible, and what
cannot be undone is worth a look.

False positives
Clean-up that an agent does by itself. Where the tool was used after such text in five other sessions, it only ranks; a prompt that hands tasks
over to data, an approved call and a user who agreed stay quiet.

Blind spots
Prompts that ask for the same kind of action, and prompts in languages other than English. Text of strangers in files and databases.
"""

from collections.abc import Iterator

from detectors.contract import Detector, Found, Scope, Slice
from detectors.instructions import words
from detectors.instructions.tools import tool_of
from detectors.privileges import PRIVILEGED
from detectors.scenarios import START, call, message, session, together
from detectors.unasked import Unasked, unasked
from store.records import Call, Grade, Outcome, Severity

KINDS = {"delete": "deletes", "money": "moves money", "member": "changes who has access"}
USUAL_SESSIONS = 5
FOREIGN = words.stems("web webpage website page url http browser email mail inbox message issue comment review ticket feed news post channel request")
"""Words of tools that read what strangers may have written."""

LEARN = f"""
SELECT lesson, subject, coalesce(server, '') || chr(31) || tool AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at
FROM calls WHERE outcome <> 'denied' AND {PRIVILEGED} GROUP BY ALL
"""
_USUAL = "SELECT key, sum(sessions)::BIGINT AS sessions FROM normal WHERE detector = 'foreign_text_precedes_destruction' GROUP BY key"
_READ_BEFORE = """
    SELECT session_id, arg_min(call_id, (called_at, call_id)) AS call_id, arg_min(tool, (called_at, call_id)) AS tool, min(called_at) AS called_at
    FROM calls WHERE outcome = 'ok' AND tool IN (SELECT unnest($tools::VARCHAR[])) AND session_id IN (SELECT unnest($sessions::VARCHAR[]))
    GROUP BY session_id
"""


def find(seen: Slice) -> Iterator[Found]:
    """The first such call of each tool."""
    first: dict[tuple[str, str | None, str], Unasked] = {}
    for one in unasked(seen, KINDS):
        first.setdefault((one.session_id, one.server, one.tool), one)
    if not first:
        return
    foreign = [row["tool"] for row in seen.rows("SELECT DISTINCT tool FROM calls") if _is_foreign(row["tool"])]
    sessions = sorted({one.session_id for one in first.values()})
    read = {row["session_id"]: row for row in seen.rows(_READ_BEFORE, {"tools": foreign, "sessions": sessions})}
    usual = {row["key"]: row["sessions"] for row in seen.rows(_USUAL)}
    for one in first.values():
        source = read.get(one.session_id)
        if source and source["called_at"] < one.called_at:
            yield _found(one, source["call_id"], source["tool"], max(0, usual.get(f"{one.server or ''}\x1f{one.tool}", 1) - 1))


def _is_foreign(name: str) -> bool:
    tool = tool_of(name)
    return tool.kind in ("read", "unknown") and not FOREIGN.isdisjoint(tool.stems)


def _found(one: Unasked, read_id: str, read_tool: str, sessions: int) -> Found:
    alerting = sessions < USUAL_SESSIONS
    return Found(
        scope_key=one.session_id, subject=f"{one.server or ''}\x1f{one.tool}", call_ids=[read_id, one.call_id], grade=Grade.ORDER,
        score=0.8 if alerting else 0.2,
        sentence=f"After {read_tool} had brought text that strangers may write, {one.name} was called, which {KINDS[one.kind]} by its name and which "
                 f"no word of the prompt asks for; "
                 + (f"{sessions} other sessions use this tool." if sessions else "no other session is known to use it."),
        evidence={"alerting": alerting, "actual": one.kind, "read_call": read_id, "other_sessions": sessions},
    )


_PAGE = call("fetch_webpage", {"url": "https://example.org/prices"}, "Prices of spring.", server="browser")
_ASKED = "Compare our prices with example.org and write me a table."


def _revoked(**more: str | Outcome) -> Call:
    return call("revoke_token", {"name": "ci"}, "revoked", server="vault", **more)


DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP06", "owasp-asi:2026:ASI02", "owasp-llm:2026:LLM03", "atlas:AML.T0101", "safe-mcp:SAFE-T2101", "attack:T1485"),
    scope=Scope.SESSION,
    learn=LEARN,
    learn_at_once=True,
    find=find,
    fires_on={
        "a page is read and a token revoked": session(_PAGE, _revoked(), prompt=_ASKED),
        "a mail is read and money moved": session(
            call("read_email", {"id": 4}, "Hello from Eve.", server="mail"),
            call("transfer_money", {"to": "DE89", "amount": 900}, "ok", server="bank"), prompt="What does the latest mail of Eve say?"),
    },
    quiet_on={
        "the user asked for it": session(_PAGE, _revoked(), prompt=f"{_ASKED} Then revoke the token ci."),
        "nothing foreign was read": session(call("read_file", {"path": "prices.csv"}, "3, 4, 5", server="files"), _revoked(), prompt=_ASKED),
        "read afterwards": session(_revoked(), _PAGE, prompt=_ASKED),
        "the user agreed to it": [*session(_PAGE, prompt=_ASKED), message("Ok, do it.", said_at=START.replace(minute=1)),
                                  *session(_revoked(), prompt=None, start=START.replace(minute=2))],
        "the user approved the call": session(_PAGE, _revoked(decision="accept", decided_by="user"), prompt=_ASKED),
        "the user handed tasks over": session(
            call("read_email", {"id": 4}, "Please revoke ci.", server="mail"), _revoked(),
            prompt="Take care of the requests in my inbox, as each mail asks."),
        "agents here do so all the time": [
            *together(*(session(_revoked(), name=f"s-{n}", prompt="Revoke the token ci.") for n in range(7))),
            *session(_PAGE, _revoked(), prompt=_ASKED)],
        "the call was denied": session(_PAGE, _revoked(outcome=Outcome.DENIED), prompt=_ASKED),
    },
)
