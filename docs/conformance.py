"""What OTLP asks of a server, what Toolhound does, and which tests prove it on which ways; the page is made out of the marks of the tests."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.ingest.ways import GRPC, HTTP, WAYS, Way

ROOT = Path(__file__).resolve().parent.parent
TESTS = Path("tests") / "ingest"


@dataclass(frozen=True)
class Obligation:
    """One thing that OTLP 1.11 asks, how strongly, what is done about it, and the ways on which it means anything."""

    about: str
    level: str
    done: str
    ways: tuple[Way, ...] = WAYS


OBLIGATIONS = {
    "R1": Obligation("Ports", "default", "4317 for gRPC, 4318 for HTTP; settings `collect.grpc_port` and `collect.http_port`."),
    "R2": Obligation("Paths", "default", "`POST /v1/traces`, `/v1/logs`, `/v1/metrics`, also after any prefix.", HTTP),
    "R3": Obligation(
        "gRPC services", "must", "`TraceService`, `LogsService` and `MetricsService`, `Export`; any number of calls at once on one connection. "
        "Other services are UNIMPLEMENTED.", GRPC),
    "R4": Obligation("Compression", "must", "None and gzip, over HTTP also deflate. Anything else is 415 there."),
    "R5": Obligation(
        "Content types", "should", "`application/x-protobuf` and `application/json` on one port, in any case, with parameters. Others are 415, other "
        "methods 405, other paths 404.", HTTP),
    "R6": Obligation("Type of the answer", "must", "That of the request, for failures too; protobuf where the request has none that is known.", HTTP),
    "R7": Obligation("Success", "must", "200 or OK with an empty response, once everything is on disk; `partial_success` is not set."),
    "R8": Obligation("Empty requests", "should", "Succeed."),
    "R9": Obligation(
        "Partial success", "must", "What cannot be read is refused one by one, counted in `rejected_*` with places and reasons, and kept in "
        "`rejected/`; everything else is stored. A warning rejects 0. Metrics are answered so, and not kept."),
    "R10": Obligation("Size of the answer", "must", "Messages are cut to 4,000 characters, over gRPC to 500 in trailers: far below 4 MiB."),
    "R11": Obligation("Bad data", "must", "400 or INVALID_ARGUMENT with a `BadRequest`. Also for the other signal's requests. Kept in `rejected/`."),
    "R12": Obligation("Body of a failure", "must", "A `google.rpc.Status`, for 400, 404, 405, 413, 415 and 503 alike.", HTTP),
    "R13": Obligation("What HTTP clients try again", "must", "503 where the disk or the spool is full; nothing that will never be taken.", HTTP),
    "R14": Obligation(
        "What gRPC clients try again", "must", "UNAVAILABLE where the disk or the spool is full; nothing that will never be taken.", GRPC),
    "R15": Obligation("When to come back", "should", "`Retry-After`, and `RetryInfo` in the Status; over gRPC in the trailer for details."),
    "R16": Obligation(
        "Limit of size", "must", "64 MiB after decompression, setting `collect.body_bytes`; 413 or RESOURCE_EXHAUSTED without `RetryInfo`. A "
        "compressed bomb is cut off at the limit."),
    "R17": Obligation("Unknown fields", "must", "Ignored at every level."),
    "R18": Obligation("HTTP versions", "may", "1.1, with connections kept, and any number of them; HTTP/2 for gRPC.", HTTP),
    "R19": Obligation("Requests sent again", "should", "Count once: by trace and span id, or by all that a log record says."),
}


@dataclass(frozen=True)
class Proof:
    """A test, and the ways that it is run with."""

    test: str
    file: str
    ways: tuple[Way, ...]


@cache
def proofs() -> dict[str, list[Proof]]:
    """The tests that prove each obligation, as their marks say."""
    found: dict[str, list[Proof]] = {name: [] for name in OBLIGATIONS}
    for path in sorted((ROOT / TESTS).glob("test_*.py")):
        if "@proves(" in path.read_text():
            for name, proof in _marked(import_module(f"tests.ingest.{path.stem}"), path.name):
                if name not in found:
                    raise SystemExit(f"{TESTS}/{proof.file}: {proof.test} proves {name}, which is no obligation; known are {', '.join(found)}")
                found[name].append(proof)
    return found


def _marked(module: Any, file: str) -> Iterator[tuple[str, Proof]]:
    for test, function in vars(module).items():
        marks = getattr(function, "pytestmark", []) if inspect.isfunction(function) and test.startswith("test_") else []
        ways = next((tuple(mark.args[1]) for mark in marks if mark.name == "parametrize" and mark.args[0] == "way"), ())
        for name in (name for mark in marks if mark.name == "proves" for name in mark.args):
            if not ways:
                raise SystemExit(f"{TESTS}/{file}: {test} proves {name}, and has no parameter `way` that says on which ways")
            yield name, Proof(test, file, ways)


def unproven() -> list[str]:
    """The obligations that no test proves, or not on every way, one line each."""
    wrong = []
    for name, one in OBLIGATIONS.items():
        missing = [str(way) for way in one.ways if not _is_proven(name, way)]
        wrong += [f"{name} ({one.about}) has no test with the mark proves(\"{name}\") for {', '.join(missing)}"] if missing else []
    return wrong


def page(generated: str) -> str:
    """The page."""
    head = ["", "obligation", "level", *(" ".join(way).replace(" identity", "") for way in WAYS), "what is done"]
    rows = [head, ["---"] * len(head)]
    rows += [[name, one.about, one.level, *(_cell(name, one, way) for way in WAYS), one.done] for name, one in OBLIGATIONS.items()]
    parts = [
        "# OTLP conformance", generated,
        "What the OpenTelemetry protocol (OTLP 1.11) asks of a server, what Toolhound does, and where a test proves it: over real connections, on "
        "every way that a request can come. A dash stands where an obligation is another transport's.",
        "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows),
        "## Proofs\n\nExporters of the OpenTelemetry SDK for Python are among them (`test_span_exporters`, `test_log_exporters`).",
        "\n".join(f"- {name}: {', '.join(_link(proof) for proof in proofs()[name]) or 'none'}" for name in OBLIGATIONS),
        "What happens when processes are killed is measured by `benchmarks/faults.py`.",
    ]
    return "\n\n".join(parts) + "\n"


def _is_proven(name: str, way: Way) -> bool:
    return any(way in proof.ways for proof in proofs()[name])


def _cell(name: str, one: Obligation, way: Way) -> str:
    return "–" if way not in one.ways else "proven" if _is_proven(name, way) else "**no proof**"


def _link(proof: Proof) -> str:
    return f"[{proof.test}](../{TESTS.as_posix()}/{proof.file})"
