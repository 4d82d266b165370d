"""How fast texts are masked and fingerprinted: a table, and one JSON line for machines. Run: `python benchmarks/fingerprint.py [texts]`.

The batch is synthetic and seeded: texts of 1.2 kB on average, log-normal (median 600 bytes, tail to 200 kB): prose with names
in it, plain and as JSON; one in twelve holds a secret, one in thirty something encoded. Then fingerprints of 1,024 texts of one kind at a
time, 1 kB each: English, rows of JSON, source code, and text written to stall. Seconds are the processor's, of one thread; beside them the
time that `bytes.count` takes for the same bytes, since machines differ and are shared.
"""

import argparse
import base64
import inspect
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import pyarrow as pa

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


def _cut(text: str, size: int = 1000) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text) - size, size)]


def _kinds(rng: random.Random, count: int) -> dict[str, list[str]]:
    """Texts of 1 kB, by kind."""
    person = ("ana", "bo", "chen", "dina", "emeka")
    prose = " ".join(rng.choice(_WORDS) + rng.choice(("", "", "", "", "", "", "", ",", ".", ".\n")) for _ in range(count * 200))
    rows = (
        {"id": n, "name": rng.choice(person), "status": rng.choice(_WORDS), "total": round(rng.random() * 1000, 2), "active": rng.random() < 0.5,
         "created_at": f"2026-03-{1 + n % 28:02d}T10:00:00Z", "comment": " ".join(rng.choices(_WORDS, k=12)),
         "mail": f"{rng.choice(person)}@example.com"}
        for n in range(count * 6)
    )
    hostile = (
        "a.com+", "ab://", "%41", "a1b2c3d4e5f6.", "/a", "ab.cd.1.", "@a", "\\u0041", "+1 ", "1:", "a.b@", "VVVV", "US11 1111 ", "C:\\a", "[secret:",
    )
    made = {
        "English": _cut(prose), "JSON": _cut(json.dumps(list(rows))), "code": _cut(inspect.getsource(argparse) + inspect.getsource(inspect)),
        "hostile": [piece * (1000 // len(piece)) for piece in hostile],
    }
    return {kind: (texts * (count // len(texts) + 1))[:count] for kind, texts in made.items()}


def _seconds(work: Callable[[], object], rounds: int = 5) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def main(count: int) -> None:
    """Measure, print."""
    rng = random.Random(20261120)
    texts: list[str | None] = [_text(rng) for _ in range(count)]
    size = sum(len(text.encode()) for text in texts if text)
    redactor = Redactor(b"benchmark")
    start = time.perf_counter()
    fingerprint.warm()
    warm = time.perf_counter() - start
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
    print(f"warm after {warm:.1f} s; {count:,} texts, {size / count:,.0f} bytes on average, {sum(map(len, secrets)):,} secrets")
    print(f"{'':30}{'MB/s':>10}{'texts/s':>12}{'600-byte texts/s':>20}")
    figures = {}
    for name, took in seconds.items():
        print(f"{name:30}{size / took / 1e6:10.1f}{count / took:12,.0f}{size / took / 600:20,.0f}")
        figures[name] = {"mb_per_s": round(size / took / 1e6, 1), "texts_per_s": round(count / took)}
    kinds = {}
    print(f"{'1,024 texts of 1 kB':30}{'MB/s':>10}{'us for 1 kB':>12}{'times bytes.count':>20}")
    for kind, written in _kinds(rng, 1024).items():
        column = pa.array(written)
        joined = "".join(written).encode()
        took = _seconds(lambda column=column: fingerprint.atoms_and_shingles(column), 20)  # type: ignore[misc]
        counted = _seconds(lambda joined=joined: joined.count(b"\\"), 20)  # type: ignore[misc]
        print(f"{kind:30}{len(joined) / took / 1e6:10.1f}{took / len(joined) * 1e9:12.2f}{took / counted:20.1f}")
        kinds[kind] = {"mb_per_s": round(len(joined) / took / 1e6, 1), "us_per_kb": round(took / len(joined) * 1e9, 2)}
    print(json.dumps({"benchmark": "fingerprint", "texts": count, "bytes": size, "figures": figures, "kinds": kinds}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
