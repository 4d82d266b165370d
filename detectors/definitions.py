"""What in a tool's definition would steer the agent that reads it, beyond saying what the tool does."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import re2

from detectors.instructions import read
from detectors.instructions.hidden import decoded, hidden_in
from detectors.instructions.orders import wrapper_in

LONGEST = 20_000
"""Characters of a definition that are looked at; the longest honest ones known have a third of that."""
DEEPEST = 12

_SECRET_PLACES = re2.compile(
    r"(?i)(?:~|/home/\S+|/root|/etc)?/?\.(?:ssh|aws|gnupg|kube|netrc|npmrc|pypirc|git-credentials|env\b|cursor/mcp\.json|config/gcloud)"
    r"|\bid_(?:rsa|ed25519|ecdsa)\b|/etc/(?:passwd|shadow)\b|\bmcp\.json\b|\bclaude_desktop_config\b"
    r"|\b(?:private|ssh|api|access)[ _-]?keys?\b.{0,60}\b(?:content|value|pass|send|include|provide)"
)
_SECRECY = re2.compile(
    r"(?i)\b(?:do not|don't|never|without)\s+(?:tell|inform|mention|notify|alert|reveal|show|telling|informing|mentioning|notifying)\w*\b"
    r".{0,60}\b(?:user|human|anyone|this|it)\b|\bthe user (?:must|should|does) not (?:know|see|be told|need to know)\b"
)
_PRECEDENCE = re2.compile(
    r"(?i)\b(?:before|after|whenever|every time|each time|prior to)\b.{0,60}\b(?:any|every|each|all|other|this|the)\b.{0,30}\btools?\b"
    r".{0,120}\b(?:must|always|first|need to|have to|call|use|read|send|pass)\b"
    r"|\b(?:must|always|should)\b.{0,30}\b(?:call|use|invoke|run)\b.{0,30}\bthis (?:tool|function|method)\b.{0,30}\b(?:first|before|instead|every)\b"
    r"|\b(?:called|used|invoked|run)\s+(?:anytime|every ?time|whenever|always|first)\b.{0,40}\b(?:user|any|anything|task|request)\b"
    r"|\binstead of\b.{0,60}\btools?\b"
)
_PRAISE = re2.compile(
    r"(?i)\b(?:the )?(?:best|most (?:accurate|reliable|trusted|powerful)|only (?:reliable|correct|safe))\s+(?:tool|function|choice|method)\b"
    r"|\b(?:always|strongly)\s+(?:prefer|choose|use)\s+this\b|\bprefer this (?:tool|function|over)\b|\bother tools? (?:are|is) (?:deprecated|unsafe|broken)\b"
)
_SNOOPING = re2.compile(
    r"(?i)\b(?:name|id|identity|version|provider)\b.{0,24}\b(?:llm|language model|ai model|model|agent)\b.{0,40}\b(?:calls?|calling|using|invok\w+|running)\b"
    r"|\b(?:system|developer)[ _-]?prompt\b|\b(?:full|entire|whole|complete|previous|raw)\b.{0,20}\b(?:conversation|chat|context|history|transcript|messages)\b"
    r"|\b(?:conversation|chat)[ _-](?:history|log|transcript)\b.{0,40}\b(?:so far|verbatim|include|pass|provide)\b"
    r"|\b(?:contents?|text) of\b.{0,40}\b(?:other|any|local|sensitive|config\w*) files?\b"
    r"|\blist of (?:all )?(?:available |other )?tools\b.{0,30}\b(?:agent|you|model)\b"
)
_SNOOPING_NAMES = re2.compile(
    r"(?i)^(?:llm|model|agent|ai)_?(?:model_?)?(?:name|id|identity)$|^(?:system|developer)_?prompt$|^(?:conversation|chat)_?(?:history|context|log)?$"
    r"|^(?:side_?note|full_?context|previous_?(?:messages|context)|chain_?of_?thought|reasoning_?trace|tool_?list|available_?tools)$"
)
_ADDRESS = re2.compile(r"(?i)\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b|\bhttps?://[^\s\"'<>)\\]+|\+\d{9,15}\b")
_PASSING_ON = re2.compile(r"(?i)\b(?:send|forward|post|upload|bcc|cc|copy|transmit|report|exfiltrate|redirect|deliver|email|mail)\b")


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing in a definition that steers: what kind, the words, how heavy (0..1), and where they stand."""

    kind: str
    text: str
    weight: float
    place: str


def steering(tool: str, description: str | None, schema: str | None, foreign_tools: Iterable[str] = ()) -> list[Reason]:
    """The reasons to distrust a definition, heaviest first; none for one that only says what the tool does.

    foreign_tools: names of other servers' tools; one that is spoken of here reaches beyond its own server.
    """
    found: list[Reason] = []
    for place, text in _texts(description, schema):
        found += _reasons(tool, place, text[:LONGEST], foreign_tools)
    best: dict[str, Reason] = {}
    for reason in found:
        if reason.kind not in best or reason.weight > best[reason.kind].weight:
            best[reason.kind] = reason
    return sorted(best.values(), key=lambda r: (-r.weight, r.kind))


def standing(reasons: Iterable[Reason]) -> float:
    """Several reasons as one score in 0..1: the chance that at least one of them is meant."""
    harmless = 1.0
    for reason in reasons:
        harmless *= 1 - reason.weight
    return 1 - harmless


def _reasons(tool: str, place: str, text: str, foreign_tools: Iterable[str]) -> Iterator[Reason]:
    for piece in hidden_in(text):
        if any(c.isalpha() for c in piece):
            yield Reason("holds hidden text", piece, 0.6 if piece.isascii() and len(piece) < 8 else 0.9, place)
    plain = decoded(text).encode("utf-8", "replace").decode("utf-8")
    if place.startswith("parameter name"):
        if _SNOOPING_NAMES.search(plain):
            yield Reason("asks for what it does not need", plain, 0.45, place)
        return
    if wrapper := wrapper_in(plain):
        yield Reason("speaks to the model as system or user", wrapper, 0.7, place)
    for kind, pattern, weight in (
        ("points to secrets", _SECRET_PLACES, 0.55), ("asks for secrecy", _SECRECY, 0.75), ("puts itself before other tools", _PRECEDENCE, 0.5),
        ("praises itself", _PRAISE, 0.45), ("asks for what it does not need", _SNOOPING, 0.45),
    ):
        if match := pattern.search(plain):
            yield Reason(kind, match.group(), weight, place)
    ordered = [s for s in read(plain).sentences if s.side and s.strength >= 0.7]
    for match in _ADDRESS.finditer(plain):
        around = plain[max(0, match.start() - 120) : match.end() + 40]
        if _PASSING_ON.search(around) and not _is_example(plain, match.start()):
            yield Reason("sends to an address of its own", match.group(), 0.6 if ordered else 0.3, place)
            break
    words = set(plain.replace("`", " ").replace("'", " ").replace('"', " ").replace("(", " ").replace(".", " ").replace(",", " ").split())
    named = sorted(name for name in foreign_tools if name != tool and "_" in name and name in words)
    if named:
        yield Reason("speaks of another server's tool", named[0], 0.5 if ordered else 0.35, place)


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
