"""How loud are two weeks of honest work? Alerts per day by severity and by detector. Prints tables and one JSON line.

    python benchmarks/noise.py [--seed N] [--sessions N] [--days N] [--show]

The honest kinds of work of all workplaces of `benchmarks/workplaces`, as one deployment: taken in day by day in the order of events, looked at,
and learned from at the end of each day. On the way a server's descriptions are reworded, another gets a new tool, and a new agent starts.
"""

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # or this file would stand in for a package

from benchmarks.workplaces import PLACES  # noqa: E402 - after the path
from benchmarks.workplaces.compose import Day, Session  # noqa: E402
from benchmarks.workplaces.place import Place  # noqa: E402
from store.records import Severity  # noqa: E402
from toolhound import Workspace  # noqa: E402

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""
WEEKEND = 0.2
"""Of the sessions of a working day."""
REWORDED, NEW_TOOL, NEW_AGENT = 8, 9, 10
"""On these days a server's descriptions change, another server has one more tool, and one more agent is at work."""
LOUD = ("critical", "high")


def main() -> None:
    """Work, look, count, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sessions", type=int, default=8, help="of each workplace on a working day")
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--show", action="store_true", help="print every alert of medium severity or above")
    options = parser.parse_args()
    seen: set[str] = set()
    per_day: list[Counter[str]] = []
    loud: Counter[str] = Counter()
    quiet: Counter[str] = Counter()
    calls = 0
    with TemporaryDirectory() as folder, Workspace(Path(folder) / "workspace") as workspace:
        for number in range(options.days):
            lines = list(day_of(number, options.seed, options.sessions))
            path = Path(folder) / f"day-{number:02d}.jsonl"
            path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
            calls += workspace.ingest([str(path)])["calls"]
            workspace.engine.settle(datetime.now(UTC) + timedelta(days=1))
            fresh = [alert for alert in workspace.engine.database.rows("SELECT * FROM hot.alerts") if alert["alert_id"] not in seen]
            seen |= {alert["alert_id"] for alert in fresh}
            per_day.append(Counter(Severity(alert["severity"]).name.lower() for alert in fresh))
            for alert in fresh:
                (loud if alert["severity"] >= Severity.HIGH else quiet).update(alert["detectors"])
                if options.show and alert["severity"] >= Severity.MEDIUM:
                    name = Severity(alert["severity"]).name
                    print(f"day {number + 1:2d} {name:8s} {alert['detectors']} {alert['session_ids'][:1]} {alert['title']}")
        failures = workspace.detect()["failures"]
    names = (*LOUD, "medium", "low")
    print(f"\n{'day':>4s} " + " ".join(f"{name:>8s}" for name in names))
    for number, count in enumerate(per_day, 1):
        print(f"{number:4d} " + " ".join(f"{count[name]:8d}" for name in names))
    for title, counted in (("high and critical", loud), ("others", quiet)):
        print(f"{title}, by detector: {dict(counted.most_common())}")
    high = [sum(count[name] for name in LOUD) for count in per_day]
    print(f"high and critical: {sum(high) / len(high):.1f} a day, at most {max(high)}; {calls:,} calls; failed detectors: {failures}")
    print(json.dumps({
        "benchmark": "noise", "seed": options.seed, "calls": calls, "loud_a_day": round(sum(high) / len(high), 2), "loud_at_most": max(high),
        "loud_by_detector": dict(loud), "others_by_detector": dict(quiet),
    }))


def day_of(number: int, seed: int, most: int) -> Iterator[dict[str, Any]]:
    """What one day's log holds, in the order of events."""
    date = FIRST + timedelta(days=number)
    lines: list[dict[str, Any]] = []
    for place in PLACES:
        draw = random.Random(f"{seed}/{place.name}/{number}")
        lines += _definitions(place, number, date + timedelta(hours=7))
        day = Day(place, draw)
        for n in range(most if date.weekday() < 5 else max(1, round(most * WEEKEND))):
            kind, steps, lost = day.honest()
            agents = (*place.agents, f"{place.agents[0]}-2") if number >= NEW_AGENT else place.agents
            session = Session(f"{place.name}-{date:%m%d}-{n}", place, kind, "benign", draw.choice(agents), steps, told_first_only=lost)
            moment = date + timedelta(hours=8, seconds=draw.randint(0, 9 * 3600))
            person = draw.choice(place.people)
            for line in session.lines(""):
                moment += timedelta(seconds=draw.randint(2, 40))
                lines.append({**line, "timestamp": moment.isoformat(), "principal": f"{person}@{place.domain}", "duration_ms": draw.randint(20, 900)})
    return iter(sorted(lines, key=lambda line: line["timestamp"]))


def _definitions(place: Place, number: int, moment: datetime) -> Iterator[dict[str, Any]]:
    """What each server says of its tools when a client connects in the morning."""
    tools: dict[str, set[str]] = {}
    used = ((s.server, s.tool) for s in place.sources), ((d.server, d.tool) for d in (*place.duties, place.reply)), ((g.server,
        g.tool) for g in place.goals)
    for server, tool in chain(*used):
        tools.setdefault(server, set()).add(tool)
    for server, names in sorted(tools.items()):
        if server == "tracker" and number >= NEW_TOOL:
            names.add("link_issues")
        reworded = server == "itsm" and number >= REWORDED
        listed = [{"name": name, "description": _described(name, reworded), "inputSchema": {"type": "object"}} for name in sorted(names)]
        session = f"{place.name}-{server}-{moment:%m%d}"
        for direction, message in (("client_to_server", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
                                   ("server_to_client", {"jsonrpc": "2.0", "id": 1, "result": {"tools": listed}})):
            yield {"timestamp": moment.isoformat(), "direction": direction, "session_id": session, "server": server, "raw": message}


def _described(name: str, reworded: bool) -> str:
    words = " ".join(name.replace("_", " ").split())
    return f"Lets you {words}. Answers with the result or an error." if reworded else f"Use it to {words}. Returns the result."


if __name__ == "__main__":
    main()
