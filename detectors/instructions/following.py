"""How far a call follows each order that was read before it: loops over the numbers of `vocabulary`, compiled by numba.

A call is laid over the vocabulary as flags: which tokens ask for its tool, which are its values. Each order is then read once.
"""

from typing import Any, TypeAlias

import numpy as np
from numba import njit

from detectors.instructions import vocabulary as v
from detectors.instructions.arguments import HEAVY
from detectors.instructions.tools import REACHES, RELATED_FROM

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

NAMED, REACH = np.uint64(REACHES - 1), np.uint64(REACHES)
"""Of a token: it is of the tool's name, or related to a word of it; it may ask for the tool."""
VALUE, NOVEL, ATOM, MEANT = (np.uint64(REACHES << n) for n in range(1, 5))
"""A value of the call has it; the prompt has not; it is an address, a link or a number besides; a command among the values means it."""
_ONE = np.uint64(1)
SOURCES = 63
"""Sources that are told apart at once by what they gave to read; those that come after share a bit."""
NOBODY = 2.0
"""More than any source counts or is strange."""


@njit(cache=True, nogil=True)
def unexplained(tokens: Array, weights: Array, said: Array, met: Array, read_by: Array, stamp: int) -> tuple[Array, float, bool]:
    """Which values the prompt does not know, whose tokens are `said`; what they weigh; and whether any of them was read."""
    for n in range(len(said)):
        met[said[n]] = stamp
    fresh, mass, read = np.zeros(len(tokens), np.bool_), 0.0, False
    for n in range(len(tokens)):
        if met[tokens[n]] != stamp:
            fresh[n] = True
            mass += weights[n]
            read = read or read_by[tokens[n]] != 0
    return fresh, mass, read


@njit(cache=True, nogil=True)
def read_before(
    tokens: Array, weights: Array, fresh: Array, telling: Array, read_by: Array, counts: Array, strange: Array, in_cut: float, late: Array,
) -> tuple[float, float]:
    """How much of what the prompt does not know was read before, as each source `counts`, and how much of that, where it is telling, as it is strange.

    `in_cut`: how strange is what may have stood where a record ends, 0 where none does. `late`: of each value, both for those sources that share a bit."""
    read = odd = 0.0
    for n in range(len(tokens)):
        if not fresh[n]:
            continue
        by, counting, oddest = read_by[tokens[n]], NOBODY, NOBODY
        for source in range(len(counts)):
            if by >> np.uint64(source) & _ONE:
                counting, oddest = min(counting, counts[source]), min(oddest, strange[source])
        if by >> np.uint64(SOURCES) & _ONE:
            counting, oddest = min(counting, late[n, 0]), min(oddest, late[n, 1])
        if counting < NOBODY:
            read += weights[n] * counting
        else:
            oddest = in_cut  # it may have stood where the record ends
        if telling[n]:
            odd += weights[n] * oddest
    return read, odd


@njit(cache=True, nogil=True)
def compare(
    orders: Array, moods: Array, numbers: Array, ordered: Array, bits: Array, stems: Array, begins: Array, held: Array,
    flags: Array, weights: Array, met: Array, marked: Array, marks: Array, values: Array, own_weights: Array, fresh: Array,
    shares: Array, related_share: float, mass: float, carrier: bool, command: float, valueless: float, other_verb: float, explained: float, stamp: int,
    slots: int,
) -> tuple[Array, Array]:
    """Of each order (first chunk, the one behind its last, the one behind the next sentence's last, 1 where it has verbs of orders, slot): how much it asks for the call, how much weight of values it holds, how much of what
    the prompt does not explain, whether such an address, and 1 where it can say anything of the call at all; and of each slot, whether any can.

    `marked` and `marks` are the tokens that speak of the tool, `values` those of the call's values, `fresh` where the prompt does not know them, `shares` the weights of the name's words."""
    for n in range(len(marked)):
        flags[marked[n]] |= marks[n]
    for n in range(len(values)):
        flag = VALUE
        if fresh[n]:
            flag |= NOVEL | ATOM if own_weights[n] > HEAVY else NOVEL
        flags[values[n]] |= flag
        weights[values[n]] = own_weights[n]
    asking = NAMED | VALUE | MEANT if carrier else REACH
    total = 0.0
    for n in range(len(shares)):
        total += shares[n]
    told, able = np.zeros((len(orders), 5)), np.zeros(slots, np.bool_)
    for j in range(len(orders)):
        seen, inside, novel = np.uint64(0), 0.0, 0.0
        for at in range(orders[j, 0], orders[j, 2]):
            chunk = numbers[at]
            for k in range(begins[chunk], begins[chunk + 1]):
                token = held[k]
                flag = flags[token]
                if not flag:
                    continue
                seen |= flag
                if flag & VALUE and met[token] != stamp + j:
                    met[token] = stamp + j
                    inside += weights[token]
                    if flag & NOVEL:
                        novel += weights[token]
        if not seen & asking or (valueless * moods[j] <= explained and not seen & VALUE):
            continue
        cover = 0.0
        for n in range(len(shares)):
            if seen >> np.uint64(n) & _ONE:
                cover += shares[n]
            elif seen >> np.uint64(n + RELATED_FROM) & _ONE:
                cover += related_share * shares[n]
        asked = cover / total if total else 0.0
        if carrier and mass:
            asked = max(asked, inside / mass, command if seen & MEANT else 0.0)
        if not _asks(orders[j], orders[j, 3] != 0, numbers, ordered, bits, stems, flags):
            asked *= other_verb
        told[j, 0], told[j, 1], told[j, 2], told[j, 3], told[j, 4] = asked, inside, novel, 1.0 if seen & ATOM else 0.0, 1.0
        able[orders[j, 4]] = True
    for n in range(len(marked)):
        flags[marked[n]] = 0
    for n in range(len(values)):
        flags[values[n]] = 0
        weights[values[n]] = 0.0
    return told, able


