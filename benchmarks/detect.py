"""How many calls a second do all detectors look at? Prints a table of detectors and one JSON line.

    python benchmarks/detect.py [--calls 100000] [--live 1000] [--processes 2] [--each]

The recorded work of `sample_data`, copied under new sessions until there is enough of it, its results lengthened to 1.2 kB on average with
long tails. First everything is looked at (backfill), then so many sessions as if they had just been touched (live). `--each` times
every detector by itself, in one slice. Ratio: to the time that DuckDB needs to read the same calls' texts once.
"""

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # or this file would stand in for a package

from detectors.contract import Scope  # noqa: E402 - after the path
from detectors.registry import detectors  # noqa: E402
from ingest.batch import to_tables  # noqa: E402
from ingest.collector import DECODERS  # noqa: E402
from ingest.json_traces import lines  # noqa: E402
from ingest.reading import read_request  # noqa: E402
from ingest.redact import Redactor  # noqa: E402
from sample_data import recording  # noqa: E402
from sample_data.texts import paragraphs  # noqa: E402
from store.database import Database, hot_schema  # noqa: E402
from store.intake import absorb  # noqa: E402
from store.lake import make_views  # noqa: E402
from store.records import Call, Message, Observer, Outcome, Records, State  # noqa: E402
from toolhound import detection  # noqa: E402
from toolhound.workers import Workers  # noqa: E402

RECORDED = Path(__file__).resolve().parent.parent / "sample_data" / "recorded"
KEY = Redactor(b"a key for benchmarks")
MEAN_BYTES, TAIL = 1_200, 1.1
BATCH = 20_000
OWN = ("called_at", "tool", "dialect", "seq", "duration_ms", "agent", "agent_version", "principal", "client_address", "server", "server_version",
       "server_address", "transport", "arguments", "result", "error_type", "error_message", "decision", "decided_by")


def recorded() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The recording's merged calls and messages."""
    database = Database.memory()
    hot_schema(database)
    make_views(database)
    records = Records()
    columns: dict[str, list[pa.Table]] = {}
    for sent in recording.read(RECORDED):
        if sent.transport == "calls":
            records.extend(lines.read_body(sent.body).records)
        else:
            encoding = "json" if sent.transport == "http_json" else "protobuf"
            read = read_request(DECODERS[sent.path.rpartition("/")[2], encoding](sent.body))
            records.extend(read.records)
            for kind, parts in read.tables.items():
                columns.setdefault(kind, []).extend(parts)
    with database.transaction():
        absorb(database, to_tables(records, KEY, columns=columns), datetime.now(UTC))
    found = database.rows("FROM hot.calls ORDER BY called_at"), database.rows("FROM hot.messages")
    database.close()
    return found


def copies(count: int) -> Iterator[Records]:
    """So many calls, in batches, each copy of the recording under new sessions and a little later."""
    calls, messages = recorded()
    draw = random.Random(7)
    usual = sum(len(c["result"] or "") + len(c["arguments"] or "") for c in calls) / len(calls)
    made, copy = Records(), 0
    done = 0
    while done < count:
        later, copy = timedelta(minutes=copy), copy + 1
        for row in calls[: count - done]:
            more = draw.lognormvariate(0, TAIL) / 1.83 * max(0.0, MEAN_BYTES - usual)  # 1.83 is the mean of that distribution
            longer = paragraphs(draw)[: int(more)] if more < 2_000 else " ".join(paragraphs(draw) for _ in range(int(more / 600)))
            made.calls.append(replace(
                Call(observation_id=f"{copy}-{row['call_id']}", observed_by=Observer.AGENT,
                     session_id=f"{copy}-{row['session_id']}", session_source=1, arguments_state=State(row["arguments_state"]),
                     result_state=State(row["result_state"]), outcome=Outcome(row["outcome"]),
                     **{name: row[name] for name in OWN}),
                called_at=row["called_at"] + later, result=None if row["result"] is None else f"{row['result']}\n{longer}",
            ))
            done += 1
            if len(made.calls) == BATCH:
                yield made
                made = Records()
        made.messages += [
            Message(f"{copy}-{m['message_id']}", m["said_at"] + later, m["role"], m["dialect"], m["text"], State(m["text_state"]),
                    f"{copy}-{m['session_id']}", 1, agent=m["agent"]) for m in messages
        ]
    yield made


