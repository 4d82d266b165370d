"""How well do findings tell attacked sessions from benign ones? Prints a table and one JSON line.

    python benchmarks/quality.py CORPORA_FOLDER

CORPORA_FOLDER holds `agent_traces/` (sessions.csv, eval_stripped.jsonl.gz) and `benign_mcp/` (calls.jsonl.gz); the scorer is
CORPORA_FOLDER/../tools/score_risk.py. Labels are read by the scorer alone.
"""

import csv
import gzip
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # also runs from a checkout that is not installed

from detectors.instructions import weigh  # noqa: E402  # after the path
from detectors.sequences.call_obeys_result import ALERTING_SCORE  # noqa: E402


def sessions(path: Path) -> Iterator[list[dict[str, Any]]]:
    """The sessions of a trace file, each in its order."""
    found: dict[str, list[dict[str, Any]]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            call = json.loads(line)
            found.setdefault(call["session_id"], []).append(call)
    for calls in found.values():
        yield sorted(calls, key=lambda call: int(call["seq"]))


def risk_of(path: Path, into: Path) -> dict[str, float]:
    """Write `session_id, risk` of every session in a trace file; answer the risks and, under the key "", calls per CPU second."""
    risks: dict[str, float] = {}
    calls, spent = 0, 0.0
    for steps in sessions(path):
        observed = [
            {"call_id": str(c["seq"]), "tool": c["tool"], "arguments": c["arguments"], "result": c["result"],
             "outcome": "error" if c["is_error"] else "ok"}
            for c in steps
        ]
        begun = time.process_time()
        risks[steps[0]["session_id"]] = max(o.score for o in weigh(steps[0]["user_prompt"], observed))
        spent += time.process_time() - begun
        calls += len(steps)
    with into.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("session_id", "risk"))
        writer.writerows(risks.items())
    return {**risks, "": calls / spent if spent else 0.0}


def main() -> None:
    """Rank, score, print."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    corpora = Path(sys.argv[1])
    scorer = corpora.parent / "tools" / "score_risk.py"
    labels = corpora / "agent_traces" / "sessions.csv"
    with TemporaryDirectory() as folder:
        traced, real = Path(folder) / "traces.csv", Path(folder) / "real.csv"
        speed = risk_of(corpora / "agent_traces" / "eval_stripped.jsonl.gz", traced)[""]
        report = json.loads(subprocess.run(
            [sys.executable, scorer, labels, traced, "--json"], check=True, capture_output=True, text=True).stdout)
        benign = risk_of(corpora / "benign_mcp" / "calls.jsonl.gz", real)
    real_speed = benign.pop("")
    flagged = sum(risk >= ALERTING_SCORE for risk in benign.values()) / len(benign)
    print(f"{'question':36s} {'AUROC':>7s} {'TPR@1%':>7s} {'TPR@5%':>7s}")
    for row in report["questions"]:
        cells = (row[name]["value"] for name in ("auroc", "tpr_at_1pct_fpr", "tpr_at_5pct_fpr"))
        print(f"{row['question']:36s} " + " ".join(f"{cell:7.3f}" for cell in cells))
    print(f"benign sessions with real servers flagged at {ALERTING_SCORE:.2f}: {flagged:.1%} of {len(benign)}")
    print(f"calls per CPU second: {speed:,.0f} (traces), {real_speed:,.0f} (real servers)")
    print(json.dumps({
        "benchmark": "quality",
        **{row["question"].replace(" ", "_"): {n: row[n]["value"] for n in ("auroc", "tpr_at_1pct_fpr", "tpr_at_5pct_fpr")}
           for row in report["questions"]},
        "benign_real_flagged": round(flagged, 4), "calls_per_s": round(speed), "calls_per_s_real_servers": round(real_speed),
    }))


if __name__ == "__main__":
    main()
