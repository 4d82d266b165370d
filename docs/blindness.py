"""Which detectors are blind for which source: what each needs is tried out on its scenarios, what a dialect carries follows from it and its code."""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from functools import cache, partial
from importlib import import_module
from types import CodeType, FunctionType, ModuleType
from typing import Any

from detectors.contract import SCOPE_KEY, Scenario
from detectors.registry import FAMILIES, Registered, detectors
from ingest.json_traces.lines import formats
from ingest.reading import dialects
from store.database import Database
from store.records import Access, Call, Message, Record, Stated, ToolDefinition
from toolhound.detection import look_at_everything
from toolhound.proof import database_of


class Carried(Enum):
    """Whether a source carries something."""

    YES, PARTLY, NO = "yes", "partly", "–"


@dataclass(frozen=True)
class Matter:
    """Something that a source may carry.

    without: SQL that leaves a database as a source would that does not carry it. asked: how questions call it, words: how dialects do.
    record: the kind of record that it comes as. field: the field of a call that it comes as.
    """

    without: tuple[str, ...]
    asked: str
    words: str
    record: type | None = None
    field: str | None = None


def _nothing_of(table: str, *columns: str) -> str:
    return f"UPDATE hot.{table} SET {', '.join(f'{c} = NULL' for c in columns)}"


def _no_payload(which: str) -> tuple[str, ...]:
    columns = (which, f"{which.removesuffix('s')}_atoms", f"{which.removesuffix('s')}_shingles", f"{which}_bytes")
    return (f"{_nothing_of('calls', *columns)}, {which}_state = 'absent'",)


MATTERS = {
    "calls": Matter(("DELETE FROM hot.calls",), r"\b(?:calls|steps|leaves)\b", r"^ *calls$", Call),
    "arguments": Matter(_no_payload("arguments"), r"\barguments?(?:_[a-z]+)?\b|\bleaves\b", r"\barguments?\b|\bcommands?\b"),
    "results": Matter(_no_payload("result"), r"\bresult(?:_[a-z]+)?\b", r"(?<!of the )\bresults?\b"),
    "prompts": Matter(("DELETE FROM hot.messages",), r"\bmessages\b|\bprompt\b", r"\bprompts?\b", Message),
    "tool definitions": Matter(
        ("DELETE FROM hot.tool_definitions",), r"\btool_definitions\b", r"\bdefinitions?\b|\btool lists\b|\bdescriptions of tools\b", ToolDefinition),
    "connections": Matter(("DELETE FROM hot.access",), r"\baccess\b", r"\bconnections\b|\bauthentication\b", Access),
    "servers": Matter(
        tuple(_nothing_of(table, "server") for table in ("calls", "tool_definitions", "access")), r"\bserver\b",
        r"\bservers?\b(?!'s version)|\bbackend\b|\btarget\b", field="server"),
    "users": Matter(
        (_nothing_of("calls", "principal", "client_address"), _nothing_of("access", "principal", "client_address")),
        r"\bprincipal\b|\bclient_address\b",
        r"\busers?\b|\bcaller\b|\bconsumer\b|\bactor\b|\bclient address\b|\bclient's address\b|\bclient and its address\b", field="principal"),
}
_CONDITION = re.compile(r"\bwith \w*_\w+|\bwhere\b|\bfor MCP calls\b")
_QUALIFIED = re.compile(
    r"\bunless\b|\bbut for\b|\bby default\b|\bbeyond\b|\bon the client's\b|\bof (?:calls|tools) that\b|\bin (?:log records|the first)\b")
_CONTENT = ("arguments", "results", "prompts")


@dataclass(frozen=True)
class Needs:
    """For each scenario that a detector tells: what it does not tell it without."""

    proofs: tuple[frozenset[str], ...]

    @property
    def always(self) -> list[str]:
        """What it finds nothing without; that there are calls goes without saying where their arguments or results are needed."""
        blind = [m for m in MATTERS if all(m in proof for proof in self.proofs)]
        return [m for m in blind if m != "calls" or not {"arguments", "results"} & set(blind)]

    @property
    def sometimes(self) -> list[str]:
        """What it finds less without."""
        return [m for m in MATTERS if any(m in proof for proof in self.proofs) and not all(m in proof for proof in self.proofs)]

    def seen(self, has: Mapping[str, Carried]) -> Carried:
        """How much a detector sees of a source: as much as of the scenario that needs least."""
        worst = [max((has[m] for m in proof), key=_ORDER.index, default=Carried.YES) for proof in self.proofs]
        return min(worst, key=_ORDER.index)


_ORDER = [Carried.YES, Carried.PARTLY, Carried.NO]


@cache
def needs() -> dict[str, Needs]:
    """What each of our detectors needs: which of its own scenarios it still tells, once a source carries less.

    They are played all at once; what tells nothing in such a crowd, since it asks for the only one of its kind, is played alone.
    """
    ours = {name: one for name, one in detectors().items() if one.family in FAMILIES}
    scenarios = [(one, records) for one in ours.values() for records in one.detector.fires_on.values()]
    found = _proofs(scenarios)
    for name, one in ours.items():
        if name not in found:
            found[name] = [proof for alone in one.detector.fires_on.values() for proof in _proofs([(one, alone)]).get(name, [])]
    return {name: Needs(tuple(found[name])) for name in ours}


