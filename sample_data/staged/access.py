"""Attacks on access: credentials that are tried everywhere."""

from collections.abc import Iterator
from random import Random

from sample_data import texts
from sample_data.script import Ask, Case, Script, Staged, Turn, ask, seeded
from sample_data.servers import callers

_CALLS_PER_SESSION = 13
_ADDRESS = "203.0.113.77"


def sessions(seed: int) -> Iterator[Staged]:
    """Two sessions minutes apart, of one person from one address."""
    case = Case(
        "access_surge",
        "attack",
        f"{2 * _CALLS_PER_SESSION} calls of one person from {_ADDRESS} over several servers end with 401 or 403 within minutes.",
    )
    (person,) = callers.REVOKED
    for number, hour in enumerate((22.1, 22.16)):
        random = seeded(seed, "access_surge", number)
        turn = Turn("List everything that I still have access to.", _try_all(random))
        yield Staged(case, "release-bot", 11, hour, (turn,), principal=person, client_address=_ADDRESS)


def _try_all(random: Random) -> Script:
    for _ in range(_CALLS_PER_SESSION):
        yield random.choice(_doors(random))
    return "None of it is open to you."


def _doors(random: Random) -> tuple[Ask, ...]:
    repo = random.choice(texts.PRIVATE_REPOSITORIES + texts.REPOSITORIES)
    return (
        ask("list_issues", repo=repo),
        ask("get_file_contents", repo=repo, path="README.md"),
        ask("read_channel", channel=random.choice(("#releases", "#on-call", "#team"))),
        ask("list_tickets", status=random.choice(("open", "new"))),
        ask("get_account", account_id=random.randint(100, 999)),
        ask("query", sql=f"select * from customers limit {random.randint(1, 50)}"),
    )
