"""Masking: every kind is found wherever it stands, equal secrets get equal masks, JSON stays JSON, innocent neighbours stay.

Secrets are put together at run time from parts, so that scanners of this repository have nothing to find.
"""

import base64
import json
import random
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.redact import Redactor, Secret
from ingest.secret_kinds import CONTEXTS, SHAPES

REDACTOR = Redactor(b"a key for tests")
_RNG = random.Random(7)


def _some(size: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(_RNG.choice(alphabet) for _ in range(size))


_HEX = "0123456789abcdef"
_DIGITS = string.digits
_UPPER = string.ascii_uppercase + string.digits
_B64_LINES = "\n".join(_some(64) for _ in range(5))


def _pem(label: str) -> str:
    return f"-----BEGIN {label}-----\n{_B64_LINES}\n-----END {label}-----"


# kind -> secret; each must be masked whole, wherever it stands
SECRETS: dict[str, str] = {
    "private-key": _pem("RSA PRIVATE" + " KEY"),
    "age-key": "AGE-SECRET" + "-KEY-1" + _some(58, _UPPER),
    "jwt": "eyJ" + _some(30) + ".eyJ" + _some(40) + "." + _some(43),
    "aws-access-key-id": "AK" + "IA" + _some(16, _UPPER),
    "github-token": "gh" + "p_" + _some(36),
    "gitlab-token": "gl" + "pat-" + _some(20),
    "slack-token": "xo" + "xb-" + _some(12, _DIGITS) + "-" + _some(24),
    "discord-token": "M" + _some(23) + "." + _some(6) + "." + _some(27),
    "telegram-token": _some(9, "123456789") + ":AA" + _some(33),
    "stripe-key": "sk_" + "live_" + _some(24),
    "webhook-secret": "wh" + "sec_" + _some(32),
    "anthropic-key": "sk-" + "ant-api03-" + _some(93) + "AA",
    "openrouter-key": "sk-" + "or-v1-" + _some(64, _HEX),
    "openai-key": "sk-" + "proj-" + _some(48),
    "google-api-key": "AI" + "za" + _some(35),
    "google-oauth-secret": "GOC" + "SPX-" + _some(28),
    "google-oauth-token": "ya" + "29." + _some(60),
    "azure-client-secret": _some(3) + "8" + "Q~" + _some(34),
    "azure-devops-token": _some(76) + "AZ" + "DO" + _some(4),
    "twilio-key": "S" + "K" + _some(32, _HEX),
    "sendgrid-key": "S" + "G." + _some(22) + "." + _some(43),
    "mailgun-key": "ke" + "y-" + _some(32, _HEX),
    "mailchimp-key": _some(32, _HEX) + "-us" + "12",
    "brevo-key": "xkey" + "sib-" + _some(64, _HEX) + "-" + _some(16),
    "npm-token": "np" + "m_" + _some(36),
    "pypi-token": "py" + "pi-" + _some(80),
    "rubygems-key": "ruby" + "gems_" + _some(48, _HEX),
    "crates-token": "ci" + "o" + _some(32),
    "docker-token": "dckr" + "_pat_" + _some(27),
    "digitalocean-token": "do" + "p_v1_" + _some(64, _HEX),
    "vault-token": "hv" + "s." + _some(90),
    "terraform-token": _some(14) + ".atlas" + "v1." + _some(67),
    "databricks-token": "da" + "pi" + _some(32, _HEX),
    "huggingface-token": "h" + "f_" + _some(34),
    "replicate-token": "r8" + "_" + _some(37),
    "groq-key": "gs" + "k_" + _some(52),
    "perplexity-key": "pp" + "lx-" + _some(48),
    "xai-key": "xa" + "i-" + _some(80),
    "langsmith-key": "lsv2" + "_pt_" + _some(32, _HEX) + "_" + _some(10, _HEX),
    "search-api-key": "tv" + "ly-" + _some(32),
    "shopify-token": "shp" + "at_" + _some(32, _HEX),
    "square-token": "sq0" + "csp-" + _some(43),
    "plaid-token": "access-" + "sandbox-" + _some(8, _HEX) + "-0000-4000-8000-" + _some(12, _HEX),
    "linear-key": "lin" + "_api_" + _some(40),
    "notion-token": "nt" + "n_" + _some(46),
    "figma-token": "fig" + "d_" + _some(40),
    "airtable-token": "pa" + "t" + _some(14) + "." + _some(64, _HEX),
    "atlassian-token": "ATA" + "TT3" + _some(180),
    "dropbox-token": "s" + "l." + _some(135),
    "grafana-token": "gl" + "sa_" + _some(32) + "_" + _some(8, _HEX),
    "newrelic-key": "NR" + "AK-" + _some(27, _UPPER),
    "sentry-token": "sntry" + "s_" + _some(80),
    "postman-key": "PM" + "AK-" + _some(24, _HEX) + "-" + _some(34, _HEX),
    "pulumi-token": "pu" + "l-" + _some(40, _HEX),
    "doppler-token": "dp" + ".pt." + _some(43),
    "planetscale-token": "pscale" + "_tkn_" + _some(43),
    "supabase-key": "sb" + "p_" + _some(40, _HEX),
    "tailscale-key": "ts" + "key-auth-" + _some(16) + "-" + _some(32),
    "alibaba-key-id": "LT" + "AI" + _some(20),
    "contentful-token": "CF" + "PAT-" + _some(43),
    "card-number": "4111 1111" + " 1111 1111",
}

# surroundings with one gap, kind, secret: only the secret goes
IN_CONTEXT: list[tuple[str, str, str]] = [
    ("aws_secret" + "_access_key = {}", "aws-secret-access-key", _some(38) + "/+"),
    ("AccountKey={};EndpointSuffix=core.windows.net", "azure-account-key", _some(86) + "=="),
    ("https://x.blob.core.windows.net/c?sv=2024&sig={}&se=1", "azure-sas", _some(43) + "%3D"),
    ('"private_key' + '_id": "{}"', "gcp-private-key-id", _some(40, _HEX)),
    ("postgres://app:{}@db.example.com:5432/main", "database-password", "p@" + "ss-w0rd!"),
    ("https://ana:{}@example.com/x", "url-password", "s3" + "cr3t"),
    ("Authorization: Basic {}", "authorization", "YW5hOm" + _some(12)),
    ('{{"headers": {{"Authorization": "Bearer {}"}}}}', "authorization", _some(40)),
    ("use bearer {} for it", "bearer-token", _some(30) + "7"),
    ("Set-Cookie: {}", "cookie", "sid=" + _some(20) + "; Path=/"),
    ("recovery phrase: {}", "seed-phrase", " ".join(["apple", "ozone", "river"] * 4)),
    ("pass" + "word={}", "password", "hun" + "ter2!"),
    ('{{"db_pass' + 'word": "{}", "port": 5432}}', "password", "correct horse battery"),
    ('"{{\\"pass' + 'wd\\": \\"{}\\"}}"', "password", "Tr0ub4" + "dor&3"),
    ("machine example.com login ana pass" + "word {}", "password", "x9-y8-" + "z7"),
    ("api_" + "key: '{}'", "assigned-secret", _some(24) + "1a"),
    ("--tok" + "en {} --verbose", "assigned-secret", _some(24) + "1a"),
    ("<client_" + "secret>{}</client_secret>", "assigned-secret", _some(24) + "1a"),
    ("curl -u ana:{} https://example.com", "basic-auth", "k1tt" + "ens!"),
]

INNOCENT = [
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ" + _some(300) + " ana@example.com",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + _some(43) + " bo",
    "-----BEGIN PUBLIC KEY-----\n" + _B64_LINES + "\n-----END PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----\n" + _B64_LINES + "\n-----END CERTIFICATE-----",
    "Put the text -----BEGIN PRIVATE KEY----- first.",
    "IBAN DE89 3704 0044 0532 0130 00, DE89370400440532013000",
    "card 4111 1111 1111 1112 fails its check digit",
    "max_tokens: 4096, token_count=12345678, tokens: 1234567890",
    'next_page_token: "Cg0xMjM0NTY3ODkwMTIz", nextPageToken=abc123def456ghi7',
    "password: required. The password is checked. password=None",
    "api_key=${API_KEY} password=<password> token=os.environ['TOKEN_1'] secret=********",
    "https://example.com:8443/a?b=c@d and mailto:ana@example.com",
    "git commit 3f786850e387550fdab836ed7e6dc881de23001b at 1700000000000",
    "PWD=/home/ana/projects/demo1",
    "docker run -u 1000:1000 image",
    "the secret to success: practise, token by token",
]


def _gone(secret: str, text: str) -> bool:
    """No nine characters in a row of the secret are left."""
    solid = "".join(secret.split())
    return not any(solid[i : i + 9] in text for i in range(len(solid) - 8)) and secret not in text


@pytest.mark.parametrize("kind", SECRETS)
def test_each_kind_is_masked(kind: str) -> None:
    """Alone, in prose, after a word with an underscore, in JSON and in JSON within JSON; always to the same mask."""
    secret = SECRETS[kind]
    alone, found = REDACTOR.mask(secret)
    assert [s.kind for s in found] == [kind]
    assert alone == f"[secret:{kind}:{found[0].digest}]"
    for text in (f"see {secret}, please", f"KEY={secret}", json.dumps({"a": f"x\n{secret}\ny"}), json.dumps(json.dumps([f'"{secret}"']))):
        masked, again = REDACTOR.mask(text)
        assert again == found, text
        assert _gone(secret, masked)
        if text[0] in '{"':
            json.loads(masked)


@pytest.mark.parametrize(("text", "kind", "secret"), IN_CONTEXT)
def test_context_gives_a_secret_away(text: str, kind: str, secret: str) -> None:
    """The secret goes, its surroundings stay."""
    masked, found = REDACTOR.mask(text.format(secret))
    assert [s.kind for s in found] == [kind]
    assert masked == text.format(f"[secret:{kind}:{found[0].digest}]")


@pytest.mark.parametrize("text", INNOCENT)
def test_innocent_neighbours_stay(text: str) -> None:
    """Public keys, placeholders, page tokens, numbers."""
    assert REDACTOR.mask(text) == (text, [])


def test_there_are_enough_kinds() -> None:
    """Forty were asked for; every shape's name fits the mask."""
    assert len({kind for kind, _ in (*SHAPES, *CONTEXTS)}) >= 40
    assert set(SECRETS) <= {kind for kind, _ in SHAPES}


@pytest.mark.parametrize("label", ["RSA PRIVATE", "EC PRIVATE", "OPENSSH PRIVATE", "ENCRYPTED PRIVATE", "PRIVATE"])
def test_private_keys_cut_or_numbered(label: str) -> None:
    """A cut block, one with line numbers, one in a single line, one with mail quotes."""
    whole = _pem(label + " KEY")
    for text in (
        whole[:200],
        "> " + whole.replace("\n", "\n> "),
        "\n".join(f"{i:6d}\t{line}" for i, line in enumerate(whole.split("\n"))),
        whole.replace("\n", " "),
        json.dumps(json.dumps(whole)),
    ):
        masked, found = REDACTOR.mask(text)
        assert [s.kind for s in found] == ["private-key"], text
        assert _gone(_B64_LINES[:60], masked) and "[secret:private-key:" in masked
    assert REDACTOR.mask(whole)[1] == REDACTOR.mask(json.dumps(whole))[1]


def test_the_key_makes_the_mask() -> None:
    """Equal secrets get equal masks under one key, others under another; 16 hex digits."""
    secret = SECRETS["github-token"]
    one, other = REDACTOR.mask(secret)[1][0], Redactor(b"another").mask(secret)[1][0]
    assert one == Redactor(b"a key for tests").mask(f"token={secret}")[1][0]
    assert one.digest != other.digest
    assert len(one.digest) == 16 and isinstance(one, Secret)


@pytest.mark.parametrize("kind", ["aws-access-key-id", "github-token", "anthropic-key", "private-key", "google-api-key"])
def test_base64_hides_nothing(kind: str) -> None:
    """As a value of its own (a Kubernetes secret), within a file, wrapped, without padding, in JSON of any depth: masked as its secret is."""
    secret = SECRETS[kind]
    file = json.dumps({"region": "eu-west-1", "note": "put there by the setup", "key": secret, "more": "and so on and so forth"})
    _, found = REDACTOR.mask(secret)
    for plain in (secret, file):
        run = base64.b64encode(plain.encode()).decode()
        wrapped = base64.encodebytes(plain.encode()).decode()
        for text in (
            run, f"  key: {run}\n", base64.urlsafe_b64encode(plain.encode()).decode().rstrip("="), wrapped, json.dumps({"data": wrapped}),
            json.dumps(json.dumps({"data": f"key:\n{run}"})), run.replace("/", "\\/"), f"password: {run}",
        ):
            masked, again = REDACTOR.mask(text)
            assert again == found, text
            assert _gone(run[4:-4], masked)
            assert REDACTOR.mask(masked) == (masked, [])
            if text[0] in '{"':
                inner = json.loads(masked)
                assert not isinstance(inner, str) or json.loads(inner)


def test_encoded_text_without_secrets_stays() -> None:
    """Prose in base64, an image, a UUID, a long path, a hash."""
    for text in (
        base64.b64encode(b"the quick brown fox jumps over the lazy dog, again and again").decode(),
        base64.b64encode(random.Random(2).randbytes(900)).decode(),
        "550e8400-e29b-41d4-a716-446655440000 /usr/lib/python3/site-packages/some/where/else " + _some(64, _HEX),
    ):
        assert REDACTOR.mask(text) == (text, [])


def test_suspects_are_what_masking_changes() -> None:
    """One scan over many texts names each that holds a secret, plain or encoded."""
    secret = SECRETS["github-token"]
    texts = [b"nothing", secret.encode(), b"", base64.b64encode(secret.encode()), b"still nothing"]
    joined = np.frombuffer(b"".join(text + b"\0" for text in texts), np.uint8)
    assert REDACTOR.suspects(joined, np.cumsum([len(text) + 1 for text in texts]) - 1) == [1, 3]


_AROUND = st.text(st.characters(codec="utf-8"), max_size=40)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(SECRETS)), _AROUND, _AROUND, st.sampled_from((" ", "\n", '"', "=", "\t", "é", "(")))
def test_a_planted_secret_never_survives(kind: str, before: str, after: str, gap: str) -> None:
    """Whatever stands around it, plain and as JSON; and masking again changes nothing."""
    text = before + gap + SECRETS[kind] + " " + after
    for shape in (text, json.dumps(text), json.dumps(text, ensure_ascii=False)):
        masked, found = REDACTOR.mask(shape)
        assert found and _gone(SECRETS[kind], masked)
        assert REDACTOR.mask(masked) == (masked, [])
        if shape is not text:
            json.loads(masked)


_PIECES = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(sorted(SECRETS.values())),
        st.sampled_from([text.format(secret) for text, _, secret in IN_CONTEXT]),
        st.sampled_from(["password=", "token: ", "Bearer ", "://u:", "@", "[secret:", "]", '"', "\\", "'", "Cookie: ", "secret", ":"]),
    ),
    max_size=8,
).map("".join)


@settings(max_examples=500, deadline=None)
@given(_PIECES)
def test_masking_is_idempotent_and_keeps_json(text: str) -> None:
    """Any text, lone surrogates too: masking twice is masking once, and JSON stays JSON."""
    masked, _ = REDACTOR.mask(text)
    assert REDACTOR.mask(masked) == (masked, [])
    json.loads(REDACTOR.mask(json.dumps({"k": text, "password": text}))[0])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.none(), _PIECES), max_size=6))
def test_a_batch_is_its_texts_one_by_one(texts: list[str | None]) -> None:
    """`mask_all` is `mask`, row by row; null stays null."""
    masked, secrets = REDACTOR.mask_all(texts)
    assert list(zip(masked, secrets, strict=True)) == [(None, []) if text is None else REDACTOR.mask(text) for text in texts]
