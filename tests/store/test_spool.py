"""What the database has taken is kept until it is in the lake, and taken again where the database does not know it."""

from datetime import timedelta
from pathlib import Path

import pyarrow as pa

from store.spool import Spool, written_at

ENDLESS = 1 << 60


def filled(folder: Path, count: int) -> tuple[Spool, list[Path]]:
    made = Spool(folder)
    return made, [made.write({"spans": pa.table({"trace_id": [str(n)]})}) for n in range(count)]


def test_set_aside_and_let_go(tmp_path: Path) -> None:
    made, files = filled(tmp_path, 4)
    size = files[0].stat().st_size
    assert made.taken_size() == (0, 0)
    made.set_aside(files[:3])
    made.set_aside(files[:1])  # a crash in between: it is there already
    assert made.pending(10) == files[3:] and [p.name for p in made.taken()] == [p.name for p in files[:3]]
    assert made.size() == (1, size) and made.taken_size() == (3, 3 * size)
    made.let_go(made.superfluous(written_at(files[1]), ENDLESS))
    assert [p.name for p in made.taken()] == [p.name for p in files[1:3]]
    made.let_go(made.superfluous(None, ENDLESS))
    assert made.taken() == []


def test_beyond_a_size_the_oldest_go(tmp_path: Path) -> None:
    made, files = filled(tmp_path, 4)
    size = files[0].stat().st_size
    made.set_aside(files)
    made.let_go(made.superfluous(written_at(files[0]) - timedelta(hours=1), 2 * size))
    assert [p.name for p in made.taken()] == [p.name for p in files[2:]]


def test_what_the_database_does_not_know_waits_again(tmp_path: Path) -> None:
    made, files = filled(tmp_path, 3)
    made.set_aside(files)
    assert made.give_back({files[0].name}) == 2 and made.give_back({files[0].name}) == 0
    assert [p.name for p in made.pending(10)] == [p.name for p in files[1:]] and [p.name for p in made.taken()] == [files[0].name]
