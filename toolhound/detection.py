"""Detectors over a workspace: the scopes that changed, or everything in shards; both give the same findings."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from alerts import triage
from detectors.contract import ASKED_CALLS, PAYLOADS, SCOPE_KEY, Scope
from detectors.registry import Registered, detectors
from detectors.run import Run, by_scope
from store.database import Database
from store.errors import DetectorError
from store.records import Finding
from toolhound.lessons import TOUCHED, Taught, refresh
from toolhound.normal import Normal
from toolhound.workers import SAID, TO_TEACH, Answer, Ask, here

SHARD_CALLS = 50_000
"""How many calls a detector holds at a time when everything is looked at."""

GROUPS_AT_LEAST, GROUPS_AT_ONCE, CALLS_AT_ONCE = 200, 2_000, 20_000
"""How many touched sessions, and how many touched calls, a detector holds at a time: sessions are given whole, and each needs only itself."""

WORTH_SHARING = 5_000
"""From so many calls on, it is worth splitting them among processes."""

WORTH_TEACHING_APART = 500
"""From so many calls on, it is worth having some detectors learn in one process and some in another."""

NEWEST_CALLS = 200_000
"""How many calls of touched agents, servers, principals or of the fleet a detector holds at most, the newest: traffic must not fill the memory."""

LOOKED_AT_WITHIN = timedelta(minutes=10)
"""How long a call waits in the hot tables for its look; then it settles all the same, and is looked for in the lake."""

LOOKED_AT_CALLS = 500_000
"""How many wait there at most, the newest: taking in must not become slower, the more wait."""

WHOLE = (Scope.CALL, Scope.SESSION)
"""Scopes that a slice holds whole, and with payloads: what is no longer found there no longer holds."""

LONG_LIVED = (Scope.PRINCIPAL, Scope.AGENT, Scope.SERVER, Scope.FLEET)
"""Scopes of which a slice holds what lies within the detectors' lookback: what a look costs depends on how much that is, not on what is new."""

BEGINNING = 1_000
"""Of the arguments and results that they name, detectors of longer-lived groups see so many characters: why a call was refused stands there."""

_LOOKED_AT = "call_id, session_id, principal, client_address, agent, server, called_at, seen_at"

_WAITING = " UNION ALL ".join(
    f"SELECT '{scope}' AS scope, {SCOPE_KEY[scope]} AS key, min(least(called_at, seen_at)) AS since FROM looked_at GROUP BY ALL"  # a clock
    for scope in LONG_LIVED  # that is ahead must not hide what came before
) + f" UNION ALL SELECT DISTINCT kind, key, NULL::TIMESTAMPTZ FROM looking WHERE kind IN ('{Scope.SERVER}', '{Scope.PRINCIPAL}')"
"""The longer-lived groups that were touched, and since when; NULL where no call was."""


@dataclass(slots=True)
class Looked:
    """What a look gave: findings, findings that no longer hold, detectors that failed, and those that did well."""

    findings: list[Finding] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    well: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Part:
    """What is looked at at a time: groups of one kind, what they did since a moment, their newest calls at most."""

    scope: Scope
    keys: Sequence[str]
    since: datetime | None = None
    most: int | None = None
    apart: bool = False
    """Whether some detectors are asked in one process and some in another."""
    calls: Sequence[str] | None = ()
    """Of sessions: which of their calls are looked at by themselves, too; None stands for all."""

    def scopes(self) -> tuple[Scope, ...]:
        """Whose detectors are asked."""
        return (Scope.CALL, self.scope) if self.scope == Scope.SESSION and (self.calls is None or len(self.calls)) else (self.scope,)


