"""Foreign text made safe and honest to look at: escaped, and every character that hides or reorders text shown as a marker.

Attackers write tool descriptions, arguments and results. Unicode tags (U+E0000), zero-width and bidirectional controls, variation
selectors and terminal escapes can carry instructions that a model reads and an analyst does not see (Trojan Source,
CVE-2021-42574; ASCII smuggling by tags). Here they are seen.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

from markupsafe import Markup, escape

_HIDING = frozenset(
    [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]
)
"""Characters that print as nothing although Unicode does not class them as control or format: fillers, joiners, variation selectors."""

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_TAGS = range(0xE0000, 0xE0080)
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_EMOJI_FROM = 0x2190
"""A variation selector or joiner after an arrow, symbol or emoji is ordinary writing."""

_ABBREVIATED = {
    0x200B: "ZWSP", 0x200C: "ZWNJ", 0x200D: "ZWJ", 0x2060: "WJ", 0xFEFF: "BOM", 0x00AD: "SHY", 0x200E: "LRM", 0x200F: "RLM", 0x202A: "LRE",
    0x202B: "RLE", 0x202C: "PDF", 0x202D: "LRO", 0x202E: "RLO", 0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI", 0x061C: "ALM",
    0x2028: "LSEP", 0x2029: "PSEP",
}

_CONTROLS = (
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR", "SO", "SI", "DLE", "DC1", "DC2", "DC3", "DC4",
    "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US",
)


def hides(character: str, before: str = "") -> bool:
    """Whether a character is not seen, or changes how others are seen; line breaks and tabs are neither."""
    if character in "\n\t" or " " <= character <= "~":
        return False
    code = ord(character)
    if code in (0xFE0E, 0xFE0F, 0x200D) and before and ord(before) >= _EMOJI_FROM and not hides(before):
        return False
    return code in _HIDING or unicodedata.category(character) in _HIDDEN_CATEGORIES


def plain(text: object) -> str:
    """Text for attributes, page titles and figures: hidden characters as `⟨U+202E⟩`, nothing escaped."""
    return "".join(f"⟨{_carried(run) or _codes(run)}⟩" if hidden else run for hidden, run in _runs(str(text)))


def visible(text: object) -> Markup:
    """Text for a page: escaped, hidden characters as marked-up signs that name them."""
    return Markup("").join(_marker(run) if hidden else escape(run) for hidden, run in _runs(str(text)))


def hidden_count(text: object) -> int:
    """How many characters of a text are not seen."""
    return sum(len(run) for hidden, run in _runs(str(text)) if hidden)


def short(text: object, limit: int = 80) -> str:
    """One line of at most `limit` characters."""
    line = " ".join(str(text)[: limit * 4].split())
    return f"{line[:limit]}…" if len(line) > limit else line


def marked(text: str, parts: Sequence[str]) -> Markup:
    """Text for a page with every occurrence of the given parts marked; overlapping ones become one."""
    shown, at = Markup(""), 0
    for start, end in _spans(text, parts):
        shown += visible(text[at:start]) + Markup("<mark>{}</mark>").format(visible(text[start:end]))
        at = end
    return shown + visible(text[at:])


def _spans(text: str, parts: Sequence[str]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for part in parts:
        at = text.find(part) if part else -1
        while at >= 0:
            found.append((at, at + len(part)))
            at = text.find(part, at + len(part))
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _runs(text: str) -> Iterator[tuple[bool, str]]:
    """The text in runs that are seen (False) and hidden (True)."""
    if text.isascii() and text.isprintable():
        yield False, text
        return
    flags = [hides(c, text[i - 1] if i else "") for i, c in enumerate(text)]
    for hidden, group in groupby(zip(flags, text, strict=True), key=lambda pair: pair[0]):
        run = "".join(c for _, c in group)
        if hidden:  # tags and selectors carry text of their own and are told apart from what stands next to them
            for _, kind in groupby(run, key=_kind):
                yield True, "".join(kind)
        else:
            yield False, run


def _kind(character: str) -> str:
    code = ord(character)
    return "tag" if code in _TAGS else "selector" if any(code in r for r in _SELECTORS) else "other"


def _carried(run: str) -> str:
    """What a run of Unicode tags or variation selectors says, as a sign; "" for other characters."""
    kind = _kind(run[0])
    if kind == "tag":
        said = "".join(chr(ord(c) - 0xE0000) for c in run if 0xE0020 <= ord(c) <= 0xE007E)
        return f"tags: {said}" if said else f"{len(run)} tag characters"
    if kind == "selector" and len(run) > 1:  # selectors 1..16 and 17..256 stand for the bytes 0..255
        data = bytes(ord(c) - 0xFE00 if ord(c) < 0xE0000 else min(ord(c) - 0xE0100 + 16, 255) for c in run)
        said = "".join(chr(b) if 32 <= b < 127 else "·" for b in data)
        return f"selectors: {said}"
    return ""


def _code(character: str) -> str:
    code = ord(character)
    return _CONTROLS[code] if code < len(_CONTROLS) else _ABBREVIATED.get(code, f"U+{code:04X}")


def _codes(run: str) -> str:
    return " ".join(f"U+{ord(c):04X}" for c in run[:8]) + (f" and {len(run) - 8} more" if len(run) > 8 else "")


def _marker(run: str) -> Markup:
    carried = _carried(run)
    if carried:
        return Markup('<span class="hid" title="{} characters that are not seen">{}</span>').format(len(run), carried)
    signs = Markup("").join(
        Markup('<span class="hid" title="U+{}">{}</span>').format(
            f"{ord(c):04X} {unicodedata.name(c, 'control character').lower()}", _code(c)
        )
        for c in run[:200]
    )
    return signs + (escape(f" … and {len(run) - 200} more") if len(run) > 200 else "")
