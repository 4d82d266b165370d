"""Tool definitions rated as agents would read them; no workspace is needed."""

import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from alerts.risk import risk
from ingest.batch import to_tables
from ingest.json_traces.lines import parse_line
from ingest.redact import Redactor
from store.errors import SourceError
from store.records import Finding, Records, ToolDefinition
from toolhound.detection import look_at_everything
from toolhound.proof import KEY, database_of

LONG_AGO = timedelta(days=1)
"""How much earlier than now the files of `--before` count as seen: for detectors that ask what was there first."""
ACCEPTED = "JSON lines with tool (or name) and description, or a tools/list result"


Given: TypeAlias = tuple[dict[str, Any], ToolDefinition]


def scan(names: Sequence[str], before: Sequence[str] = ()) -> tuple[list[dict[str, Any]], list[str]]:
    """Each definition with its `risk`, `severity` and `findings`, riskiest first; and what was refused with its place.

    Files hold JSON lines of definitions, or the result of `tools/list`; `-` is standard input. With `before`, files that hold what the
    definitions were, only what differs is rated, as one whom the change reaches would: each with its `change` (new, changed, removed) and
    `changes` (what differs).
    """
    refused: list[str] = []
    now = datetime.now(UTC)
    given = list(_given(names, now, refused))
    earlier = list(_given(before, now - LONG_AGO, refused))
    found = _found([definition for _, definition in (*earlier, *given)])
    rated = [_rated(one, definition, found) for one, definition in given]
    if before:
        former = {_name(definition): definition for _, definition in earlier}
        rated = [row | drift for row, (_, one) in zip(rated, given, strict=True) if (drift := drifted(former.get(_name(one)), one))]
        there = {_name(one) for _, one in given}
        rated += [_rated(one, definition, {}) | {"change": "removed", "changes": []} for one, definition in earlier if _name(definition) not in there]
    return sorted(rated, key=lambda row: (-row["risk"], row["server"] or "", row["tool"])), refused


def drifted(before: ToolDefinition | None, after: ToolDefinition) -> dict[str, Any] | None:
    """Whether a definition is new or changed, and which parts of it; None where it is what it was."""
    if before is None:
        return {"change": "new", "changes": []}
    changes = ["description"] if before.description != after.description else []
    old, new = _parameters(before), _parameters(after)
    changes += [f"{what} {name}" for what, names in (
        ("new parameter", new.keys() - old.keys()), ("removed parameter", old.keys() - new.keys()),
        ("parameter", {n for n in new.keys() & old.keys() if new[n] != old[n]})) for name in sorted(names)]
    if not changes and _loaded(before) != _loaded(after):
        changes = ["schema"]
    return {"change": "changed", "changes": changes} if changes else None


def _parameters(definition: ToolDefinition) -> dict[str, Any]:
    loaded = _loaded(definition)
    properties = loaded.get("properties") if isinstance(loaded, dict) else None
    return properties if isinstance(properties, dict) else {}


def _loaded(definition: ToolDefinition) -> Any:
    return json.loads(definition.input_schema) if definition.input_schema else None


def _name(definition: ToolDefinition) -> tuple[str, str]:
    return definition.server or "", definition.tool


def _rated(one: dict[str, Any], definition: ToolDefinition, found: Mapping[tuple[str, str, str], list[Finding]]) -> dict[str, Any]:
    findings = found.get((definition.server or "", definition.tool, _hash_of(definition)), [])
    told = [f for f in findings if f.evidence.get("alerting", True)]
    return {
        "item_id": one.get("item_id"), "server": definition.server, "tool": definition.tool, "risk": risk(findings),
        "severity": max((int(f.severity) for f in told), default=0),
        "findings": [{"detector": f.detector, "sentence": f.sentence, "score": f.score, "evidence": f.evidence} for f in told],
    }


def _found(definitions: Sequence[ToolDefinition]) -> dict[tuple[str, str, str], list[Finding]]:
    """The findings about each definition, by server, tool and the definition's hash."""
    database = database_of(definitions)
    found: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for looked in look_at_everything(database):
        for finding in looked.findings:
            tool, _, digest = finding.subject.partition("\0")
            found[finding.scope_key, tool, digest].append(finding)
    database.close()
    return found


def _hash_of(definition: ToolDefinition) -> str:
    return str(to_tables(Records(definitions=[definition]), Redactor(KEY))["tool_definitions"]["definition_hash"][0].as_py())


def _given(names: Sequence[str], sighted_at: datetime, refused: list[str]) -> Iterator[Given]:
    for name in names:
        for place, one in _definitions(name, refused):
            definition = _definition(one, sighted_at)
            if definition is None:
                refused.append(f"{place}: no tool definition, its keys are {', '.join(map(str, list(one)[:8]))}; accepted are {ACCEPTED}")
            else:
                yield one, definition


def _definitions(name: str, refused: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    body = _read(name)
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        for n, line in enumerate(body.split(b"\n"), 1):
            if line.strip():
                try:
                    yield from _listed(f"{name}:{n}", parse_line(line))
                except SourceError as error:
                    refused.append(f"{name}:{n}: {error}")
    else:
        yield from _listed(name, whole)


def _listed(place: str, loaded: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Definitions inside a list, a `tools/list` result or its JSON-RPC envelope."""
    if isinstance(loaded, list):
        for n, one in enumerate(loaded):
            yield from _listed(f"{place}[{n}]", one)
    elif isinstance(loaded, dict):
        inner = loaded.get("result") if isinstance(loaded.get("result"), dict) else loaded
        if isinstance(inner, dict) and isinstance(inner.get("tools"), list):
            server = loaded.get("server") if isinstance(loaded.get("server"), str) else None
            for n, one in enumerate(inner["tools"]):
                if isinstance(one, dict):
                    yield f"{place}.tools[{n}]", {"server": server, **one}
        else:
            yield place, loaded


def _definition(one: dict[str, Any], sighted_at: datetime) -> ToolDefinition | None:
    tool = one.get("tool") or one.get("name")
    if not isinstance(tool, str) or not ("description" in one or "input_schema" in one or "inputSchema" in one):
        return None
    schema = one.get("input_schema", one.get("inputSchema"))
    server, description = one.get("server"), one.get("description")
    return ToolDefinition(
        sighted_at=sighted_at, tool=tool, dialect="scan", server=server if isinstance(server, str) else None,
        description=description if isinstance(description, str) else None,
        input_schema=None if schema is None else json.dumps(schema, sort_keys=True, ensure_ascii=False),
    )


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        body = Path(name).read_bytes()
        return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    except (OSError, EOFError) as error:
        raise SourceError(f"{name}: {getattr(error, 'strerror', None) or error}") from error
