"""The verbs of a workspace against a running server."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import httpx
import pyarrow as pa

from alerts.queue import Page
from store.errors import ConflictError, NotFoundError, SourceError, StoreError
from store.records import Severity

ERRORS = {404: NotFoundError, 409: ConflictError, 412: ConflictError}
UPLOAD_SECONDS = 3600.0
LONGEST_GREETING_SECONDS = 10.0


class Client:
    """A workspace that another process serves."""

    def __init__(self, address: str, token: str | None = None) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=address.rstrip("/"), headers=headers, timeout=30.0, trust_env=False)
        self.address = address

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def is_alive(self) -> bool:
        """Whether the server answers."""
        try:
            return self._http.get("/livez", timeout=2.0).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def is_ours(self) -> bool:
        """Whether the server answers and knows our token: a port may meanwhile belong to another program."""
        try:
            return self._http.get("/api/v1/openapi.json", timeout=LONGEST_GREETING_SECONDS).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def ingest(self, names: Sequence[str], progress: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
        """Send files to the server, which takes them in."""
        done: dict[str, Any] = {"calls": 0, "records": 0, "refused": []}
        for name in names:
            with _read(name) as source:
                answer = self._asked("POST", "/api/v1/ingest", params={"name": name}, content=source, timeout=UPLOAD_SECONDS)
            done["calls"] += answer["calls"]
            done["records"] += answer["records"]
            done["refused"] += answer["refused"]
            progress(0)
        return done

    def detect(self) -> dict[str, Any]:
        """Run every detector over everything."""
        return self._dict(self._asked("POST", "/api/v1/detect", timeout=UPLOAD_SECONDS))

    def alerts(
        self, *, states: Sequence[str] | None = None, severities: Sequence[str] | None = None, agent: str | None = None,
        server: str | None = None, detector: str | None = None, session_id: str | None = None, text: str | None = None,
        order: str = "risk", limit: int = 50, offset: int = 0,
    ) -> Page:
        """A page of the queue."""
        asked = {
            "state": states, "severity": severities, "agent": agent, "server": server, "detector": detector, "session": session_id,
            "text": text, "order": order, "limit": limit, "offset": offset,
        }
        got = self._asked("GET", "/api/v1/alerts", params={k: v for k, v in asked.items() if v is not None})
        rows = [{**row, "severity": Severity[row["severity"].upper()].value} for row in got["rows"]]
        return Page(got["total"], rows, got["by_state"], {Severity[k.upper()].value: v for k, v in got["by_severity"].items()})

    def alert(self, alert_id: str) -> dict[str, Any]:
        """One alert whole."""
        whole = self._dict(self._asked("GET", f"/api/v1/alerts/{quote(alert_id, safe='')}"))
        for row in (whole["alert"], *whole["findings"]):
            row["severity"] = Severity[row["severity"].upper()].value if isinstance(row["severity"], str) else row["severity"]
        return whole

    def decide(self, alert_id: str, *, actor: str, **step: Any) -> dict[str, Any]:
        """Take one step of triage."""
        body = {"actor": actor, **{k: v for k, v in step.items() if v is not None}}
        return self._dict(self._asked("PATCH", f"/api/v1/alerts/{quote(alert_id, safe='')}", json=body))

    def sessions(self, **filters: Any) -> dict[str, Any]:
        """A page of sessions."""
        return self._dict(self._asked("GET", "/api/v1/sessions", params={k: v for k, v in filters.items() if v is not None}))

    def session(self, session_id: str) -> dict[str, Any]:
        """The chain: prompt, calls, results, marked evidence."""
        return self._dict(self._asked("GET", f"/api/v1/sessions/{quote(session_id, safe='')}"))

    def servers(self) -> list[dict[str, Any]]:
        """The servers seen."""
        return list(self._asked("GET", "/api/v1/servers")["rows"])

    def server(self, name: str) -> dict[str, Any]:
        """One server."""
        return self._dict(self._asked("GET", f"/api/v1/servers/{quote(name, safe='')}"))

    def grants(self) -> list[dict[str, Any]]:
        """Who may call what."""
        return list(self._asked("GET", "/api/v1/grants")["rows"])

    def grant(self, *, until: datetime | None = None, **said: Any) -> dict[str, Any]:
        """Allow a principal or an agent to call what the patterns name."""
        body = {**said, "until": until.isoformat() if until else None}
        return self._dict(self._asked("POST", "/api/v1/grants", json={k: v for k, v in body.items() if v is not None}))

    def revoke(self, grant_id: str, *, actor: str) -> dict[str, Any]:
        """Take a grant back."""
        return self._dict(self._asked("POST", f"/api/v1/grants/{quote(grant_id, safe='')}/revocation", json={"actor": actor}))

    def registry(self) -> list[dict[str, Any]]:
        """Which servers and tools are approved or retired."""
        return list(self._asked("GET", "/api/v1/registry")["rows"])

    def enter(self, server: str, tool: str | None = None, **said: Any) -> dict[str, Any]:
        """Approve or retire a server, or one tool of it."""
        body = {"server": server, "tool": tool, **said}
        return self._dict(self._asked("POST", "/api/v1/registry", json={k: v for k, v in body.items() if v is not None}))

    def learn(self, names: Sequence[str] = (), *, reset: bool = False) -> dict[str, Any]:
        """Learn what is normal anew from the server's lake; files are learned from where the workspace is opened by folder."""
        if names:
            raise StoreError("files can be learned from while the workspace is not served; or ingest them, and learn from the lake")
        return self._dict(self._asked("POST", "/api/v1/learn", timeout=UPLOAD_SECONDS))

    def baselines(self, **filters: Any) -> dict[str, Any]:
        """What is normal, and how well it is known."""
        return self._dict(self._asked("GET", "/api/v1/baselines", params={k: v for k, v in filters.items() if v is not None}))

    def health(self) -> dict[str, Any]:
        """How the parts are."""
        return self._dict(self._asked("GET", "/api/v1/health"))

    def verify(self) -> dict[str, Any]:
        """Whether all that is stored is whole and in agreement; reads everything, and takes as long."""
        return self._dict(self._asked("GET", "/api/v1/verification", timeout=UPLOAD_SECONDS))

    def query(self, sql: str, limit: int = 1000) -> pa.Table:
        """A user's question: one SELECT."""
        got = self._asked("POST", "/api/v1/query", json={"sql": sql, "limit": limit})
        columns = zip(*got["rows"], strict=True) if got["rows"] else ([] for _ in got["columns"])
        made = [_column(list(column), told) for column, told in zip(columns, got["types"], strict=True)]
        return pa.Table.from_arrays(made, names=got["columns"])

    def run(self, sql: str, values: Mapping[str, Any] | None = None) -> pa.Table:
        """Questions of ours are not asked over the network."""
        raise StoreError("charts are made by the server; open its pages, or use query()")

    def _asked(self, method: str, path: str, **request: Any) -> Any:
        try:
            response = self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise StoreError(f"{self.address} does not answer: {error}") from error
        if response.is_success:
            return response.json()
        try:
            told = response.json()["error"]
            message = " ".join(part for part in (told["message"], told.get("hint")) if part)
        except (ValueError, KeyError, TypeError):
            message = response.text[:200]
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise StoreError(f"{self.address}: {message} Give the token with --token or TOOLHOUND_TOKEN.")
        if response.is_server_error:
            raise StoreError(f"{self.address}: {message}")
        raise ERRORS.get(response.status_code, SourceError)(message)

    @staticmethod
    def _dict(answer: Any) -> dict[str, Any]:
        return dict(answer)


@contextmanager
def _read(name: str) -> Iterator[IO[bytes]]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        source = Path(name).open("rb")  # noqa: SIM115 - closed below; an error while it is sent is none of opening it
    except OSError as error:
        raise SourceError(f"{name}: {error.strerror}") from error
    with source:
        yield source


def _column(values: list[Any], told: str) -> pa.Array:
    """A column out of JSON; hashes need all 64 bits, which is not what would be guessed from the values."""
    unsigned = {"uint64": pa.uint64(), "list<element: uint64>": pa.list_(pa.uint64()), "list<item: uint64>": pa.list_(pa.uint64())}
    try:
        return pa.array(values, unsigned.get(told.replace(" not null", "")))
    except (pa.ArrowException, OverflowError):  # what has no one type in JSON, such as numbers of which some are infinite
        return pa.array([None if v is None else str(v) for v in values])
