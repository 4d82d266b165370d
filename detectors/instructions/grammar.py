"""Where sentences end and how strongly each tells somebody to act: loops over the numbers of `vocabulary`, compiled by numba.

One step to the right at a time, so the cost grows with the length of a text and not with its shape.
"""

from typing import TypeAlias

import numpy as np
from numba import njit

from detectors.instructions import vocabulary as v

Bits: TypeAlias = np.ndarray[tuple[int], np.dtype[np.uint32]]
Chunks: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int32]]
Numbers: TypeAlias = np.ndarray[tuple[int], np.dtype[np.uint8]]
Places: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
Table: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.int64]]
Strengths: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]

SEGMENT_LIMIT = 120
"""Chunks of one sentence; a longer one is cut."""
_PLEADED = 0.85
"""Of a verb in another language with "please" or "must" in its sentence, whatever the order of words."""
_TITLE_WORDS, _TITLE_LIMIT, _TITLE_SHARE = 3, 14, 0.6
_LEAD_WORDS, _BITS_A_WORD = 5, v.BITS_A_WORD


@njit(cache=True, nogil=True)
def cuts(bits: Bits, lines: Places) -> Places:
    """Where sentences begin, and at last where the text ends; `lines` holds the chunks that begin a line."""
    begins = np.empty(len(bits) + 1, np.int64)
    count = start = line = 0
    for n in range(1, len(bits)):
        while line < len(lines) and lines[line] < n:
            line += 1
        if n - start >= SEGMENT_LIMIT or _cut(bits, n, line < len(lines) and lines[line] == n):
            begins[count] = start
            count += 1
            start = n
    if len(bits):
        begins[count] = start
        count += 1
    begins[count] = len(bits)
    return begins[: count + 1]


@njit(cache=True, nogil=True)
def _cut(bits: Bits, n: int, new_line: bool) -> bool:
    """Whether a sentence ends before chunk n."""
    before, after = bits[n - 1], bits[n]
    if after & v.OPENS:
        if before & v.ENDS or new_line or before & v.KEY:
            return True
        if after & v.CAPITAL and ((before & v.COMMA and before & v.COLON) or after & v.ACTION):
            return True
        if after & v.NUMBERED and n + 1 < len(bits) and bits[n + 1] & v.CAPITAL:
            return True
    return bool(after & v.KEY or (before | after) & v.MARK or before & v.SEMICOLON)


@njit(cache=True, nogil=True)
def telling(bits: Bits, numbers: Numbers, begins: Places, phrases: Table) -> tuple[Table, Strengths, Numbers]:
    """The sentences that tell to act or that name a change: first and last place of each and of the one behind it, whether a change is
    meant; how strongly they tell it; and of each chunk whether it is the verb of an order."""
    found = np.empty((len(begins), 4), np.int64)
    strengths = np.empty(len(begins), np.float64)
    ordered = np.zeros(len(bits), np.uint8)
    count = 0
    for n in range(len(begins) - 1):
        start, end = begins[n], begins[n + 1]
        while start < end and not bits[start] & v.WORD:  # bullets, numbers
            start += 1
        any_verb = any_side = orders = ordered_side = False
        for k in range(start, end):
            any_side |= bits[k] & v.SIDE != 0
            any_verb |= bits[k] & (v.ACTION | v.SIDE) != 0
        if not any_verb:
            continue
        alone = start == 0 or bits[start - 1] & (v.ENDS | v.COMMA | v.KEY | v.MARK) or not bits[start - 1] & v.WORD
        strength = _strength(bits, numbers, start, end, not alone, phrases, ordered)
        for k in range(start, end):
            if ordered[k]:
                orders = True
                ordered_side |= bits[k] & v.SIDE != 0
        side = ordered_side if orders else any_side
        if strength > 0 or side:
            found[count, 0], found[count, 1], found[count, 3] = start, end, side
            found[count, 2] = begins[n + 2] if n + 2 < len(begins) else end
            strengths[count] = strength
            count += 1
    return found[:count], strengths[:count], ordered


@njit(cache=True, nogil=True)
def _strength(bits: Bits, numbers: Numbers, start: int, end: int, inside: bool, phrases: Table, ordered: Numbers) -> float:
    """The strongest order among the verbs; marks the verbs that are orders."""
    best = carried = 0.0  # "get the addresses and send them": the second verb is as much an order as the first
    title = -1.0
    pleads = False
    for k in range(start, end):
        pleads |= bits[k] & v.PLEADS != 0
    for k in range(start, end if pleads else 0):
        if bits[k] & v.FOREIGN and bits[k] & v.ACTION:
            ordered[k] = 1
            best = max(best, _PLEADED if bits[k] & v.SIDE else 0.5 * _PLEADED)
    for k in range(start, end - 1):
        own, after = bits[k], bits[k + 1]
        if not own & v.ACTION or own & (v.COMMA | v.ENDS) or after & v.NOT or not after & v.TELLING:
            continue
        lead = _lead(bits, numbers, start, k, inside, phrases)
        if k > start and bits[k - 1] & v.AND:
            lead = max(lead, carried)
        if lead <= 0:
            continue
        carried = lead
        if after & v.CAPITAL:
            lead *= 0.7
        if own & v.NOUN_TOO and after & v.RELATES:
            lead *= 0.3
        if not own & v.SIDE:
            lead *= 0.5
        if title < 0:
            title = 0.4 if _title(bits, start, end) else 1.0
        ordered[k] = 1
        best = max(best, lead * title)
    return best


@njit(cache=True, nogil=True)
def _lead(bits: Bits, numbers: Numbers, start: int, k: int, inside: bool, phrases: Table) -> float:
    """How much what stands before a verb makes it an order."""
    before = meaning = 0
    for n in range(min(_LEAD_WORDS, k - start)):
        before |= int(numbers[k - 1 - n]) << _BITS_A_WORD * n
    for n in range(len(phrases)):
        if before & phrases[n, 1] == phrases[n, 0]:
            meaning |= phrases[n, 2]
    if meaning & v.LEAD:
        return 1.0
    if meaning & v.DENIAL:
        return 0.0
    if k == start:
        return (0.85 if inside else 1.0) if bits[k] & v.UPPER else 0.5
    if bits[k] & v.CAPITAL:
        return 0.85
    if meaning & v.STEP:
        return 1.0 if k == start + 1 else 0.5
    if meaning & v.OFFER:
        return 0.5
    return 0.25 if meaning & v.JOIN else 0.0


@njit(cache=True, nogil=True)
def _title(bits: Bits, start: int, end: int) -> bool:
    """Headings and link texts: short, no full stop, most long words capitalised."""
    if bits[end - 1] & v.TITLE_ENDS:
        return False
    if end - start <= _TITLE_WORDS:
        return True
    long = capitals = 0
    for k in range(start + 1, end):
        if bits[k] & v.LONG:
            long += 1
            capitals += bits[k] & v.CAPITAL != 0
    return end - start <= _TITLE_LIMIT and long > 0 and capitals >= _TITLE_SHARE * long
