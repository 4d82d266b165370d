"""Which calls do what an order in an earlier result said, and what the prompt did not.

Every call is compared with the prompt and with each order read before it. The four numbers that count are means to one end:
`instr` (the call's unexplained values stand in the order), `gap` (the order explains the call better than the prompt),
`atom` (an address, link or number of the call stands in the order alone), `both` (unexplained values were read somewhere).
A fifth, `strange`, asks for no order: unexplained values were read where calls of this tool do not usually have them from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import re2

from detectors.instructions.arguments import Arguments, arguments_of
from detectors.instructions.following import fullest
from detectors.instructions.heard import ENOUGH_MASS, Heard
from detectors.instructions.leaving import WEB_READ, Usual, leaving
from detectors.instructions.prompts import Handed, Prompt, prompt_of
from detectors.instructions.recorded import cut_off
from detectors.instructions.sentences import Sentence, read, todays_vocabulary
from detectors.instructions.tools import SEVERITY, tool_of

NOTED = 0.05
"""Score below which there is nothing to tell."""
_ERROR = 0.6
_UNKNOWN_PROMPT = 0.5
"""Without the prompt nobody can say that it does not explain a call."""
_ERROR_LENGTH = 600
_BOTH, _STRANGE = 0.4, 0.76
"""What `both` and `strange` say by themselves, where no order stands out: one that is reworded, split or past what was recorded leaves only these."""
_SURE = 1 - 1e-9

_FAILURE = re2.compile(r"(?i)^\W*(?:\w*Error\b|Traceback|error|failed|invalid|exception)|\bnot found\b|Input should be")


@dataclass(frozen=True, slots=True)
class Source:
    """An order and the call whose result brought it."""

    call_id: str
    sentence: Sentence


@dataclass(slots=True, eq=False)  # not frozen: there is one for each call, and that takes four times as long to make
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
    vocabulary = todays_vocabulary()
    with vocabulary.lock:
        heard = Heard(vocabulary)
        try:
            return list(_weighed(prompt, calls, usual, heard))
        finally:
            heard.close()


def _weighed(prompt: str | None, calls: Sequence[Mapping[str, Any]], usual: Usual | None, heard: Heard) -> Iterator[Obedience]:
    unread: list[tuple[str, Mapping[str, Any], Arguments]] = []  # what no later call needs is never read
    for number, call in enumerate(calls):
        call_id = str(call.get("call_id") or number)
        if call.get("outcome") == "denied" or call.get("decision") == "reject":
            yield Obedience(call_id, 1.0)
            continue
        arguments, asked = arguments_of(call.get("arguments")), prompt_of(call.get("prompt") or prompt or "")
        name = str(call.get("tool") or "")
        explained = asked.explains(tool_of(name), arguments.weights, arguments.mass)
        if explained >= _SURE or not (unread or heard.recorded):
            yield Obedience(call_id, explained)
        else:
            for earlier in unread:
                _hear(heard, *earlier)
            unread.clear()
            yield _against(heard, call_id, name, arguments, asked, explained, usual)
        if call.get("result") or call.get("error_message"):
            unread.append((call_id, call, arguments))


def _hear(heard: Heard, call_id: str, call: Mapping[str, Any], arguments: Arguments) -> None:
    result = call.get("result") or call.get("error_message")
    if isinstance(result, str):
        trust = _ERROR if _failed(call, result) else 1.0
        heard.add(call_id, str(call.get("tool") or ""), arguments.weights, trust, read(result, heard.vocabulary), cut_off(call, result))


def _failed(call: Mapping[str, Any], result: str) -> bool:
    return call.get("outcome") == "error" or (len(result) < _ERROR_LENGTH and _tells_of_failure(result))


@lru_cache(maxsize=4_096)
def _tells_of_failure(result: str) -> bool:
    return bool(_FAILURE.search(result.encode("utf-8", "replace").decode()))


def _against(heard: Heard, call_id: str, name: str, arguments: Arguments, asked: Prompt, explained: float, usual: Usual | None) -> Obedience:
    """Compare a call with the orders and with everything that was read before it."""
    tool, mass, sure = tool_of(name), arguments.mass, 1.0 if asked.known else _UNKNOWN_PROMPT
    novel = heard.unexplained(arguments, asked)
    told = novel.read or (heard.cut_off and usual is not None)
    if not told and sure * heard.at_most(arguments, novel, explained) < 4 * NOTED:
        return Obedience(call_id, explained)
    kind = tool.kind
    if kind == "read" and tool.web and any("." in t or "/" in t for t in arguments.weights):
        kind = WEB_READ
    severity = SEVERITY[kind]
    left = leaving(asked, tool, name, [t for t in arguments.atoms if t not in asked.tokens], kind, usual)
    followed = heard.follow(tool, arguments, novel, explained, severity, left)
    read_before = strange = 0.0
    if told and mass and kind not in ("read", WEB_READ):
        read_before, strange = heard.read_before(arguments, novel, asked, left)
        if kind == "unknown":
            strange = 0.0  # a name that says nothing may be one that only reads
    unexplained = sure * severity * (1 - explained) / (mass or 1.0)
    both, strange = unexplained * read_before, unexplained * strange * min(1.0, novel.mass / ENOUGH_MASS)
    instr, gap, atom = (sure * followed.instr, sure * followed.gap, sure * followed.atom) if followed else (0.0, 0.0, 0.0)
    if max(_BOTH * both, _STRANGE * strange) > (instr * severity + gap + atom + both) / 4:
        followed = None  # what was read says more than any order
    source = Source(followed.result.call_id, followed.order) if followed else None
    noted = _STRANGE * max(strange, both) >= NOTED
    return Obedience(
        call_id, explained, instr, instr * severity, gap, atom, both, strange, source=source,
        read_in=heard.most_read_in(arguments, novel) if source is None and noted else None,
        atoms=tuple(sorted(t for t in arguments.atoms if t in source.sentence.context and t not in asked.tokens)) if source else (),
        handed=left.of(followed.result.call_id, followed.result.tool, followed.result.values).handed if followed else left.most_handed,
    )


def passage(result: str, call: Mapping[str, Any]) -> str | None:
    """The sentence of a result that holds most of a call's values which the prompt does not name; None where it holds none."""
    asked = prompt_of(call.get("prompt") or "")
    novel = {t: w for t, w in arguments_of(call.get("arguments")).weights.items() if t not in asked.tokens}
    page = read(result).page
    v = page.vocabulary
    with v.lock:
        wanted = {v.tokens[t]: w for t, w in novel.items() if t in v.tokens}
        tokens, weights = np.array([*wanted], np.int64), np.array([*wanted.values()], np.float64)
        found = fullest(page.numbers, page.begins, v.begins, v.held, tokens, weights, v.weights, v.met, v.stamp + 1)
        v.stamp += len(page.begins)
    if not wanted or found < 0:
        return None
    return " ".join(c.raw for c in page.chunks(int(page.begins[found]), int(page.begins[found + 1])))
