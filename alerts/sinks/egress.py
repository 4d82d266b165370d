"""Where a sink may connect to: a name is resolved once, every answer is judged, and the judged address is what is connected to.

So a name that answers differently the second time (DNS rebinding) gains nothing, and neither do odd spellings of an address
(`http://2130706433/`): what counts is where the connection would go.
"""

import socket
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

from store.errors import DeliveryError, SettingsError


class Network(StrEnum):
    """How far a sink may reach."""

    PUBLIC = "public"  # https, the public internet only
    PRIVATE = "private"  # also private networks and this machine, also http: most SIEM collectors
    LOOPBACK = "loopback"  # this machine only


def _networks(*written: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one) for one in written)


LOOPBACK = _networks("127.0.0.0/8", "::1/128")
PRIVATE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
NEVER = _networks(
    "169.254.0.0/16", "fe80::/10",  # link-local, with the metadata service of most clouds
    "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32",  # metadata of Azure, Alibaba, Oracle
    "fd00:ec2::254/128", "fd20:ce::254/128",  # and of AWS, Google
)
NOT_PUBLIC = _networks(
    "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/3",  # special, shared, multicast and up
    "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",  # assignments of IETF with Teredo, documentation, 6to4
)
PUBLIC_V6 = IPv6Network("2000::/3")
"""All that is assigned; outside lie mapped (::ffff:0:0/96), compatible and NAT64 (64:ff9b::/96) spellings of IPv4, multicast and more."""


def refusal(address: IPv4Address | IPv6Address, network: Network) -> str | None:
    """Why this address may not be connected to; None where it may."""
    if _within(address, NEVER):
        return "is link-local or a metadata service"
    if _within(address, LOOPBACK):
        return "is this machine" if network == Network.PUBLIC else None
    if network == Network.LOOPBACK:
        return "is not this machine"
    if _within(address, PRIVATE):
        return "is private" if network == Network.PUBLIC else None
    in_public_space = address in PUBLIC_V6 if isinstance(address, IPv6Address) else address.is_global
    return "is not a public address" if _within(address, NOT_PUBLIC) or not in_public_space else None


def _within(address: IPv4Address | IPv6Address, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    return any(address in network for network in networks)


def checked_url(url: str, network: Network) -> httpx.URL:
    """The address of a sink, as far as it can be judged without asking DNS. Raises SettingsError."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise SettingsError(f"sink url: {error}") from error
    schemes = ("https",) if network == Network.PUBLIC else ("https", "http")
    if parsed.scheme not in schemes or not parsed.host:
        raise SettingsError(f"sink url: network {network.value!r} asks for {' or '.join(schemes)} and a host")
    if parsed.port is not None and not 0 < parsed.port < 65_536:
        raise SettingsError(f"sink url: there is no port {parsed.port}")
    if parsed.userinfo:
        raise SettingsError("sink url: credentials do not belong into the address; use the setting `headers`")
    try:
        literal = ip_address(parsed.host)
    except ValueError:
        return parsed
    reason = refusal(literal, network)
    if reason:
        raise SettingsError(f"sink url: {literal} {reason}; network is {network.value!r}")
    return parsed


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, best first."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def addresses(url: httpx.URL, network: Network) -> list[str]:
    """Where to connect to. Raises DeliveryError where the name has no address, or a single one that is refused."""
    host = url.raw_host.decode("ascii")
    try:
        answers = resolve(host, url.port or (443 if url.scheme == "https" else 80))
    except (OSError, UnicodeError) as error:
        raise DeliveryError(f"{host} does not resolve: {error}") from error
    for answer in answers:
        reason = refusal(ip_address(answer), network)
        if reason:
            raise DeliveryError(f"{host} resolves to {answer}, which {reason}; network is {network.value!r}")
    return answers
