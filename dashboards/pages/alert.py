"""One alert: what it says, what proves it, what happened around it, and the form that moves it on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from dashboards import figures
from dashboards.api import Workspace
from dashboards.contract import Served
from dashboards.pages.alerts import chosen_step, take
from dashboards.pages.asking import Form, ask, one
from dashboards.pages.servers import defined_tools
from dashboards.payloads import carried_parts, quoted_parts
from dashboards.problems import told
from dashboards.rendering import render
from store.errors import NotFoundError, SourceError
from store.records import Grade, Verdict

router = APIRouter()
PROOFS = 200
"""Calls that `evidence_calls` answers at most."""

WHOLE_TURNS = 40
"""A session up to this long is listed whole; of a longer one, the turns around the evidence."""

AROUND = 3
"""Turns shown before and after each call that proves something."""

SERVERS_SHOWN = 3
"""Servers whose definitions an alert's page shows."""

GRADES = {
    Grade.ORDER: "order only", Grade.NEW_DESTINATION: "new destination", Grade.CONTENT: "content seen to flow",
    Grade.SENSITIVE: "sensitive content",
}


@router.get("/alerts/{alert_id}")
def alert(request: Request, workspace: Workspace, alert_id: str) -> Response:
    """The alert page."""
    whole = workspace.alert(alert_id)
    row, findings = whole["alert"], whole["findings"]
    proofs = ask(workspace, "evidence_calls", call_ids=row["call_ids"] or []).to_pylist()
    chain = _chain(workspace, row, proofs)
    evidence = frozenset(row["call_ids"] or [])
    gone = min(len(evidence), PROOFS) - len(proofs)
    turns = chain["turns"] if chain else [proof | {"step": n, "marks": []} for n, proof in enumerate(proofs, 1)]
    step_of = {t["id"]: t["step"] for t in turns}
    parts_of, carried = parts_by_call(findings), carried_parts(proofs)
    parts_of = {call_id: [*parts, *carried] for call_id, parts in parts_of.items()}
    return render(
        request, "alert.html", alert=row, findings=findings, decisions=whole["decisions"], deliveries=whole["deliveries"], grades=GRADES,
        gone=gone, proofs=[proof | {"step": step_of.get(proof["id"]), "marks": []} for proof in proofs], evidence=evidence, parts_of=parts_of,
        quoted=quoted_parts(findings), defined=[] if row["call_ids"] else _defined(workspace, row), chain=chain, verdicts=list(Verdict),
        turns=around(turns, evidence) if chain else [], figure=figures.timeline(turns, evidence).to_json() if turns else None,
    )


@router.post("/alerts/{alert_id}")
def decide(request: Request, workspace: Workspace, alert_id: str, fields: Form) -> Response:
    """One step of triage, made on the version that the form was shown with."""
    version = one(fields, "version")
    try:
        take(workspace, alert_id, chosen_step(fields, request.state.actor), request.state.actor, int(version) if version.isdigit() else None)
    except SourceError as error:
        return told(request, error)
    return RedirectResponse(f"/alerts/{alert_id}", 303)


def _defined(workspace: Served, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tools that an alert without calls is about, with their definitions: those are what proves it."""
    tools: list[dict[str, Any]] = []
    for name in (row["servers"] or [])[:SERVERS_SHOWN]:
        try:
            known = defined_tools(workspace.server(name))
        except NotFoundError:
            continue
        tools += [tool | {"server": name} for tool in known if tool["definitions"] and tool["tool"] in (row["tools"] or [tool["tool"]])]
    return tools


def _chain(workspace: Served, row: Mapping[str, Any], proofs: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The session that holds most of the evidence."""
    named = Counter(p["session_id"] for p in proofs if p["session_id"])
    session_id = named.most_common(1)[0][0] if named else next(iter(row["session_ids"] or []), None)
    try:
        return workspace.session(session_id) if session_id else None
    except NotFoundError:
        return None


def parts_by_call(findings: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """What to mark in each call: the texts quoted by the findings that it proves."""
    by_call: dict[str, list[Mapping[str, Any]]] = {}
    for finding in findings:
        for call_id in finding["call_ids"] or []:
            by_call.setdefault(call_id, []).append(finding)
    return {call_id: quoted_parts(proved) for call_id, proved in by_call.items()}


def around(turns: Sequence[dict[str, Any]], evidence: frozenset[str]) -> list[dict[str, Any]]:
    """The turns to list: all of a short session, else those near evidence and what the user said; gaps are told by their steps."""
    if len(turns) <= WHOLE_TURNS:
        return list(turns)
    near = {i + d for i, t in enumerate(turns) if t["id"] in evidence for d in range(-AROUND, AROUND + 1)}
    return [t for i, t in enumerate(turns) if i in near or i == 0 or t["kind"] == "user"][: WHOLE_TURNS * 3]
