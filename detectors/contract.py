"""What a detector is: a question over a slice of calls, with its page and its proof in one file.

The file's stem is the detector's only name. Its docstring has a title line and four sections (What it detects,
Why it matters, False positives, Blind spots); it holds one `DETECTOR`.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import cache
from itertools import count
from typing import Any, TypeAlias

import pyarrow as pa

from store import tables
from store.database import VIEW_ORDER, Database
from store.errors import DetectorError
from store.records import Grade, Record, Severity, Stated


class Scope(StrEnum):
    """The smallest group of calls that a detector must see together."""

    CALL = "call"
    SESSION = "session"
    PRINCIPAL = "principal"
    AGENT = "agent"
    SERVER = "server"
    FLEET = "fleet"


SCOPE_KEY: dict[Scope, str] = {
    Scope.CALL: "call_id",
    Scope.SESSION: "session_id",
    Scope.PRINCIPAL: "coalesce(principal, client_address, agent, '')",
    Scope.AGENT: "coalesce(agent, '')",
    Scope.SERVER: "coalesce(server, '')",
    Scope.FLEET: "'fleet'",
}
"""SQL over `calls` that names the group a call belongs to."""


_PRINTED = r"""
    CREATE OR REPLACE MACRO printed(foreign_text) AS
        '“' || left(regexp_replace(regexp_replace(foreign_text, '\s+', ' ', 'g'), '\pC', '?', 'g'), 120)
        || CASE WHEN len(foreign_text) > 120 THEN '…”' ELSE '”' END
"""
"""What `quoted` is for Python: foreign text made fit for a sentence."""

_UNUSUAL = (
    """CREATE OR REPLACE MACRO hour_of_week(moment) AS (isodow(moment) - 1) * 24 + hour(moment)""",
    """CREATE OR REPLACE MACRO robust_z(actual, typical, spread, floor_of_spread) AS
        0.6745 * (actual - typical) / greatest(spread, floor_of_spread)""",
    """CREATE OR REPLACE MACRO surprise(n, total, kinds) AS -log2((coalesce(n, 0) + 1) / (coalesce(total, 0) + kinds))""",
)
"""For baselines: the hour of the week, 0 to 167, Monday first, in UTC; how far a value lies from a median, in median absolute deviations (unusual
from 3.5 on: Iglewicz and Hoaglin, 1993; the floor is for the many counts whose deviation is 0); and how many bits a thing that was seen `n`
times of `total` tells, where `kinds` are possible (add-one smoothing)."""


ASKED_CALLS = "asked_calls"
"""Table of a slice of sessions: the calls (`k`) that are looked at by themselves too; all of them where there is none."""


PAYLOADS = {
    "arguments": "VARCHAR", "result": "VARCHAR", "attributes": "VARCHAR", "argument_shingles": "UBIGINT[]", "result_shingles": "UBIGINT[]",
}
"""What is most of a call's bulk: of longer-lived groups, it would not fit, so detectors name what they need of it."""


