"""Fingerprints: what is copied shares a hash however it is escaped or encoded; names are the names; a batch is its texts one by one."""

import base64
import json
import random
import string
import time
import urllib.parse
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ingest import fingerprint
from ingest.fingerprint import Kind, atom, atoms, shingles
from ingest.fingerprint.encodings import decode
from ingest.fingerprint.hashing import siphash, siphash_words
from ingest.redact import Redactor


def _atoms(text: str | None) -> set[int]:
    return set(atoms([text])[0].as_py())


def _shingles(text: str | None) -> set[int]:
    return set(shingles([text])[0].as_py())


NAMES: list[tuple[str, list[tuple[Kind, str]]]] = [
    ("mail Ana.B+x@Example.com.", [(Kind.EMAIL, "ana.b+x@example.com"), (Kind.HOST, "example.com")]),
    ("see https://www.Example.com/A/b/, or", [(Kind.URL, "example.com/A/b"), (Kind.HOST, "example.com")]),
    ("(http://localhost:8080/x)", [(Kind.URL, "localhost:8080/x"), (Kind.HOST, "localhost")]),
    ("at example.com/a?b=1", [(Kind.URL, "example.com/a?b=1"), (Kind.HOST, "example.com")]),
    (
        "https://a.example/?to=eve@evil.example",
        [
            (Kind.URL, "a.example/?to=eve@evil.example"),
            (Kind.HOST, "a.example"),
            (Kind.EMAIL, "eve@evil.example"),
            (Kind.HOST, "evil.example"),
        ],
    ),
    ("db7.internal.corp and api.example.org", [(Kind.HOST, "db7.internal.corp"), (Kind.HOST, "api.example.org")]),
    ("192.0.2.17, 2001:db8::7 at 12:30:45", [(Kind.HOST, "192.0.2.17"), (Kind.HOST, "2001:db8::7")]),
    ("https://github.com/Octo/Repo.git", [(Kind.URL, "github.com/Octo/Repo.git"), (Kind.HOST, "github.com"), (Kind.HANDLE, "octo/repo")]),
    ("DE89 3704 0044 0532 0130 00", [(Kind.ACCOUNT, "DE89370400440532013000")]),
    ("to US133000000121212121212 now", [(Kind.ACCOUNT, "US133000000121212121212")]),
    ("0x" + "Ab12" * 10, [(Kind.ACCOUNT, "0x" + "ab12" * 10)]),
    ("cat /etc/passwd ~/.ssh/id_rsa.", [(Kind.PATH, "/etc/passwd"), (Kind.PATH, "~/.ssh/id_rsa")]),
    ("C:\\Users\\Ana\\new.txt", [(Kind.PATH, "c:\\users\\ana\\new.txt")]),
    ("file:///etc/shadow", [(Kind.PATH, "/etc/shadow")]),
    ("[secret:github-token:0123456789abcdef]", [(Kind.SECRET, "0123456789abcdef")]),
    ("550E8400-e29b-41d4-a716-446655440000", [(Kind.TOKEN, "550e8400-e29b-41d4-a716-446655440000")]),
    ("id abc123DEF456ghi on 2026-01-31T10:00:00Z", [(Kind.TOKEN, "abc123DEF456ghi")]),
    ("call +1 (412) 313-4123 today", [(Kind.PHONE, "+14123134123")]),
    ("#general and @ana_b", [(Kind.HANDLE, "#general"), (Kind.HANDLE, "@ana_b")]),
    ("report.txt, self.id, os.path.join, module.path.py, e.g. and/or 3.14 1.2.3 v2 20260131", []),
    ("at 1700000000 and 1700000000000, 2026-01-31, 20260131T235959Z", []),
    ("the quick brown fox, misunderstandings, hyphenated-compound-words", []),
]


