"""What reaches the disk: masked, fingerprinted, cut to the setting, and always writable."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from ingest.batch import Payloads, to_tables
from ingest.keeping import Source
from ingest.redact import Redactor
from store import spool
from store.records import Access, Call, Message, Observer, Records, Span, State, ToolDefinition

MASKS = Redactor(b"a key for tests")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FULL = Payloads()
CALL = Call("o1", NOON, "t", Observer.AGENT, "d", arguments='{"to": "a@example.com"}', arguments_state=State.CAPTURED)
SECRET = "AK" + "IA" + "QWERTYUIOP234567"


def stored(*calls: Call, payloads: Payloads = FULL) -> pa.Table:
    return to_tables(Records(calls=list(calls)), MASKS, payloads, NOON)["observations"]


def test_secrets_are_masked_wherever_text_stands() -> None:
    call = replace(CALL, arguments=SECRET, result=SECRET, error_message=SECRET, error_type=SECRET, attributes=json.dumps({"a": SECRET}),
                   server_address=f"https://user:{SECRET}@example.com")
    records = Records(
        calls=[call], messages=[Message("m", NOON, "user", "d", SECRET)], definitions=[ToolDefinition(NOON, "t", "d", description=SECRET)],
        access=[Access("a", NOON, call.outcome, "d", error_message=SECRET)], spans=[Span("t", "s", NOON)],
    )
    made = to_tables(records, MASKS)
    assert set(made) == {"observations", "messages", "tool_definitions", "access", "spans"}
    assert SECRET not in str({kind: table.to_pylist() for kind, table in made.items()})
    assert "[secret:" in made["observations"]["arguments"][0].as_py()


@pytest.mark.parametrize(("kept", "text", "state", "fingerprinted"), [
    ("full", CALL.arguments, "captured", True), ("fingerprint_only", None, "fingerprint_only", True), ("none", None, "redacted", False),
])
def test_what_is_kept_of_payloads(kept: Any, text: str | None, state: str, fingerprinted: bool) -> None:
    (row,) = stored(CALL, payloads=Payloads(kept)).to_pylist()
    assert (row["arguments"], row["arguments_state"], bool(row["argument_atoms"])) == (text, state, fingerprinted)
    assert row["arguments_bytes"] == len(CALL.arguments or "")
    assert (row["result"], row["result_state"], row["result_bytes"]) == (None, "absent", None)


@pytest.mark.parametrize(("character", "kept"), [("a", 300), ("é", 300), ("語", 300), ("😀", 300)])
def test_truncation_counts_bytes_and_leaves_whole_characters(character: str, kept: int) -> None:
    long, short = replace(CALL, arguments=character * 299), replace(CALL, arguments="a" * kept)
    rows = stored(long, short, payloads=Payloads("truncated", kept)).to_pylist()
    assert all(len(row["arguments"].encode()) <= kept for row in rows)
    assert rows[0]["arguments_state"] == ("captured" if character == "a" else "truncated")
    assert set(rows[0]["arguments"]) == {character}
    assert rows[1]["arguments_state"] == "captured"


def test_a_source_has_its_own_setting() -> None:
    policy = Payloads("full", sources=(Source("none", agent="pay*", dialect="d_*"), Source("fingerprint_only", server="hr")))
    cases = {
        ("payroll", None, "d_1"): None, ("payroll", None, "dx1"): "said", ("a", "hr", "d"): None, ("a", "hr2", "d"): "said",
        (None, None, "d"): "said",
    }
    calls = [replace(CALL, observation_id=str(n), agent=a, server=s, dialect=d, arguments="said", error_message="said", attributes="{}")
             for n, (a, s, d) in enumerate(cases)]
    rows = stored(*calls, payloads=policy).to_pylist()
    assert [row["arguments"] for row in rows] == list(cases.values()) == [row["error_message"] for row in rows]
    assert [row["attributes"] for row in rows] == [None, "{}", "{}", "{}", "{}"]
    assert [row["arguments_state"] for row in rows] == ["redacted", "captured", "fingerprint_only", "captured", "captured"]


@pytest.mark.parametrize("kept", ["fingerprint_only", "none"])
def test_nothing_stays_beneath_what_is_left_out(kept: Any) -> None:
    call = replace(CALL, arguments="harmless but private", result="quite private too", error_message="private as well")
    made = to_tables(Records(calls=[call], messages=[Message("m", NOON, "user", "d", "a private question", State.CAPTURED)]), MASKS, Payloads(kept))
    assert b"private" not in spool.encode(made)


def test_a_message_has_no_server() -> None:
    said = Message("m", NOON, "user", "d", "said", State.CAPTURED)
    (row,) = to_tables(Records(messages=[said]), MASKS, Payloads(sources=(Source("none", server="*x"),)))["messages"].to_pylist()
    assert row["text"] == "said"


def test_lone_surrogates_can_be_written() -> None:
    odd = "a\ud800b"
    call = replace(CALL, tool=odd, arguments=odd, session_id=odd, attributes=odd, agent=odd, error_message=odd)
    (row,) = stored(call).to_pylist()
    assert {row[name] for name in ("tool", "arguments", "session_id", "attributes", "agent", "error_message")} == {"a?b"}


def test_a_definition_keeps_its_hashes_whatever_the_order_of_its_keys() -> None:
    schemas = ('{"a": 1, "b": 2}', '{"b": 2,  "a": 1}', '{"a": 1, "b": 3}', "[" * 5000)
    table = to_tables(Records(definitions=[ToolDefinition(NOON, "t", "d", server="s", input_schema=s) for s in schemas]), MASKS)["tool_definitions"]
    one, same, other, deep = table["definition_id"].to_pylist()
    assert one == same
    assert len({one, other, deep}) == 3


def test_nothing_makes_no_table() -> None:
    assert to_tables(Records(), MASKS) == {}
