"""Claude Code transcripts: the lines of `~/.claude/projects/*/*.jsonl`, and what `--output-format stream-json` prints."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ingest.dialects.contract import digest, number, payload, rest
from ingest.json_traces.contract import UNNAMED, Clock, Line, LogFormat, Pairs, captured, inside, is_text, plain, split_name, word
from ingest.json_traces.turns import dicts
from store.records import Access, Call, Message, Observer, Outcome, Record, SessionSource, State

NAME, AGENT = "claude_code_transcripts", "claude-code"
GLOBAL_ID = "toolu_"
"""Ids that begin so are unique everywhere: a resumed session, whose file tells them again, repeats the same calls."""
REJECTED = "User rejected tool use"
"""Stands beside the result, where no server can write."""
REFUSALS = ("Error: Claude requested permissions to ", "Error: Permission to use ", "Error: PreToolUse:")
"""How what stands there begins where a rule, or that nobody could be asked, kept one of the program's own tools from running."""

STREAMED = frozenset({"system", "assistant", "user", "result", "stream_event"})
ERROR_CHARACTERS = 2_000


def recognises(line: Line) -> bool:
    """The lines of a session, and those about it: summaries and snapshots of files."""
    kind = line.get("type")
    if not isinstance(kind, str) or "tool" in line:
        return False
    if "session_id" in line and "uuid" in line and kind in STREAMED:
        return True
    return ("sessionId" in line and ("uuid" in line or "message" not in line)) or (kind == "summary" and "leafUuid" in line) or (
        kind.startswith("file-history") and "snapshot" in line
    )


class Reader:
    """Pairs `tool_use` with `tool_result`; lines that a resumed session tells again count once."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._pairs = clock, Pairs()
        self._version: str | None = None

    def read(self, line: Line) -> Iterator[Record]:
        """Messages, and the calls that the line completes."""
        kind, message = line.get("type"), line.get("message")
        session = word(line.get("sessionId"), line.get("session_id")) or ""
        if kind in ("system", "result"):
            yield from self._around(line, session)
        if kind not in ("user", "assistant"):
            return
        at = self._clock.moment(line.get("timestamp"))
        content = message.get("content") if isinstance(message, dict) else message
        said = [content] if isinstance(content, str) else content if isinstance(content, list) else []
        for block in dicts(said):
            match block.get("type"):
                case "tool_use" | "server_tool_use" | "mcp_tool_use":
                    yield from self._asked(line, block, at, session)
                case "tool_result" | "mcp_tool_result":
                    yield from self._answered(line, block, session)
        if spoken := "\n".join(block if isinstance(block, str) else block["text"] for block in said if is_text(block)):
            yield Message(
                message_id=digest(session, role := _role(line), spoken), said_at=at, role=role, dialect=NAME, text=spoken,
                text_state=State.CAPTURED, session_id=session or None, session_source=SessionSource.SESSION, agent=AGENT,
            )

    def finish(self) -> Iterable[Record]:
        """What never got its result."""
        return self._pairs.left()

    def _around(self, line: Line, session: str) -> Iterator[Record]:
        """What stands before and after a stream: the servers, and what was not allowed."""
        self._version = word(line.get("claude_code_version")) or self._version
        for server in dicts(line.get("mcp_servers")) if line.get("subtype") == "init" else []:
            if name := word(server.get("name")):
                at, status = self._clock.moment(line.get("timestamp")), server.get("status")
                yield Access(
                    access_id=digest(NAME, session, name), accessed_at=at, dialect=NAME, agent=AGENT, server=name, session_id=session,
                    outcome=Outcome.OK if status == "connected" else Outcome.ERROR if status == "failed" else Outcome.UNKNOWN,
                )
        for denied in dicts(line.get("permission_denials")):
            server_, tool = split_name(word(denied.get("tool_name")) or UNNAMED, AGENT)
            if id_ := word(denied.get("tool_use_id")):
                yield Call(
                    observation_id=digest(NAME, session, id_, "denied"), called_at=self._clock.moment(line.get("timestamp")), tool=tool,
                    observed_by=Observer.DECISION, dialect=NAME, tool_call_id=id_, session_id=session or None, server=server_, agent=AGENT,
                    session_source=SessionSource.SESSION, outcome=Outcome.UNKNOWN, decision="reject", decided_by="permissions",
                )

    def _asked(self, line: Line, block: Line, at: datetime, session: str) -> Iterator[Call]:
        id_, name = word(block.get("id")), word(block.get("name")) or UNNAMED
        server, tool = split_name(name, AGENT)
        arguments, arguments_state = payload(block.get("input"))
        extra = [("cwd", word(line.get("cwd"))), ("gitBranch", word(line.get("gitBranch"))), ("agentId", word(line.get("agentId"))),
                 ("isSidechain", line.get("isSidechain") is True or None)]
        key = _key(session, id_)
        yield from self._pairs.ask(key, Call(
            observation_id=digest(NAME, key) if id_ else digest(NAME, session, at.isoformat(), name, arguments), called_at=at, tool=tool,
            observed_by=Observer.AGENT, dialect=NAME, tool_call_id=id_, session_id=session or None, session_source=SessionSource.SESSION, agent=AGENT,
            agent_version=word(line.get("version")) or self._version, server=word(block.get("server_name")) or server, arguments=arguments,
            arguments_state=arguments_state, attributes=rest((k, v) for k, v in extra if v is not None),
        ), once=id_ is not None)

    def _answered(self, line: Line, block: Line, session: str) -> Iterator[Call]:
        beside, content = line.get("toolUseResult", line.get("tool_use_result")), block.get("content")
        key = _key(session, word(block.get("tool_use_id")))
        result, state = captured(content)
        failed = block.get("is_error") is True
        is_own = (asked := self._pairs.asked(key)) is not None and asked.server == AGENT
        refused = failed and is_own and isinstance(beside, str) and beside.startswith(REFUSALS)
        rejected = failed and (beside == REJECTED or refused)
        outcome = Outcome.DENIED if rejected else Outcome.ERROR if failed else Outcome.OK
        yield from self._pairs.answer(
            key, result=None if rejected else result, result_state=State.ABSENT if rejected else state,
            outcome=outcome, error_message=(plain(content) or "")[:ERROR_CHARACTERS] or None if failed else None,
            decision="reject" if rejected else None, decided_by="permissions" if refused else "user" if rejected else None,
            duration_ms=_duration(beside),
        )


def _key(session: str, id_: str | None) -> str:
    return id_ if id_ and id_.startswith(GLOBAL_ID) else digest(session, id_)


def _duration(beside: Any) -> float | None:
    return number(inside(beside, "durationMs"))


def _role(line: Line) -> str:
    """What a subagent is told comes from the agent above it, and what is marked as meta from the program: neither is the user's word."""
    told_by_agent = line.get("isSidechain") is True or line.get("parent_tool_use_id") is not None
    if line.get("type") == "assistant" or told_by_agent or line.get("isCompactSummary") is True:
        return "assistant"
    return "system" if line.get("isMeta") is True else "user"


FORMAT = LogFormat(
    rank=10, recognises=recognises, reader=Reader,
    carries="tool, MCP server, call id, arguments, results, prompts, answers, session, times, whether the user rejected a call",
    never_carries="the user's name; tool definitions; how long a call took, unless the tool tells it; decisions other than a rejection",
)
