"""A real receiver on this machine: signatures verify, failures are retried, redirects are not followed, the address is pinned."""

import base64
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from alerts.changes import Event
from alerts.outbox import Outbox, enqueue, outbox_health
from alerts.sinks import Result, egress
from alerts.sinks.webhook import Webhook
from store.errors import SettingsError
from store.records import Delivery
from tests.alerts.samples import NOON, change, opened

SECRET = "whsec_" + base64.b64encode(b"a-secret-for-tests-only-0123456").decode()
OLDER = "whsec_" + base64.b64encode(b"an-older-secret-for-tests-01234").decode()


@dataclass
class Receiver:
    """What came in, and what to answer: a code and headers each."""

    port: int
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    got: list[tuple[str, Message, bytes]] = field(default_factory=list)

    def told(self, secret: str = SECRET) -> list[object]:
        """The bodies, each verified."""
        return [Verifier(secret).verify(body, dict(headers.items())) for _, headers, body in self.got]


def serving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            here.got.append((self.path, self.headers, body))
            code, headers = here.answers.pop(0) if here.answers else (204, {})
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        here = Receiver(server.server_port)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield here
        server.shutdown()
        thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    yield from serving()


def delivery(body: str = '{"type":"alert.created"}') -> Delivery:
    return Delivery("a1-00000001-0badcafe", "a1", "soc", "alert.created", body, NOON, NOON)


def webhook(port: int, **changes: object) -> Webhook:
    known: dict[str, object] = {"network": "loopback"} | changes
    return Webhook("soc", f"http://127.0.0.1:{port}/hook", [SECRET, OLDER], **known)  # type: ignore[arg-type]  # settings by name


def test_busy_twice_then_accepted(receiver: Receiver) -> None:
    database, moments = opened(), iter(datetime.now(UTC) + timedelta(seconds=n) for n in range(100))
    sink = webhook(receiver.port, pages="https://toolhound.example.com", clock=lambda: next(moments))
    outbox, step = Outbox([sink]), change()
    receiver.answers = [(503, {}), (503, {"retry-after": "7"})]
    enqueue(database, [step], [sink], NOON)
    for n in range(30):
        now = NOON + timedelta(seconds=n)
        for one in outbox.due(database, now):
            result = outbox.attempt(one, sink)
            with database.transaction():
                outbox.record(database, one, result, now)
    (health,) = outbox_health(database)
    assert (health["delivered"], health["pending"], health["dead"]) == (1, 0, 0)
    first, second, third = receiver.told()
    assert first == second == third
    assert isinstance(third, dict) and third["data"]["alert_id"] == "a1" and third["data"]["url"].endswith("/alerts/a1")
    assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1
    assert len({headers["webhook-timestamp"] for _, headers, _ in receiver.got}) == 3
    assert {headers["host"] for _, headers, _ in receiver.got} == {f"127.0.0.1:{receiver.port}"}


def test_every_secret_signs_and_no_other_verifies(receiver: Receiver) -> None:
    assert webhook(receiver.port).send(delivery('{"text":"\\u2026 \u00fc \U0001f511"}')) == Result(ok=True, code=204)
    assert receiver.told(SECRET) == receiver.told(OLDER) == [{"text": "\u2026 \u00fc \U0001f511"}]
    with pytest.raises(WebhookVerificationError):
        receiver.told("whsec_" + base64.b64encode(b"x" * 32).decode())


def test_a_redirect_is_a_failure(receiver: Receiver) -> None:
    receiver.answers = [(302, {"location": f"http://127.0.0.1:{receiver.port}/elsewhere"})]
    result = webhook(receiver.port).send(delivery())
    assert result == Result(ok=False, code=302, error="answered 302, a redirect, which is not followed")
    assert [path for path, _, _ in receiver.got] == ["/hook"]


def test_retry_after_as_seconds_date_or_nonsense(receiver: Receiver) -> None:
    later = datetime.now(UTC) + timedelta(minutes=10)
    receiver.answers = [(429, {"retry-after": v}) for v in ("120", later.strftime("%a, %d %b %Y %H:%M:%S GMT"), "soon", "-5")]
    seconds = [webhook(receiver.port).send(delivery()).retry_after_s for _ in range(4)]
    assert seconds[0] == 120 and seconds[1] is not None and 590 < seconds[1] <= 600 and seconds[2:] == [None, None]


def test_the_environments_proxy_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert webhook(receiver.port, headers={"authorization": "Bearer t0"}).send(delivery()).ok
    assert receiver.got[0][1]["authorization"] == "Bearer t0"


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        result = webhook(free.getsockname()[1]).send(delivery())
    assert not result.ok and result.code is None and result.error is not None and result.error.startswith("cannot connect")


def test_what_is_not_http_is_not_quoted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        def greet() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"SSH-2.0-internal_banner\r\n")

        thread = Thread(target=greet)
        thread.start()
        result = webhook(server.getsockname()[1]).send(delivery())
        thread.join()
    # Which of the two depends on whether the connection is reset before its bytes are read.
    assert result in (Result(ok=False, error="RemoteProtocolError"), Result(ok=False, error="ReadError"))


def test_a_public_sink_whose_name_leads_here_sends_nothing(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "resolve", lambda host, port: ["127.0.0.1"])
    sink = Webhook("soc", f"https://hooks.example.com:{receiver.port}/", [SECRET])
    result = Outbox([sink]).attempt(delivery(), sink)
    assert result.error is not None and "resolves to 127.0.0.1, which is this machine" in result.error
    assert receiver.got == []


@pytest.mark.parametrize("wrong", [
    {"network": "everywhere"}, {"events": ["alert.exploded"]}, {"headers": {"Webhook-Id": "1"}}, {"headers": {"Host": "x"}},
    {"secrets": []}, {"secrets": ["whsec_c2hvcnQ="]}, {"secrets": ["whsec_***"]}, {"secrets": [SECRET.removeprefix("whsec_")]},
])
def test_settings_that_are_refused(wrong: dict[str, object]) -> None:
    known: dict[str, object] = {"name": "soc", "url": "https://hooks.example.com/", "secrets": [SECRET]} | wrong
    with pytest.raises(SettingsError) as refused:
        Webhook(**known)  # type: ignore[arg-type]  # wrong on purpose
    assert "c2hvcnQ" not in str(refused.value) and SECRET not in str(refused.value)


def test_secrets_do_not_show() -> None:
    assert SECRET not in repr(webhook(1)) and webhook(1).events == frozenset(Event)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For hooks.example.com, signed by itself; key and certificate in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example.com")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return path


@pytest.mark.parametrize(("host", "ok"), [("hooks.example.com", True), ("other.example.com", False)])
def test_the_pinned_address_answers_under_the_names_own_certificate(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, host: str, ok: bool
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    names: list[str | None] = []
    tls.sni_callback = lambda _socket, name, _context: names.append(name)
    monkeypatch.setattr(egress, "resolve", lambda host, port: ["127.0.0.1"])
    for receiver in serving(tls):
        sink = Webhook("soc", f"https://{host}:{receiver.port}/", [SECRET], network="private", authorities=certificate)
        result = sink.send(delivery())
        assert result.ok == ok and names == [host]
        assert [headers["host"] for _, headers, _ in receiver.got] == ([f"{host}:{receiver.port}"] if ok else [])
        assert ok or (result.error is not None and "certificate verify failed" in result.error)