class Slice:
    """The calls that a detector may see, with the messages, definitions, access and counters around them.

    Tables `calls`, `messages`, `tool_definitions`, `access`, `normal`, `grants`, `registry`; views of `store/views`; in SQL,
    `printed(text)` quotes foreign text, and `hour_of_week`, `robust_z` and `surprise` measure what is unusual.
    """

    def __init__(self, seen: Mapping[str, pa.Table], within: "Slice | None" = None) -> None:
        self._name = f"slice_{next(_NUMBERS)}"
        self._path: tuple[str, ...] = (self._name, *(within._path if within else ("main",)))
        self._database = _shelf().apart(self._path)
        for table, rows in seen.items():
            if len(rows):
                self._database.load(f"{self._name}.{table}", rows)
        self._holds: frozenset[str] = within._holds if within else _held(seen)
        self._waiting = set(VIEW_ORDER)

    def holds(self, table: str, detector: str = "") -> bool:
        """Whether it has anything of a table; of `normal`, anything that this detector learned."""
        return (f"normal of {detector}" if table == "normal" else table) in self._holds

    def of_groups(self, scope: Scope, keys: pa.Array) -> "Slice":
        """The part of it that holds some groups alone; what belongs to no group is seen through it."""
        part, key = Slice({}, self), SCOPE_KEY[scope]
        apart = {"calls": key} if scope == Scope.CALL else {"calls": key, "access": key}
        apart |= {"messages": key} if scope == Scope.SESSION else {}
        with part._database.named(keys_of_part=pa.table({"k": keys})):
            for table, column in apart.items():
                part._database.execute(
                    f"CREATE TABLE {part._name}.{table} AS SELECT * FROM {table} WHERE {column} IN (SELECT k FROM keys_of_part)")
        return part

    def named(self, **named: pa.Table) -> AbstractContextManager[None]:
        """Make Arrow tables askable by name for a while."""
        return self._database.named(**named)

    def query(self, sql: str, values: Mapping[str, Any] | None = None) -> pa.Table:
        """Ask; the answer as an Arrow table."""
        self._make_what_is_asked(sql)
        return self._database.few(sql, values)

    def rows(self, sql: str, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Ask; the answer as dictionaries."""
        self._make_what_is_asked(sql)
        return self._database.rows(sql, values)

    def _make_what_is_asked(self, sql: str) -> None:
        """The shared questions that a detector names are answered once, for it and those that come after."""
        for view in VIEW_ORDER:
            if view in self._waiting and re.search(rf"(?i)(?:\b(?:from|join)|,)\s+{view}\b", sql):
                self._make(view)

    def _make(self, view: str) -> None:
        if view == "steps":
            self._make_what_is_asked("FROM prompts")
        self._database.make_table_of(view)
        self._waiting.remove(view)

    def close(self) -> None:
        """Let go of the memory."""
        self._database.close()
        _shelf().drop(self._name)


def _held(seen: Mapping[str, pa.Table]) -> frozenset[str]:
    learned = seen["normal"]["detector"].unique().to_pylist() if "normal" in seen else []
    return frozenset((*(table for table, rows in seen.items() if len(rows)), *(f"normal of {detector}" for detector in learned)))


_NUMBERS = count()


@cache
def _shelf() -> Database:
    """Where slices are laid, each in a schema of its own, beside what all of them see: an empty table where a slice has none, and the macros."""
    shelf = Database.memory()
    for table in tables.SEEN:
        shelf.load(table, tables.empty(table))
    for macro in (_PRINTED, *_UNUSUAL):
        shelf.execute(macro)
    return shelf


@dataclass(frozen=True, slots=True)
class Found:
    """What a detector saw, before it becomes a finding.

    `call_ids` may be empty where the proof is a definition or an access attempt; then say in `about` what it concerns
    (`session_id`, `agents`, `servers`, `tools`, `first_at`, `last_at`). `score` is in 0..1, high = unusual.
    `sentence` says in one true sentence what was seen and why it is unusual; quote foreign text with `quoted`.
    """

    scope_key: str
    subject: str
    call_ids: Sequence[str]
    grade: Grade
    score: float
    sentence: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)


Scenario: TypeAlias = Sequence[Record | Stated]
"""Records that a detector must fire on, or stay quiet on."""

Find: TypeAlias = str | Callable[[Slice], Iterable[Found]]


SAID_BEFORE, SAID_LENGTH = "INTERVAL 1 DAY", 2_000
"""Who learns from prompts is given what was said so long before a call at most, and of a message so many characters."""


@dataclass(frozen=True, slots=True)
class Detector:
    """A question with proof.

    find: SQL that answers `scope_key, subject, call_ids, grade, score, sentence, evidence` (a struct or JSON), or a
        function of the slice that yields `Found`.
    learn: SQL over `calls` that answers `key, n, first_at, last_at`; kept in `normal` under the detector's name and merged by
        sum, min, max. It is asked once for each session (a call without one stands alone), and sees no other calls meanwhile.
        `normal` shows the detector its counters, each with `sessions`, how many speak for it, and `weight`, the same with older ones
        counting less. Ask these where one busy session must not make a thing usual.
    learn_by: SQL over `calls` that names whom a counter is about: `coalesce(agent, '')`. Counters are then kept apart by this, as `subject`,
        and a slice is given those about the agents in it alone; say it wherever there may be many.
    learn_at_once: whether `learn` keeps sessions apart by itself, which costs a third less: it is asked once of all calls, sees `lesson` (the session,
        or a call without one) and `subject` as columns of `calls`, and answers both before the rest. What it joins, it joins on `lesson`.
    learn_prompts: whether `learn` sees, beside `calls`, what users said in their sessions: `messages` with `session_id, message_id, said_at, text`
        (and `lesson`, with `learn_at_once`), said up to a day before a call, the first 2,000 characters of each. A session whose prompt comes after its
        calls is done anew, as long as these may still change.
    learn_attacks: whether sessions teach although an alert with proof stands against them: for counters of what was done, not of what is usual.
    suspect: SQL aggregate over the `calls` of one group of its scope (`bool_or(contains(result, '[secret:'))`) that is true wherever `find` finds
        something; of other groups, `find` is not asked, and it sees no calls of theirs. Those of all detectors are answered in one look, so what
        keeps ordinary work out should be cheap. One that asks other tables too is also asked of no calls, for findings without any; where it
        holds of these, `find` sees everything. `calls` has a column more here: `handed_on`, whether in its session a piece of a result stands in
        arguments.
    needs: tables without which there is nothing to find (`normal`: what this detector learned): where one is empty, `find` is not asked.
    suspect_result: pattern of RE2 that the result of some call of the group (or its error message, where there is none) matches wherever `find` finds
        something, beside `suspect`. Those of all detectors are looked for at once.
    lookback: how far apart calls of one scope may lie and still be seen together.
    payloads: beyond a call or a session, slices hold `arguments`, `result` (the beginning of both), `attributes` and shingles only where they
        are named here.
    fires_on, quiet_on: named scenarios; the quiet ones are near misses.
    """

    severity: Severity
    techniques: tuple[str, ...]
    scope: Scope
    find: Find
    fires_on: Mapping[str, Scenario]
    quiet_on: Mapping[str, Scenario]
    suspect: str | None = None
    suspect_result: str | None = None
    needs: tuple[str, ...] = ()
    lookback: timedelta = timedelta(hours=24)
    learn: str | None = None
    learn_by: str | None = None
    learn_at_once: bool = False
    learn_prompts: bool = False
    learn_attacks: bool = False
    payloads: tuple[str, ...] = ()
    formerly: tuple[str, ...] = ()


ELLIPSIS_AT = 120


def quoted(text: str | None, limit: int = ELLIPSIS_AT) -> str:
    """Foreign text made fit for a sentence: one line, printable, shortened, in quotation marks."""
    if text is None:
        return "(not recorded)"
    shown = " ".join(text.split(None, limit + 1))[: limit + 1]  # so many words are enough for so many characters
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in shown)
    return f"\u201c{shown[:limit]}\u2026\u201d" if len(shown) > limit else f"\u201c{shown}\u201d"


ANSWERED = ("scope_key", "subject", "call_ids", "grade", "score", "sentence")
"""The columns without which a row says nothing."""


def as_evidence(value: Any) -> dict[str, Any]:
    """Evidence out of SQL: a struct, or JSON text of an object."""
    try:
        loaded = json.loads(value) if isinstance(value, str) else value
        return dict(loaded) if loaded else {}
    except (TypeError, ValueError):
        raise DetectorError(f"evidence and about are a struct, like {{'actual': n}}, or JSON of an object; this is {value!r:.80}") from None


def unanswered(question: str, error: Exception) -> str:
    """Which of a detector's questions an error came out of."""
    return f"its `{question}` cannot be answered: {error}"


def found_of(row: Mapping[str, Any]) -> Found:
    """What a row of SQL says that was seen. Raises DetectorError where a column is missing."""
    missing = [column for column in ANSWERED if column not in row]
    if missing:
        raise DetectorError(f"`find` must answer {', '.join(missing)}, too; it answers {', '.join(row)}")
    return Found(
        scope_key=row["scope_key"], subject=row["subject"], call_ids=row["call_ids"] or [], grade=row["grade"], score=row["score"],
        sentence=row["sentence"], evidence=as_evidence(row.get("evidence")), about=as_evidence(row.get("about")),
    )
