"""Keyed 64-bit hashes: SipHash-2-4 (Aumasson, Bernstein 2012), so that only who holds the key can test a guess.

numba caches by file: after a change here, touch the files that call this.
"""

import hashlib
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = np.ndarray[Any, Any]
U64: Final = np.uint64


@lru_cache(maxsize=8)
def key_of(secret: bytes) -> Array:
    """128 bits for hashing, drawn from a secret of any length; no secret, no key: all zero."""
    drawn = hashlib.blake2b(secret, digest_size=16, person=b"fingerprints").digest() if secret else bytes(16)
    return np.frombuffer(drawn, dtype=np.uint64)


@njit(cache=True, nogil=True)
def _turn(v0: np.uint64, v1: np.uint64, v2: np.uint64, v3: np.uint64) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    v0 += v1
    v1 = (v1 << U64(13) | v1 >> U64(51)) ^ v0
    v0 = v0 << U64(32) | v0 >> U64(32)
    v2 += v3
    v3 = (v3 << U64(16) | v3 >> U64(48)) ^ v2
    v0 += v3
    v3 = (v3 << U64(21) | v3 >> U64(43)) ^ v0
    v2 += v1
    v1 = (v1 << U64(17) | v1 >> U64(47)) ^ v2
    v2 = v2 << U64(32) | v2 >> U64(32)
    return v0, v1, v2, v3


@njit(cache=True, nogil=True)
def siphash(data: Array, size: int, key: Array) -> np.uint64:
    """The hash of the first `size` bytes."""
    v0, v1 = key[0] ^ U64(0x736F6D6570736575), key[1] ^ U64(0x646F72616E646F6D)
    v2, v3 = key[0] ^ U64(0x6C7967656E657261), key[1] ^ U64(0x7465646279746573)
    for start in range(0, size + 1, 8):  # the last word holds what is left, and the size
        word = U64(0)
        if start + 8 <= size:
            for i in range(8):
                word |= U64(data[start + i]) << U64(8 * i)
        else:
            word = U64(size & 255) << U64(56)
            for i in range(size - start):
                word |= U64(data[start + i]) << U64(8 * i)
        v3 ^= word
        v0, v1, v2, v3 = _turn(*_turn(v0, v1, v2, v3))
        v0 ^= word
    v2 ^= U64(255)
    v0, v1, v2, v3 = _turn(*_turn(*_turn(*_turn(v0, v1, v2, v3))))
    return v0 ^ v1 ^ v2 ^ v3


@njit(cache=True, nogil=True)
def siphash_words(words: Array, key: Array) -> None:
    """Each word of 64 bits becomes the hash of its eight bytes."""
    for i in range(len(words)):
        v0, v1 = key[0] ^ U64(0x736F6D6570736575), key[1] ^ U64(0x646F72616E646F6D)
        v2, v3 = key[0] ^ U64(0x6C7967656E657261), key[1] ^ U64(0x7465646279746573) ^ words[i]
        v0, v1, v2, v3 = _turn(*_turn(v0, v1, v2, v3))
        v0, v3 = v0 ^ words[i], v3 ^ (U64(8) << U64(56))
        v0, v1, v2, v3 = _turn(*_turn(v0, v1, v2, v3))
        v0, v2 = v0 ^ (U64(8) << U64(56)), v2 ^ U64(255)
        v0, v1, v2, v3 = _turn(*_turn(*_turn(*_turn(v0, v1, v2, v3))))
        words[i] = v0 ^ v1 ^ v2 ^ v3
