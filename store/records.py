"""The nouns: what was seen (Call, Message, ToolDefinition, Access) and what came of it (Finding, Alert, Delivery).

Frozen and slotted. Field names are the column names of `store.tables`, which holds type, meaning and sensitivity of each.
All moments are aware datetimes in UTC; durations end in `_ms`.
"""

from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, TypeAlias


class State(StrEnum):
    """What is known of a payload: "nothing recorded" is never the same as an empty value."""

    CAPTURED = "captured"
    ABSENT = "absent"
    REDACTED = "redacted"
    TRUNCATED = "truncated"
    FINGERPRINT_ONLY = "fingerprint_only"


class Outcome(StrEnum):
    """How a call ended."""

    OK = "ok"
    ERROR = "error"
    DENIED = "denied"
    UNKNOWN = "unknown"


class Observer(StrEnum):
    """Who saw the call, from what the agent meant to what the server ran."""

    AGENT = "agent"
    CLIENT = "client"
    GATEWAY = "gateway"
    SERVER = "server"
    DECISION = "decision"


class SessionSource(IntEnum):
    """What the session id was taken from; a lower number wins when observations of one call disagree."""

    CONVERSATION = 1
    SESSION = 2
    MCP_SESSION = 3
    TRACE = 4
    CLIENT = 5


@dataclass(frozen=True, slots=True)
class Call:
    """One sighting of a tool call by one observer; the engine merges the sightings of one call into one row."""

    observation_id: str
    called_at: datetime
    tool: str
    observed_by: Observer
    dialect: str
    seq: int | None = None
    tool_call_id: str | None = None
    session_id: str | None = None
    session_source: int = SessionSource.TRACE
    duration_ms: float | None = None
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    agent: str | None = None
    agent_version: str | None = None
    principal: str | None = None
    client_address: str | None = None
    server: str | None = None
    server_version: str | None = None
    server_address: str | None = None
    transport: str | None = None
    arguments: str | None = None
    arguments_state: State = State.ABSENT
    result: str | None = None
    result_state: State = State.ABSENT
    outcome: Outcome = Outcome.UNKNOWN
    error_type: str | None = None
    error_message: str | None = None
    decision: str | None = None
    decided_by: str | None = None
    attributes: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A span that is kept for parentage only: it ties calls to their session, agent and prompt."""

    trace_id: str
    span_id: str
    started_at: datetime
    parent_span_id: str | None = None
    session_id: str | None = None
    session_source: int = SessionSource.TRACE
    agent: str | None = None
    agent_version: str | None = None
    principal: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What the user, the model or the system said in a session."""

    message_id: str
    said_at: datetime
    role: str
    dialect: str
    text: str | None = None
    text_state: State = State.ABSENT
    session_id: str | None = None
    session_source: int = SessionSource.TRACE
    trace_id: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """One sighting of a tool's definition."""

    sighted_at: datetime
    tool: str
    dialect: str
    server: str | None = None
    server_version: str | None = None
    server_address: str | None = None
    launch_command: str | None = None
    agent: str | None = None
    description: str | None = None
    input_schema: str | None = None
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """A connection or authentication attempt: who, from where, to which server, with what result."""

    access_id: str
    accessed_at: datetime
    outcome: Outcome
    dialect: str
    method: str = "connect"
    principal: str | None = None
    client_address: str | None = None
    agent: str | None = None
    server: str | None = None
    transport: str | None = None
    error_message: str | None = None
    session_id: str | None = None


Record: TypeAlias = Call | Span | Message | ToolDefinition | Access


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission: who may call what, from when until when. Names are patterns (`*`, `?`); None means any."""

    grant_id: str
    granted_at: datetime
    granted_by: str
    principal: str | None = None
    agent: str | None = None
    server: str | None = None
    tool: str | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Registration:
    """Where a server, or one tool of it, stands: approved (perhaps with a pinned definition) or retired, since when and by whom."""

    entry_id: str
    server: str
    state: str
    changed_at: datetime
    changed_by: str
    tool: str | None = None
    version: str | None = None
    definition_hash: str | None = None
    comment: str = ""


Stated: TypeAlias = Grant | Registration
"""What the people of a deployment have laid down, beside what sources tell."""


class Severity(IntEnum):
    """How bad it is if the finding is true."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class Grade(IntEnum):
    """How strong the evidence is; order alone never makes a high alert."""

    ORDER = 1
    NEW_DESTINATION = 2
    CONTENT = 3
    SENSITIVE = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """One detector's answer about one scope key and subject."""

    finding_id: str
    detector: str
    severity: Severity
    scope: str
    scope_key: str
    subject: str
    call_ids: list[str]
    grade: Grade
    score: float
    sentence: str
    evidence: dict[str, Any]
    techniques: list[str]
    session_id: str | None
    agents: list[str]
    servers: list[str]
    tools: list[str]
    first_called_at: datetime | None
    last_called_at: datetime | None


class AlertState(StrEnum):
    """Where an alert stands in its life."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    CLOSED = "closed"


class Verdict(StrEnum):
    """What an alert turned out to be; closing asks for one."""

    TRUE_POSITIVE = "true_positive"
    BENIGN_POSITIVE = "benign_positive"
    FALSE_POSITIVE = "false_positive"
    UNDETERMINED = "undetermined"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Alert:
    """Findings about one session or subject, grouped for a person, with a life."""

    alert_id: str
    group_key: str
    title: str
    severity: Severity
    risk: float
    state: AlertState
    verdict: Verdict | None
    assignee: str | None
    detectors: list[str]
    finding_ids: list[str]
    session_ids: list[str]
    agents: list[str]
    servers: list[str]
    tools: list[str]
    call_ids: list[str]
    techniques: list[str]
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    first_called_at: datetime | None
    last_called_at: datetime | None
    explanation: str
    version: int


@dataclass(frozen=True, slots=True)
class Decision:
    """One step of triage: who moved which alert from where to where, and why. Append-only."""

    decision_id: str
    alert_id: str
    decided_at: datetime
    actor: str
    from_state: str
    to_state: str
    verdict: Verdict | None = None
    assignee: str | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert on its way to one sink."""

    delivery_id: str
    alert_id: str
    sink: str
    event: str
    body: str
    created_at: datetime
    next_attempt_at: datetime
    status: str = "pending"
    attempts: int = 0
    last_error: str | None = None
    response_code: int | None = None
    delivered_at: datetime | None = None


def names_of(record: type) -> list[str]:
    """The field names of a record class, in order."""
    return [f.name for f in fields(record)]


@dataclass(slots=True)
class Records:
    """What one request or file held, by kind, on its way to a batch."""

    calls: list[Call] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    definitions: list[ToolDefinition] = field(default_factory=list)
    access: list[Access] = field(default_factory=list)

    def add(self, record: Record) -> None:
        """Put a record with its kind."""
        match record:
            case Call():
                self.calls.append(record)
            case Span():
                self.spans.append(record)
            case Message():
                self.messages.append(record)
            case ToolDefinition():
                self.definitions.append(record)
            case Access():
                self.access.append(record)

    def extend(self, other: "Records") -> None:
        """Take over all records of another."""
        self.calls += other.calls
        self.spans += other.spans
        self.messages += other.messages
        self.definitions += other.definitions
        self.access += other.access

    def __len__(self) -> int:
        return len(self.calls) + len(self.spans) + len(self.messages) + len(self.definitions) + len(self.access)
