"""The laws that every detector keeps, proven by its own scenarios."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from detectors.contract import PAYLOADS, SCOPE_KEY, Scenario
from detectors.registry import SECTIONS, Registered, detectors
from store.database import Database
from store.records import Finding, Message, Record, Stated
from toolhound.detection import Look, Looked, Part, look_at_everything, look_at_touched
from toolhound.proof import database_of

EVERY = [pytest.param(one, id=name) for name, one in detectors().items()]
SHARDS = 8
OTHERS = 4
TRIED = 3
"""Findings of each detector."""
YEAR_QUALIFIED = ("owasp-mcp:2025:", "owasp-asi:2026:", "owasp-llm:2026:", "atlas:AML.T", "safe-mcp:SAFE-T", "attack:T")


def scenarios(kind: str) -> list[Any]:
    made = []
    for name, one in detectors().items():
        of_kind: Mapping[str, Scenario] = getattr(one.detector, kind)
        made += [pytest.param(one, records, id=f"{name}: {title}") for title, records in of_kind.items()]
    return made


def found(one: Registered, database: Database, *beside: Registered) -> dict[str, Finding]:
    looked = look_at_touched(database, [one, *beside])
    assert not looked.failures, "; ".join(f"{name}: {why}" for name, why in looked.failures.items())
    return {f.finding_id: f for f in looked.findings}


def found_in(one: Registered, records: Scenario) -> tuple[dict[str, Finding], dict[str, str | None]]:
    """The findings of a scenario, and the calls that it holds, each with its group's key; several laws ask for them."""
    if id(records) not in _FOUND:
        database = database_of(records)
        rows = database.rows(f"SELECT call_id, {SCOPE_KEY[one.detector.scope]} AS k FROM calls")
        _FOUND[id(records)] = found(one, database), {row["call_id"]: row["k"] for row in rows}
    return _FOUND[id(records)]


_FOUND: dict[int, tuple[dict[str, Finding], dict[str, str | None]]] = {}
"""By scenario, which lives as long as its detector."""


@cache
def touched_apart(one: str) -> tuple[list[Record | Stated], dict[str, Finding]]:
    """The records of all scenarios of a detector, kept from meeting, and what it finds in them."""
    everything = [moved for n, (_, records) in enumerate(_all(detectors()[one])) for moved in _apart(records, n)]
    return everything, found(detectors()[one], database_of(everything))


def told(one: Registered, records: Scenario) -> dict[str, Finding]:
    return {i: f for i, f in found_in(one, records)[0].items() if f.evidence.get("alerting", True)}


@pytest.mark.parametrize(("one", "records"), scenarios("fires_on"))
def test_it_fires(one: Registered, records: Scenario) -> None:
    assert told(one, records), _why_quiet(one, records)


def _why_quiet(one: Registered, records: Scenario) -> str:
    """What keeps a detector quiet: its `find`, or what it says must be so for it to be asked."""
    if found_in(one, records)[0]:
        return "all that it finds says `alerting: false`"
    unasked: dict[str, Any] = {"suspect": None, "suspect_result": None, "needs": ()}
    for what, nothing in unasked.items():
        if getattr(one.detector, what) and found(replace(one, detector=replace(one.detector, **{what: nothing})), database_of(records)):
            return f"`find` finds something that its `{what}` keeps it from being asked about"
    if found(replace(one, detector=replace(one.detector, **unasked, payloads=tuple(PAYLOADS))), database_of(records)):
        return "`find` finds something only where it is given more `payloads`, or where it is asked whatever `suspect` and `needs` say"
    return "`find` finds nothing"


@pytest.mark.parametrize(("one", "records"), scenarios("quiet_on"))
def test_it_stays_quiet(one: Registered, records: Scenario) -> None:
    assert [f.sentence for f in told(one, records).values()] == []


@pytest.mark.parametrize("one", EVERY)
def test_its_page_is_whole(one: Registered) -> None:
    assert one.title
    assert set(one.sections) == set(SECTIONS)
    assert one.detector.fires_on, "`fires_on` has no scenario"
    assert one.detector.quiet_on, "`quiet_on` has no scenario; near misses are part of the proof"
    assert one.detector.techniques, "`techniques` is empty; detectors/techniques.json has the ids"
    assert [t for t in one.detector.techniques if not t.startswith(YEAR_QUALIFIED)] == [], f"ids begin with one of {', '.join(YEAR_QUALIFIED)}"


@pytest.mark.parametrize("one", EVERY)
def test_an_empty_store_raises_nothing(one: Registered) -> None:
    assert found(one, database_of([])) == {}