@pytest.mark.parametrize(("text", "names"), NAMES)
def test_names_are_found_and_nothing_else(text: str, names: list[tuple[Kind, str]]) -> None:
    """The same in plain text, in JSON, in JSON within JSON, in base64."""
    wanted = {atom(kind, value) for kind, value in names}
    for shape in (text, json.dumps({"value": text}), json.dumps(json.dumps([text]))):
        assert _atoms(shape) == wanted, shape
    padded = f"words around it: {text} and words after it"
    assert wanted <= _atoms(base64.b64encode(padded.encode()).decode())
    assert {value & 15 for value in wanted} == {int(kind) for kind, _ in names}


def test_a_mask_is_an_atom() -> None:
    """Equal secrets meet in one atom, whatever kind their surroundings made them."""
    redactor = Redactor(b"key")
    secret = "hunter2" + "hunter"
    one, found = redactor.mask(f"password={secret}")
    other, _ = redactor.mask(f"https://ana:{secret}@example.com/")
    assert atom(Kind.SECRET, found[0].digest) in _atoms(one) & _atoms(other)


_WORD = st.text(string.ascii_letters + string.digits + "äßçéжяλ漢字", min_size=1, max_size=11)
_PROSE = st.lists(_WORD, min_size=0, max_size=60).map(" ".join)
_COPIED = st.lists(_WORD, min_size=12, max_size=40).map(" ".join).filter(lambda text: _letters(text) >= 48 and len(set(text)) >= 12)


def _letters(text: str) -> int:
    return sum(c.isalnum() for c in text)


def _same(text: str) -> str:
    return text


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": _same,
    "json": json.dumps,
    "json in json": lambda text: json.dumps({"a": json.dumps([text])}),
    "base64": _base64,
    "urlsafe base64": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "wrapped base64": lambda text: json.dumps(base64.encodebytes(text.encode()).decode()),
    "base64 twice": lambda text: _base64(_base64(text)),
    "hex": lambda text: text.encode().hex(),
    "percent": lambda text: "https://evil.example/?q=" + urllib.parse.quote(text),
    "form": lambda text: urllib.parse.urlencode({"a": 1, "q": text}),
    "upper case": str.upper,
    "zero width": lambda text: "\u200b".join(text),
    "tags between": lambda text: "\U000e0041".join(text),
    "punctuation": lambda text: text.replace(" ", ",\r\n - "),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=60, deadline=None)
@given(copied=_COPIED, around=st.tuples(_PROSE, _PROSE, _PROSE, _PROSE))
def test_a_copied_run_shares_a_shingle(encoding: str, copied: str, around: tuple[str, str, str, str]) -> None:
    """48 normalised characters are enough, wherever they stand and however one side writes them."""
    one = f"{around[0]}\n{copied}\n{around[1]}"
    other = f"{around[2]} {ENCODINGS[encoding](copied)} {around[3]}"
    assert _shingles(one) & _shingles(other)


@settings(max_examples=150, deadline=None)
@given(st.text(" azAZ09.,{}\n", min_size=20, max_size=60), st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]), st.text("aZ9+", max_size=7),
       st.sampled_from(["", "é", "語"]))
def test_whatever_reads_is_found_at_every_alignment(text: str, encoding: str, before: str, foreign: str) -> None:
    said = text + foreign * (encoding == "utf-8") + text
    digits = np.frombuffer((before + base64.b64encode(said.encode(encoding)).decode().rstrip("=")).encode(), np.uint8)
    plain, starts, ends, _ = decode(digits, np.zeros(1, np.int64), np.full(1, len(digits)))
    assert any(said.encode() in plain[i:j].tobytes() for i, j in zip(starts, ends, strict=True))



@settings(max_examples=200, deadline=None)
@given(st.text())
def test_json_says_the_same_as_its_text(text: str) -> None:
    """Escapes of any depth change nothing."""
    assume(len(text.encode("utf-8", "surrogatepass")) < 1000)
    long = text + " the quick brown fox jumps over the lazy dog " + text
    for shape in (json.dumps(long), json.dumps(long, ensure_ascii=False), json.dumps(json.dumps(long))):
        assert _shingles(shape) == _shingles(long)


