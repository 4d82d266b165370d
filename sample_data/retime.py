"""Simulated time for real spans: each session's spans get moments in the two weeks, ids and parentage untouched.

The SDKs ran in milliseconds what takes people and models minutes. So each tree of spans is laid out anew: children keep
their order and lie inside their parent; model requests, tool calls and pauses get seeded durations. Times are whole
microseconds.
"""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from opentelemetry.proto.trace.v1.trace_pb2 import Span

_MS = 1_000_000
_S = 1_000_000_000
_MODEL_MEDIAN_S = 2.1
_MODEL_SPREAD = 0.45
_SERVER_SPREAD = 0.5
_BETWEEN_TURNS_S = (20.0, 150.0)


@dataclass(frozen=True, slots=True)
class Placed:
    """A span and the attributes of it that matter here."""

    span: Span
    attributes: dict[str, str]


def attributes(span: Span) -> dict[str, str]:
    """The text attributes of a span."""
    return {item.key: item.value.string_value for item in span.attributes}


class Clock:
    """Lays out the spans of one session from `starts_at` on (unix nanoseconds)."""

    def __init__(self, starts_at: int, waits: dict[str, float], random: Random, server_ms: Callable[[str], float]) -> None:
        self._now = starts_at
        self._waits = waits
        self._random = random
        self._server_ms = server_ms
        self._children: dict[bytes, list[Placed]] = {}

    def lay_out(self, spans: list[Span]) -> None:
        """Set start and end of all spans of a session; traces follow one another as they did in reality."""
        placed = [Placed(span, attributes(span)) for span in spans]
        known = {item.span.span_id for item in placed}
        children: dict[bytes, list[Placed]] = defaultdict(list)
        for item in sorted(placed, key=lambda item: item.span.start_time_unix_nano):
            parent = item.span.parent_span_id
            children[parent if parent in known else b""].append(item)
        self._children = children
        for number, root in enumerate(children[b""]):
            if number and _is_turn(root):
                self._pass(self._random.uniform(*_BETWEEN_TURNS_S) * _S)
            self._place(root)

    def _place(self, item: Placed) -> None:
        self._pass(self._waits.get(_asked_call(item), 0.0) * _S)
        real_start = item.span.start_time_unix_nano
        item.span.start_time_unix_nano = self._now
        children = self._children.get(item.span.span_id, [])
        if children:
            for child in children:
                self._pass(self._random.uniform(0.2, 1.5) * _MS)
                self._place(child)
            self._pass(self._random.uniform(0.2, 1.5) * _MS)
        else:
            self._pass(self._own_duration(item))
        item.span.end_time_unix_nano = self._now
        for event in item.span.events:
            # Only exceptions are recorded as events, and those end their span.
            event.time_unix_nano = self._now if event.time_unix_nano >= real_start else item.span.start_time_unix_nano

    def _own_duration(self, item: Placed) -> float:
        if _is_model(item):
            return self._random.lognormvariate(0, _MODEL_SPREAD) * _MODEL_MEDIAN_S * _S
        if "tools/call" in item.span.name:
            tool = item.span.name.rpartition(" ")[2]
            return self._random.lognormvariate(0, _SERVER_SPREAD) * self._server_ms(tool) * _MS
        return self._random.uniform(0.4, 4.0) * _MS

    def _pass(self, nanoseconds: float) -> None:
        self._now += round(nanoseconds / 1000) * 1000


def _is_turn(item: Placed) -> bool:
    kind = item.attributes.get("openinference.span.kind")
    return kind == "AGENT" or item.attributes.get("gen_ai.operation.name") == "invoke_agent"


def _is_model(item: Placed) -> bool:
    kind = item.attributes.get("openinference.span.kind")
    return kind == "LLM" or item.attributes.get("gen_ai.operation.name") == "chat"


def _asked_call(item: Placed) -> str:
    """The id of the call that a model request ended with, or an empty text."""
    if not _is_model(item):
        return ""
    asked = item.attributes.get("llm.output_messages.0.message.tool_calls.0.tool_call.id")
    if asked:
        return asked
    for message in json.loads(item.attributes.get("gen_ai.output.messages", "[]")):
        for part in message.get("parts", []):
            if part.get("type") == "tool_call":
                return str(part["id"])
    return ""
