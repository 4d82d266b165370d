"""Over real connections: accepted and refused together are what was sent, in what is told and in what is stored."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ingest.payloads import log, logs, span, traces
from tests.ingest.receiver import Receiver
from tests.ingest.ways import ANSWER_SECONDS, WAYS, Way, send

GOOD_LINE = {"tool": "t", "session_id": "s"}
BAD_LINES: tuple[Any, ...] = (5, [], {}, {"tool": ""}, {"a": "b"}, None, "x")
few = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
ids = st.sampled_from([b"", b"abc", bytes(16), b"1" * 16, b"2" * 16])
unnamed = st.sampled_from([None, {}, {"http.request.method": "GET"}])


@pytest.mark.parametrize("way", WAYS, ids=str)
@few
@given(found=st.lists(st.tuples(ids, unnamed), min_size=1, max_size=6))
def test_spans(receiver: Receiver, way: Way, found: list[tuple[bytes, Any]]) -> None:
    receiver.empty()
    before = receiver.collector.counts.accepted
    sent = [span(n, trace_id=trace_id, attributes=attributes) for n, (trace_id, attributes) in enumerate(found, 1)]
    good = sum(len(one.trace_id) == 16 and any(one.trace_id) for one in sent)
    told = send(receiver, way, "traces", traces(*sent))
    assert told.is_ok
    assert told.rejected("traces")[0] == len(sent) - good
    assert receiver.stored() == good == receiver.collector.counts.accepted - before
    assert len(receiver.rejected()) == (good < len(sent))


@pytest.mark.parametrize("way", WAYS, ids=str)
@few
@given(found=st.lists(ids, min_size=1, max_size=6))
def test_log_records(receiver: Receiver, way: Way, found: list[bytes]) -> None:
    receiver.empty()
    good = sum(len(trace_id) != 3 for trace_id in found)
    told = send(receiver, way, "logs", logs(*(log(n, trace_id=trace_id) for n, trace_id in enumerate(found, 1))))
    assert (told.is_ok, told.rejected("logs")[0]) == (True, len(found) - good)
    assert receiver.stored() == good
    assert len(receiver.rejected()) == (good < len(found))


@few
@given(found=st.lists(st.booleans(), min_size=1, max_size=8), bad=st.sampled_from(BAD_LINES))
def test_lines(receiver: Receiver, found: list[bool], bad: Any) -> None:
    receiver.empty()
    lines = [{**GOOD_LINE, "seq": n} if good else bad for n, good in enumerate(found)]
    answer = httpx.post(f"{receiver.url}/v1/calls", content="\n".join(map(json.dumps, lines)).encode(), trust_env=False, timeout=ANSWER_SECONDS)
    if any(found):
        told = answer.json()
        assert (answer.status_code, told["accepted"], told.get("refused", 0)) == (200, sum(found), len(found) - sum(found))
    else:
        assert (answer.status_code, answer.json()["accepted"]) == (400, 0)
    assert receiver.stored() == sum(found)
    assert len(receiver.rejected()) == (not all(found))
