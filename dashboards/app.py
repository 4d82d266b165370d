"""The application that the engine process serves: API, pages, static files, behind the guard."""

import gzip
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import plotly
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles

from dashboards import api, problems
from dashboards.access import Gate
from dashboards.contract import Served
from dashboards.guard import LIVE, Guard
from dashboards.pages import alert, alerts, detectors, health, login, overview, servers, sessions
from store.errors import ToolhoundError

STATIC = Path(__file__).parent / "static"
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
KEEP = "public, max-age=31536000, immutable"
"""Addresses of static files carry a version, so a copy is good for ever."""


class Static(StaticFiles):
    """Files that browsers keep."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """As StaticFiles, with the header."""
        response: Response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they come
        response.headers["cache-control"] = KEEP
        return response


def create_app(
    workspace: Served, token: str | None = None, *, host: str = "127.0.0.1", names: Sequence[str] = (), address: str | None = None
) -> FastAPI:
    """The application over a workspace.

    token: what browsers and programs must show; None lets everybody in who reaches the port.
    host, names, address: what the server listens on, its further names, and where a proxy publishes it; requests for any other
        host are refused.
    """
    app = FastAPI(
        title="Toolhound", version="1", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json", openapi_tags=api.TAGS,
        description="Alerts, sessions and servers of an audit of MCP tool calls. Send the access token as `Authorization: Bearer`.",
    )
    app.state.served = workspace
    app.add_middleware(Guard, gate=Gate.of(token, host, names, address))
    app.add_exception_handler(ToolhoundError, problems.told)
    app.add_exception_handler(HTTPException, problems.refused)
    app.add_exception_handler(RequestValidationError, problems.invalid)
    app.include_router(api.router)
    for page in (overview, alerts, alert, sessions, servers, detectors, health, login):
        app.include_router(page.router, include_in_schema=False)
    app.add_route("/static/plotly.min.js", plotly_script, include_in_schema=False)
    app.mount("/static", Static(directory=STATIC), name="static")
    app.add_route(LIVE, live, include_in_schema=False)
    return app


def live(request: Request) -> Response:
    """Whether the process answers; open to everybody, says nothing else."""
    return JSONResponse({"alive": True})


def plotly_script(request: Request) -> Response:
    """plotly.js out of the plotly package, packed once."""
    headers = {"cache-control": KEEP, "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(_packed(), media_type="text/javascript", headers=headers | {"content-encoding": "gzip"})
    return Response(PLOTLY.read_bytes(), media_type="text/javascript", headers=headers)


@cache
def _packed() -> bytes:
    return gzip.compress(PLOTLY.read_bytes(), 6)
