"""The alert budget: how many sessions a day may alert for being unusual alone, and what share of these may be chance.

Every session of a day is a test of "this session is like those before it", by the p-value of its combined risk from findings that content does
not prove. The level is that of LOND (Javanmard and Montanari, 2018) with a day's spending spread evenly over its sessions:
`rate * (alerts of the day so far + 1) / sessions a day`. It keeps the false discovery rate of a day, where no more sessions come than
were reckoned with, and grows with each discovery. Findings above the level are kept and rank their session; findings that content proves
always alert. Until history is long enough for the smallest p-value to pass, nothing is held back.

What content proves alerts, but not always as high: where a detector finds the like in more sessions a day than may be told as high, those alone are
whose combined risk is as rare as that among past sessions; the others are told as medium. What is known to be secret stays as high as it is.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from alerts.risk import risk
from alerts.scores import CHANCE, ENOUGH, RISK, History, Standing, counted_among, findings_of
from store.database import Database
from store.records import Finding, Grade, Severity

_LOWERED = ("told_as", "told_because")
_KEPT = ("p_value", "as_high", "baseline_size", "level", "session_p_value", "quiet", *_LOWERED)

_TOLD = """
    SELECT first_called_at::DATE AS day, count(DISTINCT session_id) AS n FROM hot.findings
    WHERE grade < 3 AND evidence ->> '$.level' IS NOT NULL AND coalesce((evidence ->> '$.alerting')::BOOLEAN, true)
      AND first_called_at::DATE IN (SELECT unnest($days::DATE[])) GROUP BY day
