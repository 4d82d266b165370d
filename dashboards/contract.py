"""What the pages and the API ask of a workspace; `toolhound.Workspace` answers it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa


class AlertRows(Protocol):
    """One page of alerts, as `alerts.queue.Page`."""

    @property
    def total(self) -> int:
        """How many alerts the filters let through."""

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """The alerts of this page, columns of `store.tables` "alerts"."""

    @property
    def by_state(self) -> Mapping[str, int]:
        """Counts by state, the filter on states aside."""

    @property
    def by_severity(self) -> Mapping[int, int]:
        """Counts by severity, the filter on severities aside."""


class Served(Protocol):
    """A workspace as it is served. Every method may be called from several threads at once.

    An unknown alert, session or server raises NotFoundError; a decision made on an older version of an alert ConflictError; one that
    cannot be made (closing without a verdict), and a query that is not one SELECT, SourceError.
    """

    def alerts(
        self, *, states: Sequence[str] | None = None, severities: Sequence[str] | None = None, agent: str | None = None,
        server: str | None = None, detector: str | None = None, session_id: str | None = None, text: str | None = None,
        order: str = "risk", limit: int = 50, offset: int = 0,
    ) -> AlertRows:
        """Alerts that pass all filters; `order` is "risk", "newest", "oldest" or "severity"; severities by name."""

    def alert(self, alert_id: str) -> dict[str, Any]:
        """As `alerts.queue.show`: "alert" (its row), "findings", "decisions", "deliveries", "standing"."""

    def decide(
        self, alert_id: str, *, actor: str, state: str | None = None, verdict: str | None = None, assignee: str | None = None,
        comment: str = "", version: int | None = None,
    ) -> dict[str, Any]:
        """Take one step of triage; the alert's row as it stands then. What is None stays; assignee "" takes the name off."""

    def sessions(
        self, *, text: str | None = None, agent: str | None = None, server: str | None = None, order: str = "risk", limit: int = 50,
        offset: int = 0,
    ) -> dict[str, Any]:
        """As `store.sessions.page`."""

    def session(self, session_id: str) -> dict[str, Any]:
        """As `store.sessions.chain`."""

    def servers(self) -> list[dict[str, Any]]:
        """As `store.sessions.servers`."""

    def server(self, name: str) -> dict[str, Any]:
        """As `store.sessions.server`."""

    def grants(self) -> list[dict[str, Any]]:
        """As `store.register.grants`."""

    def grant(
        self, *, actor: str, principal: str | None = None, agent: str | None = None, server: str | None = None, tool: str | None = None,
        until: datetime | None = None, comment: str = "",
    ) -> dict[str, Any]:
        """Allow a principal or an agent to call what the patterns name; the grant's row. Raises SourceError."""

    def revoke(self, grant_id: str, *, actor: str) -> dict[str, Any]:
        """Take a grant back; its row. Raises NotFoundError."""

    def registry(self) -> list[dict[str, Any]]:
        """As `store.register.registry`."""

    def enter(
        self, server: str, tool: str | None = None, *, state: str, actor: str, version: str | None = None, comment: str = ""
    ) -> dict[str, Any]:
        """Approve or retire a server, or one tool of it; the entry's row. Raises SourceError."""

    def learn(self, names: Sequence[str] = (), *, reset: bool = False) -> dict[str, Any]:
        """Learn what is normal anew: `{"counters", "sessions", "unsettled", "refused"}`."""

    def baselines(self, *, detector: str | None = None, subject: str | None = None, limit: int = 20) -> dict[str, Any]:
        """As `toolhound.baselines`."""

    def health(self) -> dict[str, Any]:
        """How the parts are; the keys that the health page lays out are in `dashboards.pages.health`, others are shown as they come."""

    def ingest(self, names: Sequence[str], progress: Callable[[int], None] = ...) -> dict[str, Any]:
        """Take files in: `{"calls", "records", "refused": [place and reason, ...]}`."""

    def detect(self) -> dict[str, Any]:
        """Run every detector over everything: `{"findings", "withdrawn", "failures"}`."""

    def verify(self) -> dict[str, Any]:
        """As `toolhound.verification.verify_folder`."""

    def query(self, sql: str, limit: int = 1000) -> pa.Table:
        """A user's question: one SELECT, read-only. Raises SourceError for anything else."""

    def run(self, sql: str, values: Mapping[str, Any] | None = None) -> pa.Table:
        """A question of ours (`dashboards/queries/*.sql`), values bound by name."""
