"""The exporters, agents and MCP servers that people really run, pointed at the receiver."""

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import grpc
import pytest
from mcp import Client
from mcp.server import MCPServer
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import LogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.instrumented import InstrumentationSettings

from tests.ingest.receiver import Receiver
from tests.ingest.ways import Way, proves

HTTP_PLAIN, HTTP_GZIP, GRPC_PLAIN, GRPC_GZIP = (
    Way("http", "protobuf", "identity"), Way("http", "protobuf", "gzip"), Way("grpc", "protobuf", "identity"), Way("grpc", "protobuf", "gzip"),
)
SPANS: dict[Way, Callable[[Receiver], SpanExporter]] = {
    HTTP_PLAIN: lambda r: HttpSpans(endpoint=f"{r.url}/v1/traces"),
    HTTP_GZIP: lambda r: HttpSpans(endpoint=f"{r.url}/otel/v1/traces", compression=Compression.Gzip),
    GRPC_PLAIN: lambda r: GrpcSpans(endpoint=r.target, insecure=True),
    GRPC_GZIP: lambda r: GrpcSpans(endpoint=r.target, insecure=True, compression=grpc.Compression.Gzip),
}
LOGS: dict[Way, Callable[[Receiver], LogRecordExporter]] = {
    HTTP_PLAIN: lambda r: HttpLogs(endpoint=f"{r.url}/v1/logs"),
    HTTP_GZIP: lambda r: HttpLogs(endpoint=f"{r.url}/v1/logs", compression=Compression.Gzip),
    GRPC_PLAIN: lambda r: GrpcLogs(endpoint=r.target, insecure=True),
    GRPC_GZIP: lambda r: GrpcLogs(endpoint=r.target, insecure=True, compression=grpc.Compression.Gzip),
}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@contextmanager
def tracing(exporter: SpanExporter, service: str = "a-service") -> Iterator[TracerProvider]:
    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.version": "7"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider
    provider.shutdown()


@proves("R4", "R7")
@pytest.mark.parametrize("way", SPANS, ids=str)
def test_span_exporters(receiver: Receiver, way: Way) -> None:
    with tracing(SPANS[way](receiver)) as provider:
        tracer = provider.get_tracer("a-framework", "1")
        about = {"gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": "c"}
        with tracer.start_as_current_span("invoke_agent a", attributes=about) as outer:
            for n in range(3):
                with tracer.start_as_current_span("execute_tool add") as span:
                    span.set_attributes({"gen_ai.tool.name": "add", "gen_ai.tool.call.arguments": json.dumps({"n": n}), "list": [1, 2], "f": 0.5})
                    if n == 2:
                        span.set_status(trace.StatusCode.ERROR, "it broke")
    rows = receiver.rows("observations")
    assert [(r["arguments"], r["outcome"], r["error_message"]) for r in rows] == [
        ('{"n": 0}', "ok", None), ('{"n": 1}', "ok", None), ('{"n": 2}', "error", "it broke"),
    ]
    parent = f"{outer.get_span_context().span_id:016x}"
    assert {r["parent_span_id"] for r in rows} == {parent}
    assert [(r["span_id"], r["session_id"]) for r in receiver.rows("spans")] == [(parent, "c")]


@proves("R4", "R7")
@pytest.mark.parametrize("way", LOGS, ids=str)
def test_log_exporters(receiver: Receiver, way: Way) -> None:
    provider = LoggerProvider(resource=Resource.create({"service.name": "claude-code"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(LOGS[way](receiver)))
    attributes: dict[str, Any] = {
        "event.name": "tool_result", "session.id": "s", "event.sequence": 4, "tool_name": "Bash", "success": "true",
        "tool_input": "{}",
    }
    provider.get_logger("com.anthropic.claude_code.events").emit(LogRecord(
        timestamp=1_790_000_000_000_000_000, severity_number=SeverityNumber.INFO, body="claude_code.tool_result", attributes=attributes,
    ))
    provider.shutdown()
    (row,) = receiver.rows("observations")
    assert (row["tool"], row["session_id"], row["seq"], row["outcome"], row["arguments"]) == ("Bash", "s", 4, "ok", "{}")


def weather_model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    if len(messages) == 1:
        return ModelResponse(parts=[ToolCallPart("get_weather", {"city": "Oslo"}, tool_call_id="call_1")])
    return ModelResponse(parts=[TextPart("It is sunny.")])


@pytest.mark.parametrize("version", [2, 5])
def test_a_pydantic_ai_agent(receiver: Receiver, version: Any) -> None:
    with tracing(SPANS[HTTP_PLAIN](receiver), "weather-app") as provider, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # older formats are deprecated, and still sent by those who stay on them
        agent = Agent(FunctionModel(weather_model), name="weather_agent", instructions="Be brief.")
        agent.instrument = InstrumentationSettings(tracer_provider=provider, version=version)

        @agent.tool_plain
        def get_weather(city: str) -> str:
            """Weather of a city."""
            return f"sunny in {city}"

        anyio.run(agent.run, "weather?")
    (row,) = receiver.rows("observations")
    assert (row["tool"], row["tool_call_id"], row["agent"], row["dialect"]) == ("get_weather", "call_1", "weather_agent", "pydantic_ai")
    assert (json.loads(row["arguments"]), row["result"], row["outcome"]) == ({"city": "Oslo"}, "sunny in Oslo", "ok")
    assert row["session_id"]
    messages = receiver.rows("messages")
    assert "weather?" in {m["text"] for m in messages if m["role"] == "user"}
    assert {d["tool"]: d["description"] for d in receiver.rows("tool_definitions")} == {"get_weather": "Weather of a city."}
    if version == 5:
        assert "Be brief." in {m["text"] for m in messages if m["role"] == "system"}


@pytest.fixture
def global_tracing(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The MCP SDK takes its tracer from the API, which can be given a provider but once in a process; tests get around that."""
    with tracing(SPANS[GRPC_PLAIN](receiver), "weather") as provider:
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
        yield


@pytest.mark.usefixtures("global_tracing")
def test_an_mcp_server(receiver: Receiver) -> None:
    server = MCPServer("weather")

    @server.tool()
    def get_weather(city: str) -> str:
        """Weather of a city."""
        return f"sunny in {city}"

    async def talk() -> None:
        async with Client(server) as client:
            await client.list_tools()
            await client.call_tool("get_weather", {"city": "Oslo"})
            await client.call_tool("nope", {})

    anyio.run(talk)
    trace.get_tracer_provider().force_flush()  # type: ignore[attr-defined]  # the SDK's provider, put in above
    served = [r for r in receiver.rows("observations") if r["observed_by"] == "server"]
    assert [(r["tool"], r["server"], r["server_version"], r["outcome"], r["arguments_state"]) for r in served] == [
        ("get_weather", "weather", "7", "ok", "absent"), ("nope", "weather", "7", "error", "absent"),
    ]
    assert {r["dialect"] for r in served} == {"otel_mcp"}
    assert [(a["server"], a["outcome"]) for a in receiver.rows("access")][:1] == [("weather", "ok")]
