"""The HTTP API under /api/v1: what the pages show, as JSON. Its OpenAPI document is at /api/v1/openapi.json, to read at /api."""

from decimal import Decimal
from math import isfinite
from pathlib import Path as FilePath
from pathlib import PurePath
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from dashboards import answers
from dashboards.contract import Served
from dashboards.problems import problem
from store.errors import ConflictError, TooLargeError

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": answers.Error, "description": text}
    for status, text in (
        (400, "not understood"), (401, "no access token, or a wrong one"), (404, "no such thing"), (409, "changed in the meantime"),
        (413, "too large"), (412, "If-Match names an older version"), (422, "a parameter has a value it cannot have"),
    )
}
UPLOAD = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}
UPLOAD_BYTES = 16 << 30
"""Beyond it a mistake is likelier than a log."""

TAGS = [
    {"name": "alerts", "description": "The queue, and triage."},
    {"name": "sessions", "description": "What was said and called, in order."},
    {"name": "servers", "description": "MCP servers, their tools, and the history of the tools' definitions."},
    {"name": "register", "description": "What people have laid down: grants, and the registry of approved servers and tools."},
    {"name": "workspace", "description": "Health, and questions in SQL."},
]


def served(request: Request) -> Served:
    """The workspace that this application serves."""
    workspace: Served = request.app.state.served
    return workspace


Workspace = Annotated[Served, Depends(served)]
Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0)]
router = APIRouter(prefix="/api/v1", responses={k: ERRORS[k] for k in (401, 422)})


@router.get("/alerts", tags=["alerts"], responses={400: ERRORS[400]})
def list_alerts(
    workspace: Workspace,
    state: Annotated[list[answers.StateName] | None, Query(description="repeat for several; all where left out")] = None,
    severity: Annotated[list[answers.SeverityName] | None, Query(description="repeat for several; all where left out")] = None,
    agent: str | None = None, server: str | None = None, detector: str | None = None, session: str | None = None,
    text: Annotated[str | None, Query(description="looked for as it stands, in any case")] = None,
    order: str = Query("risk", pattern="^(risk|newest|oldest|severity)$"), limit: Limit = 50, offset: Offset = 0,
) -> answers.AlertRows:
    """A page of alerts, highest risk first."""
    page = workspace.alerts(
        states=state, severities=severity, agent=agent, server=server, detector=detector, session_id=session, text=text, order=order,
        limit=limit, offset=offset,
    )
    names = ("info", "low", "medium", "high", "critical")
    return answers.AlertRows(
        total=page.total, by_state=dict(page.by_state), by_severity={names[int(k)]: n for k, n in page.by_severity.items()},
        rows=[answers.Alert.of(row) for row in page.rows],
    )


@router.get("/alerts/{alert_id}", tags=["alerts"], responses={404: ERRORS[404]})
def show_alert(workspace: Workspace, alert_id: str, response: Response) -> answers.AlertWhole:
    """One alert whole; its ETag is its version."""
    whole = workspace.alert(alert_id)
    response.headers["etag"] = f'"{whole["alert"]["version"]}"'
    return answers.AlertWhole(
        alert=answers.Alert.of(whole["alert"]), findings=[answers.Finding.of(f) for f in whole["findings"]],
        decisions=whole["decisions"], deliveries=whole["deliveries"], standing=whole["standing"],
    )


