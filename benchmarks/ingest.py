"""How many spans a second does a collector acknowledge, and the engine take in? Prints a table and one JSON line.

    python benchmarks/ingest.py [--seconds 10] [--clients 2] [--collectors 1]

Real processes over loopback, everything switched on (masking, fingerprints, fsync): spans of about 1.3 kB with 12 attributes in requests of
512, sent by client processes over HTTP and over gRPC. Each figure also as a ratio to bare `ExportTraceServiceRequest.FromString` on
the same payload in the same run, since machines differ and are shared.
"""

import argparse
import json
import multiprocessing
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
import httpx

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # or this file would stand in for the package of its name

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: E402 - after the path

from toolhound.client import Client  # noqa: E402
from toolhound.settings import Collect, Serve, Settings  # noqa: E402
from toolhound.supervisor import Supervisor  # noqa: E402

SPANS = 512
REQUESTS = 64
WORDS = ("report", "invoice", "server", "customer", "weather", "release", "deploy", "ticket", "agent", "budget", "memory", "north")
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
CATCH_UP_SECONDS = 300


def request(seed: int) -> bytes:
    """One export request of 512 tool spans."""
    draw = random.Random(seed)

    def text(words: int) -> str:
        return " ".join(f"{draw.choice(WORDS)}{draw.randint(0, 999)}" for _ in range(words))

    made = ExportTraceServiceRequest()
    scoped = made.resource_spans.add().scope_spans.add()
    scoped.scope.name = "benchmark"
    for n in range(SPANS):
        span = scoped.spans.add(
            trace_id=draw.randbytes(16), span_id=draw.randbytes(8), name="execute_tool t", start_time_unix_nano=1_790_000_000_000_000_000 + n,
            end_time_unix_nano=1_790_000_000_001_000_000 + n,
        )
        for key, value in {
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": f"tool_{n % 20}", "gen_ai.tool.call.id": f"call-{draw.getrandbits(60)}",
            "gen_ai.agent.name": f"agent-{n % 10}", "gen_ai.conversation.id": f"conversation-{draw.randint(0, 5000)}",
            "gen_ai.tool.call.arguments": json.dumps({"path": f"/data/{text(1)}.txt", "query": text(20)}),
            "gen_ai.tool.call.result": text(60), "user.id": f"user-{n % 50}", "server.address": "mcp.example.com", "network.transport": "tcp",
            "gen_ai.tool.type": "function", "deployment.environment": "benchmark",
        }.items():
            span.attributes.add(key=key).value.string_value = value
    return made.SerializeToString()


def send(transport: str, address: str, seed: int, seconds: float, told: "multiprocessing.Queue[tuple[int, list[float]]]") -> None:
    """One client process: fresh requests one after another until the time is over; acknowledged spans and milliseconds for each."""
    bodies = [request(seed * 1000 + n) for n in range(REQUESTS)]
    acknowledged, taken = 0, []
    with httpx.Client(trust_env=False, timeout=60) as client, grpc.insecure_channel(address) as channel:
        export = channel.unary_unary(EXPORT)
        until = time.monotonic() + seconds
        for body in bodies * 1000:
            begun = time.monotonic()
            if begun > until:
                break
            if transport == "grpc":
                export(body)
            else:
                client.post(address + "/v1/traces", content=body, headers={"content-type": "application/x-protobuf"}).raise_for_status()
            acknowledged += SPANS
            taken.append((time.monotonic() - begun) * 1000)
    told.put((acknowledged, taken))


def measured(transport: str, address: str, clients: int, seconds: float) -> dict[str, float]:
    """Acknowledged spans a second over all clients, and the 99th percentile of an answer's milliseconds."""
    told: multiprocessing.Queue[tuple[int, list[float]]] = multiprocessing.Queue()
    running = [multiprocessing.Process(target=send, args=(transport, address, n, seconds, told)) for n in range(clients)]
    for process in running:
        process.start()
    answers = [told.get() for _ in running]
    for process in running:
        process.join()
    taken = sorted(ms for _, part in answers for ms in part)
    return {"spans_per_s": sum(count for count, _ in answers) / seconds, "p99_ms": taken[int(len(taken) * 0.99)]}


def rate(work: Callable[[], Any], seconds: float = 2.0) -> float:
    """Spans a second of something that handles one request."""
    begun, done = time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        work()
        done += SPANS
    return done / (time.monotonic() - begun)


def main() -> None:
    """Serve, send, wait for the engine, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--collectors", type=int, default=1)
    options = parser.parse_args()
    body = request(1)
    baseline = rate(lambda: ExportTraceServiceRequest.FromString(body))
    figures: dict[str, float] = {}
    with TemporaryDirectory() as folder:
        settings = Settings(collect=Collect(grpc_port=0, http_port=0, processes=options.collectors), serve=Serve(port=0))
        supervisor = Supervisor(Path(folder), settings, lambda line: print(line, file=sys.stderr))
        addresses = supervisor.start()
        try:
            for transport, address in (("http", addresses.http), ("grpc", addresses.grpc)):
                for name, value in measured(transport, address, options.clients, options.seconds).items():
                    figures[f"{transport}_{name}"] = value
            with Client(addresses.pages, addresses.token) as client:
                begun, before = time.monotonic(), client.health()["engine"]["records"]
                while (health := client.health())["spool"]["files"] and time.monotonic() - begun < CATCH_UP_SECONDS:
                    time.sleep(0.2)
                spent = time.monotonic() - begun
                figures["engine_records_per_s"] = (health["engine"]["records"] - before) / spent if spent > 1 else float("nan")
        finally:
            supervisor.stop()
    print(f"{'':24s} {'figure':>12s} {'to FromString':>14s}")
    print(f"{'FromString spans/s':24s} {baseline:12,.0f} {1:14.3f}")
    for name, value in figures.items():
        print(f"{name:24s} {value:12,.0f} {value / baseline if name.endswith('_s') and 'ms' not in name else float('nan'):14.4f}")
    print(json.dumps({"benchmark": "ingest", "baseline_spans_per_s": round(baseline), "body_bytes_per_span": len(body) // SPANS,
                      **{name: round(value, 1) for name, value in figures.items()}, **vars(options)}))


if __name__ == "__main__":
    main()
