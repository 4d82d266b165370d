"""How loud are two weeks of honest work? Alerts per day by severity, by detector and by kind of day. Prints tables and one JSON line.

    python benchmarks/noise.py [--seed N] [--calls N] [--days N] [--show] [--keep FOLDER]

The honest kinds of work of all workplaces of `benchmarks/workplaces`, as one deployment of ten agents (see `benchmarks/workplaces/fortnight.py`): taken in
day by day in the order of events, looked at, and learned from at the end of each day. With `--calls 200000` it has the size that is promised
to stay below two high alerts a day.
"""

import argparse
import json
import resource
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # or this file would stand in for a package

from benchmarks.workplaces.fortnight import DAYS, day_of, kind_of  # noqa: E402 - after the path
from store.records import Severity  # noqa: E402
from toolhound import Workspace  # noqa: E402

LOUD = ("critical", "high")
NAMES = (*LOUD, "medium", "low", "info")


def main() -> None:
    """Work, look, count, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", type=int, default=20_000, help="how many calls two weeks have, about")
    parser.add_argument("--days", type=int, default=DAYS, help="how many of the two weeks are played")
    parser.add_argument("--show", action="store_true", help="print every alert of medium severity or above")
    parser.add_argument("--keep", type=Path, help="leave the workspace and the logs in this folder")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        told = played(options.keep or Path(folder), options.seed, options.calls, options.days, options.show)
    print(json.dumps({"benchmark": "noise", "seed": options.seed, **told}))


def played(folder: Path, seed: int, calls: int, days: int, show: bool) -> dict[str, Any]:
    """Play the days, print what was alerted, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    per_day: list[list[dict[str, Any]]] = []
    seen: set[str] = set()
    made = 0
    with Workspace(folder / "workspace") as workspace:
        for number in range(days):
            path = folder / f"day-{number:02d}.jsonl"
            path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in day_of(number, seed, calls)), encoding="utf-8")
            begun = _seconds()
            taken = workspace.ingest([str(path)])["calls"]
            while workspace.engine.settle(datetime.now(UTC) + timedelta(days=1)):
                continue
            alerts = [alert for alert in workspace.engine.database.rows("SELECT * FROM hot.alerts ORDER BY alert_id") if alert["alert_id"] not in seen]
            seen |= {alert["alert_id"] for alert in alerts}
            per_day.append(alerts)
            made += taken
            print(f"day {number + 1:2d} ({kind_of(number)}): {taken:,} calls, {len(alerts)} alerts, {_seconds() - begun:.0f} s of CPU", file=sys.stderr)
            if show:
                _show(number, alerts)
        failures = workspace.engine.progress.failures
    return {"calls": made, "failures": failures, **_told(per_day)}


def _seconds() -> float:
    """CPU time of this process and those it started."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def _show(number: int, alerts: Iterable[Mapping[str, Any]]) -> None:
    for alert in alerts:
        if alert["severity"] >= Severity.MEDIUM:
            print(f"day {number + 1:2d} {Severity(alert['severity']).name:8s} {alert['detectors']} {alert['session_ids'][:1] or alert['group_key']}")
            for sentence in alert["explanation"].split("\n")[:3]:
                print(f"         {sentence[:400]}")


def _told(per_day: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """The tables, and the same as figures."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    by_detector: dict[str, Counter[str]] = defaultdict(Counter)
    loud_days: dict[str, set[str]] = defaultdict(set)
    high = []
    print(f"\n{'day':>4s} {'kind':10s}" + " ".join(f"{name:>8s}" for name in NAMES))
    for number, alerts in enumerate(per_day):
        count = Counter(Severity(alert["severity"]).name.lower() for alert in alerts)
        kinds[kind_of(number)] += count
        kinds[kind_of(number)]["days"] += 1
        high.append(sum(count[name] for name in LOUD))
        print(f"{number + 1:4d} {kind_of(number):10s}" + " ".join(f"{count[name]:8d}" for name in NAMES))
        for alert in alerts:
            name = Severity(alert["severity"]).name.lower()
            by_detector[name].update(alert["detectors"])
            if name in LOUD:
                for detector in alert["detectors"]:
                    loud_days[detector].add(kind_of(number))
    print(f"\n{'kind of day':12s} {'days':>5s} " + " ".join(f"{name:>8s}" for name in NAMES) + "   (alerts a day)")
    for kind, count in kinds.items():
        print(f"{kind:12s} {count['days']:5d} " + " ".join(f"{count[name] / count['days']:8.1f}" for name in NAMES))
    for name in NAMES:
        print(f"{name}, by detector: {dict(by_detector[name].most_common())}")
    for detector, days in sorted(loud_days.items()):
        print(f"{detector} was loud on: {', '.join(sorted(days))}")
    print(f"high and critical: {sum(high) / len(high):.1f} a day, at most {max(high)}")
    return {
        "loud_a_day": round(sum(high) / len(high), 2), "loud_at_most": max(high), "alerts_by_detector": {k: dict(v) for k, v in by_detector.items()},
        "loud_a_day_by_kind": {kind: round(sum(count[name] for name in LOUD) / count["days"], 2) for kind, count in kinds.items()},
    }


if __name__ == "__main__":
    main()
