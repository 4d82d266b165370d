"""The targets of fuzzing, tried by chance: each suite a little further."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.run import damaged
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS

SEEDS = {target: seeds(target) for target in TARGETS}
few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.mark.parametrize("target", TARGETS)
def test_what_it_starts_from(target: str) -> None:
    for body in SEEDS[target]:
        TARGETS[target](body)


@pytest.mark.parametrize("target", TARGETS)
@few
@given(body=st.binary(max_size=600))
def test_arbitrary_bytes(target: str, body: bytes) -> None:
    TARGETS[target](body)


@pytest.mark.parametrize("target", TARGETS)
@few
@given(chance=st.randoms(use_true_random=False))
def test_damage(target: str, chance: random.Random) -> None:
    TARGETS[target](damaged(chance.choice(SEEDS[target]), chance.choice(SEEDS[target]), chance))
