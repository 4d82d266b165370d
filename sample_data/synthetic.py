"""Made-up secrets of real shape, put together at run time so that no scanner finds one in the source."""

import base64
import string
from random import Random

_ALNUM = string.ascii_letters + string.digits
_UPPER = string.ascii_uppercase + string.digits


def _text(random: Random, length: int, letters: str = _ALNUM) -> str:
    return "".join(random.choices(letters, k=length))


def aws_key_id(random: Random) -> str:
    """An AWS access key id."""
    return "AK" + "IA" + _text(random, 16, _UPPER)


def aws_secret(random: Random) -> str:
    """An AWS secret access key."""
    return _text(random, 40, _ALNUM + "/+")


def github_token(random: Random) -> str:
    """A GitHub personal access token."""
    return "gh" + "p_" + _text(random, 36)


def slack_token(random: Random) -> str:
    """A chat bot token."""
    return "xo" + "xb-" + "-".join((_text(random, 12, string.digits), _text(random, 12, string.digits), _text(random, 24)))


def payment_key(random: Random) -> str:
    """A live key of a payment provider."""
    return "sk_" + "live_" + _text(random, 24)


def private_key(random: Random) -> str:
    """An OpenSSH private key block around random bytes."""
    body = base64.b64encode(b"openssh-key-v1\0" + random.randbytes(390)).decode()
    rows = "\n".join(body[at : at + 70] for at in range(0, len(body), 70))
    label = "OPENSSH " + "PRIVATE KEY"
    return f"-----BEGIN {label}-----\n{rows}\n-----END {label}-----\n"


def public_key(random: Random, owner: str) -> str:
    """An SSH public key line: nothing secret."""
    return f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{_text(random, 43)} {owner}"


def database_url(random: Random, host: str = "db.internal.example.com") -> str:
    """A database address with its password."""
    return "postgres" + "://app:" + _text(random, 20) + f"@{host}:5432/app"


def iban(random: Random, country: str = "DE") -> str:
    """An account number of IBAN shape with a correct check sum and a bank code that no bank has."""
    account = "00000000" + _text(random, 10, string.digits)
    digits = account + "".join(str(ord(letter) - 55) for letter in country) + "00"
    return f"{country}{98 - int(digits) % 97:02d}{account}"
