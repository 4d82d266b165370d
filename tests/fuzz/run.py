"""Fuzzing: `python -m tests.fuzz.run TARGET [--seconds 60] [--corpus FOLDER] [--found FOLDER]`.

Guided by coverage where `atheris` is installed (it is no dependency), else by chance. A broken promise is raised, and its input written.
"""

import argparse
import importlib
import importlib.util
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SLOWEST_SECONDS = 20
LONGEST_BYTES = 1 << 16


def guided(target: str, seconds: int, corpus: Path | None, found: Path) -> None:
    """By atheris; it ends the process."""
    atheris: Any = importlib.import_module("atheris")
    for module in _compiled():
        importlib.import_module(module)
    with atheris.instrument_imports(include=["ingest"]):
        targets = importlib.import_module("tests.fuzz.targets")
    folder, seeds = Path(tempfile.mkdtemp()), _seeds(target, corpus)
    for n, seed in enumerate(seeds):
        (folder / str(n)).write_bytes(seed)
    for seed in seeds:
        targets.TARGETS[target](seed)  # compiles what is not in the cache yet, which would count as slow
    options = [f"-max_total_time={seconds}", f"-timeout={SLOWEST_SECONDS}", f"-max_len={LONGEST_BYTES}", f"-artifact_prefix={found}/{target}-"]
    atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", str(folder)], targets.TARGETS[target])
    atheris.Fuzz()


def by_chance(target: str, seconds: int, corpus: Path | None, found: Path) -> int:
    """By damage to the seeds, without guidance; how many were tried."""
    run: Callable[[bytes], None] = importlib.import_module("tests.fuzz.targets").TARGETS[target]
    chance, seeds, until, tried = random.Random(), _seeds(target, corpus), time.monotonic() + seconds, 0
    while time.monotonic() < until:
        body = damaged(chance.choice(seeds), chance.choice(seeds), chance)
        try:
            run(body)
        except BaseException:
            (found / f"{target}-crash").write_bytes(body)
            raise
        tried += 1
    return tried


def damaged(body: bytes, other: bytes, chance: random.Random) -> bytes:
    """A body with some bytes changed, doubled, left out, or taken from another."""
    made = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        place, size = chance.randint(0, len(made)), chance.choice((1, 1, 2, 8, 40))
        match chance.randint(0, 4):
            case 0:
                made[place : place + 1] = bytes([chance.randint(0, 255)])
            case 1:
                made[place:place] = made[place : place + size]
            case 2:
                del made[place : place + size]
            case 3:
                start = chance.randint(0, len(other))
                made[place:place] = other[start : start + size]
            case _:
                made[place : place + 1] = chance.choice((b"\xff" * 9 + b"\x01", b"\x00", b"\xed\xa0\x80", b'"', b"[[[", b"{", b"\\", b"9" * 30))
    return bytes(made)


def _compiled() -> list[str]:
    """What numba compiles, and is therefore imported first: it cannot compile what atheris makes of a module."""
    paths = (path for path in sorted((ROOT / "ingest").rglob("*.py")) if "from numba" in path.read_text())
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]


def _seeds(target: str, corpus: Path | None) -> list[bytes]:
    found: list[bytes] = importlib.import_module("tests.fuzz.seeds").seeds(target, corpus)
    return found


def main() -> None:
    """Fuzz one target."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, help="a folder of further bodies to start from")
    parser.add_argument("--found", type=Path, default=Path(tempfile.gettempdir()), help="where an input that breaks a promise is written")
    options = parser.parse_args()
    asked = options.target, options.seconds, options.corpus, options.found
    if importlib.util.find_spec("atheris"):
        guided(*asked)
    else:
        print(f"{by_chance(*asked)} tried")


if __name__ == "__main__":
    main()
