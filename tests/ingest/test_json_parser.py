"""The faster JSON parser takes nothing that Python's does not take, and makes the same of it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["\ud800", "\U0001d11e", "\x00", "\x7f", "\\u0041"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=8,
)
BODIES = (
    b'{"a":1,"a":2}', b"-0", b"-0.0",
    b"1e400", b"-1e400", b"1e-400", b"123456789012345678901234567890.5", b"9007199254740993.0", b"18446744073709551616",
    b"-9223372036854775809", b"NaN", b"[Infinity,-Infinity]", b'"\\/"', b'"\\ud83d\\ude00"', b'"\\ud83d"', b'"\\u0000"', b'"\x7f"', b'"\xff"',
    b'"\xed\xa0\x80"', b'"\x01"', b"01", b"1.", b".5", b"+1", b"[1,]", b"{} x", b"", b"\xef\xbb\xbf{}", b"inf", b"nan", b"-NaN", b"\x0c1",
    "{}".encode("utf-16"), b"1" * 4300, b"1" * 5000, b"[" * 150 + b"]" * 150, b"[" * 500 + b"]" * 500,
)


@pytest.mark.parametrize("body", BODIES)
def test_on_the_edge(body: bytes) -> None:
    assert_same(body)


@settings(max_examples=150, deadline=None)
@given(VALUES, st.booleans(), st.data())
def test_anything(value: Any, in_ascii: bool, data: st.DataObject) -> None:
    body = bytearray(json.dumps(value, ensure_ascii=in_ascii).encode("utf-8", "surrogatepass"))
    for _ in range(data.draw(st.integers(0, 2))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    assert_same(bytes(body))


def assert_same(body: bytes) -> None:
    try:
        found = from_json(body)
    except ValueError:
        return
    assert repr(found) == repr(json.loads(body))
