"""How fast texts are masked and fingerprinted: a table, and one JSON line for machines. Run: `python benchmarks/fingerprint.py [texts]`.

The batch is synthetic and seeded: texts of 1.2 kB on average, log-normal (median 600 bytes, tail to 200 kB): prose with names
in it, plain and as JSON; one in twelve holds a secret, one in thirty something encoded. One process, one thread.
"""

import base64
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from ingest import fingerprint
from ingest.redact import Redactor

_PROSE = (
    "the report shows that revenue for last quarter was above plan while costs in the region fell please send it to the team before friday "
    "error while reading configuration value status pending order customer returned null timeout retry after seconds function returns list"
)
_WORDS = _PROSE.split()


def _name(rng: random.Random) -> str:
    person, number = rng.choice(("ana", "bo", "chen", "dina", "emeka")), rng.randrange(100_000)
    return rng.choice(
        (
            f"{person}.{number}@example.com",
            f"https://docs{number % 50}.example.org/pages/{number}?view=full",
            f"/srv/data/{person}/{number}.csv",
            f"ORD-{number:08d}-{person}",
            f"192.0.2.{number % 250}",
            f"{rng.getrandbits(64):016x}",
            f"2026-03-{1 + number % 28:02d}T10:{number % 60:02d}:00Z",
            f"{number}.{number % 97}",
        )
    )


def _text(rng: random.Random) -> str:
    size = min(200_000, int(rng.lognormvariate(6.4, 1.18)))
    parts: list[str] = []
    length = 0
    while length < size:
        part = _name(rng) if rng.random() < 0.05 else rng.choice(_WORDS)
        parts.append(part)
        length += len(part) + 1
    text = " ".join(parts)
    if rng.random() < 1 / 12:
        text += rng.choice((" key gh" + "p_" + "a1B2" * 9, " pass" + f"word=Tr0ub4dor{rng.randrange(99)}"))
    if rng.random() < 1 / 30:
        text += " " + base64.b64encode(text[:300].encode()).decode()
    shape = rng.random()
    if shape < 0.4:
        return json.dumps({"text": text, "limit": rng.randrange(100), "next_page_token": "abc", "lines": text[:40] + "\n" + text[40:80]})
    return text.replace(" the ", "\n").replace(" for ", " für — ") if shape < 0.6 else text


def _seconds(work: Callable[[], object], rounds: int = 3) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def main(count: int) -> None:
    """Measure, print."""
    rng = random.Random(20261120)
    texts: list[str | None] = [_text(rng) for _ in range(count)]
    size = sum(len(text.encode()) for text in texts if text)
    redactor = Redactor(b"benchmark")
    fingerprint.warm()
    redactor.mask_all(texts[:100])
    masked, secrets = redactor.mask_all(texts)
    works: dict[str, Callable[[], object]] = {
        "mask_all": lambda: redactor.mask_all(texts),
        "atoms": lambda: fingerprint.atoms(masked),
        "shingles": lambda: fingerprint.shingles(masked),
        "atoms_and_shingles": lambda: fingerprint.atoms_and_shingles(masked),
    }
    seconds = {name: _seconds(work) for name, work in works.items()}
    seconds["all three"] = seconds["mask_all"] + seconds["atoms"] + seconds["shingles"]
    seconds["mask_all, atoms_and_shingles"] = seconds["mask_all"] + seconds["atoms_and_shingles"]
    print(f"{count:,} texts, {size / count:,.0f} bytes on average, {sum(map(len, secrets)):,} secrets")
    print(f"{'':30}{'MB/s':>10}{'texts/s':>12}{'600-byte texts/s':>20}")
    figures = {}
    for name, took in seconds.items():
        print(f"{name:30}{size / took / 1e6:10.1f}{count / took:12,.0f}{size / took / 600:20,.0f}")
        figures[name] = {"mb_per_s": round(size / took / 1e6, 1), "texts_per_s": round(count / took)}
    print(json.dumps({"benchmark": "fingerprint", "texts": count, "bytes": size, "figures": figures}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
