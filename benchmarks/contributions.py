"""What each detector contributes to telling attacks from honest work: how often it speaks, and what the ranking loses without it."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alerts.risk import risk
from store.records import Grade, Severity

_ASK = "SELECT finding_id, session_id, detector, severity, grade, score FROM findings WHERE session_id IS NOT NULL"
_MOST = 1_000_000
ALLOWED = 0.01


@dataclass(frozen=True)
class Weighed:
    """What risk needs of a finding."""

    finding_id: str
    detector: str
    severity: Severity
    grade: Grade
    score: float


def contributions(run: Callable[..., str], calls: Path, history: Path, labels: Mapping[str, str], folder: Path) -> dict[str, dict[str, float]]:
    """By detector: its share of sessions by label, and the true-positive rate at 1 % with all detectors but it. Prints a table."""
    workspace = ("--workspace", str(folder / "contributions"))
    run("learn", "--from", str(history), *workspace)
    run("ingest", str(calls), *workspace)
    found: dict[str, list[Weighed]] = defaultdict(list)
    for row in json.loads(run("query", _ASK, "--json", "--limit", str(_MOST), *workspace)):
        found[row["session_id"]].append(
            Weighed(row["finding_id"], row["detector"], Severity(row["severity"]), Grade(row["grade"]), row["score"]))
    detectors = sorted({f.detector for findings in found.values() for f in findings})
    whole = _rate(labels, found, ())
    print(f"\n{'detector':40s} {'benign':>7s} {'resisted':>9s} {'succeeded':>10s} {'TPR@1% without it':>18s} (with all: {whole:.3f})")
    told: dict[str, dict[str, float]] = {}
    for name in detectors:
        shares = {}
        for label in ("benign", "attempted", "succeeded"):
            sessions = [s for s, own in labels.items() if own == label]
            shares[label] = sum(any(f.detector == name for f in found.get(s, ())) for s in sessions) / len(sessions)
        without = _rate(labels, found, (name,))
        print(f"{name:40s} {shares['benign']:7.3f} {shares['attempted']:9.3f} {shares['succeeded']:10.3f} {without:18.3f}")
        told[name] = {**{label: round(share, 4) for label, share in shares.items()}, "tpr_without": round(without, 4)}
    return told


def _rate(labels: Mapping[str, str], found: Mapping[str, Sequence[Weighed]], without: Sequence[str]) -> float:
    risks = {s: risk(f for f in found.get(s, ()) if f.detector not in without) for s in labels}
    honest = sorted((risks[s] for s, label in labels.items() if label == "benign"), reverse=True)
    attacks = [risks[s] for s, label in labels.items() if label == "succeeded"]
    return sum(value > honest[int(ALLOWED * len(honest))] for value in attacks) / len(attacks)
