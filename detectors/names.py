"""Names that look like other names: confusable letters folded, words compared without separators, short edit distances.

The letters are those of Unicode's confusables.txt (UTS 39) that stand for Latin ones and are seen in practice: Cyrillic, Greek,
Armenian, IPA; full-width, mathematical and circled letters fold by NFKC.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

_LIKE_LATIN = dict(zip(
    "аеорсхуіјѕһԁԛԝьвнкмтгзАВЕКМНОРСТХУІЈЅԌαοινρκτυχγωΑΒΕΖΗΙΚΜΝΟΡΤΥΧօսոհցքԱՕՏıɩɑɡʀɴʟℓ‐‑‒–—−․",
    "aeopcxyijshdqwbbhkmtr3ABEKMHOPCTXYIJSGaoivpktuxywABEZHIKMNOPTYXounhgpUOSiiagRNLl------.", strict=True))
_LIKE_LETTERS = str.maketrans("01357$@", "olsstsa")
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_FILLERS = frozenset(("the", "a", "an", "my", "your", "our", "official", "real", "true", "new", "original"))
"""Words that are put into a name to make another of it."""
SHORTEST = 5
"""Shorter names lie near one another by chance: `get` and `set`."""
LONGER = 10
"""From this length on, two letters may differ."""
_LONGEST, _TWICE, _CROWD = 64, 32, 20
"""Letters of a name that count; up to which length two may be left out; how many like names are compared with one another."""
LOOKS_ALIKE, SLIP, SAME_WORDS = "looks alike", "slip", "same words"


def fold(text: str) -> str:
    """The text as an eye takes it: compatible forms and letters of other scripts that look Latin become Latin."""
    if text.isascii():
        return text
    return "".join(_LIKE_LATIN.get(c, c) for c in unicodedata.normalize("NFKC", text))


def skeleton(name: str) -> str:
    """What two names that an eye confuses have in common: folded, lower case, digits as letters, no separators."""
    shown = fold(name).lower().translate(_LIKE_LETTERS)
    for pair, one in _PAIRS:
        shown = shown.replace(pair, one)
    return "".join(c for c in shown if c.isalnum())


def words_of(name: str) -> tuple[str, ...]:
    """The lower-case words of a name in snake_case, kebab-case, camelCase, dotted; digits stay with their word."""
    spaced = "".join(f" {c}" if c.isupper() and (n == 0 or name[n - 1].islower()) else c if c.isalnum() else " " for n, c in enumerate(name))
    return tuple(spaced.lower().split())


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two different names that read alike: the kind, and what differs, in words."""

    one: str
    other: str
    kind: str
    what: str


def likeness(one: str, other: str) -> Likeness | None:
    """How one name imitates a different one; None where it does not."""
    if one.lower() == other.lower() or min(len(one), len(other)) < SHORTEST or _bare(one) == _bare(other):
        return None  # capital letters are a matter of style, numbers of counting
    mine, theirs = words_of(one), words_of(other)
    if fold(one) == fold(other):
        return Likeness(one, other, LOOKS_ALIKE, "letters of another script that look the same")
    if mine == theirs:
        return Likeness(one, other, SAME_WORDS, "other separators between the same words")
    if skeleton(one) == skeleton(other):
        return Likeness(one, other, LOOKS_ALIKE, "characters that look the same")
    if _plain(mine) == _plain(theirs) and _plain(mine):
        return Likeness(one, other, SAME_WORDS, "filler words between the same words")
    if sorted(mine) == sorted(theirs):
        return Likeness(one, other, SAME_WORDS, "the same words in another order")
    changed = _slip(mine, theirs)
    return Likeness(one, other, SLIP, f"{changed} {'letter' if changed == 1 else 'letters'} changed") if changed else None


@lru_cache(maxsize=16)
def alike(names: frozenset[str], slips: bool = True) -> tuple[Likeness, ...]:
    """The pairs among many names that read alike, each once; names are compared only where they share what makes them alike.

    slips: whether to look for changed letters too, which costs most.
    """
    shelves: dict[str, list[str]] = {}
    for name in sorted(names):
        for key in set(_keys(name[:_LONGEST], slips)):
            shelves.setdefault(key, []).append(name)
    pairs = {pair for shelf in shelves.values() for pair in combinations(shelf[:_CROWD], 2)}
    return tuple(found for pair in sorted(pairs) if (found := likeness(*pair)))


def _keys(name: str, slips: bool) -> Iterator[str]:
    yield f"look {skeleton(name)}"
    yield f"words {sorted(_plain(words_of(name)))}"
    if not slips:
        return
    joined = "".join(words_of(name))
    once = {joined[:n] + joined[n + 1 :] for n in range(len(joined))} | {joined}
    yield from (f"slip {one}" for one in once)
    if LONGER <= len(joined) <= _TWICE:
        yield from (f"slip {one[:n] + one[n + 1 :]}" for one in once for n in range(len(one)))


def _bare(name: str) -> str:
    return "".join(c for c in name.lower() if not c.isdigit())


def fillers(name: str) -> int:
    """How many filler words a name holds: of two like names, the one with more is the imitation."""
    return sum(word in _FILLERS for word in words_of(name))


def _plain(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(w for w in words if w not in _FILLERS)


def _slip(mine: tuple[str, ...], theirs: tuple[str, ...]) -> int:
    """How many letters a slip of the pen changed; 0 where the difference makes an honest new name."""
    one, other = "".join(mine), "".join(theirs)
    if [w.removesuffix("s") for w in mine] == [w.removesuffix("s") for w in theirs] or min(len(one), len(other)) < SHORTEST:
        return 0
    if len(mine) == len(theirs) and any(a != b and (min(len(a), len(b)) < SHORTEST or a[:2] != b[:2]) for a, b in zip(mine, theirs, strict=True)):
        return 0  # import and export, encrypt and decrypt differ where they begin
    allowed = 2 if min(len(one), len(other)) >= LONGER else 1
    changed = distance(one, other, allowed)
    return changed if changed <= allowed else 0


def distance(one: str, other: str, most: int) -> int:
    """Edits from one word to another (insert, delete, replace, swap neighbours); more than `most` is `most + 1`."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    row = list(range(len(other) + 1))
    before = above = row
    for n, a in enumerate(one, 1):
        before, above, row = above, row, [n]
        for m, b in enumerate(other, 1):
            cost = min(above[m] + 1, row[m - 1] + 1, above[m - 1] + (a != b))
            if n > 1 and m > 1 and a == other[m - 2] and one[n - 2] == b:
                cost = min(cost, before[m - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
