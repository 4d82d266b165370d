"""Orders that stand in a result whether or not anybody follows them: orphans, wrappers, hidden text."""

from collections.abc import Iterator
from dataclasses import dataclass

import re2

from detectors.instructions import words
from detectors.instructions.hidden import hidden_in
from detectors.instructions.sentences import TEXT_LIMIT, Sentence, read

_SPECIFIC_ATOM, _SPECIFIC_DETAIL, _UNSPECIFIC = 1.0, 0.8, 0.6
_FULL_TOKENS = 4
_WRAPPER_SCORE, _HIDDEN_SCORE = 0.8, 0.9
_HIDDEN_ORDER = 0.5

_WRAPPERS = re2.compile(
    r"(?im)\b(?:ignore|disregard|forget|override)\s+(?:all\s+|any\s+|the\s+|your\s+|my\s+){0,3}(?:previous|prior|above|earlier|preceding|"
    r"system|original)\s+(?:instructions?|prompts?|rules|directives|messages?|context|commands?|orders?|guidelines)"
    r"|</?(?:important|information|system|instructions?|admin|secret|hidden_?instructions?|system[_-]prompt|user_?message)>"
    r"|<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id)[^>]{0,20}\|?>|\[/?INST\]|<</?SYS>>"
    r"|^\s*(?:#{1,4}\s*)?(?:\[|\()?(?:system|assistant)(?:\s+(?:message|prompt|note|override|instructions?))?(?:\]|\))?\s*:\s*\S"
    r"|\b(?:do not|don't|never)\s+(?:tell|inform|mention\s+(?:this|it|that|any\s+of\s+this)\s+to|notify|alert|reveal\s+(?:this|it)\s+to)"
    r"\s+(?:the\s+)?user\b"
    r"|\bbefore\s+(?:you\s+)?(?:can\s+)?(?:solv|do|complet|us|continu|answer|proceed)\w*\s+(?:with\s+)?(?:the|this|your|any|my)\s+"
    r"(?:original\s+|user'?s?\s+|current\s+)?(?:task|tool|request|question)\b[^.\n]{0,80}\b(?:must|need|have to|first|please|should)\b"
    r"|\b(?:your\s+)?new\s+(?:instructions?|task|directives?)\s+(?:is|are)\b[^.\n]{0,10}:?"
    r"|\byou\s+are\s+now\s+(?:in\s+)?(?:an?\s+)?(?:developer|admin|debug|dan|jailbr\w+|unrestricted)\b")


_FAR_REACHING = frozenset().union(*(words.SIDE_EFFECTS[kind] for kind in ("money", "delete", "member", "send")))
_FIRM = 0.7
_LINK = "]("
_QUOTES = ("'", '"', "`", "\u201c", "\u2018", "\u201e", "\u00ab")


@dataclass(frozen=True, slots=True)
class Order:
    """Something in a result that speaks to the agent."""

    kind: str
    """order, wrapper or hidden."""
    text: str
    score: float
    aimed: bool = True
    """A firm order to send, pay, delete or let somebody in, with an address, link or number that the prompt does not know."""


def orders_in(text: str, asked: frozenset[str], least: float = 0.0) -> Iterator[Order]:
    """The orders of one result, of plain ones those of at least this strength; `asked` holds the tokens of the prompt."""
    text = text[:TEXT_LIMIT]
    for piece in hidden_in(text):
        if wrapper_in(piece) or any(read(piece).orders(_HIDDEN_ORDER)):
            yield Order("hidden", piece, _HIDDEN_SCORE)
    if wrapper := wrapper_in(text, quoted_too=False):
        yield Order("wrapper", wrapper, _WRAPPER_SCORE)
    found = [(aimed(s, asked), score, s) for s in read(text).orders(least) if (score := orphan(s, asked)) > 0]
    if found:
        far, score, s = max(found, key=lambda one: (*one[:2], one[2].text))
        yield Order("order", s.text, score, far)


def wrapper_in(text: str, quoted_too: bool = True) -> str | None:
    """The first words that imitate the system or the user, or undo what they said; text about injection quotes such words."""
    clean = _clean(text)
    for match in _WRAPPERS.finditer(clean):
        if quoted_too or clean[max(0, match.start() - 1) : match.start()] not in _QUOTES:
            return str(match.group())
    return None


def aimed(sentence: Sentence, asked: frozenset[str]) -> bool:
    """Whether a sentence firmly orders something far-reaching, with a destination of its own."""
    if sentence.strength < _FIRM or _FAR_REACHING.isdisjoint(sentence.verbs) or _LINK in sentence.text:
        return False
    return any(a in sentence.tokens and a not in asked for a in sentence.atoms)


def orphan(sentence: Sentence, asked: frozenset[str]) -> float:
    """How much a sentence is a specific order that the prompt knows nothing of, 0..1."""
    mass = sum(sentence.tokens.values())
    if not mass:
        return 0.0
    new = sum(w for t, w in sentence.tokens.items() if t not in asked) / mass
    detail = _UNSPECIFIC
    if any(a not in asked for a in sentence.atoms):
        detail = _SPECIFIC_ATOM
    elif sentence.specific:
        detail = _SPECIFIC_DETAIL
    return sentence.strength * new * detail * min(1.0, len(sentence.tokens) / _FULL_TOKENS)


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
