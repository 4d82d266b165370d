"""From what the SDKs exported to what collectors receive: sessions cut apart, timed, and put into requests."""

import asyncio
import base64
import importlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from mcp.server.mcpserver import MCPServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sample_data import flat_calls
from sample_data.cast import AGENTS, SERVERS, Export, public_name
from sample_data.recording import Request, from_nanos, latest_nanos, to_nanos
from sample_data.retime import Clock
from sample_data.script import Session, seeded, seeded_uuid
from sample_data.servers.__main__ import module_of
from sample_data.telemetry import read_requests

# Exporters send what ended meanwhile; a long session therefore arrives in parts.
_PART_NS = 60_000_000_000
_SENDING_DELAY_NS = 1_000_000_000
_JSON_IDS = ("traceId", "spanId", "parentSpanId")


class _Origin:
    """A process and a scope in it, from which spans came."""

    def __init__(self, resource: Resource, scope: InstrumentationScope, export: Export) -> None:
        self.resource, self.scope, self.export = resource, scope, export
        self.process = (resource.SerializeToString(deterministic=True), export)
        self.name = next(item.value.string_value for item in resource.attributes if item.key == "service.name")


class Cutter:
    """Collects what was exported and cuts it into requests once everything was played."""

    def __init__(self, seed: int, spool: Path) -> None:
        self._seed = seed
        self._spool = spool
        self._sessions: list[tuple[Session, dict[str, float]]] = []
        self._session_of_trace: dict[bytes, str] = {}
        self._read: Counter[str] = Counter()
        self._servers = tool_servers()

    def played(self, session: Session, waits: dict[str, float]) -> None:
        """Note that a session was played: what its agent exported since belongs to it."""
        self._sessions.append((session, waits))
        bodies = read_requests(self._spool / f"agent.{session.agent}.spans")
        for body in bodies[self._read[session.agent] :]:
            for _, span in _spans(body):
                self._session_of_trace.setdefault(span.trace_id, session.key)
        self._read[session.agent] = len(bodies)

    def requests(self) -> tuple[list[Request], Counter[str]]:
        """All requests, and the number of calls by session key."""
        spans: dict[str, list[tuple[_Origin, Span]]] = defaultdict(list)
        for path in sorted(self._spool.glob("*.spans")):
            for body in read_requests(path):
                for origin, span in _spans(body):
                    spans[self._session_of_trace[span.trace_id]].append((origin, span))
        requests: list[Request] = []
        calls: Counter[str] = Counter()
        for session, waits in self._sessions:
            mine = spans[session.key]
            random = seeded(self._seed, session.key, "time")
            Clock(to_nanos(session.starts_at), waits, random, self._median_ms).lay_out([span for _, span in mine])
            calls[session.key] = len(waits)
            if AGENTS[session.agent].dialect == "gateway":
                own = [span for origin, span in mine if origin.name == session.agent]
                conversation = seeded_uuid(self._seed, session.key)
                requests.append(flat_calls.request(session, conversation, own, self._servers))
            else:
                requests += _cut(mine)
        return requests, calls

    def _median_ms(self, tool: str) -> float:
        return SERVERS[self._servers[tool]].median_ms


def tool_servers() -> dict[str, str]:
    """The server of each tool, asked from the servers themselves."""
    found: dict[str, str] = {}
    for name, about in SERVERS.items():
        server: MCPServer = importlib.import_module(module_of(name)).build(name, about.version)
        for tool in asyncio.run(server.list_tools()):
            found.setdefault(tool.name, public_name(name))
    return found


def _spans(body: bytes) -> Iterable[tuple[_Origin, Span]]:
    for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope_spans in resource_spans.scope_spans:
            name = next(item.value.string_value for item in resource_spans.resource.attributes if item.key == "service.name")
            export = AGENTS[name].export if name in AGENTS else SERVERS[name].export
            origin = _Origin(resource_spans.resource, scope_spans.scope, export)
            for span in scope_spans.spans:
                yield origin, span


def _cut(spans: list[tuple[_Origin, Span]]) -> list[Request]:
    parts: dict[tuple[int, tuple[bytes, Export]], list[tuple[_Origin, Span]]] = defaultdict(list)
    for origin, span in spans:
        parts[span.end_time_unix_nano // _PART_NS, origin.process].append((origin, span))
    return [_request(part) for _, part in sorted(parts.items())]


def _request(spans: list[tuple[_Origin, Span]]) -> Request:
    message = ExportTraceServiceRequest()
    resource_spans = message.resource_spans.add(resource=spans[0][0].resource)
    scopes: dict[str, Any] = {}
    for origin, span in sorted(spans, key=lambda item: (item[1].end_time_unix_nano, item[1].span_id)):
        if origin.scope.name not in scopes:
            scopes[origin.scope.name] = resource_spans.scope_spans.add(scope=origin.scope)
        scopes[origin.scope.name].spans.append(span)
    export = spans[0][0].export
    if export == "http_json":
        body = to_json(message)
        moment = latest_nanos(json.loads(body)) + _SENDING_DELAY_NS
        return Request(from_nanos(moment), "http_json", "/v1/traces", body)
    assert export != "none"
    moment = max(span.end_time_unix_nano for _, span in spans) + _SENDING_DELAY_NS
    return Request(from_nanos(moment), export, "/v1/traces", message.SerializeToString(deterministic=True))


def to_json(message: ExportTraceServiceRequest) -> bytes:
    """The request in OTLP/JSON: hexadecimal ids and numbers for enums, on one line."""
    value = MessageToDict(message, use_integers_for_enums=True)
    for resource_spans in value["resourceSpans"]:
        for scope_spans in resource_spans["scopeSpans"]:
            for span in scope_spans["spans"]:
                for key in _JSON_IDS:
                    if key in span:
                        span[key] = base64.b64decode(span[key]).hex()
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
