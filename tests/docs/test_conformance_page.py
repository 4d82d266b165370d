"""The page of obligations says what tests prove, and nothing that none does."""

from types import ModuleType

import pytest

from docs import conformance, generate
from tests.ingest.ways import GRPC, HTTP, each_grpc, proves


def test_every_obligation_is_proven_on_every_way() -> None:
    assert conformance.unproven() == []
    assert list(conformance.OBLIGATIONS) == [f"R{n}" for n in range(1, 20)]


def test_one_without_a_test_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    proofs = conformance.proofs()
    monkeypatch.setattr(conformance, "proofs", lambda: {**proofs, "R7": [p for p in proofs["R7"] if set(p.ways) <= set(HTTP)], "R3": []})
    assert conformance.unproven() == [
        'R3 (gRPC services) has no test with the mark proves("R3") for grpc protobuf identity, grpc protobuf gzip',
        'R7 (Success) has no test with the mark proves("R7") for grpc protobuf identity, grpc protobuf gzip',
    ]
    monkeypatch.setattr(generate, "pages", dict)
    assert set(conformance.unproven()) <= set(generate.drift(generate.ROOT))
    assert "**no proof**" in conformance.page("")


def test_a_mark_says_on_which_ways() -> None:
    def test_it() -> None:
        """Nothing."""

    module = ModuleType("a_module")
    module.__dict__["test_it"] = proves("R3")(each_grpc(test_it))
    assert list(conformance._marked(module, "a file")) == [("R3", conformance.Proof("test_it", "a file", GRPC))]

    @proves("R4")
    def test_that() -> None:
        """Nothing."""

    module.__dict__["test_that"] = test_that
    with pytest.raises(SystemExit, match="test_that proves R4, and has no parameter"):
        list(conformance._marked(module, "a file"))
