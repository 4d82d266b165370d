"""Message lists of OpenAI (chat, Responses) and Anthropic: a list under `messages` or `input`, or one message a line."""

from collections.abc import Iterator
from typing import Any

from ingest.json_traces.contract import Clock, Line, LogFormat, Pairs, inside, word
from ingest.json_traces.conversations import Conversation
from ingest.json_traces.turns import ITEMS, ROLES, Listed, Said, dicts, spoken, turns_of
from store.records import Record

NAME = "chat_messages"
LISTS = ("messages", "input", "output", "items")
BARE_ROLES = frozenset(ROLES) | {"tool", "function"}


def recognises(line: Line) -> bool:
    """A list of messages, an answer of either API, or a message."""
    return _is_message(line) or any(_is_list(line.get(key)) for key in LISTS) or _is_list(inside(line, "request", "messages")) or bool(_choices(line))


class Reader:
    """A list is a conversation; lines that are messages are one, until the next system message."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._pairs = clock, Pairs()
        self._conversation: Conversation | None = None
        self._is_begun = False

    def read(self, line: Line) -> Iterator[Record]:
        """What the line completes."""
        if _is_message(line):
            yield from self._message(line)
            return
        request = line["request"] if isinstance(line.get("request"), dict) else line
        told = next((line[key] for key in ("timestamp", "created_at", "created", "ts") if line.get(key) is not None), None)
        self._clock.moment(told)  # of the whole list; what is in it follows by milliseconds
        one = Conversation(NAME, self._clock, self._pairs, *_whose(line, request))
        if isinstance(request.get("tools"), list):
            yield from one.read({}, [Listed(None, request["tools"])])
        for key in ("system", "instructions"):
            if request.get(key):
                yield from one.read({"role": "system"}, spoken("system", request[key]))
        if isinstance(request.get("input"), str):
            yield from one.read({"role": "user"}, [Said("user", request["input"])])
        for message in _messages(line, request):
            yield from one.read(message, turns_of(message), message.get("timestamp", message.get("created_at")))
        yield from one.settle()

    def _message(self, line: Line) -> Iterator[Record]:
        is_system = line.get("role") in ("system", "developer")
        if self._conversation is None or (is_system and self._is_begun):
            yield from self._settled()
            self._conversation, self._is_begun = Conversation(NAME, self._clock, self._pairs, *_whose(line, line)), False
        self._is_begun = self._is_begun or not is_system
        yield from self._conversation.read(line, turns_of(line), line.get("timestamp", line.get("created_at")))

    def _settled(self) -> Iterator[Record]:
        if self._conversation is not None:
            yield from self._conversation.settle()

    def finish(self) -> Iterator[Record]:
        """What never got its result."""
        yield from self._settled()
        yield from self._pairs.left()


def _whose(line: Line, request: Line) -> tuple[str | None, str | None, str | None]:
    """Session, agent and user."""
    told = inside(line, "metadata")
    session = word(*(inside(part, key) for part in (line, request, told) for key in ("session_id", "conversation_id", "thread_id", "sessionId")),
                   inside(request, "conversation", "id"), request.get("conversation"))
    principal = word(inside(request, "metadata", "user_id"), request.get("user"), line.get("user_id"))
    return session, word(line.get("agent"), line.get("agent_name")), principal


def _messages(line: Line, request: Line) -> Iterator[Line]:
    """All messages in order: those that were sent, then the answer."""
    for key in LISTS:
        yield from dicts(request.get(key))
    answer = line["response"] if isinstance(line.get("response"), dict) else {}
    for part in (line, answer):
        yield from _choices(part)
    if _is_message(answer):
        yield answer
    if request is not line or answer:
        yield from dicts(answer.get("output"))


def _choices(line: Line) -> list[Line]:
    return [one["message"] for one in dicts(line.get("choices")) if isinstance(one.get("message"), dict)]


def _is_message(line: Any) -> bool:
    if not isinstance(line, dict):
        return False
    kind, role = line.get("type"), line.get("role")
    return (isinstance(role, str) and role in BARE_ROLES and ("content" in line or "tool_calls" in line or "function_call" in line)) or (
        isinstance(kind, str) and kind in ITEMS
    )


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and any(_is_message(one) for one in value)


FORMAT = LogFormat(
    rank=85, recognises=recognises, reader=Reader,
    carries="tool, call id, arguments, results, prompts, answers, tool definitions where requests are logged; the server for MCP calls of the APIs",
    never_carries="times, mostly; the session and the user, unless logged beside; the server of tools that the program runs itself",
)
