"""What a JSON Schema of a tool's arguments allows: the part of it that servers use, on the outermost level.

Names, types, enums and whether others are allowed; `$ref`, `allOf` and the like are taken to allow everything.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,), "object": (dict,), "null": (type(None),),
}
_LENIENT = frozenset(("$ref", "allOf", "anyOf", "oneOf", "patternProperties", "not"))


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing about arguments that a schema does not allow."""

    kind: str
    """unknown, type, enum or missing."""
    name: str
    what: str


@dataclass(frozen=True, slots=True, eq=False)
class Allowed:
    """The arguments that a tool declares."""

    properties: Mapping[str, Any]
    required: tuple[str, ...]
    closed: bool
    """It says that there are no others."""

    def misfits(self, arguments: Mapping[str, Any]) -> Iterator[Misfit]:
        """What of the arguments does not fit."""
        for name, value in arguments.items():
            if name not in self.properties:
                yield Misfit("unknown", name, "is not declared" + (", and the schema allows no others" if self.closed else ""))
            elif misfit := _misfit(name, value, self.properties[name]):
                yield misfit
        yield from (Misfit("missing", name, "is required and missing") for name in self.required if name not in arguments)


@lru_cache(maxsize=4_096)
def allowed(schema: str) -> Allowed | None:
    """A schema, read; None where it declares no properties, or in ways that are not read here."""
    try:
        loaded = json.loads(schema)
    except (ValueError, RecursionError):
        return None
    if not isinstance(loaded, dict) or not isinstance(loaded.get("properties"), dict) or not loaded["properties"] or _LENIENT & loaded.keys():
        return None
    required = loaded.get("required")
    return Allowed(loaded["properties"], tuple(r for r in required if isinstance(r, str)) if isinstance(required, list) else (),
                   loaded.get("additionalProperties") is False)


def _misfit(name: str, value: Any, declared: Any) -> Misfit | None:
    if not isinstance(declared, dict) or _LENIENT & declared.keys():
        return None
    types = declared.get("type")
    names = [types] if isinstance(types, str) else types if isinstance(types, list) else []
    wanted = [t for n in names for t in _TYPES.get(n, ()) if isinstance(n, str)]
    is_flag = isinstance(value, bool)
    whole = isinstance(value, float) and value.is_integer() and int in wanted
    if wanted and not whole and (bool not in wanted if is_flag else not isinstance(value, tuple(wanted))):
        return Misfit("type", name, f"is declared as {' or '.join(map(str, names))}")
    choices = declared.get("enum")
    if isinstance(choices, list) and isinstance(value, str | int | float) and value not in choices:
        return Misfit("enum", name, "is none of the values that are declared")
    return None
