"""The reader behind a request: language, token, forms and cookies; and the frame of the reader's pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import urlencode

from fastapi import Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from arena.base.texts import Words, list_languages, name_languages
from leaderboard.errors import HostNeeded
from leaderboard.hosts import Host, Right
from leaderboard.messages import TEXTS
from leaderboard.pages.render import PageFrame, render_page
from leaderboard.pages.texts import choose_language, page_words
from leaderboard.service.context import Service, TokenRefused
from leaderboard.service.security import form_token, is_form_token, is_from_us, name_cookie, new_form_secret
from leaderboard.service.upload import FILE, MODEL, read_form
from leaderboard.teams import Team

_TOKEN, _FORM, _LANGUAGE = "arena_token", "arena_form", "arena_language"
_OPEN_FORMS = ("/login", "/join")  # pages with a form for readers who are not signed in
_SESSION_S = 30 * 86400
_YEAR_S = 365 * 86400


def get_service(request: Request) -> Service:
    return cast(Service, request.app.state.service)


def get_holder(request: Request) -> Team | Host | None:
    """Return the holder of the cookie's token; looked up once a request."""
    if not hasattr(request.state, "holder"):
        token = request.cookies.get(_cookie(request, _TOKEN), "")
        try:
            request.state.holder = get_service(request).identify(token) if token else None
        except TokenRefused:
            request.state.holder = None
    return cast("Team | Host | None", request.state.holder)


def get_team(request: Request) -> Team | None:
    holder = get_holder(request)
    return holder if isinstance(holder, Team) else None


class SignedOut(Exception):
    """A page that needs a token, and a browser without one."""


def require_host(request: Request, right: Right) -> Host:
    """Return the host of the cookie's token.

    Raises:
        SignedOut: nobody is signed in.
        HostNeeded, RightMissing: a team is, or somebody whose role lacks the right.
    """
    holder = get_holder(request)
    if holder is None:
        raise SignedOut
    return check_right(holder, right)


def check_right(holder: Team | Host, right: Right) -> Host:
    """Return the host, whose role has the right: every page and every route of hosts asks here.

    Raises:
        HostNeeded: a team's token.
        RightMissing: the role lacks the right.
    """
    if isinstance(holder, Team):
        raise HostNeeded(
            "this needs the host's token and came with a team's; `arena contest host-token new --name Ana` makes one"
        )
    holder.check_may(right)
    return holder


def authenticate(request: Request) -> Team | Host:
    """Return the holder of the token in the Authorization header.

    Raises:
        TokenRefused: there is no token, or it is not known.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.casefold() != "bearer" or not token.strip():
        raise TokenRefused("this needs a token; send the header Authorization: Bearer TOKEN")
    return get_service(request).identify(token.strip())


def build_frame(request: Request, path: str = "") -> PageFrame:
    """Return the frame of the page at `path`."""
    service, rules = get_service(request), get_service(request).contest.rules()
    holder, now = get_holder(request), service.now()
    menu = [("overview", "/"), ("standings", "/standings")]
    if holder is None:
        menu += [("sign_in", "/login")]
    elif isinstance(holder, Host):
        menu += [("host", "/host")]
    else:
        menu += [("your_team", "/team"), ("check_file", "/validate")]
    language = _language(request)
    own_deadline = holder.deadline if isinstance(holder, Team) else None
    deadline = rules.find_deadline(own_deadline)
    return PageFrame(
        words=page_words(language),
        contest=rules.name,
        metric=rules.metric_name,
        now=now,
        deadline=rules.closed_at or deadline,
        has_own_deadline=rules.closed_at is None and deadline != rules.deadline,
        is_closed=not rules.is_open(now, own_deadline),
        zone=service.zone,
        files=f"{service.settings.root}/static",
        root=service.settings.root,
        path=path,
        menu=menu,
        languages=[(code, name, _link(request, code)) for code, name in name_languages(TEXTS).items() if code != language],
        signed_in=holder is not None,
        csrf=form_token(service.key, _form_secret(request)) if holder is not None or path in _OPEN_FORMS else "",
        megabytes=f"{service.settings.max_bytes / 1e6:g}",
        most_bytes=service.settings.max_bytes,
        model_megabytes=f"{service.settings.max_model_bytes / 1e6:g}",
        most_model_bytes=service.settings.max_model_bytes,
    )


def get_words(request: Request) -> Words:
    """Return the texts in the reader's language; needs no database."""
    return page_words(_language(request))


