from typing import Any

from store.records import Outcome, SessionSource, State
from tests.ingest.dialects.sent import FAILED, fields, only, span

LEGACY: dict[str, Any] = {
    "operation.name": "ai.toolCall trips", "ai.operationId": "ai.toolCall", "ai.telemetry.functionId": "trips",
    "ai.telemetry.metadata.sessionId": "s-1", "ai.telemetry.metadata.userId": "ann", "ai.toolCall.name": "find", "ai.toolCall.id": "c-1",
    "ai.toolCall.args": '{"name":"Bo"}', "ai.toolCall.result": '"Bo Example"',
}
CURRENT: dict[str, Any] = {
    "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "find", "gen_ai.tool.call.id": "c-1", "gen_ai.tool.type": "function",
    "gen_ai.tool.call.arguments": '{"name":"Bo"}', "gen_ai.tool.call.result": '"Bo Example"', "ai.settings.context.sessionId": "s-1",
    "ai.settings.context.userId": "ann",
}


def test_legacy_tool() -> None:
    records, dialect = span("ai.toolCall", LEGACY, scope="ai")
    assert dialect == "vercel"
    fields(
        only(records), tool="find", tool_call_id="c-1", arguments='{"name":"Bo"}', arguments_state=State.CAPTURED, result='"Bo Example"',
        result_state=State.CAPTURED, session_id="s-1", session_source=SessionSource.SESSION, principal="ann", agent="trips", server=None,
        outcome=Outcome.OK,
    )
    assert "Bo" not in str(only(records).attributes)


def test_legacy_tool_that_failed_without_content() -> None:
    sent = {k: v for k, v in LEGACY.items() if k not in ("ai.toolCall.args", "ai.toolCall.result")}
    fields(
        only(span("ai.toolCall", sent, status=FAILED)[0]), arguments_state=State.ABSENT, result_state=State.ABSENT, outcome=Outcome.ERROR,
        error_message="it broke",
    )


def test_version_7() -> None:
    records, dialect = span("execute_tool find", CURRENT, scope="gen_ai", service="trip-planner")
    assert dialect == "vercel"
    fields(
        only(records), dialect="vercel", tool="find", tool_call_id="c-1", arguments='{"name":"Bo"}', result='"Bo Example"', session_id="s-1",
        session_source=SessionSource.SESSION, principal="ann", agent=None, outcome=Outcome.OK,
    )


def test_version_7_without_context_is_read_by_the_conventions() -> None:
    sent = {k: v for k, v in CURRENT.items() if not k.startswith("ai.")}
    records, dialect = span("execute_tool find", sent, scope="gen_ai")
    assert dialect == "otel_genai" and only(records).arguments == '{"name":"Bo"}'


def test_both_vocabularies_at_once_are_one_call() -> None:
    records, _ = span("execute_tool find", CURRENT | LEGACY, scope="gen_ai")
    fields(only(records), dialect="vercel", tool="find", arguments='{"name":"Bo"}')


def test_prompts_and_tools() -> None:
    sent = {
        "ai.operationId": "ai.generateText.doGenerate", "ai.telemetry.metadata.sessionId": "s-1",
        "ai.prompt.messages": '[{"role":"system","content":"Be short."},{"role":"user","content":[{"type":"text","text":"Find Bo"}]}]',
        "ai.prompt.tools": ['{"type":"function","name":"find","description":"Finds.","inputSchema":{"type":"object"}}', "no JSON"],
    }
    records, _ = span("ai.generateText.doGenerate", sent, scope="ai")
    assert [(m.role, m.text, m.session_id) for m in records.messages] == [("system", "Be short.", "s-1"), ("user", "Find Bo", "s-1")]
    assert [(d.tool, d.description, d.input_schema) for d in records.definitions] == [("find", "Finds.", '{"type": "object"}')]
    outer, _ = span("ai.generateText", {"ai.operationId": "ai.generateText", "ai.prompt": '{"system":"Be short.","prompt":"Find Bo"}'})
    assert [m.text for m in outer.messages] == ["Be short.", "Find Bo"]
