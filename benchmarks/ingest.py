"""How many spans a second does a collector acknowledge, and the engine take in? Prints a table and one JSON line.

    python benchmarks/ingest.py [--seconds 10] [--clients 2] [--collectors 1] [--against phoenix]
    python benchmarks/ingest.py --soak 600 --rate 20000

Real processes over loopback, everything switched on (masking, fingerprints, fsync): spans of 1.5 kB with 12 attributes in requests of
512, all of them new ones, sent by client processes over HTTP (protobuf and JSON) and gRPC; the same calls as JSON lines from a file.
Each figure also as a ratio to bare `ExportTraceServiceRequest.FromString` on the same payload in the same run, since machines differ
and are shared. A soak sends at a steady rate and watches memory and what waits.
"""

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
import httpx

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # or this file would stand in for the package of its name

from google.protobuf.json_format import MessageToDict  # noqa: E402 - after the path
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: E402

from benchmarks import phoenix  # noqa: E402
from benchmarks.payloads import SPANS, Fresh, lines, request  # noqa: E402
from toolhound.client import Client  # noqa: E402
from toolhound.settings import Collect, Keep, Serve, Settings  # noqa: E402
from toolhound.supervisor import Addresses, Supervisor  # noqa: E402
from toolhound.workspace import Workspace  # noqa: E402

REQUESTS = 4
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PROTOBUF, JSON = {"content-type": "application/x-protobuf"}, {"content-type": "application/json"}
CATCH_UP_SECONDS = 300
SETTLE_SECONDS = 5.0
FILE_LINES = 50_000
STARTED_BEFORE_NS = 3_600_000_000_000


def bodies(way: str, seed: int) -> Iterator[bytes]:
    """Requests without end. Those in JSON, which cost the client more to make than the collector to read, are a few, sent again and again."""
    made = [Fresh(seed * 1000 + n, time.time_ns() - STARTED_BEFORE_NS) for n in range(REQUESTS)]
    if way == "json":
        few = [as_json(one.next()) for one in made]
        while True:
            yield from few
    while True:
        for one in made:
            yield one.next()


