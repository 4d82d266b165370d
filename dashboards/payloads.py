"""Arguments, results and definitions made readable: JSON laid out, parts that prove a finding found in it, two versions compared."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

LAID_OUT_CHARACTERS = 50_000
"""Longer texts are shown as they are."""

SHORTEST_PART = 4
SHORTEST_WORD = 12
"""Shorter values, and shorter plain words, stand everywhere and would mark half the page."""

SHORTEST_LINE = 12
LINES_COMPARED = 400
MASK = "[secret:"
"""How `ingest.redact` begins what stands for a secret; equal secrets have equal masks."""

NAMES_IN_EVIDENCE = frozenset({"tool", "tools", "server", "servers", "agent", "agents", "session_id", "principal", "detector", "features"})
"""Evidence that names something instead of quoting a payload."""

COMPARED_PIECES = 1_500
"""Comparing takes the square of this at worst; what is longer is shown whole, before and after."""


def formatted(text: str | None) -> str:
    """A payload laid out for reading: JSON objects and lists indented, everything else as it is."""
    if not text or len(text) > LAID_OUT_CHARACTERS or text.lstrip()[:1] not in ("{", "["):
        return text or ""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def facts(text: str | None) -> list[tuple[str, str]] | None:
    """A JSON object as names and readable values (text with its own line breaks); None for anything else."""
    if not text or len(text) > LAID_OUT_CHARACTERS:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    return [(str(k), v if isinstance(v, str) else json.dumps(v, indent=2, ensure_ascii=False)) for k, v in value.items()]


def quoted_parts(findings: Iterable[Mapping[str, Any]]) -> list[str]:
    """The texts that the evidence of findings quotes: what to mark in the payloads of their calls."""
    parts: set[str] = set()
    for finding in findings:
        evidence = finding.get("evidence")
        if isinstance(evidence, str):
            try:
                evidence = json.loads(evidence)
            except ValueError:
                continue
        parts.update(part for leaf in _leaves(evidence) for part in _as_written(leaf) if _telling(part))
    return sorted(parts, key=len, reverse=True)


def _telling(part: str) -> bool:
    return len(part) >= SHORTEST_WORD or (len(part) >= SHORTEST_PART and not part.isalpha())


def carried_parts(calls: Sequence[Mapping[str, Any]]) -> list[str]:
    """What stands in a result of one of these calls and in the arguments of a later one: lines, and masked secrets."""
    found: set[str] = set()
    for number, later in enumerate(calls):
        sent = [text for _, value in facts(later["said"]) or [] for text in _lines(value)][:LINES_COMPARED]
        for earlier in calls[:number]:
            result = earlier["result"] or ""
            found.update(text for text in sent if text in result)
    return sorted(found, key=len, reverse=True)


def _lines(value: str) -> Iterator[str]:
    for line in value.splitlines():
        text = line.strip(' \t",')
        if len(text) >= SHORTEST_LINE:
            yield text
        at = line.find(MASK)
        while at >= 0:
            end = line.find("]", at)
            if end < 0:
                break
            yield line[at : end + 1]
            at = line.find(MASK, end)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inside in value.items():
            if name not in NAMES_IN_EVIDENCE:
                yield from _leaves(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _leaves(inside)


def _as_written(leaf: str) -> Iterator[str]:
    """A quotation as it may stand in a payload: `detectors.contract.quoted` adds marks and an ellipsis; JSON adds escapes."""
    text = leaf.strip().removeprefix("\u201c").removesuffix("\u201d").removesuffix("\u2026").strip()
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]


def parts_in(text: str, parts: Iterable[str]) -> list[str]:
    """Those parts that stand in a text, as they are written there: white space may differ, for quotations are on one line."""
    found = [part for part in parts if part in text]
    missing = [part for part in parts if part not in text and " " in part]
    if missing:
        squeezed, places = _squeezed(text)
        for part in missing:
            at = squeezed.find(part)
            if at >= 0:
                found.append(text[places[at] : places[at + len(part) - 1] + 1])
    return found


def _squeezed(text: str) -> tuple[str, list[int]]:
    """The text with each run of white space as one space, and where each of its characters stood."""
    characters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if character.isspace():
            if characters and characters[-1] == " ":
                continue
            character = " "
        characters.append(character)
        places.append(place)
    return "".join(characters), places


def difference(before: str | None, after: str | None) -> list[tuple[str, str]]:
    """What changed from one text to the next, as pieces: (" ", "-" or "+", text). JSON is compared by lines, prose by words."""
    old, new = _pieces(before or ""), _pieces(after or "")
    if max(len(old), len(new)) > COMPARED_PIECES:
        return [("-", "".join(old)), ("+", "".join(new))]
    compared: list[tuple[str, str]] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            compared.append((" ", "".join(old[a:b])))
            continue
        compared += [(sign, "".join(piece)) for sign, piece in (("-", old[a:b]), ("+", new[c:d])) if piece]
    return compared


def _pieces(text: str) -> list[str]:
    laid_out = formatted(text)
    if laid_out != text:
        return laid_out.splitlines(keepends=True)
    return ["".join(run) for _, run in groupby(text, key=str.isspace)]
