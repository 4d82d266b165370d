"""Giving the token, saying one's name, leaving; and the API's own page."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from dashboards.access import COOKIE_SECONDS, NAME_COOKIE, Gate, name_cookie
from dashboards.guard import let_in
from dashboards.pages.asking import Form, local, one
from dashboards.rendering import render

router = APIRouter()


@router.get("/login")
def login(request: Request, next: str = "/", wrong: bool = False) -> Response:
    """The form."""
    return render(request, "login.html", next=local(next), wrong=wrong, status_code=401 if wrong else 200)


@router.post("/login")
def enter(request: Request, fields: Form) -> Response:
    """Check the token, remember the name."""
    gate: Gate = request.state.gate
    given, goal = one(fields, "token"), local(one(fields, "next"))
    if not request.state.via and not gate.is_token(given):
        return render(request, "login.html", next=goal, wrong=True, status_code=401)
    response = RedirectResponse(goal, 303)
    if not request.state.via:
        let_in(request, response)
    if one(fields, "name").strip():
        response.set_cookie(
            NAME_COOKIE, name_cookie(one(fields, "name")), max_age=52 * COOKIE_SECONDS, httponly=True, samesite="strict",
            secure=request.url.scheme == "https",
        )
    return response


@router.post("/logout")
def leave(request: Request, fields: Form) -> Response:
    """Take the cookie back."""
    response = RedirectResponse("/login", 303)
    response.delete_cookie(request.state.gate.cookie, httponly=True, samesite="strict")
    return response


@router.get("/api")
def described(request: Request) -> Response:
    """The API to read: what the OpenAPI document says, without scripts from elsewhere."""
    document: dict[str, Any] = request.app.openapi()
    operations = [
        {"path": path, "method": method.upper(), **operation}
        for path, methods in document["paths"].items() for method, operation in methods.items()
    ]
    return render(request, "api.html", operations=operations, tags=document["tags"], address=str(request.base_url).rstrip("/"))
