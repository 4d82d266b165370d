"""Is anything lost when processes are killed at any moment? Prints a table and one JSON line; exit code 1 where anything is.

    python benchmarks/faults.py [--kills 100] [--seed 7] [--collectors 1 3]

A served workspace under the load of clients that retry, over HTTP and gRPC, in both encodings; SIGKILL at random moments to whatever runs,
collectors and engine alike, also while they start. In the end everything that was acknowledged must be there exactly once, whole, in a store
without damage, and findings must be those of a workspace that was given the same requests and never disturbed.
"""

import argparse
import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # or the files beside this one would stand in for packages of their names

from benchmarks.retrying import ROUTES, Client, accepted_as, planned  # noqa: E402 - after the path
from detectors.registry import detectors  # noqa: E402
from ingest.batch import Payloads  # noqa: E402
from ingest.collector import Collector  # noqa: E402
from ingest.process import redaction_key  # noqa: E402
from ingest.redact import Redactor  # noqa: E402
from store.rejected import Rejected  # noqa: E402
from store.spool import Spool  # noqa: E402
from toolhound.settings import Collect, Keep, Serve, Settings  # noqa: E402
from toolhound.supervisor import Supervisor  # noqa: E402
from toolhound.workspace import SERVED, Workspace  # noqa: E402

PAUSE_SECONDS = 0.1
"""Between a client's requests: enough calls to be in the middle of something at any moment, few enough to be checked one by one."""

PROGRESS_REQUESTS, KILL_WITHIN_SECONDS = 12, 3.0
"""A process is killed within so many seconds after so many more requests were acknowledged: under load, and not only while all is down."""

RESTART_SECONDS = (0.1,)
"""Sooner than the supervisor would after so many deaths within a minute, or most of the time nothing would run."""

SETTLE_SECONDS = 30.0
"""Calls move into the lake so soon, so that kills also meet that; sightings of one call come closer together than this."""

LAST_SECONDS = 120.0
IMPATIENT = """
import sys
if "dashboards.process" in sys.orig_argv:
    from datetime import timedelta
    from toolhound import engine
    engine.SETTLE_EVERY, engine.SETTLE_ROWS = timedelta(seconds=4), 1
"""
"""Runs at the start of each process: an engine that is killed every few seconds must settle oftener than once a minute to do so at all."""


@dataclass
class Verdict:
    """What a trial found; whatever stands in `wrong` must not be."""

    collectors: int
    kills: dict[str, int]
    requests: int = 0
    calls: int = 0
    sent_again: int = 0
    longest_wait_s: float = 0.0
    in_lake: int = 0
    findings: int = 0
    wrong: list[str] = field(default_factory=list)

    def demand(self, holds: bool, otherwise: str) -> None:
        """Note what is wrong where it does not hold."""
        if not holds:
            self.wrong.append(otherwise)


def trial(folder: Path, kills: int, seed: int, collectors: int) -> Verdict:
    """Serve, send, kill, stop, and look at what is there."""
    served, undisturbed = folder / "served", folder / "undisturbed"
    settings = Settings(
        collect=Collect(grpc_port=0, http_port=0, processes=collectors), serve=Serve(port=0), keep=Keep(settle_seconds=SETTLE_SECONDS),
    )
    with _impatient(folder), _serving(served, settings) as supervisor:
        at = supervisor.addresses
        clients = [Client(route.replace(" ", "-"), route, at.http, at.grpc, PAUSE_SECONDS) for route in ROUTES]
        verdict = Verdict(collectors, dict(_kill(supervisor, clients, kills, random.Random(seed))))
        for client in clients:
            client.stop()
        until = time.monotonic() + LAST_SECONDS
        for client in clients:
            verdict.demand(client.join(max(0.0, until - time.monotonic())), f"{client.name}: its last request was never acknowledged")
    _weigh(verdict, clients)
    verdict.demand(not (served / SERVED).exists(), "the workspace still says that it is served")
    with Workspace(served, settings) as workspace:
        workspace.engine.catch_up()
        _check_calls(verdict, workspace, clients)
        _check_files(verdict, workspace)
        found = _findings(workspace)
    _send_again(clients, served, undisturbed)
    with Workspace(undisturbed, settings) as workspace:
        workspace.engine.catch_up()
        expected = _findings(workspace)
    verdict.findings = len(found["all"])
    for kind, here in found.items():
        lost, added = expected[kind] - here, here - expected[kind]
        verdict.demand(not lost and not added, f"findings ({kind}): {len(lost)} missing and {len(added)} more than without kills")
    return verdict


