"""The texts of a tool's definition that a model reads, each with its place: description, names, and every word of the schema."""

import json
from collections.abc import Iterator
from typing import Any

DEEPEST = 12
_STRUCTURAL = frozenset(("type", "format", "$schema", "$id", "$ref", "$anchor", "contentEncoding", "contentMediaType"))
"""Keys whose values name things of JSON Schema's own."""
_NAMED = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
"""Keys below which every key is a name that the server chose."""


def texts(tool: str, description: str | None, schema: str | None) -> Iterator[tuple[str, str]]:
    """Place and text of everything in a definition that a model reads."""
    if " " in tool:
        yield "name", tool
    if description:
        yield "description", description
    if schema:
        try:
            yield from _schema_texts(json.loads(schema), "")
        except (ValueError, RecursionError):
            yield "schema", schema


def _schema_texts(node: Any, path: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Names, titles, descriptions, defaults, enums, and what stands under keys that JSON Schema does not know."""
    if depth > DEEPEST:
        return
    if isinstance(node, dict):
        for key, value in node.items():
            if key in _NAMED and isinstance(value, dict):
                for name in value:
                    yield f"parameter name {path}{name}"[:120], str(name)
                    yield from _schema_texts(value[name], f"{path}{name}." if key == "properties" else path, depth + 1)
            elif key == "required" and isinstance(value, list):
                known = node.get("properties")
                yield from ((f"required of parameter {path.rstrip('.') or '(all)'}"[:120], name) for name in value
                            if isinstance(name, str) and not (isinstance(known, dict) and name in known))
            elif key not in _STRUCTURAL:
                yield from _value_texts(key, value, path, depth)
    elif isinstance(node, list):
        for one in node:
            yield from _schema_texts(one, path, depth + 1)


def _value_texts(key: str, value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    place = f"{key} of parameter {path.rstrip('.') or '(all)'}"[:120]
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, list) and any(isinstance(one, str) for one in value):
        yield from ((place, one) for one in value if isinstance(one, str))
    elif isinstance(value, dict | list):
        yield from _schema_texts(value, path, depth + 1)