def looked_at_everything(database: Database, workers: Workers) -> float:
    """Seconds that the backfill takes."""
    begun = time.monotonic()
    for looked in detection.look_at_everything(database, ask=workers.ask, at_once=workers.processes):
        for name, why in looked.failures.items():
            print(f"{name} failed: {why}", file=sys.stderr)
    return time.monotonic() - begun


def looked_at_touched(database: Database, workers: Workers, sessions: int) -> tuple[float, float]:
    """Seconds that a live look takes after so many sessions got a call: at these and their calls, and at agents, servers and so on."""
    database.execute("DELETE FROM hot.touched")
    database.execute(f"""
        INSERT INTO hot.touched SELECT 'call', min(call_id), now() FROM hot.calls GROUP BY session_id ORDER BY hash(session_id) LIMIT {sessions}
    """)
    look, looked = detection.Look(database, ask=workers.ask, at_once=workers.processes), detection.Looked()
    begun = time.monotonic()
    look.choose()
    look.learn(looked)
    look.sessions(looked)
    at_sessions = time.monotonic()
    look.groups(look.touched(), looked)
    return at_sessions - begun, time.monotonic() - at_sessions


def each(database: Database) -> dict[str, float]:
    """Microseconds a call that each detector takes, in a slice of its own."""
    found: dict[str, float] = {}
    total = database.value("SELECT count(*) FROM calls")
    for name, one in detectors().items():
        begun = time.monotonic()
        for _ in detection.look_at_everything(database, asked=[one]):
            continue
        found[name] = (time.monotonic() - begun) / total * 1e6
    return found


def main() -> None:
    """Fill a database, look, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--live", type=int, default=1_000, help="sessions of a live look")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many detectors' processes")
    parser.add_argument("--each", action="store_true", help="time every detector by itself")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        database = Database.open(Path(folder) / "toolhound.duckdb")
        hot_schema(database)
        make_views(database)
        for batch in copies(options.calls):
            with database.transaction():
                absorb(database, to_tables(batch, KEY), datetime.now(UTC))
        database.execute("DELETE FROM hot.touched")
        count = database.value("SELECT count(*) FROM calls")
        mean = database.value("SELECT avg(coalesce(arguments_bytes, 0) + coalesce(result_bytes, 0)) FROM calls")
        begun = time.monotonic()
        database.value("SELECT sum(len(arguments) + len(result)) FROM calls")
        reading = time.monotonic() - begun
        workers = Workers(options.processes)
        for _ in range(2):  # what is compiled or loaded on first use counts for nothing
            live, groups = looked_at_touched(database, workers, options.live)
        database.execute("DELETE FROM hot.touched")
        backfill = looked_at_everything(database, workers)
        workers.stop()
        costs = each(database) if options.each else {}
    for name, microseconds in sorted(costs.items(), key=lambda pair: -pair[1]):
        print(f"{name:44s} {microseconds:8.1f} us a call")
    print(f"{count:,} calls of {mean:,.0f} bytes, {len(detectors())} detectors over {len(Scope)} scopes")
    print(f"backfill {count / backfill:12,.0f} calls/s   (reading once: {count / reading:,.0f}/s)")
    print(f"live     {live * 1000:12,.0f} ms for {options.live:,} sessions, {groups * 1000:,.0f} ms for their agents, servers and so on")
    print(json.dumps({"benchmark": "detect", "calls": count, "mean_bytes": round(mean), "backfill_calls_per_s": round(count / backfill, 1),
                      "of_reading": round(reading / backfill, 5), "live_ms": round(live * 1000, 1), "groups_ms": round(groups * 1000, 1),
                      "sessions": options.live,
                      "us_a_call": {name: round(value, 2) for name, value in costs.items()}}))


if __name__ == "__main__":
    main()
