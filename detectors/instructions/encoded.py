"""Text that base64, hex or percent signs carry: decoded, so that it can be read like any other."""

import base64
import binascii
from collections.abc import Iterator
from urllib.parse import unquote

import re2

_SHORTEST, _LONGEST, _PIECES = 24, 8_000, 20
"""Of an encoded run in characters: shorter ones are names and hashes; and how many are decoded of one text."""
_RUNS = re2.compile(
    rf"(?P<hex>\b(?:[0-9a-fA-F]{{2}}){{{_SHORTEST // 2},}}\b)|(?P<percent>(?:%[0-9a-fA-F]{{2}}[\w.-]{{0,3}}){{{_SHORTEST // 3},}})"
    rf"|(?P<base64>[A-Za-z0-9+/_-]{{{_SHORTEST},}}={{0,2}})")
_SPACES_AT_LEAST = 2
"""Language has blanks; keys and images have none when decoded."""


def encoded_in(text: str, blanks: int = _SPACES_AT_LEAST) -> Iterator[tuple[str, str]]:
    """What is readable among the encoded runs of a text, with so many blanks at least: the encoding's name and the text."""
    clean = " ".join(word for word in text.split() if len(word) >= _SHORTEST).encode("utf-8", "replace").decode("utf-8")  # runs hold no blanks
    for n, match in enumerate(_RUNS.finditer(clean)):
        if n >= _PIECES:
            return
        run, name = match.group()[:_LONGEST], str(match.lastgroup)
        plain = _decoded(name, run)
        if plain and plain.count(" ") >= blanks:
            yield name, plain


def with_decoded(text: str) -> str:
    """The text with what is readable among its encoded runs written out behind it, as a sentence of its own."""
    return "\n".join((text, *(f"{plain}\n" for _, plain in encoded_in(text))))


def _decoded(name: str, run: str) -> str:
    try:
        if name == "percent":
            raw = unquote(run).encode()
        elif name == "hex":
            raw = bytes.fromhex(run)
        else:
            body = run.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
            raw = base64.b64decode(body[: len(body) - (len(body) % 4 == 1)] + "=" * (-len(body) % 4 % 3))
    except (ValueError, binascii.Error):
        return ""
    text = raw.decode("utf-8", "ignore")
    return text if text and sum(c.isprintable() or c.isspace() for c in text) == len(text) and len(text) * 10 >= len(raw) * 9 else ""
