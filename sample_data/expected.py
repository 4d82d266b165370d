"""What the recording must lead to: `expected_findings.json`, the findings that alert, no more and no less.

Their sentences are left out: how many destinations an agent knew at the time depends on which export came first. So are low findings of baselines: at
what moment of two weeks in half a minute enough of the past is known depends on the machine.

`python -m sample_data.expected WORKSPACE` writes it from a workspace that a demonstration left; read the difference before keeping it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from detectors.registry import detectors
from store.records import Severity
from toolhound import Workspace

HERE = Path(__file__).parent
EXPECTED = HERE / "expected_findings.json"
STAGED = HERE / "recorded" / "staged.json"
QUESTION = """
    SELECT detector, severity, scope, scope_key, session_id, tools, evidence
    FROM findings WHERE coalesce((evidence ->> '$.alerting')::BOOLEAN, true)
"""


def found(workspace: Workspace) -> list[dict[str, Any]]:
    """The alerting findings of a workspace, each with the staged case that it belongs to, if it belongs to one."""
    staged = {session: row["case"] for row in json.loads(STAGED.read_text()) for session in row["session_ids"]}
    rows = []
    for row in workspace.query(QUESTION, limit=10_000).to_pylist():
        if row["severity"] == Severity.LOW and detectors()[row["detector"]].family == "baselines":
            continue
        sessions = [row["session_id"]] if row["session_id"] else json.loads(row["evidence"]).get("sessions", [])
        rows.append({
            "detector": row["detector"], "severity": row["severity"], "scope": row["scope"],
            "about": row["session_id"] or row["scope_key"], "tools": row["tools"],
            "cases": sorted({staged[s] for s in sessions if s in staged}),
        })
    return sorted(rows, key=_order)


def _order(row: dict[str, Any]) -> tuple[Any, ...]:
    # By what is seen, not by `scope_key`: which sighting of a call names it depends on which export came first.
    return row["detector"], row["about"], row["severity"], row["tools"] or [], row["cases"]


def main() -> None:
    """Write the file."""
    with Workspace(Path(sys.argv[1])) as workspace:
        EXPECTED.write_text(json.dumps(found(workspace), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