class Look:
    """One look: who is asked (all detectors where none are named), what is usual, and what stays as it is meanwhile.

    It asks through a connection of its caller's, on which it keeps what it looks at in temporary tables, and writes lessons alone.
    """

    def __init__(
        self, database: Database, asked: Iterable[Registered] | None = None, usual: Normal | None = None, ask: Ask = here, at_once: int = 1
    ) -> None:
        self.database, self._ask, self._at_once = database, ask, at_once
        self.asked = list(detectors().values() if asked is None else asked)
        self.usual = usual or Normal(database, self.asked)

    @cached_property
    def _around(self) -> dict[str, pa.Table]:
        return {table: self.database.few(f"SELECT * FROM hot.{table}") for table in ("tool_definitions", "grants", "registry")}

    def choose(self, most: int | None = None) -> pa.Table:
        """Choose what to look at, of much what was touched first, and do its lessons anew; the rows of `hot.touched` that were chosen."""
        self.database.execute(
            "CREATE OR REPLACE TEMP TABLE looking AS SELECT * FROM hot.touched ORDER BY touched_at, kind, key LIMIT $most", {"most": most}
        )
        self.database.execute(f"CREATE OR REPLACE TEMP TABLE looked_at AS SELECT {_LOOKED_AT} FROM hot.calls WHERE false")
        last = self.database.value("SELECT max(touched_at) FROM looking")
        if last is None:
            return self.database.query("FROM looking")
        self._find("hot.calls", f"seen_at <= TIMESTAMPTZ '{last.isoformat()}'")  # what came later is not even looked through; but clocks differ
        self._find("hot.calls", "true")
        first = self.database.value("SELECT min(touched_at) FROM looking")
        if first < patience(self.database, datetime.now(UTC)):
            self._find("calls", f"seen_at >= TIMESTAMPTZ '{(first - LOOKED_AT_WITHIN).isoformat()}'")
            self._find("calls", "true")
        return self.database.query("FROM looking")

    def _find(self, table: str, within: str) -> None:
        """Add the calls that were chosen and are not found yet, where there are any."""
        missing = self.database.few("SELECT key FROM looking WHERE kind = 'call' EXCEPT SELECT call_id FROM looked_at")
        if len(missing):
            with self.database.named(missing=missing):
                there = f"FROM {table} WHERE call_id IN (SELECT key FROM missing) AND {within}"
                self.database.execute(f"INSERT INTO looked_at SELECT {_LOOKED_AT} {there}")

    def learn(self, looked: Looked) -> None:
        """Do the lessons of what was chosen anew."""
        asked = self.database.few(TOUCHED.format("looking"))
        looked.failures |= refresh(self.database, self.usual.learners, asked, self.database.transaction, self._teach)

    def _teach(self, learners: Sequence[Registered], calls: pa.Table, said: pa.Table | None) -> Taught:
        """Have as many learn at once as are asked at once."""
        learners = [one for one in learners if one.detector.learn]
        shares = min(self._at_once, max(1, len(learners))) if len(calls) >= WORTH_TEACHING_APART else 1
        answers: deque[Answer] = deque()
        told: list[Taught] = []
        try:
            for n in range(shares):
                some = learners[n::shares]
                heard = {SAID: said} if said is not None and any(one.detector.learn_prompts for one in some) else {}
                answers.append(self._ask(some, {TO_TEACH: calls, **heard}))
            while answers:
                told.append(cast(Taught, answers.popleft().result()))
        finally:
            _let_go(answers)
        return Taught(pa.concat_tables([one.lessons for one in told]), {name: why for one in told for name, why in one.failures.items()})

    def sessions(self, looked: Looked) -> None:
        """Look at the calls and sessions that were chosen."""
        looked_at = self.database.few("SELECT call_id, session_id FROM looked_at UNION SELECT key, NULL FROM looking WHERE kind = 'call' "
                                      "AND key NOT IN (SELECT call_id FROM looked_at)").to_pylist()
        calls: dict[str | None, list[str]] = defaultdict(list)
        for row in looked_at:
            calls[row["session_id"]].append(row["call_id"])
        alone = calls.pop(None, [])
        keys = sorted({*calls, *(row["key"] for row in self.database.rows("SELECT key FROM looking WHERE kind = 'session'"))})
        most = max(GROUPS_AT_LEAST, min(GROUPS_AT_ONCE, -(-len(keys) // max(1, self._at_once // 2))))
        parts = [Part(Scope.SESSION, some, apart=True, calls=[c for key in some for c in calls.get(key, ())]) for some in _chunks(keys, most)]
        self.parts([*parts, *(Part(Scope.CALL, some) for some in _chunks(alone, CALLS_AT_ONCE))], looked)

    def touched(self) -> pa.Table:
        """The longer-lived groups that were chosen: `scope`, `key`, `since`."""
        return self.database.few(_WAITING)

    def groups(self, waiting: pa.Table, looked: Looked) -> None:
        """Look at longer-lived groups, as `touched` has them."""
        keys: dict[str, set[str]] = defaultdict(set)
        since: dict[str, datetime] = {}
        for row in waiting.to_pylist():
            keys[row["scope"]].add(row["key"])
            if row["since"]:
                since[row["scope"]] = min(since.get(row["scope"], row["since"]), row["since"])
        self.parts([Part(scope, sorted(keys[scope]), since.get(scope), NEWEST_CALLS) for scope in LONG_LIVED], looked)

    def parts(self, parts: Iterable[Part], looked: Looked) -> None:
        """Look at one part after the other, or at several where several are looked at at once."""
        pending: deque[tuple[list[tuple[Scope, Sequence[str]]], list[Registered], Answer]] = deque()
        try:
            for part in parts:
                asked = [one for one in self.asked if one.detector.scope in part.scopes()]
                if not asked or not part.keys:
                    continue
                seen = self._seen(part, asked)
                calls = seen["calls"]["call_id"].to_pylist() if part.calls is None else part.calls
                for some in self._apart(asked) if part.apart else [asked]:
                    if len(pending) >= self._at_once:
                        self._gather(*pending.popleft(), looked)
                    looked_at = [(part.scope, part.keys), *([(Scope.CALL, calls)] if calls else [])]
                    pending.append((looked_at, some, self._ask(some, _for(some, seen))))
            while pending:
                self._gather(*pending.popleft(), looked)
        finally:
            _let_go(answer for _, _, answer in pending)

    def _apart(self, asked: list[Registered]) -> list[list[Registered]]:
        """Who is asked in one process, who in another: to plan a question takes as long for few calls as for many. Those that weigh texts in Python
        share what they have read."""
        weighing = [one for one in asked if callable(one.detector.find)]
        asking = [one for one in asked if not callable(one.detector.find)]
        return [some for some in (weighing, asking) if some] if self._at_once > 1 else [asked]

    def _gather(self, looked_at: list[tuple[Scope, Sequence[str]]], asked: Iterable[Registered], answer: Answer, looked: Looked) -> None:
        outcome = cast(Run, answer.result())
        looked.findings += outcome.findings.values()
        looked.failures |= outcome.failures
        asked_well = [one for one in asked if one.name not in outcome.failures]
        looked.well.update(one.name for one in asked_well)
        for scope, keys in looked_at:
            names = [one.name for one in by_scope(asked_well, scope)]
            if scope in WHOLE and names:
                looked.withdrawn += triage.lapsed(self.database, scope=scope, scope_keys=keys, detectors=names, found=outcome.findings)

    def _seen(self, part: Part, asked: Iterable[Registered]) -> Mapping[str, pa.Table]:
        """The tables of a slice.

        Sessions are given whole; of longer-lived groups, what lies within the detectors' lookback, with the payloads that they name.
        """
        scope, keys, since, most = part.scope, part.keys, part.since, part.most
        wanted = {column for one in asked for column in one.detector.payloads} | (PAYLOADS.keys() if scope in WHOLE else set())
        shortened = {} if scope in WHOLE else {column: f"left({column}, {BEGINNING})" for column in ("arguments", "result")}
        replaced = {column: shortened.get(column) if column in wanted else f"NULL::{kind}" for column, kind in PAYLOADS.items()}
        replacing = ", ".join(f"{sql} AS {column}" for column, sql in replaced.items() if sql)
        earliest = since - max(one.detector.lookback for one in asked) if since and scope not in WHOLE else None
        recent = "AND ($earliest IS NULL OR {} >= $earliest)"
        theirs = f"FROM calls WHERE {SCOPE_KEY[scope]} IN (SELECT k FROM wanted_keys) {recent.format('called_at')}"
        with self.database.named(wanted_keys=pa.table({"k": pa.array(keys, pa.string())})):
            within = self.database.bounds("called_at" if most else "seen_at", theirs, {"earliest": earliest}, most)  # as hot calls came, so they lie
            seen = {
                "calls": self.database.query(
                    f"SELECT *{f' REPLACE ({replacing})' if replacing else ''} {theirs} AND {within}", {"earliest": earliest},
                ),
            }
            if scope != Scope.CALL:
                key = "session_id" if scope == Scope.SESSION else SCOPE_KEY[scope]
                seen["access"] = self.database.few(
                    f"SELECT * FROM access WHERE {key} IN (SELECT k FROM wanted_keys) {recent.format('accessed_at')}", {"earliest": earliest}
                )
            if part.calls:
                seen[ASKED_CALLS] = pa.table({"k": pa.array(part.calls, pa.string())})
            if scope == Scope.SESSION:
                seen["messages"] = self.database.few("SELECT * FROM messages WHERE session_id IN (SELECT k FROM wanted_keys)")
        if any(one.detector.learn for one in asked):
            seen["normal"] = self.usual.of(asked, seen["calls"], keys)
        return seen | self._around


def _for(asked: Iterable[Registered], seen: Mapping[str, pa.Table]) -> Mapping[str, pa.Table]:
    """The tables of a slice without what others learned."""
    if "normal" not in seen:
        return seen
    names = pa.array([one.name for one in asked if one.detector.learn], pa.string())
    return {**seen, "normal": seen["normal"].filter(pc.is_in(seen["normal"]["detector"], names))}


def _let_go(answers: Iterable[Answer]) -> None:
    """Fetch what nobody waits for any more, or the next look would be given it."""
    for answer in answers:
        with suppress(DetectorError):
            answer.result()


def look_at_touched(
    database: Database, asked: Iterable[Registered] | None = None, usual: Normal | None = None
) -> Looked:
    """Run detectors (all where none are named) over all the groups that `hot.touched` names."""
    look, looked = Look(database, asked, usual), Looked()
    look.choose()
    look.learn(looked)
    look.sessions(looked)
    look.groups(look.touched(), looked)
    return looked


def patience(database: Database, now: datetime) -> datetime:
    """Calls that were touched before this moment settle, though they were not looked at."""
    newest = database.value(f"SELECT touched_at FROM hot.touched ORDER BY touched_at DESC LIMIT 1 OFFSET {LOOKED_AT_CALLS - 1}")
    return max(newest or now - LOOKED_AT_WITHIN, now - LOOKED_AT_WITHIN)


def look_at_everything(
    database: Database, usual: Normal | None = None, asked: Iterable[Registered] | None = None, shard_calls: int = SHARD_CALLS,
    ask: Ask = here, at_once: int = 1,
) -> Iterator[Looked]:
    """Run detectors (all where none are named) over all calls, shard by shard."""
    total = database.value("SELECT count(*) FROM calls") or 0
    if total < WORTH_SHARING:
        ask, at_once = here, 1
    look = Look(database, asked, usual, ask, at_once)
    yield Looked(failures=refresh(database, look.usual.learners))
    for scope in Scope:
        if by_scope(look.asked, scope) or (scope == Scope.SESSION and by_scope(look.asked, Scope.CALL)):
            keys = [row["k"] for row in database.rows(f"""
                SELECT k FROM (SELECT {SCOPE_KEY[scope]} AS k FROM calls {_also(scope)}) GROUP BY k ORDER BY hash(k)
            """) if row["k"] is not None]
            shards, calls = max(1, total // shard_calls, at_once), None if scope == Scope.SESSION else ()
            for first in range(0, shards, at_once):
                looked = Looked()
                look.parts([Part(scope, keys[n::shards], calls=calls) for n in range(first, min(first + at_once, shards))], looked)
                yield looked


def _chunks(keys: Sequence[str], most: int) -> list[Sequence[str]]:
    return [keys[start:start + most] for start in range(0, len(keys), most)]


def _also(scope: Scope) -> str:
    match scope:
        case Scope.CALL:
            return "WHERE session_id IS NULL"
        case Scope.SERVER:
            return "UNION ALL SELECT coalesce(server, '') FROM tool_definitions UNION ALL SELECT coalesce(server, '') FROM access"
        case Scope.PRINCIPAL:
            return "UNION ALL SELECT coalesce(principal, client_address, agent, '') FROM access"
    return ""