def as_json(body: bytes) -> bytes:
    """A request as OTLP/JSON, whose ids are in hex."""
    told = MessageToDict(ExportTraceServiceRequest.FromString(body))
    for resource in told["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span, raw in zip(scope["spans"], ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans, strict=True):
                span |= {"traceId": raw.trace_id.hex(), "spanId": raw.span_id.hex()}
    return json.dumps(told).encode()


def send(way: str, address: str, seed: int, seconds: float, rate: float, told: "multiprocessing.Queue[tuple[int, list[float]]]") -> None:
    """One client process: acknowledged spans and the milliseconds of each request. rate: spans a second, as many as go where 0."""
    acknowledged, taken, endless = 0, list[float](), bodies(way, seed)
    with httpx.Client(trust_env=False, timeout=60) as client, grpc.insecure_channel(address) as channel:
        export = channel.unary_unary(EXPORT)
        start = time.monotonic()
        while (now := time.monotonic()) - start < seconds:
            if rate and acknowledged > (now - start) * rate:
                time.sleep(0.001)
                continue
            body = next(endless)
            begun = time.monotonic()
            if way == "grpc":
                export(body)
            else:
                answer = client.post(address + "/v1/traces", content=body, headers=JSON if way == "json" else PROTOBUF)
                if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                    time.sleep(float(answer.headers["retry-after"]))
                    continue
                answer.raise_for_status()
            acknowledged += SPANS
            taken.append((time.monotonic() - begun) * 1000)
    told.put((acknowledged, taken))


def measured(way: str, address: str, clients: int, seconds: float, rate: float = 0.0) -> dict[str, float]:
    """Acknowledged spans a second over all clients, and the 99th percentile of an answer's milliseconds."""
    told: multiprocessing.Queue[tuple[int, list[float]]] = multiprocessing.Queue()
    seeds = [int(time.time()) % 10_000 + n for n in range(clients)]
    running = [multiprocessing.Process(target=send, args=(way, address, seed, seconds, rate / clients, told)) for seed in seeds]
    for process in running:
        process.start()
    answers = [told.get() for _ in running]
    for process in running:
        process.join()
    taken = sorted(ms for _, part in answers for ms in part)
    return {"spans_per_s": sum(count for count, _ in answers) / seconds, "p99_ms": taken[int(len(taken) * 0.99)]}


def baseline() -> float:
    """Spans a second that protobuf alone decodes."""
    body = request(1, time.time_ns())
    return rate_of(lambda: ExportTraceServiceRequest.FromString(body))


def rate_of(work: Callable[[], Any], seconds: float = 2.0) -> float:
    """Spans a second of something that handles one request."""
    begun, done = time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        work()
        done += SPANS
    return done / (time.monotonic() - begun)


@contextmanager
def serving(collectors: int) -> Iterator[tuple[Supervisor, Addresses, Client]]:
    """A server of its own, and a client to ask it how it is."""
    with TemporaryDirectory() as folder:
        settings = Settings(
            collect=Collect(grpc_port=0, http_port=0, processes=collectors), serve=Serve(port=0), keep=Keep(settle_seconds=SETTLE_SECONDS)
        )
        supervisor = Supervisor(Path(folder), settings, lambda line: print(line, file=sys.stderr))
        addresses = supervisor.start()
        try:
            with Client(addresses.pages, addresses.token) as client:
                yield supervisor, addresses, client
        finally:
            supervisor.stop()


def memory(supervisor: Supervisor) -> dict[str, float]:
    """MiB resident: of the largest collector, and of the engine."""
    def resident(process: int) -> float:
        status = Path(f"/proc/{process}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    found = {name: resident(process) for name, process in supervisor.processes().items()}
    return {"collector_mib": max(mib for name, mib in found.items() if name != "engine"), "engine_mib": found["engine"]}


def acknowledged(options: argparse.Namespace) -> dict[str, float]:
    """Each way in for itself, full and half load, with an engine that takes in meanwhile; then what the engine still had to do."""
    figures: dict[str, float] = {}
    with serving(options.collectors) as (supervisor, addresses, client):
        ways = (("http", addresses.http), ("grpc", addresses.grpc), ("json", addresses.http))
        begun, records = time.monotonic(), 0.0
        for way, address in ways:
            full = measured(way, address, options.clients, options.seconds)
            figures |= {f"{way}_{name}": value for name, value in full.items()}
            records += full["spans_per_s"] * options.seconds * (way != "json")
            if way == "http":
                half = measured(way, address, options.clients, options.seconds, full["spans_per_s"] / 2)
                figures["http_half_load_p99_ms"] = half["p99_ms"]
                records += half["spans_per_s"] * options.seconds
        while (health := client.health())["spool"]["files"] and time.monotonic() - begun < CATCH_UP_SECONDS:
            time.sleep(0.2)
        figures["engine_records_per_s"] = health["engine"]["records"] / (time.monotonic() - begun)
        figures |= memory(supervisor)
    return figures


def sustained(options: argparse.Namespace) -> dict[str, float]:
    """As much as goes over HTTP until all of it is in the tables and the lake: calls a second from the first request to the last row."""
    with serving(options.collectors) as (supervisor, addresses, client):
        begun = time.monotonic()
        sent = measured("http", addresses.http, options.clients, options.seconds * 2)["spans_per_s"] * options.seconds * 2
        while client.health()["spool"]["files"] and time.monotonic() - begun < CATCH_UP_SECONDS:
            time.sleep(0.2)
        return {"sustained_calls_per_s": sent / (time.monotonic() - begun), **{f"sustained_{k}": v for k, v in memory(supervisor).items()}}


def from_file() -> dict[str, float]:
    """JSON lines by file, into the tables, looked at."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "calls.jsonl"
        path.write_bytes(lines(1, FILE_LINES))
        with Workspace(Path(folder) / "workspace") as workspace:
            begun = time.monotonic()
            done = workspace.ingest([str(path)])
            return {"file_lines_per_s": done["calls"] / (time.monotonic() - begun)}


def soak(options: argparse.Namespace) -> dict[str, float]:
    """A steady rate for a long time: whether memory and what waits stay within bounds."""
    worst: dict[str, float] = {}
    with serving(options.collectors) as (supervisor, addresses, client):
        told: multiprocessing.Queue[tuple[int, list[float]]] = multiprocessing.Queue()
        sender = multiprocessing.Process(target=send, args=("http", addresses.http, 1, options.soak, options.rate, told))
        sender.start()
        begun, said = time.monotonic(), 0.0
        while sender.is_alive() and told.empty():
            health = client.health()
            now = memory(supervisor) | {"waiting_files": health["spool"]["files"], "not_looked_at": health["engine"]["touched"]}
            worst = {name: max(value, worst.get(name, 0.0)) for name, value in now.items()}
            if time.monotonic() - said > 30:
                said = time.monotonic()
                print(f"{said - begun:6.0f} s  " + "  ".join(f"{name} {value:,.0f}" for name, value in now.items()), file=sys.stderr)
            time.sleep(1)
        count, taken = told.get()
        sender.join()
        return {"soak_calls_per_s": count / options.soak, "soak_p99_ms": sorted(taken)[int(len(taken) * 0.99)], **worst}


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--collectors", type=int, default=1)
    parser.add_argument("--against", choices=["phoenix"])
    parser.add_argument("--soak", type=float, default=0, help="seconds at a steady rate, instead of everything else")
    parser.add_argument("--rate", type=float, default=20_000, help="spans a second of the soak")
    options = parser.parse_args()
    bare = baseline()
    figures = soak(options) if options.soak else acknowledged(options) | sustained(options) | from_file()
    if options.against:
        figures |= phoenix.durable([Fresh(n, time.time_ns() - STARTED_BEFORE_NS) for n in range(REQUESTS)])
        figures["times_phoenix"] = figures["sustained_calls_per_s"] / figures["phoenix_spans_per_s"]
    print(f"{'':28s} {'figure':>12s} {'to FromString':>14s}")
    print(f"{'FromString spans/s':28s} {bare:12,.0f} {1:14.3f}")
    for name, value in figures.items():
        ratio = f"{value / bare:14.4f}" if name.endswith("per_s") else ""
        print(f"{name:28s} {value:12,.0f} {ratio}")
    print(json.dumps({"benchmark": "ingest", "from_string_spans_per_s": round(bare), "body_bytes_per_span": len(request(1, 1)) // SPANS,
                      **{name: round(value, 1) for name, value in figures.items()}, **vars(options)}))


if __name__ == "__main__":
    main()
