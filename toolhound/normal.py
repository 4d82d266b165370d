"""What is normal, as a slice of calls may ask for it: settled counters and, unless told otherwise, what unsettled sessions teach."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from detectors.registry import Registered
from store.database import Database
from store.errors import DiskError, StoreError
from toolhound.lessons import COUNTED, grown

HALF_LIFE_DAYS = 30.0
"""A session weighs half of what it did a month ago: agents change with their releases, and month ends come round."""

HELD_DAYS = 7.0
"""How long an open alert keeps its sessions from teaching; a week has room for a holiday."""

_HELD = """
    WITH standing AS (
        SELECT * FROM hot.alerts WHERE state <> 'closed' AND opened_at > $since
    ), proven AS (
        SELECT DISTINCT alert_id FROM (SELECT alert_id, unnest(finding_ids) AS finding_id FROM standing)
        JOIN hot.findings USING (finding_id) WHERE grade >= 3 AND coalesce((evidence ->> '$.alerting')::BOOLEAN, true)
    ), holding AS (
        SELECT *, false AS confirmed FROM standing SEMI JOIN proven USING (alert_id)
        UNION ALL BY NAME SELECT *, true AS confirmed FROM hot.alerts WHERE state = 'closed' AND verdict = 'true_positive'
    )
    SELECT name, bool_or(confirmed) AS confirmed, min(first_called_at) AS first_called_at
    FROM (SELECT unnest(session_ids || call_ids) AS name, confirmed, first_called_at FROM holding) GROUP BY name
"""

_NORMAL = f"""
    WITH held AS (SELECT hash(name) AS lesson FROM held_names), told AS (
        SELECT * FROM hot.normal SEMI JOIN wanted USING (detector, subject)
        UNION ALL BY NAME
        SELECT * EXCLUDE (lesson), 1 AS sessions, {{weight}} AS weight FROM hot.lessons AS l SEMI JOIN wanted USING (detector, subject)
        WHERE $unsettled AND (l.detector IN (SELECT unnest($whatever::VARCHAR[])) OR NOT EXISTS (SELECT 1 FROM held WHERE held.lesson = l.lesson))
    ), clock AS (
        SELECT least(now(), greatest((SELECT max(last_at) FROM hot.normal), (SELECT max(last_at) FROM hot.lessons))) AS now
    )
    SELECT * REPLACE (round(weight / {{today}}, 4) AS weight) FROM ({COUNTED.format('told')})
"""  # the clock is that of the calls, so that an old export is no weaker than today's; and not ahead of ours, whatever a call claims


def held(database: Database, held_days: float = HELD_DAYS) -> pa.Table:
    """Sessions (and calls without one) that teach nothing: of confirmed attacks for good, of open alerts with proof for a while."""
    return database.few(_HELD, {"since": datetime.now(UTC) - timedelta(days=held_days)})


@dataclass(slots=True)
class Normal:
    """What `learners` count as usual; who is held is looked up once, at the first question."""

    database: Database
    learners: Sequence[Registered]
    unsettled: bool = True
    half_life_days: float = HALF_LIFE_DAYS
    held_days: float = HELD_DAYS

    _held: pa.Table | None = None

    def of(self, asked: Iterable[Registered], calls: pa.Table, keys: Sequence[str]) -> pa.Table:
        """The counters of detectors that a slice can ask for: about whom its calls and groups name; all, where nobody says whom they concern."""
        weight, today = grown(self.half_life_days), grown(self.half_life_days, "(SELECT now FROM clock)")
        if self._held is None:
            self._held = held(self.database, self.held_days)
        with self.database.named(wanted=self._wanted(asked, calls, keys), held_names=self._held):
            return self.database.few(_NORMAL.format(weight=weight, today=today), {
                "unsettled": self.unsettled, "whatever": [one.name for one in self.learners if one.detector.learn_attacks]})

    def _wanted(self, asked: Iterable[Registered], calls: pa.Table, keys: Sequence[str]) -> pa.Table:
        """Which detectors are asked about whom: `detector`, `subject`."""
        by_whom: dict[str | None, list[str]] = defaultdict(list)
        for one in asked:
            if one.detector.learn:
                by_whom[one.detector.learn_by].append(one.name)
        everybody = [name for names in by_whom.values() for name in names]
        wanted = [pa.table({"detector": pa.array(everybody, pa.string()), "subject": pa.repeat("", len(everybody))})]
        whoms = {whom: names for whom, names in by_whom.items() if whom}
        if whoms:
            with self.database.named(calls_of_slice=calls, keys_of_slice=pa.table({"k": pa.array(keys, pa.string())})):
                wanted += self._about(whoms)
        return pa.concat_tables(wanted)

    def _about(self, whoms: Mapping[str, list[str]]) -> list[pa.Table]:
        """Whom the slice is about; where a `learn_by` cannot be answered, its detector is told nothing: it fails to learn, and that is reported."""
        asking = " UNION ALL ".join(
            f"SELECT unnest($names_{n}::VARCHAR[]) AS detector, subject "
            f"FROM (SELECT DISTINCT {whom} AS subject FROM calls_of_slice UNION SELECT k FROM keys_of_slice) WHERE subject <> ''"
            for n, whom in enumerate(whoms)
        )
        try:
            return [self.database.few(asking, {f"names_{n}": names for n, names in enumerate(whoms.values())})]
        except DiskError:
            raise
        except StoreError:
            return [table for whom, names in whoms.items() for table in self._about({whom: names})] if len(whoms) > 1 else []
