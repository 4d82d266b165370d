"""Links and images of Markdown and HTML, as a client that shows a text would fetch or offer them."""

from collections.abc import Iterator

import re2

LINKS = 50
"""Of one text."""
MAY_HOLD_LINKS = r"(?i)\]\(\s*<?https?://|\]:\s*<?https?://|<img\b"
"""A cheap pattern that every text with a link matches."""
_URL = r"(https?://[^\s<>\"')\]]{8,})"
_LINK = re2.compile(
    rf"(?im)(!)?\[[^\]\n]{{0,200}}\]\(\s*<?{_URL}|^[ \t]{{0,3}}\[[^\]\n]{{1,100}}\]:\s*<?{_URL}|<img\b[^>]{{0,400}}?\bsrc\s*=\s*[\"']?{_URL}"
)


def links(text: str) -> Iterator[tuple[str, str]]:
    """Each link's kind (image or link; what a reference points to is a link) and its address. Escapes of JSON are undone."""
    clean = text.encode("utf-8", "replace").decode().replace('\\"', '"').replace("\\n", "\n")
    for n, match in enumerate(_LINK.finditer(clean)):
        if n >= LINKS:
            return
        mark, plain, reference, image = match.groups()
        yield ("image" if mark or image else "link"), plain or reference or image
