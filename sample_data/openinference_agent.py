"""A small agent loop that is instrumented with the attributes of the OpenInference specification.

AGENT, LLM and TOOL spans are made here with the OpenTelemetry SDK; the calls go through the MCP SDK's own client, which
adds its CLIENT spans below the TOOL spans.
"""

import json
from contextlib import AsyncExitStack
from typing import Any

from mcp.client.client import Client
from mcp_types import Tool
from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode

from sample_data.cast import Agent
from sample_data.connections import Connections
from sample_data.script import Ask, Session, Turn, seeded_hex, seeded_uuid

_tracer = trace.get_tracer("openinference.instrumentation.agent", "0.1.0")
_JSON = "application/json"
_TEXT = "text/plain"


async def play(agent: Agent, session: Session, seed: int, connections: Connections) -> dict[str, float]:
    """Play all turns of a session under one `session.id`; returns the pause before each call, by call id."""
    waits: dict[str, float] = {}
    about = {
        "session.id": seeded_uuid(seed, session.key),
        "user.id": session.principal,
        "agent.name": agent.name,
        "metadata": json.dumps({"agent_version": agent.version}),
    }
    for number, turn in enumerate(session.turns):
        async with AsyncExitStack() as stack:
            with _tracer.start_as_current_span(agent.name, attributes=about) as span:
                _describe(span, "AGENT", turn.prompt, _TEXT)
                loop = _Loop(agent, about, turn, f"{seed}|{session.key}|{number}")
                for server in session.servers:
                    await loop.attach(await connections.client(server, stack))
                _answer(span, await loop.run(), _TEXT)
                waits |= loop.waits
    return waits


class _Loop:
    """One turn: ask the script, call the tool, until the script returns."""

    def __init__(self, agent: Agent, about: dict[str, str], turn: Turn, seed: str) -> None:
        self._agent = agent
        self._about = about
        self._turn = turn
        self._seed = seed
        self._tools: dict[str, tuple[Client, Tool]] = {}
        self._messages: list[dict[str, Any]] = [
            {"role": "system", "content": agent.instructions},
            {"role": "user", "content": turn.prompt},
        ]
        self.waits: dict[str, float] = {}

    async def attach(self, client: Client) -> None:
        """Make the tools of a server known."""
        for tool in (await client.list_tools()).tools:
            self._tools[tool.name] = (client, tool)

    async def run(self) -> str:
        """Play the script; returns the answer."""
        step: Ask | str = self._think(None, 0)
        number, result = 0, ""
        while isinstance(step, Ask):
            number += 1
            result = await self._call(step, self._call_id(number))
            step = self._think(result, number)
        return step

    def _call_id(self, number: int) -> str:
        return f"toolu_{seeded_hex(24, self._seed, number)}"

    def _think(self, result: str | None, asked: int) -> Ask | str:
        with _tracer.start_as_current_span("llm", attributes=self._about) as span:
            span.set_attributes({"openinference.span.kind": "LLM", "llm.model_name": self._agent.model})
            self._flatten(span, "llm.input_messages", self._messages)
            for index, (_, tool) in enumerate(self._tools.values()):
                span.set_attributes(_definition(f"llm.tools.{index}.tool", tool))
            try:
                step = next(self._turn.script) if result is None else self._turn.script.send(result)
            except StopIteration as stop:
                self._flatten(span, "llm.output_messages", [{"role": "assistant", "content": str(stop.value)}])
                return str(stop.value)
            call_id = self._call_id(asked + 1)
            self.waits[call_id] = step.wait_s
            message = {"role": "assistant", "tool_call": (call_id, step.tool, json.dumps(step.arguments))}
            self._messages.append(message)
            self._flatten(span, "llm.output_messages", [message])
            return step

    async def _call(self, step: Ask, call_id: str) -> str:
        client, tool = self._tools[step.tool]
        with _tracer.start_as_current_span(step.tool, attributes=self._about) as span:
            _describe(span, "TOOL", json.dumps(step.arguments, ensure_ascii=False), _JSON)
            span.set_attributes({"tool.name": step.tool, "tool.id": call_id, "tool.description": tool.description or ""})
            answer = await client.call_tool(step.tool, step.arguments)
            text = "\n".join(part.text for part in answer.content if part.type == "text")
            _answer(span, text, _TEXT, failed=bool(answer.is_error))
        self._messages.append({"role": "tool", "content": text, "tool_call_id": call_id})
        return text

    def _flatten(self, span: Span, prefix: str, messages: list[dict[str, Any]]) -> None:
        for index, message in enumerate(messages):
            at = f"{prefix}.{index}.message"
            span.set_attribute(f"{at}.role", message["role"])
            if "content" in message:
                span.set_attribute(f"{at}.content", message["content"])
            if "tool_call_id" in message:
                span.set_attribute(f"{at}.tool_call_id", message["tool_call_id"])
            if "tool_call" in message:
                call = f"{at}.tool_calls.0.tool_call"
                call_id, name, arguments = message["tool_call"]
                span.set_attributes({f"{call}.id": call_id, f"{call}.function.name": name, f"{call}.function.arguments": arguments})


def _definition(prefix: str, tool: Tool) -> dict[str, str]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.input_schema}
    return {
        f"{prefix}.json_schema": json.dumps({"type": "function", "function": function}, ensure_ascii=False),
        f"{prefix}.name": tool.name,
        f"{prefix}.description": tool.description or "",
    }


def _describe(span: Span, kind: str, value: str, mime_type: str) -> None:
    span.set_attributes({"openinference.span.kind": kind, "input.value": value, "input.mime_type": mime_type})


def _answer(span: Span, value: str, mime_type: str, failed: bool = False) -> None:
    span.set_attributes({"output.value": value, "output.mime_type": mime_type})
    span.set_status(Status(StatusCode.ERROR, value) if failed else Status(StatusCode.OK))
