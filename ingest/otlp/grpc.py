"""The gRPC receiver: TraceService, LogsService and MetricsService, `Export`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc

from ingest.collector import Answer, Collector
from ingest.otlp import status
from store.errors import DiskError, SourceError, StoreError, TooLargeError

SERVICES = {
    "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
    "logs": "opentelemetry.proto.collector.logs.v1.LogsService",
    "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
}
THREADS = 16
DETAILS = "grpc-status-details-bin"
MESSAGE_CHARACTERS = 500
"""It goes into the trailers twice more, and clients take 8 KiB of these."""


def server(collector: Collector, address: str, body_bytes: int, shared_port: bool = False) -> tuple[grpc.Server, int]:
    """A server bound to the address, and the port it got. Raises OSError where the port is taken."""
    made = grpc.server(
        ThreadPoolExecutor(THREADS, thread_name_prefix="grpc"),
        options=[("grpc.max_receive_message_length", body_bytes), ("grpc.so_reuseport", int(shared_port))],
    )
    for signal, service in SERVICES.items():
        # The body stays bytes here: the collector decodes it itself, and refuses it with its bytes kept.
        handler = grpc.unary_unary_rpc_method_handler(_export(collector, signal), None, lambda response: response.SerializeToString())
        made.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": handler}),))
    try:
        port = made.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"{address} cannot be bound: another program listens there") from error
    return made, port


def _export(collector: Collector, signal: str) -> Callable[[bytes, grpc.ServicerContext], object]:
    def export(body: bytes, context: grpc.ServicerContext) -> object:
        if signal == "metrics":
            return status.export_response(signal, Answer(message="metrics are not kept; send traces and logs"))
        try:
            answer = collector.accept_otlp(signal, "protobuf", body, f"grpc {context.peer()} {signal}")
        except TooLargeError as error:
            _abort(context, grpc.StatusCode.RESOURCE_EXHAUSTED, status.RESOURCE_EXHAUSTED, str(error))
            raise
        except SourceError as error:
            _abort(context, grpc.StatusCode.INVALID_ARGUMENT, status.INVALID_ARGUMENT, str(error))
            raise
        except (DiskError, StoreError) as error:
            _abort(context, grpc.StatusCode.UNAVAILABLE, status.UNAVAILABLE, str(error), retry=True)
            raise
        return status.export_response(signal, answer)

    return export


def _abort(context: grpc.ServicerContext, code: grpc.StatusCode, number: int, message: str, retry: bool = False) -> None:
    said = message[:MESSAGE_CHARACTERS].encode("utf-8", "replace").decode()
    context.set_trailing_metadata(((DETAILS, status.status(number, said, retry).SerializeToString()),))
    context.abort(code, said)
