"""History that is given as files: what it teaches, learned in a workspace that is thrown away; the calls themselves are not kept."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest import files
from ingest.batch import to_tables
from ingest.redact import Redactor
from toolhound.engine import Engine
from toolhound.learning import Taught
from toolhound.settings import Settings


def taught_by(names: Sequence[str], key: bytes, settings: Settings, progress: Callable[[int], None] = lambda _: None) -> Taught:
    """Learn from call files. Who gives them vouches for them: their alerts keep nothing from teaching.

    key: that of the workspace, so that what is masked in its calls is recognised.
    """
    masks, refused = Redactor(key), []
    with TemporaryDirectory(prefix="toolhound-") as folder:
        engine = Engine(Path(folder), settings)
        try:
            for name in names:
                for part in files.read(name):
                    engine.spool.write(to_tables(part.records, masks, settings.keep.policy()))
                    engine.take()
                    refused += part.refused
                    progress(part.read_bytes)
            failures = engine.detect().failures
            refused += [f"detector {name} failed, so its findings are missing: {why}" for name, why in failures.items()]
            engine.database.execute("DELETE FROM hot.alerts")
            engine.settle(datetime.now(UTC) + timedelta(days=1))
            normal, scores, scored = (engine.database.query(f"SELECT * FROM hot.{table}") for table in ("normal", "scores", "scored"))
            return Taught(normal, scores, scored, refused)
        finally:
            engine.close()
