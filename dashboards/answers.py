"""What the API answers and takes: the models that the OpenAPI document is made of."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from store.records import Severity

SeverityName = Literal["info", "low", "medium", "high", "critical"]
StateName = Literal["new", "in_progress", "closed"]
VerdictName = Literal["true_positive", "benign_positive", "false_positive", "undetermined", "duplicate"]


class Answer(BaseModel):
    """Rows may gain columns; clients ignore what they do not know."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """A row as an answer: severity by name, its number beside it."""
        fields = dict(row)
        if isinstance(fields.get("severity"), int):
            fields["severity_id"] = fields["severity"]
            fields["severity"] = Severity(fields["severity"]).name.lower()
        return cls.model_validate(fields)


class Problem(BaseModel):
    """What went wrong."""

    code: str = Field(examples=["not_found"])
    message: str = Field(examples=["alert 'x' does not exist"])
    hint: str = Field("", description="what to do about it")


class Error(BaseModel):
    """The envelope of every error."""

    error: Problem


class Alert(Answer):
    """Findings about one session or subject, grouped for a person, with a life."""

    alert_id: str
    title: str
    severity: SeverityName
    severity_id: int = Field(description="0 info to 4 critical")
    risk: float = Field(description="combined standing of the findings, 0 to 1")
    state: StateName
    verdict: VerdictName | None = None
    assignee: str | None = None
    detectors: list[str] = []
    session_ids: list[str] = []
    agents: list[str] = []
    servers: list[str] = []
    tools: list[str] = []
    call_ids: list[str] = []
    techniques: list[str] = Field([], description="taxonomy ids, such as atlas:AML.T0086 or owasp-mcp:2025:MCP10")
    opened_at: datetime
    updated_at: datetime
    explanation: str
    version: int = Field(description="counts the changes; send it back when you decide")


class Finding(Answer):
    """One detector's answer about one scope key and subject."""

    finding_id: str
    detector: str
    severity: SeverityName
    grade: int = Field(description="evidence: 1 order, 2 new destination, 3 content, 4 sensitive")
    score: float
    sentence: str
    call_ids: list[str] = []
    evidence: dict[str, Any] | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """A row, its evidence read."""
        evidence = row.get("evidence")
        return super().of({**row, "evidence": json.loads(evidence) if isinstance(evidence, str) and evidence else evidence or None})


class AlertWhole(Answer):
    """An alert with everything that belongs to it."""

    alert: Alert
    findings: list[Finding]
    decisions: list[dict[str, Any]] = Field(description="every step of triage, in order")
    deliveries: list[dict[str, Any]] = Field(description="on their way to sinks, or arrived")
    standing: dict[str, Any] | None = Field(None, description="the risk among those of past sessions; null where these are too few")


class AlertRows(BaseModel):
    """A page of alerts. Each count leaves its own filter out."""

    total: int
    by_state: dict[str, int]
    by_severity: dict[str, int]
    rows: list[Alert]


class Looked(Answer):
    """What came of a look at everything."""

    findings: int
    withdrawn: int
    failures: dict[str, str] = Field(description="detectors that failed, each with why")


class Damage(Answer):
    """Something stored that is not as it should be."""

    place: str
    what: str
    cure: str


class Verified(Answer):
    """Whether all that is stored is whole and in agreement; without problems, it is."""

    problems: list[Damage]
    counts: dict[str, int] = Field(description="how much there is")


