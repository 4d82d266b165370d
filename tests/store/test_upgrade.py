"""A workspace from before `hot.sighted` is brought up to date when it is opened: nothing of it is lost, and what comes later finds its call."""

from store import tables
from store.database import Database, hot_schema
from store.lake import make_views
from tests.store.sightings import absorbed, calls, database, said, sighting, whole_call

OWN = [name.removeprefix("given_") for name in tables.names("told") if name.startswith("given_")]
SHOWN = ("call_id", "tool", "server", "arguments", "result", "outcome", "observed_by", "session_id", "agent")
ASKED = "SELECT * EXCLUDE (call_id) FROM hot.observations ORDER BY observation_id"


def as_it_was(made: Database) -> None:
    """The tables of a workspace as they were: every sighting with its payload, and beside it what it told of itself."""
    for sql in (
        "CREATE TABLE hot.whole AS SELECT * FROM hot.observations",
        f"CREATE TABLE hot.narrow AS SELECT observation_id, {', '.join(OWN)} FROM hot.told",
        "DROP VIEW hot.observations", "DROP TABLE hot.sighted",
        *(f"DROP TABLE hot.{name}" for name in tables.MEMORY),
        "ALTER TABLE hot.whole RENAME TO observations", "ALTER TABLE hot.narrow RENAME TO told",
        "ALTER TABLE hot.calls DROP COLUMN disagreement", "ALTER TABLE hot.calls DROP COLUMN version",
    ):
        made.execute(sql)


def test_an_older_workspace_goes_on_as_if_it_had_been_new() -> None:
    agent, *others = whole_call("t", 1)
    asked, child = said("m", "list them", session_id="s"), sighting("c", "get_issue", 30, trace_id="t", span_id="c", parent_span_id="t-1-a")
    later = [*others, said("again", "list them", 1, session_id="s"), sighting("root", "plan", trace_id="t", span_id="chat", session_id="s")]
    upgraded, always_new = database(), database()
    for one in (upgraded, always_new):
        absorbed(one, [agent, asked, child])
    before = upgraded.rows(ASKED)
    upgraded.execute("DROP VIEW IF EXISTS observations")
    as_it_was(upgraded)
    hot_schema(upgraded)
    make_views(upgraded)
    assert upgraded.rows(ASKED) == before and len(before) == 2
    assert {row["place"] for row in upgraded.rows("SELECT place FROM hot.told")} == {"beside"}
    hot_schema(upgraded)  # a second time there is nothing to do
    for one in (upgraded, always_new):
        absorbed(one, later)
    assert calls(upgraded, *SHOWN) == calls(always_new, *SHOWN)
    assert len(calls(upgraded, "call_id")) == 3
    assert upgraded.rows(ASKED) == always_new.rows(ASKED)
    assert len(upgraded.rows("SELECT * FROM hot.messages")) == len(always_new.rows("SELECT * FROM hot.messages"))
