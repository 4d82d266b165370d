"""Detectors over a slice: what they find, as findings; one that fails is reported and the others go on."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from detectors.contract import Found, Scope, Slice, found_of
from detectors.registry import Registered
from detectors.suspects import suspected
from store.errors import DetectorError
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
        return list(_findings(one, list(_found(one, seen)), seen))
    except Exception as error:  # noqa: BLE001 - whatever a detector does, the others must go on; it is reported by name
        return f"{type(error).__name__}: {error}"


def _found(one: Registered, seen: Slice) -> Iterator[Found]:
    find = one.detector.find
    if callable(find):
        yield from find(seen)
        return
    yield from map(found_of, seen.rows(find))


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
            raise DetectorError(f"{one.name} points to calls that do not exist: {missing[:3]}")
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