@contextmanager
def _impatient(folder: Path) -> Iterator[None]:
    start = folder / "start"
    start.mkdir()
    (start / "sitecustomize.py").write_text(IMPATIENT)
    with patch.dict(os.environ, PYTHONPATH=os.pathsep.join((str(start), str(ROOT)))):
        yield


@contextmanager
def _serving(folder: Path, settings: Settings) -> Iterator[Supervisor]:
    supervisor = Supervisor(folder, settings, lambda _: None)
    supervisor.start()
    watching = threading.Thread(target=supervisor.watch)
    with patch("toolhound.supervisor.RESTART_SECONDS", RESTART_SECONDS):
        watching.start()
        try:
            yield supervisor
        finally:
            supervisor.stop()
            watching.join()


def _kill(supervisor: Supervisor, clients: list[Client], kills: int, chance: random.Random) -> Counter[str]:
    """Kill at random moments whatever happens to run then."""
    killed: Counter[str] = Counter()
    gone: set[int] = set()
    acknowledged = 0
    while killed.total() < kills:
        _until(lambda: sum(len(client.acknowledged) for client in clients) >= acknowledged + PROGRESS_REQUESTS)  # noqa: B023 - asked here and now
        acknowledged = sum(len(client.acknowledged) for client in clients)
        time.sleep(chance.uniform(0, KILL_WITHIN_SECONDS))
        alive = {name: pid for name, pid in supervisor.processes().items() if pid not in gone}
        if alive:
            name = chance.choice(sorted(alive))
            os.kill(alive[name], signal.SIGKILL)
            gone.add(alive[name])
            killed["engine" if name == "engine" else "collector"] += 1
    return killed


def _until(holds: Callable[[], bool]) -> None:
    """Wait for something, not for ever."""
    until = time.monotonic() + LAST_SECONDS
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)


def _weigh(verdict: Verdict, clients: list[Client]) -> None:
    verdict.requests = sum(len(client.acknowledged) for client in clients)
    verdict.sent_again = sum(client.sent_again for client in clients)
    verdict.longest_wait_s = round(max(client.longest for client in clients), 1)
    for client in clients:
        verdict.demand(bool(client.acknowledged), f"{client.name}: nothing was acknowledged")
        verdict.demand(not client.thrown_away, f"{client.name}: {len(client.thrown_away)} thrown away, such as {client.thrown_away[:1]}")


def _check_calls(verdict: Verdict, workspace: Workspace, clients: list[Client]) -> None:
    """Every acknowledged call once, as it was sent, and no other."""
    rows = workspace.engine.database.rows("SELECT call_id, session_id, seq, tool, arguments, observed_by FROM calls")
    verdict.calls = len(rows)
    verdict.in_lake = workspace.engine.database.value("SELECT (SELECT count(*) FROM calls) - (SELECT count(*) FROM hot.calls)")
    verdict.demand(len({row["call_id"] for row in rows}) == len(rows), "a call id stands twice")
    there = Counter(json.loads(row["arguments"])["id"] if row["arguments"] else "without arguments" for row in rows)
    sent = {call.id: call for client in clients for n in range(len(client.acknowledged)) for call in planned(client.name, n)}
    twice = {one for one, n in there.items() if n > 1}
    for what, ids in {"lost": sent.keys() - there.keys(), "never sent": there.keys() - sent.keys(), "counted more than once": twice}.items():
        verdict.demand(not ids, f"{len(ids)} calls {what}, such as {sorted(ids)[:3]}")
    for row in rows:
        call = sent.get(json.loads(row["arguments"] or "{}").get("id", ""))
        verdict.demand(call is None or (row["session_id"], row["tool"]) == (call.session, call.tool), f"a call is not as it was sent: {row}")
        pair = call is not None and "traces" in call.id
        verdict.demand(len(row["observed_by"]) == (2 if pair else 1), f"a call has other observers than it was sent with: {row}")


