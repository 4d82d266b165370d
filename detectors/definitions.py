"""What in a tool's definition would steer the agent that reads it, beyond saying what the tool does."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import re2

from detectors.definition_texts import texts
from detectors.instructions import read
from detectors.instructions.abroad import phrases_abroad
from detectors.instructions.demands import SECRET_KINDS
from detectors.instructions.encoded import encoded_in
from detectors.instructions.foreign import in_english
from detectors.instructions.hidden import decoded, hidden_in, joined, turned_around
from detectors.instructions.orders import wrapper_in
from detectors.instructions.steering import PRECEDENCE, phrases
from detectors.names import fold, words_of
from detectors.own_matter import share_of

LONGEST = 20_000
"""Characters of a definition that are looked at; the longest honest ones known have a third of that."""

_SNOOPING_NAMES = (
    ("asks for what it does not need", re2.compile(
        r"(?i)^(?:llm|ai|language)_?(?:model_?)?(?:name|id|identity)$|^(?:system|developer)_?prompt$|^(?:side_?note|chain_?of_?thought|reasoning_?trace|tool_?list|available_?tools)$"), 0.5),
    ("asks for the conversation", re2.compile(r"(?i)^(?:conversation|chat)_?(?:history|context|log)?$|^(?:full_?context|previous_?(?:messages|context))$"), 0.5),
    ("has other tools' results passed along", re2.compile(r"(?i)^(?:previous|prior|last|other)_?(?:tool|call)s?_?(?:results?|outputs?|responses?)$"), 0.4),
    ("asks who calls it", re2.compile(r"(?i)^(?:model|agent)_?(?:name|id|identity)$"), 0.2),
)
"""Names of parameters that few tools have a use for: kind and weight."""
_CONTENT_WORDS, _SECRET_WORDS = frozenset(("content", "contents", "dump", "reading", "text")), frozenset(
    ("env", "dotenv", "ssh", "rsa", "aws", "credentials", "secrets", "passwords", "kubeconfig", "passwd"))
_SENTENCE = 6
"""Words of a name from which on it is read as a sentence."""
_COMPARED = re2.compile(r"(?i)\b(?:over|instead of|rather than|unlike|than|similar to|like|not|vs\.?)\W+(?:the\W+)?$")
_RUN_DOWN = re2.compile(r"(?i)^[^.;\n]{0,40}\b(?:is|are|was|has been) (?:\w+ )?(?:deprecated|broken|unsafe|insecure|disabled|retired|compromised|outdated|unreliable)\b")
_APART = {ord(c): " " for c in "`'\"().,:;<>[]{}/*"}
FIRM = 0.7
"""Strength from which on a sentence is an order."""
STRONG = 0.5
"""Weight from which on a phrase is hardly ever honest."""
_CHANGING = re2.compile(r"(?i)\b[0-9a-f]{8}-[0-9a-f-]{27}\b|(?:[A-Za-z]:)?[/\\][^\s\"',;)]+|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
                        r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b|\w*\d[\w.:+-]*")
_ADDRESS = re2.compile(r"(?i)\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b|\bhttps?://[^\s\"'<>)\\]+|\+\d{9,15}\b|(?-i:\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b)")
_TOWARDS = re2.compile(r"(?i)\b(?:send|sent|forward|bcc|(?-i:cc)|copy|upload|post|route|routed|deliver|transmit|goes|go|pay|transfer)\w*\b[^.;\n]{0,50}"
                       r"\b(?:to|through|via|at)\s+(?:the\s+\w+\s+|account\s+)?$")
_DATA_TO = re2.compile(
    r"(?i)(?:^|[^\w])(?P<led>(?:to|will|can|may|could|would|which|that|and)\s+)?(?:send|forward|post|upload|mail|e-?mail|submit|transmit|deliver|push|report|bcc|(?-i:cc)|copy)\b"
    r"(?:[^.;\n]|\.\S){0,50}\b(?:results?|cop(?:y|ies)|lists?|answers?|outputs?|data|contents?|conversation|chat|history|everything|messages?|it|them|files?|inputs?)\b"
    r"(?:[^.;\n]|\.\S){0,40}\b(?:to|at|with)\s+(?:the\s+\w+\s+)?$"
    r"|\b(?:bccs|copies|forwards|sends|mails)\b[^.;\n]{0,12}\b(?:a|all|every|each)\b[^.;\n]{0,12}\b(?:copy|copies|mails?|messages?|outgoing|results?|answers?)\b[^.;\n]{0,16}\bto\s+$"
    r"|\bcopy\b[^.;\n]{0,30}\b(?:was|is|has been|must be|should be)\s+(?:sent|uploaded|posted|mailed|forwarded)\s+to\s+$")
_PASSING_ON = re2.compile(r"(?i)\b(?:send|forward|post|upload(?:ed)?|bcc|(?-i:cc)|copy|transmit|report|exfiltrate|redirect|deliver|routed?|email|mail|pay|transfer|goes"
                         r"|(?:post|forward|mail|stor|deliver)ed|sent|store|get request|watchers?|recipients?|assignee|reply-to)\b")
_OBLIGED = re2.compile(r"(?i)\b(?:must|should|has to|have to|needs?|always|every|each|all|set)\b[^;\n]{0,100}$")
_FILLED_IN = re2.compile(r"[?&][^=\s]{0,40}=$")
"""An address that ends where somebody is to put in what is known."""
_DISCLOSED = re2.compile(r"(?i)\b(?:is|are|gets?)\s+(?:\w+ )?(?:sent|posted|uploaded|forwarded|stored|reported|submitted|routed|delivered)\s+(?:to|at|via|through)\s+(?:the\s+\w+\s+)?$")
"""What honest servers say of what they do themselves."""
_FOR_PEOPLE = re2.compile(r"(?i)\b(?:support|help|info|contact|feedback|hello|sales|security|bugs?|issues|privacy)(?:@|[\w.-]*\.\w+/|\b[^.;\n]{0,30}$)")
_FORMATTING = re2.compile(r"(?i)</?(?:important|information|instructions?)>")
_ARGUMENT = re2.compile(r"(?m)^[ \t]*[-*]?[ \t]*`?(?:system|assistant)`?[ \t]*(?:\([^)\n]*\))?[ \t]*:[ \t]+(?:(?i:optional|an?|str|string|array|whether|name|prompt)\b|\S{1,12}$)")
"""A line that describes an argument of that name."""
_FED = re2.compile(r"(?i)\b(?:call|use|run|invoke)\b"), re2.compile(r"(?i)\b(?:pass|give|put|include|add|hand|supply|send|append|attach|with (?:the|its|all))\b")

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
    for place, text in texts(tool, description, schema):
        found += (_eased(reason, tool) for reason in _reasons(place, text[:LONGEST]))
        found += _foreign(tool, plainly(text[:LONGEST]), foreign_tools, place)
    best: dict[str, Reason] = {}
    for reason in sorted(found, key=lambda r: (-r.weight, r.kind)):
        best.setdefault(_family(reason.kind), reason)
    return list(best.values())


def addresses(description: str | None, schema: str | None) -> dict[str, str]:
    """The addresses that a definition names other than as an example, each with its place."""
    found: dict[str, str] = {}
    for place, text in texts("", description, schema):
        plain = plainly(text[:LONGEST])
        for match in _ADDRESS.finditer(plain):
            if not _is_example(plain, match.start()):
                found.setdefault(match.group().lower().rstrip("/.,"), place)
    return found


def changing_parts_removed(text: str | None) -> str:
    """A text without what differs from day to day and machine to machine: numbers, dates, paths, identifiers."""
    return str(_CHANGING.sub("#", (text or "").encode("utf-8", "replace").decode("utf-8")))


def plainly(text: str) -> str:
    """A text as its reader takes it: what is hidden decoded, look-alike letters folded, spaced letters joined, fit for RE2."""
    return joined(fold(decoded(text).encode("utf-8", "replace").decode("utf-8")))


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
    for encoding, piece in encoded_in(text, blanks=1):
        if words := wrapper_in(piece) or next((words for _, words, weight in phrases(piece) if weight >= STRONG), None):
            yield Reason(f"holds an order in {encoding}", words, 0.85, place)
    if turned := turned_around(text):
        yield Reason("turns the direction of its text", turned, 0.85 if any(True for _ in phrases(turned[::-1])) else 0.5, place)
    plain = plainly(text)
    if " " not in plain.strip() and not place.startswith("description"):
        yield from _named(place, plain.strip())
        plain = " ".join(words_of(plain)) if len(words_of(plain)) >= _SENTENCE else "" if place.startswith("parameter name") else plain
    if (wrapper := wrapper_in(_ARGUMENT.sub(" ", _FORMATTING.sub(" ", plain)))) is not None:
        yield Reason("speaks to the model as system or user", wrapper, 0.7, place)
    elif match := _FORMATTING.search(plain):
        yield Reason("speaks to the model as system or user", match.group(), 0.35, place)
    for told in {plain, in_english(plain)}:
        for kind, words, weight in phrases(told):
            yield Reason(kind, words, weight, place)
        yield from _sending(place, told)
    for kind, words, weight in phrases_abroad(decoded(text).encode("utf-8", "replace").decode("utf-8")):
        yield Reason(kind, words, weight, place)


def _named(place: str, name: str) -> Iterator[Reason]:
    """What a name, or a value without blanks, asks for."""
    words = frozenset(words_of(name))
    if place.startswith("parameter name"):
        yield from (Reason(kind, name, weight, place) for kind, pattern, weight in _SNOOPING_NAMES if pattern.search(name))
        if words & _CONTENT_WORDS and words & _SECRET_WORDS:
            yield Reason("points to secrets", name, 0.5, place)
        if len(words) >= _SENTENCE and words & {"http", "https", "url"}:
            yield Reason("holds an address among its names", name, 0.5, place)
    elif place.startswith(("enum", "const")) and name.find("://") > len("https"):
        yield Reason("holds an address among its names", name, 0.45, place)


def _sending(place: str, plain: str) -> Iterator[Reason]:
    """The first address that something is passed on to."""
    ordered = any(s.side and s.strength >= FIRM for s in read(plain).sentences)
    for match in _ADDRESS.finditer(plain):
        around = plain[max(0, match.start() - 120) : match.end() + 40]
        if _PASSING_ON.search(around) and not _is_example(plain, match.start()):
            before = plain[max(0, match.start() - 120) : match.start()]
            data = _DATA_TO.search(before)
            meant = data is not None and not data.group("led")
            aimed = data or _TOWARDS.search(before[-60:]) or _OBLIGED.search(before.rpartition(". ")[2]) or _FILLED_IN.search(match.group())
            weight = 0.6 if meant else 0.2 if _DISCLOSED.search(before) else 0.6 if ordered else 0.45 if aimed else 0.3
            yield Reason("sends to an address of its own", match.group(), 0.15 if _FOR_PEOPLE.search(before[-40:] + ("" if "://" in match.group() else match.group())) else weight, place)
            break


def _eased(reason: Reason, tool: str) -> Reason:
    share = share_of(reason.kind, tool, reason.place)
    return reason if share == 1 else replace(reason, weight=round(reason.weight * share, 3))


def _family(kind: str) -> str:
    """Kinds that say one thing in several ways count once."""
    return "comes first" if kind in PRECEDENCE else "secrets" if kind in SECRET_KINDS else kind


def _foreign(tool: str, text: str, foreign_tools: Container[str], place: str) -> Iterator[Reason]:
    """Another server's tool that is spoken of: heavy where something is to be done with it, light where it is only compared."""
    for name in sorted({word for word in text.translate(_APART).split() if "_" in word and word != tool and word in foreign_tools})[:1]:
        start = text.find(name)
        if _RUN_DOWN.search(text[start : start + 80]):
            yield Reason("runs down another server's tool", name, 0.6, place)
        elif _COMPARED.search(text[max(0, start - 60) : start]):
            yield Reason("compares itself to another server's tool", name, 0.2, place)
        else:
            fed = all(verbs.search(text[max(0, start - 120) : start + 160]) for verbs in _FED)
            yield Reason("speaks of another server's tool", name, 0.6 if fed else 0.5, place)


_AT_HOME = tuple(f"{scheme}://{host}" for scheme in ("http", "https") for host in ("localhost", "127.0.0.1", "[::1]", "example.com"))


def _is_example(text: str, start: int) -> bool:
    """Honest definitions show addresses as examples of what to pass."""
    before = text[max(0, start - 40) : start].lower()
    if text[start : start + 32].lower().startswith(_AT_HOME):
        return True
    return before.endswith(("='", '="', "('", '("')) or any(
        word in before for word in ("e.g", "example", "such as", "for instance", "like ", "format", "docs", "see ", "supports ", "found at", "documentation", "learn more"))
