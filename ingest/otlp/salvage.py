"""One span that protobuf cannot read does not take its neighbours with it.

Text cut in the middle of a character, or values nested deeper than the decoder goes, make the protobuf library refuse a whole request;
whoever can write either into a tool's result could hide everything else of that batch. So a request that does not decode is taken
apart by its framing alone, and put together again without the spans or log records that do not decode.
"""

from collections.abc import Callable, Iterator

_RESOURCE_GROUPS, _SCOPE_GROUPS, _LEAVES = 1, 2, 2
"""Field numbers, the same for spans and log records: request.resource_*, Resource*.scope_*, Scope*.{spans, log_records}."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


class _NoFraming(ValueError):
    """Bytes that are not fields of a message."""


def without_unreadable(body: bytes, decodes: Callable[[bytes], bool]) -> tuple[bytes, list[int]] | None:
    """The request without its unreadable leaves, and the numbers of these, counted from 1; None where it is no request at all.

    `decodes` tells whether a request decodes; it is asked about requests of one leaf.
    """
    unreadable: list[int] = []
    kept: list[bytes] = []
    seen = 0
    try:
        for is_group, group, whole in _parts(body, _RESOURCE_GROUPS):
            if not is_group:
                kept.append(whole)
                continue
            scopes: list[bytes] = []
            for is_scope, scope, whole_scope in _parts(group, _SCOPE_GROUPS):
                if not is_scope:
                    scopes.append(whole_scope)
                    continue
                leaves: list[bytes] = []
                for is_leaf, leaf, whole_leaf in _parts(scope, _LEAVES):
                    seen += is_leaf
                    if is_leaf and not decodes(_field(_RESOURCE_GROUPS, _field(_SCOPE_GROUPS, _field(_LEAVES, leaf)))):
                        unreadable.append(seen)
                    else:
                        leaves.append(whole_leaf)
                scopes.append(_field(_SCOPE_GROUPS, b"".join(leaves)))
            kept.append(_field(_RESOURCE_GROUPS, b"".join(scopes)))
    except _NoFraming:
        return None
    return (b"".join(kept), unreadable) if len(unreadable) < seen else None


def _parts(body: bytes, wanted: int) -> Iterator[tuple[bool, bytes, bytes]]:
    """Each field of a message: whether it is the wanted one, its content if so, and the whole of it."""
    position = 0
    while position < len(body):
        start = position
        tag, position = _varint(body, position)
        kind, number = tag & 7, tag >> 3
        content = b""
        if kind == _VARINT:
            _, position = _varint(body, position)
        elif kind == _BYTES:
            size, position = _varint(body, position)
            content = body[position : position + size]
            position += size
        elif kind in (_FIXED64, _FIXED32):
            position += 8 if kind == _FIXED64 else 4
        else:
            raise _NoFraming
        if position > len(body) or not number:
            raise _NoFraming
        is_wanted = number == wanted and kind == _BYTES
        yield is_wanted, content if is_wanted else b"", body[start:position]


def _varint(body: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    for byte in body[position : position + _LONGEST_VARINT]:
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
    raise _NoFraming


def _field(number: int, content: bytes) -> bytes:
    size, prefix = len(content), bytearray([number << 3 | _BYTES])
    while size > 0x7F:
        prefix.append(size & 0x7F | 0x80)
        size >>= 7
    prefix.append(size)
    return bytes(prefix) + content
