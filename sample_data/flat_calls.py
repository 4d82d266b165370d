"""Flat call lines as a gateway writes them, made from the spans of an agent behind it."""

import json
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from sample_data.recording import Request, calls_sent_at, from_nanos
from sample_data.retime import attributes
from sample_data.script import Session


def request(session: Session, session_id: str, spans: list[Span], servers: dict[str, str]) -> Request:
    """One body with a line for each call of a session."""
    traces: list[bytes] = []
    lines: list[dict[str, Any]] = []
    for span in sorted(spans, key=lambda span: span.start_time_unix_nano):
        about = attributes(span)
        kind = about.get("gen_ai.operation.name")
        if kind == "invoke_agent":
            traces.append(span.trace_id)
        if kind != "execute_tool" or "gen_ai.tool.call.id" not in about:
            continue
        failed = span.status.code == Status.STATUS_CODE_ERROR
        lines.append(
            {
                "session_id": session_id,
                "seq": len(lines),
                "timestamp": from_nanos(span.start_time_unix_nano).isoformat(timespec="milliseconds"),
                "agent": session.agent,
                "user_prompt": session.turns[traces.index(span.trace_id)].prompt,
                "server": servers[about["gen_ai.tool.name"]],
                "tool": about["gen_ai.tool.name"],
                "arguments": json.loads(about["gen_ai.tool.call.arguments"]),
                "result": about.get("gen_ai.tool.call.result", ""),
                "is_error": failed,
                "principal": session.principal,
                "client_address": session.client_address,
                "duration_ms": round((span.end_time_unix_nano - span.start_time_unix_nano) / 1e6, 3),
                "decision": "allow",
            }
        )
    body = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    return Request(calls_sent_at(lines[-1]), "calls", "/v1/calls", body.encode())
