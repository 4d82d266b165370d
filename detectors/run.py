"""Detectors over a slice: what they find, as findings; one that fails is reported and the others go on."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from traceback import extract_tb
from typing import Any

from detectors.contract import Found, Scope, Slice, found_of, unanswered
from detectors.registry import Registered
from detectors.suspects import suspected
from store.errors import DetectorError, StoreError
from store.records import Finding, Grade, Severity

SESSIONS_NAMED = 20
"""How many sessions a finding over several names."""


@dataclass(slots=True)
class Run:
    """What a run gave: findings by id, and what went wrong by detector."""

    findings: dict[str, Finding] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def run(registered: Iterable[Registered], seen: Slice) -> Run:
    """Ask every detector about the slice."""
    outcome = Run()
    by_kind: dict[Scope, list[Registered]] = {}
    for one in registered:
        by_kind.setdefault(one.detector.scope, []).append(one)
    for scope, asked in by_kind.items():
        for about, keys in suspected(asked, seen, scope, outcome.failures):
            part = seen if keys is None else seen.of_groups(scope, keys)
            try:
                for one in about:
                    _note(one, _answer(one, part), outcome)
            finally:
                if part is not seen:
                    part.close()
    return outcome


def _note(one: Registered, answer: list[Finding] | str, outcome: Run) -> None:
    if isinstance(answer, str):
        outcome.failures[one.name] = answer
    else:
        outcome.findings |= {finding.finding_id: finding for finding in answer}


def _answer(one: Registered, seen: Slice) -> list[Finding] | str:
    try:
        return list(_findings(one, [_checked(found) for found in _found(one, seen)], seen))
    except Exception as error:  # noqa: BLE001 - whatever a detector does, the others must go on; it is reported by name
        return f"{type(error).__name__}: {error}{_where(one, error)}"


def _where(one: Registered, error: Exception) -> str:
    """The line of a `find` in Python that an error came out of."""
    code = getattr(one.detector.find, "__code__", None)
    lines = [frame.lineno for frame in extract_tb(error.__traceback__) if code and frame.filename == code.co_filename]
    return f" ({Path(code.co_filename).name}, line {lines[-1]})" if code and lines else ""


def _found(one: Registered, seen: Slice) -> Iterator[Found]:
    find = one.detector.find
    if callable(find):
        yield from find(seen)
        return
    try:
        rows = seen.rows(find)
    except StoreError as error:
        raise type(error)(unanswered("find", error)) from error
    yield from map(found_of, rows)


def _checked(found: Found) -> Found:
    """Raises DetectorError where something that was seen has a value that no finding can have."""
    for column, value in (("scope_key", found.scope_key), ("subject", found.subject)):
        if not isinstance(value, str):
            raise DetectorError(f"{column} is {value!r:.80}; it must be text: in SQL `::VARCHAR`, and `coalesce` where it may be NULL")
    if isinstance(found.call_ids, str):
        raise DetectorError(f"call_ids is {found.call_ids!r:.80}; it must be a list: in SQL `[call_id]` or `list(call_id)`")
    if found.grade not in [*Grade]:
        raise DetectorError(f"grade is {found.grade!r:.80}; it must be {', '.join(str(int(grade)) for grade in Grade)}")
    if found.score is None:
        raise DetectorError("score is None; it must be a number from 0 to 1: in SQL `coalesce` where it may be NULL")
    return replace(found, grade=Grade(found.grade))


def _findings(one: Registered, founds: Sequence[Found], seen: Slice) -> Iterator[Finding]:
    wanted = sorted({call_id for found in founds for call_id in found.call_ids})
    calls = {
        row["call_id"]: row
        for row in seen.rows(
            "SELECT call_id, session_id, agent, server, tool, called_at FROM calls WHERE call_id IN (SELECT unnest($wanted::VARCHAR[]))", {"wanted": wanted}
        )
    } if wanted else {}
    for found in founds:
        missing = [c for c in found.call_ids if c not in calls]
        if missing:
            raise DetectorError(f"call_ids points to calls that do not exist: {missing[:3]}; they must be ids out of `calls`")
        yield _finding(one, found, [calls[c] for c in found.call_ids])


def _finding(one: Registered, found: Found, calls: list[dict[str, Any]]) -> Finding:
    about = found.about
    moments = [c["called_at"] for c in calls] or [m for m in (about.get("first_at"), about.get("last_at")) if m]
    sessions = {c["session_id"] for c in calls if c["session_id"]} or {s for s in (about.get("session_id"),) if s}
    identity = "\0".join((one.name, found.scope_key, found.subject))
    return Finding(
        finding_id=hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:24],
        detector=one.name,
        severity=severity_of(one.detector.severity, found.grade),
        scope=one.detector.scope,
        scope_key=found.scope_key,
        subject=found.subject,
        call_ids=list(found.call_ids),
        grade=found.grade,
        score=round(min(max(float(found.score), 0.0), 1.0), 4),  # SQL gives decimals
        sentence=found.sentence,
        evidence=json.loads(json.dumps({**found.evidence, **({"sessions": sorted(sessions)[:SESSIONS_NAMED]} if len(sessions) > 1 else {})}, default=str)),
        techniques=list(one.detector.techniques),
        session_id=next(iter(sessions)) if len(sessions) == 1 else None,
        agents=_named(calls, about, "agent"),
        servers=_named(calls, about, "server"),
        tools=_named(calls, about, "tool"),
        first_called_at=min(moments, default=None),
        last_called_at=max(moments, default=None),
    )


def _named(calls: list[dict[str, Any]], about: Any, what: str) -> list[str]:
    return sorted({c[what] for c in calls if c[what]} | {x for x in (about.get(f"{what}s") or []) if x})


def severity_of(declared: Severity, grade: Grade) -> Severity:
    """Severity follows the evidence: order alone is never high, sensitive content is one step worse."""
    if grade == Grade.ORDER:
        return min(declared, Severity.MEDIUM)
    if grade == Grade.SENSITIVE:
        return Severity(min(declared + 1, Severity.CRITICAL))
    return declared


def by_scope(registered: Iterable[Registered], scope: Scope) -> list[Registered]:
    """The detectors that look at groups of one kind."""
    return [one for one in registered if one.detector.scope == scope]
