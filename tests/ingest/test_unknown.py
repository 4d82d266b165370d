"""What no dialect knows is counted, kept as context, and said with the keys that stand out."""

import json
import threading
from pathlib import Path

from ingest import standing
from ingest.collector import Collector
from store import spool
from tests.ingest.payloads import log, span, traces
from tests.ingest.payloads import logs as log_request
from tests.ingest.receiver import collector_in

STRANGE = {"acme.tool.invoked": "x", "acme.agent": "y", "http.method": "GET"}


def told(collector: Collector) -> list[dict[str, object]]:
    found: list[dict[str, object]] = collector.told()["unknown"]
    return found


def test_keys_that_stand_out_are_told(tmp_path: Path) -> None:
    collector = collector_in(tmp_path)
    body = traces(span(1, attributes=STRANGE), span(2, attributes=STRANGE), scope="acme").SerializeToString()
    for _ in range(2):
        assert collector.accept_otlp("traces", "protobuf", body, "test").accepted == 2
    collector.accept_otlp("logs", "protobuf", log_request(log(body="x", attributes=STRANGE), scope="acme").SerializeToString(), "test")
    keys = ["acme.agent", "acme.tool.invoked"]
    assert told(collector) == [
        {"signal": "span", "scope": "acme", "keys": keys, "requests": 2}, {"signal": "log", "scope": "acme", "keys": keys, "requests": 1},
    ]
    assert collector.counts.dialects["unknown"] == 5
    kept = [spool.read(path)["spans"].num_rows for path in collector_files(tmp_path)]
    assert sum(kept) == 4


def collector_files(folder: Path) -> list[Path]:
    return sorted((folder / "spool").glob("*.arrow"))


def test_ordinary_spans_do_not_stand_out(tmp_path: Path) -> None:
    collector = collector_in(tmp_path)
    collector.accept_otlp("traces", "protobuf", traces(span(1, attributes={"http.method": "GET", "db.system": "x"})).SerializeToString(), "test")
    assert told(collector) == []


def test_no_end_of_vocabularies_is_remembered(tmp_path: Path) -> None:
    collector = collector_in(tmp_path)
    for n in range(150):
        collector.accept_otlp("traces", "protobuf", traces(span(1, attributes={f"tool.{n}": "x"})).SerializeToString(), "test")
    assert len(told(collector)) == 100


def test_each_collector_says_how_it_stands(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    (tmp_path / standing.FOLDER).mkdir()
    (tmp_path / standing.FOLDER / "7.json").write_text(json.dumps({"accepted": 3}))
    (tmp_path / standing.FOLDER / "8.json").write_text("{half")
    assert standing.standings(tmp_path) == [{"process": "7", "status": "ok", "accepted": 3}]
    standing.keep_telling(tmp_path, {"http": "h"}, lambda: {"accepted": 1}, stop)
    assert [one["process"] for one in standing.standings(tmp_path)] == ["7"]  # it has ended
    standing.forget(tmp_path, 7)
    assert standing.standings(tmp_path) == []
