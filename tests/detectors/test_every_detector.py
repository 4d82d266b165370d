"""The laws that every detector keeps, proven by its own scenarios."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from detectors.contract import Scenario
from detectors.registry import SECTIONS, Registered, detectors
from store.database import Database
from store.records import Finding, Message, Record, Stated
from toolhound.detection import Look, Looked, Part, look_at_everything, look_at_touched
from toolhound.proof import database_of

EVERY = [pytest.param(one, id=name) for name, one in detectors().items()]
SHARDS = 8
TRIED = 3
"""Findings of each detector."""
YEAR_QUALIFIED = ("owasp-mcp:2025:", "owasp-asi:2026:", "owasp-llm:2026:", "atlas:AML.T", "safe-mcp:SAFE-T", "attack:T")


def scenarios(kind: str) -> list[Any]:
    made = []
    for name, one in detectors().items():
        of_kind: Mapping[str, Scenario] = getattr(one.detector, kind)
        made += [pytest.param(one, records, id=f"{name}: {title}") for title, records in of_kind.items()]
    return made


def found(one: Registered, database: Database) -> dict[str, Finding]:
    looked = look_at_touched(database, [one])
    assert not looked.failures
    return {f.finding_id: f for f in looked.findings}


def found_in(one: Registered, records: Scenario) -> tuple[dict[str, Finding], set[str]]:
    """The findings of a scenario, and the calls that it holds; several laws ask for them."""
    if id(records) not in _FOUND:
        database = database_of(records)
        _FOUND[id(records)] = found(one, database), {row["call_id"] for row in database.rows("SELECT call_id FROM calls")}
    return _FOUND[id(records)]


_FOUND: dict[int, tuple[dict[str, Finding], set[str]]] = {}
"""By scenario, which lives as long as its detector."""


def told(one: Registered, records: Scenario) -> dict[str, Finding]:
    return {i: f for i, f in found_in(one, records)[0].items() if f.evidence.get("alerting", True)}


@pytest.mark.parametrize(("one", "records"), scenarios("fires_on"))
def test_it_fires(one: Registered, records: Scenario) -> None:
    assert told(one, records)


@pytest.mark.parametrize(("one", "records"), scenarios("quiet_on"))
def test_it_stays_quiet(one: Registered, records: Scenario) -> None:
    assert [f.sentence for f in told(one, records).values()] == []


@pytest.mark.parametrize("one", EVERY)
def test_its_page_is_whole(one: Registered) -> None:
    assert one.title
    assert set(one.sections) == set(SECTIONS)
    assert one.detector.fires_on
    assert one.detector.quiet_on, "near misses are part of the proof"
    assert one.detector.techniques
    assert [t for t in one.detector.techniques if not t.startswith(YEAR_QUALIFIED)] == []


@pytest.mark.parametrize("one", EVERY)
def test_an_empty_store_raises_nothing(one: Registered) -> None:
    assert found(one, database_of([])) == {}


@pytest.mark.parametrize(("one", "records"), scenarios("fires_on"))
def test_findings_point_to_calls_that_exist_and_explain(one: Registered, records: Scenario) -> None:
    findings, known = found_in(one, records)
    for finding in findings.values():
        assert set(finding.call_ids) <= known
        assert 0.0 <= finding.score <= 1.0
        assert finding.sentence.endswith((".", "\u201d"))
        assert finding.evidence
        assert finding.sentence.isprintable()


@pytest.mark.parametrize(("one", "records"), scenarios("fires_on"))
def test_the_same_input_gives_the_same_findings_in_any_order(one: Registered, records: Scenario) -> None:
    shuffled = list(records)
    random.Random(7).shuffle(shuffled)
    assert found_in(one, records)[0] == found(one, database_of(shuffled))


@pytest.mark.parametrize("one", EVERY)
def test_touched_scopes_shards_and_all_at_once_agree(one: Registered) -> None:
    everything = [moved for n, (_, records) in enumerate(_all(one)) for moved in _apart(records, n)]
    touched = found(one, database_of(everything))
    for shard_calls in (1_000_000, max(3, len(everything) // SHARDS)):
        whole: dict[str, Finding] = {}
        for looked in look_at_everything(database_of(everything), asked=[one], shard_calls=shard_calls):
            assert not looked.failures
            whole |= {f.finding_id: f for f in looked.findings}
        assert whole == touched


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
