"""What every request passes before a page or the API sees it, and the headers that every answer carries."""

from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.access import COOKIE_SECONDS, NAME_COOKIE, Gate, said_name
from dashboards.problems import problem, unexpected

LIVE = "/livez"
OPEN_PATHS = ("/static/", "/login")
API = "/api/"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# Nothing but our own files may run or style a page, and nothing may be written inline, but for two <style> elements that plotly.js
# makes: an empty one, which it fills through the CSS object model, and the stylesheet of the map library inside it. Both are let in by
# the hash of their text, so no 'unsafe-inline' and no 'unsafe-eval' is needed. The browser test fails when plotly's texts change.
EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
MAP_STYLE = "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='"
POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", f"style-src 'self' {EMPTY_STYLE} {MAP_STYLE}", "img-src 'self' data:", "font-src 'self'",
        "connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # "no-referrer" would make browsers send "Origin: null" with our own forms
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "x-robots-tag": "noindex",
}

# A link in a mail or a chat opens us from another site, and the browser keeps a SameSite=Strict cookie back. This page asks again
# from our own site, and then the cookie comes along; it is sent once, since the second request says that it is ours.
ONCE_MORE = (
    '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0"><link rel="icon" href="data:,">'
    "<title>Toolhound</title><p>Opening…</p>"
)


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self.app = app
        self.gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then hand on; every answer gets the headers."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no websockets here
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await with_headers(message)

        request = Request(scope, receive)
        try:
            refusal = self.refusal(request)
            await (refusal or self.app)(scope, receive, watched)
        except Exception as error:  # here rather than in starlette's outermost layer: this answer has the headers too
            answer = unexpected(request, error)
            if started:
                raise
            await answer(scope, receive, with_headers)

    def refusal(self, request: Request) -> Response | None:
        """Why a request goes no further, as the answer to it; None lets it pass and leaves who it is in `request.state`."""
        path, gate = request.url.path, self.gate
        state = request.state
        state.gate, state.via, state.cookie = gate, None, request.cookies.get(gate.cookie)
        state.actor = said_name(request.cookies.get(NAME_COOKIE))
        if path == LIVE:
            return None
        if not gate.knows_host(request.headers.get("host")):
            return problem(
                request, 421, "unknown_host", "This server is not known by that name.",
                "Open it by the address it was started with, or name the host in the settings: [serve] names.",
            )
        given = request.query_params.get("token")
        if given is not None and request.method == "GET" and not path.startswith(API):
            return self._by_token(request, given)
        state.via = self._via(request)
        if request.method not in SAFE_METHODS and not self._from_here(request):
            return problem(
                request, 403, "foreign_request", "The request came from another site, or without this page's token.",
                "Reload the page and try again; programs send Authorization: Bearer.",
            )
        if state.via or path.startswith(OPEN_PATHS):
            return None
        return self._who_is_it(request)

    def _via(self, request: Request) -> str | None:
        """How the request proves itself: "bearer", "cookie", "open" where no token is asked for; None where it does not."""
        if self.gate.token is None:
            return "open"
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return "bearer" if self.gate.is_token(given.strip()) else None
        return "cookie" if self.gate.takes_cookie(request.state.cookie) else None

    def _from_here(self, request: Request) -> bool:
        """Whether an unsafe request was made by one of our pages, or by a program that holds the token.

        Forms are checked again where they are read: their token stands in the body.
        """
        if request.state.via == "bearer":
            return True
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        if origin is not None and not self.gate.same_origin(origin, request.headers.get("host")):
            return False
        if site is not None and site not in ("same-origin", "none"):
            return False
        if request.state.via == "cookie" and request.url.path.startswith(API):
            return self.gate.takes_form(request.headers.get("x-csrf-token", ""), request.state.cookie)
        return True

    def _by_token(self, request: Request, given: str) -> Response:
        """The address with the token in it: cookie, and on to the address without it, so that it stays in no history or log."""
        if not self.gate.is_token(given):
            if self.gate.token is None:
                return RedirectResponse(_without_token(request), 303)
            return RedirectResponse("/login?wrong=1", 303)
        response = RedirectResponse(_without_token(request), 303)
        let_in(request, response)
        return response

    def _who_is_it(self, request: Request) -> Response:
        if request.url.path.startswith(API):
            response = problem(
                request, 401, "no_access", "The access token is missing or wrong.", "Send it as Authorization: Bearer; `toolhound serve` prints it."
            )
            response.headers["www-authenticate"] = "Bearer"
            return response
        if request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site":
            return HTMLResponse(ONCE_MORE)
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse("/login?" + urlencode({"next": back}), 303)


def _without_token(request: Request) -> str:
    rest = [(k, v) for k, v in parse_qsl(request.url.query, keep_blank_values=True) if k != "token"]
    path = "/" + request.url.path.lstrip("/\\")
    return path + (f"?{urlencode(rest)}" if rest else "")


def let_in(request: Request, response: Response) -> None:
    """Give the browser its cookie."""
    gate: Gate = request.state.gate
    response.set_cookie(
        gate.cookie, gate.pass_cookie(), max_age=COOKIE_SECONDS, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/"
    )
