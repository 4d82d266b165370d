"""What the user said: which calls it explains, and whether it sends the agent to data for its orders."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

import numpy as np
import re2

from detectors.instructions import words
from detectors.instructions.sentences import parts_of
from detectors.instructions.tools import Tool
from detectors.instructions.vocabulary import Array, Vocabulary

_OWN_SHARE, _WHOLE = 0.4, 0.9
COMMAND = 0.6
_HANDED_OVER = 0.65
"""So much of a tool's name the delegating sentence must ask for, where it says what is to be done."""

_TOLD_BY_DATA = 0.45
"""The same where the sentence says that data holds the orders."""

_TASKS_FROM_DATA = re2.compile(
    r"(?i)\b(?:do|perform|complete|execute|carry out|follow|handle|finish|address|implement|process|apply)\b[^.!?\n]{0,40}"
    r"\b(?:tasks?|to-?dos?|instructions?|actions?|steps|requests?|guidelines?|procedures?|checklist|items|guide|manual|rules)\b"
    r"|\b(?:fix|resolve|solve|close|work (?:through|on|off)|triage|clear|answer|reply to|respond to|act on|deal with|take care of|pay|settle"
    r"|set up|install|handle|process|address|implement)\b[^.!?\n]{0,40}"
    r"\b(?:issues?|tickets?|bugs?|queue|backlog|inbox|e?-?mails?|letters?|notices?|bills?|invoices?|cases?|reminders?|readme|docs|manual|guide)\b"
    r"|\bfollow(?:s|ing)?\b[^.!?\n]{0,40}\b(?:readme|docs|documentation|recipe|tutorial|policy|runbook|playbook|notice|plan|template)\b"
    r"|\bget back to\b|\baccording\b|\bas (?:its|the|their|his|her|my)\b[^.!?\n]{0,30}\b(?:says?|asks?|describes?|tells?|requests?|requires?|wants?)\b"
    r"|\bwhat(?:ever)? (?:it|they|he|she) (?:asks?|says?|requests?|needs?)\b|\bbased on the (?:instructions?|todo|to-do|tasks?)\b")
_DETAILS_FROM_DATA = re2.compile(
    r"(?i)\baccordingly\b|\bas (?:described|instructed|specified|requested|listed|outlined)\b"
    r"|\binstructions? (?:in|from|on|at|given|provided)\b|\bdetails in the (?:message|email|e-mail|file|page)\b"
    r"|\b(?:the way|where|how|who|whoever|what|whatever|that|which|as)\b[^.!?\n]{0,60}\b(?:says?|said|asks?|names?|lists?|describes?|requires?|requests?|sets?|shows?)\b"
    r"|\b(?:listed|named|described|noted|stated|given|contained|decided|requested|mentioned) (?:in|on|by)\b")
_OWN_LIST = re2.compile(r"(?i)\b(?:the following|these|below)\b")
"""The user's own list follows: nothing is handed over."""
_CONSENT = re2.compile(r"(?i)^\W*(?:yes|yep|yeah|ok|okay|sure|fine|good|agreed|approved?|proceed|go ahead|sounds good|do it|do that|do so|please do|ja|sí|si|oui|gut"
                       r"|d'accord|de acuerdo|einverstanden|va bene)\b")
"""How a user agrees to what the agent found or proposed."""
_PAPERS = words.stems("email mail message letter ticket note file document page issue thread inbox invoice notice post comment form case record log text")
_QUESTIONS = words.listed(
    "what who whom whose which when where why how is are was were does did has should"
    " worum welche welcher wer wie wann que qui quoi quel quelle cuál qué quién summarise")
_LEAVING = words.stems("do perform complete execute carry follow handle finish address implement process apply work deal act resolve")
_HANDING = words.READS | words.stems("do perform complete execute carry follow handle finish address implement process apply open go access"
                                     " use ensure email message note work issue clear fix close set install say mention")
"""Verbs that say that something is to be done, not what."""


class Handed(IntEnum):
    """What the user left to data: nothing, whatever it asks for, or the details of something named."""

    NOT = 0
    ANYTHING = 1
    THIS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """A sentence of the user."""

    tokens: frozenset[str]
    specific: frozenset[str]
    """Its addresses, links, numbers and names of files."""
    named: frozenset[str]
    """Its words but for papers: "the message" says what is read and not what is done."""
    wants: bool
    """It asks for something other than reading."""
    anything: bool
    """It leaves to data what is to be done: "do what ticket 12 says", "yes, go ahead"."""
    by_data: bool
    """It says that data holds the orders, or their details: "as the ticket says"."""

    def leaves_to(self, tool: Tool, paper: Container[str]) -> Handed:
        """How far a call of this tool is left to a paper that was read under this name: beside the name, the sentence says nothing definite."""
        definite = all(t in paper for t in self.specific)
        if not (self.by_data or (self.wants and definite)):
            return Handed.NOT
        if tool.cover_of_matter(self.named) >= (_TOLD_BY_DATA if self.by_data else _HANDED_OVER):
            return Handed.THIS
        return Handed.ANYTHING if self.anything else Handed.NOT


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """What the user said, read."""

    tokens: frozenset[str]
    sentences: tuple[Said, ...]
    delegates: bool
    """It sends the agent to data for its orders, in so many words."""
    known: bool
    """It was recorded."""
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
            covers = [(_WHOLE * tool.cover(self.tokens), self.tokens), *((tool.cover(said.tokens), said.tokens) for said in self.sentences)]
            self._asking[tool] = sorted((one for one in covers if one[0]), key=lambda one: -one[0])
        return self._asking[tool]

    def hands_over(self, tool: Tool, paper: Container[str] = frozenset()) -> Handed:
        """How far a call of this tool is among what the user left to data that was read with these values."""
        return max((said.leaves_to(tool, paper) for said in self.that_leave(tool)), default=Handed.NOT)

    def that_leave(self, tool: Tool) -> list[Said]:
        """The sentences that leave a call of this tool to some paper."""
        if tool not in self._leaving:
            self._leaving[tool] = [said for said in self.sentences if said.leaves_to(tool, _ANY_PAPER)]
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
    delegates = False
    for own in parts_of(text):
        tokens = frozenset(t for c in own for t, _ in c.tokens).union(*(_implied(a) for c in own for a in c.atoms))
        said = " ".join(c.word or c.raw for c in own).encode("utf-8", "replace").decode()
        first = next((c for c in own if c.word), None)
        listed = bool(_OWN_LIST.search(said)) or (first is not None and first.word in _QUESTIONS)  # a question hands nothing over either
        tasks = bool(_TASKS_FROM_DATA.search(said)) and not listed
        details = bool(_DETAILS_FROM_DATA.search(said)) and not listed
        asks = any(c.action and c.stem not in _HANDING and (c is first or c.stem not in _PAPERS) for c in own)
        reads = first is None or first.word in _QUESTIONS or first.stem in words.READS
        agrees = bool(_CONSENT.search(said))
        known_verb = first is not None and (first.action or first.stem in words.READS)
        hands = tasks or agrees or any(c.stem in _LEAVING for c in own) or "take care" in said or (details and not known_verb)
        delegates = delegates or tasks or details or agrees
        sentences.append(Said(
            tokens, frozenset(t for c in own for t, _ in c.tokens if t in c.atoms or any(x.isdigit() for x in t)),
            tokens - frozenset(c.stem for c in own if c is not first and c.stem in _PAPERS),
            wants=asks or hands or not reads, anything=hands and not asks, by_data=tasks or details,
        ))
    return Prompt(frozenset[str]().union(*(s.tokens for s in sentences)), tuple(sentences), delegates, bool(text))


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
