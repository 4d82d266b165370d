"""JSON that stands at the beginning of a text, whatever comes after it."""

import json
from typing import Any

_DECODER = json.JSONDecoder()


def leading_json(text: str) -> Any:
    """The value; None where the text does not begin with JSON that can be read."""
    try:
        return _DECODER.raw_decode(text.lstrip())[0]
    except (ValueError, RecursionError):
        return None


def documents(whole: bytes) -> list[bytes] | None:
    """The objects of a text that is one array or object over several lines, or objects one after another; None where it is none of that."""
    try:
        text = whole.decode("utf-8-sig")
        found, place, end = [], 0, len(text)
        while (place := _after_blanks(text, place)) < end:
            one, place = _DECODER.raw_decode(text, place)
            found.append(one)
    except (ValueError, RecursionError):
        return None
    if len(found) == 1 and isinstance(found[0], list):
        found = found[0]
    elif not all(isinstance(one, dict) for one in found):
        return None
    return [json.dumps(one).encode() for one in found]


def _after_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place
