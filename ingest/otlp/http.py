"""The HTTP receiver: `/v1/traces`, `/v1/logs` (OTLP in protobuf and JSON) and `/v1/calls` (JSON tool-call lines)."""

import zlib

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


def receiver(collector: Collector, body_bytes: int) -> Starlette:
    """The application. A path prefix before `/v1/...` is allowed, since exporters append to a base path."""

    def route(signal: str) -> Route:
        async def endpoint(request: Request) -> Response:
            return await _answered(request, signal, collector, body_bytes)

        return Route(f"/{{prefix:path}}v1/{signal}", endpoint, methods=["POST"])

    async def not_here(request: Request) -> Response:
        allowed = request.url.path.endswith(("/v1/traces", "/v1/logs", "/v1/metrics", "/v1/calls"))
        message = "send with POST" if allowed else f"nothing is received at {request.url.path}; send to /v1/traces, /v1/logs or /v1/calls"
        return _failed(_encoding(request) or "json", 405 if allowed else 404, status.UNIMPLEMENTED, message)

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok", "accepted": collector.counts.accepted, "refused": collector.counts.refused,
                             "requests": collector.counts.requests, "dialects": dict(collector.counts.dialects)})

    anything = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[
        Route("/livez", alive), *(route(signal) for signal in ("traces", "logs", "metrics", "calls")),
        Route("/{path:path}", not_here, methods=anything),
    ])


async def _answered(request: Request, signal: str, collector: Collector, body_bytes: int) -> Response:
    encoding = _encoding(request)
    source = f"http {request.client.host if request.client else ''} {request.url.path}"
    try:
        body = await _body(request, body_bytes)
    except TooLargeError as error:
        collector.refuse(b"", str(error), source)
        return _failed(encoding or "protobuf", 413, status.RESOURCE_EXHAUSTED, str(error))
    except SourceError as error:
        collector.refuse(b"", str(error), source)
        return _failed(encoding or "protobuf", 415 if "Content-Encoding" in str(error) else 400, status.INVALID_ARGUMENT, str(error))
    except ClientDisconnect:
        return Response(status_code=400)
    if signal == "calls":
        return await _calls(collector, body, source)
    if encoding is None:
        kind = request.headers.get("content-type", "(none)")
        message = f"Content-Type {kind} is not OTLP; send application/x-protobuf or application/json"
        collector.refuse(body, message, source)
        return _failed("protobuf", 415, status.INVALID_ARGUMENT, message)
    if signal == "metrics":
        answer = Answer(message="metrics are not kept; send traces and logs")
    else:
        try:
            answer = await run_in_threadpool(collector.accept_otlp, signal, encoding, body, source)
        except SourceError as error:
            return _failed(encoding, 400, status.INVALID_ARGUMENT, str(error))
        except (DiskError, StoreError) as error:
            return _failed(encoding, 503, status.UNAVAILABLE, str(error), retry=True)
    return Response(status.encoded(status.export_response(signal, answer), encoding), media_type=CONTENT_TYPES[encoding])


async def _calls(collector: Collector, body: bytes, source: str) -> Response:
    try:
        answer = await run_in_threadpool(collector.accept_calls, body, source)
    except SourceError as error:
        return JSONResponse({"accepted": 0, "error": {"code": "bad_lines", "message": str(error), "hint": "nothing was stored"}}, 400)
    except (DiskError, StoreError) as error:
        return _failed("json", 503, status.UNAVAILABLE, str(error), retry=True)
    refused = {"refused": answer.refused, "message": answer.message} if answer.refused else {}
    return JSONResponse({"accepted": answer.accepted, **refused})


async def _body(request: Request, limit: int) -> bytes:
    """The body, decompressed. Raises TooLargeError beyond the limit (a compressed bomb is cut off there), SourceError where it is broken."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip", "deflate", ""):
        raise SourceError(f"Content-Encoding {coding} is not known; send gzip, or none")
    inflate = None if coding in ("identity", "") else zlib.decompressobj(GZIP_WINDOW if coding == "gzip" else zlib.MAX_WBITS)
    parts: list[bytes] = []
    room = limit
    async for chunk in request.stream():
        pending = chunk
        while pending:
            try:
                part, pending = (pending, b"") if inflate is None else (inflate.decompress(pending, min(CHUNK, room + 1)), inflate.unconsumed_tail)
            except zlib.error as error:
                raise SourceError(f"the body is not {coding}: {error}") from error
            room -= len(part)
            if room < 0:
                raise TooLargeError(f"the body is larger than {limit} bytes (setting collect.body_bytes)")
            parts.append(part)
            if inflate is not None and inflate.eof:
                break
    if inflate is not None and parts and not inflate.eof:
        raise SourceError(f"the {coding} body is truncated")
    return b"".join(parts)


def _encoding(request: Request) -> str | None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return {"application/x-protobuf": "protobuf", "application/protobuf": "protobuf", "application/json": "json"}.get(media_type)


def _failed(encoding: str, http: int, code: int, message: str, retry: bool = False) -> Response:
    headers = {"Retry-After": str(status.RETRY_SECONDS)} if retry else {}
    return Response(status.encoded(status.status(code, message, retry), encoding), http, headers, CONTENT_TYPES[encoding])


