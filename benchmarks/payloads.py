"""What clients of benchmarks send: requests of 512 tool spans of 1.5 kB with 12 attributes, whose ids are new each time they are sent."""

import json
import random
import re
from typing import Any, Final

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SPANS: Final = 512
CALLS_A_SESSION: Final = 8
_WORDS: Final = ("report", "invoice", "server", "customer", "weather", "release", "deploy", "ticket", "agent", "budget", "memory", "north", "please",
                 "the", "of", "and", "with", "is", "for", "was", "total", "meeting", "draft", "review", "status", "update", "notes", "plan")
_HEX: Final = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_TRACE, _SPAN, _SESSION, _CALL = b"\x01" * 16, b"\x02" * 8, b"5e551045e5510000", b"ca11ca11ca11ca11"


def spans(seed: int) -> list[dict[str, Any]]:
    """One request's spans as attributes; ids are placeholders."""
    draw = random.Random(seed)

    def text(words: int) -> str:
        return " ".join(draw.choice(_WORDS) if draw.random() < 0.9 else f"{draw.choice(_WORDS)}-{draw.randint(0, 9999)}" for _ in range(words))

    return [{
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": f"tool_{n % 20}", "gen_ai.tool.call.id": f"call-{_CALL.decode()}",
        "gen_ai.agent.name": f"agent-{n // CALLS_A_SESSION % 10}", "gen_ai.conversation.id": f"conversation-{_SESSION.decode()}",
        "gen_ai.tool.call.arguments": json.dumps({"path": f"/data/{text(1)}.txt", "query": text(30)}),
        "gen_ai.tool.call.result": text(120), "user.id": f"user-{n // CALLS_A_SESSION % 50}", "server.address": "mcp.example.com",
        "network.transport": "tcp", "gen_ai.tool.type": "function", "deployment.environment": "benchmark",
    } for n in range(SPANS)]


def request(seed: int, started_ns: int) -> bytes:
    """An export request with placeholders for ids."""
    made = ExportTraceServiceRequest()
    scoped = made.resource_spans.add().scope_spans.add()
    scoped.scope.name = "benchmark"
    for n, attributes in enumerate(spans(seed)):
        span = scoped.spans.add(trace_id=_TRACE, span_id=_SPAN, name="execute_tool t", start_time_unix_nano=started_ns + n * 1_000_000,
                                end_time_unix_nano=started_ns + n * 1_000_000 + 900_000)
        for key, value in attributes.items():
            span.attributes.add(key=key).value.string_value = value
    return made.SerializeToString()


class Fresh:
    """A request whose spans are new ones each time; eight spans share a session and a trace."""

    def __init__(self, seed: int, started_ns: int) -> None:
        self.body = np.frombuffer(request(seed, started_ns), dtype=np.uint8).copy()
        raw = self.body.tobytes()
        self._places = {mark: np.array([m.start() for m in re.finditer(re.escape(mark), raw)]) for mark in (_TRACE, _SPAN, _SESSION, _CALL)}
        if any(len(places) != SPANS for places in self._places.values()):
            raise ValueError("a placeholder occurs elsewhere too")
        self._random = np.random.default_rng(seed)

    def next(self) -> bytes:
        """The request with new ids."""
        sessions = -(-SPANS // CALLS_A_SESSION)
        self._put(_TRACE, np.repeat(self._random.integers(1, 256, (sessions, 16), dtype=np.uint8), CALLS_A_SESSION, axis=0))
        self._put(_SPAN, self._random.integers(1, 256, (SPANS, 8), dtype=np.uint8))
        self._put(_SESSION, np.repeat(_HEX[self._random.integers(0, 16, (sessions, 16))], CALLS_A_SESSION, axis=0))
        self._put(_CALL, _HEX[self._random.integers(0, 16, (SPANS, 16))])
        return self.body.tobytes()

    def _put(self, mark: bytes, values: Any) -> None:
        self.body[self._places[mark][:, None] + np.arange(values.shape[1])] = values[:SPANS]


def lines(seed: int, count: int) -> bytes:
    """The same calls as JSON lines of our own format."""
    draw = random.Random(seed)
    told = list[str]()
    while len(told) < count:
        for one in spans(draw.getrandbits(40)):
            told.append(json.dumps({
                "session_id": f"s-{len(told) // CALLS_A_SESSION}", "tool": one["gen_ai.tool.name"],
                "agent": one["gen_ai.agent.name"], "principal": one["user.id"], "server_address": one["server.address"],
                "call_id": f"{draw.getrandbits(60):x}", "timestamp": 1_790_000_000 + len(told) / 1000,
                "arguments": one["gen_ai.tool.call.arguments"], "result": one["gen_ai.tool.call.result"],
            }))
    return ("\n".join(told[:count]) + "\n").encode()
