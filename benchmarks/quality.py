"""How well do risk and scan tell attacks from honest work? Prints tables and one JSON line.

    python benchmarks/quality.py CORPORA_FOLDER [--view stripped|raw] [--evade] [--detectors]

Runs `toolhound risk`, `scan` and `ingest` as a user would. CORPORA_FOLDER holds `agent_traces/`, `benign_mcp/` and
`tool_definitions/`; the scorer is CORPORA_FOLDER/../tools/score_risk.py. Labels are read after the ranking, never by it.
"""

import argparse
import bisect
import csv
import gzip
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # or this file would stand in for a package

from benchmarks import deployments, evaded  # noqa: E402 - after the path
from benchmarks.contributions import contributions  # noqa: E402
from benchmarks.workplaces.evasions import EVASIONS  # noqa: E402

TOOLHOUND = [sys.executable, "-m", "toolhound.cli"]
LENGTH_BANDS = 5
"""Definitions are compared within bands of like length: length alone tells poisoned ones apart too easily."""


def main() -> None:
    """Rank, score, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--view", choices=("stripped", "raw"), default="stripped")
    parser.add_argument("--evade", action="store_true", help="the same attacks in disguise, here and at the synthetic workplaces")
    parser.add_argument("--detectors", action="store_true", help="what each detector contributes")
    parser.add_argument("--seed", type=int, default=1, help="of the synthetic workplaces")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        told = {**traces(options.corpora, options.view, Path(folder)), **honest(options.corpora, Path(folder)), **definitions(options.corpora)}
        if options.evade:
            told |= {"evaded": evasions(options.corpora, Path(folder)), "evaded_at_workplaces": at_workplaces(options.seed, Path(folder))}
        if options.detectors:
            calls, history = files(options.corpora, options.view)
            told["detectors"] = contributions(run, calls, history, labels_of(options.corpora), Path(folder))
    print(json.dumps({"benchmark": "quality", "view": options.view, **told}))


def traces(corpora: Path, view: str, folder: Path) -> dict[str, Any]:
    """Attacked sessions against benign ones, by `toolhound risk`."""
    calls, history = files(corpora, view)
    risk = folder / "risk.csv"
    begun = time.monotonic()
    run("risk", str(calls), "--history", str(history), "--output", str(risk))
    seconds = time.monotonic() - begun
    labels = corpora / "agent_traces" / "sessions.csv"
    scored = subprocess.run(
        [sys.executable, corpora.parent / "tools" / "score_risk.py", labels, risk, "--json"], check=True, capture_output=True, text=True,
    )
    print(f"{'question':36s} {'AUROC':>7s} {'TPR@1%':>7s} {'TPR@5%':>7s}")
    told: dict[str, Any] = {}
    for row in json.loads(scored.stdout)["questions"]:
        cells = {name: row[name]["value"] for name in ("auroc", "tpr_at_1pct_fpr", "tpr_at_5pct_fpr")}
        print(f"{row['question']:36s} " + " ".join(f"{cell:7.3f}" for cell in cells.values()))
        told[row["question"].replace(" ", "_")] = cells
    told["suites"] = by_suite(corpora, risk)
    count = sum(len(gzip.decompress(path.read_bytes()).splitlines()) for path in (calls, history))
    print(f"{count:,} calls in {seconds:.1f} s: {count / seconds:,.0f} calls/s, reading, masking, learning and all detectors together")
    return {**told, "calls_per_s": round(count / seconds)}


def files(corpora: Path, view: str) -> tuple[Path, Path]:
    """Calls to judge, and the honest past."""
    ending = "_stripped.jsonl.gz" if view == "stripped" else ".jsonl.gz"
    calls, history = (corpora / "agent_traces" / f"{name}{ending}" for name in ("eval", "history"))
    return calls, history


def labels_of(corpora: Path, column: str = "label") -> dict[str, str]:
    """What is known of each session to judge."""
    with (corpora / "agent_traces" / "sessions.csv").open(newline="") as rows:
        return {row["session_id"]: row[column] for row in csv.DictReader(rows) if row["role"] == "eval"}


def by_suite(corpora: Path, ranking: Path) -> dict[str, float]:
    """The true-positive rate at 1 % within each of the simulated workplaces."""
    suites, labels = labels_of(corpora, "suite"), labels_of(corpora)
    risks = deployments.read_ranking(ranking)
    told = {}
    for suite in sorted(set(suites.values())):
        honest_ones, attacks = ([risks.get(s, 0.0) for s in suites if suites[s] == suite and labels[s] == label] for label in ("benign", "succeeded"))
        threshold = sorted(honest_ones, reverse=True)[int(deployments.ALLOWED * len(honest_ones))]
        told[suite] = round(sum(risk > threshold for risk in attacks) / len(attacks), 4)
        print(f"{'  ' + suite:36s} {'':7s} {told[suite]:7.3f}")
    return told


def evasions(corpora: Path, folder: Path) -> dict[str, float]:
    """The true-positive rate at 1 % of the attacks whose order was found and disguised, plain and in each disguise."""
    calls, history = files(corpora, "stripped")
    goals, labels = evaded.planted(files(corpora, "raw")[0]), labels_of(corpora)
    told: dict[str, float] = {}
    for disguise in ("plain", *evaded.DISGUISES):
        lines, changed = folder / "evaded.jsonl", set()
        with lines.open("w", encoding="utf-8") as out:
            for call, hit in evaded.disguised(calls, goals, disguise):
                out.write(json.dumps(call, ensure_ascii=False) + "\n")
                changed |= {call["session_id"]} if hit else set()
        risks = deployments.ranked(lines, history, folder / "evaded.csv")
        honest_ones = sorted((risks.get(s, 0.0) for s, label in labels.items() if label == "benign"), reverse=True)
        attacks = [risks.get(s, 0.0) for s in changed if labels[s] == "succeeded"]
        threshold = honest_ones[int(deployments.ALLOWED * len(honest_ones))]
        told[disguise] = round(sum(risk > threshold for risk in attacks) / len(attacks), 4)
        print(f"labelled traces, {disguise:26s} {len(attacks):6d} attacks: TPR at 1 % {told[disguise]:.3f}")
    return told


def at_workplaces(seed: int, folder: Path) -> dict[str, Any]:
    """The same at synthetic workplaces, in all disguises."""
    return {name: cells for name, cells in deployments.measure(folder / "workplaces", seed, evasions=EVASIONS).items() if name.startswith("disguise")}


def honest(corpora: Path, folder: Path) -> dict[str, Any]:
    """How many sessions with real servers raise an alert of high severity or above."""
    calls = corpora / "benign_mcp" / "calls.jsonl.gz"
    run("ingest", str(calls), "--workspace", str(folder / "honest"))
    alerts = json.loads(run("alerts", "--json", "--workspace", str(folder / "honest")))
    with gzip.open(calls, "rt") as lines:
        sessions = {json.loads(line)["session_id"] for line in lines}
    loud = {session for alert in alerts if alert["severity"] in ("high", "critical") for session in alert["session_ids"]}
    by_detector = Counter(detector for alert in alerts for detector in alert["detectors"])
    print(f"honest sessions with real servers that raise a high alert: {len(loud)} of {len(sessions)}; alerts by detector: {dict(by_detector)}")
    return {"honest_high_share": round(len(loud) / len(sessions), 4), "honest_alerts": dict(by_detector)}


def definitions(corpora: Path) -> dict[str, Any]:
    """Poisoned definitions against honest ones of like length, by `toolhound scan`."""
    path = corpora / "tool_definitions" / "definitions.jsonl.gz"
    rated = {row["item_id"]: row["risk"] for row in json.loads(run("scan", "--json", str(path)))}
    labels = {row["item_id"]: row["poisoned"] for row in map(json.loads, (corpora / "tool_definitions" / "labels.jsonl").read_text().splitlines())}
    with gzip.open(path, "rt") as lines:
        length = {row["item_id"]: len(row["description"]) + len(json.dumps(row["input_schema"])) for row in map(json.loads, lines)}
    ordered = sorted(length, key=lambda item: length[item])
    band = {item: n * LENGTH_BANDS // len(ordered) for n, item in enumerate(ordered)}
    above, pairs = 0.0, 0
    for n in range(LENGTH_BANDS):
        poisoned, plain = ([rated[i] for i in ordered if band[i] == n and labels[i] is wanted] for wanted in (True, False))
        above += sum(bisect.bisect_left(sorted(plain), p) + bisect.bisect_right(sorted(plain), p) for p in poisoned) / 2
        pairs += len(poisoned) * len(plain)
    allowed = sorted((rated[i] for i in labels if not labels[i]), reverse=True)
    threshold = allowed[int(0.01 * len(allowed))]
    hit = sum(rated[i] > threshold for i in labels if labels[i]) / sum(labels.values())
    print(f"poisoned definitions, within {LENGTH_BANDS} bands of length: AUROC {above / pairs:.3f}; TPR at 1 % {hit:.3f}")
    return {"definitions_auroc": round(above / pairs, 4), "definitions_tpr_at_1pct": round(hit, 4)}


def run(*arguments: str) -> str:
    """A command of ours; what it prints. Exit code 1 says that something was refused, which is no reason to stop."""
    done = subprocess.run([*TOOLHOUND, *arguments], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or "failed" in done.stderr or "Traceback" in done.stderr:
        sys.exit(f"toolhound {arguments[0]}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
