"""Who may talk to us: the access token as Jupyter does it, cookies derived from it, tokens in forms, known host names.

The token is shown once, in the address that `toolhound serve` prints. A browser gives it once (`?token=` or the login form) and gets a
cookie that proves it was given, not the token; programs send `Authorization: Bearer`. All compares take constant time.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
COOKIE_SECONDS = 7 * 24 * 3600
"""A working week; then the token is asked for again."""

NAME_COOKIE = "toolhound_name"
NAME_CHARACTERS = 60
NOBODY = "analyst"
"""Who decides when nobody said a name. Names are what people say of themselves: the token is shared."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Makes and checks every proof; `token` None lets everybody in, but forms and hosts are checked all the same."""

    token: str | None
    hosts: frozenset[str]
    key: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, token: str | None, host: str, names: Sequence[str], address: str | None) -> "Gate":
        """A gate for a server that listens on `host` and is also known by `names` and in `address`."""
        known = {host, *names, *([urlsplit(address).hostname or ""] if address else [])}
        key = hashlib.sha256(b"toolhound key\0" + (token.encode() if token else secrets.token_bytes(32))).digest()
        return cls(token, LOOPBACK | {name.lower().strip("[]") for name in known if name}, key)

    def knows_host(self, header: str | None) -> bool:
        """Whether a Host header names this server: a page elsewhere whose name was re-pointed to us does not (DNS rebinding)."""
        return bool(header) and _host_of(header or "") in self.hosts

    def same_origin(self, origin: str, host: str | None) -> bool:
        """Whether an Origin header names the host that the request went to; the scheme is the proxy's business."""
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and bool(host) and parts.netloc.lower() == (host or "").lower()

    def is_token(self, given: str) -> bool:
        """Whether this is the access token."""
        return self.token is not None and hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())

    @property
    def cookie(self) -> str:
        """The cookie's name, different for every token: cookies do not tell ports apart, servers on one machine must."""
        return f"toolhound_{self._sign('name', '')[:8]}"

    def pass_cookie(self) -> str:
        """A cookie that proves the token was given now."""
        issued = str(int(time.time()))
        return f"{issued}.{self._sign('cookie', issued)}"

    def takes_cookie(self, value: str | None) -> bool:
        """Whether a cookie is one of ours and not too old."""
        issued, _, signature = (value or "").partition(".")
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), self._sign("cookie", issued).encode()):
            return False
        return issued.isdigit() and time.time() - int(issued) < COOKIE_SECONDS

    def form_token(self, cookie: str | None) -> str:
        """What our own forms carry and nobody else's can: tied to the cookie, so it ends with it."""
        return self._sign("form", cookie or "")

    def takes_form(self, given: str, cookie: str | None) -> bool:
        """Whether a form carries the token that this browser was given."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.form_token(cookie).encode())

    def _sign(self, purpose: str, value: str) -> str:
        return hmac.new(self.key, f"{purpose}\0{value}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _host_of(header: str) -> str:
    """The name in a Host header, without its port and brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.rpartition(":")[0].lower() if header.count(":") == 1 else header.lower()


def said_name(cookie: str | None) -> str:
    """The name somebody gave, printable and short."""
    name = "".join(c for c in unquote(cookie or "") if c.isprintable()).strip()
    return name[:NAME_CHARACTERS] or NOBODY


def name_cookie(name: str) -> str:
    """A name as a cookie may hold it."""
    return quote(name.strip()[:NAME_CHARACTERS])
