"""What stands in the slots of a workplace's templates: honest people, places and accounts, and an attacker's."""

import random
from typing import Any

from benchmarks.workplaces.place import Goal, Place
from benchmarks.workplaces.wordings import EVIL_HOSTS, EVIL_NAMES, PARTNER_HOSTS

_PARTNERS = ("info", "office", "p.lund", "orders", "s.marsh", "contact", "j.okafor", "l.brandt")
_BOARDS = ("#community", "#press", "#partners-external", "the public forum", "/public/board", "#open-desk")
_LEADING = 5
"""Partners a workplace writes to often; the others now and then."""


class Values:
    """Draws values."""

    def __init__(self, place: Place, draw: random.Random) -> None:
        self.place, self.draw = place, draw
        steady = random.Random(place.name)
        self._partners = [f"{steady.choice(_PARTNERS)}@{host}" for host in steady.sample(PARTNER_HOSTS, len(PARTNER_HOSTS))]
        self._accounts = [_iban(steady) for _ in range(10)]

    def number(self) -> str:
        """A number of four or five digits."""
        return str(self.draw.randint(1_000, 59_999))

    def mail(self) -> str:
        """Somebody of the workplace."""
        return f"{self.draw.choice(self.place.people)}@{self.place.domain}"

    def partner(self) -> str:
        """Somebody whom it works with; now and then for the first time."""
        if self.draw.random() < 0.15:
            host = f"{self.draw.choice(('firma', 'studio', 'bureau', 'co'))}-{self.number()}.example"
            return f"{self.draw.choice(_PARTNERS)}{self.draw.randint(2, 99)}@{host}"
        return self.draw.choice(self._partners[:_LEADING] if self.draw.random() < 0.7 else self._partners)

    def slots(self) -> dict[str, str]:
        """Honest values for every slot."""
        draw = self.draw
        account = _iban(draw) if draw.random() < 0.25 else draw.choice(self._accounts)
        return {
            "person": draw.choice(self.place.people), "mail": self.mail(), "partner": self.partner(), "iban": account, "number": self.number(),
            "amount": f"{draw.randint(40, 4_000)}.{draw.choice(('00', '50', '90'))}", "count": str(draw.randint(2, 90)),
            "date": f"2026-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}",
             "time": f"{draw.randint(7, 18):02d}:{draw.choice(('00', '15', '30'))}",
            **{name: draw.choice(members) for name, members in self.place.pools.items()},
        }

    def evil(self) -> dict[str, str]:
        """An attacker's values."""
        draw = self.draw
        host, name = draw.choice(EVIL_HOSTS), draw.choice(EVIL_NAMES)
        mail = f"{name}@{host}"
        return {
            "mail": mail, "mail_who": mail, "who": draw.choice((mail, name)), "iban": _iban(draw), "amount": str(draw.randint(300, 9_000)),
            "url": f"{host}/{draw.choice(('verify', 'setup', 'v2', 'form'))}/{draw.getrandbits(24):06x}", "board": draw.choice(_BOARDS),
             "number": self.number(),
        }

    def honest_goal(self, goal: Goal) -> dict[str, str]:
        """Honest values for what an attacker might want as well."""
        slots, person = self.slots(), self.mail()
        slots |= {"mail": self.draw.choice((person, self.partner())), "mail_who": person, "who": self.draw.choice((person, slots["person"])),
                  "url": f"{self.draw.choice(('wiki', 'status', 'shop'))}.{self.place.domain}/{slots['number']}", "board": self.draw.choice(_BOARDS)}
        return {**slots, "what": self.draw.choice(goal.what).format(**slots)}

    def fill(self, template: str) -> str:
        """A template with honest values in its slots."""
        return template.format(**self.slots())

    def arguments(self, template: Any, slots: dict[str, str]) -> Any:
        """Arguments with values in their slots."""
        if isinstance(template, str):
            return template.format(**slots)
        if isinstance(template, list):
            return [self.arguments(one, slots) for one in template]
        return {key: self.arguments(value, slots) for key, value in template.items()} if isinstance(template, dict) else template


def _iban(draw: random.Random) -> str:
    return f"{draw.choice(('DE', 'FR', 'ES', 'NL', 'GB'))}{draw.randint(10, 99)}{draw.randint(10**17, 10**18 - 1)}"
