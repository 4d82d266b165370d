"""Which ids were heard of before: a memory that says "never" for certain and "perhaps" otherwise, at a cost that does not grow.

To ask the tables costs the more the longer they are, and nearly all that arrives is new. So 32 bits of each id's hash are kept in blocks,
the newest last. A block also knows when its rows were seen, so that a question about an id that may be known looks at few rows.
Ids that only a transaction that failed has told are remembered all the same: they cost a look at the tables, no more.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from store.database import Database
from store.records import SessionSource

Keys: TypeAlias = npt.NDArray[np.uint64]
Flags: TypeAlias = npt.NDArray[np.bool_]

SLOTS_BITS = 21
SLOTS = 1 << SLOTS_BITS
FULL = SLOTS * 5 // 8
"""Beyond it, runs of taken slots grow long (Knuth, The Art of Computer Programming 3, section 6.4)."""

NO_KEY = np.uint64(0)
_ABSENT = np.int64(hash(None)).view(np.uint64)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOADED_ROWS = 100_000


class Kind(IntEnum):
    """What a key stands for; the numbers, digits of pi, keep keys of different kinds apart."""

    SIGHTING = 0x243F6A8885A308D3
    TRACE = 0x13198A2E03707344
    """A trace with sightings."""
    PAIR = 0xA4093822299F31D0
    """A session and tool-call id, where there is no trace."""
    CONTEXT = 0x082EFA98EC4E6C89
    """A trace with context spans."""
    MESSAGE = 0x452821E638D01377
    HOMELESS = 0xBE5466CF34E90C6C
    """A trace with messages that came without a session."""
    WORDS = 0xC0AC29B7C97C50DD
    """A session and the words of a message in it."""
    ACCESS = 0x3F84D5B5B5470917


def keys(kind: Kind, ids: Iterable[str | None]) -> Keys:
    """A key for each id; none for an absent one. Python's own hash is keyed afresh in each process, so nobody can aim at a slot."""
    hashes = np.fromiter(map(hash, ids), np.int64).view(np.uint64)
    return np.where(hashes == _ABSENT, NO_KEY, hashes ^ np.uint64(kind))


def rekeyed(wanted: Keys, kind: Kind, other: Kind) -> Keys:
    """Keys of the same ids, standing for something else."""
    return np.where(wanted == NO_KEY, NO_KEY, wanted ^ np.uint64(kind ^ other))


def moment(microseconds: int) -> datetime:
    """Microseconds since 1970 as a moment."""
    return _EPOCH + timedelta(microseconds=microseconds)


def remember(heard: "Heard", wanted: Keys, rows: pa.Table) -> None:
    """Note keys of rows that are taken in."""
    if len(rows):
        seen = pc.min_max(rows["seen_at"].cast(pa.int64()))
        heard.add(wanted, seen["min"].as_py(), seen["max"].as_py())


class _Block:
    def __init__(self) -> None:
        self.marks = np.zeros(SLOTS, np.uint32)
        self.count, self.since, self.until = 0, np.iinfo(np.int64).max, np.iinfo(np.int64).min

    def add(self, wanted: Keys) -> None:
        slots, marks = _places(wanted)
        while len(slots):
            free = self.marks[slots] == 0
            self.marks[slots[free]] = marks[free]  # of several that want one slot the last gets it, the others go on
            placed = self.marks[slots] == marks
            slots, marks = (slots[~placed] + 1) % SLOTS, marks[~placed]
        self.count += len(wanted)

    def has(self, wanted: Keys) -> Flags:
        found = np.zeros(len(wanted), np.bool_)
        slots, marks = _places(wanted)
        left = np.arange(len(wanted))
        while len(left):
            there = self.marks[slots]
            found[left[there == marks]] = True
            further = (there != 0) & (there != marks)
            left, slots, marks = left[further], (slots[further] + 1) % SLOTS, marks[further]
        return found


def _places(wanted: Keys) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    """Each key's slot, from its upper bits, and its mark, from its lower ones; no mark is 0, which means free."""
    return (wanted >> np.uint64(64 - SLOTS_BITS)).astype(np.int64), (wanted & np.uint64(0xFFFFFFFF)).astype(np.uint32) | np.uint32(1)


class Heard:
    """Keys in blocks."""

    def __init__(self) -> None:
        self._blocks = [_Block()]

    def add(self, wanted: Keys, since: int, until: int) -> None:
        """Remember keys of rows that were seen between two moments (microseconds since 1970)."""
        wanted = wanted[wanted != NO_KEY]
        while len(wanted):
            block = self._blocks[-1]
            if block.count >= FULL:
                block = _Block()
                self._blocks.append(block)
            part, wanted = wanted[:FULL - block.count], wanted[FULL - block.count:]
            block.add(part)
            block.since, block.until = min(block.since, since), max(block.until, until)

    def find(self, wanted: Keys) -> tuple[Flags, datetime | None]:
        """Which keys may be known, and since when such a row may have been seen; None where none is."""
        found, since = np.zeros(len(wanted), np.bool_), None
        asked = np.flatnonzero(wanted != NO_KEY)
        for block in self._blocks:
            here = block.has(wanted[asked]) if block.count else np.zeros(len(asked), np.bool_)
            if here.any():
                found[asked[here]] = True
                since = block.since if since is None else min(since, block.since)
        return found, None if since is None else moment(since)

    def forget(self, before: datetime) -> None:
        """Let go of blocks all of whose rows were seen before a moment."""
        edge = (before - _EPOCH) // timedelta(microseconds=1)
        self._blocks = [block for block in self._blocks if block.until >= edge] or [_Block()]


_OF: WeakKeyDictionary[Database, Heard] = WeakKeyDictionary()


def heard_of(database: Database) -> Heard:
    """The memory of the one connection that writes; made from the tables when it is first asked for."""
    if database not in _OF:
        heard = _OF[database] = Heard()
        for kinds, select in _KEYED:
            for batch in database.stream(f"{select} ORDER BY seen_at", _LOADED_ROWS):
                seen = batch.column(len(kinds)).cast(pa.int64())
                for n, kind in enumerate(kinds):
                    heard.add(keys(kind, batch.column(n).to_pylist()), seen[0].as_py(), seen[-1].as_py())
    return _OF[database]


_KEYED = (
    ((Kind.SIGHTING, Kind.TRACE, Kind.PAIR), """
        SELECT observation_id, trace_id, CASE WHEN trace_id IS NULL THEN session_id || chr(31) || tool_call_id END, seen_at FROM hot.told"""),
    ((Kind.CONTEXT,), "SELECT trace_id, seen_at FROM hot.spans"),
    ((Kind.MESSAGE, Kind.WORDS), "SELECT message_id, session_id || chr(31) || words, seen_at FROM hot.said"),
    ((Kind.HOMELESS,), f"SELECT trace_id, seen_at FROM hot.messages WHERE session_source = {SessionSource.TRACE:d}"),
    ((Kind.ACCESS,), "SELECT access_id, seen_at FROM hot.accessed"),
)
