"""Every column once: type, meaning and sensitivity; from here come the Arrow schemas, the DDL and the docs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa


class Sensitivity(StrEnum):
    """What a column may hold: nothing delicate, something about a person, or payload written by anybody."""

    OPEN = "open"
    PERSONAL = "personal"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one or more tables."""

    name: str
    type: pa.DataType
    meaning: str
    sensitivity: Sensitivity = Sensitivity.OPEN


TEXT, NUMBER, REAL = pa.string(), pa.int64(), pa.float64()
MOMENT = pa.timestamp("us", "UTC")
TEXTS, HASHES = pa.list_(pa.string()), pa.list_(pa.uint64())
_P, _C = Sensitivity.PERSONAL, Sensitivity.CONTENT

_SESSION = [
    Column("session_id", TEXT, "the conversation the call was made for"),
    Column("session_source", pa.int8(), "what the session id was taken from: 1 conversation, 2 session, 3 mcp session, 4 trace, 5 client and pauses"),
]
_WHO = [
    Column("agent", TEXT, "the program that acts"),
    Column("agent_version", TEXT, "its version"),
    Column("principal", TEXT, "the person or service it acts for", _P),
]
_CALL_BODY = [
    *_SESSION,
    Column("called_at", MOMENT, "when the call started"),
    Column("seq", NUMBER, "the source's own order inside the session, where it gives one"),
    Column("duration_ms", REAL, "from request to outcome"),
    Column("trace_id", TEXT, "OTel trace, hex"),
    Column("span_id", TEXT, "OTel span of the observation that the row was first made from, hex"),
    Column("parent_span_id", TEXT, "its parent, hex"),
    *_WHO,
    Column("client_address", TEXT, "where the client called from", _P),
    Column("server", TEXT, "the MCP server, by its own name"),
    Column("server_version", TEXT, "its version"),
    Column("server_address", TEXT, "where it was reached"),
    Column("transport", TEXT, "stdio, http, sse"),
    Column("tool", TEXT, "the tool's name, as called"),
    Column("arguments", TEXT, "JSON of the arguments, secrets masked", _C),
    Column("arguments_state", TEXT, "captured, absent, redacted, truncated, fingerprint_only"),
    Column("result", TEXT, "the result's text, secrets masked", _C),
    Column("result_state", TEXT, "captured, absent, redacted, truncated, fingerprint_only"),
    Column("outcome", TEXT, "ok, error, denied, unknown"),
    Column("error_type", TEXT, "the error's kind, as reported"),
    Column("error_message", TEXT, "the error's text, secrets masked", _C),
    Column("decision", TEXT, "accept or reject, where somebody or something decided"),
    Column("decided_by", TEXT, "who or what decided"),
    Column("dialect", TEXT, "the attribute vocabulary of the source"),
    Column("arguments_bytes", NUMBER, "length of the arguments as received, bytes of UTF-8"),
    Column("result_bytes", NUMBER, "length of the result as received, bytes of UTF-8"),
    Column("attributes", TEXT, "JSON of what the source said beyond these columns", _C),
    Column("seen_at", MOMENT, "when a collector received it"),
    Column("argument_atoms", HASHES, "hashed e-mail addresses, URLs, hosts, accounts, paths, keys, tokens of the arguments"),
    Column("argument_shingles", HASHES, "winnowed hashes of the arguments' normalised text"),
    Column("result_atoms", HASHES, "the same of the result"),
    Column("result_shingles", HASHES, "the same of the result"),
]
_SPAN = [
    Column("trace_id", TEXT, "OTel trace, hex"),
    Column("span_id", TEXT, "OTel span, hex"),
    Column("parent_span_id", TEXT, "its parent, hex"),
    Column("started_at", MOMENT, "when it started"),
    *_SESSION,
    *_WHO,
    Column("seen_at", MOMENT, "when a collector received it"),
]
_MESSAGE = [
    Column("message_id", TEXT, "a hash of session, role and text, or the source's own id"),
    *_SESSION,
    Column("trace_id", TEXT, "OTel trace, hex"),
    Column("said_at", MOMENT, "when it was said"),
    Column("role", TEXT, "user, assistant, system"),
    Column("agent", TEXT, "the agent it was said to or by"),
    Column("text", TEXT, "what was said, secrets masked", _C),
    Column("text_state", TEXT, "captured, absent, redacted, truncated, fingerprint_only"),
    Column("text_atoms", HASHES, "hashed atoms of the text"),
    Column("text_shingles", HASHES, "winnowed hashes of the text"),
    Column("dialect", TEXT, "the attribute vocabulary of the source"),
    Column("seen_at", MOMENT, "when a collector received it"),
]
_DEFINITION = [
    Column("definition_id", TEXT, "a hash of server, its version, address and launch command, tool, agent and the definition's own hash"),
    Column("server", TEXT, "the MCP server, by its own name"),
    Column("server_version", TEXT, "its version"),
    Column("server_address", TEXT, "where it was reached"),
    Column("launch_command", TEXT, "how it was started"),
    Column("tool", TEXT, "the tool's name"),
    Column("agent", TEXT, "the agent that it was shown to"),
    Column("description", TEXT, "the description that the model read", _C),
    Column("input_schema", TEXT, "JSON Schema of the arguments", _C),
    Column("description_hash", TEXT, "SHA-256 of the description"),
    Column("schema_hash", TEXT, "SHA-256 of the schema"),
    Column("definition_hash", TEXT, "SHA-256 of both"),
    Column("session_id", TEXT, "a session that it was sighted in"),
    Column("first_seen_at", MOMENT, "earliest sighting"),
    Column("last_seen_at", MOMENT, "latest sighting"),
    Column("dialect", TEXT, "the attribute vocabulary of the source"),
    Column("seen_at", MOMENT, "when a collector received it"),
]
_ACCESS = [
    Column("access_id", TEXT, "a hash of the attempt, or the source's own id"),
    Column("accessed_at", MOMENT, "when it was attempted"),
    Column("method", TEXT, "connect, authenticate"),
    Column("outcome", TEXT, "ok, error, denied"),
    Column("principal", TEXT, "the person or service acted for", _P),
    Column("client_address", TEXT, "where from", _P),
    Column("agent", TEXT, "the program that tried"),
    Column("server", TEXT, "the MCP server"),
    Column("transport", TEXT, "stdio, http, sse"),
    Column("error_message", TEXT, "the error's text, secrets masked", _C),
    Column("session_id", TEXT, "the session it happened in"),
    Column("dialect", TEXT, "the attribute vocabulary of the source"),
    Column("seen_at", MOMENT, "when a collector received it"),
]
_FINDING = [
    Column("finding_id", TEXT, "a hash of detector, scope key and subject"),
    Column("detector", TEXT, "the detector's name"),
    Column("severity", pa.int8(), "0 info to 4 critical"),
    Column("scope", TEXT, "the smallest group of calls that the detector sees together"),
    Column("scope_key", TEXT, "which group"),
    Column("subject", TEXT, "what inside the group"),
    Column("call_ids", TEXTS, "the calls that prove it"),
    Column("grade", pa.int8(), "evidence: 1 order, 2 new destination, 3 content, 4 sensitive"),
    Column("score", REAL, "how unusual, 0 to 1"),
    Column("sentence", TEXT, "what was seen and why it is unusual", _C),
    Column("evidence", TEXT, "JSON of the explanation's data", _C),
    Column("techniques", TEXTS, "taxonomy ids"),
    Column("session_id", TEXT, "the session, where there is one"),
    Column("agents", TEXTS, "agents involved"),
    Column("servers", TEXTS, "servers involved"),
    Column("tools", TEXTS, "tools involved"),
    Column("first_called_at", MOMENT, "first call that proves it"),
    Column("last_called_at", MOMENT, "last call that proves it"),
    Column("found_at", MOMENT, "when it was first found"),
]
_ALERT = [
    Column("alert_id", TEXT, "a hash of the group and its number"),
    Column("group_key", TEXT, "the session or subject that findings are grouped by"),
    Column("title", TEXT, "what it is about"),
    Column("severity", pa.int8(), "0 info to 4 critical: the worst finding"),
    Column("risk", REAL, "combined standing of the findings, 0 to 1"),
    Column("state", TEXT, "new, in_progress, closed"),
    Column("verdict", TEXT, "given on closing"),
    Column("assignee", TEXT, "who works on it", _P),
    *(Column(n, TEXTS, f"{n.replace('_', ' ')} involved") for n in
      ("detectors", "finding_ids", "session_ids", "agents", "servers", "tools", "call_ids", "techniques")),
    Column("opened_at", MOMENT, "when the first finding came"),
    Column("updated_at", MOMENT, "when it last changed"),
    Column("closed_at", MOMENT, "when it was closed"),
    Column("first_called_at", MOMENT, "first call involved"),
    Column("last_called_at", MOMENT, "last call involved"),
    Column("explanation", TEXT, "the findings' sentences, worst first", _C),
    Column("version", NUMBER, "counts the changes; for optimistic concurrency"),
]
_DECISION = [
    Column("decision_id", TEXT, "random"),
    Column("alert_id", TEXT, "the alert"),
    Column("decided_at", MOMENT, "when"),
    Column("actor", TEXT, "who", _P),
    Column("from_state", TEXT, "state before"),
    Column("to_state", TEXT, "state after"),
    Column("verdict", TEXT, "given on closing"),
    Column("assignee", TEXT, "who works on it from now", _P),
    Column("comment", TEXT, "why"),
]
_DELIVERY = [
    Column("delivery_id", TEXT, "the same on every attempt: the receiver's idempotency key"),
    Column("alert_id", TEXT, "the alert"),
    Column("sink", TEXT, "the destination's name"),
    Column("event", TEXT, "alert.created, alert.updated, alert.closed"),
    Column("body", TEXT, "the exact bytes that are signed and sent", _C),
    Column("created_at", MOMENT, "when it was queued"),
    Column("next_attempt_at", MOMENT, "not before"),
    Column("status", TEXT, "pending, delivered, dead"),
    Column("attempts", NUMBER, "how often it was tried"),
    Column("last_error", TEXT, "why the last attempt failed"),
    Column("response_code", NUMBER, "HTTP status of the last attempt"),
    Column("delivered_at", MOMENT, "when it was accepted"),
]
_GRANT = [
    Column("grant_id", TEXT, "random"),
    Column("principal", TEXT, "pattern of the person or service; null means any", _P),
    Column("agent", TEXT, "pattern of the agent; null means any"),
    Column("server", TEXT, "pattern of the server; null means any"),
    Column("tool", TEXT, "pattern of the tool; null means any"),
    Column("granted_at", MOMENT, "from when on it holds"),
    Column("expires_at", MOMENT, "until when it holds; null means until it is revoked"),
    Column("granted_by", TEXT, "who gave it", _P),
    Column("revoked_at", MOMENT, "when it was taken back"),
    Column("revoked_by", TEXT, "who took it back", _P),
    Column("comment", TEXT, "why"),
]
_REGISTRATION = [
    Column("entry_id", TEXT, "a hash of server and tool"),
    Column("server", TEXT, "the MCP server, by its own name"),
    Column("tool", TEXT, "the tool's name; null means the server itself"),
    Column("state", TEXT, "approved, retired"),
    Column("version", TEXT, "the server's version that was approved"),
    Column("definition_hash", TEXT, "SHA-256 of the tool's definition that was approved"),
    Column("changed_at", MOMENT, "since when it stands so"),
    Column("changed_by", TEXT, "who said so", _P),
    Column("comment", TEXT, "why"),
]
_CALL_ID = Column("call_id", TEXT, "one logical call")

