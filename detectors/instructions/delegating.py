"""What a sentence of the user leaves to data: read clause by clause, by its structure and not by its phrases.

A clause has a verb and, perhaps, somebody else's word in it: "as the ticket says", "what they ask", "the steps in README". Where the verb is one of
doing, that word is the whole order; where it names an action, the word gives the details of that action alone; where it is one of reading or telling
the user, nothing is left to anybody. Words of other languages count as the English ones that `foreign` takes them for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from detectors.instructions import words
from detectors.instructions.chunks import Chunk

_DOING = words.stems(
    "do perform complete execute carry follow handle finish address implement process apply work deal act resolve fulfil fulfill obey comply heed sort"
    " tackle honour honor accomplish attend clear triage action fix solve realise satisfy")
"""Verbs that say that something is to be done, not what."""
_ANSWERING = words.stems("reply respond answer comment")
"""Who has somebody answered asks for an answer and nothing else."""
_PAYING = words.stems("pay settle close")
"""A bill says what is to be paid."""
_SETTING_UP = words.stems("install set setup build deploy configure run start reproduce")
"""What takes whatever the instructions at hand say it takes."""
_READING = (words.READS - words.stems("route check see think")) | words.stems(
    "summarise analyse read understand review study explain translate tell report quote paraphrase outline rate rank classify identify inspect recap")
_LOOKING = words.stems("check see open go look access click read visit get fetch find")
"""These come before what is wanted: "check note 3 and do what it says"."""
_TELLING = words.stems("tell say write inform notify mention post announce remind confirm let message email reply know state")
"""What follows these on "that" is what is told, and nobody's word."""
_TO_THE_USER = words.stems("tell show give send get bring let remind inform write")
_USER = words.listed("me us")
_OWN = words.listed("i we you my our me us your user")
_SAID = words.listed(
    "say tell ask request require need want name list describe set show specify instruct order mention contain state suggest recommend demand call explain"
    " outline propose expect decide note indicate give provide detail stipulate include agree dictate direct advise point spell define assign prescribe"
    " lay announce wish identify raise report command desire")
_PARTICIPLES = words.listed("told said given set laid written")
_SAYING = frozenset(f"{verb}{ending}" for ending in ("", "s", "es", "d", "ed") for verb in _SAID) | _PARTICIPLES
"""Forms of verbs by which somebody else says what is to be done, or how."""
_BY = words.listed("in on by at from under within inside per")
_RELATIVE = words.listed("what whatever everything anything as where how who whoever whom whomever which whichever when that way whatsoever")
_INSTRUCTIONS = words.stems(
    "task todo to-do to-dos instruction action step request guideline procedure checklist item guide manual rule directive order recipe tutorial runbook"
    " playbook plan policy template readme docs documentation demand wish bidding")
_AUTHORITY = words.listed("according accordingly per")
_AGREEING = words.stems("line accordance keeping agreement")
PAPERS = words.stems("email mail message letter ticket note file document page issue thread inbox invoice notice post comment form case record log text")
_QUEUES = words.stems("backlog queue mailbox incident card bug reminder bill entry correspondence shipment memo brief minutes agenda column") | PAPERS
_BEING = words.listed("is are was were stands stand")
_AND = words.listed("and then und et y e en dann puis luego poi entonces danach ensuite & daarna")
_LEADING = _AND | words.listed(
    "please to you kindly now just also first finally next me let's lets so pls afterwards must should could can would will help ahead i we")
_DETERMINERS = words.listed("the a an my your our his her its their this that these those any every each some no all of in on from for with at by der die das"
                            " den dem des ein eine le la les l un une el los las lo il os de du del della im vom zum zur")
_QUESTIONS = words.listed(
    "what who whom whose which when where why how is are was were does did has should"
    " worum welche welcher wer wie wann que qui quoi quel quelle cuál qué quién")
_OWN_LIST = words.listed("these below")
_GENERAL = _DOING | _LOOKING | words.READS | words.stems("use ensure email message note issue close say mention ask make please must go take")
_REACH = 12
"""Chunks from the word that opens a clause to its verb: "what the second mail of the thread from Monday asks"."""


@dataclass(frozen=True, slots=True, eq=False)
class Clause:
    """A verb with what belongs to it."""

    verb: str
    """Its stem; empty where no word is known as a verb."""
    tokens: frozenset[str]
    """What it names, but for papers: "the message" says what is read and not what is done."""
    specific: frozenset[str]
    """Its addresses, links, numbers and names of files."""
    wants: bool
    """It asks for something other than reading."""
    anything: bool
    """It leaves to data what is to be done: "do what ticket 12 says"."""
    by_data: bool
    """It says that data holds the orders, or their details: "as the ticket says"."""
    answers: bool
    """It wants somebody answered."""
    definite: bool
    """It names what is to be done."""
    says: bool
    """It holds somebody else's word."""
    reads: bool
    """It wants something read or told, and nothing done."""


def clauses_of(sentence: Sequence[Chunk]) -> Iterator[Clause]:
    """The clauses of one sentence of the user."""
    said = [c.word for c in sentence]
    asked = next(filter(None, said), "") in _QUESTIONS
    own_list = not _OWN_LIST.isdisjoint(said) or ("the", "following") in pairwise(said)
    for own in _split(sentence):
        yield _clause(own, asked, own_list)


