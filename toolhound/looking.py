"""Looks, again and again, on a connection of their own: what is taken in meanwhile never waits for detectors."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic

import pyarrow.compute as pc

from store.database import Database
from toolhound.detection import Look, Looked, look_at_everything
from toolhound.normal import Normal
from toolhound.settings import Budgets
from toolhound.spending import overspent
from toolhound.workers import Ask, Workers, here

QUIET_SECONDS = 0.25
"""A session is looked at once nothing was added for so long: its prompt and its calls often come in separate exports."""

IMPATIENT_SECONDS = 0.8
"""... but at the latest so long after it was first touched, so that an alert shows within two seconds."""

LOOKED_AT_ONCE = 20_000
"""How much of what was touched one look takes on, oldest first, so that the first alerts of a backlog do not wait for its last calls."""

GROUPS_SECONDS, GROUPS_SHARE = 1.0, 0.2
"""How long agents, servers, principals and the fleet are left alone at least, and what share of the time looks at them may take: they cost
what these did lately, however little of it is new."""

Conclude = Callable[[Looked, Callable[[Database], None]], None]
"""Takes what a look gave, and what to write in the transaction that makes alerts of it."""


class Looks:
    """Looks at what `hot.touched` and `hot.waiting` name; whoever else changes lessons or moves calls holds `lock` meanwhile."""

    def __init__(
        self, reader: Database, normal: Callable[[Database, bool], Normal], conclude: Conclude, workers: Workers | None = None,
        budgets: Budgets = Budgets(),  # noqa: B008 - frozen
    ) -> None:
        self.reader, self._normal, self._conclude, self._workers, self._budgets = reader, normal, conclude, workers, budgets
        self._groups_due = 0.0
        self.lock = threading.RLock()

    def close(self) -> None:
        """Give the connection back."""
        if self._workers:
            self._workers.stop()
        with self.lock:
            self.reader.close()

    def once(self, patient: bool = True) -> bool:
        """Look at what has become quiet, and at longer-lived groups where that is due; everything at once if not `patient`. Whether there was any."""
        with self.lock:
            did = self._is_time(patient)
            if did:
                self._look_at_sessions()
            if not patient or monotonic() >= self._groups_due:
                did = self._look_at_groups() or did
            return did

    def everything(self, learn_from_unsettled: bool) -> Looked:
        """Run every detector over everything."""
        whole = Looked()
        with self.lock:
            usual = self._normal(self.reader, learn_from_unsettled)
            ask, at_once = self._asking()
            for looked in look_at_everything(self.reader, usual, ask=ask, at_once=at_once):
                self._conclude(looked, _nothing)
                whole.findings += looked.findings
                whole.withdrawn += looked.withdrawn
                whole.failures |= looked.failures
            over = Looked(findings=list(overspent(self.reader, self._budgets)))
            self._conclude(over, _nothing)
            whole.findings += over.findings
        return whole

    def waiting(self) -> bool:
        """Whether there is anything to look at."""
        with self.lock:
            return bool(self.reader.value("SELECT (SELECT count(*) FROM hot.touched) + (SELECT count(*) FROM hot.waiting)"))

    def _asking(self) -> tuple[Ask, int]:
        return (self._workers.ask, self._workers.processes) if self._workers else (here, 1)

    def _look(self) -> Look:
        ask, at_once = self._asking()
        return Look(self.reader, usual=self._normal(self.reader, True), ask=ask, at_once=at_once)

    def _is_time(self, patient: bool) -> bool:
        row = self.reader.rows("SELECT min(touched_at) AS first, max(touched_at) AS last FROM hot.touched")[0]
        if row["first"] is None:
            return False
        now = datetime.now(UTC)
        quiet = (now - row["last"]).total_seconds() > QUIET_SECONDS
        return not patient or quiet or (now - row["first"]).total_seconds() > IMPATIENT_SECONDS

    def _look_at_sessions(self) -> None:
        look, looked = self._look(), Looked()
        chosen = look.choose(LOOKED_AT_ONCE)
        look.learn(looked)
        look.sessions(looked)
        looked.findings += overspent(self.reader, self._budgets, "looked_at")
        touched = look.touched()

        last = pc.max(chosen["touched_at"]).as_py()

        def note(database: Database) -> None:
            with database.named(chosen=chosen):  # what was touched again meanwhile stays
                database.execute("""
                    DELETE FROM hot.touched AS t USING chosen AS c
                    WHERE c.kind = t.kind AND c.key = t.key AND t.touched_at <= c.touched_at AND t.touched_at <= $last
                """, {"last": last})
            database.insert("hot.waiting", touched)

        self._conclude(looked, note)

    def _look_at_groups(self) -> bool:
        waiting = self.reader.query("SELECT DISTINCT scope, key, since FROM hot.waiting")
        if not len(waiting):
            return False
        begun = monotonic()
        look, looked = self._look(), Looked()
        look.groups(waiting, looked)
        self._conclude(looked, lambda database: database.execute("DELETE FROM hot.waiting"))
        took = monotonic() - begun
        self._groups_due = begun + max(GROUPS_SECONDS, took / GROUPS_SHARE)
        return True


def _nothing(_: Database) -> None:
    """There is nothing to note."""