def _proofs(scenarios: Sequence[tuple[Registered, Scenario]]) -> dict[str, list[frozenset[str]]]:
    """By detector: for each of its scenarios that it tells, what it does not tell it without."""
    asked = {one.name: one for one, _ in scenarios}
    own = {name: {n for n, (whose, _) in enumerate(scenarios) if whose.name == name} for name in asked}
    database = database_of(_together(records for _, records in scenarios))
    whole = _told(database, asked.values(), own)
    left: dict[str, dict[str, set[int]]] = {}
    for name, matter in MATTERS.items():
        asking = [one for one in asked.values() if one.name in whole and re.search(matter.asked, _questions(one))]
        database.execute("BEGIN")
        for change in matter.without:
            database.execute(change)
        left[name] = whole | {one.name: set() for one in asking} | _told(database, asking, own)
        database.execute("ROLLBACK")
    database.close()
    return {name: [frozenset(m for m in MATTERS if n not in left[m][name]) for n in sorted(numbers)] for name, numbers in whole.items()}


def _questions(one: Registered) -> str:
    """Every text that a detector's question is made of."""
    d = one.detector
    texts = [d.find, d.learn, d.learn_by, SCOPE_KEY[d.scope], *_reached((d.find,), "detectors.")]
    return "\n".join(text for text in (*texts, *_told_by(texts)) if isinstance(text, str))


def _told(database: Database, asked: Iterable[Registered], own: Mapping[str, set[int]]) -> dict[str, set[int]]:
    """Which of its scenarios each detector tells, as worth an alert; a finding that names none of the parties may be about any of them."""
    told: dict[str, set[int]] = {}
    calls = {row["call_id"]: row["party"] for row in database.rows("SELECT call_id, coalesce(session_id, agent, server) AS party FROM calls")}
    for looked in look_at_everything(database, asked=list(asked)):
        for finding in looked.findings:
            if finding.evidence.get("alerting", True):
                parties = [finding.session_id, *(calls[c] for c in finding.call_ids), *finding.agents, *finding.servers, finding.scope_key]
                numbers = {int(end) for party in parties if party and (end := party.rpartition("-")[2]).isdigit()}
                told.setdefault(finding.detector, set()).update(numbers & own[finding.detector] if numbers else own[finding.detector])
    return {name: numbers for name, numbers in told.items() if numbers}


def _together(scenarios: Iterable[Scenario]) -> Iterator[Record | Stated]:
    """Scenarios, kept from meeting one another: whoever is named in one gets its number."""
    for n, records in enumerate(scenarios):
        for record in records:
            named = ("session_id", "server", "agent", "principal", "observation_id", "access_id", "message_id", "grant_id", "entry_id")
            changes: dict[str, Any] = {what: f"{getattr(record, what)}-{n}" for what in named if getattr(record, what, None) is not None}
            yield replace(record, **changes)


def carried(module: ModuleType, carries: str, never_carries: str) -> dict[str, Carried]:
    """What a dialect or a log format carries, by matter."""
    return {name: _carried(name, matter, module, carries, never_carries) for name, matter in MATTERS.items()}


def _carried(name: str, matter: Matter, module: ModuleType, carries: str, never_carries: str) -> Carried:
    if matter.record and not _makes(module, matter.record):
        return Carried.NO
    said = [clause for clause in _clauses(carries) if re.search(matter.words, clause)]
    denied = [clause for clause in _denials(never_carries) if re.search(matter.words, clause)]
    if name in _CONTENT and "content by default" in never_carries:
        return Carried.PARTLY if said else Carried.NO
    if said:
        by_default = name in _CONTENT and re.search(r"\b(?:content|all) by default\b", carries)
        conditional = all(_CONDITION.search(clause) for clause in said) and not by_default
        return Carried.PARTLY if denied or conditional else Carried.YES
    if denied:
        return Carried.PARTLY if all(_QUALIFIED.search(clause) for clause in denied) else Carried.NO
    if matter.record:
        return Carried.YES
    return Carried.PARTLY if matter.field and _fills(module, matter.field) else Carried.NO


def _clauses(text: str) -> Iterator[str]:
    """The parts of a list with their conditions: a condition at the end of a list that begins with the tool is about its last item."""
    for clause in re.sub(r"\([^)]*\)", "", text).split(";"):
        if clause.lstrip().startswith("tool,") and _CONDITION.search(clause):
            yield from clause.split(",")
        else:
            yield clause


def _denials(text: str) -> list[str]:
    """What is never carried, one by one, each with what qualifies it; questions that stay open say nothing about what is carried."""
    parts = [part.strip() for clause in text.split(";") for part in re.split(r", (?!unless|but for|ever\b|mostly)", clause)]
    return [part for part in parts if not re.match(r"(?:whether|who|how|what)\b", part)]


def _makes(module: ModuleType, kind: type) -> bool:
    """Whether the functions of a module, or those that they call in `ingest`, make records of a kind."""
    return any(found is kind for found in _code_of(module))


