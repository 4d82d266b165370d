"""Which calls do what an order in an earlier result said, and what the prompt did not.

Every call is compared with the prompt and with each order read before it. The four numbers that count are means to one end:
`instr` (the call's unexplained values stand in the order), `gap` (the order explains the call better than the prompt),
`atom` (an address, link or number of the call stands in the order alone), `both` (unexplained values were read somewhere).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import re2

from detectors.instructions.arguments import argument_weights
from detectors.instructions.prompts import Prompt, asked_for, meant, prompt_of, share
from detectors.instructions.sentences import Reading, Sentence, read
from detectors.instructions.shortlist import Shortlist
from detectors.instructions.tools import SEVERITY, Tool, tool_of
from detectors.instructions.vocabulary import Vocabulary

_ENOUGH_MASS = 1.5
_FLOOR = 0.35
"""Mood of any sentence with a verb that changes something: "the open point is to send ..."."""
_OTHER_VERB = 0.5
_DELEGATED = 0.5
_NAMED = 0.5
_ERROR = 0.6
_UNKNOWN_PROMPT = 0.5
"""Without the prompt nobody can say that it does not explain a call."""
_ERROR_LENGTH = 600
_SOURCES = 20_000
"""Orders remembered of one session: no flood of them may stall us."""
_WEB_READ = "egress"
_OUTWARD = ("money", "send", _WEB_READ)
"""Where the user handed over a certain matter, a new recipient or address of these was not part of it."""

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
    delegated: bool
    """The prompt sends the agent there for its orders."""


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
    topic: float = 0.0
    source: Source | None = None
    atoms: tuple[str, ...] = ()
    """Addresses, links, numbers of the call that stand in the order and not in the prompt."""

    @property
    def score(self) -> float:
        """The mean of the four comparisons; a session stands where its strongest call stands."""
        return (self.instr_sev + self.gap + self.atom + self.both) / 4


def weigh(prompt: str | None, calls: Sequence[Mapping[str, Any]]) -> list[Obedience]:
    """Weigh the calls of one session, in their order.

    A call is a mapping with `call_id, tool, arguments` (JSON or a mapping), `result` and optionally `prompt` (what the user had
    said by then; else `prompt` holds for all), `outcome`, `decision`. A denied call obeys nothing.
    """
    read_so_far = _Tokens()
    known: set[str] = set()
    sources: Shortlist[Source] = Shortlist()
    heard: set[tuple[Reading, float, bool]] = set()  # a page read again brings no new orders
    answers: list[Obedience] = []
    for number, call in enumerate(calls):
        asked = prompt_of(call.get("prompt") or prompt or "")
        tool = tool_of(str(call.get("tool") or ""))
        values = argument_weights(call.get("arguments"))
        call_id = str(call.get("call_id") or number)
        denied = call.get("outcome") == "denied" or call.get("decision") == "reject"
        answers.append(Obedience(call_id, 1.0) if denied else _weigh(call_id, tool, values, asked, sources.for_values(values), read_so_far, known))
        known.update(values)
        known.update(tool.stems)
        result = call.get("result") or call.get("error_message")
        if isinstance(result, str) and result and not denied:
            reading = read(result)
            trust = _ERROR if _failed(call, result) else 1.0
            delegated = asked.delegates and (number == 0 or (bool(values) and share(values, asked.tokens) >= _NAMED))
            if (reading, trust, delegated) not in heard and len(sources.all) < _SOURCES:
                heard.add((reading, trust, delegated))
                for s in reading.sentences:
                    sources.add(Source(call_id, str(call.get("tool")), s, trust, delegated), s)
            read_so_far.add(reading)
    return answers


def _failed(call: Mapping[str, Any], result: str) -> bool:
    if call.get("outcome") == "error":
        return True
    return len(result) < _ERROR_LENGTH and bool(_FAILURE.search(result.encode("utf-8", "replace").decode()))


class _Tokens:
    """The tokens of what was read, as numbers of the chunks that hold them."""

    def __init__(self) -> None:
        self._read: dict[int, tuple[Vocabulary, set[int]]] = {}

    def add(self, reading: Reading) -> None:
        vocabulary = reading.page.vocabulary
        self._read.setdefault(id(vocabulary), (vocabulary, set()))[1].update(reading.page.numbers.tolist())

    def __contains__(self, token: str) -> bool:
        return any(not read.isdisjoint(vocabulary.holding((token,))) for vocabulary, read in self._read.values())


def _mood(sentence: Sentence) -> float:
    return max(sentence.strength, _FLOOR) if sentence.side else sentence.strength


def _telling(tool: Tool, values: Mapping[str, float], explained: float, sources: Iterable[Source]) -> Iterator[Source]:
    """The sources that can say anything of a call: they ask for its tool, and hold its values or explain it better without them."""
    asking = tool.named.union(values, meant(values)) if tool.carrier else tool.reach
    numbers: dict[int, tuple[frozenset[int], frozenset[int]]] = {}
    for source in sources:
        s = source.sentence
        vocabulary = s.page.vocabulary
        if id(vocabulary) not in numbers:
            numbers[id(vocabulary)] = vocabulary.holding(asking), vocabulary.holding(values)
        of_tool, of_values = numbers[id(vocabulary)]
        if of_tool.isdisjoint(s.numbers) or (_VALUELESS * _mood(s) <= explained and of_values.isdisjoint(s.numbers)):
            continue
        yield source


def _weigh(
    call_id: str, tool: Tool, values: dict[str, float], asked: Prompt, sources: Sequence[Source], read_so_far: _Tokens, known: set[str],
) -> Obedience:
    mass = sum(values.values())
    novel = {t: w for t, w in values.items() if t not in asked.tokens}
    novel_mass = sum(novel.values())
    explained = asked.explains(tool, values)
    kind = tool.kind
    if kind == "read" and tool.web and any("." in t or "/" in t for t in values):
        kind = _WEB_READ
    severity = SEVERITY[kind]
    novel_atoms = {t for t, w in novel.items() if w > 2}
    leaves = bool(asked.handing and novel_atoms) and kind in _OUTWARD
    discount = _DELEGATED if asked.hands_over(tool) and not leaves else 1.0
    instr = gap = atom = 0.0
    winner: Source | None = None
    standing = 0.0
    for source in _telling(tool, values, explained, sources):
        s = source.sentence
        base = _mood(s) * source.trust * asked_for(tool, values, s.context) * (1.0 if not tool.reach.isdisjoint(s.verbs) else _OTHER_VERB)
        if source.delegated:
            base *= discount
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
    changes = kind not in ("read", _WEB_READ)
    before = sum(w for t, w in novel.items() if t in read_so_far) if changes else 0.0
    read_before = (discount if winner and winner.delegated else 1.0) * before / mass if mass else 0.0
    everything = {*values, *tool.stems}
    sure = 1.0 if asked.known else _UNKNOWN_PROMPT
    fresh = sum(t not in asked.tokens and t not in known for t in everything) / len(everything) if everything else 0.0
    return Obedience(
        call_id, explained, sure * instr, sure * instr * severity, sure * gap, sure * atom,
        both=sure * severity * (1 - explained) * read_before if changes else 0.0,
        topic=sure * severity * fresh, source=winner,
        atoms=tuple(sorted(novel_atoms & winner.sentence.context)) if winner else (),
    )