TABLES: dict[str, list[Column]] = {
    "observations": [
        Column("observation_id", TEXT, "one sighting of a call: a hash of its span or log record"),
        _CALL_ID,
        Column("tool_call_id", TEXT, "the model's id of the call; unique inside one session at best"),
        Column("observed_by", TEXT, "agent, client, gateway, server, decision"),
        *_CALL_BODY,
    ],
    "calls": [
        _CALL_ID, *_CALL_BODY,
        Column("observed_by", TEXTS, "who saw it"),
        Column("disagreement", TEXT, "JSON of what its sightings contradict one another on: tool, arguments, outcome, server", _C),
        Column("version", NUMBER, "how often it was written anew after it had settled: a sighting came late"),
    ],
    "spans": _SPAN,
    "messages": _MESSAGE,
    "tool_definitions": _DEFINITION,
    "access": _ACCESS,
    "findings": _FINDING,
    "alerts": _ALERT,
    "decisions": _DECISION,
    "deliveries": _DELIVERY,
    "grants": _GRANT,
    "registry": _REGISTRATION,
    "normal": [
        Column("detector", TEXT, "whose counter"),
        Column("subject", TEXT, "whom it is about, where the detector says so: an agent, a server; else empty"),
        Column("key", TEXT, "what is counted"),
        Column("n", NUMBER, "how often; merges by sum"),
        Column("first_at", MOMENT, "earliest; merges by min"),
        Column("last_at", MOMENT, "latest; merges by max"),
        Column("sessions", NUMBER, "how many sessions speak for it; merges by sum"),
        Column("weight", REAL, "the same, an older session weighing less: a half after each half-life; kept as of 1 January 2026, merges by sum"),
    ],
}

