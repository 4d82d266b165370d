"""Risk is monotone, below one, and explained by its contributions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.risk import HIGHEST, contributions, risk, weight
from store.records import Finding, Grade, Severity
from tests.alerts.samples import finding

FINDINGS = st.lists(
    st.builds(
        lambda n, detector, severity, grade: finding(f"f{n}", detector=detector, severity=severity, grade=grade),
        st.integers(0, 10_000), st.sampled_from(["a", "b", "c"]), st.sampled_from(Severity), st.sampled_from(Grade),
    ),
    max_size=30,
)


@given(FINDINGS, FINDINGS)
def test_one_more_finding_never_lowers_it(some: list[Finding], more: list[Finding]) -> None:
    assert 0 <= risk(some) <= risk(some + more) <= HIGHEST < 1


@given(FINDINGS, st.randoms())
def test_order_does_not_matter(some: list[Finding], random: object) -> None:
    shuffled = sorted(some, key=lambda f: hash((f.finding_id, str(random))))
    assert risk(shuffled) == pytest.approx(risk(some), abs=1e-4)


@given(st.sampled_from(Severity), st.sampled_from(Severity), st.sampled_from(Grade), st.sampled_from(Grade))
def test_worse_or_better_proven_weighs_more(s1: Severity, s2: Severity, g1: Grade, g2: Grade) -> None:
    assert weight(min(s1, s2), min(g1, g2)) <= weight(max(s1, s2), max(g1, g2))


@given(FINDINGS)
def test_contributions_add_up(some: list[Finding]) -> None:
    parts = contributions(some)
    assert len(parts) == len(some)
    assert min(1 - math.prod(1 - c.weight for c in parts), HIGHEST) == pytest.approx(risk(some), abs=1e-4)
    assert not some or sum(c.share for c in parts) == pytest.approx(1)


def test_repeats_of_one_detector_weigh_less_than_another_detector() -> None:
    twice = risk([finding("f1"), finding("f2")])
    assert risk([finding("f1")]) < twice < risk([finding("f1"), finding("f2", detector="tool_loop")])


def test_a_thousand_repeats_stay_short_of_certain() -> None:
    low = [finding(f"f{n}", severity=Severity.LOW) for n in range(1000)]
    assert risk(low) < risk([finding(severity=Severity.HIGH)])


def test_nothing_found_is_no_risk() -> None:
    assert risk([]) == 0 and contributions([]) == []
