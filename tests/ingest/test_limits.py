"""A request that is small on the wire and huge in memory is refused before it is made; its neighbours are not."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ingest.files import read_stream
from ingest.json_traces.lines import read_body
from ingest.otlp import json as otlp_json
from ingest.otlp import limits, protobuf
from store.errors import SourceError, TooLargeError
from tests.ingest.payloads import as_json, both, span, traces
from tests.ingest.receiver import Receiver, receiving
from tests.ingest.ways import ANSWER_SECONDS, GRPC, HTTP, Way, send

EMPTY_MESSAGES = {9: b"\x4a\x00", 11: b"\x5a\x00", 13: b"\x6a\x00"}
OF_SIGNAL = {"traces": ("resourceSpans", "scopeSpans", "spans"), "logs": ("resourceLogs", "scopeLogs", "logRecords")}


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiving(Path(tmp_path_factory.mktemp("limits"))) as made:
        yield made


def field(number: int, content: bytes) -> bytes:
    size, prefix = len(content), bytearray([number << 3 | 2])
    while size > 127:
        prefix.append(size & 127 | 128)
        size >>= 7
    return bytes([*prefix, size]) + content


def in_protobuf(items: bytes) -> bytes:
    """A request out of items that are fields already."""
    return field(1, field(2, items))


def of_empty(way: Way, signal: str, count: int) -> bytes:
    """A request of so many items of nothing, of two or three bytes each."""
    if way.encoding == "protobuf":
        return in_protobuf(b"\x12\x00" * count)
    outer, inner, leaf = OF_SIGNAL[signal]
    return f'{{"{outer}":[{{"{inner}":[{{"{leaf}":[{",".join(["{}"] * count)}]}}]}}]}}'.encode()


@pytest.mark.parametrize("signal", OF_SIGNAL)
@pytest.mark.parametrize("way", [HTTP[0], HTTP[3], GRPC[0]], ids=str)
def test_too_many_items(receiver: Receiver, way: Way, signal: str) -> None:
    told = send(receiver, way, signal, of_empty(way, signal, limits.MOST_ITEMS + 1))
    assert told.code == ("RESOURCE_EXHAUSTED" if way.transport == "grpc" else "413")
    assert told.retry_seconds == 0, "it will never be taken, and must not be sent again for ever"
    assert told.status
    assert "100,001 spans or log records" in told.status.message
    assert receiver.rejected()[0]["reason"] == told.status.message


@pytest.mark.parametrize("inner", [
    *(pytest.param(in_protobuf(field(2, one * (limits.MOST_PARTS + 1))), id=f"field {number}") for number, one in EMPTY_MESSAGES.items()),
    pytest.param(in_protobuf(field(2, field(9, field(2, field(5, b"\x0a\x00" * (limits.MOST_PARTS + 1)))))), id="values of one attribute"),
    pytest.param(field(1, field(1, b"\x0a\x00" * (limits.MOST_PARTS + 1))), id="attributes of a resource"),
    pytest.param(b"\x0a\x00" * (limits.MOST_PARTS + 1), id="groups"),
    pytest.param(in_protobuf(field(2, b"\xa3\x06" + b"\x4a\x00" * (limits.MOST_PARTS + 1))), id="behind what cannot be followed"),
])
def test_too_many_parts(inner: bytes) -> None:
    with pytest.raises(TooLargeError, match="send it in parts"):
        protobuf.Traces(inner)


def test_the_other_signal_is_not_tried_where_it_would_be_too_large() -> None:
    """What is one long name in a span is a list of values in a log record."""
    body = in_protobuf(field(2, field(5, field(5, b"\x0a\x00" * (limits.MOST_PARTS + 1)))))
    with pytest.raises(SourceError, match="truncated or something else"):
        protobuf.Traces(body)


def test_a_file_that_holds_too_much_says_so() -> None:
    body = in_protobuf(b"\x12\x00" * (limits.MOST_ITEMS + 1))
    with pytest.raises(TooLargeError, match=r"^spans\.pb: the request holds 100,001 spans"):
        list(read_stream(BytesIO(body), "spans.pb"))


def test_long_texts_are_no_parts() -> None:
    body = in_protobuf(field(2, field(9, field(2, field(1, b"\x0a\x00," * limits.MOST_PARTS)))))
    assert len(body) > 2 * limits.MOST_PARTS
    assert protobuf.Traces(body).count == 1
    assert otlp_json.decode_traces(b'{"resourceSpans":[],"a":"' + b'{,\\"' * limits.MOST_VALUES + b'"}').items == []


def test_too_many_values_in_json() -> None:
    body = b'{"resourceSpans":[],"a":[' + b"0," * (limits.MOST_VALUES + 1) + b"0]}"
    with pytest.raises(TooLargeError, match="send it in parts"):
        otlp_json.decode_traces(body)
    assert "4,000,000 values" in str(read_body(body).refused.reasons)


def test_a_span_with_too_many_events_is_refused_alone() -> None:
    full = span(1, attributes={"gen_ai.tool.name": "t"})
    for _ in range(limits.MOST_EVENTS + 1):
        full.events.add()
    for decoded in both(traces(full, span(2, attributes={"gen_ai.tool.name": "t"}))):
        assert len(decoded.items) == 1
        assert "10,001 events" in str(decoded.refused.reasons)


def test_too_many_events_of_all_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_ITEMS", 10)
    full = [span(n, attributes={}, events=[Span.Event(), Span.Event()]) for n in range(1, 7)]
    assert all(len(decoded.items) == 5 for decoded in both(traces(*full[:5])))
    request = traces(*full)
    for decode, body in ((protobuf.decode_traces, request.SerializeToString()), (otlp_json.decode_traces, as_json(request))):
        with pytest.raises(TooLargeError, match="12 span events"):
            decode(body)


def test_too_many_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_RECORDS", 3)
    line = b'{"tool":"t","session_id":"s"}\n'
    assert len(read_body(line * 3).records) == 3
    for body in (line * 4, b"{}\n" * 4, b"[" + b",".join([line.strip()] * 4) + b"]"):
        with pytest.raises(TooLargeError, match="send them in parts"):
            read_body(body)


def test_too_many_lines_over_http(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_RECORDS", 3)
    before = receiver.stored()
    answer = httpx.post(f"{receiver.url}/v1/calls", content=b'{"tool":"t","session_id":"s"}\n' * 4, trust_env=False, timeout=ANSWER_SECONDS)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert receiver.stored() == before
