"""Tool definitions rated as agents would read them; no workspace is needed."""

import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alerts.risk import risk
from ingest.json_traces.lines import parse_line
from store.errors import SourceError
from store.records import Finding, ToolDefinition
from toolhound.detection import look_at_everything
from toolhound.proof import database_of

ACCEPTED = "JSON lines with tool (or name) and description, or a tools/list result"


def scan(names: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Each definition with its `risk`, `severity` and `findings`, riskiest first; and what was refused with its place.

    Files hold JSON lines of definitions, or the result of `tools/list`; `-` is standard input.
    """
    given: list[tuple[dict[str, Any], ToolDefinition]] = []
    refused: list[str] = []
    for name in names:
        for place, one in _definitions(name, refused):
            definition = _definition(one)
            if definition is None:
                refused.append(f"{place}: no tool definition, its keys are {', '.join(map(str, list(one)[:8]))}; accepted are {ACCEPTED}")
            else:
                given.append((one, definition))
    found = _found([definition for _, definition in given])
    rated = []
    for one, definition in given:
        findings = found.get((definition.server or "", definition.tool, definition.description), [])
        told = [f for f in findings if f.evidence.get("alerting", True)]
        rated.append({
            "item_id": one.get("item_id"), "server": definition.server, "tool": definition.tool, "risk": risk(findings),
            "severity": max((int(f.severity) for f in told), default=0),
            "findings": [{"detector": f.detector, "sentence": f.sentence, "score": f.score, "evidence": f.evidence} for f in told],
        })
    return sorted(rated, key=lambda row: (-row["risk"], row["server"] or "", row["tool"])), refused


def _found(definitions: Sequence[ToolDefinition]) -> dict[tuple[str, str, str | None], list[Finding]]:
    database = database_of(definitions)
    described = {
        (row["server"], row["tool"], row["definition_hash"]): row["description"]
        for row in database.rows("SELECT coalesce(server, '') AS server, tool, definition_hash, description FROM tool_definitions")
    }
    found: dict[tuple[str, str, str | None], list[Finding]] = defaultdict(list)
    for looked in look_at_everything(database):
        for finding in looked.findings:
            tool, _, digest = finding.subject.partition("\0")
            if (finding.scope_key, tool, digest) in described:
                found[finding.scope_key, tool, described[finding.scope_key, tool, digest]].append(finding)
    database.close()
    return found


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


def _definition(one: dict[str, Any]) -> ToolDefinition | None:
    tool = one.get("tool") or one.get("name")
    if not isinstance(tool, str) or not ("description" in one or "input_schema" in one or "inputSchema" in one):
        return None
    schema = one.get("input_schema", one.get("inputSchema"))
    server, description = one.get("server"), one.get("description")
    return ToolDefinition(
        sighted_at=datetime.now(UTC), tool=tool, dialect="scan", server=server if isinstance(server, str) else None,
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
