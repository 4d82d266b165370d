"""Whether what is stored is what should be: files against the ledger, the spool, calls against their observations, decisions.

Nothing is changed by looking. Each problem says where it is, what is wrong, and what helps.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from store import tables
from store.database import Database
from store.errors import DiskError, StoreError
from store.lake import Lake
from store.lake_file import checksum
from store.manifest import LakeFile
from store.spool import Spool

REBUILD = "run `toolhound verify --rebuild`, which works without it; or restore it from a backup first"
RESTORE = "restore it from a backup; without one, `toolhound verify --rebuild` goes on without its rows"
SHOWN = 5
"""How many of many are named."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be."""

    place: str
    what: str
    cure: str


def check_files(lake: Lake, files: Iterable[LakeFile], database: Database) -> Iterator[Problem]:
    """Each file that counts: is it there, whole, unchanged, and does it hold what the ledger says."""
    for one in files:
        path = lake.folder / one.path
        wrong = _wrong(path, one, database)
        if wrong:
            yield Problem(str(path), wrong, RESTORE)


def check_ledger(ledger: Iterable[LakeFile], manifest: Mapping[str, LakeFile], dropped: Iterable[str]) -> Iterator[Problem]:
    """The database and the lake's own list say the same; what a crash left between them, the next start puts right."""
    known = {one.path for one in ledger}
    for path in sorted(known - manifest.keys()):
        yield Problem(path, "the database knows it, the lake's manifest does not yet", "start the workspace once")
    for path in sorted(manifest.keys() - known - set(dropped)):
        yield Problem(path, "the lake's manifest knows it, the database does not: it is an older copy, or was lost", REBUILD)


def check_strays(lake: Lake, known: Iterable[str]) -> Iterator[Problem]:
    """Files that nobody knows."""
    for path in lake.strays(set(known)):
        yield Problem(str(path), "no ledger knows it: a crash left it, its rows are elsewhere", "start the workspace once, which removes it")


def check_spool(spool: Spool) -> Iterator[Problem]:
    """Batches that are acknowledged and not yet in the lake: can they be read."""
    waiting = sorted(path for path in spool.folder.iterdir() if path.suffix == ".arrow")
    for path in [*waiting, *spool.taken()]:
        try:
            spool.read(path)
        except StoreError as error:
            if path.exists():  # the engine may have taken it meanwhile
                cure = "the engine sets it aside in rejected/" if path in waiting else "none is needed: the database has its rows"
                yield Problem(str(path), str(error), cure)


def check_rows(database: Database, lake: Lake, days_are_dropped: bool) -> Iterator[Problem]:
    """Calls once, each with an observation, and the other way round; decisions in the lake as in the database.

    Where old days are dropped, the sightings of a call over midnight may outlive it by a day.
    """
    first = "(SELECT date_trunc('day', min(called_at)) + INTERVAL 1 DAY FROM calls)"
    overlap = f"AND o.called_at >= {first}" if days_are_dropped else ""
    questions = (
        ("calls", "occur more than once", "SELECT call_id AS id FROM calls GROUP BY call_id HAVING count(*) > 1"),
        ("calls", "have no observation", "SELECT c.call_id AS id FROM calls AS c ANTI JOIN observations AS o USING (call_id)"),
        ("observations", "belong to no call",
         f"SELECT o.observation_id AS id FROM observations AS o ANTI JOIN calls AS c USING (call_id) WHERE true {overlap}"),
        ("decisions", "are in the lake and not in the database", "SELECT decision_id AS id FROM kept ANTI JOIN hot.decisions USING (decision_id)"),
        ("decisions", "are in the database and not in the lake", "SELECT decision_id AS id FROM hot.decisions ANTI JOIN kept USING (decision_id)"),
    )
    files = lake.files(database, "decisions")
    source = f"SELECT decision_id FROM {database.parquet(files)}" if files else "SELECT '' AS decision_id WHERE false"
    for table, wrong, question in questions:
        kept = f"kept AS ({source})," if table == "decisions" else ""
        found = database.rows(f"WITH {kept} wrong AS ({question}) SELECT count(*) AS n, list(id ORDER BY id)[:{SHOWN}] AS ids FROM wrong")[0]
        if found["n"]:
            named = ", ".join(found["ids"]) + (", ..." if found["n"] > SHOWN else "")
            yield Problem(table, f"{found['n']:,} {wrong}: {named}", REBUILD)


def _wrong(path: Path, one: LakeFile, database: Database) -> str | None:
    try:
        size = path.stat().st_size
        if one.bytes is not None and size != one.bytes:
            return f"it has {size:,} bytes instead of {one.bytes:,}"
        if one.checksum is not None and checksum(path) != one.checksum:
            return "its bytes are not those that were written: the checksum differs"
        found = database.value(f"SELECT count(*) FROM {database.parquet([str(path)])}")
        columns = database.query(f"SELECT * FROM {database.parquet([str(path)])} LIMIT 0").schema
    except FileNotFoundError:
        return "it is gone"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    except (StoreError, DiskError) as error:
        return f"it cannot be read: {error}"
    if found != one.records:
        return f"it has {found:,} rows instead of {one.records:,}"
    wanted = tables.schema(one.table)
    other = [field.name for field in columns if field.name in wanted.names and field.type != wanted.field(field.name).type]
    return f"its columns {', '.join(other)} have other types than the table" if other else None
