"""The body: complete when small, below 20 kB whatever the alert holds."""

import json
from typing import Any

import pytest

from alerts.changes import Event
from alerts.formats.standard_webhook import BODY_AT_MOST, body
from tests.alerts.samples import created, finding, opened


def test_a_small_alert_is_told_whole() -> None:
    alert = created(opened(), finding())
    told = json.loads(body(Event.CREATED, alert, "https://toolhound.example.com/"))
    assert told["type"] == "alert.created" and told["timestamp"] == "2026-11-20T12:00:00Z"
    assert told["data"]["url"] == f"https://toolhound.example.com/alerts/{alert['alert_id']}"
    assert told["data"]["severity"] == "high" and told["data"]["shortened"] == []
    assert told["data"]["explanation"] == "Sentence of f1." and told["data"]["first_called_at"] == "2026-11-20T12:00:00Z"
    assert told["data"]["closed_at"] is None
    assert "url" not in json.loads(body(Event.CREATED, alert))["data"]


@pytest.mark.parametrize("large", [
    {"explanation": "x" * 50_000},
    {"explanation": "\U0001f511" * 50_000},
    {"call_ids": [f"call-{n:06}" for n in range(5000)]},
    {name: ["\U0001f511" * 5000] * 300 for name in ("agents", "servers", "tools", "call_ids", "techniques", "detectors", "session_ids")},
    {"title": "\x00" * 50_000, "group_key": "\U0001f511" * 50_000, "assignee": "\x00" * 50_000, "explanation": "\x00" * 50_000},
])
def test_a_large_alert_is_shortened_and_says_so(large: dict[str, Any]) -> None:
    text = body(Event.UPDATED, created(opened(), finding()) | large, "https://toolhound.example.com")
    assert len(text.encode()) <= BODY_AT_MOST
    assert set(json.loads(text)["data"]["shortened"]) >= set(large)


def test_a_long_explanation_keeps_its_beginning() -> None:
    told = json.loads(body(Event.UPDATED, created(opened(), finding()) | {"explanation": "first\n" + "x" * 50_000}))
    explanation = told["data"]["explanation"]
    assert explanation.startswith("first\nxxx") and explanation.endswith("\u2026") and len(explanation) > 15_000