@router.patch("/alerts/{alert_id}", tags=["alerts"], response_model=answers.Alert, responses={k: ERRORS[k] for k in (400, 404, 409, 412)})
def decide(
    workspace: Workspace, alert_id: str, step: answers.Step, request: Request, response: Response,
    if_match: Annotated[str | None, Header(description="the ETag that was looked at")] = None,
) -> answers.Alert | Response:
    """Take one step of triage. Name the version you looked at (If-Match, or `version`), or the last word wins."""
    version, by_header = step.version, if_match not in (None, "*")
    if by_header:
        tag = (if_match or "").removeprefix("W/").strip('"')
        if not tag.isdigit():
            return problem(request, 412, "changed", f"If-Match: {if_match!r} is no version of an alert.", "Send the ETag as it came.")
        version = int(tag)
    try:
        row = workspace.decide(
            alert_id, actor=step.actor or request.state.actor, state=step.state, verdict=step.verdict, assignee=step.assignee,
            comment=step.comment, version=version,
        )
    except ConflictError as error:
        if by_header:
            return problem(request, 412, "changed", str(error), "Look at it again, then decide.")
        raise
    row = row.get("alert", row)
    response.headers["etag"] = f'"{row["version"]}"'
    return answers.Alert.of(row)


@router.get("/sessions", tags=["sessions"])
def list_sessions(
    workspace: Workspace, text: Annotated[str | None, Query(description="looked for in everything said, sent and returned")] = None,
    agent: str | None = None, server: str | None = None, order: str = Query("risk", pattern="^(risk|newest)$"), limit: Limit = 50,
    offset: Offset = 0,
) -> answers.SessionRows:
    """A page of sessions, highest risk first."""
    page = workspace.sessions(text=text, agent=agent, server=server, order=order, limit=limit, offset=offset)
    return answers.SessionRows(total=page["total"], rows=[answers.SessionRow.of(row) for row in page["rows"]])


@router.get("/sessions/{session_id:path}", tags=["sessions"], responses={404: ERRORS[404]})
def show_session(workspace: Workspace, session_id: Annotated[str, Path(description="as listed, percent-encoded")]) -> answers.Session:
    """What was said and called in a session, in order, with the findings that each call proves."""
    chain = workspace.session(session_id)
    turns = [{**turn, "marks": [answers.Mark.of(mark) for mark in turn["marks"]]} for turn in chain["turns"]]
    return answers.Session.of({
        **chain, "turns": turns, "findings": [answers.Finding.of(f) for f in chain["findings"]],
        "alerts": [answers.Brief.of(alert) for alert in chain["alerts"]],
    })


@router.get("/servers", tags=["servers"])
def list_servers(workspace: Workspace) -> answers.ServerRows:
    """All servers, those with open alerts first."""
    rows = workspace.servers()
    return answers.ServerRows(total=len(rows), rows=[answers.ServerRow.of(row) for row in rows])


@router.get("/servers/{name:path}", tags=["servers"], responses={404: ERRORS[404]})
def show_server(workspace: Workspace, name: Annotated[str, Path(description="as listed, percent-encoded")]) -> answers.Server:
    """A server: tools with their definitions, versions and launch commands, recent errors."""
    server = workspace.server(name)
    return answers.Server.of({**server, "alerts": [answers.Brief.of(alert) for alert in server["alerts"]]})


@router.get("/grants", tags=["register"])
def list_grants(workspace: Workspace) -> answers.GrantRows:
    """Who may call what: all grants, newest first."""
    return answers.GrantRows(rows=[answers.Grant.of(row) for row in workspace.grants()])


@router.post("/grants", tags=["register"], responses={400: ERRORS[400]})
def grant(workspace: Workspace, new: answers.NewGrant, request: Request) -> answers.Grant:
    """Allow a principal or an agent to call what the patterns name. Calls outside the grants of those who have any are found."""
    return answers.Grant.of(workspace.grant(**{**new.model_dump(), "actor": new.actor or request.state.actor}))


@router.post("/grants/{grant_id}/revocation", tags=["register"], responses={404: ERRORS[404]})
def revoke(workspace: Workspace, grant_id: str, by: answers.Revocation, request: Request) -> answers.Grant:
    """Take a grant back; what was called while it held stays allowed."""
    return answers.Grant.of(workspace.revoke(grant_id, actor=by.actor or request.state.actor))


@router.get("/registry", tags=["register"])
def list_registry(workspace: Workspace) -> answers.RegistryRows:
    """Which servers and tools are approved or retired."""
    return answers.RegistryRows(rows=[answers.Registration.of(row) for row in workspace.registry()])


