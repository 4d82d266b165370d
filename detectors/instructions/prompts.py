"""What the user said: which calls it explains, and whether it sends the agent to data for its orders."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

import numpy as np
import re2

from detectors.instructions import words
from detectors.instructions.chunks import Chunk
from detectors.instructions.delegating import PAPERS, Clause, clauses_of
from detectors.instructions.sentences import parts_of
from detectors.instructions.tools import Tool
from detectors.instructions.vocabulary import Array, Vocabulary

_OWN_SHARE, _WHOLE = 0.4, 0.9
COMMAND = 0.6
_READ_ONLY = 0.5
"""Who wants a mail read and nothing done hardly asks for one to be sent, though the name of the tool says mail."""
_HANDED_OVER = 0.55
"""So much of a tool's name the delegating sentence must ask for, where it says what is to be done."""

_TOLD_BY_DATA = 0.45
"""The same where the sentence says that data holds the orders."""

_MESSAGE, _MESSAGE_ALONE = words.RELATED[words.stem("message")], 0.8
"""A tool that sends messages, whatever they are about, answers as well."""

_CONSENT = re2.compile(r"(?i)^\W*(?:yes|yep|yeah|ok|okay|sure|fine|good|agreed|approved?|proceed|go ahead|sounds good|do it|do that|do so|please do|ja|sí|si|oui|gut"
                       r"|d'accord|de acuerdo|einverstanden|va bene)(?:\PL|$)")
"""How a user agrees to what the agent found or proposed."""


class Handed(IntEnum):
    """What the user left to data: nothing, whatever it asks for, or the details of something named."""

    NOT = 0
    ANYTHING = 1
    THIS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """A sentence of the user."""

    tokens: frozenset[str]
    clauses: tuple[Clause, ...]
    agrees: bool
    """It agrees to what the agent found or proposed."""
    reads: bool
    """It wants something read or told, and nothing done."""

    def leaves_to(self, tool: Tool, paper: Container[str], named: frozenset[str]) -> Handed:
        """How far a call of this tool is left to a paper that was read under this name, where the whole prompt names this."""
        left = max((_left(clause, tool, paper, named) for clause in self.clauses), default=Handed.NOT)
        return max(left, Handed.ANYTHING) if self.agrees else left


def _left(clause: Clause, tool: Tool, paper: Container[str], named: frozenset[str]) -> Handed:
    if not (clause.by_data or (clause.wants and all(t in paper for t in clause.specific))):
        return Handed.NOT  # what it wants it says itself, but for the name of the paper
    if _asks_for(clause, tool, named):
        return Handed.THIS
    answers = clause.answers and tool.kind == "send" and tool.cover(_MESSAGE) >= _MESSAGE_ALONE
    return Handed.ANYTHING if clause.anything or answers else Handed.NOT


