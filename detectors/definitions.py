"""What in a tool's definition would steer the agent that reads it, beyond saying what the tool does."""

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from detectors.instructions import read
from detectors.instructions.encoded import encoded_in
from detectors.instructions.hidden import decoded, hidden_in, turned_around
from detectors.instructions.orders import wrapper_in
from detectors.instructions.steering import phrases
from detectors.names import fold

LONGEST = 20_000
"""Characters of a definition that are looked at; the longest honest ones known have a third of that."""
DEEPEST = 12

_SNOOPING_NAMES = re2.compile(
    r"(?i)^(?:llm|model|agent|ai)_?(?:model_?)?(?:name|id|identity)$|^(?:system|developer)_?prompt$|^(?:conversation|chat)_?(?:history|context|log)?$"
    r"|^(?:side_?note|full_?context|previous_?(?:messages|context)|chain_?of_?thought|reasoning_?trace|tool_?list|available_?tools)$"
)
_COMPARED = re2.compile(r"(?i)\b(?:over|instead of|rather than|unlike|than|similar to|like|not|vs\.?)\W+(?:the\W+)?$")
_APART = {ord(c): " " for c in "`'\"().,:;<>[]{}/*"}
FIRM = 0.7
"""Strength from which on a sentence is an order."""
STRONG = 0.5
"""Weight from which on a phrase is hardly ever honest."""
_CHANGING = re2.compile(r"(?i)\b[0-9a-f]{8}-[0-9a-f-]{27}\b|(?:[A-Za-z]:)?[/\\][^\s\"',;)]+|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
                        r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b|\w*\d[\w.:+-]*")
_ADDRESS = re2.compile(r"(?i)\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b|\bhttps?://[^\s\"'<>)\\]+|\+\d{9,15}\b")
_TOWARDS = re2.compile(r"(?i)\b(?:send|sent|forward|bcc|cc|copy|upload|post|route|routed|deliver|transmit)\w*\b[^.;\n]{0,50}\b(?:to|through|via|at)\s+(?:the\s+\w+\s+)?$")
_PASSING_ON = re2.compile(r"(?i)\b(?:send|forward|post|upload|bcc|cc|copy|transmit|report|exfiltrate|redirect|deliver|routed?|email|mail)\b")


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing in a definition that steers: what kind, the words, how heavy (0..1), and where they stand."""

    kind: str
    text: str
    weight: float
    place: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The tools that other servers offer and one's own does not: `name in elsewhere`."""

    offered: Mapping[str, frozenset[str]]
    server: str

    def __contains__(self, tool: object) -> bool:
        servers = self.offered.get(tool) if isinstance(tool, str) else None
        return servers is not None and self.server not in servers


def offered(tools: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """Out of pairs of server and tool: which servers offer each tool."""
    found: dict[str, set[str]] = {}
    for server, tool in tools:
        found.setdefault(tool, set()).add(server)
    return {tool: frozenset(servers) for tool, servers in found.items()}


def steering(tool: str, description: str | None, schema: str | None, foreign_tools: Container[str] = ()) -> list[Reason]:
    """The reasons to distrust a definition, heaviest first; none for one that only says what the tool does.

    foreign_tools: names of other servers' tools; one that is spoken of here reaches beyond its own server.
    """
    found: list[Reason] = []
    for place, text in _texts(description, schema):
        found += _reasons(place, text[:LONGEST])
        found += _foreign(tool, plainly(text[:LONGEST]), foreign_tools, place)
    best: dict[str, Reason] = {}
    for reason in found:
        if reason.kind not in best or reason.weight > best[reason.kind].weight:
            best[reason.kind] = reason
    return sorted(best.values(), key=lambda r: (-r.weight, r.kind))


def addresses(description: str | None, schema: str | None) -> dict[str, str]:
    """The addresses that a definition names other than as an example, each with its place."""
    found: dict[str, str] = {}
    for place, text in _texts(description, schema):
        plain = plainly(text[:LONGEST])
        for match in _ADDRESS.finditer(plain):
            if not _is_example(plain, match.start()):
                found.setdefault(match.group().lower().rstrip("/.,"), place)
    return found


def changing_parts_removed(text: str | None) -> str:
    """A text without what differs from day to day and machine to machine: numbers, dates, paths, identifiers."""
    return str(_CHANGING.sub("#", (text or "").encode("utf-8", "replace").decode("utf-8")))


def plainly(text: str) -> str:
    """A text as its reader takes it: what is hidden decoded, look-alike letters folded, fit for RE2."""
    return fold(decoded(text).encode("utf-8", "replace").decode("utf-8"))


def standing(reasons: Iterable[Reason]) -> float:
    """Several reasons as one score in 0..1: the chance that at least one of them is meant."""
    harmless = 1.0
    for reason in reasons:
        harmless *= 1 - reason.weight
    return 1 - harmless


@lru_cache(maxsize=8_192)
def _reasons(place: str, text: str) -> tuple[Reason, ...]:
    """The reasons of one text; the same texts are listed again and again."""
    return tuple(_found(place, text))


def _found(place: str, text: str) -> Iterator[Reason]:
    for piece in hidden_in(text):
        if any(c.isalpha() for c in piece):
            yield Reason("holds hidden text", piece, 0.6 if piece.isascii() and len(piece) < 8 else 0.9, place)
    for encoding, piece in encoded_in(text):
        if words := wrapper_in(piece) or next((words for _, words, weight in phrases(piece) if weight >= STRONG), None):
            yield Reason(f"holds an order in {encoding}", words, 0.85, place)
    if turned := turned_around(text):
        yield Reason("turns the direction of its text", turned, 0.5, place)
    plain = plainly(text)
    if place.startswith("parameter name"):
        if _SNOOPING_NAMES.search(plain):
            yield Reason("asks for what it does not need", plain, 0.55, place)
        if " " not in plain.strip():
            return  # a name that is a sentence is read as one
    if wrapper := wrapper_in(plain):
        yield Reason("speaks to the model as system or user", wrapper, 0.7, place)
    for kind, words, weight in phrases(plain):
        yield Reason(kind, words, weight, place)
    ordered = any(s.side and s.strength >= FIRM for s in read(plain).sentences)
    for match in _ADDRESS.finditer(plain):
        around = plain[max(0, match.start() - 120) : match.end() + 40]
        if _PASSING_ON.search(around) and not _is_example(plain, match.start()):
            aimed = _TOWARDS.search(plain[max(0, match.start() - 60) : match.start()])
            yield Reason("sends to an address of its own", match.group(), 0.6 if ordered else 0.45 if aimed else 0.3, place)
            break


def _foreign(tool: str, text: str, foreign_tools: Container[str], place: str) -> Iterator[Reason]:
    """Another server's tool that is spoken of: heavy where something is to be done with it, light where it is only compared."""
    for name in sorted({word for word in text.translate(_APART).split() if "_" in word and word != tool and word in foreign_tools})[:1]:
        compared = _COMPARED.search(text[max(0, text.find(name) - 60) : text.find(name)])
        yield Reason("compares itself to another server's tool" if compared else "speaks of another server's tool", name, 0.2 if compared else 0.5, place)


def _is_example(text: str, start: int) -> bool:
    """Honest definitions show addresses as examples of what to pass."""
    before = text[max(0, start - 40) : start].lower()
    return any(word in before for word in ("e.g", "example", "such as", "for instance", "like ", "format", "docs", "see "))


def _texts(description: str | None, schema: str | None) -> Iterator[tuple[str, str]]:
    if description:
        yield "description", description
    if schema:
        try:
            yield from _schema_texts(json.loads(schema), "")
        except (ValueError, RecursionError):
            yield "schema", schema


def _schema_texts(node: Any, path: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """The words of a schema that a model reads: names, titles, descriptions, defaults, enums."""
    if depth > DEEPEST:
        return
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "properties" and isinstance(value, dict):
                for name in value:
                    yield f"parameter name {path}{name}"[:120], str(name)
                    yield from _schema_texts(value[name], f"{path}{name}.", depth + 1)
            elif isinstance(value, str) and key in ("description", "title", "default", "const", "pattern"):
                yield f"{key} of parameter {path.rstrip('.') or '(all)'}"[:120], value
            elif key in ("enum", "examples") and isinstance(value, list):
                for one in value:
                    if isinstance(one, str):
                        yield f"{key} of parameter {path.rstrip('.')}"[:120], one
            elif isinstance(value, dict | list):
                yield from _schema_texts(value, path, depth + 1)
    elif isinstance(node, list):
        for one in node:
            yield from _schema_texts(one, path, depth + 1)
