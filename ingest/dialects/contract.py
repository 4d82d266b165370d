"""What a dialect is, and the parts of a record that every dialect reads the same way."""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from ingest.dialects.plan import Plan
from ingest.otlp.items import Item, Value
from store.records import Call, Message, Observer, Outcome, Record, SessionSource, Span, State, ToolDefinition


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of source speaks.

    rank: native vocabularies come before generic ones; the first that recognises an item reads it.
    recognises: sniffs keys, never the schema URL.
    read: yields records; nothing for an item that is only context, unless it knows better than `context` who acts in it.
    carries, never_carries: for the docs: what detectors can see in it, and what it can never show.
    plan: how spans like this one, which it recognises, are read many at once; None where they are read one by one.
    telling: the attributes whose values decide whether it recognises a span, and its plan.
    """

    rank: int
    recognises: Callable[[Item], bool]
    read: Callable[[Item], Iterable[Record]]
    carries: str
    never_carries: str
    plan: Callable[[Item], Plan | None] | None = None
    telling: tuple[str, ...] = ()


EARLIEST_YEAR, LATEST_YEAR = 1970, 2262
"""What unix nanoseconds in 64 bits can say."""

SESSION_KEYS: tuple[tuple[str, SessionSource], ...] = (
    ("langfuse.session.id", SessionSource.CONVERSATION),
    ("session.id", SessionSource.SESSION),
    ("gen_ai.conversation.id", SessionSource.CONVERSATION),
    ("conversation.id", SessionSource.CONVERSATION),
    ("traceloop.association.properties.session_id", SessionSource.SESSION),
    ("traceloop.association.properties.thread_id", SessionSource.SESSION),
    ("gcp.vertex.agent.session_id", SessionSource.SESSION),
    ("ai.telemetry.metadata.sessionId", SessionSource.SESSION),
    ("ai.telemetry.metadata.session_id", SessionSource.SESSION),
    ("ai.telemetry.metadata.threadId", SessionSource.SESSION),
    ("ai.telemetry.metadata.conversationId", SessionSource.SESSION),
    ("ai.telemetry.metadata.chatId", SessionSource.SESSION),
    ("ai.settings.context.sessionId", SessionSource.SESSION),
    ("langsmith.metadata.session_id", SessionSource.SESSION),
    ("langsmith.metadata.thread_id", SessionSource.SESSION),
    ("mcp.session.id", SessionSource.MCP_SESSION),
)
RESOURCE_SESSION = "session.id"
"""Programs that run for one session at a time may name it for all that they tell."""

PRINCIPAL_KEYS = (
    "langfuse.user.id", "user.email", "user.id", "enduser.id", "ai.telemetry.metadata.userId", "ai.telemetry.metadata.user_id",
    "ai.settings.context.userId",
    "traceloop.association.properties.user_id", "langsmith.metadata.user_id", "jwt.sub",
)
RESOURCE_PRINCIPALS = ("user.email", "user.id", "enduser.id")
TOLD_BY_RESOURCE = frozenset((RESOURCE_SESSION, *RESOURCE_PRINCIPALS))
AGENT_KEYS = ("gen_ai.agent.name", "agent.name", "agent_name")
TRACEBACK = "Traceback (most recent call last)"
PLACEHOLDERS = frozenset({"<REDACTED>", "[REDACTED]", "N/A", "<not specified>", "(merged tools)", "-", "[Filtered]"})
"""What sources write where they have or give no value."""


def first(item: Item, *keys: str) -> Value:
    """The first attribute that has a value."""
    for key in keys:
        value = item.attributes.get(key)
        if value is not None and value != "":
            return value
    return None


def text(value: Value) -> str | None:
    """A value as text: strings as they are, everything else as JSON; placeholders are no value."""
    if value is None or (isinstance(value, str) and value in PLACEHOLDERS):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    try:
        return as_json(value)
    except RecursionError:  # taken from JSON at the very edge of what can be read
        return None


def as_json(value: Any, sort_keys: bool = False) -> str:
    """JSON that every reader takes: NaN and the infinities, which JSON does not have, become text."""
    write = _WRITERS[sort_keys].encode
    try:
        return write(value)
    except ValueError:
        return write(_finite(value))


def _told_otherwise(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


_WRITERS = {
    sort_keys: json.JSONEncoder(ensure_ascii=False, default=_told_otherwise, sort_keys=sort_keys, allow_nan=False) for sort_keys in (False, True)
}


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    return [_finite(v) for v in value] if isinstance(value, list) else value


def number(value: Value) -> float | None:
    """A finite number that may come as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def whole(value: Value) -> int | None:
    """A whole number of 64 bits that may come as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = int(value)
    except (ValueError, OverflowError):
        return None
    return found if abs(found) < 1 << 63 else None


def payload(value: Value) -> tuple[str | None, State]:
    """A payload and what is known of it."""
    if value is None:
        return None, State.ABSENT
    found = text(value)
    return (None, State.REDACTED) if found is None else (found, State.CAPTURED)


def session_of(item: Item) -> tuple[str | None, int]:
    """The session's id and what it was taken from; the engine fills what is missing from the trace."""
    by_program = text(item.source.resource.get(RESOURCE_SESSION))
    for key, source in SESSION_KEYS:
        if by_program and source == SessionSource.MCP_SESSION:
            break
        found = text(item.attributes.get(key))
        if found:
            return found, int(source)
    return (by_program, int(SessionSource.SESSION)) if by_program else (None, int(SessionSource.TRACE))


