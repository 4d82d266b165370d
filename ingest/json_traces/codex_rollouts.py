"""Codex CLI's sessions: the lines of `~/.codex/sessions/**/rollout-*.jsonl`."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ingest.dialects.contract import digest, number, parsed, payload, rest
from ingest.json_traces.contract import OPEN_CALLS, UNNAMED, Clock, Line, LogFormat, Pairs, captured, inside, is_text, split_name, word
from ingest.json_traces.turns import dicts
from store.records import Call, Message, Observer, Outcome, Record, SessionSource, State

NAME, AGENT = "codex_rollouts", "codex"
KINDS = frozenset({"session_meta", "response_item", "event_msg", "turn_context", "compacted", "world_state", "token_usage_record"})
ASKING = frozenset({"function_call", "custom_tool_call", "local_shell_call", "web_search_call", "tool_search_call"})
ANSWERING = ("function_call_output", "custom_tool_call_output", "tool_search_output")
ROLES = {"user": "user", "assistant": "assistant", "developer": "system", "system": "system"}
SET_UP = ("<environment_context>", "<user_instructions>", "<permissions", "<skills_instructions>", "<INSTRUCTIONS>", "# AGENTS.md", "<turn_aborted>",
          "<subagent_notification>")
"""How what the program itself says begins, though it comes as the user's words."""

REJECTED = ("exec command rejected by user", "patch rejected by user", "rejected by user")
"""What is answered for a tool of the program itself where the user refused it. A server may answer so too: that is no refusal."""


def recognises(line: Line) -> bool:
    """The kinds of its lines, with what they hold."""
    kind = line.get("type")
    return isinstance(kind, str) and kind in KINDS and isinstance(line.get("payload"), dict)


