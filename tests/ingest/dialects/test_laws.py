"""What holds for every dialect, whatever a sender writes."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.batch import to_tables
from ingest.otlp.items import Event, Item, Source
from ingest.reading import UNKNOWN, dialects, read_items
from store.records import Call, State
from tests.ingest.dialects.sent import GOLDEN, STARTED, golden, span

KEYS = [
    "gen_ai.operation.name", "gen_ai.tool.name", "gen_ai.tool.call.id", "gen_ai.tool.call_id", "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result", "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions",
    "gen_ai.system", "gen_ai.agent.name", "gen_ai.prompt", "gen_ai.completion", "gen_ai.prompt.0.role", "gen_ai.prompt.0.content",
    "gen_ai.tool.json_schema", "event.name", "event.timestamp", "tool_name", "tool_input", "tool_parameters", "tool_use_id", "call_id", "arguments",
    "output", "output_truncated", "success", "duration_ms", "mcp_server", "mcp_server_origin", "mcp_servers", "decision", "source",
    "tool_result_seq", "prompt", "function_name", "function_args", "mcp_server_name", "span.type", "user_prompt", "full_command", "error",
    "traceloop.span.kind", "traceloop.entity.name", "traceloop.entity.input", "traceloop.entity.output", "traceloop.workflow.name",
    "llm.request.functions.0.name", "llm.request.functions.0.parameters", "langsmith.span.kind", "langsmith.trace.name",
    "langfuse.observation.type", "langfuse.observation.input", "langfuse.observation.output", "rpc.system", "rpc.method", "request", "response",
    "sentry.op", "mcp.method.name", "mcp.tool.name", "mcp.request.id", "mcp.request.argument.a", "mcp.tool.result.content", "mcp.transport",
    "ai.operationId", "operation.name", "ai.toolCall.name", "ai.toolCall.args", "ai.toolCall.result", "ai.prompt", "ai.prompt.messages",
    "ai.prompt.tools", "gcp.vertex.agent.tool_call_args", "gcp.vertex.agent.tool_response", "gcp.vertex.agent.llm_request", "mcp.target",
    "src.addr", "http.status", "mcp.error.code", "rpc.response.status_code", "tool.name", "tool.invocation.args", "duration.ms", "crew_id",
    "session.id", "conversation.id", "user.email", "error.type", "openinference.span.kind", "input.value", "pydantic_ai.all_messages",
    "output.value", "tool.name", "tool.parameters", "tool.arguments", "metadata", "crew_tasks", "mcp.protocol.version", "mcp.session.id",
    "anthropic.tool_result.content", "anthropic.session.id", "anthropic.content.truncated", "tool.status", "tool.id", "tool.result", "mcp.method",
    "rpc.service", "http.response.status_code", "mcp.tool.arguments", "ai.response.text", "ai.toolCall.result", "start_time", "tool_namespace",
    "input-json", "output-json", "mcp.server.name", "gen_ai.agent.tools",
]
NAMES = [
    "", "execute_tool x", "claude_code.tool", "claude_code.tool.execution", "codex.tool_result", "codex.tool_decision", "codex.user_prompt",
    "codex.conversation_starts", "gemini_cli.tool_call", "gemini_cli.user_prompt", "tool_call", "mcp.tool.call", "mcp.initialize", "tool.invoke",
    "tool.pre_invoke", "tool.post_invoke", "Tool Usage", "CallTool", "MCP request: tools/call x", "initialize.mcp", "tools/list.mcp", "ai.toolCall",
    "call_llm", "chat", "planner.run", ".run", "Tool: x", "tool_call [x]", "tool_response [x]", "agent_run [x]",
]
EVENTS = [
    "tool.output", "exception", "gen_ai.choice", "gen_ai.user.message", "route to backend", "gen_ai.client.inference.operation.details",
]
SCOPES = ["", "strands.telemetry.tracer", "gcp.vertex.agent", "logfire.mcp", "ai", "pydantic-ai", "com.anthropic.claude_code.x",
          "com.anthropic.sdk.python", "agentgateway", "github.com/stacklok/toolhive/pkg/telemetry", "strands-agents"]
WORDS = st.sampled_from([
    "tool", "TOOL", "execute_tool", "chat", "tools/call", "initialize", "tools/list", "llm", "jsonrpc", "mcp.server", "strands-agents", "gemini-cli",
    "{}", "[]", '{"output":{"type":"tool"}}', '{"messages":[[1]]}', '{"params":[]}', '{"input_str":1,"inputs":[],"kwargs":{}}', '{"contents":[{}]}',
    '{"config":{"tools":[{"function_declarations":[{"name":1}]}],"system_instruction":7},"contents":{}}',
    '[{"role":"user","parts":[{"type":"text"}]}]', '{"status":"error","request":{},"response":{"responseParts":[{"functionResponse":[]}]}}',
    '{"status":"success","request":{"args":1},"responseParts":', '[{"functionDeclarations":[{"name":"mcp_a_b"}]}]',
    '{"content":{"parts":[{"function_response":{"response":7}}]}}', '[{"role":"user","content":[1,{"text":2}]}]',
    '{"tool_name":"x","arguments":3}', '{"tools":[{"name":"x"}],"serverInfo":[]}', "NaN", "1e999",
])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.floats() | st.text(max_size=8) | st.binary(max_size=4) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=5,
)
ATTRIBUTES = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=6), VALUES, max_size=12)
ITEMS = st.builds(
    Item, signal=st.sampled_from(["span", "log"]), name=st.sampled_from(NAMES), attributes=ATTRIBUTES,
    source=st.builds(
        Source, resource=st.dictionaries(st.just("service.name"), VALUES, max_size=1), scope=st.sampled_from(SCOPES), scope_version=st.just(""),
    ),
    trace_id=st.none() | st.just("5b8efff798038103d269b633813fc60c"), span_id=st.none() | st.just("eee19b7ec3c1b174"), parent_span_id=st.none(),
    started_ns=st.sampled_from([0, STARTED]), ended_ns=st.sampled_from([0, STARTED + 1]), kind=st.integers(0, 5), failed=st.booleans(), body=VALUES,
    events=st.lists(
        st.builds(
            Event, name=st.sampled_from(EVENTS),
            attributes=st.dictionaries(st.sampled_from([*KEYS, "content", "message", "exception.message", "bash_command"]), VALUES, max_size=4),
        ),
        max_size=2,
    ).map(tuple),
)


class NoMasks:
    """Masks nothing."""

    key = b""

    def suspects(self, data: Any, ends: Any) -> list[int]:
        return []

    def mask_all(self, texts: Any) -> tuple[list[str | None], list[list[Any]]]:
        return list(texts), [[] for _ in texts]


@settings(max_examples=400, deadline=None)
@given(item=ITEMS)
def test_no_dialect_raises_whatever_the_types(item: Item) -> None:
    for name, dialect in dialects():
        dialect.recognises(item)
        for record in dialect.read(item):
            if isinstance(record, Call):
                assert isinstance(record.tool, str) and record.tool, name
                assert (record.arguments is None) == (record.arguments_state not in (State.CAPTURED, State.TRUNCATED)), name
                assert (record.result is None) == (record.result_state not in (State.CAPTURED, State.TRUNCATED)), name


@settings(max_examples=100, deadline=None)
@given(item=ITEMS)
def test_every_record_fits_its_table(item: Item) -> None:
    to_tables(read_items([item])[0], NoMasks())


@pytest.mark.parametrize("key", KEYS)
def test_json_that_nests_too_deeply(key: str) -> None:
    for depth in (900, 990, 2_000, 100_000):
        for deep in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
            wrapped = [deep, f'{{"output":{{"type":"tool","content":{deep},"tool_call_id":{deep}}}}}', f'{{"tool_name":1,"arguments":{deep}}}',
                       f'{{"method":"tools/call","params":{{"name":{deep},"arguments":{deep}}}}}', f'{{"args":{deep}}}',
                       f'[{{"role":"user","parts":[{{"type":"tool_call","arguments":{deep}}}]}}]', f'{{"messages":{deep}}}']
            for value in wrapped:
                attributes = {"gen_ai.tool.name": "x", "gen_ai.operation.name": "execute_tool", key: value}
                item = Item("span", "tool_call", Source({}, "", ""), attributes, None, None, None, STARTED)
                for _, dialect in dialects():
                    list(dialect.read(item))


def test_the_order_in_which_dialects_are_asked() -> None:
    names = [name for name, _ in dialects()]
    wanted = [
        "claude_code_traces", "claude_code", "codex", "gemini_cli", "openinference", "docker_gateway", "otel_mcp", "traceloop", "pydantic_ai",
        "otel_genai",
    ]
    assert [n for n in names if n in wanted] == wanted
    assert all(a.rank < b.rank for (_, a), (_, b) in pairwise(dialects()))


def test_what_nobody_recognises_stays_context_and_is_counted() -> None:
    records, dialect = span("GET /", {"http.request.method": "GET", "session.id": "s-1"})
    assert (dialect, len(records), len(records.spans)) == (UNKNOWN, 1, 1)


@pytest.mark.parametrize("path", sorted(p.name for p in GOLDEN.glob("*.json")))
def test_golden_payloads_hold_reserved_names_only(path: str) -> None:
    text = (GOLDEN / path).read_text()
    json.loads(text)
    assert "/home/" not in text and "/tmp/" not in text
    assert all(word.rstrip('",\\}').endswith("@example.com") for word in text.split() if "@" in word and "." in word.partition("@")[2])
    assert len(golden(path).calls) > 0
