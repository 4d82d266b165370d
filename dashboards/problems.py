"""What went wrong, in one shape for programs (`{"error": {"code", "message", "hint"}}`) and as a page for people."""

import logging
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboards.rendering import render
from store.errors import BusyError, ConflictError, DiskError, NotFoundError, SourceError, TooLargeError, ToolhoundError

API = "/api/"
log = logging.getLogger(__name__)

_KINDS: tuple[tuple[type[ToolhoundError], int, str, str], ...] = (
    (NotFoundError, 404, "not_found", "It may have been removed, or the address is mistyped."),
    (ConflictError, 409, "conflict", "Look at it again, then decide."),
    (TooLargeError, 413, "too_large", "Send less at once."),
    (SourceError, 400, "not_understood", "Change what the message names and try again."),
    (BusyError, 503, "busy", "Try again in a few seconds."),
    (DiskError, 507, "disk", "See that the workspace's disk has room and is healthy."),
)
"""Errors to answers, the first that fits; the tree is drawn in `store.errors`."""


def problem(request: Request, status: int, code: str, message: str, hint: str = "") -> Response:
    """The answer that says what went wrong: JSON under /api/ and to whoever does not take HTML."""
    if request.url.path.startswith(API) or "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"error": {"code": code, "message": message, "hint": hint}}, status)
    return render(request, "problem.html", status_code=status, status=status, code=code, message=message, hint=hint)


def told(request: Request, error: Exception) -> Response:
    """One of our own errors."""
    for kind, status, code, hint in _KINDS:
        if isinstance(error, kind):
            return problem(request, status, code, str(error), hint)
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(request, 500, "failed", str(error), "The server's log holds more.")


def refused(request: Request, error: Exception) -> Response:
    """An HTTP error: unknown address, wrong method."""
    if not isinstance(error, HTTPException):
        raise error
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_").replace("-", "_")
    hint = "See /api for the addresses there are." if error.status_code == HTTPStatus.NOT_FOUND else ""
    response = problem(request, error.status_code, code, str(error.detail), hint)
    response.headers.update(error.headers or {})
    return response


def invalid(request: Request, error: Exception) -> Response:
    """A parameter or body that has a value it cannot have."""
    if not isinstance(error, RequestValidationError):
        raise error
    wrong = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg'].lower()}" for e in error.errors())
    return problem(request, 422, "invalid", wrong, "See /api for what each parameter takes.")


def unexpected(request: Request, error: Exception) -> Response:
    """Anything else: the log gets the details, the answer gets none, for they may quote payloads."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(request, 500, "failed", "Something went wrong here.", "The server's log holds more.")