def _check_files(verdict: Verdict, workspace: Workspace) -> None:
    """Nothing damaged, nothing left over, nothing that the ledger does not know."""
    engine = workspace.engine
    verdict.demand(engine.rejected.count() == 0, f"in rejected/: {[one['reason'] for one in engine.rejected.listed(3)]}")
    left = [path.name for path in engine.spool.folder.iterdir() if path.is_file() and path.suffix != ".partial"]
    verdict.demand(not left, f"in spool/: {left[:3]}")
    ledger = {row["path"]: row["n"] for row in engine.database.rows("SELECT path, records AS n FROM hot.lake_files")}
    disk = {str(path.relative_to(engine.lake.folder)): path for path in engine.lake.folder.rglob("*.parquet")}
    verdict.demand(ledger.keys() == disk.keys(), f"lake/ differs from its ledger: {sorted(ledger.keys() ^ disk.keys())[:3]}")
    for name, path in disk.items():
        verdict.demand(pq.read_table(path, partitioning=None).num_rows == ledger.get(name), f"{name} has not the rows that the ledger says")


def _findings(workspace: Workspace) -> dict[str, set[tuple[str, ...]]]:
    """What was found while serving, by detectors that learn nothing (what is usual depends on when calls settle); then all, looked for anew."""
    learning = {name for name, one in detectors().items() if one.detector.learn}
    live = {one for one in _listed(workspace) if one[0] not in learning}
    workspace.detect()
    return {"while serving": live, "all": _listed(workspace)}


def _listed(workspace: Workspace) -> set[tuple[str, ...]]:
    rows = workspace.engine.database.rows("SELECT detector, finding_id, scope_key, call_ids FROM hot.findings")
    return {(row["detector"], row["finding_id"], row["scope_key"], *row["call_ids"]) for row in rows}


def _send_again(clients: list[Client], served: Path, folder: Path) -> None:
    """The same requests, once each, into a workspace of the same key that nothing disturbs."""
    folder.mkdir()
    (folder / "redaction.key").write_bytes((served / "redaction.key").read_bytes())
    spool, masks = Spool(folder / "spool"), Redactor(redaction_key(folder))
    collector = Collector(spool, Rejected(folder / "rejected"), masks, Payloads(), spool_bytes=1 << 40)
    for client in clients:
        kind, encoding = accepted_as(client.route)
        for body in client.acknowledged:
            if kind == "calls":
                collector.accept_calls(body, "again")
            else:
                collector.accept_otlp(kind, encoding, body, "again")
    collector.stop()


def main() -> int:
    """One trial for each number of collectors; the kills are shared among them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--collectors", type=int, nargs="+", default=[1, 3])
    options = parser.parse_args()
    verdicts = []
    for n, collectors in enumerate(options.collectors):
        with TemporaryDirectory() as folder:
            verdicts.append(trial(Path(folder), options.kills // len(options.collectors), options.seed + n, collectors))
    names = [name for name in asdict(verdicts[0]) if name != "wrong"]
    for name in names:
        print(f"{name:16s}" + "".join(f"{asdict(one)[name]!s:>36s}" for one in verdicts))
    wrong = [f"{one.collectors} collectors: {what}" for one in verdicts for what in one.wrong]
    print("\n".join(wrong) or "nothing lost, nothing twice, nothing damaged, findings as without kills")
    print(json.dumps({"benchmark": "faults", **vars(options), "trials": [asdict(one) | {"wrong": len(one.wrong)} for one in verdicts]}))
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