@njit(cache=True, nogil=True)
def _asks(order: Array, strong: bool, numbers: Array, ordered: Array, bits: Array, stems: Array, flags: Array) -> bool:
    """Whether one of the verbs that make it an order, or without any of those that change something, may ask for the tool."""
    for at in range(order[0], order[1]):
        chunk = numbers[at]
        verb = ordered[at] != 0 if strong else bits[chunk] & v.SIDE != 0
        if verb and flags[stems[chunk]] & REACH:
            return True
    return False


@njit(cache=True, nogil=True)
def strongest(
    told: Array, orders: Array, moods: Array, trusts: Array, counts: Array, mass: float, novel_mass: float, enough: float, severity: float,
    explained: float, valueless: float, valued: float,
) -> tuple[float, float, float, int]:
    """Of all orders the most that they say by values, by fitting better than the prompt, and by an address; and which says most together, or -1."""
    instr = gap = atom = standing = 0.0
    winner = -1
    for j in range(len(told)):
        if told[j, 4] == 0:
            continue
        base = moods[j] * trusts[j] * told[j, 0] * counts[orders[j, 4]]
        if base <= 0:
            continue
        i = base * (told[j, 2] / novel_mass) * min(1.0, novel_mass / enough) if novel_mass else 0.0
        g = max(0.0, base * (valueless + valued * (told[j, 1] / mass if mass else 0.0)) - explained)
        a = base if told[j, 3] else 0.0
        instr, gap, atom = max(instr, i), max(gap, g), max(atom, a)
        if i * severity + g + a > standing:
            standing, winner = i * severity + g + a, j
    return instr, gap, atom, winner


@njit(cache=True, nogil=True)
def note(numbers: Array, begins: Array, held: Array, read_by: Array, slot: Any) -> None:
    """Note that a source gave these chunks' tokens to read; slot 0 forgets who did."""
    for n in range(len(numbers)):
        for k in range(begins[numbers[n]], begins[numbers[n] + 1]):
            read_by[held[k]] = read_by[held[k]] | slot if slot else np.uint64(0)


@njit(cache=True, nogil=True)
def holding(numbers: Array, begins: Array, held: Array, flags: Array, wanted: Array) -> int:
    """How many of the wanted tokens a text holds."""
    count = 0
    for n in range(len(wanted)):
        flags[wanted[n]] = VALUE
    for n in range(len(numbers)):
        for k in range(begins[numbers[n]], begins[numbers[n] + 1]):
            if flags[held[k]]:
                flags[held[k]] = 0
                count += 1
    for n in range(len(wanted)):
        flags[wanted[n]] = 0
    return count


@njit(cache=True, nogil=True)
def append(
    numbers: Array, ordered: Array, at: int, more: Array, more_ordered: Array, orders: Array, moods: Array, trusts: Array, count: int, places: Array,
    strengths: Array, floor: float, trust: float, slot: int,
) -> None:
    """Lay a text and its orders behind those that are there: chunks from `at` on, orders from `count` on."""
    numbers[at : at + len(more)] = more
    ordered[at : at + len(more)] = more_ordered
    for n in range(len(places)):
        for column in range(3):
            orders[count + n, column] = places[n, column] + at
        orders[count + n, 3], orders[count + n, 4] = strengths[n] > 0, slot
        moods[count + n] = max(strengths[n], floor) if places[n, 3] else strengths[n]
        trusts[count + n] = trust


@njit(cache=True, nogil=True)
def fullest(numbers: Array, sentences: Array, begins: Array, held: Array, wanted: Array, wanted_weights: Array, weights: Array, met: Array, stamp: int) -> int:
    """Which sentence of a text holds most of the wanted tokens' weight, the first of several; -1 where none holds any."""
    for n in range(len(wanted)):
        weights[wanted[n]] = wanted_weights[n]
    best, most = -1, 0.0
    for n in range(len(sentences) - 1):
        inside = 0.0
        for at in range(sentences[n], sentences[n + 1]):
            for k in range(begins[numbers[at]], begins[numbers[at] + 1]):
                token = held[k]
                if weights[token] and met[token] != stamp + n:
                    met[token] = stamp + n
                    inside += weights[token]
        if inside > most:
            best, most = n, inside
    for n in range(len(wanted)):
        weights[wanted[n]] = 0.0
    return best
