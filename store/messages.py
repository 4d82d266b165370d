"""Messages of sessions: told again with every model request, sometimes without their session, and yet there once.

A message that comes without a session gets the only one of its trace. It is then told once for each trace of its conversation, under
other ids each time; so where a message was adopted, equal role and text in one session are one message, said when it was first said.
What somebody says twice in a conversation is one message too, as it is by its id where the source names the session: lists repeat all that
went before, and say of none when it was said. Messages that sources themselves tell apart inside a session stay apart.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from store import tables
from store.database import Database
from store.heard import Kind, heard_of, keys, remember
from store.records import SessionSource


def take(database: Database, rows: pa.Table, traces: Sequence[pa.ChunkedArray]) -> set[str]:
    """Take messages in, and give sessions to those whose trace has got one; the sessions left and entered.

    traces: the traces of everything in the batch, each of which may tell a session now.
    """
    if len(rows):
        _tell(database, rows)
    heard = heard_of(database)
    concerned = pa.concat_arrays([chunk for column in traces for chunk in column.chunks] or [pa.array([], pa.string())]).unique().to_pylist()
    waiting, since = heard.find(keys(Kind.HOMELESS, concerned))
    if since is None:
        return set()
    waited = [trace for trace, is_waiting in zip(concerned, waiting, strict=True) if is_waiting]
    return _adopt(database, waited, min(since, *(at for kind in (Kind.TRACE, Kind.CONTEXT) if (at := heard.find(keys(kind, waited))[1])), since))


def _tell(database: Database, rows: pa.Table) -> None:
    """Append the messages that are not known; the earliest telling of one counts."""
    heard = heard_of(database)
    words = [_words(role, text) for role, text in zip(rows["role"].to_pylist(), rows["text"].to_pylist(), strict=True)]
    rows = rows.append_column("words", pa.array(words, pa.string()))
    spoken = keys(Kind.WORDS, (f"{s}\x1f{w}" if s and w else None for s, w in zip(rows["session_id"].to_pylist(), words, strict=True)))
    ids = keys(Kind.MESSAGE, rows["message_id"].to_pylist())
    since, since_words = heard.find(ids)[1], heard.find(spoken)[1]
    with database.named(incoming=rows):
        told = database.query("SELECT * FROM incoming QUALIFY row_number() OVER (PARTITION BY message_id ORDER BY said_at, seen_at) = 1")
    if since is not None:
        told = _without_known(database, told, "k.message_id = t.message_id", since)
    if since_words is not None and len(told):
        told = _without_known(database, told, "k.adopted = 1 AND k.session_id = t.session_id AND k.words = t.words", since_words)
    if len(told):
        database.insert("hot.messages", told.drop_columns(["words"]))
        database.insert("hot.said", told.select(["message_id", "session_id", "words", "said_at", "seen_at"]).append_column(
            "adopted", pa.repeat(pa.scalar(0, pa.int64()), len(told)),
        ))
    for wanted in (ids, spoken, keys(Kind.HOMELESS, rows.filter(pc.equal(rows["session_source"], SessionSource.TRACE))["trace_id"].to_pylist())):
        remember(heard, wanted, rows)


def _words(role: str, text: str | None) -> str | None:
    return None if text is None else hashlib.md5(f"{role}\x1f{text}".encode(), usedforsecurity=False).hexdigest()


def _without_known(database: Database, told: pa.Table, same: str, since: datetime) -> pa.Table:
    """The rows of which no equal one is known (`same`, our own SQL); where one is, it was said no later than they say."""
    with database.named(told=told):
        known = database.query(f"""
            SELECT k.message_id, k.said_at AS known_at, t.message_id AS told_id, t.said_at FROM hot.said AS k JOIN told AS t ON {same}
            WHERE k.seen_at >= $since
        """, {"since": since})
    _set_earlier(database, known.filter(pc.less(known["said_at"], known["known_at"])))
    return told.filter(pc.invert(pc.is_in(told["message_id"], known["told_id"].combine_chunks())))


def _set_earlier(database: Database, rows: pa.Table) -> None:
    if len(rows):
        with database.named(earlier=rows):
            for table in ("messages", "said"):
                database.execute(f"""
                    UPDATE hot.{table} AS m SET said_at = e.said_at
                    FROM (SELECT message_id, min(said_at) AS said_at FROM earlier GROUP BY message_id) AS e
                    WHERE e.message_id = m.message_id AND e.said_at < m.said_at
                """)


def _adopt(database: Database, traces: list[str], since: datetime) -> set[str]:
    """The session of a message that came without one is the only session of its trace; the sessions left and entered."""
    with database.named(concerned=pa.table({"trace_id": traces})):
        moved = database.rows(f"""
            SELECT m.message_id, epoch_us(m.seen_at) AS seen, m.session_id AS former, t.session_id, t.session_source, k.words FROM hot.messages AS m
            JOIN (SELECT trace_id, min(session_id) AS session_id, min(session_source) AS session_source
                  FROM (SELECT trace_id, session_id, session_source FROM hot.spans WHERE seen_at >= $since
                        UNION ALL SELECT trace_id, coalesce(given_session_id, session_id), coalesce(given_session_source, session_source)
                        FROM hot.told WHERE seen_at >= $since)
                  WHERE session_source < {SessionSource.MCP_SESSION:d} AND trace_id IN (SELECT trace_id FROM concerned) AND session_id IS NOT NULL
                  GROUP BY trace_id HAVING count(DISTINCT session_id) = 1) AS t USING (trace_id)
            LEFT JOIN hot.said AS k ON k.message_id = m.message_id
            WHERE m.session_source = {SessionSource.TRACE:d} AND m.session_id IS DISTINCT FROM t.session_id
        """, {"since": since})
    if not moved:
        return set()
    kinds = tables.schema("messages")
    entered = pa.table({n: pa.array([row[n] for row in moved], kinds.field(n).type) for n in ("message_id", "session_id", "session_source")})
    with database.named(entered=entered):
        for table, column in (("messages", "session_source = e.session_source"), ("said", "adopted = 1")):
            database.execute(f"""
                UPDATE hot.{table} AS m SET session_id = e.session_id, {column} FROM entered AS e WHERE e.message_id = m.message_id
            """)
    _leave_one(database, moved)
    spoken = keys(Kind.WORDS, (f"{row['session_id']}\x1f{row['words']}" if row["words"] else None for row in moved))
    heard_of(database).add(spoken, min(row["seen"] for row in moved), max(row["seen"] for row in moved))
    return {row[name] for row in moved for name in ("former", "session_id") if row[name]}


def _leave_one(database: Database, moved: list[dict[str, Any]]) -> None:
    """Of the messages of a session that say the same as one that was adopted, one stays: one with a session of its own, else the earliest."""
    with database.named(entered=pa.table({n: pa.array([row[n] for row in moved], pa.string()) for n in ("session_id", "words")})):
        same = database.rows("""
            SELECT message_id, session_id, words, adopted, said_at FROM hot.said SEMI JOIN entered USING (session_id, words) WHERE words IS NOT NULL
            ORDER BY session_id, words, adopted, said_at, message_id
        """)
    first: dict[tuple[str, str], dict[str, Any]] = {}
    dropped, earlier = [], []
    for row in same:
        stays = first.setdefault((row["session_id"], row["words"]), row)
        if row is not stays and row["adopted"]:
            dropped.append(row["message_id"])
            earlier.append({"message_id": stays["message_id"], "said_at": row["said_at"]})
    if dropped:
        database.execute("DELETE FROM hot.messages WHERE message_id IN (SELECT unnest($ids))", {"ids": dropped})
        _set_earlier(database, tables.rows_to_table("messages", earlier).select(["message_id", "said_at"]))
