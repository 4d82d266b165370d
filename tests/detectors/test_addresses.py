"""Every spelling of an inner address leads inside; public ones do not."""

import pytest

from detectors.addresses import place_of

METADATA = [
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "0xa9.254.0251.254",
    "169.254.43518",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[0:0:0:0:0:ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[fd00:ec2::254]",
    "①⑥⑨.254.169.254",
    "169。254。169。254",
    "169.254.169.254.",
    "metadata.google.internal",
    "METADATA.google.internal.",
    "169.254.169.254.nip.io",
    "app-169-254-169-254.sslip.io",
    "a9fea9fe.nip.io",
    "169.254.169.25%34",
    "100.100.100.200",
]
INSIDE = [
    "127.0.0.1",
    "127.1",
    "0",
    "0x7f000001",
    "017700000001",
    "10.1.2.3",
    "192.168.0.1",
    "172.31.255.255",
    "[::1]",
    "[fe80::1%25eth0]",
    "localhost",
    "app.localtest.me",
    "7f000001.c0a80001.rbndr.us",
    "10-0-0-1.nip.io",
]
PUBLIC = [
    "example.org",
    "93.184.216.34",
    "[2606:2800:220:1::1]",
    "1.1.1.1",
    "93-184-216-34.nip.io",
    "10.example.org",
    "deadbeef.example.org",
    "256.1.1.1",
    "09.1.1.1",
    "1.2.3.4.5",
    "localhost.example.org",
    "nip.io",
    "",
    "999999999999",
]


@pytest.mark.parametrize("host", METADATA)
def test_a_metadata_service_in_any_spelling(host: str) -> None:
    assert place_of(host).metadata


@pytest.mark.parametrize("host", INSIDE)
def test_an_inner_host_in_any_spelling(host: str) -> None:
    assert place_of(host).inside


@pytest.mark.parametrize("host", PUBLIC)
def test_a_public_host_is_neither(host: str) -> None:
    place = place_of(host)
    assert not place.metadata and not place.inside


@pytest.mark.parametrize(
    ("host", "hidden"),
    [
        ("127.0.0.1", False),
        ("[::1]", False),
        ("localhost", False),
        ("127.1", True),
        ("[::ffff:7f00:1]", True),
        ("0x7f.0.0.1", True),
        ("10-0-0-1.nip.io", True),
        ("１０.0.0.1", True),
    ],
)
def test_a_plain_spelling_hides_nothing(host: str, hidden: bool) -> None:
    assert place_of(host).hidden is hidden