_GIVEN = [Column(f"given_{c.name}", c.type, f"{c.name} that it got from around it, where that is another") for c in (*_SESSION, *_WHO)]

MEMORY: dict[str, list[Column]] = {
    "told": [
        *(c for c in TABLES["observations"] if c.name in {
            "observation_id", "call_id", "tool_call_id", "observed_by", "dialect", "tool", "server", "called_at", "seen_at", "trace_id",
            "span_id", "parent_span_id", *(c.name for c in (*_SESSION, *_WHO)),
        }),
        *_GIVEN,
        Column("place", TEXT, "where its payload is: in its call (alone), in hot.sighted (beside), in the lake"),
    ],
    "said": [
        Column("message_id", TEXT, "a message that is known, even if it is left out because another says the same"),
        Column("session_id", TEXT, "the session it is in"),
        Column("words", TEXT, "MD5 of role and text; null where the text is not kept"),
        Column("adopted", NUMBER, "1 if it came without a session and got that of its trace"),
        Column("said_at", MOMENT, "when it was first said"),
        Column("seen_at", MOMENT, "when a collector received it"),
    ],
    "accessed": [Column("access_id", TEXT, "an attempt that is known"), Column("seen_at", MOMENT, "when a collector received it")],
    "superseded": [
        _CALL_ID,
        Column("version", NUMBER, "the first version that counts; what the lake has before it does not"),
        Column("day", pa.date32(), "the partition that the older version is in"),
    ],
    "forgotten": [Column("seen_at", MOMENT, "what was seen before this may have been forgotten")],
}
"""What the engine remembers of what it took in, in narrow tables (`hot.told`, ...): enough to find the call of a sighting that comes later."""

