"""What a session is measured with against its agent's past: chains of tools, and shares of other sessions."""

import pytest

from detectors.baselines.session_has_unusual_shape import SESSIONS_AT_LEAST, rarity
from detectors.baselines.tools_come_in_unlikely_order import Chain, chance_of

COUNTS = {("", "list"): 60, ("list", "get"): 50, ("get", "list"): 8, ("get", "send"): 2}


def test_a_chain_is_the_more_surprised_the_less_it_knows() -> None:
    chain = Chain(COUNTS)
    usual, seldom, new, unheard = (chain.surprise("get", name) for name in ("list", "send", "get", "delete"))
    assert usual < seldom < new < unheard
    assert chain.surprise("list", "send") > chain.surprise("get", "send"), "a step is new where it never came, however often its tool does"


@pytest.mark.parametrize("before", ["", "list", "get", "send", "never seen"])
def test_what_may_come_next_has_no_more_than_all_chances(before: str) -> None:
    chain = Chain(COUNTS)
    assert sum(2 ** -chain.surprise(before, name) for name in ("list", "get", "send")) <= 1.0


def test_a_step_that_counts_itself_is_left_out() -> None:
    chain = Chain(COUNTS)
    for step in COUNTS:
        assert chain.surprise(*step, itself=1) == pytest.approx(chain.without([step]).surprise(*step))
    assert chain.without([("get", "send")] * 5).counts["get", "send"] == 0


@pytest.mark.parametrize("steps", [1, 6, 2_000])
def test_chance_is_a_probability_and_falls_with_rare_steps(steps: int) -> None:
    usual = [(1.0, 990), (8.0, 10)]
    chances = [chance_of([8.0] * rare + [1.0] * (steps - rare), usual, 1_000) for rare in (0, (steps + 1) // 2, steps)]
    assert chances[0] > 0.99
    assert chances == sorted(chances, reverse=True)
    assert all(0.0 <= chance <= 1.0 for chance in chances)


def test_a_share_counts_other_sessions_alone() -> None:
    known = [(1, SESSIONS_AT_LEAST), (9, 1)]
    rare = rarity("calls", 9, known)
    assert rare is not None
    assert (rare.others, rare.share, rare.beyond) == (SESSIONS_AT_LEAST, 1 / (SESSIONS_AT_LEAST + 1), True)
    assert rarity("calls", 9, [(1, SESSIONS_AT_LEAST - 1), (9, 1)]) is None, "too few others"


def test_small_sizes_are_usual_and_low_rates_are_not() -> None:
    known = [(1, 1), (9, SESSIONS_AT_LEAST)]
    assert rarity("calls", 1, known) is None
    pace = rarity("pace", 1, known)
    assert pace is not None
    assert (pace.beyond, pace.large) == (True, False)


@pytest.mark.parametrize("bucket", [3, 4])
@pytest.mark.parametrize("measure", ["tools", "sent"])
def test_what_a_tenth_of_others_have_is_not_rare(measure: str, bucket: int) -> None:
    assert rarity(measure, bucket, [(3, 50), (4, 50)]) is None
