"""A costly question behind a cheap one: what is asked at every look must cost next to nothing where nothing is suspicious."""

from collections.abc import Callable, Iterator

from detectors.contract import Found, Slice, found_of


def gated(suspect: str, find: str) -> Callable[[Slice], Iterator[Found]]:
    """`find`, asked only of a slice for which the SQL `suspect` has an answer; preparing a long query takes longer than a short one runs."""

    def ask(seen: Slice) -> Iterator[Found]:
        if seen.rows(f"{suspect} LIMIT 1"):
            yield from map(found_of, seen.rows(find))

    return ask
