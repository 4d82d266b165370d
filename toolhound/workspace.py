"""A workspace on this machine: the facade over its engine; it only delegates. `connect` finds it, or the server that serves it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from alerts import queue
from ingest import files
from ingest.batch import to_tables
from ingest.process import redaction_key
from ingest.redact import Redactor
from store import register, sessions
from store.database import Database
from store.errors import SourceError, StoreError
from store.records import Severity
from toolhound.baselines import baselines
from toolhound.destinations import sinks
from toolhound.engine import Engine
from toolhound.health import health
from toolhound.history import taught_by
from toolhound.settings import Settings, settings_of
from toolhound.verification import verify_engine
from toolhound.workers import Workers

if TYPE_CHECKING:
    from toolhound.client import Client

DEFAULT_FOLDER = "toolhound-workspace"
SERVED = "serve.json"
"""Written into a workspace while it is served: where, and the token."""


class Workspace:
    """A folder of calls, findings and alerts. One process at a time may open it; others ask its server."""

    def __init__(
        self, folder: Path | str = DEFAULT_FOLDER, settings: Settings | None = None, address: str | None = None, workers: Workers | None = None
    ) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.settings = settings or settings_of(self.folder)
        self.engine = Engine(self.folder, self.settings, sinks(self.settings.webhooks, address), workers=workers)

    def __enter__(self) -> "Workspace":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the workspace back."""
        self.engine.close()

    def ingest(self, names: Sequence[str], progress: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
        """Take files in and look at them: `{"calls", "records", "refused": [place and reason, ...]}`; `-` is standard input."""
        masks, payloads = Redactor(redaction_key(self.folder)), self.settings.keep.policy()
        done: dict[str, Any] = {"calls": 0, "records": 0, "refused": []}
        try:
            for name in names:
                refused: list[str] = []
                for part in files.read(name):
                    self.engine.spool.write(to_tables(part.records, masks, payloads))
                    done["calls"] += len(part.records.calls)
                    done["records"] += len(part.records)
                    refused += part.refused
                    progress(part.read_bytes)
                if refused:
                    reason = f"{len(refused)} refused, each with its place and reason in the body"
                    self.engine.rejected.keep("\n".join(refused).encode(), reason, name)
                done["refused"] += refused
        finally:  # what was read before a file that cannot be is looked at all the same
            self.engine.catch_up()
        return done

    def detect(self) -> dict[str, Any]:
        """Run every detector over everything: how many findings there are, and which detectors failed."""
        looked = self.engine.detect()
        return {"findings": len(looked.findings), "withdrawn": len(looked.withdrawn), "failures": looked.failures}

    def alerts(
        self, *, states: Sequence[str] | None = None, severities: Sequence[str] | None = None, agent: str | None = None,
        server: str | None = None, detector: str | None = None, session_id: str | None = None, text: str | None = None,
        order: str = "risk", limit: int = 50, offset: int = 0,
    ) -> queue.Page:
        """A page of the queue."""
        numbers = None if severities is None else [_severity(name) for name in severities]
        with self._reader() as reader:
            return queue.page(
                reader, states=states, severities=numbers, agent=agent, server=server, detector=detector, session_id=session_id, text=text,
                order=order, limit=limit, offset=offset,  # type: ignore[arg-type]  # page() names the orders that exist
            )

    def alert(self, alert_id: str) -> dict[str, Any]:
        """One alert whole."""
        with self._reader() as reader:
            return queue.show(reader, alert_id)

    def decide(
        self, alert_id: str, *, actor: str, state: str | None = None, verdict: str | None = None, assignee: str | None = None,
        comment: str = "", version: int | None = None,
    ) -> dict[str, Any]:
        """Take one step of triage; the alert's row as it stands then."""
        return self.engine.decide(lambda database: queue.decide(
            database, alert_id, actor=actor, state=state, verdict=verdict, assignee=assignee, comment=comment, version=version,
            now=datetime.now(UTC),
        )).alert

    def sessions(
        self, *, text: str | None = None, agent: str | None = None, server: str | None = None, order: str = "risk", limit: int = 50,
        offset: int = 0,
    ) -> dict[str, Any]:
        """A page of sessions."""
        with self._reader() as reader:
            return sessions.page(reader, text=text, agent=agent, server=server, order=order, limit=limit, offset=offset)

    def session(self, session_id: str) -> dict[str, Any]:
        """The chain: prompt, calls, results, marked evidence."""
        with self._reader() as reader:
            return sessions.chain(reader, session_id)

    def servers(self) -> list[dict[str, Any]]:
        """The servers seen."""
        with self._reader() as reader:
            return sessions.servers(reader)

    def server(self, name: str) -> dict[str, Any]:
        """One server: its tools, their definitions and their history."""
        with self._reader() as reader:
            return sessions.server(reader, name)

    def grants(self) -> list[dict[str, Any]]:
        """Who may call what."""
        with self._reader() as reader:
            return register.grants(reader)

    def grant(
        self, *, actor: str, principal: str | None = None, agent: str | None = None, server: str | None = None, tool: str | None = None,
        until: datetime | None = None, comment: str = "",
    ) -> dict[str, Any]:
        """Allow a principal or an agent to call what the patterns name."""
        return self.engine.lay_down("grants", register.granted(
            principal=principal, agent=agent, server=server, tool=tool, actor=actor, now=datetime.now(UTC), until=until, comment=comment,
        ))

    def revoke(self, grant_id: str, *, actor: str) -> dict[str, Any]:
        """Take a grant back."""
        with self._reader() as reader:
            row = register.revoked(reader, grant_id, actor=actor, now=datetime.now(UTC))
        return self.engine.lay_down("grants", row)

    def registry(self) -> list[dict[str, Any]]:
        """Which servers and tools are approved or retired."""
        with self._reader() as reader:
            return register.registry(reader)

    def enter(
        self, server: str, tool: str | None = None, *, state: str, actor: str, version: str | None = None, comment: str = ""
    ) -> dict[str, Any]:
        """Approve or retire a server, or one tool of it; an approved tool is pinned to the definition that was last sighted."""
        with self._reader() as reader:
            pinned = register.newest_hash(reader, server, tool) if tool and state == register.APPROVED else None
        return self.engine.lay_down("registry", register.registered(
            server, tool, state=state, actor=actor, now=datetime.now(UTC), version=version, definition_hash=pinned, comment=comment,
        ))

    def learn(self, names: Sequence[str] = (), *, reset: bool = False) -> dict[str, Any]:
        """Learn what is normal, anew from the lake or from files: `{"counters", "sessions", "unsettled", "refused"}`."""
        given = taught_by(names, redaction_key(self.folder), self.settings) if names else None
        return self.engine.learn(given, reset)

    def baselines(self, *, detector: str | None = None, subject: str | None = None, limit: int = 20) -> dict[str, Any]:
        """What is normal, and how well it is known."""
        with self._reader() as reader:
            return baselines(reader, self.engine.normal().learners, self.settings.learn.half_life_days, detector, subject, limit)

    def health(self) -> dict[str, Any]:
        """How the parts are."""
        with self._reader() as reader:
            return health(self.engine, reader)

    def verify(self) -> dict[str, Any]:
        """Whether all that is stored is whole and in agreement: `{"problems": [...], "counts": {...}}`."""
        return verify_engine(self.engine)

    def query(self, sql: str, limit: int = 1000) -> pa.Table:
        """A user's question: one SELECT over calls, messages, tool_definitions, access, findings, alerts, decisions, deliveries."""
        with self._reader() as reader:
            return reader.ask(sql, limit)

    def run(self, sql: str, values: Mapping[str, Any] | None = None) -> pa.Table:
        """A question of ours."""
        with self._reader() as reader:
            return reader.query(sql, values)

    @contextmanager
    def _reader(self) -> Iterator[Database]:
        reader = self.engine.database.reader()
        try:
            yield reader
        finally:
            reader.close()


def connect(
    where: str | Path = DEFAULT_FOLDER, token: str | None = None, create: bool = False, workers: Workers | None = None
) -> "Workspace | Client":
    """A workspace by folder, or a running server by address; a folder that is being served leads to its server.

    workers: the processes in which detectors look at much; without, they look in this one. Only for programs that guard their main module.
    Raises StoreError where there is no such folder, unless it is to be created.
    """
    server = server_of(where, token)
    if server:
        return server
    if not create and not Path(where).is_dir():
        raise StoreError(f"{where} is no workspace: there is no such folder; `toolhound serve` or `toolhound ingest` makes one")
    return Workspace(where, workers=workers)


def server_of(where: str | Path, token: str | None = None) -> "Client | None":
    """The server at an address, or the one that serves a folder; None for a folder that nobody serves."""
    from toolhound.client import Client

    if str(where).startswith(("http://", "https://")):
        return Client(str(where), token)
    served = Path(where) / SERVED
    if not served.exists():
        return None
    try:
        told = json.loads(served.read_text())
        client = Client(str(told["address"]), str(told["token"]))
    except (OSError, ValueError, KeyError, TypeError):  # what a crash left; whether the folder is free, the database tells
        return None
    if client.is_ours():
        return client
    client.close()
    return None


def _severity(name: str) -> Severity:
    try:
        return Severity[name.upper()]
    except KeyError as error:
        raise SourceError(f"severity: {name!r} is not one of {', '.join(s.name.lower() for s in Severity)}") from error
