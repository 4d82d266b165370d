"""A disk that is full refuses commits; what was acknowledged stays in the spool and is taken once there is room."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import resource, signal, sys
from pathlib import Path
from store.errors import DiskError
from tests.toolhound.small import opened, spool, work

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
engine = opened(Path(sys.argv[1]))
spool(engine, work(5))
engine.catch_up()
for n in range(3):
    spool(engine, work(100, first=100 * (n + 1)))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))  # the log of the database may not grow further, as on a full disk
refused = 0
for _ in range(3):
    try:
        engine.step(patient=False)
    except DiskError:
        refused += 1
assert refused == 3 and engine.rejected.count() == 0 and len(engine.spool.pending(9)) == 3, (refused, engine.rejected.listed())
assert engine.database.value("SELECT count(*) FROM calls") == 20
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
engine.catch_up()
assert engine.database.value("SELECT count(*) FROM calls") == 1220 and engine.spool.pending(9) == []
"""


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
