"""Is all that is stored whole, and in agreement: of a workspace that is open here, or of a folder that nobody serves."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from store import verify
from store.database import Database
from store.errors import BusyError, DamagedError, SettingsError, StoreError
from store.lake import Lake
from store.seal import Seal
from store.spool import Spool
from store.verify import REBUILD, Problem
from toolhound.engine import Engine
from toolhound.keys import seal_of
from toolhound.settings import DATABASE_FILE, Keep, Settings


def verify_engine(engine: Engine) -> dict[str, Any]:
    """The answer of `verify_folder`, of an engine at work."""
    reader = engine.database.reader()
    try:
        with engine.writing:
            ledger, dropped = engine.lake.ledger(reader), engine.lake.dropped(reader)
            problems = list(verify.check_ledger(ledger, engine.lake.manifest.files, dropped))
        with reader.transaction():
            problems += _check(reader, engine.lake, engine.spool, engine.settings.keep)
            return _told(reader, problems)
    finally:
        reader.close()


def verify_folder(folder: Path, settings: Settings) -> dict[str, Any]:
    """What is wrong, and how much there is: `{"problems": [{"place", "what", "cure"}, ...], "counts": {...}}`.

    The database may be damaged or gone; then the lake is held against its own manifest. Raises BusyError, SettingsError.
    """
    if not folder.is_dir():
        raise StoreError(f"{folder} is no workspace: there is no such folder")
    seal = seal_of(folder, settings.keep)
    spool = Spool(folder / "spool", seal)
    problems: list[Problem] = []
    try:
        lake = Lake(folder / "lake", seal)
    except DamagedError as error:
        raise DamagedError(f"{error}; nothing can be said of the lake without it") from error
    path = folder / DATABASE_FILE
    try:
        if not path.exists() and (lake.manifest.files or spool.taken()):
            raise StoreError("it is gone")
        database = Database.open(path, seal) if path.exists() else None
        if database is None:
            return {"problems": [], "counts": {}}
        try:
            problems += verify.check_ledger(lake.ledger(database), lake.manifest.files, lake.dropped(database))
            problems += _check(database, lake, spool, settings.keep)
            return _told(database, problems)
        finally:
            database.close()
    except (BusyError, SettingsError):
        raise
    except StoreError as error:
        problems = [Problem(str(path), f"the database cannot be read: {error}", REBUILD)]
    return _without_database(folder, lake, spool, seal, problems)


def _check(database: Database, lake: Lake, spool: Spool, keep: Keep) -> list[Problem]:
    ledger = lake.ledger(database)
    problems = list(verify.check_files(lake, ledger, database))
    problems += verify.check_strays(lake, {one.path for one in ledger} | lake.dropped(database))
    problems += verify.check_spool(spool)
    if not problems:  # a missing file would be told again by every question over it
        problems += verify.check_rows(database, lake, bool(keep.days or keep.lake_bytes))
    return problems


def _without_database(folder: Path, lake: Lake, spool: Spool, seal: Seal | None, problems: list[Problem]) -> dict[str, Any]:
    database = Database.beside(folder, seal)
    try:
        problems += verify.check_files(lake, lake.manifest.files.values(), database)
    finally:
        database.close()
    problems += verify.check_spool(spool)
    return {"problems": [asdict(one) for one in problems], "counts": {"lake_files": len(lake.manifest.files)}}


def _told(database: Database, problems: list[Problem]) -> dict[str, Any]:
    files = database.rows("SELECT count(*) AS lake_files, coalesce(sum(bytes), 0)::BIGINT AS lake_bytes FROM hot.lake_files")[0]
    counts = {table: database.value(f"SELECT count(*) FROM hot.{table}") for table in ("findings", "alerts", "decisions")}
    if not problems:
        counts |= {table: database.value(f"SELECT count(*) FROM {table}") for table in ("calls", "observations")}
    return {"problems": [asdict(one) for one in problems], "counts": {**counts, **files}}