@router.post("/registry", tags=["register"], responses={400: ERRORS[400]})
def enter(workspace: Workspace, new: answers.NewRegistration, request: Request) -> answers.Registration:
    """Approve or retire a server, or one tool of it; an approved tool is pinned to the definition that was last sighted."""
    return answers.Registration.of(workspace.enter(
        new.server, new.tool, state=new.state, actor=new.actor or request.state.actor, version=new.version, comment=new.comment,
    ))


@router.get("/baselines", tags=["workspace"])
def baselines(
    workspace: Workspace, detector: str | None = None,
    subject: Annotated[str | None, Query(description="a text in whom or what is counted")] = None, limit: Limit = 20,
) -> dict[str, Any]:
    """What is normal here, as detectors have learned it, and how well it is known."""
    return workspace.baselines(detector=detector, subject=subject, limit=limit)


@router.post("/learn", tags=["workspace"])
def learn(workspace: Workspace) -> dict[str, Any]:
    """Learn what is normal anew from the lake; takes as long as it takes."""
    return workspace.learn()


@router.get("/health", tags=["workspace"])
def health(workspace: Workspace) -> dict[str, Any]:
    """How collectors, engine, detectors, deliveries and lake are."""
    return workspace.health()


@router.get("/verification", tags=["workspace"])
def verify(workspace: Workspace) -> answers.Verified:
    """Check every file against the ledger, the spool, calls against their observations, and decisions; takes as long as reading everything."""
    return answers.Verified.of(workspace.verify())


@router.post("/query", tags=["workspace"], responses={400: ERRORS[400]})
def query(workspace: Workspace, question: answers.Question) -> answers.Answered:
    """Ask one SELECT; nothing can be written."""
    table = workspace.query(question.sql, limit=question.limit)
    columns = [[_cell(value) for value in table.column(i).to_pylist()] for i in range(table.num_columns)]
    return answers.Answered(
        columns=table.column_names, types=[str(f.type) for f in table.schema], rows=[list(row) for row in zip(*columns, strict=True)],
        cut=table.num_rows >= question.limit,
    )


def _cell(value: Any) -> Any:
    """A value as JSON can hold it: bytes in hex, decimals and infinities as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal) or (isinstance(value, float) and not isfinite(value)):
        return str(value)
    if isinstance(value, list):
        return [_cell(inside) for inside in value]
    if isinstance(value, dict):
        return {str(k): _cell(inside) for k, inside in value.items()}
    return value


@router.post("/ingest", tags=["workspace"], responses={k: ERRORS[k] for k in (400, 413)}, openapi_extra=UPLOAD)
async def ingest(
    request: Request, workspace: Workspace,
    name: Annotated[str, Query(max_length=1000, description="the file's name; refusals are told by it")] = "upload",
) -> answers.Taken:
    """Take in a file of traces, logs or calls, as `toolhound ingest` does."""
    with TemporaryDirectory(prefix="toolhound-") as folder:
        ending = "".join(c for c in "".join(PurePath(name).suffixes[-2:]) if c.isalnum() or c == ".")[-20:]
        path = FilePath(folder) / f"upload{ending}"
        received = 0
        with path.open("wb") as sink:
            async for chunk in request.stream():
                received += len(chunk)
                if received > UPLOAD_BYTES:
                    raise TooLargeError(f"{name}: more than {UPLOAD_BYTES:,} bytes; send it in parts")
                sink.write(chunk)
        done = await run_in_threadpool(workspace.ingest, [str(path)])
    return answers.Taken.of({**done, "refused": [reason.replace(str(path), name) for reason in done["refused"]]})


@router.post("/detect", tags=["workspace"])
def detect(workspace: Workspace) -> answers.Looked:
    """Run every detector over everything; takes as long as it takes."""
    return answers.Looked.of(workspace.detect())
