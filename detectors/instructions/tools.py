"""What a tool's name says: its words, the verbs that would ask for it, and what it does to the world."""

from dataclasses import dataclass
from functools import lru_cache

from detectors.instructions import words

SEVERITY = {"money": 1.0, "delete": 1.0, "member": 1.0, "send": 1.0, "write": 0.85, "egress": 0.8, "unknown": 0.6, "read": 0.4}
"""How much an unasked call of each class matters."""

_GENERIC_WEIGHT, _VERB_WEIGHT, _NOUN_WEIGHT, _OTHER_WEIGHT, RELATED_SHARE = 0.15, 1.5, 1.0, 0.5, 0.8
"""Of a word in a name: says little, says what is done, says to what, means nothing to us (often a brand)."""
_LEADING_WORDS, _LONG_NAME = 3, 6
_NAME_LIMIT = 200
_WORDS = 24
"""Words of a name that count."""
RELATED_FROM = _WORDS
REACHES = 1 << 2 * _WORDS
_TELLING_WORDS = 2
"""So many words of a tool's own name say enough, without the server's name in front."""


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """A tool's name, read; the same one for the same name, as long as that is remembered."""

    stems: tuple[str, ...]
    weights: tuple[float, ...]
    related: tuple[frozenset[str], ...]
    reach: frozenset[str]
    """Every stem that could ask for this tool."""
    kind: str
    """money, delete, member, send, write, read or unknown."""
    web: bool
    carrier: bool
    """It runs whatever its arguments say: a shell, a query, a request."""

    def marks(self) -> dict[str, int]:
        """Every stem that speaks of the tool, the general ones too: bit n for its word n, bit `RELATED_FROM` + n for what is related to that, and
        `REACHES` where it could ask for the tool."""
        found: dict[str, int] = {}
        for n, (one, related) in enumerate(zip(self.stems, self.related, strict=True)):
            found[one] = found.get(one, 0) | 1 << n
            for other in related:
                found[other] = found.get(other, 0) | 1 << n + RELATED_FROM
        return {one: bits | REACHES if one in self.reach else bits for one, bits in found.items()}

    def cover_of_matter(self, tokens: frozenset[str]) -> float:
        """The same without the word that only says that something is made: to pay is to `create_transfer`."""
        return max(self.cover(tokens), self.cover(tokens, words.MAKERS)) if not words.MAKERS.isdisjoint(self.stems) else self.cover(tokens)

    def cover(self, tokens: frozenset[str], without: frozenset[str] = frozenset()) -> float:
        """How much of the name the tokens ask for, 0..1."""
        total = got = 0.0
        for one, weight, related in zip(self.stems, self.weights, self.related, strict=True):
            if one in without:
                continue
            total += weight
            if one in tokens:
                got += weight
            elif not related.isdisjoint(tokens):
                got += RELATED_SHARE * weight
        return got / total if total else 0.0


def name_words(name: str) -> list[str]:
    """The lower-case words of a name in snake_case, kebab-case, camelCase or dotted."""
    found: list[str] = []
    current = ""
    shown = name[:_NAME_LIMIT]
    for n, char in enumerate(shown):
        humps = char.isupper() and (shown[n - 1 : n].islower() or shown[n + 1 : n + 2].islower())  # fooBar, HTTPGet
        if current and (humps or not char.isalpha()):
            found.append(current)
            current = ""
        if char.isalpha():
            current += char.lower()
    return [*found, current] if current else found


@lru_cache(maxsize=4_096)
def tool_of(name: str) -> Tool:
    """Read a tool's name."""
    everything = tuple(dict.fromkeys(words.stem(w) for w in name_words(name)))
    own = tuple(dict.fromkeys(words.stem(w) for w in name_words(_own_name(name))))
    stems = (own if len(own) >= _TELLING_WORDS else everything)[:_WORDS]
    effects = frozenset().union(*words.SIDE_EFFECTS.values())
    weights = tuple(
        _GENERIC_WEIGHT if s in words.GENERIC else _VERB_WEIGHT if s in words.ACTIONS or s in effects
        else _NOUN_WEIGHT if s in words.RELATED else _OTHER_WEIGHT for s in stems)
    related = tuple(frozenset() if s in words.GENERIC else words.RELATED.get(s, frozenset()) for s in stems)
    telling = frozenset(s for s in stems if s not in words.GENERIC)
    kind = _kind(stems)
    return Tool(stems, weights, related, telling.union(*related), kind if kind != "unknown" else _kind(everything), not words.WEB_NOUNS.isdisjoint(stems),
                not words.CARRIERS.isdisjoint(stems))


def _own_name(name: str) -> str:
    """The name without the server's, where client or gateway put that in front: `mcp__files__read`, `files.read`, `files-read_text`."""
    for mark in ("__", ".", "/", ":"):
        name = name.rpartition(mark)[2] or name
    return name.rpartition("-")[2] if "-" in name and "_" in name.rpartition("-")[2] else name


def _kind(stems: tuple[str, ...]) -> str:
    leading = stems if len(stems) >= _LONG_NAME else stems[:_LEADING_WORDS]
    for one in leading:
        if one in words.READS or (one in words.OPENS and not (words.WEB_NOUNS | words.PAPER_NOUNS).isdisjoint(stems)):
            return "read"
        kind = next((k for k, members in words.SIDE_EFFECTS.items() if one in members), None)
        if kind in ("send", "write") and not words.MONEY_NOUNS.isdisjoint(stems):
            return "money"
        if kind == "write" and not words.MEMBER_NOUNS.isdisjoint(stems):
            return "member"
        if kind:
            return kind
    return "unknown"
