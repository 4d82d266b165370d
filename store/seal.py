"""A workspace's key: what is written with it, nobody reads without it. AES-256-GCM.

Spool files and refusals are sealed here, whole. The database and the lake are encrypted by DuckDB, each with a key derived from it.
"""

import base64
import binascii
import hashlib
import os

from store.errors import DamagedError, SettingsError

KEY_BYTES, NONCE_BYTES = 32, 12
HEX_CHARACTERS = 2 * KEY_BYTES
MAGIC = b"TOOLHOUND SEALED 1\n"


class Seal:
    """Encrypts and decrypts with one key."""

    def __init__(self, key: bytes) -> None:
        """Raises SettingsError where the key is not of 256 bits, or the package that encrypts is missing."""
        if len(key) != KEY_BYTES:
            raise SettingsError(f"a key has {KEY_BYTES} bytes, this one has {len(key)}")
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError as error:
            raise SettingsError("encryption needs the package `cryptography`, which is not installed") from error
        self._key = key
        self._cipher = AESGCM(self._derived("files"))

    @classmethod
    def of(cls, text: str) -> "Seal":
        """From a key as people keep it: 64 hexadecimal digits, or base64 of 32 bytes. Raises SettingsError for anything else."""
        told = text.strip()
        try:
            key = bytes.fromhex(told) if len(told) == HEX_CHARACTERS else base64.b64decode(told, validate=True)
        except (ValueError, binascii.Error) as error:
            raise SettingsError("a key is 64 hexadecimal digits, or base64 of 32 bytes") from error
        return cls(key)

    @property
    def text(self) -> str:
        """The key, as `of` takes it."""
        return base64.b64encode(self._key).decode()

    def key_for(self, purpose: str) -> str:
        """A key of its own for a purpose, in base64, as DuckDB takes it."""
        return base64.b64encode(self._derived(purpose)).decode()

    def close(self, body: bytes) -> bytes:
        """A body, sealed."""
        nonce = os.urandom(NONCE_BYTES)
        return MAGIC + nonce + bytes(self._cipher.encrypt(nonce, body, MAGIC))

    def open(self, sealed: bytes | bytearray) -> bytes:
        """What was sealed. Raises DamagedError where it was sealed with another key, or changed since, or never sealed."""
        from cryptography.exceptions import InvalidTag

        begun = len(MAGIC) + NONCE_BYTES
        if not sealed.startswith(MAGIC) or len(sealed) < begun:
            raise DamagedError("it is not sealed")
        try:
            return bytes(self._cipher.decrypt(sealed[len(MAGIC):begun], sealed[begun:], MAGIC))
        except InvalidTag as error:
            raise DamagedError("it was sealed with another key, or changed since") from error

    def _derived(self, purpose: str) -> bytes:
        return hashlib.blake2b(purpose.encode(), key=self._key, digest_size=KEY_BYTES).digest()


def is_sealed(body: bytes | bytearray) -> bool:
    """Whether a body was sealed, with whatever key."""
    return body.startswith(MAGIC)
