"""How loud are two weeks of honest work? Alerts per day by severity, by detector and by kind of day. Prints tables and one JSON line.

    python benchmarks/noise.py [--seed N] [--calls N] [--days N] [--attacked N] [--show] [--keep FOLDER]

The honest kinds of work of all workplaces of `benchmarks/workplaces`, as one deployment of ten agents (see `benchmarks/workplaces/fortnight.py`):
taken in in the order of events, a few hours at a time, looked at, and learned from. With `--calls 200000` it has the size that is promised to
stay at two high alerts a day.
"""

import argparse
import json
import resource
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # or this file would stand in for a package

from benchmarks.workplaces import PLACES  # noqa: E402 - after the path
from benchmarks.workplaces.fortnight import ATTACK, DAYS, day_of, kind_of  # noqa: E402
from store.records import Severity  # noqa: E402
from toolhound import Workspace  # noqa: E402

LOUD = ("critical", "high")
NAMES = (*LOUD, "medium", "low", "info")
PARTS = 4
"""So often a day what came is looked at and learned from; a server does so all the time."""
ATTACKED_ON = 10
"""An ordinary Thursday, with two weeks of history."""


def main() -> None:
    """Work, look, count, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", type=int, default=20_000, help="how many calls two weeks have, about")
    parser.add_argument("--days", type=int, default=DAYS, help="how many of the two weeks are played")
    parser.add_argument("--attacked", type=int, default=0, help="so many sessions of each workplace are attacked on a day, and told apart")
    parser.add_argument("--show", action="store_true", help="print every alert of medium severity or above")
    parser.add_argument("--keep", type=Path, help="leave the workspace and the logs in this folder")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        told = played(options.keep or Path(folder), options.seed, options.calls, options.days, options.attacked, options.show)
    print(json.dumps({"benchmark": "noise", "seed": options.seed, **told}))


def played(folder: Path, seed: int, calls: int, days: int, attacks: int, show: bool) -> dict[str, Any]:
    """Play the days, print what was alerted, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    per_day: list[list[dict[str, Any]]] = []
    seen: set[str] = set()
    caught: list[dict[str, Any]] = []
    made = 0
    with Workspace(folder / "workspace") as workspace:
        for number in range(days):
            lines = day_of(number, seed, calls, attacks if number == ATTACKED_ON else 0)
            begun, taken = _seconds(), 0
            for part, some in enumerate(_parts(lines)):
                path = folder / f"day-{number:02d}-{part}.jsonl"
                path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in some), encoding="utf-8")
                taken += workspace.ingest([str(path)])["calls"]
                while workspace.engine.settle(datetime.now(UTC) + timedelta(days=1)):
                    continue
            alerts = [a for a in workspace.engine.database.rows("SELECT * FROM hot.alerts ORDER BY alert_id") if a["alert_id"] not in seen]
            seen |= {alert["alert_id"] for alert in alerts}
            caught += [alert for alert in alerts if is_attack(alert)]
            per_day.append([alert for alert in alerts if not is_attack(alert)])
            made += taken
            took = _seconds() - begun
            print(f"day {number + 1:2d} ({kind_of(number)}): {taken:,} calls, {len(alerts)} alerts, {took:.0f} s of CPU", file=sys.stderr)
            if show:
                _show(number, alerts)
        failures = workspace.engine.progress.failures
    told = {"calls": made, "failures": failures, **_told(per_day)}
    return told | {"attacks": _caught(caught, attacks * len(PLACES))} if attacks else told


def is_attack(alert: Mapping[str, Any]) -> bool:
    """Whether it is about an attacked session alone."""
    return bool(alert["session_ids"]) and all(f"-{ATTACK}-" in session for session in alert["session_ids"])


def _caught(alerts: list[dict[str, Any]], attacks: int) -> dict[str, Any]:
    worst: dict[str, int] = {}
    for alert in alerts:
        for session in alert["session_ids"]:
            worst[session] = max(worst.get(session, 0), alert["severity"])
    counted = Counter(Severity(severity).name.lower() for severity in worst.values())
    print(f"of {attacks} attacked sessions were told as: {dict(counted)}")
    return {"sessions": attacks, **counted}


def _parts(lines: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    """A day's lines, some hours at a time: what is alerted in the afternoon is weighed against the morning."""
    at_once = max(1, -(-len(lines) // PARTS))
    yield from (lines[start:start + at_once] for start in range(0, len(lines), at_once))


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
