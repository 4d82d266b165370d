"""Chunks of a text: what stands between two blanks, read once and remembered.

A chunk yields weighted tokens: addresses, links, paths and identifiers (atoms) weigh most, words one, numbers less.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from detectors.instructions import words
from detectors.instructions.foreign import ENGLISH, NOUNS, PRONOUNS
from detectors.instructions.splitting import CHUNK_LIMIT
from detectors.names import fold

ATOM_WEIGHT, WORD_WEIGHT, NUMBER_WEIGHT, HOST_WEIGHT = 2.5, 1.0, 0.7, 1.0
_REMEMBERED_LENGTH = 40
_SHORTEST_ATOM = 4

_DOMAINS = "com|org|net|io|dev|ru|cn|info|co|ai|xyz|site|online|top|edu|gov|app|me|uk|de|eu|biz|tech|store|cloud|example|test|invalid"
_ENDINGS = "txt|docx?|xlsx?|pptx?|pdf|csv|py|js|sh|json|ya?ml|xml|log|md|html?|png|jpe?g|zip|key|pem|env"
_ATOM = re2.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?:https?://|www\.)[^\s'\"`,)>\]}\\]+"
    rf"|\b[\w-]+(?:\.[\w-]+)*\.(?:{_DOMAINS})\b(?:/[^\s'\"`,)>\]}}\\]*)?"
    r"|/(?:[\w.-]+/)+[\w.-]*"
    rf"|\b[\w-]+\.(?:{_ENDINGS})\b"
    r"|\b0x[0-9a-fA-F]+\b|#[a-z]\w+|\b\d{6,}\b|\b\w{8,}\b")
_OF_ATOMS = frozenset("@./#_")
_MANY_DIGITS, _LONG_WORD = 6, 8
_ASCII_DIGITS = frozenset("0123456789")
_ONLY_DIGITS = {n: None for n in range(0x80) if not chr(n).isdigit()}
_APART = {n: " " for n in range(0x80) if not chr(n).isdigit() and chr(n) not in ".,"}
_SPACES = {c: " " for c in (*range(0x250), *range(0x2000, 0x2070), *range(0x3000, 0x3040)) if not chr(c).isalpha() and chr(c) not in "'-"}
_OUTER = "'\"`()[]{}<>.,;:!?*_-~|=\u201c\u201d\u2018\u2019\u2026#"
_CLOSERS = "'\")]}*`\u201d\u2019>"
_MARKS = frozenset(("-", "*", "\u2022", "|", "\u2014", "\u2013", "="))
_INLINE_TAGS = frozenset(f"<{end}{tag}>" for end in ("", "/") for tag in ("b", "i", "u", "em", "strong", "span", "a", "code"))


@dataclass(slots=True, eq=False)  # not frozen: there are many, and that takes three times as long to make
class Chunk:
    """One chunk; `word` is empty where it is not a plain word."""

    raw: str
    word: str
    """In lower case; of a word of another language that orders are made of, the English one."""
    stem: str
    tokens: tuple[tuple[str, float], ...]
    atoms: tuple[str, ...]
    capital: bool
    action: bool
    side: bool
    ends: bool
    """A sentence may end behind it."""
    comma: bool
    opens: bool
    """A sentence or a line may start with it."""
    key: bool
    """The name of a field: `subject:`, `"subject":`."""
    mark: bool
    """A bullet, a rule, a cell border, a tag: always a cut."""
    numbered: bool
    foreign: bool
    """`word` is a translation."""


def chunk_of(raw: str) -> Chunk:
    """Read a chunk, or remember it."""
    return _remembered(raw) if len(raw) <= _REMEMBERED_LENGTH else _read(raw[:CHUNK_LIMIT])


def _read(raw: str) -> Chunk:
    shown, raw = raw, _read_as(raw)
    core = raw.strip(_OUTER).replace("\u2019", "'")
    word = core.lower() if core and core.replace("'", "").replace("-", "").isalpha() else ""
    tokens, atoms = _tokens(raw, core) if not core.isalpha() else ({}, ())
    if core.isalpha():
        _add_word(tokens, word)
    english = ENGLISH.get(word, "") or ENGLISH.get(word.partition("-")[0] if word.endswith(PRONOUNS) else "", "")
    if english:
        _add_word(tokens, english)
        word = english
    one = words.stem(word) if word else ""
    closed = raw.rstrip(_CLOSERS)
    first, last = raw[0], closed[-1] if closed else ""
    label = raw[:-1].strip("'\"")
    tag = first == "<" and raw[-1] == ">" and raw.lower() not in _INLINE_TAGS
    return Chunk(
        raw=shown, word=word, stem=one, tokens=tuple(tokens.items()), atoms=atoms,
        capital=bool(word) and core[0].isupper() and not (len(core) > 1 and core.isupper()),
        action=word in words.ACTION_WORDS and not (english and word in NOUNS),
        side=one in words.SIDE_VERBS,
        ends=bool(last) and last in ".!?" and word not in words.ABBREVIATIONS,
        comma=bool(last) and last in ",:;",
        opens=first.isupper() or first.isdigit() or first in "-*#\u2022>|<[\"'{($\u201c",
        key=raw[-1] == ":" and label.replace("_", "").isalnum() and (raw[0] in "'\"" or label.islower()),
        mark=raw in _MARKS or tag or raw.startswith(("---", "===")),
        numbered=len(raw) <= 3 and raw[-1] in ".)" and raw[:-1].isdigit(),
        foreign=bool(english),
    )


def _read_as(raw: str) -> str:
    """The chunk as an eye takes it: letters that only look Latin, and other forms of letters, become plain ones."""
    if raw.isascii():
        return raw
    plain = fold(raw)
    return plain if plain.isascii() and any(c.isalpha() for c in raw) else raw


_remembered = lru_cache(maxsize=65_536)(_read)


def _add_word(tokens: dict[str, float], word: str) -> None:
    bare = word.removesuffix("'s").strip("'-")
    if len(bare) > 1 and bare not in words.STOP:
        tokens.setdefault(words.stem(bare), WORD_WEIGHT)


def _tokens(raw: str, core: str) -> tuple[dict[str, float], tuple[str, ...]]:
    tokens: dict[str, float] = {}
    rest, atoms = raw, []
    digits = _digits_of(core)
    for match in _matches(raw) if _may_hold_atom(raw, core, len(digits)) else ():
        found = match.group()
        atom = _atom(found, raw[match.start() - 1] if match.start() else " ")
        if atom is None:
            continue
        rest = rest.replace(found, " ", 1)
        atoms.append(atom)
        tokens[atom] = ATOM_WEIGHT
        host, slash, _ = atom.partition("/")
        if slash and host and "." in host:
            tokens.setdefault(host, HOST_WEIGHT)
    for part in rest.lower().replace("\u2019", "'").translate(_SPACES).split():
        _add_word(tokens, part)
    if digits:
        for part in _numbers_in(rest):
            number = _number(part)
            if len(number) > 1:
                tokens.setdefault(number, NUMBER_WEIGHT)
    return tokens, tuple(atoms)


def _matches(raw: str) -> Iterator[Any]:
    """What may be atoms; not searched any further where none has room."""
    clean = raw if raw.isascii() else raw.encode("utf-8", "replace").decode("utf-8")
    for match in _ATOM.finditer(clean):
        yield match
        if len(clean) - match.end() < _SHORTEST_ATOM:
            return


def _digits_of(core: str) -> str:
    if core.isascii():
        return "" if _ASCII_DIGITS.isdisjoint(core) else core.translate(_ONLY_DIGITS)
    return "".join(c for c in core if c.isdigit())


def _may_hold_atom(raw: str, core: str, digits: int) -> bool:
    """Whether it is worth searching: an atom holds a mark of its own, six digits or more, or a digit among eight letters."""
    if not _OF_ATOMS.isdisjoint(raw):
        return True
    if not digits:
        return False
    return digits >= _MANY_DIGITS or "0x" in raw or any(len(part) >= _LONG_WORD and _digits_of(part) for part in core.split("-"))


def _numbers_in(rest: str) -> list[str]:
    if rest.isascii():
        return rest.translate(_APART).split()
    return "".join(c if c.isdigit() or c in ".," else " " for c in rest).split()


def _number(text: str) -> str:
    whole, _, cents = text.strip(".,").replace(",", "").partition(".")
    return f"{whole}.{cents}" if cents.strip("0") else whole


def _atom(found: str, before: str) -> str | None:
    """The atom in its plain form, or None where the match is no atom after all."""
    if found[0] == "/" and (before.isalnum() or before in "_/"):
        return None
    if found.replace("_", "").isalnum() and not any(c.isdigit() for c in found):
        return None
    plain = found.lower().strip(".,;:!?'\"()")
    for prefix in ("https://", "http://", "www."):
        plain = plain.removeprefix(prefix)
    plain = plain.rstrip("/")
    return plain if len(plain) >= _SHORTEST_ATOM else None
