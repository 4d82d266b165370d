"""Where a sink may connect to, by policy; odd spellings and names that lead inside are refused."""

from ipaddress import ip_address

import httpx
import pytest

from alerts.sinks import egress
from alerts.sinks.egress import Network
from store.errors import DeliveryError, SettingsError

PUBLIC = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
PRIVATE = ["10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd12:3456::1"]
LOOPBACK = ["127.0.0.1", "127.8.8.8", "::1"]
NEVER = [
    "169.254.169.254", "169.254.1.1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "168.63.129.16", "100.100.100.200", "192.0.0.192",
    "0.0.0.0", "::", "100.64.0.1", "224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1", "ff02::1", "198.18.0.1", "192.0.2.1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:93.184.215.14", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::1",
    "2001:0:1::1", "2001:db8::1", "fec0::1", "100::1",
]


@pytest.mark.parametrize("network", Network)
@pytest.mark.parametrize("address", PUBLIC + PRIVATE + LOOPBACK + NEVER)
def test_refusals(address: str, network: Network) -> None:
    allowed = {
        Network.PUBLIC: PUBLIC,
        Network.PRIVATE: PUBLIC + PRIVATE + LOOPBACK,
        Network.LOOPBACK: LOOPBACK,
    }[network]
    assert (egress.refusal(ip_address(address), network) is None) == (address in allowed)


@pytest.mark.parametrize("url", [
    "http://hooks.example.com/", "ftp://hooks.example.com/", "file:///etc/passwd", "https://", "https://user:secret@hooks.example.com/",
    "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest/meta-data", "https://10.0.0.1/",
    "https://hooks.example.com:99999/", "not a url",
])
def test_addresses_that_a_public_sink_cannot_have(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        egress.checked_url(url, Network.PUBLIC)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "https://10.0.0.1/", "http://[::1]:8080/x", "http://siem.example.com/"])
def test_a_private_sink_may_be_near(url: str) -> None:
    assert str(egress.checked_url(url, Network.PRIVATE)) == url


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_odd_spellings_of_this_machine_are_seen_through(host: str) -> None:
    with pytest.raises((SettingsError, DeliveryError)):
        egress.addresses(egress.checked_url(f"https://{host}/", Network.PUBLIC), Network.PUBLIC)


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["93.184.215.14", "10.0.0.5"], ["::ffff:10.0.0.1"], ["169.254.169.254"]])
def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, answers: list[str]) -> None:
    monkeypatch.setattr(egress, "resolve", lambda host, port: answers)
    with pytest.raises(DeliveryError, match="resolves to"):
        egress.addresses(httpx.URL("https://hooks.example.com/"), Network.PUBLIC)


def test_a_name_that_leads_outside_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "resolve", lambda host, port: PUBLIC if (host, port) == ("hooks.example.com", 443) else [])
    assert egress.addresses(httpx.URL("https://hooks.example.com/"), Network.PUBLIC) == PUBLIC


def test_a_name_without_an_address_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    monkeypatch.setattr(egress, "resolve", nowhere)
    with pytest.raises(DeliveryError, match="does not resolve"):
        egress.addresses(httpx.URL("https://hooks.example.com/"), Network.PUBLIC)
