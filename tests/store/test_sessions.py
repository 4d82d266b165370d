"""Lists of sessions and servers, one session in order, one server with its definitions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store import sessions
from store.database import Database, hot_schema
from store.errors import NotFoundError
from store.tables import rows_to_table

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def database() -> Database:
    made = Database.memory()
    hot_schema(made)
    for table in ("calls", "messages", "tool_definitions"):
        made.execute(f"CREATE VIEW {table} AS SELECT * FROM hot.{table}")
    made.make_views()
    return made


def add(database: Database, table: str, *rows: dict[str, Any]) -> None:
    database.insert(f"hot.{table}", rows_to_table(table, list(rows)))


def call(call_id: str, session_id: str | None = "s1", minute: float = 0, **more: Any) -> dict[str, Any]:
    return {
        "call_id": call_id, "session_id": session_id, "called_at": NOON + timedelta(minutes=minute), "agent": "planner", "server": "mail",
        "tool": "send", "arguments": '{"to": "pat@example.com"}', "result": "sent", "outcome": "ok", "duration_ms": 10.0, **more,
    }


def said(message_id: str, session_id: str, minute: float, text: str, role: str = "user") -> dict[str, Any]:
    return {"message_id": message_id, "session_id": session_id, "said_at": NOON + timedelta(minutes=minute), "role": role, "text": text}


def ids(found: dict[str, Any]) -> list[str]:
    return [row["session_id"] for row in found["rows"]]


def test_an_empty_store_answers(database: Database) -> None:
    assert sessions.page(database) == {"total": 0, "rows": []}
    assert sessions.servers(database) == []
    with pytest.raises(NotFoundError):
        sessions.chain(database, "s1")
    with pytest.raises(NotFoundError):
        sessions.server(database, "mail")


def test_sessions_by_risk_then_newest(database: Database) -> None:
    add(database, "calls", call("a", "old"), call("b", "new", 9), call("c", "risky", -60, outcome="error"), call("d", None))
    add(database, "alerts", {"alert_id": "x", "session_ids": ["risky"], "risk": 0.7, "severity": 3, "state": "closed"},
        {"alert_id": "y", "session_ids": ["risky", "gone"], "risk": 0.2, "severity": 1, "state": "new"})
    add(database, "messages", said("m2", "risky", 1, "later"), said("m1", "risky", 0, "first"))
    found = sessions.page(database)
    assert (found["total"], ids(found)) == (3, ["risky", "new", "old"])
    first = found["rows"][0]
    assert (first["risk"], first["severity"], first["alerts"], first["open_alerts"], first["errors"], first["prompt"]) == (0.7, 3, 2, 1, 1, "first")
    assert ids(sessions.page(database, order="newest", limit=1, offset=1)) == ["old"]


def test_sessions_by_filter(database: Database) -> None:
    add(database, "calls", call("a", "one"), call("b", "two", agent="coder", server=None, arguments='{"q": "100%_Sure"}'), call("c", "three"))
    add(database, "messages", said("m", "three", 0, "Where is my PARCEL?"))
    assert ids(sessions.page(database, agent="coder")) == ["two"]
    assert set(ids(sessions.page(database, server="mail"))) == {"one", "three"}
    assert ids(sessions.page(database, text="parcel")) == ["three"]
    assert ids(sessions.page(database, text="100%_sure")) == ["two"]  # no wildcards
    assert ids(sessions.page(database, text="'; DROP TABLE hot.calls; --")) == []


def test_a_session_in_order_with_its_marks(database: Database) -> None:
    add(database, "messages", said("m1", "s1", 0, "Send it."), said("m2", "s1", 5, "Done.", "assistant"))
    add(database, "calls", call("b", minute=0, seq=2), call("a", minute=0, seq=1), call("other", "s2"))
    finding = {"detector": "d", "severity": 3, "score": 0.5}
    add(database, "findings", {"finding_id": "f1", "session_id": "s1", "call_ids": ["b"], **finding},
        {"finding_id": "f2", "session_id": None, "call_ids": ["other", "a"], **finding},
        {"finding_id": "f3", "session_id": "s2", "call_ids": ["other"], **finding})
    chain = sessions.chain(database, "s1")
    assert [turn["id"] for turn in chain["turns"]] == ["m1", "a", "b", "m2"] and [t["step"] for t in chain["turns"]] == [1, 2, 3, 4]
    assert [[m["finding_id"] for m in turn["marks"]] for turn in chain["turns"]] == [[], ["f2"], ["f1"], []]
    assert [f["finding_id"] for f in chain["findings"]] == ["f1", "f2"] and chain["total"] == 4


def test_a_long_session_is_cut_but_never_its_evidence(database: Database) -> None:
    add(database, "calls", *(call(f"c{n}", minute=n, result="x" * 30_000 if n == 0 else None) for n in range(30)))
    add(database, "findings", {"finding_id": "f", "session_id": "s1", "call_ids": ["c25"], "detector": "d", "severity": 1, "score": 0.1})
    chain = sessions.chain(database, "s1", limit=10)
    assert chain["total"] == 30 and [t["step"] for t in chain["turns"]] == [*range(1, 11), 26]
    assert (len(chain["turns"][0]["result"]), chain["turns"][0]["result_length"]) == (sessions.PAYLOAD_CHARACTERS, 30_000)


def test_servers_called_or_only_sighted(database: Database) -> None:
    add(database, "calls", call("a"), call("b", outcome="denied", tool="read"), call("c", server=None))
    add(database, "tool_definitions", *({"definition_id": f"d{n}", "server": "web", "tool": "get", "definition_hash": str(n % 2),
                                        "last_seen_at": NOON} for n in range(3)))
    add(database, "alerts", {"alert_id": "x", "servers": ["web"], "severity": 4, "state": "new"})
    rows = {row["server"]: row for row in sessions.servers(database)}
    assert list(rows) == ["web", "mail", ""]
    assert (rows["web"]["calls"], rows["web"]["changes"], rows["web"]["severity"]) == (0, 1, 4)
    assert (rows["mail"]["calls"], rows["mail"]["denied"], rows["mail"]["tools_called"], rows["mail"]["agents"]) == (2, 1, 2, ["planner"])


def test_a_server_with_the_history_of_its_tools(database: Database) -> None:
    add(database, "calls", call("a"), call("b", tool="read", outcome="error", error_message="no such mail", minute=1))
    add(database, "tool_definitions", *(
        {
            "definition_id": f"d{n}", "server": "mail", "tool": "send", "definition_hash": str(n // 2), "description": f"v{n // 2}",
            "agent": f"agent-{n}", "server_version": "1", "first_seen_at": NOON + timedelta(days=n), "last_seen_at": NOON + timedelta(days=n),
        }
        for n in range(4)
    ))
    found = sessions.server(database, "mail")
    send = found["tools"][0]
    assert send["tool"] == "send" and [d["description"] for d in send["definitions"]] == ["v0", "v1"]
    assert send["definitions"][0]["agents"] == ["agent-0", "agent-1"] and send["definitions"][0]["last_seen_at"] == NOON + timedelta(days=1)
    assert found["errors"][0]["error_message"] == "no such mail" and found["calls"] == 2 and len(found["runs"]) == 1
