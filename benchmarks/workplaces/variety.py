"""A workplace whose papers do not repeat one another: more to talk about, and more of everything that has a name there."""

import random
from dataclasses import replace

from benchmarks.workplaces.place import Place

_WHO = ("{person}", "The team", "The night shift", "A colleague", "The office", "{person} and {mail}", "Nobody", "The supplier")
_DID = ("looked at", "measured", "counted", "asked about", "closed", "reopened", "was waiting for", "moved", "compared", "signed off")
_WHAT = ("the second batch", "entry {number}", "{count} of the items", "the list of {date}", "what came in at {time}", "folder {number}",
         "the left half", "a copy of {number}", "the figures", "the older version", "room {count}")
_WHEN = ("on {date}", "around {time}", "last week", "after lunch", "twice", "without finding anything", "for {count} minutes", "as agreed", "again")
_NAMED_LIKE = ("{name}-{n}", "{name} {n}", "{name}/{n}")
SENTENCES, NAMES = 160, 12


def varied(place: Place) -> Place:
    """The same workplace, with more small talk in its papers and more members in each pool; always the same more."""
    draw = random.Random(f"variety/{place.name}")
    talk = {f"{draw.choice(_WHO)} {draw.choice(_DID)} {draw.choice(_WHAT)} {draw.choice(_WHEN)}." for _ in range(SENTENCES)}
    pools = {
        pool: (*members, *(draw.choice(_NAMED_LIKE).format(name=draw.choice(members), n=draw.randint(2, 99)) for _ in range(NAMES)))
        for pool, members in place.pools.items()
    }
    return replace(place, chatter=(*place.chatter, *sorted(talk)), pools=pools)
