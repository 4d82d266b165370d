"""What people have laid down: grants (who may call what, until when) and the registry (which servers and tools are approved).

Rows are those of `store.tables` "grants" and "registry". A change is a row as it stands from now on, with who made it and when; the
newest stays in the database, all go to the lake.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from store.database import Database
from store.errors import NotFoundError, SourceError

APPROVED, RETIRED = "approved", "retired"
NAMES = ("principal", "agent", "server", "tool")
LONGEST_NAME = 300

Row = dict[str, Any]


def granted(
    *, principal: str | None = None, agent: str | None = None, server: str | None = None, tool: str | None = None, actor: str, now: datetime,
    until: datetime | None = None, comment: str = "",
) -> Row:
    """A new grant; it names whom it is for, and each name is a pattern (`*`, `?`). Raises SourceError for one that says too little."""
    names = dict(zip(NAMES, (principal, agent, server, tool), strict=True))
    if not (principal or agent):
        raise SourceError("a grant names a principal or an agent; `*` stands for any")
    for name, pattern in names.items():
        if pattern is not None and not 0 < len(pattern) <= LONGEST_NAME:
            raise SourceError(f"{name}: a pattern has 1 to {LONGEST_NAME} characters")
    if until is not None and until <= now:
        raise SourceError("a grant ends after it begins")
    return {"grant_id": uuid4().hex[:16], **names, "granted_at": now, "expires_at": until, "granted_by": actor, "comment": comment}


def revoked(database: Database, grant_id: str, *, actor: str, now: datetime) -> Row:
    """A grant as taken back; one that was taken back before stays as it was. Raises NotFoundError."""
    rows = database.rows("SELECT * FROM hot.grants WHERE grant_id = ?", [grant_id])
    if not rows:
        raise NotFoundError(f"grant {grant_id!r} does not exist")
    return rows[0] if rows[0]["revoked_at"] else {**rows[0], "revoked_at": now, "revoked_by": actor}


def registered(
    server: str, tool: str | None = None, *, state: str, actor: str, now: datetime, version: str | None = None,
    definition_hash: str | None = None, comment: str = "",
) -> Row:
    """A server, or one tool of it, as it stands from now on. Raises SourceError for a state that does not exist."""
    if state not in (APPROVED, RETIRED):
        raise SourceError(f"state: {state!r} is not one of {APPROVED}, {RETIRED}")
    if not server or len(server) > LONGEST_NAME or len(tool or "") > LONGEST_NAME:
        raise SourceError(f"a server has a name; names have at most {LONGEST_NAME} characters")
    return {
        "entry_id": hashlib.sha256(f"{server}\0{tool or ''}".encode("utf-8", "replace")).hexdigest()[:24], "server": server, "tool": tool,
        "state": state, "version": version, "definition_hash": definition_hash, "changed_at": now, "changed_by": actor, "comment": comment,
    }


def newest_hash(database: Database, server: str, tool: str) -> str | None:
    """The definition that a tool was last sighted with."""
    rows: Sequence[Row] = database.rows(
        "SELECT definition_hash FROM hot.tool_definitions WHERE server = ? AND tool = ? ORDER BY last_seen_at DESC, definition_hash LIMIT 1",
        [server, tool],
    )
    return rows[0]["definition_hash"] if rows else None


def grants(database: Database) -> list[Row]:
    """All grants, newest first."""
    return database.rows("SELECT * FROM hot.grants ORDER BY granted_at DESC, grant_id")


def registry(database: Database) -> list[Row]:
    """All entries by server and tool."""
    return database.rows("SELECT * FROM hot.registry ORDER BY server, tool NULLS FIRST")
