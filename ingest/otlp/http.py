"""The HTTP receiver: `/v1/traces`, `/v1/logs` (OTLP in protobuf and JSON) and `/v1/calls` (JSON tool-call lines)."""

import zlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingest.collector import Answer, Collector
from ingest.otlp import status
from store.errors import DiskError, SourceError, StoreError, TooLargeError

CONTENT_TYPES = {"protobuf": "application/x-protobuf", "json": "application/json"}
GZIP_WINDOW = 31
CHUNK = 1 << 20
BODIES_IN_PROGRESS, LEAST_IN_PROGRESS = 4, 64 << 20
"""How many bodies of the largest size may be in memory at once; many more of the usual size fit in. Beyond it senders are asked to come back."""


class InProgress:
    """The bytes of the bodies that are being received or stored; touched by the event loop alone."""

    def __init__(self, body_bytes: int) -> None:
        self.body_bytes = body_bytes
        self.room = max(BODIES_IN_PROGRESS * body_bytes, LEAST_IN_PROGRESS)

    def take(self, size: int) -> None:
        """Raises DiskError where there is no room."""
        if size > self.room:
            raise DiskError("as many bytes as this collector may hold are being stored already")
        self.room -= size


def receiver(collector: Collector, body_bytes: int) -> Starlette:
    """The application. A path prefix before `/v1/...` is allowed, since exporters append to a base path."""

    progress = InProgress(body_bytes)

    def route(signal: str) -> Route:
        async def endpoint(request: Request) -> Response:
            return await _answered(request, signal, collector, progress)

        return Route(f"/{{prefix:path}}v1/{signal}", endpoint, methods=["POST"])

    async def not_here(request: Request) -> Response:
        allowed = request.url.path.endswith(("/v1/traces", "/v1/logs", "/v1/metrics", "/v1/calls"))
        message = "send with POST" if allowed else f"nothing is received at {request.url.path}; send to /v1/traces, /v1/logs or /v1/calls"
        return _failed(_encoding(request) or "json", 405 if allowed else 404, status.UNIMPLEMENTED, message)

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok", **collector.told()})

    async def wrong_method(request: Request, _: Exception) -> Response:
        return await not_here(request)

    async def failed(request: Request, error: Exception) -> Response:
        return _failed(_encoding(request) or "json", 500, status.INTERNAL, f"a mistake of the collector: {type(error).__name__}")

    anything = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return Starlette(
        routes=[
            Route("/livez", alive), *(route(signal) for signal in ("traces", "logs", "metrics", "calls")),
            Route("/{path:path}", not_here, methods=anything),
        ],
        exception_handlers={405: wrong_method, Exception: failed},  # every answer is a Status
    )


async def _answered(request: Request, signal: str, collector: Collector, progress: InProgress) -> Response:
    encoding = _encoding(request)
    source = f"http {request.client.host if request.client else ''} {request.url.path}"
    parts: list[bytes] = []
    held = 0
    try:
        async for part in _parts(request, progress.body_bytes):
            progress.take(len(part))
            held += len(part)
            parts.append(part)
        body = b"".join(parts)
        parts.clear()
        return await _taken(request, signal, encoding, body, source, collector)
    except TooLargeError as error:
        await run_in_threadpool(collector.refuse, b"", str(error), source)
        return _failed(encoding or "protobuf", 413, status.RESOURCE_EXHAUSTED, str(error))
    except _UnknownCodingError as error:
        await run_in_threadpool(collector.refuse, b"", str(error), source)
        return _failed(encoding or "protobuf", 415, status.INVALID_ARGUMENT, str(error))
    except SourceError as error:
        await run_in_threadpool(collector.refuse, b"".join(parts), str(error), source)
        return _failed(encoding or "protobuf", 400, status.INVALID_ARGUMENT, str(error))
    except DiskError as error:
        return _failed(encoding or "protobuf", 503, status.UNAVAILABLE, str(error), retry=True)
    except ClientDisconnect:
        return Response(status_code=400)
    finally:
        progress.room += held


async def _taken(request: Request, signal: str, encoding: str | None, body: bytes, source: str, collector: Collector) -> Response:
    if signal == "calls":
        return await _calls(collector, body, source)
    if encoding is None:
        kind = request.headers.get("content-type", "(none)")
        message = f"Content-Type {kind} is not OTLP; send application/x-protobuf or application/json"
        await run_in_threadpool(collector.refuse, body, message, source)
        return _failed("protobuf", 415, status.INVALID_ARGUMENT, message)
    if signal == "metrics":
        answer = Answer(message="metrics are not kept; send traces and logs")
    else:
        try:
            answer = await run_in_threadpool(collector.accept_otlp, signal, encoding, body, source)
        except TooLargeError as error:
            return _failed(encoding, 413, status.RESOURCE_EXHAUSTED, str(error))
        except SourceError as error:
            return _failed(encoding, 400, status.INVALID_ARGUMENT, str(error))
        except (DiskError, StoreError) as error:
            return _failed(encoding, 503, status.UNAVAILABLE, str(error), retry=True)
    return Response(status.encoded(status.export_response(signal, answer), encoding), media_type=CONTENT_TYPES[encoding])


async def _calls(collector: Collector, body: bytes, source: str) -> Response:
    try:
        answer = await run_in_threadpool(collector.accept_calls, body, source)
    except SourceError as error:
        code = ("too_large", 413) if isinstance(error, TooLargeError) else ("bad_lines", 400)
        return JSONResponse({"accepted": 0, "error": {"code": code[0], "message": str(error), "hint": "nothing was stored"}}, code[1])
    except (DiskError, StoreError) as error:
        return _failed("json", 503, status.UNAVAILABLE, str(error), retry=True)
    refused = {"refused": answer.refused, "message": answer.message} if answer.refused else {}
    return JSONResponse({"accepted": answer.accepted, **refused})


class _UnknownCodingError(SourceError):
    """A Content-Encoding that is not known."""


async def _parts(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body, decompressed, piece by piece.

    Raises TooLargeError beyond the limit (a compressed bomb is cut off there), SourceError where it is broken.
    """
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip", "deflate", ""):
        raise _UnknownCodingError(f"Content-Encoding {coding} is not known; send gzip, or none")
    window = GZIP_WINDOW if coding == "gzip" else zlib.MAX_WBITS
    inflate = None if coding in ("identity", "") else zlib.decompressobj(window)
    room, begun = limit, False
    async for chunk in request.stream():
        pending = chunk
        while pending:
            begun = True
            if inflate is None:
                part, pending = pending, b""
            else:
                if inflate.eof:  # gzip may consist of several members; anything else that follows is no gzip and says so
                    inflate = zlib.decompressobj(window)
                try:
                    part = inflate.decompress(pending, min(CHUNK, room + 1))
                except zlib.error as error:
                    raise SourceError(f"the body is not {coding}: {error}") from error
                pending = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
            room -= len(part)
            if room < 0:
                raise TooLargeError(f"the body is larger than {limit} bytes (setting collect.body_bytes)")
            yield part
    if inflate is not None and begun and not inflate.eof:
        raise SourceError(f"the {coding} body is truncated")


def _encoding(request: Request) -> str | None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return {"application/x-protobuf": "protobuf", "application/protobuf": "protobuf", "application/json": "json"}.get(media_type)


def _failed(encoding: str, http: int, code: int, message: str, retry: bool = False) -> Response:
    headers = {"Retry-After": str(status.RETRY_SECONDS)} if retry else {}
    return Response(status.encoded(status.status(code, message, retry), encoding), http, headers, CONTENT_TYPES[encoding])
