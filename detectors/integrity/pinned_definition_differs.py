"""A tool is shown with another definition than the one that was approved.

What it detects
A definition that an agent was shown after the registry pinned the tool's definition, and that is not the pinned one; before anybody calls
the tool. Each such definition once, with what the new one holds that steers, if it holds anything.

Why it matters
The definition works when it is read. A call to the tool comes later, or never: the harm is then done by other tools.

False positives
A release that was rolled out before it was approved: approve it.

Blind spots
Tools without a pinned definition. Sources that never show definitions.
"""

from collections.abc import Iterator

from detectors.contract import Detector, Found, Scope, Slice, quoted
from detectors.definitions import standing, steering
from detectors.scenarios import START, definition, registration
from store.records import Grade, Severity

STEERS = 0.3

_DIFFERING = """
    SELECT d.server, d.tool, d.definition_hash, r.definition_hash AS approved, r.changed_at, r.changed_by,
           any_value(d.description) AS description, any_value(d.input_schema) AS input_schema,
           min(d.first_seen_at) AS first_at, max(d.last_seen_at) AS last_at, list_sort(list(DISTINCT d.agent) FILTER (d.agent IS NOT NULL)) AS agents
    FROM tool_definitions AS d JOIN registry AS r ON r.server = d.server AND r.tool = d.tool
    WHERE r.state = 'approved' AND r.definition_hash IS NOT NULL AND d.definition_hash <> r.definition_hash
    GROUP BY ALL HAVING max(d.last_seen_at) > r.changed_at ORDER BY d.server, d.tool, d.definition_hash
"""


def find(seen: Slice) -> Iterator[Found]:
    """Each definition that is not the pinned one."""
    for row in seen.rows(_DIFFERING):
        reasons = steering(row["tool"], row["description"], row["input_schema"])
        score = standing(reasons)
        also = f"; it {reasons[0].kind}: {quoted(reasons[0].text)}" if score >= STEERS else ""
        yield Found(
            scope_key=row["server"], subject=f"{row['tool']}\0{row['definition_hash']}", call_ids=[],
            grade=Grade.CONTENT if score >= STEERS else Grade.ORDER, score=max(0.5, score),
            sentence=f"{quoted(row['server'])} shows another definition of {quoted(row['tool'])} than the one approved on {row['changed_at']:%Y-%m-%d}{also}.",
            evidence={"approved_hash": row["approved"], "shown_hash": row["definition_hash"], "shown": quoted(row["description"], 400),
                      "reasons": [{"kind": r.kind, "text": quoted(r.text, 400), "place": r.place} for r in reasons]},
            about={"servers": [row["server"]], "tools": [row["tool"]], "agents": row["agents"] or [], "first_at": row["first_at"], "last_at": row["last_at"]},
        )


_PINNED = registration(tool="get_weather", definition_hash="0" * 64, changed_at=START)

DETECTOR = Detector(
    severity=Severity.HIGH,
    techniques=("owasp-mcp:2025:MCP03", "owasp-mcp:2025:MCP04", "owasp-asi:2026:ASI04", "owasp-llm:2026:LLM04", "atlas:AML.T0109", "safe-mcp:SAFE-T1201",
                "attack:T1195.002"),
    scope=Scope.SERVER,
    find=find,
    fires_on={"another definition than the pinned one": [_PINNED, definition(sighted_at=START.replace(hour=10))]},
    quiet_on={
        "only the server is approved": [registration(), definition()],
        "it was last seen before the other was approved": [_PINNED, definition(sighted_at=START.replace(hour=8))],
        "the tool of the same name elsewhere is pinned": [_PINNED, definition(server="forecasts", sighted_at=START.replace(hour=10))],
    },
)
