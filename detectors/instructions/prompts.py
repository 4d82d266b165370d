"""What the user said: which calls it explains, and whether it sends the agent to data for its orders."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import re2  # type: ignore[import-untyped]  # ships no type hints

from detectors.instructions import words
from detectors.instructions.chunks import Chunk, chunk_of
from detectors.instructions.sentences import segments, unescaped
from detectors.instructions.tools import Tool

_OWN_SHARE, _WHOLE = 0.4, 0.9
_HANDED_OVER = 0.65
"""So much of a tool's name the delegating sentence must ask for, where it says what is to be done."""

_DELEGATION = re2.compile(
    r"(?i)\b(?:do|perform|complete|execute|carry out|follow|handle|finish|address|implement|process|apply)\b[^.!?\n]{0,40}"
    r"\b(?:tasks?|to-?dos?|instructions?|actions?|steps|requests?|guidelines?|procedures?|checklist|items|guide|manual|rules)\b"
    r"|\baccordingly\b|\bas (?:described|instructed|specified|requested|listed|outlined)\b"
    r"|\binstructions? (?:in|from|on|at|given|provided)\b|\bdetails in the (?:message|email|e-mail|file|page)\b"
    r"|\bwhat(?:ever)? (?:it|they|he|she) (?:asks?|says?|requests?|needs?)\b|\bbased on the (?:instructions?|todo|to-do|tasks?)\b")
_OWN_LIST = re2.compile(r"(?i)\b(?:following|these|below)\b")
"""The user's own list follows: nothing is handed over."""
_HANDING = words.stems("do perform complete execute carry follow handle finish address implement process apply read check look open email"
                       " message list note")


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """What the user said, read."""

    tokens: frozenset[str]
    sentences: tuple[frozenset[str], ...]
    delegates: bool
    """It sends the agent to data for its orders."""
    handing: tuple[frozenset[str], ...]
    """The sentences that do so and say what is to be done; empty where they say it of anything."""
    known: bool
    """It was recorded."""

    def explains(self, tool: Tool, values: Mapping[str, float]) -> float:
        """How well the prompt explains a call, 0..1: one sentence that asks for the tool with these values does best."""
        cover = _cover(tool, self.tokens, values)
        best = _WHOLE * cover * (_OWN_SHARE + (1 - _OWN_SHARE) * share(values, self.tokens))
        for sentence in self.sentences:
            cover = _cover(tool, sentence, values)
            if cover > best:
                best = max(best, cover * (_OWN_SHARE + (1 - _OWN_SHARE) * share(values, sentence)))
        return best

    def hands_over(self, tool: Tool) -> bool:
        """Whether a call of this tool is among what the user left to data."""
        return self.delegates and (not self.handing or any(tool.cover(sentence) >= _HANDED_OVER for sentence in self.handing))


def _cover(tool: Tool, tokens: frozenset[str], values: Mapping[str, float]) -> float:
    cover = tool.cover(tokens)
    return max(cover, share(values, tokens)) if tool.carrier and values else cover


def share(values: Mapping[str, float], tokens: frozenset[str]) -> float:
    """How much of the values' weight the tokens hold, 0..1."""
    mass = sum(values.values())
    return sum(w for t, w in values.items() if t in tokens) / mass if mass else 1.0


@lru_cache(maxsize=1_024)
def prompt_of(text: str) -> Prompt:
    """Read a prompt, or remember it."""
    chunks: list[Chunk] = []
    lines: set[int] = set()
    for line in unescaped(text).split("\n"):
        lines.add(len(chunks))
        chunks += map(chunk_of, line.split())
    sentences, handing, anything = [], [], False
    for start, end in segments(chunks, lines):
        own = chunks[start:end]
        tokens = frozenset(t for c in own for t, _ in c.tokens).union(*(_implied(a) for c in own for a in c.atoms))
        sentences.append(tokens)
        said = " ".join(c.raw for c in own).encode("utf-8", "replace").decode()
        if _DELEGATION.search(said) and not _OWN_LIST.search(said):
            asks = any(c.side and c.stem not in _HANDING for c in own)
            handing.append(tokens)
            anything = anything or not asks
    everything = frozenset().union(*sentences)
    return Prompt(everything, tuple(sentences), bool(handing), () if anything else tuple(handing), bool(text))


def _implied(atom: str) -> tuple[str, ...]:
    """Words that an address, a link or a path stands for, and the folders that a path lies in."""
    if "@" in atom:
        return ("email",)
    if atom.startswith("/"):
        parts = atom.split("/")
        return ("file", *("/".join(parts[:n]) for n in range(2, len(parts))))
    if "/" in atom:
        return ("url",)
    return ("file",) if "." in atom else ()