def _asks_for(clause: Clause, tool: Tool, named: frozenset[str]) -> bool:
    """Whether a clause asks for such a call, whose details it leaves to data: by the tool's name, and by what that does to the world."""
    if clause.answers and not clause.says:
        return not words.ANSWERS.isdisjoint(tool.stems)
    if clause.verb in words.SIDE_EFFECTS["money"] and tool.kind in words.FAR_REACHING and tool.kind != "money":
        return False  # money is sent as well, but a mail pays nobody
    if tool.kind in words.NAMED_ONLY and words.NAMED_ONLY[tool.kind].isdisjoint(named):
        return False
    if clause.says and clause.verb in tool.reach:
        return True
    return tool.cover_of_matter(clause.tokens) >= (_TOLD_BY_DATA if clause.by_data else _HANDED_OVER)


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """What the user said, read."""

    tokens: frozenset[str]
    sentences: tuple[Said, ...]
    delegates: bool
    """It sends the agent to data for its orders, in so many words."""
    known: bool
    """It was recorded."""
    reads: bool
    """It wants things read or told, and nothing done."""
    _asking: dict[Tool, list[tuple[float, frozenset[str]]]] = field(default_factory=dict, repr=False)
    _leaving: dict[Tool, list[Said]] = field(default_factory=dict, repr=False)
    _numbered: list[tuple[Vocabulary, Array]] = field(default_factory=list, repr=False)

    def explains(self, tool: Tool, values: Mapping[str, float], mass: float) -> float:
        """How well the prompt explains a call, 0..1: one sentence that asks for the tool with these values (of this weight) does best."""
        if tool.carrier and values:
            return self._explains_commands(tool, values, mass)
        best = 0.0
        for cover, tokens in self._that_ask(tool):
            if cover <= best:
                break
            best = max(best, cover * (_OWN_SHARE + (1 - _OWN_SHARE) * share(values, mass, tokens)))
        return best

    def _explains_commands(self, tool: Tool, values: Mapping[str, float], mass: float) -> float:
        """The same of a shell or a query: it is asked for by what its arguments say, too."""
        best, commands = 0.0, meant(values)
        for weight, tokens in ((_WHOLE, self.tokens), *((1.0, said.tokens) for said in self.sentences)):
            shared = share(values, mass, tokens)
            cover = weight * max(tool.cover(tokens), shared, COMMAND if not commands.isdisjoint(tokens) else 0.0)
            best = max(best, cover * (_OWN_SHARE + (1 - _OWN_SHARE) * shared))
        return best

    def _that_ask(self, tool: Tool) -> list[tuple[float, frozenset[str]]]:
        """How much of a tool's name the whole and each sentence ask for, the most first."""
        if tool not in self._asking:
            lasting = tool.kind in words.FAR_REACHING and not tool.carrier
            texts = [(_WHOLE, self.tokens, self.reads), *((1.0, said.tokens, said.reads) for said in self.sentences)]
            covers = [(weight * (_READ_ONLY if lasting and reads else 1.0) * tool.cover(tokens), tokens) for weight, tokens, reads in texts]
            self._asking[tool] = sorted((one for one in covers if one[0]), key=lambda one: -one[0])
        return self._asking[tool]

    def hands_over(self, tool: Tool, paper: Container[str] = frozenset()) -> Handed:
        """How far a call of this tool is among what the user left to data that was read with these values."""
        return max((said.leaves_to(tool, paper, self.tokens) for said in self.that_leave(tool)), default=Handed.NOT)

    def that_leave(self, tool: Tool) -> list[Said]:
        """The sentences that leave a call of this tool to some paper."""
        if tool not in self._leaving:
            self._leaving[tool] = [said for said in self.sentences if said.leaves_to(tool, _ANY_PAPER, self.tokens)]
        return self._leaving[tool]

    def numbered(self, vocabulary: Vocabulary) -> Array:
        """Its tokens by the numbers of a vocabulary; those of the last one are remembered."""
        for known, numbers in self._numbered:
            if known is vocabulary:
                return numbers
        numbers = np.array([*map(vocabulary.token, self.tokens)], np.int64)
        self._numbered[:] = [(vocabulary, numbers)]
        return numbers


class _Anything:
    """What holds whatever one asks for."""

    def __contains__(self, _: object) -> bool:
        return True


_ANY_PAPER = _Anything()


def meant(values: Mapping[str, float]) -> frozenset[str]:
    """What the commands among the values mean."""
    found = [words.COMMANDS[t] for t in values if t in words.COMMANDS]
    return frozenset[str]().union(*found) if found else frozenset()


def share(values: Mapping[str, float], mass: float, tokens: frozenset[str]) -> float:
    """How much of the values' weight, which is `mass`, the tokens hold, 0..1."""
    return sum([w for t, w in values.items() if t in tokens]) / mass if mass else 1.0


@lru_cache(maxsize=1_024)
def prompt_of(text: str) -> Prompt:
    """Read a prompt, or remember it."""
    sentences: list[Said] = []
    for own in _sentences(text):
        said = " ".join(c.word or c.raw for c in own).encode("utf-8", "replace").decode()
        clauses = tuple(clauses_of(own))
        agrees = bool(_CONSENT.search(said)) and not any(clause.definite for clause in clauses)
        sentences.append(Said(
            frozenset(t for c in own for t, _ in c.tokens).union(*(_implied(a) for c in own for a in c.atoms)),
            clauses, agrees, reads=not agrees and all(clause.reads for clause in clauses),
        ))
    delegates = any(one.agrees or any(clause.by_data for clause in one.clauses) for one in sentences)
    reads = bool(sentences) and all(one.reads for one in sentences)
    return Prompt(frozenset[str]().union(*(s.tokens for s in sentences)), tuple(sentences), delegates, bool(text), reads)


def _sentences(text: str) -> Iterator[list[Chunk]]:
    """The chunks of a prompt, sentence by sentence; a noun with a capital ("Was steht in Mail 12?") begins none."""
    sentence: list[Chunk] = []
    for part in parts_of(text):
        if sentence and (sentence[-1].ends or sentence[-1].comma or part[0].stem not in PAPERS):
            yield sentence
            sentence = []
        sentence += part
    if sentence:
        yield sentence


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