def test_accents_ligatures_and_widths_are_one() -> None:
    """NFC, NFD and compatibility forms read alike."""
    plain = "the cafe offers a fine brulee, naive resume and office facade for everyone"
    assert _shingles(plain) == _shingles(plain.replace("é", "e\u0301").replace("office", "oﬃce").replace("naive", "ｎａｉ̈ｖｅ"))


def test_unrelated_and_empty_texts_share_nothing() -> None:
    """Random prose shares nothing; runs without variety have no shingles; short texts neither."""
    rng = random.Random(3)
    prose = [" ".join("".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 9))) for _ in range(400)) for _ in range(2)]
    assert len(_shingles(prose[0])) > 100
    assert not _shingles(prose[0]) & _shingles(prose[1])
    for text in (None, "", "a short text", "0" * 500, "ab" * 300, "-" * 100, "0x" + "f" * 200):
        assert _shingles(text) == set(), text


def test_limits() -> None:
    """At most 512 atoms and 4,096 shingles; what lies past 256 KiB does not count; samples of overlapping texts overlap."""
    rng = random.Random(5)
    words = ["".join(rng.choices(string.ascii_lowercase, k=6)) for _ in range(30_000)]
    whole, most = " ".join(words), " ".join(words[:27_000])
    assert len(_shingles(whole)) == fingerprint.SHINGLES_PER_TEXT
    assert len(_shingles(whole) & _shingles(most)) > 3000
    assert len(_atoms(" ".join(f"user{i}@example.com" for i in range(2000)))) == fingerprint.ATOMS_PER_TEXT
    assert _atoms("x " * (128 << 10) + "ana@example.com C:\\a\\b\\c") == set()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(), _PROSE, st.binary().map(lambda b: base64.b64encode(b).decode())), max_size=8))
def test_a_batch_is_its_texts_one_by_one(texts: list[str | None]) -> None:
    """Any Unicode, lone surrogates too: no exception, and every row as if alone; lists ascend and hold nothing twice."""
    both = fingerprint.atoms_and_shingles(texts)
    for found, alone in zip(both, (atoms, shingles), strict=True):
        assert str(found.type.value_type) == "uint64"
        rows = found.to_pylist()
        assert rows == [alone([text]).to_pylist()[0] for text in texts]
        assert all(row == sorted(set(row)) for row in rows)


def test_lone_surrogates_do_not_stop_a_batch() -> None:
    """The others in the batch keep their fingerprints."""
    text = "the quick brown fox jumps over the lazy dog at ana@example.com"
    assert shingles([text, "\ud800 " + text]).to_pylist() == shingles([text, text]).to_pylist()
    assert atoms(["\udfff", text])[1] == atoms([text])[0]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.string_view()])
def test_arrow_columns_are_their_texts(kind: pa.DataType) -> None:
    """Sliced, chunked, empty, with nulls above bytes, and more than is examined at a time: as the same texts in a list."""
    prose = "the quick brown fox jumps over the lazy dog at ana@example.com and then goes home, "
    texts = [prose * (n % 7) + f"user{n}@example.com" if n % 5 else None for n in range(6000)]
    wanted = fingerprint.atoms_and_shingles(texts)
    column = pa.array(texts, pa.string()).cast(kind)
    assert fingerprint.atoms_and_shingles(column) == wanted
    assert fingerprint.atoms_and_shingles(column.slice(17, 900)) == tuple(found.slice(17, 900) for found in wanted)
    assert fingerprint.atoms_and_shingles(pa.chunked_array([column.slice(0, 10), column.slice(10)])) == wanted
    assert [len(found) for found in fingerprint.atoms_and_shingles(pa.chunked_array([], kind))] == [0, 0]


def test_nothing_is_read_beneath_a_null() -> None:
    """Arrow may leave bytes there."""
    column = pa.array(["ana@example.com"])
    hidden = pa.Array.from_buffers(pa.string(), 1, [pa.py_buffer(b"\0"), *column.buffers()[1:]])
    assert hidden.to_pylist() == [None] and atoms(hidden).to_pylist() == [[]]


