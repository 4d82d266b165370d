"""The API: what it answers, how it decides, how it refuses."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from dashboards.rendering import to
from tests.dashboards.small import EVIL_SERVER, EVIL_SESSION, HOSTILE, SmallWorkspace


def first(api: TestClient) -> dict[str, Any]:
    row: dict[str, Any] = api.get("/api/v1/alerts").json()["rows"][0]
    return row


def test_alerts_come_highest_risk_first_with_counts(api: TestClient) -> None:
    got = api.get("/api/v1/alerts").json()
    risks = [row["risk"] for row in got["rows"]]
    assert got["total"] == 4 and risks == sorted(risks, reverse=True)
    assert got["by_state"] == {"new": 4, "in_progress": 0, "closed": 0}
    assert got["by_severity"] == {"critical": 1, "high": 1, "medium": 1, "low": 1, "info": 0}
    assert (got["rows"][0]["severity"], got["rows"][0]["severity_id"]) == ("critical", 4)


@pytest.mark.parametrize(("query", "expected"), [
    ({"severity": ["critical", "low"]}, 2), ({"state": "closed"}, 0), ({"agent": "planner"}, 1), ({"server": EVIL_SERVER}, 1),
    ({"detector": "result_leaves"}, 1), ({"session": EVIL_SESSION}, 1), ({"text": "BLIND COPY"}, 1), ({"limit": 1}, 4),
])
def test_filters(api: TestClient, query: dict[str, Any], expected: int) -> None:
    assert api.get("/api/v1/alerts", params=query).json()["total"] == expected


def test_an_alert_whole(api: TestClient) -> None:
    response = api.get(f"/api/v1/alerts/{first(api)['alert_id']}")
    got = response.json()
    assert response.headers["etag"] == '"1"'
    assert {f["detector"] for f in got["findings"]} == {"call_obeys_result", "result_leaves"}
    assert got["findings"][0]["evidence"]["explained_by_prompt"] == 0.12
    assert got["decisions"] == [] and got["deliveries"] == []


def test_a_decision_needs_the_version_that_was_looked_at(api: TestClient) -> None:
    address = f"/api/v1/alerts/{first(api)['alert_id']}"
    taken = api.patch(address, json={"state": "in_progress", "assignee": "kim", "actor": "kim"}, headers={"if-match": '"1"'})
    assert taken.status_code == 200 and taken.json()["assignee"] == "kim" and taken.headers["etag"] == '"2"'
    assert api.patch(address, json={"assignee": "ann", "actor": "ann"}, headers={"if-match": '"1"'}).status_code == 412
    assert api.patch(address, json={"assignee": "ann", "actor": "ann"}, headers={"if-match": "yesterday"}).status_code == 412
    late = api.patch(address, json={"assignee": "ann", "actor": "ann", "version": 1})
    assert late.status_code == 409 and late.json()["error"]["code"] == "conflict"
    assert api.get(address).json()["decisions"][0]["actor"] == "kim"


def test_closing_asks_for_a_verdict(api: TestClient) -> None:
    address = f"/api/v1/alerts/{first(api)['alert_id']}"
    refused = api.patch(address, json={"state": "closed", "actor": "kim"})
    assert refused.status_code == 400 and "true_positive" in refused.json()["error"]["message"]
    closed = api.patch(address, json={"state": "closed", "verdict": "benign_positive", "comment": "A drill.", "actor": "kim"})
    assert closed.json()["verdict"] == "benign_positive"


def test_sessions_and_their_turns(api: TestClient) -> None:
    listed = api.get("/api/v1/sessions", params={"limit": 2}).json()
    assert listed["total"] > 3 and [row["session_id"] for row in listed["rows"]] == ["support-4711", EVIL_SESSION]
    session = api.get("/api/v1/sessions/support-4711").json()
    assert [turn["kind"] for turn in session["turns"]] == ["user", "call", "call", "call", "call", "call", "assistant"]
    assert [mark["severity"] for mark in session["turns"][4]["marks"]] == ["critical", "high"]
    assert api.get(to("/api/v1/sessions", EVIL_SESSION)).json()["turns"][1]["result"] == HOSTILE


def test_servers_and_their_tools(api: TestClient) -> None:
    rows = api.get("/api/v1/servers").json()["rows"]
    assert {row["server"]: row["changes"] for row in rows}["mail"] == 1
    mail = api.get("/api/v1/servers/mail").json()
    tool = next(t for t in mail["tools"] if t["tool"] == "send_email")
    assert [len(d["definition_hash"]) for d in tool["definitions"]] == [64, 64]
    assert api.get(to("/api/v1/servers", EVIL_SERVER)).json()["server"] == EVIL_SERVER


def test_questions_in_sql_are_read_only(api: TestClient) -> None:
    got = api.post("/api/v1/query", json={"sql": "SELECT 1 AS n, 'a'::BLOB AS b, 'nan'::DOUBLE AS x, 1.5::DECIMAL(4, 2) AS d, [2] AS l"}).json()
    assert got["columns"] == ["n", "b", "x", "d", "l"] and got["rows"] == [[1, "61", "nan", "1.50", [2]]] and not got["cut"]
    assert api.post("/api/v1/query", json={"sql": "SELECT * FROM range(50)", "limit": 7}).json()["cut"]
    for sql in ("DROP TABLE hot.calls", "SELECT 1; SELECT 2", "SELECT nonsense FROM nowhere", "COPY calls TO 'x'"):
        response = api.post("/api/v1/query", json={"sql": sql})
        assert response.status_code == 400 and response.json()["error"]["code"] == "not_understood"


def test_files_are_taken_in(api: TestClient) -> None:
    got = api.post("/api/v1/ingest", params={"name": "../../etc/calls.jsonl"}, content=b"{}\n{}\n").json()
    assert got == {"calls": 2, "records": 2, "refused": ["../../etc/calls.jsonl: line 2: not JSON"]}
    assert api.post("/api/v1/detect").json()["findings"] == 4


@pytest.mark.parametrize(("method", "path", "status", "code"), [
    ("GET", "/api/v1/alerts/unknown", 404, "not_found"), ("GET", "/api/v1/sessions/unknown", 404, "not_found"),
    ("GET", "/api/v1/servers/unknown", 404, "not_found"), ("GET", "/api/v1/nothing", 404, "not_found"),
    ("DELETE", "/api/v1/alerts", 405, "method_not_allowed"), ("GET", "/api/v1/alerts?limit=0", 422, "invalid"),
    ("GET", "/api/v1/alerts?severity=awful", 422, "invalid"), ("GET", "/nothing", 404, "not_found"),
])
def test_every_refusal_has_one_shape(api: TestClient, method: str, path: str, status: int, code: str) -> None:
    response = api.request(method, path)
    assert response.status_code == status
    error = response.json()["error"]
    assert set(error) == {"code", "message", "hint"} and error["code"] == code and error["message"]


def test_what_was_not_expected_is_told_without_details(api: TestClient, workspace: SmallWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("a payload: hunter2")

    monkeypatch.setattr(workspace, "health", broken)
    response = api.get("/api/v1/health")
    assert response.status_code == 500 and response.json()["error"]["code"] == "failed"
    assert "hunter2" not in response.text and "content-security-policy" in response.headers


def test_the_document_describes_every_operation(api: TestClient) -> None:
    document = api.get("/api/v1/openapi.json").json()
    operations = [op for methods in document["paths"].values() for op in methods.values()]
    assert len(operations) >= 11
    assert all(op["tags"] and op["description"] and "401" in op["responses"] for op in operations)
    page = api.get("/api", headers={"accept": "text/html"}).text
    assert all(path in page for path in document["paths"])
