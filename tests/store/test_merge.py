"""Sightings of one call become one call, in one session, whatever the order in which they come."""

import itertools
import random
from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.database import Database
from store.heard import Flags, Keys
from store.siblings import Siblings
from tests.store.sightings import Sent, absorbed, calls, database, sighting, span, whole_call

SLOW_IS_FINE = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@st.composite
def batches(draw: st.DrawFn, sent: list[Sent]) -> list[list[Sent]]:
    """The same records in any order, cut into any batches; some are sent twice."""
    shuffled = draw(st.permutations([*sent, *draw(st.lists(st.sampled_from(sent), max_size=3))]))
    cuts = sorted(draw(st.lists(st.integers(1, len(shuffled) - 1), max_size=5, unique=True)))
    return [list(shuffled[a:b]) for a, b in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]


def told(of: Database) -> list[dict[str, Any]]:
    return of.rows("SELECT * EXCLUDE (call_id) FROM calls ORDER BY called_at, tool, span_id")


def members(of: Database) -> set[frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in of.rows("SELECT call_id, observation_id FROM hot.observations"):
        found[row["call_id"]].add(row["observation_id"])
    return {frozenset(names) for names in found.values()}


TWO_CALLS = [
    span("t", "run", agent="orchestrator"), span("t", "chat", "run", session_id="conversation-1", session_source=1, principal="pat@example.com"),
    *whole_call("t", 1), *whole_call("t", 2, tool="get_issue"),
]
REUSED = [
    *(sighting(f"{by}-{n}", "get_weather", 10 * n + late, by, trace_id="t", span_id=f"{by}-{n}", tool_call_id="same", dialect=by, outcome="ok")
      for n in range(3) for by, late in (("agent", 0.0), ("gateway", 0.5))),
]
TWO_CONVERSATIONS = [
    span("t", "root"), span("t", "one", "root", session_id="s1", session_source=1, agent="first"),
    span("t", "two", "root", session_id="s2", session_source=1, agent="second"),
    *whole_call("t", 1, parent="one"), *whole_call("t", 2, parent="two"), *whole_call("t", 3, parent="root"),
    sighting("loose", "ping", 90, "server", trace_id="t", span_id="loose", session_id="mcp-7", session_source=3),
]
DECIDED = [
    sighting("ask", "Bash", 1, "decision", session_id="s", session_source=2, tool_call_id="u1", decision="accept", decided_by="user"),
    sighting("did", "Bash", 3, "agent", session_id="s", session_source=2, tool_call_id="u1", outcome="ok", result="done"),
    sighting("no", "Bash", 5, "decision", session_id="s", session_source=2, tool_call_id="u2", decision="reject", decided_by="user"),
    sighting("elsewhere", "Bash", 6, "agent", session_id="other", session_source=2, tool_call_id="u1", outcome="ok"),
]

SESSIONS: list[tuple[str | None, int]] = [("s", 1), ("other", 2), ("mcp", 3), (None, 4)]
PAIRS = [
    one for n, (ours, theirs) in enumerate(itertools.product(SESSIONS, SESSIONS)) for one in (
        sighting(f"outer-{n}", "files_read", n, ("agent", "client")[n % 2], trace_id=f"p{n}", span_id="1", session_id=ours[0], session_source=ours[1],
                 agent="coder" if n % 3 else None, arguments="{}", arguments_state="captured"),
        sighting(f"inner-{n}", "read", n + 0.5, ("server", "client")[n % 2], trace_id=f"p{n}", span_id="2", parent_span_id="1",
                 session_id=theirs[0], session_source=theirs[1], principal="pat@example.com", agent_version="1", outcome="ok"),
    )
]
NO_PAIRS = [
    sighting("a", "read", 1, trace_id="x", span_id="1", session_id="s", session_source=1),
    sighting("b", "write", 2, "server", trace_id="x", span_id="2", parent_span_id="1", session_id="s", session_source=1),
    sighting("c", "read", 3, trace_id="y", span_id="1", parent_span_id="2", session_id="s", session_source=1),
    sighting("d", "read", 4, "server", trace_id="y", span_id="2", parent_span_id="1", session_id="s", session_source=1),
    sighting("e", "read", 5, trace_id="z", span_id="1", session_id="s", session_source=1),
    sighting("f", "read", 6, "server", trace_id="z", span_id="1", parent_span_id="1", session_id="s", session_source=1),
]


def beside(trace: str, *more: dict[str, Any]) -> list[Sent]:
    """Calls of one trace, side by side."""
    usual = {"tool": "read", "trace_id": trace, "agent": "coder"}
    return [sighting(f"{trace}-{n}", second=n, **{**usual, "span_id": f"{trace} {n}", **one}) for n, one in enumerate(more)]


SIBLINGS = [
    *beside("t", *({"tool_call_id": f"u{n}", "session_id": "s", "session_source": 1} for n in range(3))),
    *beside("weak", *({"session_id": "mcp", "session_source": 3, "principal": "pat@example.com"} for _ in range(3))),
    *beside("none", {}, {"observed_by": "server"}, {}),
]
NO_SIBLINGS = [
    *beside("same id", {"tool_call_id": "u"}, {"tool_call_id": "u", "observed_by": "server"}),
    *beside("same span", {"span_id": "1"}, {"span_id": "1", "tool": "write"}, {"span_id": "2"}),
    *beside("one knows", {"session_id": "s", "session_source": 1}, {}, {}),
    *beside("another agent", {"agent": None}, {}, {"agent": None}),
    *beside("inside", {}, {}, {"parent_span_id": "inside 0"}),
    *beside("between", {}, {"observed_by": "server", "parent_span_id": "hop"}), span("between", "hop", "between 0"),
    *beside("refused", {}, {"decision": "reject"}, {}),
    *beside("ring", {"parent_span_id": "1"}, {"parent_span_id": "2"}),
    span("ring", "1", "2", session_id="s1", session_source=1), span("ring", "2", "1", session_id="s2", session_source=1),
]
AROUND = [
    span("agent", "run", session_id="s", session_source=1, agent="coder", principal="pat@example.com"), span("agent", "chat", "run"),
    *beside("agent", {"parent_span_id": "run", "agent": None}, {"parent_span_id": "chat", "agent": None}, {"parent_span_id": "elsewhere"}),
    *beside("spanned", {}, {}, {}), span("spanned", "root", session_id="s9", session_source=1),
    span("servers", "run", session_id="m1", session_source=3), *beside("servers", {"parent_span_id": "run", "session_id": "m2", "session_source": 3}),
    span("two", "run"), span("two", "a", "run", session_id="s1", session_source=1), span("two", "b", "run", session_id="m", session_source=3),
    *beside("two", {"parent_span_id": "a"}, {"parent_span_id": "b", "agent": "other"}, {"parent_span_id": "run", "agent": None}),
    span("only", "run", session_id="s2", session_source=2), *beside("only", {"session_id": "mcp", "session_source": 3}, {}),
    *beside("inner", {"agent": None, "session_id": "s3", "session_source": 1}, {"tool": "write", "parent_span_id": "http"}, {}),
    span("inner", "http", "inner 0", agent="helper"), span("inner", "tcp", "http"),
    span("model", "chat", agent="nobody"), *beside("log", {"span_id": None, "parent_span_id": "x"}, {"span_id": None}), span("log", "x", agent="x"),
]


@st.composite
def traces(draw: st.DrawFn) -> list[Sent]:
    """Spans and sightings inside one another in any way, some of them broken, with sessions and agents here and there."""
    sent: list[Sent] = []
    for trace in ("t", "u"):
        names = [str(n) for n in range(draw(st.integers(1, 7)))]
        for n, name in enumerate(names):
            session, source = draw(st.sampled_from([*SESSIONS, (None, 4)]))
            more = {"session_id": session, "session_source": source, "agent": draw(st.sampled_from([None, None, "one", "two"]))}
            parent = draw(st.sampled_from([None, "elsewhere", *names[:n], *names[:n], draw(st.sampled_from(names))]))
            if draw(st.booleans()):
                sent.append(span(trace, name, parent, **more))
            else:
                own = draw(st.sampled_from([name, name, name, name, None, "0"]))
                call_id = draw(st.sampled_from([None, None, name, "same"]))
                sent.append(sighting(f"{trace}{n}", draw(st.sampled_from(["read", "write"])), n, draw(st.sampled_from(["agent", "server"])),
                                     trace_id=trace, span_id=own, parent_span_id=parent, tool_call_id=call_id, **more))
    return sent


def none_of_them(observations: pa.Table, traces: Keys, candidates: Flags, spans: pa.Table, span_traces: Keys, new: Flags) -> Siblings:
    return Siblings(np.zeros(len(observations), np.bool_), np.zeros(len(spans), np.bool_), {}, {})


def same_one_by_one(sent: list[Sent]) -> None:
    """Take in what was sent column by column and one by one; both must give the same."""
    at_once, one_by_one = database(), database()
    absorbed(at_once, sent)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("store.merge.siblings", none_of_them)
        absorbed(one_by_one, sent)
    for columns in ("* FROM hot.calls", "* EXCLUDE (place) FROM hot.told", "* FROM hot.spans"):  # where the payload lies is what differs
        everything = f"SELECT {columns} ORDER BY ALL"
        assert at_once.rows(everything) == one_by_one.rows(everything)
    assert members(at_once) == members(one_by_one)
    at_once.close()
    one_by_one.close()


@pytest.mark.parametrize("sent", [SIBLINGS, NO_SIBLINGS, AROUND, TWO_CONVERSATIONS, TWO_CALLS])
def test_calls_side_by_side_are_what_they_are_one_by_one(sent: list[Sent]) -> None:
    same_one_by_one(sent)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(traces())
def test_any_trace_is_what_it_is_one_by_one(sent: list[Sent]) -> None:
    same_one_by_one(sent)


@pytest.mark.parametrize("sent", [SIBLINGS, AROUND])
def test_calls_side_by_side_go_in_as_they_are(sent: list[Sent], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.merge._take_rest", lambda *_: pytest.fail("they were looked at one by one"))
    ours = database()
    absorbed(ours, sent)
    assert len(calls(ours, "tool")) == sum(kind == "observations" for kind, _ in sent)


@pytest.mark.parametrize(("sent", "count"), [
    (PAIRS, 16), (SIBLINGS, 9), (NO_SIBLINGS, 18), (AROUND, 17), (NO_PAIRS, 5), (TWO_CALLS, 2), (REUSED, 3), (TWO_CONVERSATIONS, 4), (DECIDED, 3),
])
def test_neither_order_nor_batches_matter(sent: list[Sent], count: int) -> None:
    at_once = database()
    absorbed(at_once, sent)
    expected, expected_members = told(at_once), members(at_once)
    assert len(expected) == count

    @SLOW_IS_FINE
    @given(batches(sent))
    def check(split: list[list[Sent]]) -> None:
        ours = database()
        given_ids: set[str] = set()
        for batch in split:
            absorbed(ours, batch)
            now = {row[0] for row in calls(ours, "call_id")}
            made_from = {row["call_id"] for row in ours.rows("SELECT DISTINCT call_id FROM hot.observations")}
            assert now == made_from and len(now & given_ids) >= min(len(given_ids), 1)
            given_ids = now
        # `seen_at` of a record that was sent twice is the first batch's; the rows here carry it themselves
        assert told(ours) == expected and members(ours) == expected_members
        ours.close()

    check()


def test_four_sightings_are_one_call_with_the_best_word_on_each_field() -> None:
    ours = database()
    absorbed(ours, TWO_CALLS)
    assert calls(ours, "tool", "server", "arguments", "result", "outcome", "agent", "principal", "session_id", "session_source", "observed_by") == [
        ("list_issues", "github", '{"ran": 1}', "fine", "ok", "coder", "pat@example.com", "conversation-1", 1, ["agent", "client", "server"]),
        ("get_issue", "github", '{"ran": 2}', "fine", "ok", "coder", "pat@example.com", "conversation-1", 1, ["agent", "client", "server"]),
    ]


def test_a_call_keeps_its_id_when_more_is_seen_of_it() -> None:
    ours = database()
    sent = whole_call("t", 1)
    ids = []
    for one in sent:
        absorbed(ours, [one])
        ids.append([row[0] for row in calls(ours, "call_id")])
    assert len(set(map(tuple, ids))) == 1
    outside_in = database()  # the server's sighting is known first, and stays apart until the span between them comes
    absorbed(outside_in, [sent[4]], [sent[0], sent[1], sent[2]])
    (agents, _, _), (servers, _, _) = [(*c, "", "") for c in calls(outside_in, "call_id")]
    merged = absorbed(outside_in, [sent[3]])
    assert [c[0] for c in calls(outside_in, "call_id")] == [min(agents, servers, key=[agents, servers].index)]
    assert set(merged.call_ids) == {agents, servers}  # both were touched: the one that is gone must be looked for in vain


def test_an_agents_call_inside_another_agents_call_of_the_same_tool_is_its_own() -> None:
    ours = database()
    absorbed(ours, [
        sighting("outer", "search", 1, trace_id="t", span_id="1"), span("t", "2", "1", agent="sub"),
        sighting("inner", "search", 2, trace_id="t", span_id="3", parent_span_id="2"),
        sighting("served", "search", 3, "server", trace_id="t", span_id="4", parent_span_id="3"),
    ])
    assert members(ours) == {frozenset({"outer"}), frozenset({"inner", "served"})}


def test_reused_ids_in_one_trace_stay_calls_of_their_own() -> None:
    ours = database()
    absorbed(ours, REUSED)
    assert members(ours) == {frozenset({f"agent-{n}", f"gateway-{n}"}) for n in range(3)}


def test_decision_and_result_are_one_call_and_a_rejection_alone_is_a_denied_call() -> None:
    ours = database()
    absorbed(ours, DECIDED[:1], DECIDED[1:2], DECIDED[2:])
    assert calls(ours, "outcome", "decision", "decided_by", "result", "session_id") == [
        ("ok", "accept", "user", "done", "s"), ("denied", "reject", "user", None, "s"), ("ok", None, None, None, "other"),
    ]
    absorbed(ours, [sighting("late no", "Bash", 2, "decision", session_id="s", session_source=2, tool_call_id="u1", dialect="gateway",
                             decision="reject")])
    assert calls(ours, "outcome")[0] == ("denied",)  # whatever else was logged


@pytest.mark.parametrize(("own", "around", "elsewhere", "expected"), [
    (("own", 2), ("outer", 1), ("only", 1), ("own", 2)),
    ((None, 4), ("outer", 1), ("only", 1), ("outer", 1)),
    ((None, 4), (None, 4), ("only", 2), ("only", 2)),
    (("mcp", 3), ("outer", 2), ("only", 1), ("outer", 2)),
    (("mcp", 3), (None, 4), ("only", 1), ("only", 1)),
    (("mcp", 3), (None, 4), (None, 4), ("mcp", 3)),
    ((None, 4), ("mcp-outer", 3), (None, 4), ("mcp-outer", 3)),
    ((None, 4), (None, 4), (None, 4), ("t", 4)),
])
def test_where_a_session_comes_from(
    own: tuple[str | None, int], around: tuple[str | None, int], elsewhere: tuple[str | None, int], expected: tuple[str, int],
) -> None:
    ours = database()
    absorbed(ours, [
        span("t", "1", session_id=around[0], session_source=around[1]), span("t", "9", session_id=elsewhere[0], session_source=elsewhere[1]),
        sighting("o", trace_id="t", span_id="2", parent_span_id="1", session_id=own[0], session_source=own[1]),
    ])
    assert calls(ours, "session_id", "session_source") == [expected]


def test_two_conversations_in_a_trace_are_kept_apart() -> None:
    ours = database()
    absorbed(ours, TWO_CONVERSATIONS)
    assert calls(ours, "session_id", "agent") == [("s1", "coder"), ("s2", "coder"), ("t", "coder"), ("mcp-7", None)]


def test_a_parent_that_arrives_later_moves_the_call_to_its_session() -> None:
    ours = database()
    absorbed(ours, [*whole_call("t", 1), *whole_call("t", 2)])
    assert {row[0] for row in calls(ours, "session_id")} == {"t"}
    merged = absorbed(ours, [span("t", "chat", session_id="conversation-1", session_source=1)])
    assert {row[0] for row in calls(ours, "session_id")} == {"conversation-1"}
    assert merged.left_sessions == ["t"] and len(merged.call_ids) == 2
    agentless = absorbed(ours, [sighting("x", trace_id="t2", span_id="x", parent_span_id="p", session_id="s", session_source=1)],
                         [span("t2", "p", agent="planner")])
    assert len(agentless.call_ids) == 1 and ("planner",) in calls(ours, "agent")


def test_circles_end_and_deep_chains_are_no_burden() -> None:
    ours = database()
    chance = random.Random(3)
    ring = [span("t", str(n), str((n + 1) % 50)) for n in range(50)]
    absorbed(ours, [*ring, sighting("o", trace_id="t", span_id="x", parent_span_id="7"),
                    sighting("self", "ping", trace_id="t", span_id="y", parent_span_id="y")])
    assert calls(ours, "session_id") == [("t",), ("t",)]
    deep = [span("d", "0", session_id="s", session_source=1), *(span("d", str(n), str(n - 1)) for n in range(1, 20_000)),
            sighting("deep", trace_id="d", span_id="x", parent_span_id="19999")]
    chance.shuffle(deep)
    absorbed(ours, deep)
    assert ("s",) in calls(ours, "session_id")


def test_an_unrelated_batch_touches_nothing() -> None:
    ours = database()
    absorbed(ours, TWO_CALLS)
    merged = absorbed(ours, TWO_CALLS)
    assert (merged.call_ids, merged.left_sessions) == ([], [])
    again = absorbed(ours, whole_call("t", 3, parent="chat"))
    assert len(again.call_ids) == 1  # its neighbours in the trace are as they were
