"""A circuit breaker per sink: a dead destination is asked rarely, and its deliveries do not use up their attempts meanwhile."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FAILURES_TO_OPEN = 5
"""In a row."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=15)
"""The pause doubles with each probe that fails; the longest is what a repaired destination waits at worst."""

AT_ONCE = 20
"""Deliveries in flight to a healthy sink."""


@dataclass(slots=True)
class Breaker:
    """Closed (healthy), open (pausing until a moment), half-open (one probe at a time after any failure)."""

    failures: int = 0
    open_until: datetime | None = None

    def room(self, now: datetime, in_flight: int) -> int:
        """How many more may be sent now."""
        if self.open_until is not None and now < self.open_until:
            return 0
        return max((1 if self.failures else AT_ONCE) - in_flight, 0)

    def answered(self) -> None:
        """The destination works."""
        self.failures, self.open_until = 0, None

    def failed(self, now: datetime, asked_pause: timedelta) -> None:
        """It does not; it may have asked to be left alone for a while."""
        self.failures += 1
        pause = asked_pause
        if self.failures >= FAILURES_TO_OPEN:
            doublings = min(self.failures - FAILURES_TO_OPEN, 10)  # far beyond the longest pause; keeps the number small
            pause = max(pause, min(FIRST_PAUSE * 2**doublings, LONGEST_PAUSE))
        self.open_until = now + pause if pause else None
