"""Keeping the lake: what is older or larger than the settings allow goes, day by day; many small files of a day become one.

Each change is made in the ledger first, then told to the manifest; files go later, when nobody reads them any more.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from store.database import Database
from store.lake import STAYING, Lake
from store.manifest import LakeFile
from toolhound.settings import Keep

EVERY = timedelta(hours=1)
STILL_READ = timedelta(minutes=10)
"""How long after it was dropped a file may still be read by a question that began before; questions of users end after a minute."""

MERGED_FROM = 16
"""From so many small files of a day on, they are made one: a question opens every file."""

QUIET = timedelta(hours=1)
"""A day is left alone until nothing was added to it for so long."""

SMALL_BYTES = 64 << 20
"""What is larger is worth a file of its own."""

MERGED_BYTES = 512 << 20
"""What one merging takes in at most, so that the engine is not held up for long."""


def keep_house(database: Database, lake: Lake, keep: Keep, now: datetime) -> dict[str, int]:
    """Drop, merge and remove what is due; how many files of each. The caller is the one writer."""
    done = {"removed": lake.remove_dropped(database, now - STILL_READ), "dropped": 0, "merged": 0}
    old = expired(lake.ledger(database), now.date(), keep)
    if old:
        with database.transaction():
            lake.drop(database, [one.path for one in old])
        done["dropped"] = len(old)
    small = mergeable(lake.ledger(database), now)
    if small:
        with database.transaction():
            lake.merge(database, small[0].table, small[0].day, small)
        done["merged"] = len(small)
    lake.publish(database)
    return done


def expired(files: Iterable[LakeFile], today: date, keep: Keep) -> list[LakeFile]:
    """The files that are not to be kept: whole days, oldest first. Definitions, decisions, grants and the registry stay.

    The newest day is kept, however large it is.
    """
    by_day: dict[date, list[LakeFile]] = defaultdict(list)
    size = 0
    for one in files:
        size += one.bytes or 0
        if one.table not in STAYING:
            by_day[one.day].append(one)
    first = today - timedelta(days=keep.days) if keep.days else date.min
    gone: list[LakeFile] = []
    for day in sorted(by_day):
        too_large = keep.lake_bytes and size > keep.lake_bytes and day != max(by_day)
        if day < first or too_large:
            gone += by_day[day]
            size -= sum(one.bytes or 0 for one in by_day[day])
    return gone


def mergeable(files: Iterable[LakeFile], now: datetime) -> list[LakeFile]:
    """Small files of one table and day that are to become one; of the days that have most of them."""
    small: dict[tuple[str, date], list[LakeFile]] = defaultdict(list)
    newest: dict[tuple[str, date], datetime] = defaultdict(lambda: datetime.min.replace(tzinfo=UTC))
    for one in files:
        key = (one.table, one.day)
        newest[key] = max(newest[key], one.written_at)
        if one.bytes is not None and one.bytes < SMALL_BYTES:
            small[key].append(one)
    due = [found for key, found in small.items() if len(found) >= MERGED_FROM and newest[key] <= now - QUIET]
    if not due:
        return []
    size = 0
    taken: list[LakeFile] = []
    for one in max(due, key=len):
        size += one.bytes or 0
        if taken and size > MERGED_BYTES:
            break
        taken.append(one)
    return taken if len(taken) > 1 else []
