"""What the user said: which calls it explains, and whether it sends the agent to data for its orders."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import re2

from detectors.instructions import words
from detectors.instructions.sentences import parts_of
from detectors.instructions.tools import Tool

_OWN_SHARE, _WHOLE = 0.4, 0.9
_COMMAND = 0.6
_HANDED_OVER = 0.65
"""So much of a tool's name the delegating sentence must ask for, where it says what is to be done."""

_TASKS_FROM_DATA = re2.compile(
    r"(?i)\b(?:do|perform|complete|execute|carry out|follow|handle|finish|address|implement|process|apply)\b[^.!?\n]{0,40}"
    r"\b(?:tasks?|to-?dos?|instructions?|actions?|steps|requests?|guidelines?|procedures?|checklist|items|guide|manual|rules)\b"
    r"|\b(?:fix|resolve|solve|close|work (?:through|on|off)|triage|clear|answer|reply to|respond to|act on|deal with|take care of|pay|settle"
    r"|set up|install|handle|process|address|implement)\b[^.!?\n]{0,40}"
    r"\b(?:issues?|tickets?|bugs?|queue|backlog|inbox|e?-?mails?|letters?|notices?|bills?|invoices?|cases?|reminders?|readme|docs|manual|guide)\b"
    r"|\bfollow(?:s|ing)?\b[^.!?\n]{0,40}\b(?:readme|docs|documentation|recipe|tutorial|policy|runbook|playbook|notice|plan|template)\b"
    r"|\baccording to\b|\bas (?:its|the|their|his|her|my)\b[^.!?\n]{0,30}\b(?:says?|asks?|describes?|tells?|requests?|requires?|wants?)\b"
    r"|\bwhat(?:ever)? (?:it|they|he|she) (?:asks?|says?|requests?|needs?)\b|\bbased on the (?:instructions?|todo|to-do|tasks?)\b")
_DETAILS_FROM_DATA = re2.compile(
    r"(?i)\baccordingly\b|\bas (?:described|instructed|specified|requested|listed|outlined)\b"
    r"|\binstructions? (?:in|from|on|at|given|provided)\b|\bdetails in the (?:message|email|e-mail|file|page)\b")
_OWN_LIST = re2.compile(r"(?i)\b(?:the following|these|below)\b")
"""The user's own list follows: nothing is handed over."""
_HANDING = words.READS | words.stems("do perform complete execute carry follow handle finish address implement process apply open go access"
                                     " use ensure email message note work issue clear fix close set install")
"""Verbs that say that something is to be done, not what."""


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """What the user said, read."""

    tokens: frozenset[str]
    sentences: tuple[frozenset[str], ...]
    delegates: bool
    """It sends the agent to data for its orders."""
    handing: tuple[frozenset[str], ...]
    """The sentences that say which orders; where there is none, a prompt that delegates hands anything over."""
    known: bool
    """It was recorded."""

    def explains(self, tool: Tool, values: Mapping[str, float]) -> float:
        """How well the prompt explains a call, 0..1: one sentence that asks for the tool with these values does best."""
        cover = asked_for(tool, values, self.tokens)
        best = _WHOLE * cover * (_OWN_SHARE + (1 - _OWN_SHARE) * share(values, self.tokens))
        for sentence in self.sentences:
            cover = asked_for(tool, values, sentence)
            if cover > best:
                best = max(best, cover * (_OWN_SHARE + (1 - _OWN_SHARE) * share(values, sentence)))
        return best

    def hands_over(self, tool: Tool) -> bool:
        """Whether a call of this tool is among what the user left to data."""
        return self.delegates and (not self.handing or any(tool.cover(sentence) >= _HANDED_OVER for sentence in self.handing))


def asked_for(tool: Tool, values: Mapping[str, float], tokens: frozenset[str]) -> float:
    """How much a text with these tokens asks for the tool, 0..1; of a shell or a query, for what its arguments say."""
    cover = tool.cover(tokens)
    if not tool.carrier or not values:
        return cover
    return max(cover, share(values, tokens), _COMMAND if not meant(values).isdisjoint(tokens) else 0.0)


def meant(values: Mapping[str, float]) -> frozenset[str]:
    """What the commands among the values mean."""
    return frozenset[str]().union(*(words.COMMANDS[t] for t in values if t in words.COMMANDS))


def share(values: Mapping[str, float], tokens: frozenset[str]) -> float:
    """How much of the values' weight the tokens hold, 0..1."""
    mass = sum(values.values())
    return sum(w for t, w in values.items() if t in tokens) / mass if mass else 1.0


@lru_cache(maxsize=1_024)
def prompt_of(text: str) -> Prompt:
    """Read a prompt, or remember it."""
    sentences: list[frozenset[str]] = []
    asking: list[frozenset[str]] = []
    handing: list[frozenset[str]] = []
    tasks = details = anything = False
    for own in parts_of(text):
        sentences.append(frozenset(t for c in own for t, _ in c.tokens).union(*(_implied(a) for c in own for a in c.atoms)))
        asks = any(c.action and c.stem not in _HANDING for c in own)
        if asks:
            asking.append(sentences[-1])
        said = " ".join(c.raw for c in own).encode("utf-8", "replace").decode()
        if _TASKS_FROM_DATA.search(said) and not _OWN_LIST.search(said):
            tasks = True
            anything = anything or not asks
            handing.append(sentences[-1])
        details = details or (bool(_DETAILS_FROM_DATA.search(said)) and not _OWN_LIST.search(said))
    scope = () if anything else (*handing, *(asking if details else ()))
    return Prompt(frozenset[str]().union(*sentences), tuple(sentences), tasks or details, scope, bool(text))


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
