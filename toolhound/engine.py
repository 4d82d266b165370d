"""The engine: spool -> hot tables -> detectors -> alerts -> lake. The sole writer of a workspace's database."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alerts import budget, groups, outbox, scores, triage
from alerts.changes import Change
from alerts.sinks import Sink
from detectors.contract import SCOPE_KEY
from detectors.registry import Registered, detectors
from store import intake, tables
from store.database import Database, hot_schema
from store.errors import DiskError, SettlingError, StoreError
from store.lake import Lake
from store.records import Delivery, Finding
from store.rejected import Rejected
from store.spool import Spool
from toolhound import learning, settling, spending, upkeep
from toolhound.detection import Looked
from toolhound.keys import seal_of
from toolhound.looking import Looks
from toolhound.normal import Normal
from toolhound.progress import Progress
from toolhound.settings import DATABASE_FILE, Settings
from toolhound.settling import SPOOLED_KEPT
from toolhound.workers import Workers

FILES_A_STEP = 256
DELIVERY_THREADS = 8
GROUPS = {str(scope): key for scope, key in SCOPE_KEY.items()}
"""SQL that names the group a call belongs to, by scope."""
STEP_BYTES = 64 << 20
"""How much of the spool one step takes at most, so that a backlog does not fill the memory."""

STEP_SECONDS, IDLE_SECONDS = 0.25, 0.05
"""A step costs as much as hundreds of records, whatever it takes: so while records come, there are no more than four in a second."""

LOOKS_SHARE = 0.2
"""What looks may take of the time while steps take longer than `STEP_SECONDS`: what is not looked at yet is kept, what is not taken yet makes senders
wait."""

STEPS_A_LOOK = 8
"""How often is taken before a look while more waits in the spool, where one thread does both."""

SETTLE_EVERY = timedelta(minutes=1)
SETTLE_ROWS = 20_000
"""Fewer wait in the hot tables until the oldest is `SETTLE_AFTER` old: a question opens every file of the lake, so they should be few."""

SETTLE_AFTER = timedelta(hours=1)


class Engine:
    """Owns the database of a workspace; `step` does one round, `run` goes on until told to stop.

    Taking, looking and delivering each have a thread. What is written goes through `database` by whoever holds `writing`; looks read through a
    connection of their own, and `looks.lock` is taken before `writing`.
    """

    def __init__(
        self, folder: Path, settings: Settings, sinks: Iterable[Sink] = (), file: str = DATABASE_FILE, workers: Workers | None = None
    ) -> None:
        self.folder, self.settings, self.sinks = folder, settings, list(sinks)
        folder.mkdir(parents=True, exist_ok=True)
        seal = seal_of(folder, settings.keep)
        self.database = Database.open(folder / file, seal)
        try:
            hot_schema(self.database)
            self.spool, self.rejected, self.lake = Spool(folder / "spool", seal), Rejected(folder / "rejected", seal), Lake(folder / "lake", seal)
            self.lake.recover(self.database)
        except BaseException:
            self.database.close()
            raise
        self.spool.give_back({row["file"] for row in self.database.rows("SELECT file FROM hot.spooled")})
        self.lake.make_views(self.database)
        self.progress = Progress()
        self.writing = threading.RLock()
        self._keeps_up, self._settled = threading.Event(), threading.Event()
        self._keeps_up.set()
        self._settling: datetime | None = None
        self.looks = Looks(self.database.reader(), self._normal_for, self._conclude, workers, settings.budgets)
        self._last_settled = datetime.now(UTC)
        self._last_kept_house = datetime.min.replace(tzinfo=UTC)

    def close(self) -> None:
        """Give the database file back."""
        self.looks.close()
        with self.writing:
            self.database.close()

    def step(self, patient: bool = True) -> int:
        """One round: take what is spooled, look at what has become quiet. The number of records taken.

        With `patient=False` everything touched is looked at now.
        """
        records = self._take_backlog()
        self.looks.once(patient)
        if patient:
            self._settle_in_time()
        return records

    def _take_backlog(self) -> int:
        records = 0
        for _ in range(STEPS_A_LOOK):
            taken = self.take()
            records += taken
            if not taken or not self.spool.pending(1):
                break
        self.progress.last_step_at = datetime.now(UTC)
        return records

    def take(self) -> int:
        """Take what is spooled into the database; the number of records. Where that would change calls that are settling, when they have."""
        while True:
            try:
                return self._take()
            except SettlingError:
                self._settled.wait()

    def _take(self) -> int:
        with self.writing:
            taken = intake.take(
                self.database, self.spool.pending(FILES_A_STEP, STEP_BYTES), self.spool.read, lambda: self.lake.make_views(self.database),
                self._settling,
            )
            if taken.files:
                self.spool.set_aside(taken.files)
            for path, reason in taken.damaged.items():
                self.rejected.take(path, reason)
        self.progress.records += taken.records
        self.progress.repeated += taken.merged.repeated
        self.progress.contradicted += taken.merged.contradicted
        self.progress.ahead += taken.merged.ahead
        self.progress.files += len(taken.files)
        return taken.records

    def catch_up(self) -> None:
        """Take all that is spooled and look at all that was touched."""
        while self.step(patient=False) or self.spool.pending(1) or self.looks.waiting():
            continue

    def run(self, stop: threading.Event) -> None:
        """Take, look and settle until told to stop; a failing disk is waited for, never a reason to give up."""
        looker = threading.Thread(target=self._run_looks, args=(stop,), name="looks", daemon=True)
        looker.start()
        while not stop.is_set():
            begun = time.monotonic()
            try:
                busy = self.take() > 0
                self.progress.trouble, self.progress.last_step_at = None, datetime.now(UTC)
            except Exception as error:  # noqa: BLE001 - the loop must outlive any one round; health shows what went wrong
                self.progress.trouble, busy = f"{type(error).__name__}: {error}", False
                stop.wait(1)
            left = begun + STEP_SECONDS - time.monotonic()
            (self._keeps_up.clear if busy and left < 0 else self._keeps_up.set)()
            stop.wait(max(0.0, left) if busy else IDLE_SECONDS)
        self._keeps_up.set()
        looker.join()

    def _run_looks(self, stop: threading.Event) -> None:
        while not stop.is_set():
            begun = time.monotonic()
            try:
                busy = self.looks.once()
                took = time.monotonic() - begun
                self._settle_in_time()
                self.progress.look_trouble = None
            except Exception as error:  # noqa: BLE001 - as above
                self.progress.look_trouble, busy, took = f"looks: {type(error).__name__}: {error}", False, 0.0
                stop.wait(1)
            if not busy:
                stop.wait(0.05)
            self._keeps_up.wait(took * (1 / LOOKS_SHARE - 1))

    def run_deliveries(self, stop: threading.Event) -> None:
        """Hand alerts to their destinations until told to stop."""
        worker = outbox.Outbox(self.sinks)

        def attempt(delivery: Delivery) -> None:
            result = worker.attempt(delivery, worker.sinks[delivery.sink])
            try:
                with self.writing, self.database.transaction():
                    worker.record(self.database, delivery, result, datetime.now(UTC))
            except StoreError as error:  # the delivery counts as lost on its way, and is due again
                self.progress.delivery_trouble = f"deliveries: {error}"
            else:
                self.progress.delivery_trouble = None

        # Each in a thread of its own, so that a destination that hangs does not hold up the others.
        with ThreadPoolExecutor(DELIVERY_THREADS, thread_name_prefix="delivery") as threads:
            while not stop.wait(0.2):
                try:
                    with self.writing:
                        due = worker.due(self.database, datetime.now(UTC))
                except StoreError as error:  # a full disk must not end deliveries for good
                    self.progress.delivery_trouble = f"deliveries: {error}"
                    continue
                for delivery in due:
                    threads.submit(attempt, delivery)

    def detect(self, learn_from_unsettled: bool = True) -> Looked:
        """Run every detector over everything. Unless told otherwise, calls that may still change count as normal too."""
        with self.looks.lock:
            with self.writing:
                while self.take():
                    continue
                begun = datetime.now(UTC)
            whole = self.looks.everything(learn_from_unsettled)
            self.forget_touched(begun)
            self.progress.failures = dict(whole.failures)
        return whole

    def forget_touched(self, before: datetime | None = None) -> None:
        """Let what was taken in so far, or before a moment, count as looked at."""
        with self.looks.lock, self.writing, self.database.transaction():
            self.database.execute("DELETE FROM hot.touched WHERE $before IS NULL OR touched_at < $before", {"before": before})
            self.database.execute("DELETE FROM hot.waiting")

    def decide(self, change: Callable[[Database], Change]) -> Change:
        """An analyst's step: into the database, the outbox and, as the record, the lake, together."""
        with self.writing:
            with self.database.transaction():
                made = change(self.database)
                outbox.enqueue(self.database, [made], self.sinks, datetime.now(UTC))
                self._keep_decisions()
            self._publish()
            return made

    def lay_down(self, table: str, row: dict[str, Any]) -> dict[str, Any]:
        """A grant or an entry of the registry as it stands from now on; the lake keeps every state that it had."""
        rows = tables.rows_to_table(table, [row])
        with self.writing:
            with self.database.transaction():
                self.database.replace(f"hot.{table}", rows, tables.KEYS[table])
                self.lake.append(self.database, table, rows)
            self._publish()
        made: dict[str, Any] = rows.to_pylist()[0]
        return made

    def _keep_decisions(self) -> None:
        """Decisions are the one thing that cannot be worked out again: into the lake with the transaction that makes them."""
        rows = self.database.query("SELECT * FROM hot.decisions WHERE decision_id NOT IN (SELECT decision_id FROM hot.decided)")
        if len(rows):
            self.lake.append(self.database, "decisions", rows)
            self.database.insert("hot.decided", rows.select(["decision_id"]))

    def _settle_in_time(self) -> None:
        """Settle where it is time, and worth a file."""
        if datetime.now(UTC) - self._last_settled <= SETTLE_EVERY:
            return
        with self.looks.lock:
            self._settle_what_is_due()

    def _settle_what_is_due(self) -> None:
        before = datetime.now(UTC) - timedelta(seconds=self.settings.keep.settle_seconds)
        ready = " UNION ALL ".join(f"SELECT seen_at FROM hot.{table} WHERE seen_at < $before" for table in ("calls", "messages", "access"))
        row = self.looks.reader.rows(f"SELECT count(*) AS n, min(seen_at) AS first FROM ({ready})", {"before": before})[0]
        due = row["n"] >= SETTLE_ROWS or (row["first"] is not None and row["first"] < before - SETTLE_AFTER)
        if due and self.settle(before) >= settling.AT_ONCE:
            return  # there is more: the next round goes on with it
        self._last_settled = datetime.now(UTC)
        if self._last_settled - self._last_kept_house > upkeep.EVERY:
            with self.writing:
                upkeep.keep_house(self.database, self.lake, self.settings.keep, self._last_settled)
            self._last_kept_house = self._last_settled

    def settle(self, before: datetime) -> int:
        """Move what no longer changes into the lake and learn from it; the number of calls moved. If it fails, all stays as it was.

        Most of the work is done while others write; who would change what is settling waits (`take`).
        """
        known = [one for name, one in detectors().items() if name not in self.progress.failures]  # or what they raise would undo all of it
        rules = self.settings.learn
        with self.looks.lock:
            try:
                self._settled.clear()
                with self.writing:  # nothing is being taken that does not know of this
                    self._settling = before
                leaving = settling.prepare(
                    self.looks.reader, self.lake, before, lambda database: learning.prepare(database, known, list(detectors().values()), rules),
                )
                moved, superfluous = len(leaving.calls), list[Path]()
                with self.writing:
                    with self.database.transaction():
                        self._move(before, leaving, known)
                    if self._publish() and moved < settling.AT_ONCE:
                        superfluous = self.spool.superfluous(self._unsettled_since(), self.settings.collect.spool_bytes)
            except BaseException:
                with self.writing:
                    self.lake.sweep(self.database)
                raise
            finally:
                self._settling = None
                self._settled.set()
            self.spool.let_go(superfluous)
            return moved

    def _publish(self) -> bool:
        """Tell the lake's manifest what was decided; on a full disk it is told the next time, and whatever rests on it waits."""
        try:
            self.lake.publish(self.database)
        except DiskError as error:
            self.progress.trouble = str(error)
            return False
        return True

    def _unsettled_since(self) -> datetime | None:
        """When the oldest of what is not in the lake was seen; what was taken long ago counts as in the lake, or it would stay for ever."""
        hot = " UNION ALL ".join(f"SELECT seen_at FROM hot.{table}" for table in ("calls", "sighted", "messages", "access"))
        oldest: datetime | None = self.database.value(f"SELECT min(seen_at) FROM ({hot})")
        return max(oldest, datetime.now(UTC) - SPOOLED_KEPT) if oldest else None

    def _move(self, before: datetime, leaving: settling.Leaving, known: Sequence[Registered]) -> None:
        learning.conclude(self.database, leaving.learned, known, self.settings.learn)
        settling.move(self.database, self.lake, before, leaving)
        if len(leaving.calls):
            learning.settled(self.database, known, leaving.calls, leaving.ready)
        if len(leaving.calls) < settling.AT_ONCE:
            self._settle_definitions()
            settling.forget(self.database, before, datetime.now(UTC))
        self.lake.make_views(self.database)  # in the transaction: whoever reads sees each call once, hot or in the lake

    def _settle_definitions(self) -> None:
        """Definitions stay hot, they are few; their first sightings are also written to the lake, which is the record."""
        rows = self.database.query("SELECT * FROM hot.tool_definitions WHERE definition_id NOT IN (SELECT definition_id FROM hot.defined)")
        if len(rows):
            self.lake.append(self.database, "tool_definitions", rows)
            self.database.insert("hot.defined", rows.select(["definition_id"]))

    def learn(self, given: learning.Taught | None, reset: bool) -> dict[str, Any]:
        """Learn anew from the lake, or add what files taught; what is known then."""
        rules = self.settings.learn
        with self.looks.lock, self.writing, self.database.transaction():
            if given is None:
                learning.relearn(self.database, list(detectors().values()), rules)
            else:
                learning.take(self.database, given, rules, reset)
        sessions = scores.History.of(self.database).size(scores.RISK)
        return {
            "counters": self.database.value("SELECT count(*) FROM hot.normal"), "sessions": sessions,
            "unsettled": self.database.value("SELECT count(DISTINCT lesson) FROM hot.lessons"), "refused": given.refused if given else [],
        }

    def normal(self, unsettled: bool = True) -> Normal:
        """What is usual, as detectors ask for it."""
        return self._normal_for(self.database, unsettled)

    def _normal_for(self, database: Database, unsettled: bool) -> Normal:
        rules = self.settings.learn
        return Normal(database, list(detectors().values()), unsettled, rules.half_life_days, rules.held_days)

    def _conclude(self, looked: Looked, note: Callable[[Database], None]) -> None:
        """Findings into alerts and deliveries, in one transaction with the note of what was looked at."""
        with self.writing:
            try:
                changes = self._alerted(looked.findings, looked.withdrawn, note)
            except DiskError:
                raise
            except Exception:  # noqa: BLE001 - whatever one finding holds, the others must be told
                sound = [finding for finding in looked.findings if self._is_sound(finding, looked)]
                changes = self._alerted(sound, looked.withdrawn, note)
            self.progress.alerts += sum(1 for c in changes if c.kind == "alert.created")
            # A detector fails until it was asked again and did well.
            self.progress.failures = {n: why for n, why in self.progress.failures.items() if n not in looked.well} | looked.failures

    def _alerted(self, findings: Sequence[Finding], withdrawn: Iterable[str], note: Callable[[Database], None]) -> list[Change]:
        now, rules = datetime.now(UTC), self.settings.detect
        titles = {name: one.title for name, one in detectors().items()} | spending.TITLES
        with self.database.transaction():
            told = groups.among_days(self.database, findings, GROUPS)
            weighed = budget.weighed(self.database, told, rules.alerts_per_day, rules.false_discovery_rate, rules.high_alerts_per_day)
            changes = triage.group(self.database, weighed, now=now, titles=titles)
            changes += triage.withdraw(self.database, withdrawn, now=now, titles=titles)
            outbox.enqueue(self.database, changes, self.sinks, now)
            self._keep_decisions()
            note(self.database)
        return changes

    def _is_sound(self, finding: Finding, looked: Looked) -> bool:
        """Whether a finding can be stored; one that cannot is its detector's failure."""
        try:
            with self.database.transaction():
                triage.group(self.database, [finding], now=datetime.now(UTC))
                raise _TriedError
        except _TriedError:
            return True
        except DiskError:
            raise
        except Exception as error:  # noqa: BLE001 - as in `_conclude`
            looked.failures[finding.detector] = f"its finding on {finding.scope_key} cannot be stored: {type(error).__name__}: {error}"
            return False


class _TriedError(Exception):
    """Undoes what was only tried."""
