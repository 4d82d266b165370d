"""The body of Standard Webhooks 1.0.0: `{type, timestamp, data}`, below 20 kB, with a link for the rest.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import json
from datetime import UTC, datetime
from typing import Any

from alerts.changes import Event, Row
from store.records import Severity

BODY_AT_MOST = 20_000
"""Bytes; the specification's advice."""

_LISTS = ("detectors", "techniques", "session_ids", "agents", "servers", "tools", "call_ids", "finding_ids")
_MOMENTS = ("opened_at", "updated_at", "closed_at", "first_called_at", "last_called_at")
_PLAIN = ("alert_id", "version", "group_key", "title", "risk", "state", "verdict", "assignee")
_SIZES = ((100, 1000), (20, 200), (5, 100), (1, 50))
"""Entries per list and characters per text to try in turn; the last fits whatever the alert holds."""


def body(event: Event, alert: Row, pages: str | None = None) -> str:
    """The exact text to sign and send, ASCII. `shortened` names the fields that did not fit.

    pages: address of the pages, for a link to the alert.
    """
    for entries, characters in _SIZES:
        data, shortened = _data(alert, pages, entries, characters)
        room = BODY_AT_MOST - len(_text(event, alert, data | {"shortened": sorted({*shortened, "explanation"})}))
        if room >= 0:
            break
    explanation = _cut(alert["explanation"] or "", room)
    if explanation != (alert["explanation"] or ""):
        shortened = sorted({*shortened, "explanation"})
    return _text(event, alert, data | {"explanation": explanation, "shortened": shortened})


def _data(alert: Row, pages: str | None, entries: int, characters: int) -> tuple[dict[str, Any], list[str]]:
    plain = {name: alert[name] for name in _PLAIN}
    texts = {name: value[:characters] if isinstance(value, str) else value for name, value in plain.items()}
    lists = {name: [x[:characters] for x in (alert[name] or [])[:entries]] for name in _LISTS}
    shortened = [n for n in _PLAIN if texts[n] != plain[n]] + [n for n in _LISTS if lists[n] != (alert[n] or [])]
    data = texts | lists | {name: _moment(alert[name]) for name in _MOMENTS}
    data |= {"severity": Severity(alert["severity"]).name.lower(), "explanation": ""}
    if pages:
        data["url"] = f"{pages.rstrip('/')}/alerts/{alert['alert_id']}"
    return data, shortened


def _cut(text: str, room: int) -> str:
    """As much of the text as `room` bytes of JSON hold, with an ellipsis where it was cut."""
    if len(json.dumps(text)) - 2 <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if len(json.dumps(text[:middle] + "\u2026")) - 2 <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low] + "\u2026"


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _text(event: Event, alert: Row, data: dict[str, Any]) -> str:
    return json.dumps({"type": str(event), "timestamp": _moment(alert["updated_at"]), "data": data}, separators=(",", ":"))
