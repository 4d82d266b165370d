"""What a call's arguments hold: weighted tokens of their values."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from detectors.instructions.chunks import chunk_of
from detectors.instructions.sentences import unescaped
from detectors.instructions.vocabulary import Array, Vocabulary

_VALUE_MASS = 12.0
"""One value counts at most so much: a long text must not drown an address."""
HEAVY = 2.0
"""What weighs more is an address, a link, a number."""
_VALUES, _DEPTH = 2_000, 20
_REMEMBERED_LENGTH = 4_096
_SHORT = 5
"""Words of a value that names something; a longer one is a text."""


@dataclass(frozen=True, slots=True, eq=False)
class Arguments:
    """The tokens of a call's argument values."""

    weights: Mapping[str, float]
    short: frozenset[str]
    """Those of short values: who writes a text uses words, and names people, that stand anywhere."""
    atoms: tuple[str, ...]
    """Its addresses, links and numbers: the heavy ones."""
    mass: float
    """What all of them weigh."""
    _numbered: "list[tuple[Vocabulary, Numbered]]" = field(default_factory=list, repr=False)

    def numbered(self, vocabulary: Vocabulary) -> "Numbered":
        """The same by the numbers of a vocabulary; those of the last one are remembered."""
        for known, numbered in self._numbered:
            if known is vocabulary:
                return numbered
        numbered = Numbered(
            np.array([*map(vocabulary.token, self.weights)], np.int64), np.array([*self.weights.values()], np.float64),
            np.array([token in self.short for token in self.weights], np.bool_))
        self._numbered[:] = [(vocabulary, numbered)]
        return numbered


@dataclass(frozen=True, slots=True, eq=False)
class Numbered:
    """Tokens of values by number, what each weighs, and which are of short values."""

    tokens: Array
    weights: Array
    short: Array


def arguments_of(arguments: Any) -> Arguments:
    """Read a call's arguments, JSON or a mapping; keys, booleans and nulls left out."""
    return _remembered(arguments) if isinstance(arguments, str) and len(arguments) <= _REMEMBERED_LENGTH else _read(arguments)


def _read(arguments: Any) -> Arguments:
    if isinstance(arguments, str):
        with suppress(ValueError, RecursionError):  # truncated or no JSON at all: read as text
            arguments = json.loads(arguments)
    found: dict[str, float] = {}
    short: set[str] = set()
    for value in _leaves(arguments):
        own: dict[str, float] = {}
        raws = value.split() if value.isalnum() else unescaped(value).split()
        for raw in raws:
            own.update(chunk_of(raw).tokens)
        mass = sum(own.values())
        scale = min(1.0, _VALUE_MASS / mass) if mass else 1.0
        for token, weight in own.items():
            found[token] = max(found.get(token, 0.0), weight * scale)
        if len(raws) <= _SHORT:
            short.update(own)
    return Arguments(found, frozenset(short), tuple(token for token, weight in found.items() if weight > HEAVY), sum(found.values()))


_remembered = lru_cache(maxsize=4_096)(_read)


def _leaves(value: Any) -> Iterator[str]:
    waiting = [(value, 0)]
    for _ in range(_VALUES):
        if not waiting:
            return
        one, depth = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, (int, float)) and not isinstance(one, bool):
            yield str(one)
        elif depth < _DEPTH and isinstance(one, Mapping):
            waiting += [(v, depth + 1) for v in one.values()]
        elif depth < _DEPTH and isinstance(one, Sequence):
            waiting += [(v, depth + 1) for v in one]
