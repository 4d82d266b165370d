"""How much less often than usual the words of a request led to a tool."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp, lgamma, log, log2
from typing import Any

REQUESTS_AT_LEAST, SESSIONS_AT_LEAST = 50, 5
"""Of an agent; and of a word, or of a tool: other sessions."""
SPLIT = "\x1f"
"""Between the hash of a word and a tool's name; where one of them is missing, a counter holds for all."""


@dataclass(frozen=True, slots=True)
class Lift:
    """How much less, or more, often than usual a request's words led to a tool."""

    bits: float
    requests: int
    led: int
    """So many other requests there are, and so many of them led to the tool."""
    known: list[dict[str, Any]]
    """Its words with history, those that say most first: `word`, its `n` other requests, how many of these `led` to the tool and `should` have, and
    the `chance` of so few."""
    new: int


class Past:
    """What the requests of agents led to, as counted: by agent and key."""

    def __init__(self, requests: Iterable[Mapping[str, Any]], known: Iterable[Mapping[str, Any]]) -> None:
        self._known = {(row["subject"], row["key"]): (row["n"], row["sessions"]) for row in known}
        self._own = Counter((row["session_id"], row["agent"], key) for row in requests for key in keys_of(row))

    def others(self, row: Mapping[str, Any], key: str) -> tuple[int, int]:
        """How many requests and sessions a counter holds without this session, which has taught too; where it did not, that errs on the quiet side."""
        n, sessions = self._known.get((row["agent"], key), (0, 0))
        return max(0, n - self._own[row["session_id"], row["agent"], key]), sessions - 1

    def lift(self, row: Mapping[str, Any], name: str, bits: float) -> Lift | None:
        """The mean of log2((led + 1) / (expected + 1)) over words, each weighing by how seldom it is; None where that is more than `bits`, or there is
        too little history. A word without history says nothing for or against, and weighs most: it may be what explains the call."""
        (requests, _), (led, sessions) = self.others(row, SPLIT), self.others(row, f"{SPLIT}{name}")
        if requests < REQUESTS_AT_LEAST or sessions < SESSIONS_AT_LEAST:
            return None
        told, weights, total = [], 0.0, 0.0
        for word, hashed in zip(row["words"], row["hashed"], strict=True):
            n, sessions = self.others(row, f"{hashed}{SPLIT}")
            weight = log2(1 + requests / n) if n else log2(1 + requests)
            weights += weight
            if sessions >= SESSIONS_AT_LEAST and n:
                did, should = self.others(row, f"{hashed}{SPLIT}{name}")[0], n * led / requests
                total += weight * log2((did + 1) / (should + 1))
                told.append((word, n, did, should))
        if not told or total > bits * weights:
            return None
        known = [{"word": word, "n": n, "led": did, "should": round(should, 1), "chance": _seldom(did, should)} for word, n, did, should in told]
        known.sort(key=lambda one: (one["chance"], one["word"]))
        return Lift(total / weights, requests, led, known, len(row["words"]) - len(known))


def keys_of(row: Mapping[str, Any]) -> list[str]:
    """The counters of a request, as `learn` has them."""
    return [f"{hashed}{SPLIT}{name}" for hashed in {*row["hashed"], ""} for name in (*row["names"], "")]


def _seldom(led: int, should: float) -> float:
    """How likely so few are where so many are expected (Poisson)."""
    return sum(exp(n * log(should) - should - lgamma(n + 1)) for n in range(led + 1)) if led < should else 1.0