# No primary keys in the database: an index would triple the cost of writing, and the one writer keeps rows unique by these.
KEYS: dict[str, list[str]] = {
    "observations": ["observation_id"],
    "calls": ["call_id"],
    "spans": ["trace_id", "span_id"],
    "messages": ["message_id"],
    "tool_definitions": ["definition_id"],
    "access": ["access_id"],
    "findings": ["finding_id"],
    "alerts": ["alert_id"],
    "decisions": ["decision_id"],
    "deliveries": ["delivery_id"],
    "grants": ["grant_id"],
    "registry": ["entry_id"],
    "normal": ["detector", "subject", "key"],
}

SPOOLED = ("observations", "spans", "messages", "tool_definitions", "access")
"""What collectors write."""

SEEN = ("calls", "messages", "tool_definitions", "access", "normal", "grants", "registry")
"""What detectors may ask."""


def schema(table: str) -> pa.Schema:
    """The Arrow schema of a table."""
    return pa.schema([pa.field(c.name, c.type) for c in (TABLES | MEMORY)[table]])


def empty(table: str) -> pa.Table:
    """A table without rows."""
    return schema(table).empty_table()


def rows_to_table(table: str, rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Rows as an Arrow table; missing columns are null."""
    wanted = schema(table)
    return pa.table({f.name: pa.array([r.get(f.name) for r in rows], f.type) for f in wanted}, wanted)


_SQL_TYPES = {
    TEXT: "VARCHAR", NUMBER: "BIGINT", REAL: "DOUBLE", pa.int8(): "TINYINT", MOMENT: "TIMESTAMPTZ",
    TEXTS: "VARCHAR[]", HASHES: "UBIGINT[]", pa.date32(): "DATE",
}


PASSING = ("calls", "observations")
"""What is hot for minutes only: to compress its texts costs a fifth of taking it in, for nothing."""


def ddl(table: str, name: str, compressed: bool = True) -> str:
    """The CREATE TABLE statement; `name` is ours, never a user's. Unless `compressed`, texts and lists are kept as they are."""
    plain = () if compressed else (TEXT, TEXTS, HASHES)
    columns = (f"{c.name} {_SQL_TYPES[c.type]}{' USING COMPRESSION uncompressed' if c.type in plain else ''}" for c in (TABLES | MEMORY)[table])
    return f"CREATE TABLE IF NOT EXISTS {name} ({', '.join(columns)})"


def names(table: str, without: Iterable[str] = ()) -> list[str]:
    """Column names of a table, in order."""
    left_out = set(without)
    return [c.name for c in (TABLES | MEMORY)[table] if c.name not in left_out]


_OWN = ("observation_id", "call_id", "tool_call_id", "observed_by", "server")
LONE_SIGHTINGS = f"""
    SELECT {', '.join(f"{'t' if name in _OWN else 'c'}.{name}" for name in names("observations"))}
    FROM hot.calls AS c JOIN hot.told AS t ON t.call_id = c.call_id AND t.seen_at = c.seen_at WHERE t.place = 'alone'"""
"""The sightings of calls that were seen once: the call holds the payload, what is remembered of the sighting holds the rest."""

HOT_OBSERVATIONS = f"SELECT {', '.join(names('observations'))} FROM hot.sighted UNION ALL BY NAME {LONE_SIGHTINGS}"
"""Every sighting that is hot, wherever its payload is: the view `hot.observations`."""
