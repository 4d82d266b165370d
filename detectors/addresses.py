"""Where an address of any spelling really leads: metadata services, loopback, private and link-local hosts, and names that hide these."""

import ipaddress
import unicodedata
from dataclasses import dataclass
from typing import TypeAlias

import re2

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA = frozenset(map(ipaddress.ip_address, (
    "169.254.169.254",  # AWS, Azure, Google, DigitalOcean, OpenStack
    "169.254.170.2", "169.254.170.23",  # AWS: containers, EKS pods
    "100.100.100.200",  # Alibaba
    "192.0.0.192",  # Oracle
    "168.63.129.16",  # Azure's wire server
    "fd00:ec2::254", "fd00:ec2::23",  # AWS over IPv6
)))
METADATA_NAMES = frozenset(("metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal", "metadata.tencentyun.com"))
LOOPBACK_NAMES = ("localhost", "localtest.me", "lvh.me", "vcap.me", "lacolhost.com", "loopback")
_EMBEDDING = re2.compile(r"(?:^|[.-])(\d{1,3}[.-]\d{1,3}[.-]\d{1,3}[.-]\d{1,3}|[0-9a-f]{8})\.(?:nip\.io|sslip\.io|xip\.io|rbndr\.us|1u\.ms|traefik\.me)$")
_REBINDING = re2.compile(r"(?:^|\.)(?:rbndr\.us|1u\.ms|rebind\.network|rbnd\.gl0\.eu)$")
_NUMBER = re2.compile(r"^(?:0[xX][0-9a-fA-F]{1,8}|\d{1,12})$")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a host leads: to a metadata service, inside, or neither; and whether its spelling hides that."""

    metadata: bool
    inside: bool
    hidden: bool


def place_of(host: str) -> Place:
    """What a URL's host is, however it is spelt; a public one is neither."""
    plain = unicodedata.normalize("NFKC", _percent_decoded(host)).replace("\u3002", ".").strip("[]").split("%")[0].rstrip(".").lower()
    spelt_plainly = plain == host.strip("[]").rstrip(".").lower()
    if plain in METADATA_NAMES:
        return Place(True, True, not spelt_plainly)
    if any(plain == name or plain.endswith("." + name) for name in LOOPBACK_NAMES):
        return Place(False, True, plain != "localhost")
    if embedded := _EMBEDDING.search(plain):
        found = _numeric(embedded.group(1).replace("-", ".") if "." in embedded.group(1) or "-" in embedded.group(1) else "0x" + embedded.group(1))
        return Place(found in METADATA, found is not None and _is_inside(found), True)
    if _REBINDING.search(plain):
        return Place(False, True, True)
    found = _numeric(plain)
    if found is None:
        return Place(False, False, False)
    inner = _inner(found)
    plainly = spelt_plainly and inner is found and (str(found) == plain or ":" in plain)
    return Place(inner in METADATA, _is_inside(inner), not plainly)


def _numeric(text: str) -> Address | None:
    """An address as the C library's `inet_aton` or an IPv6 parser reads it: 1 to 4 parts, decimal, octal (0...) or hexadecimal (0x...)."""
    if ":" in text:
        try:
            return ipaddress.ip_address(text)
        except ValueError:
            return None
    parts = text.split(".")
    if len(parts) > 4 or not all(_NUMBER.match(part) for part in parts):
        return None
    try:
        numbers = [int(part, 16) if part[:2] in ("0x", "0X") else int(part, 8) if len(part) > 1 and part[0] == "0" else int(part) for part in parts]
    except ValueError:  # 08 is no octal number
        return None
    *high, low = numbers
    if any(n > 255 for n in high) or low >= 256 ** (5 - len(parts)):
        return None
    return ipaddress.IPv4Address(sum(n << (24 - 8 * i) for i, n in enumerate(high)) + low)


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one carries: mapped, 6to4, or NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_inside(address: Address) -> bool:
    return address in METADATA or address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified


def _percent_decoded(host: str) -> str:
    pieces = host.split("%")
    out = pieces[0]
    for piece in pieces[1:]:
        try:
            out += chr(int(piece[:2], 16)) + piece[2:]
        except ValueError:
            out += "%" + piece
    return out
