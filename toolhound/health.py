"""How the parts of a workspace are, for the health page and `toolhound health`."""

from datetime import UTC, datetime
from typing import Any

from alerts.outbox import outbox_health
from alerts.queue import detectors_health
from detectors.registry import detectors
from ingest.standing import standings
from store.database import Database
from toolhound.engine import Engine


def health(engine: Engine, reader: Database) -> dict[str, Any]:
    """What is received, waiting, refused, failing and delivered."""
    files, waiting = engine.spool.size()
    taken_files, taken = engine.spool.taken_size()
    lake_files, lake_bytes = engine.lake.size()
    progress, collectors = engine.progress, standings(engine.folder)
    touched_since = reader.value("SELECT min(touched_at) FROM hot.touched")
    failing = [t for t in (progress.trouble, progress.look_trouble) if t]
    degraded = [t for t in (progress.delivery_trouble, *(f"detector {n}: {why}" for n, why in progress.failures.items())) if t]
    return {
        "status": "failing" if failing else "degraded" if degraded else "ok",
        "trouble": failing + degraded,
        "engine": {
            "records": progress.records, "files": progress.files, "alerts_opened": progress.alerts,
            "last_step_at": progress.last_step_at,
            "lag_seconds": _lag(engine),
            "touched": reader.value("SELECT (SELECT count(*) FROM hot.touched) + (SELECT count(*) FROM hot.waiting)"),
            "touched_since": touched_since,
            "look_lag_seconds": max(0.0, (datetime.now(UTC) - touched_since).total_seconds()) if touched_since else 0.0,
            "sightings": {"repeated": progress.repeated, "contradicted": progress.contradicted, "clock_ahead": progress.ahead},
        },
        "spool": {"files": files, "bytes": waiting, "limit_bytes": engine.settings.collect.spool_bytes, "taken_files": taken_files,
                  "taken_bytes": taken},
        "lake": {"files": lake_files, "bytes": lake_bytes},
        "calls": reader.value("SELECT count(*) FROM calls") or 0,
        "dialects": reader.rows("SELECT dialect, count(*) AS sightings FROM observations GROUP BY dialect ORDER BY sightings DESC"),
        "collectors": collectors,
        "unknown_vocabularies": _unknown(collectors),
        "rejected": {"kept": engine.rejected.count(), "newest": engine.rejected.listed(20)},
        "deliveries": outbox_health(reader),
        "detectors": {"known": len(detectors()), "failing": progress.failures, "alerts": detectors_health(reader)},
    }


def _lag(engine: Engine) -> float:
    """Seconds that the oldest batch has been waiting."""
    oldest = next(iter(engine.spool.pending(1)), None)
    if oldest is None:
        return 0.0
    return max(0.0, datetime.now(UTC).timestamp() - int(oldest.name.split("-")[0]) / 1e9)


def _unknown(collectors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The vocabularies that no dialect knows, whichever collector came across them."""
    found: dict[tuple[str, str, tuple[str, ...]], int] = {}
    for one in (one for collector in collectors for one in collector.pop("unknown", [])):
        spoken = (one["signal"], one["scope"], tuple(one["keys"]))
        found[spoken] = found.get(spoken, 0) + one["requests"]
    most = sorted(found.items(), key=lambda pair: -pair[1])
    return [{"signal": signal, "scope": scope, "keys": list(keys), "requests": n} for (signal, scope, keys), n in most]