class Step(BaseModel):
    """One step of triage; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"state": "in_progress", "assignee": "kim", "actor": "kim"},
        {"state": "closed", "verdict": "false_positive", "comment": "Nightly export, see change 4711.", "actor": "kim"},
    ]})

    state: StateName | None = None
    verdict: VerdictName | None = Field(None, description="required to close")
    assignee: str | None = Field(None, max_length=200, description="empty takes the name off")
    comment: str = Field("", max_length=30_000)
    version: int | None = Field(None, description="the version that was looked at; another If-Match")
    actor: str | None = Field(None, max_length=200, description="who decides; the name of the signed-in analyst where left out")


class Brief(Answer):
    """An alert in few words."""

    alert_id: str
    title: str
    severity: SeverityName
    severity_id: int
    risk: float
    state: StateName
    verdict: VerdictName | None = None


class SessionRow(Answer):
    """A session as a list shows it."""

    session_id: str
    risk: float | None = None
    severity: SeverityName | None = None
    calls: int = 0
    first_called_at: datetime | None = None
    last_called_at: datetime | None = None
    agents: list[str] = []
    servers: list[str] = []
    prompt: str | None = None


class SessionRows(BaseModel):
    """A page of sessions."""

    total: int
    rows: list[SessionRow]


class Mark(Answer):
    """A finding that a call proves."""

    finding_id: str
    detector: str
    severity: SeverityName
    severity_id: int


class Turn(Answer):
    """Something said or called."""

    step: int
    kind: str = Field(description="call, or the role of who said it: user, assistant, system")
    id: str = Field(description="call id or message id")
    happened_at: datetime
    server: str | None = None
    tool: str | None = None
    said: str | None = Field(None, description="the text said, or the call's arguments; the first 20,000 characters")
    result: str | None = Field(None, description="the first 20,000 characters")
    outcome: str | None = None
    marks: list[Mark] = Field([], description="the findings that this call proves")


class Session(Answer):
    """A session in order."""

    session_id: str
    total: int = Field(description="turns in all; beyond the first 2,000 only those that prove a finding are here")
    turns: list[Turn]
    findings: list[Finding]
    alerts: list[Brief]


class ServerRow(Answer):
    """A server as a list shows it."""

    server: str = Field(description='empty is "not recorded"')
    calls: int
    errors: int
    tools_called: int
    tools_defined: int
    changes: int = Field(description="how often a definition changed")
    open_alerts: int
    severity: SeverityName | None = Field(None, description="of the worst open alert")


class ServerRows(BaseModel):
    """All servers."""

    total: int
    rows: list[ServerRow]


class Server(Answer):
    """A server with its tools."""

    server: str
    calls: int
    tools: list[dict[str, Any]] = Field(description="each with its definitions, oldest first")
    runs: list[dict[str, Any]] = Field(description="versions, addresses and launch commands sighted")
    errors: list[dict[str, Any]]
    alerts: list[Brief]


class Grant(Answer):
    """Who may call what, until when; names are patterns, null means any."""

    grant_id: str
    principal: str | None = None
    agent: str | None = None
    server: str | None = None
    tool: str | None = None
    granted_at: datetime
    granted_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    comment: str = ""


class GrantRows(BaseModel):
    """All grants, newest first."""

    rows: list[Grant]


class NewGrant(BaseModel):
    """A grant to be made. Patterns: `*` any characters, `?` one."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"agent": "release-bot", "server": "github", "tool": "*", "until": "2027-01-01T00:00:00Z", "comment": "release 4.2"},
    ]})

    principal: str | None = Field(None, max_length=300)
    agent: str | None = Field(None, max_length=300)
    server: str | None = Field(None, max_length=300)
    tool: str | None = Field(None, max_length=300)
    until: AwareDatetime | None = Field(None, description="holds until it is revoked where left out")
    comment: str = Field("", max_length=30_000)
    actor: str | None = Field(None, max_length=200, description="who gives it; the name of the signed-in analyst where left out")


class Revocation(BaseModel):
    """Who takes a grant back."""

    model_config = ConfigDict(extra="forbid")

    actor: str | None = Field(None, max_length=200, description="the name of the signed-in analyst where left out")


class Registration(Answer):
    """Where a server, or one tool of it, stands."""

    entry_id: str
    server: str
    tool: str | None = None
    state: Literal["approved", "retired"]
    version: str | None = None
    definition_hash: str | None = Field(None, description="the definition that the approved tool is pinned to")
    changed_at: datetime
    changed_by: str
    comment: str = ""


class RegistryRows(BaseModel):
    """The registry, by server and tool."""

    rows: list[Registration]


class NewRegistration(BaseModel):
    """An entry to be made."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"server": "github", "state": "approved", "version": "1.4.0"}]})

    server: str = Field(min_length=1, max_length=300)
    tool: str | None = Field(None, max_length=300, description="the server itself where left out")
    state: Literal["approved", "retired"]
    version: str | None = Field(None, max_length=200)
    comment: str = Field("", max_length=30_000)
    actor: str | None = Field(None, max_length=200, description="who says so; the name of the signed-in analyst where left out")


class Question(BaseModel):
    """One SELECT over the tables and views of docs/tables.md: `calls`, `messages`, `findings`, `alerts`, `steps`, `turns`, `leaves` and others."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"sql": "SELECT server, count(*) AS calls FROM calls GROUP BY server"}]}
    )

    sql: str = Field(max_length=100_000)
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000


class Taken(Answer):
    """What came of files that were sent."""

    calls: int
    records: int
    refused: list[str] = Field(description="place and reason of what could not be read")


class Answered(BaseModel):
    """Rows of a query, in the order of its columns."""

    columns: list[str]
    types: list[str]
    rows: list[list[Any]]
    cut: bool = Field(description="whether there may be more rows than were asked for")
