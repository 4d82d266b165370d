"""Budgets: what is over a limit is told with what was used and what is allowed; without a limit nothing is."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from dashboards.app import create_app
from detectors.scenarios import START, call, session
from store.records import Finding, Outcome, Record
from tests.toolhound.small import opened, spool, work
from toolhound.engine import Engine
from toolhound.proof import database_of
from toolhound.settings import Budgets, Settings, read_settings
from toolhound.spending import BUDGET_IS_EXCEEDED, overspent
from toolhound.workspace import Workspace

TOKENS = '{"gen_ai.usage.input_tokens": 900, "gen_ai.usage.output_tokens": 100, "cost_usd": 0.25}'


def over(records: Iterable[Record], **limits: Any) -> list[Finding]:
    return list(overspent(database_of(records), Budgets.model_validate(limits)))


def told(calls: int, name: str = "s1", **more: Any) -> list[Record]:
    return session(*(call("ask", {"n": n}, attributes=TOKENS, **more) for n in range(calls)), name=name)


@pytest.mark.parametrize(("measure", "limit", "used"), [("calls", 3, 4), ("tokens", 3_999, 4_000), ("cost", 0.99, 1.0)])
def test_a_session_over_its_budget_is_told_with_both_figures(measure: str, limit: float, used: float) -> None:
    [finding] = over(told(4), session={measure: limit})
    assert (finding.evidence["actual"], finding.evidence["limit"], finding.evidence["measure"]) == (used, limit, measure)
    assert (finding.session_id, len(finding.call_ids)) == ("s1", 4)
    assert over(told(4), session={measure: used}) == []


def test_without_a_limit_nothing_is_told() -> None:
    assert over(told(100)) == []


def test_an_agent_has_a_budget_of_each_day() -> None:
    days = [*told(3), *session(*(call("ask") for _ in range(2)), name="s2", start=START + timedelta(days=1))]
    [finding] = over(days, day={"calls": 2})
    assert (finding.scope, finding.scope_key, finding.evidence["actual"], finding.session_id) == ("agent", "assistant", 3, None)
    assert "2026-01-05" in finding.sentence


def test_tokens_that_are_not_told_are_reckoned_from_bytes() -> None:
    [finding] = over(session(call("read", {"n": 1}, "x" * 4_000)), session={"tokens": 900})
    assert 1_000 <= finding.evidence["actual"] < 1_010 and finding.evidence["estimated_calls"] == 1
    assert "reckoned" in finding.sentence


def test_denied_calls_use_nothing() -> None:
    assert over(told(4, outcome=Outcome.DENIED), session={"calls": 1}, day={"calls": 1}) == []


def test_an_agent_can_have_limits_of_its_own() -> None:
    both = [*told(4), *told(4, "s2", agent="importer-7")]
    [finding] = over(both, session={"calls": 3}, agents=[{"agent": "importer-*", "session": {"calls": 100}}])
    assert finding.session_id == "s1"


def test_sessions_shared_by_agents_keep_to_the_least_of_their_limits() -> None:
    shared = [*told(2), *told(2, agent="importer")]
    assert [f.evidence["limit"] for f in over(shared, session={"calls": 9}, agents=[{"agent": "importer", "session": {"calls": 3}}])] == [3]


def test_a_budget_alerts_while_calls_come_in_and_again_only_for_more(tmp_path: Path) -> None:
    engine = Engine(tmp_path, Settings(budgets=Budgets.model_validate({"session": {"calls": 3}})))
    try:
        spool(engine, work(1, calls=3))
        engine.catch_up()
        assert engine.database.rows("SELECT * FROM hot.alerts") == []
        spool(engine, work(1, calls=5))
        engine.catch_up()
        [alert] = engine.database.rows("SELECT * FROM hot.alerts")
        assert (alert["title"], alert["detectors"]) == ("A session or an agent uses more than its budget", [BUDGET_IS_EXCEEDED])
        before = engine.database.rows("SELECT finding_id, evidence FROM hot.findings ORDER BY ALL")
        engine.detect()
        assert engine.database.rows("SELECT finding_id, evidence FROM hot.findings ORDER BY ALL") == before
    finally:
        engine.close()


def test_an_engine_without_budgets_tells_nothing_of_the_same_calls(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    try:
        spool(engine, work(1, calls=5))
        engine.catch_up()
        assert engine.database.rows("SELECT * FROM hot.findings") == []
    finally:
        engine.close()


def test_budgets_are_read_from_the_settings_file(tmp_path: Path) -> None:
    path = tmp_path / "toolhound.toml"
    path.write_text('[budgets.session]\ncalls = 200\ncost = 2.5\n\n[budgets.day]\ntokens = 9000\n\n[[budgets.agents]]\nagent = "x*"\nday.calls = 5\n')
    budgets = read_settings(path).budgets
    assert (budgets.session.calls, budgets.session.cost, budgets.session.tokens, budgets.day.tokens) == (200, 2.5, None, 9000)
    assert (budgets.agents[0].agent, budgets.agents[0].day.calls) == ("x*", 5)


def test_the_pages_tell_of_a_budget_and_lead_to_its_alerts(tmp_path: Path) -> None:
    (tmp_path / "toolhound.toml").write_text("[budgets.session]\ncalls = 3\n")
    with Workspace(tmp_path) as workspace:
        spool(workspace.engine, work(1, calls=5))
        workspace.engine.catch_up()
        with TestClient(create_app(workspace, "token"), base_url="http://127.0.0.1:8765", follow_redirects=False) as client:
            client.headers["authorization"] = "Bearer token"
            page, own = client.get("/detectors"), client.get(f"/detectors/{BUDGET_IS_EXCEEDED}")
    assert "as the settings limit it" in page.text and "no longer installed" not in page.text
    assert own.status_code == 307 and own.headers["location"] == f"/alerts?status=all&detector={BUDGET_IS_EXCEEDED}"
