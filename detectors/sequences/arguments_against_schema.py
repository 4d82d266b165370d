"""Arguments that the tool's own schema does not declare.

What it detects
A call that carries a longer text, or a whole structure, in an argument that the tool declares nowhere, or that its schema forbids, and that
goes well. Wrong types, values outside an enum, missing arguments and short unknown ones only rank: models make such slips every day.

Why it matters
An argument that is not declared is a way out that no review of the schema shows: a poisoned text tells the agent to add it, and the server
reads it. Calls that fit no schema also show an agent that has lost its way.

False positives
Servers that accept more than they declare (`metadata`, `options`), clients that add fields of their own: what most of a tool's calls carry
is left out.

Blind spots
Sources that never show definitions; arguments that were not captured; what hides inside a declared argument.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from detectors.contract import Detector, Found, Scope, Slice, quoted
from detectors.scenarios import START, call, definition, session
from detectors.schemas import Misfit, allowed
from store.records import Call, Grade, Outcome, Record, Severity

_CALLS = """
    WITH declared AS (
        SELECT server, tool, agent, input_schema, first_seen_at FROM tool_definitions WHERE input_schema LIKE '%"properties"%' AND len(input_schema) < 100000
    ), shapes AS (
        SELECT c.session_id, c.call_id, c.server, c.tool, c.called_at, c.outcome, c.arguments, d.input_schema
        FROM calls AS c ASOF JOIN declared AS d ON d.server IS NOT DISTINCT FROM c.server AND d.tool = c.tool AND d.agent IS NOT DISTINCT FROM c.agent
             AND c.called_at >= d.first_seen_at
        WHERE c.session_id IS NOT NULL AND c.arguments_state = 'captured' AND c.outcome <> 'denied' AND coalesce(c.decision, '') <> 'reject'
    )
    SELECT * FROM shapes
    WHERE len(arguments) <= 2000 OR (CASE WHEN json_valid(arguments) AND json_valid(input_schema)
          THEN NOT list_has_all(json_keys(input_schema, '$.properties'), json_keys(arguments)) ELSE false END)
    ORDER BY session_id, called_at, call_id
"""
"""Longer arguments are read only where they hold an undeclared name: a slip of type in them says too little."""
LONG = 200
"""Characters from which on a text is no flag, name or number that a model made up."""
USUAL = 0.5
"""An unknown argument that so many calls of a tool carry (of five at least) is a client's custom."""
FEW = 5
_RANKS = {"unknown": 0.15, "type": 0.1, "enum": 0.1, "missing": 0.05}
_CARRIES, _FORBIDDEN = 0.6, 0.75


def find(seen: Slice) -> Iterator[Found]:
    """For each session and tool, the argument that fits least."""
    judged: dict[tuple[str, str], list[tuple[float, dict[str, Any], Misfit, Any]]] = defaultdict(list)
    calls: Counter[tuple[str, str]] = Counter()
    for row in seen.rows(_CALLS):
        schema, arguments = allowed(row["input_schema"]), _loaded(row["arguments"])
        if schema is None or arguments is None:
            continue
        key = row["session_id"], f"{row['server'] or ''}\0{row['tool']}"
        calls[key] += 1
        for misfit in schema.misfits(arguments):
            value = arguments.get(misfit.name)
            size = len(value) if isinstance(value, str) else len(json.dumps(value))
            carries = misfit.kind == "unknown" and size >= LONG and row["outcome"] != Outcome.ERROR
            score = (_FORBIDDEN if schema.closed else _CARRIES) if carries else _RANKS[misfit.kind]
            judged[key].append((score, row, misfit, value))
    for key, found in sorted(judged.items()):
        customs = {name for name, n in Counter(m.name for _, _, m, _ in found if m.kind == "unknown").items() if calls[key] >= FEW and n >= USUAL * calls[key]}
        kept = [one for one in found if one[2].name not in customs]
        if kept:
            yield _found(*max(kept, key=lambda one: (one[0], one[1]["called_at"], one[1]["call_id"], one[2].name)))


def _loaded(arguments: str | None) -> dict[str, Any] | None:
    try:
        loaded = json.loads(arguments or "")
    except (ValueError, RecursionError):
        return None
    return loaded if isinstance(loaded, dict) else None


def _found(score: float, row: dict[str, Any], misfit: Misfit, value: Any) -> Found:
    alerting = score >= _CARRIES
    carried = f" and carries {len(value if isinstance(value, str) else json.dumps(value)):,} characters" if alerting else ""
    return Found(
        scope_key=row["session_id"], subject=f"{row['server'] or ''}\0{row['tool']}", call_ids=[row["call_id"]],
        grade=Grade.CONTENT if alerting else Grade.ORDER, score=score,
        sentence=f"Argument {quoted(misfit.name)} of {quoted(row['tool'])} {misfit.what}{carried}.",
        evidence={"alerting": alerting, "kind": misfit.kind, "argument": quoted(misfit.name), "value": quoted(value if isinstance(value, str) else json.dumps(value), 400)},
    )


_NOTES = "The director has 91,000 a year, the two leads have 74,500 and 72,300, all others between 48,000 and 61,000. " * 3
_CLOSED = json.dumps({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "additionalProperties": False})


def _asked(schema: str = _CLOSED, times: int = 1, later: timedelta = timedelta(0), outcome: Outcome = Outcome.OK, **arguments: Any) -> list[Record]:
    calls: list[Call] = [call("get_weather", {"city": "Oslo", **arguments}, outcome=outcome) for _ in range(times)]
    return [definition(input_schema=schema, sighted_at=START + later), *session(*calls)]


DETECTOR = Detector(
    severity=Severity.MEDIUM,
    techniques=("owasp-mcp:2025:MCP03", "owasp-mcp:2025:MCP10", "owasp-asi:2026:ASI02", "owasp-llm:2026:LLM02", "atlas:AML.T0086", "safe-mcp:SAFE-T1501",
                "safe-mcp:SAFE-T1911"),
    scope=Scope.SESSION,
    needs=("tool_definitions",),
    find=find,
    fires_on={
        "a report in an argument that the schema forbids": _asked(sidenote=_NOTES),
        "a structure in one that nobody declared": _asked(_CLOSED.replace("false", "true"), context={"lines": [_NOTES]}),
    },
    quiet_on={
        "a short unknown argument": _asked(unit="celsius"),
        "a number as a text": _asked(days="three"),
        "the server refused it": _asked(sidenote=_NOTES, outcome=Outcome.ERROR),
        "the call was denied": _asked(sidenote=_NOTES, outcome=Outcome.DENIED),
        "every call of the client carries it": _asked(times=6, session_context=_NOTES),
        "a declared argument with a long text": _asked(json.dumps({"properties": {"city": {}, "note": {"type": "string"}}}), note=_NOTES),
        "the schema was shown only afterwards": _asked(later=timedelta(minutes=1), sidenote=_NOTES),
    },
)
