"""Destinations: what each must offer, and what an attempt to deliver came to."""

from dataclasses import dataclass
from typing import Protocol

from alerts.changes import Event, Row
from store.records import Delivery, Severity


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt came to: accepted, or why not. `error` never holds what the destination wrote in its body."""

    ok: bool
    code: int | None = None
    error: str | None = None
    retry_after_s: float | None = None


class Sink(Protocol):
    """A destination. `send` may take seconds and is called outside any transaction, from any thread."""

    @property
    def name(self) -> str:
        """The name that deliveries are kept under; letters, digits, `_` and `-`."""

    @property
    def events(self) -> frozenset[Event]:
        """What it wants to be told."""

    @property
    def min_severity(self) -> Severity:
        """From which severity on."""

    def body(self, event: Event, alert: Row) -> str:
        """The exact text that will be signed and sent."""

    def send(self, delivery: Delivery) -> Result:
        """Try once."""
