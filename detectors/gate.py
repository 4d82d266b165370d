"""A costly question behind a cheap one: what is asked at every look must cost next to nothing where nothing is suspicious."""

from collections.abc import Callable, Iterator

from detectors.contract import Found, Slice, as_evidence
from store.records import Grade


def gated(suspect: str, find: str) -> Callable[[Slice], Iterator[Found]]:
    """`find`, asked only of a slice for which the SQL `suspect` has an answer; preparing a long query takes longer than a short one runs."""

    def ask(seen: Slice) -> Iterator[Found]:
        if not seen.rows(f"{suspect} LIMIT 1"):
            return
        for row in seen.rows(find):
            grade, evidence = Grade(row["grade"]), as_evidence(row["evidence"])
            yield Found(row["scope_key"], row["subject"], row["call_ids"], grade, row["score"], row["sentence"], evidence)

    return ask