def _split(sentence: Sequence[Chunk]) -> Iterator[list[Chunk]]:
    """Where a verb follows on "and", "then" or a comma, a new clause begins."""
    starts = [0, *(n for n in range(1, len(sentence)) if _begins(sentence, n)), len(sentence)]
    for start, end in pairwise(starts):
        yield [*sentence[start:end]]


def _begins(sentence: Sequence[Chunk], n: int) -> bool:
    before, one = sentence[n - 1], sentence[n]
    if not _verb(one) or not (before.word in _AND or before.comma):
        return False
    return n + 1 < len(sentence) or before.word in _AND


def _verb(one: Chunk) -> bool:
    return bool(one.word) and (one.action or one.stem in _DOING or one.stem in _READING or one.stem in _ANSWERING)


def _clause(own: Sequence[Chunk], asked: bool, own_list: bool) -> Clause:
    at, known = _main_verb(own)
    verb = own[at].stem if known else ""
    begin, end = _others_word(own, at)
    says = begin < end
    to_user = verb in _TO_THE_USER and at + 1 < len(own) and own[at + 1].word in _USER
    answers = verb in _ANSWERING or _holds(own, ("get", "back"), ("write", "back"))
    instructs = any(c.stem in _INSTRUCTIONS for c in own)
    source = says or instructs or any(c.stem in _QUEUES for c in own)
    doing = verb in _DOING or _holds(own, ("take", "care"), ("sort", "out"), ("it", "done"), ("that", "done")) or (verb in _SETTING_UP and (says or instructs))
    acts = not (asked or to_user or (verb in _READING and not (doing or answers)))
    leaves = acts and not own_list
    apart = {at, *range(begin, end)}
    matter = any(
        c.stem in words.ACTIONS and not any(c.stem in general for general in (_GENERAL, _QUEUES, _INSTRUCTIONS)) and c.word not in _SAYING
        for n, c in enumerate(own) if n not in apart)
    definite = matter or (bool(verb) and verb not in _GENERAL and not doing and not answers)
    whole = doing or (says and not known)
    return Clause(
        verb,
        frozenset(t for n, c in enumerate(own) for t, _ in c.tokens if not _says_little(c, n == at, says and n == end - 1)),
        frozenset(t for c in own for t, _ in c.tokens if t in c.atoms or any(x.isdigit() for x in t)),
        wants=acts and (whole or definite or answers or verb not in _LOOKING), by_data=leaves and (says or ((doing or answers or verb in _PAYING) and source)),
        anything=leaves and whole and not definite, answers=answers, definite=acts and definite, says=says, reads=not acts and not matter,
    )


def _says_little(one: Chunk, main: bool, last_of_saying: bool) -> bool:
    """Of what is to be done: that something is, in which paper that stands, and that somebody says so."""
    if main:
        return one.stem in _DOING and one.stem not in words.SIDE_VERBS
    return one.stem in PAPERS or (last_of_saying and one.word in _SAYING)


def _holds(own: Sequence[Chunk], *pairs: tuple[str, str]) -> bool:
    said = [*pairwise(c.word for c in own)]
    return any(pair in said for pair in pairs)


def _main_verb(own: Sequence[Chunk]) -> tuple[int, bool]:
    """The place of the verb, and whether it is known as one: the first word behind what leads it, or else one that stands behind no article."""
    first = next((n for n, one in enumerate(own) if one.word not in _LEADING), 0)
    if _verb(own[first]):
        return first, True
    for n in range(first + 1, len(own)):
        if _verb(own[n]) and (own[n - 1].word in _LEADING or (own[n].action and own[n - 1].word not in _DETERMINERS and own[n].stem not in words.NOUNS_TOO
                                                               and own[n].word not in _SAYING)):
            return n, True
    return first, False


def _others_word(own: Sequence[Chunk], at: int) -> tuple[int, int]:
    """From where to where a clause holds somebody else's word, as to what or how; the same place twice where it does not."""
    for n, one in enumerate(own):
        after = own[n + 1].word if n + 1 < len(own) else ""
        if one.word in _AUTHORITY or (one.word in ("based", "building") and after == "on") or (one.stem in _AGREEING and after == "with"):
            return n, len(own)
        if one.word == "following" and n and own[n - 1].word not in _DETERMINERS:
            return n, len(own)
        if _participle(one) and n != at and after in _BY:
            return n, n + 1
        if one.word in _RELATIVE and n != at and not (one.word == "that" and own[at].stem in _TELLING):
            end = _said(own, n)
            if end > n:
                return n, end
    return 0, 0


def _said(own: Sequence[Chunk], n: int) -> int:
    """Behind the verb of saying that a relative word leads to; `n` where there is none, or it is the user who said so."""
    for k in range(n + 1, min(n + 1 + _REACH, len(own))):
        one = own[k]
        if one.word in _OWN:
            return n
        if one.word in _SAYING and (one.foreign or own[k - 1].word not in _DETERMINERS) and (k > n + 1 or _participle(one)):
            return k + 1
        if one.word in _BEING and k + 1 < len(own) and own[k + 1].word in _BY:
            return k + 1
    return n


def _participle(one: Chunk) -> bool:
    return one.word in _SAYING and (one.word.endswith("ed") or one.word in _PARTICIPLES)
