"""Detectors over a workspace: the scopes that changed, or everything in shards; both give the same findings."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from alerts import triage
from detectors.contract import SCOPE_KEY, Scope, Slice
from detectors.registry import Registered, detectors
from detectors.run import by_scope, run
from store.database import Database
from store.records import Finding
from toolhound.lessons import refresh
from toolhound.normal import Normal

SHARD_CALLS = 50_000
"""How many calls a detector holds at a time when everything is looked at."""

GROUPS_AT_ONCE = 250
"""How many touched sessions a detector holds at a time: they are given whole, and each needs only itself."""

REPLACED = (Scope.CALL, Scope.SESSION)
"""Scopes that a slice holds whole: what is no longer found there no longer holds."""

PAYLOADS_LEFT_OUT = """ REPLACE (
    NULL::VARCHAR AS arguments, NULL::VARCHAR AS result, NULL::VARCHAR AS attributes,
    NULL::UBIGINT[] AS argument_shingles, NULL::UBIGINT[] AS result_shingles
)"""


@dataclass(slots=True)
class Looked:
    """What a look gave: findings, findings that no longer hold, detectors that failed, and those that did well."""

    findings: list[Finding] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    well: set[str] = field(default_factory=set)


def look_at_touched(
    database: Database, asked: Iterable[Registered] | None = None, usual: Normal | None = None, most: int | None = None
) -> Looked:
    """Run detectors (all where none are named) over the groups that `hot.touched` names; of many, over those touched first."""
    database.execute(
        "CREATE OR REPLACE TEMP TABLE looking AS SELECT kind, key FROM hot.touched ORDER BY touched_at, kind, key LIMIT $most", {"most": most}
    )
    database.execute("""
        CREATE OR REPLACE TEMP TABLE looked_at AS
        SELECT call_id, session_id, principal, client_address, agent, server, called_at, seen_at FROM hot.calls
        WHERE call_id IN (SELECT key FROM looking WHERE kind = 'call')
    """)
    asked = None if asked is None else list(asked)
    usual = usual or Normal(database, list(detectors().values()) if asked is None else asked)
    looked = Looked(failures=refresh(database, usual.learners))
    for scope in Scope:
        keys = _touched_keys(database, scope)
        since = database.value("SELECT min(least(called_at, seen_at)) FROM looked_at")  # a clock that is ahead must not hide what came before
        most_keys = GROUPS_AT_ONCE if scope == Scope.SESSION else max(1, len(keys))
        for start in range(0, len(keys), most_keys):
            _look(database, scope, keys[start:start + most_keys], looked, asked, since, usual)
    return looked


def forget_looked_at(database: Database) -> None:
    """Let what the last look took on count as looked at."""
    database.execute("DELETE FROM hot.touched AS t USING looking AS l WHERE l.kind = t.kind AND l.key = t.key")


def look_at_everything(
    database: Database, usual: Normal | None = None, asked: Iterable[Registered] | None = None, shard_calls: int = SHARD_CALLS
) -> Iterator[Looked]:
    """Run detectors (all where none are named) over all calls, shard by shard."""
    asked = None if asked is None else list(asked)
    usual = usual or Normal(database, list(detectors().values()) if asked is None else asked)
    yield Looked(failures=refresh(database, usual.learners))
    for scope in Scope:
        keys = [row["k"] for row in database.rows(f"""
            SELECT k FROM (SELECT {SCOPE_KEY[scope]} AS k FROM calls {_also(scope)}) GROUP BY k ORDER BY hash(k)
        """) if row["k"] is not None]
        total = database.value("SELECT count(*) FROM calls") or 0
        shards = max(1, total // shard_calls)
        for n in range(shards):
            looked = Looked()
            _look(database, scope, keys[n::shards], looked, asked, None, usual)
            yield looked


def _also(scope: Scope) -> str:
    match scope:
        case Scope.SERVER:
            return "UNION ALL SELECT coalesce(server, '') FROM tool_definitions UNION ALL SELECT coalesce(server, '') FROM access"
        case Scope.PRINCIPAL:
            return "UNION ALL SELECT coalesce(principal, client_address, agent, '') FROM access"
    return ""


def _touched_keys(database: Database, scope: Scope) -> list[str]:
    same_kind = {Scope.CALL: "call", Scope.SESSION: "session", Scope.SERVER: "server", Scope.PRINCIPAL: "principal"}.get(scope, "none")
    rows = database.rows(f"""
        SELECT DISTINCT {SCOPE_KEY[scope]} AS k FROM looked_at UNION SELECT key FROM looking WHERE kind = $kind
    """, {"kind": same_kind})
    return [row["k"] for row in rows if row["k"] is not None]


def _look(
    database: Database, scope: Scope, keys: list[str], looked: Looked, named: Iterable[Registered] | None, since: datetime | None,
    usual: Normal,
) -> None:
    asked = by_scope(detectors().values() if named is None else named, scope)
    if not asked or not keys:
        return
    seen = Slice(_seen(database, scope, keys, asked, since, usual))
    try:
        outcome = run(asked, seen)
    finally:
        seen.close()
    looked.findings += outcome.findings.values()
    looked.failures |= outcome.failures
    asked_well = [one.name for one in asked if one.name not in outcome.failures]
    looked.well.update(asked_well)
    if scope in REPLACED:
        looked.withdrawn += triage.lapsed(database, scope=scope, scope_keys=keys, detectors=asked_well, found=outcome.findings)


def _seen(
    database: Database, scope: Scope, keys: list[str], asked: Iterable[Registered], since: datetime | None, usual: Normal
) -> Mapping[str, pa.Table]:
    """The tables of a slice. Sessions are given whole; of longer-lived groups, what lies within the detectors' lookback.

    The fleet's calls come without payloads and their fingerprints: of everything at once, these would not fit.
    """
    earliest = since - max(one.detector.lookback for one in asked) if since and scope not in REPLACED else None
    recent = "AND ($earliest IS NULL OR {} >= $earliest)"
    values = {"earliest": earliest}
    in_session = scope == Scope.SESSION
    with database.named(wanted_keys=pa.table({"k": pa.array(keys, pa.string())})):
        seen = {
            "calls": database.query(
                f"SELECT *{PAYLOADS_LEFT_OUT if scope == Scope.FLEET else ''} FROM calls "
                f"WHERE {SCOPE_KEY[scope]} IN (SELECT k FROM wanted_keys) {recent.format('called_at')}", values
            ),
        }
        if scope != Scope.CALL:
            key = "session_id" if in_session else SCOPE_KEY[scope]
            seen["access"] = database.query(
                f"SELECT * FROM access WHERE {key} IN (SELECT k FROM wanted_keys) {recent.format('accessed_at')}", values
            )
            seen["tool_definitions"] = database.query("SELECT * FROM hot.tool_definitions")
        if in_session:
            seen["messages"] = database.query("SELECT * FROM messages WHERE session_id IN (SELECT k FROM wanted_keys)")
    seen |= {table: database.query(f"SELECT * FROM hot.{table}") for table in ("grants", "registry")}
    if any(one.detector.learn for one in asked):
        seen["normal"] = usual.of(asked, seen["calls"], keys)
    return seen