@pytest.mark.parametrize(("one", "records"), scenarios("fires_on"))
def test_findings_point_to_calls_that_exist_and_explain(one: Registered, records: Scenario) -> None:
    findings, known = found_in(one, records)
    for finding in findings.values():
        assert set(finding.call_ids) <= known.keys()
        assert {known[c] for c in finding.call_ids} <= {finding.scope_key}, (
            f"`scope_key` must be `{SCOPE_KEY[one.detector.scope]}` of the calls; whoever looks at their group would not meet {finding.scope_key!r}")
        assert 0.0 <= finding.score <= 1.0
        assert isinstance(finding.sentence, str), "`sentence` is NULL: something that it is put together from is, and needs `coalesce`"
        assert finding.sentence.endswith((".", "\u201d")), f"`sentence` is no sentence, it ends without a full stop: {finding.sentence}"
        assert finding.evidence, "`evidence` is empty; say at least {'actual': ...}"
        assert finding.sentence.isprintable(), f"what others wrote needs `printed` or `quoted` in `sentence`: {finding.sentence!r}"


@pytest.mark.parametrize("one", [pytest.param(one, id=name) for name, one in detectors().items() if one.detector.learn])
def test_what_others_learned_is_nothing_to_it(one: Registered) -> None:
    """Others that learned under the same keys, more and longer ago, change nothing: `normal` holds what all who are asked have learned."""
    everything, touched = touched_apart(one.name)
    longer_ago = f"SELECT * REPLACE (n * 10 AS n, first_at - INTERVAL 90 DAY AS first_at) FROM ({one.detector.learn})"
    other = replace(one.detector, find="FROM calls WHERE false", learn=longer_ago, suspect=None, suspect_result=None, needs=())
    others = [Registered(f"other_{n}", one.family, other, "", {}) for n in range(OTHERS)]
    assert found(one, database_of(everything), *others) == touched, (
        f"asked beside others, it answers otherwise: every `FROM normal` needs `WHERE detector = '{one.name}'`")


@pytest.mark.parametrize(("one", "records"), scenarios("fires_on"))
def test_the_same_input_gives_the_same_findings_in_any_order(one: Registered, records: Scenario) -> None:
    shuffled = list(records)
    random.Random(7).shuffle(shuffled)
    assert found_in(one, records)[0] == found(one, database_of(shuffled)), "what takes one of several needs an order down to `call_id`"


@pytest.mark.parametrize("one", EVERY)
def test_touched_scopes_shards_and_all_at_once_agree(one: Registered) -> None:
    everything, touched = touched_apart(one.name)
    for shard_calls in (1_000_000, max(3, len(everything) // SHARDS)):
        whole: dict[str, Finding] = {}
        for looked in look_at_everything(database_of(everything), asked=[one], shard_calls=shard_calls):
            assert not looked.failures
            whole |= {f.finding_id: f for f in looked.findings}
        assert whole == touched, "with more groups in the slice it answers otherwise: group and partition by the scope's key"


def test_nothing_is_found_where_nothing_is_suspected() -> None:
    """Over the scenarios of all detectors together: what a detector finds without its `suspect`, it finds with it, in a slice of that group alone."""
    records = [moved for n, (_, scenario) in enumerate(s for one in detectors().values() for s in _all(one)) for moved in _apart(scenario, n)]
    database = database_of(records)
    gated = [one for one in detectors().values() if one.detector.suspect or one.detector.suspect_result or one.detector.needs]
    unasked = [replace(one, detector=replace(one.detector, suspect=None, suspect_result=None, needs=())) for one in gated]
    looked = look_at_touched(database, unasked)
    assert not looked.failures and len(looked.findings) > len(unasked)
    tried: Counter[str] = Counter()
    look = Look(database, [])
    for finding in looked.findings:
        if (tried := tried + Counter([finding.detector]))[finding.detector] <= TRIED:
            one, alone = detectors()[finding.detector], Looked()
            look.asked = [one]
            look.parts([Part(one.detector.scope, [finding.scope_key])], alone)
            assert finding.finding_id in {f.finding_id for f in alone.findings}, finding.sentence


def _all(one: Registered) -> list[tuple[str, Scenario]]:
    return [*one.detector.fires_on.items(), *one.detector.quiet_on.items()]


def _apart(records: Scenario, n: int) -> Iterator[Record | Stated]:
    """The records of one scenario, kept from meeting those of another: sessions, servers, agents and principals of its own."""
    for record in records:
        changes = {
            what: f"{getattr(record, what)}-{n}" for what in ("session_id", "server", "agent", "principal")
            if getattr(record, what, None) is not None
        }
        if hasattr(record, "observation_id"):
            changes["observation_id"] = f"{record.observation_id}-{n}"
        elif hasattr(record, "access_id"):
            changes["access_id"] = f"{record.access_id}-{n}"
        elif isinstance(record, Message):
            changes["message_id"] = f"{record.message_id}-{n}"
        yield replace(record, **changes)  # type: ignore[arg-type]  # every record has the fields that it is asked for
