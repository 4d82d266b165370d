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