"""


@dataclass(slots=True)
class Budget:
    """What may be told: the settings, how many sessions a day there are, and how many were told on each day."""

    alerts_per_day: int
    false_discovery_rate: float
    sessions_a_day: int = 1
    high_per_day: int = 2
    told: Counter[date] = field(default_factory=Counter)

    def level(self, day: date) -> float:
        """The p-value up to which the next session of the day alerts."""
        return self.false_discovery_rate * (self.told[day] + 1) / max(self.sessions_a_day, 1)

    def tells(self, day: date, p_value: float) -> bool:
        """Whether a session of the day alerts; if so it counts."""
        told = self.told[day] < self.alerts_per_day and p_value <= self.level(day)
        self.told[day] += told
        return told

    def is_rare(self, at: Standing) -> bool:
        """Whether so few sessions a day stand as high that all of them may be told as high."""
        return at.p_value * self.sessions_a_day <= self.high_per_day

    def is_warm(self, history_size: int) -> bool:
        """Whether history is long enough: a session unlike all before it must be able to alert."""
        return history_size >= ENOUGH and self.false_discovery_rate * (history_size + 1) >= self.sessions_a_day


def weighed(
    database: Database, findings: Sequence[Finding], alerts_per_day: int, false_discovery_rate: float, high_per_day: int = 2
) -> list[Finding]:
    """Findings with their standing among past sessions, those over the budget marked as not alerting or as not so high, with the reason.

    A finding that was weighed before and scores as it did then stays as it is: what was told is not taken back because history grew.
    """
    history = History.of(database)
    if not findings or history.size(CHANCE) < ENOUGH:
        return list(findings)
    batch = {f.finding_id: f for f in findings}
    known = findings_of(database, {f.session_id for f in findings if f.session_id})
    before = {f.finding_id: f for stored in known.values() for f in stored}
    counted = counted_among(database, known)
    budget = Budget(alerts_per_day, false_discovery_rate, history.sessions_a_day, high_per_day)
    made = {f.finding_id: _standing(history, f, before.get(f.finding_id), f.session_id in counted) for f in findings}
    _lower(made, before, history, counted, budget)
    if not budget.is_warm(history.size(CHANCE)):
        return [made[i] for i in batch]
    chances = _chances({**before, **batch}.values(), history, counted)
    budget.told.update(_told(database, {chance.day for chance in chances}))
    for chance in sorted(chances, key=lambda c: (c.day, c.standing.p_value, c.session)):
        new = [f for f in chance.findings if f.finding_id in batch and f.evidence.get("alerting") is not False]
        was = [before[f.finding_id] for f in chance.findings if f.finding_id in before]
        same = {f.finding_id for f in was if f.score == batch.get(f.finding_id, f).score}
        if all(f.finding_id in same for f in new) or any(_alerts(f) for f in was):
            continue
        level = budget.level(chance.day)
        told = budget.tells(chance.day, chance.standing.p_value)
        for finding in new:
            made[finding.finding_id] = _judged(made[finding.finding_id], chance.standing, level, told, budget)
    return [made[i] for i in batch]


def _lower(made: dict[str, Finding], before: Mapping[str, Finding], history: History, counted: set[str], budget: Budget) -> None:
    """Mark what is not to be told as high. A session that was told so stays so; one that was not is judged anew, as more may be found of it."""
    by_session: dict[str, list[Finding]] = defaultdict(list)
    for finding in {**before, **made}.values():
        by_session[finding.session_id or ""].append(finding)
    was_high = {f.session_id for f in before.values() if _is_high(f) and "told_as" not in f.evidence}
    for finding_id, finding in made.items():
        session = finding.session_id
        if not session or not _is_high(finding) or finding.grade >= Grade.SENSITIVE:
            continue
        evidence = {name: value for name, value in finding.evidence.items() if name not in _LOWERED}
        whole = history.standing(RISK, risk(by_session[session]), session in counted)
        own = history.standing(finding.detector, finding.score, session in counted)
        if session not in was_high and not budget.is_rare(own) and not budget.is_rare(whole):
            evidence |= {"told_as": int(Severity.MEDIUM), "told_because": (
                f"{whole.as_high:,} of {whole.baseline_size:,} past sessions had a risk as high, and of about {budget.sessions_a_day:,} a day "
                f"at most {budget.high_per_day} may be told as high"
            )}
        made[finding_id] = replace(finding, evidence=evidence)


def _is_high(finding: Finding) -> bool:
    return finding.severity >= Severity.HIGH and _alerts(finding)


@dataclass(frozen=True, slots=True)
class _Chance:
    session: str
    day: date
    findings: list[Finding]
    standing: Standing


def _chances(findings: Iterable[Finding], history: History, counted: set[str]) -> list[_Chance]:
    """The sessions that have findings which content does not prove, with the standing of these together."""
    by_session: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.session_id and finding.grade < Grade.CONTENT and finding.first_called_at:
            by_session[finding.session_id].append(finding)
    return [
        _Chance(session, min(f.first_called_at for f in found if f.first_called_at).date(), found,
                history.standing(CHANCE, risk(found), session in counted))
        for session, found in by_session.items()
    ]


def _told(database: Database, days: set[date]) -> Mapping[date, int]:
    return {row["day"]: row["n"] for row in database.rows(_TOLD, {"days": sorted(days)})}


def _alerts(finding: Finding) -> bool:
    return finding.evidence.get("alerting") is not False


def _standing(history: History, finding: Finding, before: Finding | None, counted: bool) -> Finding:
    """A finding with its standing, as it was first told; in the sentence too, where being unusual is all that it says."""
    if before is not None and before.score == finding.score:
        kept: dict[str, Any] = {name: before.evidence[name] for name in _KEPT if name in before.evidence}
        if "quiet" in kept:
            kept["alerting"] = False
        return _with(finding, kept)
    if not finding.session_id or history.size(finding.detector) < ENOUGH:
        return finding
    at = history.standing(finding.detector, finding.score, counted)
    return _with(finding, {"p_value": round(at.p_value, 6), "as_high": at.as_high, "baseline_size": at.baseline_size})


def _with(finding: Finding, standing: Mapping[str, Any]) -> Finding:
    sentence = finding.sentence
    if finding.grade < Grade.CONTENT and "as_high" in standing:
        sentence += f" Of {standing['baseline_size']:,} past sessions, {standing['as_high'] or 'none'} scored as high."
    return replace(finding, sentence=sentence, evidence={**finding.evidence, **standing})


def _judged(finding: Finding, chance: Standing, level: float, told: bool, budget: Budget) -> Finding:
    judged: dict[str, Any] = {**finding.evidence, "level": round(level, 6), "session_p_value": round(chance.p_value, 6)}
    judged.pop("quiet", None)
    judged.pop("alerting", None)
    if not told:
        judged |= {"alerting": False, "quiet": (
            f"over the budget: {chance.as_high:,} of {chance.baseline_size:,} past sessions were as unusual, and of about "
            f"{budget.sessions_a_day:,} sessions a day at most {budget.alerts_per_day} may alert for being unusual alone, "
            f"{budget.false_discovery_rate:.0%} of them by chance"
        )}
    return replace(finding, evidence=judged)
