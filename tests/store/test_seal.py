"""What is sealed is read with the same key, and by nobody else."""

import base64
import os
from pathlib import Path

import pyarrow as pa
import pytest

from store import spool
from store.errors import DamagedError, SettingsError
from store.rejected import Rejected
from store.seal import Seal
from store.spool import Spool

KEY = bytes(range(32))
NEEDLE = b"a word that stands nowhere else"


@pytest.mark.parametrize("text", [KEY.hex(), KEY.hex().upper() + "\n", base64.b64encode(KEY).decode(), f" {base64.b64encode(KEY).decode()}\n"])
def test_a_key_as_people_keep_it(text: str) -> None:
    assert Seal.of(text).open(Seal(KEY).close(NEEDLE)) == NEEDLE
    assert Seal.of(Seal.of(text).text).key_for("lake") == Seal(KEY).key_for("lake") != Seal(KEY).key_for("database")


@pytest.mark.parametrize("text", ["", "secret", KEY.hex()[:-2], "zz" * 32, base64.b64encode(KEY[:16]).decode(), "é" * 44])
def test_anything_else_is_no_key(text: str) -> None:
    with pytest.raises(SettingsError, match="key"):
        Seal.of(text)


def test_no_two_are_the_same_and_none_shows_the_text() -> None:
    sealed = [Seal(KEY).close(NEEDLE) for _ in range(50)]
    assert len(set(sealed)) == 50 and not any(NEEDLE in one for one in sealed)


def test_another_key_a_changed_byte_and_what_was_never_sealed() -> None:
    sealed = Seal(KEY).close(NEEDLE)
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for body in (changed, sealed[:20], b"", NEEDLE):
        with pytest.raises(DamagedError):
            Seal(KEY).open(body)
    with pytest.raises(DamagedError, match="another key"):
        Seal(os.urandom(32)).open(sealed)


def test_a_sealed_spool(tmp_path: Path) -> None:
    batch = {"spans": pa.table({"trace_id": [NEEDLE.decode()]})}
    sealed = Spool(tmp_path, Seal(KEY))
    path = sealed.write(batch)
    assert sealed.read(path)["spans"].equals(batch["spans"]) and NEEDLE not in path.read_bytes()
    with pytest.raises(DamagedError, match="sealed"):
        spool.read(path)
    with pytest.raises(DamagedError, match="another key"):
        Spool(tmp_path, Seal(os.urandom(32))).read(path)


def test_sealed_refusals(tmp_path: Path) -> None:
    rejected = Rejected(tmp_path, Seal(KEY))
    rejected.keep(NEEDLE, f"it says: {NEEDLE.decode()}", "127.0.0.1")
    assert rejected.listed()[0]["reason"].startswith("it says") and not any(NEEDLE in p.read_bytes() for p in tmp_path.iterdir())
    assert Rejected(tmp_path).listed() == [] and Rejected(tmp_path).count() == 1