def _language(request: Request) -> str:
    requested, stored = request.query_params.get("lang"), request.cookies.get(_LANGUAGE)
    return choose_language(requested, stored, request.headers.get("accept-language", ""))


def _link(request: Request, language: str) -> str:
    if request.method != "GET":  # the answer to a form has no URL of its own
        return f"?{urlencode({'lang': language})}"
    query = {key: value for key, value in request.query_params.items() if key != "lang"}
    return f"?{urlencode({**query, 'lang': language})}"


def _form_secret(request: Request) -> str:
    if not hasattr(request.state, "form_secret"):
        request.state.form_secret = request.cookies.get(_cookie(request, _FORM), "") or new_form_secret()
    return cast(str, request.state.form_secret)


def respond(request: Request, template: str, frame: PageFrame, status: int = 200, **values: Any) -> Response:
    """Return a page, with the cookies of its form secret and of the requested language."""
    response = Response(render_page(template, frame, **values), status, media_type="text/html")
    name, is_https = _cookie(request, _FORM), get_service(request).settings.is_https
    secret = getattr(request.state, "form_secret", "")
    if secret and name not in request.cookies:
        response.set_cookie(name, secret, max_age=_SESSION_S, httponly=True, samesite="lax", secure=is_https, path="/")
    if (language := request.query_params.get("lang")) in list_languages(TEXTS):
        response.set_cookie(_LANGUAGE, str(language), max_age=_YEAR_S, httponly=True, samesite="lax", secure=is_https, path="/")
    return response


def get_file_limits(request: Request) -> dict[str, int]:
    """Return the limit in bytes of each file field of a form."""
    settings = get_service(request).settings
    return {FILE: settings.max_bytes, MODEL: settings.max_model_bytes}


@asynccontextmanager
async def open_form(request: Request) -> AsyncIterator[FormData]:
    """Yield the form of a page of ours, and close its files at the end.

    Raises:
        HTTPException: the form is too old, of another site, or not a form.
    """
    if not is_from_us(request.headers):
        raise HTTPException(403, "the form came from another site")
    form = await read_form(request, get_file_limits(request))
    try:
        token, secret = form.get("csrf"), request.cookies.get(_cookie(request, _FORM), "")
        if not isinstance(token, str) or not is_form_token(get_service(request).key, secret, token):
            raise HTTPException(403, "the form is too old")
        yield form
    finally:
        await form.close()


def redirect_signed_in(request: Request, token: str, path: str) -> Response:
    """Store the token in a cookie and redirect to `path`."""
    response = redirect(request, path)
    is_https = get_service(request).settings.is_https
    name = _cookie(request, _TOKEN)
    response.set_cookie(name, token, max_age=_SESSION_S, httponly=True, samesite="lax", secure=is_https, path="/")
    return response


def redirect_signed_out(request: Request) -> Response:
    """Delete the cookies and redirect to the overview."""
    response = redirect(request, "/")
    for name in (_TOKEN, _FORM):
        secure = get_service(request).settings.is_https
        response.delete_cookie(_cookie(request, name), path="/", httponly=True, samesite="lax", secure=secure)
    return response


def redirect(request: Request, path: str) -> RedirectResponse:
    """Return 303 See Other: the browser gets `path` of the contest."""
    return RedirectResponse(get_service(request).settings.root + path, 303)


def _cookie(request: Request, name: str) -> str:
    service = get_service(request)
    return name_cookie(name, service.key, service.settings.root, is_https=service.settings.is_https)