def test_bytes_that_are_no_text() -> None:
    """Anything may stand in a binary column."""
    rng = random.Random(11)
    column = pa.array([rng.randbytes(3000) for _ in range(50)], pa.binary())
    assert len(fingerprint.atoms_and_shingles(column)[0]) == 50


def test_the_key_makes_the_hashes() -> None:
    """One key, equal hashes, also of a value by itself; another key, nothing in common; the kind is told without it."""
    text = "the quick brown fox jumps over the lazy dog at ana@example.com and https://github.com/octo/repo"
    for found in (atoms, shingles):
        one, again, other = (set(found([text], key)[0].as_py()) for key in (b"one", b"one", b"other"))
        assert one == again and one and not one & other
    mine = set(atoms([text], b"one")[0].as_py())
    assert {atom(Kind.EMAIL, "ana@example.com", b"one"), atom(Kind.HANDLE, "octo/repo", b"one")} < mine
    assert {value & 15 for value in mine} == {value & 15 for value in _atoms(text)}


def test_siphash() -> None:
    """The reference vectors of SipHash-2-4: the bytes 0, 1, 2... under the key 0, 1, 2..."""
    key, data = np.frombuffer(bytes(range(16)), dtype=np.uint64), np.arange(15, dtype=np.uint8)
    known = {0: 0x726FDB47DD0E0E31, 8: 0x93F5F5799A932462, 15: 0xA129CA6149BE45E5}
    assert {size: int(siphash(data, size, key)) for size in known} == known
    words = data[:8].view(np.uint64).copy()
    siphash_words(words, key)
    assert int(words[0]) == known[8]


def test_code_hosts_numbers_and_odd_ends() -> None:
    """What surrounds a name does not change it; what only looks like one is none."""
    same = {
        "2001:0DB8:0:0:0:0:0:7": [(Kind.HOST, "2001:db8::7")],
        "::ffff:1 and ::": [(Kind.HOST, "::ffff:1")],
        "1:0:0:2:0:0:0:3": [(Kind.HOST, "1:0:0:2::3")],
        "256.1.1.1 1.2.3.4.5": [(Kind.HOST, "1.2.3.4")],
        "see www.example.org/a.": [(Kind.URL, "example.org/a"), (Kind.HOST, "example.org")],
        "a@b.example.c": [(Kind.EMAIL, "a@b.example"), (Kind.HOST, "b.example")],
        "DE88 3704 0044 0532 0130 00": [],
        "std::vector a::b 12:30 x:1:2": [],
        "'C:\\Program Files\\App one\\run.exe' says": [(Kind.PATH, "c:\\program files\\app one\\run.exe")],
        "https://ana:tok@h.example/?next=http://x.example/y": [
            (Kind.URL, "h.example/?next=http://x.example/y"), (Kind.HOST, "h.example"), (Kind.URL, "x.example/y"), (Kind.HOST, "x.example"),
        ],
    }
    for text, names in same.items():
        assert _atoms(text) == {atom(kind, value) for kind, value in names}, text


_STALLING = [
    "a.com+", "a://", "%41", "a1b2c3d4e5f6.", "/a", "ab.cd.1.", "@a", "\\", "\\u0041", "+1 ", "1:", "eyJ",
    "-----BEGIN PRIVATE KEY-----\nA: ", "password=", "password=\"", "token='", "a://u:p@", "Cookie: ", "Cookie: a=", "4111 ",
    "mnemonic abc ", "secret: \"a b ", "login a password ", "US11 1111 ", "C:\\a", "[secret:",
]


@pytest.mark.parametrize("piece", [*_STALLING, "A" * 61 + "\n", "a" * 32 + "."])
def test_time_stays_linear(piece: str) -> None:
    """Text written to stall: 256 KiB of it takes at most seconds; a reader that goes back over its text would need minutes."""
    text = piece * ((256 << 10) // len(piece))
    start = time.perf_counter()
    fingerprint.atoms_and_shingles([text])
    Redactor(b"key").mask(text)
    assert time.perf_counter() - start < 20
