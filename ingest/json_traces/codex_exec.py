"""Codex CLI: what `codex exec --json` prints, one event of a thread a line."""

from collections.abc import Iterable, Iterator
from typing import Any

from ingest.dialects.contract import digest, payload, text
from ingest.json_traces.contract import UNNAMED, Clock, Line, LogFormat, captured, inside, word
from store.records import Call, Message, Observer, Outcome, Record, SessionSource, State

NAME, AGENT = "codex_exec", "codex"
EVENTS = frozenset({"thread.started", "turn.started", "turn.completed", "turn.failed", "item.started", "item.updated", "item.completed"})
OUTCOMES = {"completed": Outcome.OK, "failed": Outcome.ERROR, "declined": Outcome.DENIED}


def recognises(line: Line) -> bool:
    """The kinds of its events."""
    kind = line.get("type")
    return isinstance(kind, str) and kind in EVENTS and "object" not in line


class Reader:
    """Remembers the thread, which only the first line names."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._thread = clock, ""

    def read(self, line: Line) -> Iterator[Record]:
        """The call that an item is once it is complete; commands and searches are tools of the agent itself."""
        if line["type"] == "thread.started":
            self._thread = word(line.get("thread_id")) or ""
        item = line.get("item")
        if line["type"] != "item.completed" or not isinstance(item, dict):
            return
        match item.get("type", item.get("item_type")):
            case "mcp_tool_call":
                result = item.get("result")
                answer = result if inside(result, "structured_content") is not None else inside(result, "content")
                yield self._call(item, word(item.get("tool")) or UNNAMED, word(item.get("server")), item.get("arguments"), answer)
            case "command_execution":
                yield self._call(item, "command", AGENT, {"command": item.get("command")}, item.get("aggregated_output"))
            case "file_change":
                yield self._call(item, "file_change", AGENT, {"changes": item.get("changes")}, None)
            case "web_search":
                yield self._call(item, "web_search", AGENT, {"query": item.get("query")}, None)
            case "agent_message" | "assistant_message":
                if words := text(item.get("text")):
                    yield Message(
                        message_id=digest(self._thread, "assistant", words), said_at=self._clock.moment(), role="assistant", dialect=NAME, text=words,
                        text_state=State.CAPTURED, session_id=self._thread or None, session_source=SessionSource.SESSION, agent=AGENT,
                    )

    def finish(self) -> Iterable[Record]:
        """Nothing is ever open."""
        return ()

    def _call(self, item: Line, tool: str, server: str | None, given: Any, got: Any) -> Call:
        arguments, arguments_state = payload(given)
        result, result_state = captured(got)
        id_ = word(item.get("id"))
        return Call(
            observation_id=digest(NAME, self._thread, id_, tool, arguments), called_at=self._clock.moment(), tool=tool, observed_by=Observer.AGENT,
            dialect=NAME, tool_call_id=id_, session_id=self._thread or digest(NAME, id_, arguments), session_source=SessionSource.SESSION,
            agent=AGENT, server=server, arguments=arguments, arguments_state=arguments_state, result=result, result_state=result_state,
            outcome=OUTCOMES.get(str(item.get("status")), Outcome.UNKNOWN),
            error_message=word(inside(item, "error", "message")) or text(item.get("error")),
        )


FORMAT = LogFormat(
    rank=12, recognises=recognises, reader=Reader,
    carries="tool, MCP server, arguments, results, outcome, commands, changed files, answers, thread",
    never_carries="times; prompts; the user; tool definitions; decisions",
)
