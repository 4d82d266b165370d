"""What is damaged costs itself and nothing beside it, and is kept with its reason."""

import gzip
import json
import zlib
from typing import Any

import httpx
import pytest
from google.rpc.error_details_pb2 import BadRequest

from tests.ingest.payloads import as_json, deep_value, log, raw_request, span, traces, with_attribute
from tests.ingest.receiver import BODY_BYTES, Receiver
from tests.ingest.ways import ANSWER_SECONDS, GRPC, HTTP, Way, each_http, each_way, encoded, over_http, proves, send

PLAIN_JSON = Way("http", "json", "identity")
PLAIN = Way("http", "protobuf", "identity")
each_protobuf = pytest.mark.parametrize("way", [way for way in HTTP + GRPC if way.encoding == "protobuf"], ids=str)


@pytest.mark.parametrize("damage", [
    {"attributes": [{"key": "a", "value": {"intValue": "9223372036854775808"}}]}, {"attributes": [{"key": "a", "value": "bare"}]},
    {"attributes": {"a": 1}}, {"attributes": ["a"]}, {"attributes": [{"key": 5}]}, {"kind": "SPAN_KIND_CLIENT"}, {"traceId": "0" * 32},
    {"traceId": 5}, {"spanId": "xyz"}, {"events": 5}, {"events": ["x"]}, {"name": {"a": 1}}, {"startTimeUnixNano": "soon"},
    {"attributes": [{"key": "a", "value": {"string_value": "x"}}]}, {"status": {"code": "STATUS_CODE_OK"}},
    {"attributes": [{"key": "a", "value": {"bytesValue": "!"}}]}, {"attributes": [{"key": "a", "value": {"arrayValue": 1}}]},
])
def test_json_damage_costs_one_span(receiver: Receiver, damage: dict[str, Any]) -> None:
    request = json.loads(as_json(traces(span(1), span(2), span(3))))
    request["resourceSpans"][0]["scopeSpans"][0]["spans"][1] |= damage
    count, message = send(receiver, PLAIN_JSON, "traces", json.dumps(request).encode()).rejected("traces")
    assert (count, message.startswith("resourceSpans[0].scopeSpans[0].spans[1]: ")) == (1, True)
    assert len(receiver.rows("observations")) == 2


@proves("R9")
@each_protobuf
def test_protobuf_damage_costs_one_span(receiver: Receiver, way: Way) -> None:
    """Text that was cut inside a character, and values nested deeper than protobuf goes."""
    cut = span(2, name="MARK").SerializeToString().replace(b"MARK", b"\xe2\x82\xff\xff")
    deep = with_attribute(span(3), b"gen_ai.tool.call.arguments", deep_value(200))
    body = raw_request(span(1).SerializeToString(), cut, deep, span(4).SerializeToString())
    assert send(receiver, way, "traces", body).rejected("traces")[0] == 2
    assert len(receiver.rows("observations")) == 2


@proves("R9")
@each_protobuf
def test_protobuf_damage_costs_one_log_record(receiver: Receiver, way: Way) -> None:
    body = raw_request(log(1).SerializeToString(), with_attribute(log(2), b"a", deep_value(200)), log(3, trace_id=b"short").SerializeToString())
    assert send(receiver, way, "logs", body).rejected("logs")[0] == 2
    assert len(receiver.rows("observations")) == 1


@proves("R11")
@each_way
@pytest.mark.parametrize("body", [b"\x0a\xff\xff\x01", b"{", b"[]", b"null", b"not at all", b'{"resourceSpans":5}', b'{"resourceSpans":[5]}',
                                  b'{"resource_spans":[]}', b'{"resourceSpans":[{"scope_spans":[]}]}', b"[" * 100_000, b"9" * 5000, b"\xff\xfe"])
def test_bad_bodies_are_answered_with_a_status(receiver: Receiver, way: Way, body: bytes) -> None:
    told = send(receiver, way, "traces", body)
    assert told.code == ("INVALID_ARGUMENT" if way.transport == "grpc" else "400")
    assert told.status and told.status.code == 3 and told.status.message
    assert told.status.details[0].Unpack(BadRequest())
    assert receiver.stored() == 0
    assert [kept["reason"] for kept in receiver.rejected()] == [told.status.message]


@proves("R4", "R11")
@each_http
def test_truncated_bodies(receiver: Receiver, way: Way) -> None:
    whole = encoded(way, traces(span()))
    assert send(receiver, way, "traces", whole[:-7]).code == "400"
    if way.coding == "gzip":
        plain = way._replace(coding="identity")
        for packed in (gzip.compress(whole)[:-9], gzip.compress(whole) + b"more", whole):
            assert over_http(receiver, plain, "/v1/traces", packed, content_encoding="gzip").code == "400"
    assert receiver.stored() == 0


def test_gzip_of_several_members_is_read_whole(receiver: Receiver) -> None:
    packed = b"".join(gzip.compress(traces(span(n)).SerializeToString()) for n in (1, 2))
    assert over_http(receiver, PLAIN, "/v1/traces", packed, content_encoding="gzip").is_ok
    assert len(receiver.rows("observations")) == 2


def test_deflate_is_read_too(receiver: Receiver) -> None:
    assert over_http(receiver, PLAIN, "/v1/traces", zlib.compress(traces(span()).SerializeToString()), content_encoding="deflate").is_ok
    assert len(receiver.rows("observations")) == 1


@proves("R16")
@each_http
def test_a_bomb_is_cut_off(receiver: Receiver, way: Way) -> None:
    plain = way._replace(coding="identity")
    told = over_http(receiver, plain, "/v1/traces", gzip.compress(bytes(BODY_BYTES * 50)), content_encoding="gzip")
    assert told.code == "413" and told.status and told.status.code == 8
    assert send(receiver, way, "traces", bytes(BODY_BYTES)).code == "400"  # just small enough to be read, and then it is nonsense


def test_unknown_spans_succeed_and_count(receiver: Receiver) -> None:
    before = httpx.get(f"{receiver.url}/livez", trust_env=False, timeout=ANSWER_SECONDS).json()["dialects"].get("unknown", 0)
    request = traces(span(1, "GET /", {"http.request.method": "GET"}), span(2, "SELECT", {}))
    assert send(receiver, PLAIN, "traces", request).raw == b""
    assert httpx.get(f"{receiver.url}/livez", trust_env=False, timeout=ANSWER_SECONDS).json()["dialects"]["unknown"] == before + 2
    assert (len(receiver.rows("spans")), len(receiver.rows("observations"))) == (2, 0)
