"""The findings of a session, combined to one risk: a noisy-or, so one more finding never lowers it.

Each finding is an independent reason for trouble that holds with its weight; the risk is the chance that at least one holds.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import log1p
from typing import Protocol

from store.records import Grade, Severity


class Weighable(Protocol):
    """What risk needs of a finding."""

    @property
    def finding_id(self) -> str:
        """Its id."""

    @property
    def detector(self) -> str:
        """Who found it; repeats are counted by it."""

    @property
    def severity(self) -> Severity:
        """How bad if true."""

    @property
    def grade(self) -> Grade:
        """How well proven."""

    @property
    def score(self) -> float:
        """How unusual, 0 to 1."""


SEVERITY_WEIGHT: dict[Severity, float] = {
    Severity.INFO: 0.05,  # context: twenty of them, all different, come near one medium
    Severity.LOW: 0.21,  # 21, 47, 73 of 100 are the risk scores that Elastic's public rules use for these words
    Severity.MEDIUM: 0.47,
    Severity.HIGH: 0.73,
    Severity.CRITICAL: 0.95,  # theirs is 99; at 95 several critical findings still rank above one
}
GRADE_FACTOR: dict[Grade, float] = {
    Grade.ORDER: 0.5,  # one after the other may be chance: half
    Grade.NEW_DESTINATION: 0.7,  # a place never sent to before makes chance less likely
    Grade.CONTENT: 0.9,  # seen to flow; whether it mattered is open
    Grade.SENSITIVE: 1.0,  # seen to flow, and it mattered
}
REPEAT_FACTOR = 0.5
"""Each further finding of one detector weighs half of the one before: a detector cannot shout its way to certainty."""

HIGHEST = 0.9999
"""Risk is never certain; also what four decimals can still show below 1."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one finding adds: its weight after the discount for repeats, and its share of the whole (shares sum to 1)."""

    finding_id: str
    detector: str
    weight: float
    share: float


def weight(severity: Severity, grade: Grade, score: float = 1.0) -> float:
    """What a single finding says, 0 to 1: how bad if true, how well proven, how unusual."""
    return SEVERITY_WEIGHT[Severity(severity)] * GRADE_FACTOR[Grade(grade)] * min(max(score, 0.0), 1.0)


def risk(findings: Iterable[Weighable]) -> float:
    """One risk in [0, 1), four decimals; 0 without findings."""
    nothing_holds = 1.0
    for _, discounted in _discounted(findings):
        nothing_holds *= 1 - discounted
    return min(round(1 - nothing_holds, 4), HIGHEST)


def contributions(findings: Iterable[Weighable]) -> list[Contribution]:
    """How the risk came about, the heaviest first. A share is the finding's part of -log(1 - risk), which adds up exactly."""
    weighed = _discounted(findings)
    total = sum(-log1p(-w) for _, w in weighed)
    return sorted(
        (Contribution(f.finding_id, f.detector, w, -log1p(-w) / total) for f, w in weighed),
        key=lambda c: (-c.weight, c.finding_id),
    )


def _discounted(findings: Iterable[Weighable]) -> list[tuple[Weighable, float]]:
    by_detector: dict[str, list[Weighable]] = defaultdict(list)
    for finding in findings:
        by_detector[finding.detector].append(finding)
    return [
        (finding, _weight_of(finding) * REPEAT_FACTOR**n)
        for _, same in sorted(by_detector.items())
        for n, finding in enumerate(sorted(same, key=lambda f: (-_weight_of(f), f.finding_id)))
    ]


def _weight_of(finding: Weighable) -> float:
    return weight(finding.severity, finding.grade, finding.score)
