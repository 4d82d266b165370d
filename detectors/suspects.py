"""Who is asked about what: groups of calls that a detector suspects nothing of cost it nothing."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from detectors.contract import ASKED_CALLS, SCOPE_KEY, Scope, Slice, unanswered
from detectors.registry import Registered
from store.errors import StoreError

HANDED_ON = """
    SELECT DISTINCT session_id FROM (SELECT session_id, unnest(result_shingles) AS piece FROM calls)
    SEMI JOIN (SELECT session_id, unnest(argument_shingles) AS piece FROM calls) USING (session_id, piece)
"""
"""SQL: sessions in which a piece of a result stands in arguments."""

APART_FROM = 400
"""From so many calls on, it is worth laying those of a few groups apart."""

SHARES = (0.1, 0.5)
"""Detectors that together suspect at most so much of the calls share one part of the slice; those that suspect more see all of it."""

def suspected(
    asked: Sequence[Registered], seen: Slice, scope: Scope, failures: dict[str, str],
) -> Iterator[tuple[list[Registered], pa.Array | None]]:
    """Detectors, and the keys of the groups that they are to be asked about; None stands for the whole slice. Those that suspect nothing are left out."""
    asked = [one for one in asked if all(seen.holds(table, one.name) for table in one.detector.needs)]
    some_calls = scope == Scope.CALL and seen.holds(ASKED_CALLS)
    gated = {one.name: one for one in asked if one.detector.suspect or one.detector.suspect_result}
    whole = [one for one in asked if one.name not in gated]
    if gated:
        told = _told([*gated.values()], seen, scope, some_calls, failures)
        size = told["calls"].to_numpy()
        keyless = told["k"].is_null().to_numpy(zero_copy_only=False)
        held = {name: told[name].fill_null(False).to_numpy(zero_copy_only=False) for name in told.column_names if name in gated}
        whole += [gated[name] for name, groups in held.items() if (groups & keyless).any()]
        parted = {name: groups for name, groups in held.items() if groups.any() and not (groups & keyless).any()}
        for share in SHARES if size.sum() >= APART_FROM else ():
            together, of_some = np.zeros(len(size), dtype=bool), []
            for name in sorted(parted, key=lambda name: int(size[parted[name]].sum())):
                if size[both := together | parted[name]].sum() <= share * size.sum():
                    together = both
                    of_some.append(gated[name])
                    del parted[name]
            if of_some:
                yield of_some, told["k"].filter(pa.array(together))
        whole += [gated[name] for name in parted]
    if whole:
        yield whole, seen.query(f"SELECT k FROM {ASKED_CALLS}")["k"] if some_calls else None


def _told(gated: Sequence[Registered], seen: Slice, scope: Scope, some_calls: bool, failures: dict[str, str]) -> pa.Table:
    """For each group, how many calls it has and who suspects it, in one question unless one of them fails; the row without a key is no calls at all."""
    try:
        return seen.query(_question(gated, scope, some_calls)).combine_chunks()
    except StoreError as error:
        if len(gated) == 1:
            asked = " and ".join(name for name in ("suspect", "suspect_result") if getattr(gated[0].detector, name))
            failures[gated[0].name] = f"{type(error).__name__}: {unanswered(asked, error)}"
            return pa.table({"k": pa.array([], pa.string()), "calls": pa.array([], pa.int64())})
        well = [one for one in gated if _told([one], seen, scope, some_calls, failures).num_columns > 2]
        return _told(well, seen, scope, some_calls, failures) if well else pa.table({"k": pa.array([], pa.string()), "calls": pa.array([], pa.int64())})


def _question(gated: Sequence[Registered], scope: Scope, some_calls: bool) -> str:
    patterns = [f"(?:{one.detector.suspect_result})" for one in gated if one.detector.suspect_result]
    held = f", regexp_matches({_TEXT}, {_literal('|'.join(patterns))}) AS suspect_result" if patterns else ""
    columns = ", ".join(f"({_suspicion(one)}) AS {one.name}" for one in gated)
    handed_on = ", h.session_id IS NOT NULL AS handed_on" if "handed_on" in columns else ""
    beside = f" LEFT JOIN ({HANDED_ON}) AS h USING (session_id)" if handed_on else ""
    which = f" WHERE call_id IN (SELECT k FROM {ASKED_CALLS})" if some_calls else ""
    asked = f"""
        SELECT {SCOPE_KEY[scope]} AS k, count(*) AS calls, {columns} FROM (SELECT calls.*{held}{handed_on} FROM calls{beside}{which})
        GROUP BY 1 HAVING k IS NOT NULL
    """
    if not any(_asks_other_tables(one) for one in gated):
        return asked
    columns = ", ".join(f"({one.detector.suspect})" if _asks_other_tables(one) else "false" for one in gated)
    return f"{asked} UNION ALL SELECT NULL, 0, {columns} FROM calls WHERE false"


_TEXT = "coalesce(result, error_message)"


def _suspicion(one: Registered) -> str:
    """SQL: what `suspect` and `suspect_result` say together; a text that holds no detector's pattern is read once."""
    pattern = one.detector.suspect_result
    result = f"bool_or(CASE WHEN suspect_result THEN regexp_matches({_TEXT}, {_literal(pattern)}) END)" if pattern else None
    return " AND ".join(f"({sql})" for sql in (one.detector.suspect, result) if sql)


def _asks_other_tables(one: Registered) -> bool:
    return not one.detector.suspect_result and "(SELECT" in (one.detector.suspect or "")


def _literal(pattern: str) -> str:
    return "'" + pattern.replace("'", "''") + "'"
