"""The orders of a long session that a call is compared with: all of a few, else those that hold its rarest values, and the strongest."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, Generic, Protocol, TypeVar

COMPARED: Final = 400
"""Orders that each call is compared with at most; a session of fewer is compared whole."""

_BY_VALUE: Final = 300
"""How many of them by the values that they share with the call; the others are the strongest, whatever they speak of."""


class Order(Protocol):
    """What is remembered of an order."""

    @property
    def context(self) -> frozenset[str]:
        """The words around it."""

    @property
    def strength(self) -> float:
        """How much of an order it is."""


One = TypeVar("One")


class Shortlist(Generic[One]):
    """Remembers orders; whoever floods a session with them does not hide the one that gave a call its values, nor stall us."""

    def __init__(self) -> None:
        self.all: list[One] = []
        self._orders: list[Order] = []
        self._indexed = 0
        self._holding: dict[str, list[int]] = defaultdict(list)
        self._strongest: list[tuple[float, int]] = []

    def add(self, one: One, order: Order) -> None:
        """Remember one more."""
        self.all.append(one)
        self._orders.append(order)

    def _index(self) -> None:
        """Read the words of orders, which costs, only once there are too many to compare."""
        for number in range(self._indexed, len(self._orders)):
            order = self._orders[number]
            for word in order.context:
                self._holding[word].append(number)
            self._strongest.append((-order.strength, number))
        self._indexed = len(self._orders)
        self._strongest = sorted(self._strongest)[:COMPARED]

    def for_values(self, values: Iterable[str]) -> Sequence[One]:
        """Those to compare a call with, in the order in which they came."""
        if len(self.all) <= COMPARED:
            return self.all
        self._index()
        chosen: set[int] = set()
        for holding in sorted((self._holding[v] for v in values if v in self._holding), key=len):
            chosen.update(holding[-(_BY_VALUE - len(chosen)):])
            if len(chosen) >= _BY_VALUE:
                break
        chosen.update(number for _, number in self._strongest[: COMPARED - len(chosen)])
        return [self.all[number] for number in sorted(chosen)]
