"""How unusual a finding about an agent, a principal or a server is: among the days on which any of them was at work.

The unit is one agent (principal, server) on one day. As for sessions, `(1 + how many had a finding as high) / (1 + how many there were)` is a p-value
where days are exchangeable; it is worked out when a finding is first told, and stays with it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from store.database import Database
from store.records import Finding, Grade

ENOUGH = 50
"""Days of groups; with fewer, the smallest p-value there can be says too little to be shown. There are fewer agents than sessions."""
LOOKED_BACK = timedelta(days=30)
_KEPT = ("p_value", "as_high", "baseline_size", "baseline_of")

_DAYS = "SELECT count(*) FROM (SELECT DISTINCT {key} AS k, called_at::DATE AS day FROM calls WHERE called_at >= $since AND called_at <= $until)"
_AS_HIGH = """
    SELECT count(*) FROM (SELECT DISTINCT scope_key, first_called_at::DATE AS day FROM hot.findings
    WHERE detector = $detector AND scope = $scope AND score >= $score AND finding_id <> $id AND first_called_at BETWEEN $since AND $until)
"""


def among_days(database: Database, findings: Sequence[Finding], keys: Mapping[str, str]) -> list[Finding]:
    """Findings that are about no session, with their standing; the others as they are.

    keys: SQL over `calls` that names the group a call belongs to, by scope; findings of other scopes have no standing.
    """
    asked = [f for f in findings if f.session_id is None and f.scope in keys and f.first_called_at]
    if not asked:
        return list(findings)
    before = {
        row["finding_id"]: (row["score"], json.loads(row["evidence"] or "{}")) for row in database.rows(
            "SELECT finding_id, score, evidence FROM hot.findings WHERE finding_id IN (SELECT unnest($ids::VARCHAR[]))",
            {"ids": [f.finding_id for f in asked]},
        )
    }
    days: dict[tuple[str, datetime], int] = {}
    made: dict[str, Finding] = {}
    for finding in asked:
        score, known = before.get(finding.finding_id, (None, {}))
        if score == finding.score and ("baseline_of" in known or "p_value" not in known):  # it may have been about one session before
            if "baseline_of" in known:
                made[finding.finding_id] = _with(finding, {name: known[name] for name in _KEPT})
            continue
        until = finding.first_called_at
        if until is None:
            continue
        between = {"since": until - LOOKED_BACK, "until": until}
        at = (finding.scope, until)
        if at not in days:
            days[at] = database.value(_DAYS.format(key=keys[finding.scope]), between) or 0
        if days[at] >= ENOUGH:
            as_high = database.value(_AS_HIGH, {
                "detector": finding.detector, "scope": finding.scope, "score": finding.score, "id": finding.finding_id, **between}) or 0
            made[finding.finding_id] = _with(finding, {
                "p_value": round((1 + as_high) / (1 + days[at]), 6), "as_high": as_high, "baseline_size": days[at],
                "baseline_of": f"days of {finding.scope}s",
            })
    return [made.get(f.finding_id, f) for f in findings]


def _with(finding: Finding, standing: Mapping[str, Any]) -> Finding:
    sentence = finding.sentence
    if standing and finding.grade < Grade.CONTENT:
        sentence += f" Of {standing['baseline_size']:,} {standing['baseline_of']} before, {standing['as_high'] or 'none'} had one as high."
    return replace(finding, sentence=sentence, evidence={**finding.evidence, **standing})
