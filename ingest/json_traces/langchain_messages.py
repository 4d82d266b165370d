"""LangChain messages: `model_dump()`, `messages_to_dict` and `dumpd`, in a list or one a line."""

from collections.abc import Iterator
from typing import Any

from ingest.json_traces.contract import Clock, Line, LogFormat, Pairs, inside, word
from ingest.json_traces.conversations import Conversation
from ingest.json_traces.turns import Answered, Asked, Turn, dicts, openai_calls, spoken
from store.records import Record

NAME = "langchain_messages"
KINDS = {
    "human": "user", "ai": "assistant", "system": "system", "tool": "tool", "function": "tool",
    "HumanMessage": "user", "AIMessage": "assistant", "SystemMessage": "system", "ToolMessage": "tool", "FunctionMessage": "tool",
    "HumanMessageChunk": "user", "AIMessageChunk": "assistant", "SystemMessageChunk": "system", "ToolMessageChunk": "tool",
}


def recognises(line: Line) -> bool:
    """A message, or a list of them under `messages`."""
    return _message(line) is not None or any(_message(one) is not None for one in dicts(line.get("messages")))


class Reader:
    """A list is a conversation; lines that are messages are one, until the next system message."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._pairs = clock, Pairs()
        self._conversation: Conversation | None = None
        self._is_begun = False

    def read(self, line: Line) -> Iterator[Record]:
        """What the line completes."""
        if (found := _message(line)) is not None:
            yield from self._message(*found)
            return
        beside = (inside(line, "configurable", "thread_id"), inside(line, "metadata", "thread_id"))
        session = word(line.get("session_id"), line.get("thread_id"), *beside)
        self._clock.moment(line.get("timestamp"))  # of the whole list; what is in it follows by milliseconds
        one = Conversation(NAME, self._clock, self._pairs, session, word(line.get("agent")))
        for message in dicts(line.get("messages")):
            if (found := _message(message)) is not None:
                yield from one.read(found[1], _turns(*found))
        yield from one.settle()

    def _message(self, role: str, inner: Line) -> Iterator[Record]:
        if self._conversation is None or (role == "system" and self._is_begun):
            yield from self._settled()
            self._conversation, self._is_begun = Conversation(NAME, self._clock, self._pairs), False
        self._is_begun = self._is_begun or role != "system"
        yield from self._conversation.read(inner, _turns(role, inner))

    def _settled(self) -> Iterator[Record]:
        if self._conversation is not None:
            yield from self._conversation.settle()

    def finish(self) -> Iterator[Record]:
        """What never got its result."""
        yield from self._settled()
        yield from self._pairs.left()


def _message(line: Any) -> tuple[str, Line] | None:
    """The role and the fields of a message in any of the three forms."""
    kind = inside(line, "type")
    if kind == "constructor" and isinstance(line.get("kwargs"), dict) and isinstance(line.get("id"), list) and line["id"]:
        name, inner = line["id"][-1], line["kwargs"]
    elif isinstance(inside(line, "data"), dict) and "content" in line["data"]:
        name, inner = kind, line["data"]
    elif isinstance(line, dict) and "content" in line and "role" not in line:
        name, inner = kind, line
    else:
        return None
    return (KINDS[name], inner) if isinstance(name, str) and name in KINDS else None


def _turns(role: str, inner: Line) -> Iterator[Turn]:
    if role == "tool":
        failed = {"error": True, "success": False}.get(str(inner.get("status")))
        yield Answered(word(inner.get("tool_call_id")), inner.get("content"), failed)
        return
    yield from spoken(role, inner.get("content"))
    asked = [Asked(word(one.get("id")), word(one.get("name")), one.get("args"))
             for key in ("tool_calls", "invalid_tool_calls") for one in dicts(inner.get(key))]
    extra = inner.get("additional_kwargs")
    yield from asked or (openai_calls(extra) if isinstance(extra, dict) else ())  # the same calls stand in both places


FORMAT = LogFormat(
    rank=70, recognises=recognises, reader=Reader,
    carries="tool, call id, arguments, results, whether a call failed, prompts, answers",
    never_carries="times; the session, unless `thread_id` stands beside the list; the user; the server; tool definitions",
)
