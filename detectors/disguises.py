"""What a run of letters and digits says once hex, base32, base64, percent signs or gzip are taken off."""

import base64
import binascii
import zlib
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

LONGEST = 16_384
"""Characters of a run that are decoded."""
SHORTEST = 12
"""Characters of a reading: anything can be read into less."""
_UNPACKED = 65_536
_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31


def readings(run: str) -> Iterator[tuple[str, str]]:
    """The encodings that make readable text of the run, and the text."""
    for name, decode in _DECODERS.items():
        try:
            raw = decode(run[:LONGEST])
            if raw.startswith(_GZIP):
                raw, name = zlib.decompressobj(_GZIP_WINDOW).decompress(raw, _UNPACKED), f"gzip and {name}"
        except (ValueError, binascii.Error, zlib.error):
            continue
        text = raw.decode("utf-8", "ignore")
        shown = all(c.isprintable() or c.isspace() for c in text)
        if shown and len(text) >= SHORTEST and len(text.encode()) * 10 >= len(raw) * 9 and any(c.isalpha() for c in text):
            yield name, text


def _hex(run: str) -> bytes:
    return bytes.fromhex(run[: len(run) & ~1])


def _base32(run: str) -> bytes:
    body = run.upper().rstrip("=")
    body = body[: len(body) - {1: 1, 3: 1, 6: 1}.get(len(body) % 8, 0)]
    return base64.b32decode(body + "=" * (-len(body) % 8))


def _base64(run: str) -> bytes:
    body = run.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    body = body[: len(body) - (len(body) % 4 == 1)]
    return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)


def _percent(run: str) -> bytes:
    if "%" not in run:
        raise ValueError
    raw = unquote_to_bytes(run)
    if not raw.isascii():
        raise ValueError  # what other scripts look like in every address
    return raw


_DECODERS: dict[str, Callable[[str], bytes]] = {"hex": _hex, "base32": _base32, "base64": _base64, "percent encoding": _percent}