def principal_of(item: Item) -> str | None:
    """Who is acted for, which a program that runs for one user may tell for all that it tells."""
    return text(first(item, *PRINCIPAL_KEYS)) or next((found for key in RESOURCE_PRINCIPALS if (found := text(item.source.resource.get(key)))), None)


def moment(nanos: int) -> datetime:
    """Unix nanoseconds as a moment; now, where the source gave none."""
    if not nanos:
        return datetime.now(UTC)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanos // 1000)


def moment_of(value: Any) -> datetime | None:
    """A moment out of ISO 8601 or unix seconds; without an offset it is UTC. None where it is neither, or out of range."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            made = datetime.fromtimestamp(value, UTC)
        else:
            made = datetime.fromisoformat(str(value))
            made = made.astimezone(UTC) if made.tzinfo else made.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return made if EARLIEST_YEAR <= made.year <= LATEST_YEAR else None


def digest(*parts: str | None) -> str:
    """A stable id out of parts."""
    return hashlib.sha256("\0".join(p or "" for p in parts).encode("utf-8", "replace")).hexdigest()[:24]


def call(item: Item, dialect: str, tool: str, observed_by: Observer, **more: Any) -> Call:
    """A sighting of a call with the parts that spans of every dialect share."""
    identity = digest(item.trace_id, item.span_id)
    return _call(item, dialect, tool, observed_by, item.span_id, item.parent_span_id, identity, moment(item.started_ns), more)


def _call(
    item: Item, dialect: str, tool: str, observed_by: Observer, span_id: str | None, parent: str | None, identity: str, at: datetime,
    more: Mapping[str, Any],
) -> Call:
    session_id, source = session_of(item)
    failed = item.failed or first(item, "error.type") is not None
    thrown = next((e.attributes for e in item.events if e.name == "exception"), None) if failed else None
    fields: dict[str, Any] = {
        "observation_id": identity, "called_at": at,
        "session_id": session_id, "session_source": source,
        "duration_ms": (item.ended_ns - item.started_ns) / 1e6 if item.ended_ns > item.started_ns > 0 else None,
        "trace_id": item.trace_id, "span_id": span_id, "parent_span_id": parent,
        "agent": text(first(item, *AGENT_KEYS)), "agent_version": text(first(item, "gen_ai.agent.version")),
        "principal": principal_of(item),
        "client_address": text(first(item, "client.address")),
        "server_address": text(first(item, "server.address")),
        "outcome": Outcome.ERROR if failed else Outcome.OK,
        "error_type": text(first(item, "error.type")), "error_message": item.status_message or None,
        "attributes": leftover(item),
    }
    if thrown is not None:
        fields["error_type"] = fields["error_type"] or text(thrown.get("exception.type"))
        fields["error_message"] = without_traceback(item.status_message or text(thrown.get("exception.message")))
    fields.update((key, value) for key, value in more.items() if value is not None)
    return Call(tool=tool, observed_by=observed_by, dialect=dialect, **fields)


def without_traceback(message: str | None) -> str | None:
    """What went wrong, without where in the program, which some instrumentations write behind it."""
    return (message or "").partition(TRACEBACK)[0].strip() or None


def logged(item: Item, dialect: str, tool: str, observed_by: Observer, *native: str | None, **more: Any) -> Call:
    """A sighting of a call in a log record, which lies inside the span that it names. native: what tells it from all others, if anything does."""
    return _call(item, dialect, tool, observed_by, None, item.span_id, log_id(item, dialect, *native), log_moment(item), more)


def log_id(item: Item, dialect: str, *native: str | None) -> str:
    """Log records have no id of their own: the source's own ids and the time, else the whole record."""
    if native and all(native):
        return digest(dialect, *native, str(item.started_ns))
    return digest(dialect, str(item.started_ns), str(sorted((k, str(item.attributes.get(k))) for k in item.attributes)))


def log_moment(item: Item) -> datetime:
    """When a log record was made: its own moment, else what its attributes say."""
    return moment(item.started_ns) if item.started_ns else moment_of(first(item, "event.timestamp")) or moment(0)


def event_name(item: Item) -> str:
    """The name of a log record: in an attribute, in the record or in the body.

    The attribute counts first: bridges from logging libraries put the place in the program into the record (`event src/tool_result.rs:54`).
    """
    return text(first(item, "event.name")) or item.name or (item.body if isinstance(item.body, str) else "")


def context(item: Item) -> Span:
    """A span kept for parentage."""
    session_id, source = session_of(item)
    return Span(
        trace_id=item.trace_id or "", span_id=item.span_id or "", parent_span_id=item.parent_span_id, started_at=moment(item.started_ns),
        session_id=session_id, session_source=source, agent=text(first(item, *AGENT_KEYS)),
        agent_version=text(first(item, "gen_ai.agent.version")), principal=principal_of(item),
    )