def _fills(module: ModuleType, field: str) -> bool:
    """Whether a function of a module, or one that it calls in `ingest`, names a field of calls."""
    return field in _told_by(_code_of(module))


@cache
def _code_of(module: ModuleType) -> tuple[Any, ...]:
    """What a dialect's or a format's own code uses."""
    own = getattr(module, "DIALECT", None) or getattr(module, "FORMAT", None)
    mine = [found for found in vars(module).values() if getattr(found, "__module__", None) == module.__name__]
    return _reached([*mine, *(getattr(own, field.name) for field in fields(own))] if own else mine, "ingest.")


def _reached(begun: Iterable[Any], package: str) -> tuple[Any, ...]:
    """What functions use, and what those use in turn, as far as they stand in a package."""
    waiting, seen = list(begun), dict[int, Any]()
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen[id(found)] = found
        if isinstance(found, partial):
            waiting += [found.func, *found.args]
        elif not str(getattr(found, "__module__", "")).startswith(package):
            continue
        elif inspect.isclass(found):
            waiting += [one for one in vars(found).values() if callable(one)]
        elif isinstance(function := inspect.unwrap(found) if callable(found) else found, FunctionType):
            seen[id(function)] = function
            waiting += [function.__globals__[name] for name in _names(function.__code__) if name in function.__globals__]
            waiting += [cell.cell_contents for cell in function.__closure__ or ()]
    return tuple(seen.values())


def _told_by(found: Iterable[Any]) -> set[Any]:
    """The constants of functions."""
    return set().union(*(_constants(one.__code__) for one in found if isinstance(one, FunctionType)))


def _names(code: CodeType) -> set[str]:
    return set(code.co_names).union(*(_names(one) for one in code.co_consts if isinstance(one, CodeType)))


def _constants(code: CodeType) -> set[Any]:
    """Names of arguments and of keys that a function writes."""
    flat: set[Any] = set()
    for one in code.co_consts:
        flat |= _constants(one) if isinstance(one, CodeType) else set(one) if isinstance(one, tuple) else {one}
    return flat


def sources() -> list[tuple[str, dict[str, Carried]]]:
    """Every dialect, and every log format that is none in another form, with what it carries."""
    ours = [(name, import_module(f"ingest.dialects.{name}"), one.carries, one.never_carries) for name, one in dialects()]
    ours += [(name, import_module(f"ingest.json_traces.{name}"), one.carries, one.never_carries) for name, one in formats() if not one.of_dialects]
    return [(name, carried(module, carries, never)) for name, module, carries, never in ours]


def page(mark: str) -> str:
    """What each detector needs, and who is blind where."""
    known, all_sources = needs(), sources()
    head = [("source", *MATTERS, "blind detectors")]
    for name, has in all_sources:
        head.append((f"[`{name}`](#{name})", *(has[m].value for m in MATTERS), str(_blind(known, has))))
    parts = [
        "# Blind spots by source", mark,
        f"What {len(known)} detectors can see of a source that is on its own. What a detector needs was tried out: its scenarios were played without "
        "arguments, without results and so on; it needs what it tells none of them without. What a source carries stands in its dialect "
        "([dialects](dialects.md)); `partly` is what has to be switched on, or comes with some calls only. Where an agent and a gateway both tell "
        "of a call, its row has what either told. A detector that sees a source may still have little to see there: its own page says what it is "
        "blind to by nature.",
        "## What sources carry\n\n" + _table(head),
        "## What detectors need\n\n" + _table([("detector", "blind without", "finds less without"), *(
            (f"[`{name}`](detectors/{name}.md)", ", ".join(one.always), ", ".join(one.sometimes)) for name, one in sorted(known.items()))]),
    ]
    return "\n\n".join([*parts, *(_section(name, has, known) for name, has in all_sources)]) + "\n"


def _section(name: str, has: dict[str, Carried], known: dict[str, Needs]) -> str:
    blind, partly, sees = ([d for d, one in known.items() if one.seen(has) is which] for which in (Carried.NO, Carried.PARTLY, Carried.YES))
    lacking = [m for m in MATTERS if has[m] is Carried.NO]
    lines = [f"Without {m}: {_named(without)}" for m in lacking if (without := [d for d in blind if m in known[d].always])]
    other = [d for d in blind if not any(m in known[d].always for m in lacking)]
    lines += [f"Without several of these: {_named(other)}"] if other else []
    text = [f"## {name}", f"{len(blind)} of {len(known)} detectors are blind." if blind else f"None of {len(known)} detectors is blind."]
    text += ["\n".join(f"- {line}" for line in lines)] if lines else []
    text += [f"See what there is of {', '.join(m for m in MATTERS if has[m] is Carried.PARTLY)}: {_named(partly)}"] if partly else []
    text += [f"See: {_named(sees)}"] if sees else []
    return "\n\n".join(text)


def _blind(known: dict[str, Needs], has: dict[str, Carried]) -> int:
    return sum(one.seen(has) is Carried.NO for one in known.values())


def _named(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) + "."


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|{'|'.join(' --- ' for _ in rows[0])}|", *lines[1:]])
