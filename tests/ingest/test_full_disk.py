"""Where nothing can be stored, senders are told to come back, and nothing is acknowledged."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from tests.ingest.payloads import as_json, span, traces
from tests.ingest.receiver import Receiver, collector_in, receiving
from tests.ingest.ways import ANSWER_SECONDS


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes every write to the spool fail."""

    def full(number: int) -> None:
        written, opened, real_open = os.write, set[int](), os.open

        def open_(path: Any, *more: Any, **named: Any) -> int:
            descriptor = real_open(path, *more, **named)
            if ".partial" in str(path):
                opened.add(descriptor)
            else:
                opened.discard(descriptor)
            return descriptor

        def write(descriptor: int, body: Any) -> int:
            if descriptor in opened:
                raise OSError(number, os.strerror(number))
            return written(descriptor, body)

        monkeypatch.setattr(os, "open", open_)
        monkeypatch.setattr(os, "write", write)

    return full


def sent_json(receiver: Receiver, body: bytes) -> httpx.Response:
    headers = {"content-type": "application/json"}
    return httpx.post(f"{receiver.url}/v1/traces", content=body, headers=headers, trust_env=False, timeout=ANSWER_SECONDS)


def assert_told_to_come_back(receiver: Receiver) -> None:
    request = traces(span())
    with httpx.Client(trust_env=False, timeout=ANSWER_SECONDS, base_url=receiver.url) as client:
        answer = client.post("/v1/traces", content=request.SerializeToString(), headers={"content-type": "application/x-protobuf"})
        assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)
        status = Status.FromString(answer.content)
        assert status.code == 14 and status.details[0].Unpack(RetryInfo())
        answer = client.post("/v1/traces", content=as_json(request), headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (503, 14)
        answer = client.post("/v1/calls", content=b'{"tool": "t", "session_id": "s"}')
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    with grpc.insecure_channel(receiver.target, options=[("grpc.enable_http_proxy", 0)]) as channel, pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")(request.SerializeToString(), timeout=30)
    assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
    retry = RetryInfo()
    assert Status.FromString(dict(raised.value.trailing_metadata())["grpc-status-details-bin"]).details[0].Unpack(retry)
    assert retry.retry_delay.seconds > 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES])
def test_a_full_or_failing_disk(tmp_path: Path, fill: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    with receiving(tmp_path) as receiver:
        with monkeypatch.context():
            fill(number)
            assert_told_to_come_back(receiver)
            assert list((tmp_path / "spool").iterdir()) == []
            assert receiver.collector.counts.accepted == 0
        monkeypatch.undo()
        answer = sent_json(receiver, as_json(traces(span())))
        assert (answer.status_code, receiver.stored()) == (200, 1)


def test_a_spool_beyond_its_limit(tmp_path: Path) -> None:
    with receiving(tmp_path, collector_in(tmp_path, spool_bytes=1000)) as receiver:
        filler = tmp_path / "spool" / "0-1-a.arrow"
        filler.write_bytes(bytes(1001))
        assert_told_to_come_back(receiver)
        filler.unlink()  # the engine took it
        answer = httpx.post(f"{receiver.url}/v1/calls", content=b'{"tool": "t", "session_id": "s"}', trust_env=False, timeout=ANSWER_SECONDS)
        assert (answer.status_code, receiver.stored()) == (200, 1)


def test_a_full_disk_refuses_what_is_broken_all_the_same(tmp_path: Path, fill: Callable[[int], None]) -> None:
    with receiving(tmp_path) as receiver:
        fill(errno.ENOSPC)
        answer = sent_json(receiver, b"{")
        assert answer.status_code == 400


def test_more_bytes_than_may_be_held_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.otlp.http.LEAST_IN_PROGRESS", 0)
    monkeypatch.setattr("ingest.otlp.http.BODIES_IN_PROGRESS", 0)
    with receiving(tmp_path) as receiver:
        answer = sent_json(receiver, as_json(traces(span())))
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert httpx.post(f"{receiver.url}/v1/calls", content=b"", trust_env=False, timeout=ANSWER_SECONDS).status_code == 200
