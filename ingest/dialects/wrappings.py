"""What frameworks put around a tool's arguments and its result, and what is inside."""

from dataclasses import dataclass
from typing import Any

from ingest.dialects.contract import parsed, text
from ingest.otlp.items import Value

GIVEN_BEGINS = ('{"kwargs"', '{"args"', '{"input_str"')
GOT_BEGINS = ('{"type"', '{"lc"', '{"content"', '{"blocks"', '{"output"', '{"id"')
"""How the wrappings begin, as their writers order the keys; what begins otherwise is taken as it is, without being parsed."""

POSITIONAL = frozenset({"args", "kwargs", "sanitize_inputs_outputs"})
"""How LlamaIndex, DSPy and smolagents tell the call of a Python function."""

LANGCHAIN = frozenset({"input_str", "inputs", "kwargs"})
"""Parameters of LangChain's callback, as OpenLLMetry tells them."""


@dataclass(frozen=True, slots=True)
class Got:
    """A result without its wrapping, and what the wrapping says: the call's id, and whether it failed."""

    content: Value
    tool_call_id: str | None = None
    failed: bool = False


def given(value: Value) -> Value:
    """The arguments inside of what is put around them."""
    found: Any = parsed(value) if isinstance(value, str) and value.startswith(GIVEN_BEGINS) else value
    if not isinstance(found, dict):
        return value
    if found.keys() >= LANGCHAIN:
        inner: Value = found["inputs"] if found["inputs"] is not None else found["input_str"]
        return inner
    named = found.get("kwargs")
    return named if isinstance(named, dict) and found.keys() <= POSITIONAL and not found.get("args") else value


def got(value: Value) -> Got:
    """The result inside of LangChain's ToolMessage, LlamaIndex's ToolOutput or Google's FunctionResponse."""
    found: Any = parsed(value) if isinstance(value, str) and value.startswith(GOT_BEGINS) else value
    if isinstance(found, dict) and found.keys() == {"output", "kwargs"}:
        found = found["output"]
    if message := _tool_message(found):
        return Got(message["content"], text(message.get("tool_call_id")), message.get("status") == "error")
    if isinstance(found, dict) and found.keys() >= {"blocks", "raw_output", "is_error"}:
        blocks = found["blocks"] if isinstance(found["blocks"], list) else []
        texts = [block["text"] for block in blocks if isinstance(block, dict) and isinstance(block.get("text"), str)]
        return Got("\n".join(texts) if texts and len(texts) == len(blocks) else found["raw_output"], failed=found["is_error"] is True)
    if isinstance(found, dict) and found.keys() == {"id", "name", "response"}:  # Google's FunctionResponse
        return Got(found["response"], text(found["id"]))
    return Got(value)


def _tool_message(value: Any) -> dict[str, Any] | None:
    """The fields of a ToolMessage: bare, under `data`, or under the `kwargs` of its constructor."""
    inner = next((value[key] for key in ("data", "kwargs") if isinstance(value.get(key), dict)), value) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) and inner.get("type") == "tool" and "content" in inner else None