class Reader:
    """Pairs calls with their outputs by id; events between them tell how they ended, and of calls that a program of the model made."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._pairs = clock, Pairs()
        self._session = self._version = ""
        self._asked: OrderedDict[str, None] = OrderedDict()
        self._ended: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def read(self, line: Line) -> Iterator[Record]:
        """What the line completes."""
        held, at = line["payload"], self._clock.moment(line.get("timestamp"))
        kind = held.get("type")
        if line["type"] == "session_meta":
            self._session, self._version = word(held.get("id"), held.get("session_id")) or "", word(held.get("cli_version")) or ""
        elif line["type"] == "event_msg":
            yield from self._event(held, at)
        elif line["type"] != "response_item":
            return
        elif kind == "message":
            yield from self._said(held, at)
        elif kind in ANSWERING:
            yield from self._answered(held)
        elif isinstance(kind, str) and kind in ASKING:
            yield from self._pairs.ask(*self._call(held, kind, at))

    def finish(self) -> Iterable[Record]:
        """What never got its output."""
        return self._pairs.left()

    def _said(self, held: Line, at: datetime) -> Iterator[Message]:
        role = ROLES.get(str(held.get("role")))
        words = "\n".join(block["text"] for block in dicts(held.get("content")) if is_text(block))
        if role and words:
            role = "system" if role == "user" and words.startswith(SET_UP) else role
            yield Message(
                message_id=digest(self._session, role, words), said_at=at, role=role, dialect=NAME, text=words, text_state=State.CAPTURED,
                session_id=self._session or None, session_source=SessionSource.SESSION, agent=AGENT,
            )

    def _call(self, held: Line, kind: str, at: datetime, server: str | None = None) -> tuple[str, Call]:
        id_ = word(held.get("call_id"), held.get("id"))
        given = next((held[key] for key in ("arguments", "input", "action", "query") if held.get(key) is not None), None)
        arguments, arguments_state = payload(given)
        named, space = word(held.get("name")) or kind.removesuffix("_call"), word(held.get("namespace")) or ""
        if server is None:
            server, named = (space.removeprefix("mcp__"), named) if space.startswith("mcp__") else split_name(named, AGENT)
        key = digest(self._session, id_)
        _remember(self._asked, key, None)
        return key, Call(
            observation_id=digest(NAME, key, None if id_ else at.isoformat()), called_at=at, tool=named or UNNAMED, observed_by=Observer.AGENT,
            dialect=NAME, tool_call_id=id_, session_id=self._session or digest(NAME, id_), session_source=SessionSource.SESSION, agent=AGENT,
            agent_version=self._version or None, server=server, arguments=arguments, arguments_state=arguments_state,
            attributes=rest([("namespace", space)] if space else []),
        )

    def _answered(self, held: Line) -> Iterator[Call]:
        key = digest(self._session, word(held.get("call_id")))
        content, failed = _output(held.get("output"))
        ended = self._ended.pop(key, {})
        waiting = self._pairs.asked(key)
        found: dict[str, Any] = {"outcome": Outcome.ERROR if failed else Outcome.OK} | ended
        if waiting is not None and waiting.server == AGENT and content in REJECTED:
            found |= {"outcome": Outcome.DENIED, "decision": "reject", "decided_by": "user"}
        result, state = captured(content)
        yield from self._pairs.answer(key, **{"result": result, "result_state": state} | found)

    def _event(self, held: Line, at: datetime) -> Iterator[Call]:
        """How a call ended: in the item of a completed step, or in the event of a version before there were items."""
        item = held["item"] if isinstance(held.get("item"), dict) else held
        kind = str(item.get("type"))
        if kind not in ("McpToolCall", "CommandExecution", "mcp_tool_call_end", "exec_command_end"):
            return
        invoked = item["invocation"] if isinstance(item.get("invocation"), dict) else item
        id_, server, tool = word(item.get("call_id"), item.get("id")), word(invoked.get("server")), word(invoked.get("tool"))
        key = digest(self._session, id_)
        ended: dict[str, Any] = {"outcome": Outcome.ERROR if _failed(item) else Outcome.OK, "duration_ms": _duration(item.get("duration"))}
        if server and tool:
            ended |= {"server": server, "tool": tool}
        if key in self._asked:
            if self._pairs.asked(key) is not None:
                _remember(self._ended, key, ended)
        elif id_ and server and tool:
            outcome = item.get("result")
            answer = inside(outcome, "Ok") or inside(outcome, "Err") or outcome
            result, state = captured(inside(answer, "content") or answer)
            yield from self._pairs.ask(*self._call({"call_id": id_, "name": tool, "arguments": invoked.get("arguments")}, "", at, server))
            yield from self._pairs.answer(key, **ended | {"result": result, "result_state": state})


def _output(output: Any) -> tuple[Any, bool]:
    """What a tool answered, and whether it failed: versions before 2026 put that beside it, in an object or in one written as text."""
    found: Any = parsed(output) if isinstance(output, str) and output.startswith('{"output"') else output
    if isinstance(found, dict) and "output" in found:
        return found["output"], (number(inside(found, "metadata", "exit_code")) or 0) != 0
    if isinstance(found, dict) and "content" in found:
        return found["content"], found.get("success") is False
    return output, False


def _failed(item: Line) -> bool:
    result = item.get("result")
    answer = inside(result, "Ok") or result
    return (
        item.get("status") == "failed" or (number(item.get("exit_code")) or 0) != 0 or inside(result, "Err") is not None
        or item.get("error") is not None or True in (inside(answer, "isError"), inside(answer, "is_error"))
    )


def _duration(told: Any) -> float | None:
    seconds, nanos = number(inside(told, "secs")), number(inside(told, "nanos"))
    return None if seconds is None else seconds * 1e3 + (nanos or 0) / 1e6


def _remember(kept: OrderedDict[str, Any], key: str, value: Any) -> None:
    kept[key] = value
    if len(kept) > OPEN_CALLS:
        kept.popitem(last=False)


FORMAT = LogFormat(
    rank=11, recognises=recognises, reader=Reader,
    carries="tool, MCP server, call id, arguments, results, outcome, prompts, answers, session, times, commands that the user refused",
    never_carries="the user's name; tool definitions; who let a call run",
)