LEFT_OVER_BYTES, LEFT_OVER_VALUE = 2_000, 200
BULKY = (
    "messages", "gen_ai.tool.call.", "input.value", "output.value", "tool_arguments", "tool_response", "json_schema", "definitions", "parameters",
    "tool_input", "tool_call_args", "final_result", "full_command", "prompt.text", "entity.input", "entity.output", "observation.input",
    "observation.output", "request.argument", "tool.result", "system_instructions", "ai.toolCall.args", "ai.toolCall.result", "ai.prompt",
    "ai.response.", "gen_ai.prompt", "gen_ai.completion", "task.input", "task.output", "trace.input", "trace.output", "invocation.args",
    "invocation.result", "llm_request", "llm_response", "response.value", "tool.arguments", "user_prompt", "tool_result.content",
    "new_context",
)
"""Parts of the names of attributes that hold payloads: those have columns of their own, which obey the setting keep.payloads."""
BARE_PAYLOADS = frozenset({"arguments", "input", "output", "prompt", "request", "response", "function_args", "file_path", "headers", "logfire.msg"})
"""Whole names of such attributes, which as parts would leave out too much."""


def leftover(item: Item) -> str | None:
    """What the source said beyond the columns, as JSON; the payloads that have their own columns are left out, and long values cut."""
    return rest([(key, item.attributes.get(key)) for key in sorted(item.attributes) if not holds_payload(key)])  # decoders differ in order


@lru_cache(4096)
def holds_payload(key: str) -> bool:
    """Whether an attribute has a column of its own, or may hold what has one."""
    return key in BARE_PAYLOADS or any(part in key for part in BULKY)


def rest(pairs: Iterable[tuple[str, Any]]) -> str | None:
    """Pairs as one JSON object of limited size: long texts cut, and what is too large left out."""
    kept: dict[str, Value] = {}
    room = LEFT_OVER_BYTES
    for key, value in pairs:
        shown = value[:LEFT_OVER_VALUE] if isinstance(value, str) else value
        needs = len(key) + len(shown if isinstance(shown, str) else str(shown))
        if needs <= room:
            room -= needs
            kept[key] = shown
    return as_json(kept) if kept else None


def parsed(value: Value) -> Any:
    """A value that may be JSON text; None where it is none."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def told(item: Item, dialect: str, messages: Any, whole_run: bool = False) -> Iterator[Message]:
    """Texts of a message list in the GenAI shape (`role`, `parts` of type text, or `content`).

    whole_run: the list covers all of the span, so what the assistant says in it came no earlier than its end.
    """
    session_id, source = session_of(item)
    for message in messages if isinstance(messages, list) else []:
        if not isinstance(message, dict) or message.get("role") not in ("user", "system", "assistant"):
            continue
        parts = message.get("parts")
        texts = [p.get("content") for p in parts if isinstance(p, dict) and p.get("type") == "text"] if isinstance(parts, list) else []
        if isinstance(message.get("content"), str):
            texts.append(message["content"])
        said = "\n".join(t for t in texts if isinstance(t, str) and t)
        if said:
            late = whole_run and message["role"] == "assistant"
            yield said_by(item, dialect, message["role"], said, session_id, source, item.ended_ns if late else item.started_ns)


def said_by(
    item: Item, dialect: str, role: str, said: str, session_id: str | None, source: int, said_ns: int | None = None
) -> Message:
    """One message; its id does not depend on how often it is told again."""
    kept = text(said)
    return Message(
        message_id=digest(session_id or item.trace_id, role, said), role=role, dialect=dialect,
        said_at=moment(item.started_ns if said_ns is None else said_ns),
        text=kept, text_state=State.CAPTURED if kept is not None else State.REDACTED,
        session_id=session_id or item.trace_id, session_source=source, trace_id=item.trace_id, agent=text(first(item, *AGENT_KEYS)),
    )


SCHEMAS = ("inputSchema", "input_schema", "parameters", "parameters_json_schema", "parametersJsonSchema")
"""Under which names tool lists have the schema of a tool's input."""


def defined(item: Item, dialect: str, definitions: Any, server: str | None = None) -> Iterator[ToolDefinition]:
    """Definitions of a tool list: GenAI (`name, description, parameters`), MCP (`inputSchema`) or OpenAI (`function`) shape."""
    for one in definitions if isinstance(definitions, list) else []:
        inner = one.get("function", one) if isinstance(one, dict) else None
        if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
            continue
        shape = next((inner[k] for k in SCHEMAS if k in inner), None)
        where = inner.get("toolset_id")
        try:
            schema = None if shape is None else as_json(shape, sort_keys=True)
        except RecursionError:  # read from text at the very edge of what can be read
            continue
        yield ToolDefinition(
            sighted_at=moment(item.started_ns), tool=inner["name"], dialect=dialect,
            server=server or (where if isinstance(where, str) and not where.startswith("<") else None),
            agent=text(first(item, *AGENT_KEYS)), description=text(inner.get("description")),
            input_schema=schema, session_id=session_of(item)[0],
        )
