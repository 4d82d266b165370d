"""A signed webhook: Standard Webhooks 1.0.0 over HTTP, to an address judged before it is connected to.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
from standardwebhooks import Webhook as Signer

from alerts.changes import Event, Row
from alerts.formats import standard_webhook
from alerts.sinks import Result, egress
from alerts.sinks.egress import Network
from store.errors import SettingsError
from store.records import Delivery, Severity

TIMEOUT_S = 15.0
"""Per step (connect, send, wait for the answer); the shortest that the specification advises."""

ADDRESSES_AT_MOST = 3
"""Of a name with many, only connections refused lead on to the next."""

SECRET_BYTES = range(24, 65)
"""Lengths that the specification allows."""

OWN_HEADERS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "user-agent"})


class Webhook:
    """A destination that takes signed JSON by POST. Redirects are failures; proxies of the environment are not used.

    secrets: `whsec_...`, the newest first; each signs, so that a receiver can change over in its own time.
    pages: address of the pages, for a link in the body. headers: further ones, for example `authorization`.
    authorities: a file of certificate authorities to trust instead of the public ones.
    Raises SettingsError.
    """

    def __init__(
        self, name: str, url: str, secrets: Sequence[str], *, network: Network | str = Network.PUBLIC,
        events: Iterable[Event | str] = tuple(Event), min_severity: Severity = Severity.LOW, pages: str | None = None,
        headers: Mapping[str, str] | None = None, authorities: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        try:
            self._network = Network(network)
            self.events = frozenset(Event(event) for event in events)
        except ValueError as error:
            raise SettingsError(f"sink {name}: {error}") from error
        self.name = name
        self.min_severity = min_severity
        self._url = egress.checked_url(url, self._network)
        self._signers = [_signer(name, secret) for secret in secrets]
        if not self._signers:
            raise SettingsError(f"sink {name}: at least one secret is needed to sign")
        self._headers = dict(headers or {})
        if any(h.lower() in OWN_HEADERS or h.lower().startswith("webhook-") for h in self._headers):
            raise SettingsError(f"sink {name}: headers may not replace those of the webhook itself")
        self._pages = pages
        self._tls = ssl.create_default_context(cafile=str(authorities)) if authorities else httpx.create_ssl_context()
        self._clock = clock

    def __repr__(self) -> str:
        return f"Webhook({self.name!r})"

    def body(self, event: Event, alert: Row) -> str:
        """The exact text that will be signed and sent."""
        return standard_webhook.body(event, alert, self._pages)

    def send(self, delivery: Delivery) -> Result:
        """Try once, signed at this moment. Raises DeliveryError where the name leads to a refused address."""
        failure = "the name has no address"
        with httpx.Client(
            verify=self._tls, timeout=TIMEOUT_S, trust_env=False, follow_redirects=False, headers=self._signed(delivery)
        ) as client:
            for address in egress.addresses(self._url, self._network)[:ADDRESSES_AT_MOST]:
                try:
                    return self._post(client, address, delivery.body)
                except httpx.ConnectError as error:
                    failure = f"cannot connect: {error}"
                except httpx.HTTPError as error:
                    return Result(ok=False, error=type(error).__name__)  # its text may quote what the destination sent
        return Result(ok=False, error=failure)

    def _post(self, client: httpx.Client, address: str, body: str) -> Result:
        """To this very address, under the name's own Host and certificate. The answer's body is never read."""
        request = client.build_request(
            "POST", self._url.copy_with(host=address), content=body.encode(),
            headers={"host": self._url.netloc.decode("ascii")}, extensions={"sni_hostname": self._url.raw_host.decode("ascii")},
        )
        response = client.send(request, stream=True)
        response.close()
        code = response.status_code
        if response.is_success:
            return Result(ok=True, code=code)
        error = f"answered {code}, a redirect, which is not followed" if response.is_redirect else f"answered {code}"
        return Result(ok=False, code=code, error=error, retry_after_s=_seconds(response.headers.get("retry-after"), self._clock()))

    def _signed(self, delivery: Delivery) -> dict[str, str]:
        moment = self._clock().astimezone(UTC)
        return self._headers | {
            "content-type": "application/json",
            "user-agent": "toolhound",
            "webhook-id": delivery.delivery_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": " ".join(signer.sign(delivery.delivery_id, moment, delivery.body) for signer in self._signers),
        }


def _signer(name: str, secret: str) -> Signer:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise SettingsError(f"sink {name}: the secret is not base64 after `whsec_`") from error
    if not secret.startswith("whsec_") or len(key) not in SECRET_BYTES:
        raise SettingsError(f"sink {name}: a secret is `whsec_` and base64 of 24 to 64 random bytes")
    return Signer(key)


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    """Retry-After as RFC 9110 writes it: seconds or a date."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return max((parsedate_to_datetime(retry_after).astimezone(UTC) - now).total_seconds(), 0.0)
    except ValueError:
        return None
