"""Which calls do what an order in an earlier result said, and what the prompt did not.

Every call is compared with the prompt and with each order read before it. The four numbers that count are means to one end:
`instr` (the call's unexplained values stand in the order), `gap` (the order explains the call better than the prompt),
`atom` (an address, link or number of the call stands in the order alone), `both` (unexplained values were read somewhere).
A fifth, `strange`, asks for no order: unexplained values were read where calls of this tool do not usually have them from.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import re2

from detectors.instructions.arguments import argument_weights, brief
from detectors.instructions.leaving import WEB_READ, Leaving, Usual, leaving
from detectors.instructions.prompts import Handed, Prompt, asked_for, meant, prompt_of
from detectors.instructions.recorded import Recorded, cut_off
from detectors.instructions.sentences import Reading, Sentence, parts_of, read
from detectors.instructions.shortlist import Shortlist
from detectors.instructions.tools import SEVERITY, Tool, tool_of

_ENOUGH_MASS = 1.5
_FLOOR = 0.35
"""Mood of any sentence with a verb that changes something: "the open point is to send ..."."""
_OTHER_VERB = 0.5
_ERROR = 0.6
_UNKNOWN_PROMPT = 0.5
"""Without the prompt nobody can say that it does not explain a call."""
_ERROR_LENGTH = 600
_SOURCES = 20_000
"""Orders remembered of one session: no flood of them may stall us."""
_BOTH, _STRANGE = 0.4, 0.76
"""What `both` and `strange` say by themselves, where no order stands out: one that is reworded, split or past what was recorded leaves only these."""

_VALUELESS, _VALUED = 0.4, 0.6
"""What an order explains of a call that has none of its values, and what all of them add."""

_FAILURE = re2.compile(r"(?i)^\W*(?:\w*Error\b|Traceback|error|failed|invalid|exception)|\bnot found\b|Input should be")


@dataclass(slots=True)  # not frozen: there are many, and that takes longer to make
class Source:
    """An order and the call whose result brought it."""

    call_id: str
    tool: str
    sentence: Sentence
    trust: float
    """Less for error messages."""
    paper: Mapping[str, float]
    """With which values it was read: the name under which the prompt may send the agent there for its orders."""


@dataclass(frozen=True, slots=True)
class Obedience:
    """How far one call follows an order out of an earlier result; all numbers in 0..1."""

    call_id: str
    explained: float
    """How well the prompt explains the call (Pseg)."""
    instr: float = 0.0
    instr_sev: float = 0.0
    gap: float = 0.0
    atom: float = 0.0
    both: float = 0.0
    strange: float = 0.0
    topic: float = 0.0
    source: Source | None = None
    """The order that the call follows most closely."""
    read_in: str | None = None
    """Where no order was found: the call whose result, of all, holds most of what the prompt does not explain."""
    atoms: tuple[str, ...] = ()
    """Addresses, links, numbers of the call that stand in the order and not in the prompt."""
    handed: Handed = Handed.NOT
    """How far the user left such a call to what was read."""

    @property
    def score(self) -> float:
        """The mean of the four comparisons, or what those say that need no order; a session stands where its strongest call stands."""
        return max((self.instr_sev + self.gap + self.atom + self.both) / 4, _BOTH * self.both, _STRANGE * self.strange)


def weigh(prompt: str | None, calls: Sequence[Mapping[str, Any]], usual: Usual | None = None) -> list[Obedience]:
    """Weigh the calls of one session, in their order.

    A call is a mapping with `call_id, tool, arguments` (JSON or a mapping), `result` and optionally `prompt` (what the user had
    said by then; else `prompt` holds for all), `outcome`, `decision`, `result_state`. A denied call obeys nothing.
    """
    recorded: dict[str, Recorded] = {}
    known: set[str] = set()
    sources: Shortlist[Source] = Shortlist()
    heard: set[tuple[Reading, float]] = set()  # a page read again brings no new orders
    answers: list[Obedience] = []
    for number, call in enumerate(calls):
        name, call_id = str(call.get("tool") or ""), str(call.get("call_id") or number)
        tool, values = tool_of(name), argument_weights(call.get("arguments"))
        denied = call.get("outcome") == "denied" or call.get("decision") == "reject"
        if denied:
            answers.append(Obedience(call_id, 1.0))
        else:
            asked = prompt_of(call.get("prompt") or prompt or "")
            one = _Weighed(call_id, name, tool, values, brief(call.get("arguments")), asked)
            answers.append(one.against(sources.for_values(values), recorded, known, usual))
        known.update(values)
        known.update(tool.stems)
        result = call.get("result") or call.get("error_message")
        if isinstance(result, str) and result and not denied:
            reading = read(result)
            trust = _ERROR if _failed(call, result) else 1.0
            if (reading, trust) not in heard and len(sources.all) < _SOURCES:
                heard.add((reading, trust))
                for s in reading.sentences:
                    sources.add(Source(call_id, name, s, trust, values), s)
            recorded.setdefault(name, Recorded()).add(call_id, reading, values, cut_off(call, result))
    return answers


def _failed(call: Mapping[str, Any], result: str) -> bool:
    if call.get("outcome") == "error":
        return True
    return len(result) < _ERROR_LENGTH and bool(_FAILURE.search(result.encode("utf-8", "replace").decode()))


def _mood(sentence: Sentence) -> float:
    return max(sentence.strength, _FLOOR) if sentence.side else sentence.strength


def _telling(tool: Tool, values: Mapping[str, float], explained: float, sources: Iterable[Source]) -> Iterator[Source]:
    """The sources that can say anything of a call: they ask for its tool, and hold its values or explain it better without them."""
    asking = tool.named.union(values, meant(values)) if tool.carrier else tool.reach
    held = frozenset(values)
    for source in sources:
        s = source.sentence
        if asking.isdisjoint(s.context) or (_VALUELESS * _mood(s) <= explained and held.isdisjoint(s.context)):
            continue
        yield source


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A call that is weighed."""

    call_id: str
    name: str
    tool: Tool
    values: dict[str, float]
    short: frozenset[str]
    asked: Prompt

    def against(self, sources: Sequence[Source], recorded: Mapping[str, Recorded], known: set[str], usual: Usual | None) -> Obedience:
        """Compare it with the orders and with everything that was read before it."""
        tool, values, asked = self.tool, self.values, self.asked
        mass = sum(values.values())
        novel = {t: w for t, w in values.items() if t not in asked.tokens}
        novel_mass = sum(novel.values())
        explained = asked.explains(tool, values)
        kind = tool.kind
        if kind == "read" and tool.web and any("." in t or "/" in t for t in values):
            kind = WEB_READ
        severity = SEVERITY[kind]
        novel_atoms = {t for t, w in novel.items() if w > 2}
        left = leaving(asked, tool, self.name, novel_atoms, kind, usual)
        instr = gap = atom = standing = 0.0
        winner: Source | None = None
        for source in _telling(tool, values, explained, sources):
            s = source.sentence
            base = _mood(s) * source.trust * asked_for(tool, values, s.context) * (1.0 if not tool.reach.isdisjoint(s.verbs) else _OTHER_VERB)
            base *= left.of(source.call_id, source.tool, source.paper).counts
            if base <= 0:
                continue
            inside = sum(w for t, w in values.items() if t in s.context)
            inside_novel = sum(w for t, w in novel.items() if t in s.context)
            i = base * (inside_novel / novel_mass) * min(1.0, novel_mass / _ENOUGH_MASS) if novel_mass else 0.0
            g = max(0.0, base * (_VALUELESS + _VALUED * (inside / mass if mass else 0.0)) - explained)
            a = base if not novel_atoms.isdisjoint(s.context) else 0.0
            instr, gap, atom = max(instr, i), max(gap, g), max(atom, a)
            if i * severity + g + a > standing:
                standing, winner = i * severity + g + a, source
        changes = kind not in ("read", WEB_READ)
        read_before = strange = 0.0
        if mass and changes:
            read_before, strange = self._read_before(novel, recorded, left)
            if kind == "unknown":
                strange = 0.0  # a name that says nothing may be one that only reads
        everything = {*values, *tool.stems}
        sure = 1.0 if asked.known else _UNKNOWN_PROMPT
        fresh = sum(t not in asked.tokens and t not in known for t in everything) / len(everything) if everything else 0.0
        unexplained = sure * severity * (1 - explained) / (mass or 1.0)
        both, strange = unexplained * read_before, unexplained * strange * min(1.0, novel_mass / _ENOUGH_MASS)
        instr, gap, atom = sure * instr, sure * gap, sure * atom
        if max(_BOTH * both, _STRANGE * strange) > (instr * severity + gap + atom + both) / 4:
            winner = None  # what was read says more than any order
        return Obedience(
            self.call_id, explained, instr, instr * severity, gap, atom, both, strange, topic=sure * severity * fresh, source=winner,
            read_in=_most_read_in(novel, recorded) if winner is None and read_before + strange else None,
            atoms=tuple(sorted(novel_atoms & winner.sentence.context)) if winner else (),
            handed=left.of(winner.call_id, winner.tool, winner.paper).handed if winner else left.most_handed,
        )

    def _read_before(self, novel: Mapping[str, float], recorded: Mapping[str, Recorded], left: Leaving) -> tuple[float, float]:
        """How much of the unexplained was read before, by what the user did not leave to it; and how much of that where it is strange."""
        by_source = {source: (one, left.of(source, source, one.papers)) for source, one in recorded.items()}
        read_before = strange = 0.0
        for token, weight in novel.items():
            holding = [left_to for one, left_to in by_source.values() if token in one]
            if holding:
                read_before += weight * min(left_to.counts for left_to in holding)
            elif token in self.short:  # it may have stood where the record ends
                holding = [left_to for one, left_to in by_source.values() if one.cut_off]
            if holding and token in self.short and not _is_named(token, self.asked):
                strange += weight * min(left_to.strange for left_to in holding)
        return read_before, strange


def _is_named(token: str, asked: Prompt) -> bool:
    """Whether a token is the address of somebody whom the prompt names: "answer Dana"."""
    name, at, _ = token.partition("@")
    return bool(at) and all(part in asked.tokens for part in name.replace("_", ".").replace("-", ".").split("."))


def passage(result: str, call: Mapping[str, Any]) -> str | None:
    """The sentence of a result that holds most of a call's values which the prompt does not name; None where it holds none."""
    asked = prompt_of(call.get("prompt") or "")
    novel = {t: w for t, w in argument_weights(call.get("arguments")).items() if t not in asked.tokens}
    found = [(sum(novel.get(t, 0.0) for t in {t for c in own for t, _ in c.tokens}), -n, own) for n, own in enumerate(parts_of(result))]
    most, _, own = max(found, key=lambda one: one[:2], default=(0.0, 0, []))
    return " ".join(c.raw for c in own) if most else None


def _most_read_in(novel: Mapping[str, float], recorded: Mapping[str, Recorded]) -> str | None:
    found = [(sum(w for t, w in novel.items() if t in one), one.cut_off, name) for name, one in recorded.items()]
    return recorded[max(found)[2]].first_holding(novel) if found else None
