"""Several sightings of one call, each in the words of its source, become one call."""

from collections.abc import Iterable
from typing import Any

import pytest

from ingest.batch import to_tables
from ingest.otlp.items import Event, Item, Source
from ingest.otlp.json import decode_traces
from ingest.reading import read_items
from store.database import Database
from store.intake import absorb
from tests.ingest.dialects.sent import GOLDEN, STARTED, TRACE
from tests.ingest.dialects.test_laws import NoMasks
from tests.store.sightings import NOON, database


def item(name: str, number: int, parent: int | None, attributes: dict[str, Any], scope: str = "", signal: str = "span", **more: Any) -> Item:
    return Item(
        signal, name, Source({}, scope, ""), attributes, TRACE, f"{number:016x}", None if parent is None else f"{parent:016x}",
        STARTED + number, STARTED + 1_000, **more,
    )


def calls_of(items: Iterable[Item]) -> list[dict[str, Any]]:
    into: Database = database()
    with into.transaction():
        absorb(into, to_tables(read_items(items)[0], NoMasks()), NOON)
    return into.rows("SELECT * FROM calls ORDER BY called_at, tool")


SCOPE = "com.anthropic.claude_code.tracing"
IDS: dict[str, Any] = {"session.id": "s-1", "tool_use_id": "toolu_1"}


def claude_code(decision: str) -> list[Item]:
    inside = [item("claude_code.tool.blocked_on_user", 3, 2, IDS | {"decision": decision, "source": "user_temporary"}, SCOPE)]
    if decision == "accept":
        inside.append(item("claude_code.tool.execution", 4, 2, IDS | {"success": False, "error": "exit 1"}, SCOPE))
    tool = item(
        "claude_code.tool", 2, 1, IDS | {"tool_name": "Bash", "full_command": "ls"}, SCOPE, events=(Event("tool.output", {"output": "README"}),)
    )
    return [item("claude_code.interaction", 1, None, {"session.id": "s-1", "user_prompt": "List"}, SCOPE), tool, *inside]


def test_claude_code_spans() -> None:
    (call,) = calls_of(claude_code("accept"))
    assert (call["tool"], call["outcome"], call["error_message"], call["arguments"], call["result"], call["session_id"]) == (
        "Bash", "error", "exit 1", '{"full_command": "ls"}', "README", "s-1",
    )


def test_claude_code_spans_of_a_rejected_call() -> None:
    (call,) = calls_of(claude_code("reject"))
    assert (call["tool"], call["outcome"], call["decision"], call["decided_by"]) == ("Bash", "denied", "reject", "user_temporary")


def test_claude_code_spans_and_log_records() -> None:
    own = {"event.name": "tool_result", "tool_name": "Bash", "success": "false", "duration_ms": "3"}
    decided = {"event.name": "tool_decision", "tool_name": "Bash", "decision": "accept", "source": "user_temporary"}
    logs = [item("", n, None, IDS | more, "com.anthropic.claude_code.events", "log") for n, more in ((2, own), (2, decided))]
    (call,) = calls_of([*claude_code("accept"), *logs])
    assert (call["tool"], call["outcome"], call["decision"], call["decided_by"]) == ("Bash", "error", "accept", "user_temporary")


def test_codex_result_and_decision_and_its_next_call() -> None:
    def of(n: int) -> list[Item]:
        told = {"conversation.id": "conv-1", "tool_name": "shell", "call_id": f"call_{n}"}
        result = told | {"event.name": "codex.tool_result", "success": "true", "output": f"{n}", "mcp_server": ""}
        decision = told | {"event.name": "codex.tool_decision", "decision": "approved", "source": "Config"}
        return [item("", 7, None, decision, "codex_otel.log_only", "log"), item("", 7, None, result, "codex_otel.log_only", "log")]

    calls = calls_of([*of(1), *of(2)])  # both in the span of one turn, which was not sent
    assert sorted((c["tool"], c["server"], c["result"], c["decision"], c["outcome"]) for c in calls) == [
        ("shell", "codex", n, "accept", "ok") for n in ("1", "2")
    ]


def test_contextforge_and_its_plugin() -> None:
    before = {"tool.name": "find", "request_id": "r-1", "tool.invocation.args": '{"name":"Bo"}', "target_mcp_server.name": "crm"}
    after = {"request_id": "r-1", "tool.invocation.result": "Bo Example", "tool.invocation.has_error": False}
    invoked = item("tool.invoke", 1, None, {"tool.name": "find", "success": True})
    (call,) = calls_of([invoked, item("tool.pre_invoke", 2, 1, before), item("tool.post_invoke", 3, 1, after)])
    assert (call["tool"], call["server"], call["arguments"], call["result"], call["outcome"]) == ("find", "crm", '{"name":"Bo"}', "Bo Example", "ok")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["openllmetry_mcp_0_62_client.json", "openllmetry_mcp_0_62_server.json"], [("client,server", "weather"), ("client,server", "weather")]),
        (["logfire_5_2_mcp_1_30.json"], [("client,server", "trip-planner"), ("client,server", "trip-planner")]),
    ],
)
def test_client_and_server_of_a_real_run(names: list[str], expected: list[tuple[str, str]]) -> None:
    calls = calls_of([one for name in names for one in decode_traces((GOLDEN / name).read_bytes())])
    assert [(",".join(c["observed_by"]), c["server"]) for c in calls] == expected
    assert [c["outcome"] for c in calls] == ["ok", "error"]
