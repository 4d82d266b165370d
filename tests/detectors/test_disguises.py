"""What detectors of exfiltration rest on: encodings taken off, texts found again, links, rises."""

import base64
import gzip
from datetime import date, timedelta
from urllib.parse import quote

import pytest

from detectors.baselines.destination_gets_more_every_day import rises
from detectors.disguises import readings
from detectors.links import links
from detectors.overlap import Memory, letters

TEXT = "Salaries of the third quarter: the director has 91,000."


@pytest.mark.parametrize(("encoding", "run"), [
    ("hex", TEXT.encode().hex()),
    ("base32", base64.b32encode(TEXT.encode()).decode().rstrip("=")),
    ("base64", base64.b64encode(TEXT.encode()).decode()),
    ("base64", base64.urlsafe_b64encode(TEXT.encode()).decode().rstrip("=")),
    ("gzip and base64", base64.b64encode(gzip.compress(TEXT.encode(), mtime=0)).decode()),
    ("percent encoding", "".join(f"%{ord(c):02x}" for c in TEXT)),
])
def test_an_encoding_is_taken_off(encoding: str, run: str) -> None:
    assert (encoding, TEXT) in list(readings(run))


@pytest.mark.parametrize("run", [
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "usr/share/doc/python/examples/archive", quote("ночь улица фонарь"), "",
])
def test_what_is_no_text_is_not_read(run: str) -> None:
    assert list(readings(run)) == []


def test_a_packed_bomb_stays_small() -> None:
    run = base64.b64encode(gzip.compress(b"a " * 5_000_000, mtime=0)).decode()
    assert all(len(text) <= 65_536 for _, text in readings(run))


def test_a_text_is_found_again_whatever_its_punctuation() -> None:
    told = Memory()
    told.add("c1", "read_file", "files", '{"text": "Nothing here."}')
    told.add("c2", "read_file", "files", '{"text": "Salaries of the\\nthird quarter: the DIRECTOR has 91,000."}')
    source = told.source(TEXT.replace(" ", "-"), 24)
    assert source is not None
    assert source.call_id == "c2"
    assert told.source("Wages of the fourth quarter, told by nobody at all.", 24) is None


def test_only_the_newest_million_characters_are_remembered() -> None:
    told = Memory()
    told.add("c1", "read_file", None, TEXT)
    for n in range(30):
        told.add(f"more-{n}", "read_file", None, f"{n} " * 20_000)
    assert told.source(TEXT, 24) is None


def test_letters_are_those_of_any_script() -> None:
    assert letters("Ünï-cödé, 12!") == "unicode12"


def test_links_of_every_kind() -> None:
    text = '![a](https://a.example/1x) [b](https://b.example/2y)\n[c]: https://c.example/3z\n<img width=1 src="https://d.example/4w">'
    assert list(links(text)) == [
        ("image", "https://a.example/1x"), ("link", "https://b.example/2y"), ("link", "https://c.example/3z"), ("image", "https://d.example/4w")]


def test_a_rise_is_told_once_and_then_usual() -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(60)]
    sent = {day: 1_000 if n < 15 else 8_000 for n, day in enumerate(days)}
    told = list(rises(sent, days))
    assert len(told) == 1
    assert told[0].first == days[15]
