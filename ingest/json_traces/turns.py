"""The steps of a conversation, whichever vendor's message list they stand in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from ingest.json_traces.contract import Line, inside, is_text, word

ROLES = {
    "user": "user", "human": "user", "system": "system", "developer": "system", "assistant": "assistant", "ai": "assistant", "model": "assistant",
}


@dataclass(frozen=True, slots=True)
class Said:
    """Text."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The model calls a tool."""

    id: str | None
    name: str | None
    arguments: Any
    server: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A call's result. failed: None where the format does not tell."""

    id: str | None
    content: Any
    failed: bool | None = None
    error: Any = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """The tools of a server."""

    server: str | None
    tools: Any


Turn: TypeAlias = Said | Asked | Answered | Listed


def turns_of(message: Line) -> Iterator[Turn]:
    """The steps in one message of OpenAI (chat, Responses) or Anthropic."""
    kind, role = message.get("type"), message.get("role")
    if isinstance(kind, str) and kind in ITEMS:
        yield from ITEMS[kind](message)
    elif role == "tool":
        yield Answered(word(message.get("tool_call_id")), message.get("content"))
    elif role == "function":
        yield Answered(_by_name(message.get("name")), message.get("content"))
    elif isinstance(role, str) and role in ROLES:
        yield from spoken(ROLES[role], message.get("content"))
        for block in message["content"] if isinstance(message.get("content"), list) else []:
            if isinstance(block, dict):
                yield from _block(block)
        yield from openai_calls(message)


def spoken(role: str, content: Any) -> Iterator[Said]:
    """The text of a content."""
    blocks = [content] if isinstance(content, str) else content if isinstance(content, list) else []
    text = "\n".join(block if isinstance(block, str) else block["text"] for block in blocks if is_text(block))
    if text:
        yield Said(role, text)


def openai_calls(message: Line) -> Iterator[Turn]:
    """The calls of an assistant's message, which may have the form of before 2024 (`function_call`)."""
    for one in message["tool_calls"] if isinstance(message.get("tool_calls"), list) else []:
        if isinstance(inner := inside(one, "function") or inside(one, "custom"), dict):
            yield Asked(word(one.get("id")), word(inner.get("name")), inner.get("arguments", inner.get("input")))
    if isinstance(former := message.get("function_call"), dict):
        yield Asked(_by_name(former.get("name")), word(former.get("name")), former.get("arguments"))


def _block(block: Line) -> Iterator[Turn]:
    match block.get("type"):
        case "tool_use" | "mcp_tool_use" | "server_tool_use":
            yield Asked(word(block.get("id")), word(block.get("name")), block.get("input"), word(block.get("server_name")))
        case "tool_result" | "mcp_tool_result":
            yield Answered(word(block.get("tool_use_id")), block.get("content"), block.get("is_error") is True)


def _function_call(item: Line) -> Iterator[Turn]:
    yield Asked(word(item.get("call_id"), item.get("id")), word(item.get("name")), item.get("arguments", item.get("input")))


def _function_call_output(item: Line) -> Iterator[Turn]:
    yield Answered(word(item.get("call_id")), item.get("output"))


def _mcp_call(item: Line) -> Iterator[Turn]:
    yield Asked(word(item.get("id")), word(item.get("name")), item.get("arguments"), word(item.get("server_label")))
    if item.get("output") is not None or item.get("error") is not None:
        yield Answered(word(item.get("id")), item.get("output"), item.get("error") is not None, item.get("error"))


def _mcp_list_tools(item: Line) -> Iterator[Turn]:
    yield Listed(word(item.get("server_label")), item.get("tools"))


def _mcp_approval_request(item: Line) -> Iterator[Turn]:
    yield Asked(_approval(item.get("id")), word(item.get("name")), item.get("arguments"), word(item.get("server_label")))


def _mcp_approval_response(item: Line) -> Iterator[Turn]:
    """An approved call has an item of its own; one that is refused has nothing more."""
    if item.get("approve") is False:
        yield Answered(_approval(item.get("approval_request_id")), None, refused=True)


def _approval(id_: Any) -> str:
    return f"{APPROVAL}{word(id_)}"


def _by_name(name: Any) -> str:
    return f"function:{word(name)}"


APPROVAL = "approval:"
"""What ids of requests for approval begin with, so that a call that was approved is not told twice."""

ITEMS = {
    "function_call": _function_call, "custom_tool_call": _function_call, "function_call_output": _function_call_output,
    "custom_tool_call_output": _function_call_output, "mcp_call": _mcp_call, "mcp_list_tools": _mcp_list_tools,
    "mcp_approval_request": _mcp_approval_request, "mcp_approval_response": _mcp_approval_response,
}


def dicts(values: Any) -> Iterable[Line]:
    """The objects of a list."""
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []
