"""What a request says of its reader: language, token, form; and the frame of the page that answers it."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlencode

from fastapi import Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from arena.base.texts import Words, list_languages, name_languages
from leaderboard.messages import TEXTS
from leaderboard.pages.render import Frame
from leaderboard.pages.texts import choose_language, page_words
from leaderboard.service.context import Host, Service, TokenRefused
from leaderboard.service.security import form_token, is_form_token, is_from_us, new_form_secret
from leaderboard.service.upload import FILE, MODEL, read_form
from leaderboard.teams import Team

_TOKEN, _FORM, _LANGUAGE = "arena_token", "arena_form", "arena_language"
_SESSION_S = 30 * 86400
_YEAR_S = 365 * 86400


def service_of(request: Request) -> Service:
    return cast(Service, request.app.state.service)


def holder_of(request: Request) -> Team | Host | None:
    """Who is signed in by cookie; looked up once a request."""
    if not hasattr(request.state, "holder"):
        token = request.cookies.get(_cookie(request, _TOKEN), "")
        try:
            request.state.holder = service_of(request).whose(token, address_of(request)) if token else None
        except TokenRefused:
            request.state.holder = None
    return cast("Team | Host | None", request.state.holder)


def team_of(request: Request) -> Team | None:
    holder = holder_of(request)
    return holder if isinstance(holder, Team) else None


def bearer(request: Request) -> Team | Host:
    """Who sends the token in the Authorization header.

    Raises:
        TokenRefused: nobody known.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.casefold() != "bearer" or not token.strip():
        raise TokenRefused("this needs a token; send the header Authorization: Bearer TOKEN")
    return service_of(request).whose(token.strip(), address_of(request))


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


def frame_of(request: Request, here: str = "") -> Frame:
    """The frame of the page at `here`."""
    service, rules = service_of(request), service_of(request).contest.rules()
    holder, now = holder_of(request), service.now()
    menu = [("standings", "/")]
    if holder is None:
        menu += [("sign_in", "/login")]
    elif isinstance(holder, Host):
        menu += [("host", "/host")]
    else:
        menu += [("your_team", "/team"), ("check_file", "/validate")]
    language = _language(request)
    return Frame(
        words=page_words(language),
        contest=rules.name,
        metric=rules.metric_name,
        now=now,
        deadline=rules.closed_at or rules.deadline,
        is_closed=not rules.is_open(now),
        zone=service.zone,
        files=f"{service.settings.root}/static",
        root=service.settings.root,
        here=here,
        menu=menu,
        languages=[(code, name, _link(request, code)) for code, name in name_languages(TEXTS).items() if code != language],
        signed_in=holder is not None,
        csrf=form_token(service.key, _form_secret(request)) if holder is not None or here == "/login" else "",
        megabytes=f"{service.settings.max_bytes / 1e6:g}",
        most_bytes=service.settings.max_bytes,
        model_megabytes=f"{service.settings.max_model_bytes / 1e6:g}",
        most_model_bytes=service.settings.max_model_bytes,
    )


def words_of(request: Request) -> Words:
    """The reader's language; needs no database."""
    return page_words(_language(request))


def _language(request: Request) -> str:
    requested, stored = request.query_params.get("lang"), request.cookies.get(_LANGUAGE)
    return choose_language(requested, stored, request.headers.get("accept-language", ""))


def _link(request: Request, language: str) -> str:
    if request.method != "GET":  # the answer to a form has no address of its own
        return f"?{urlencode({'lang': language})}"
    kept = {key: value for key, value in request.query_params.items() if key != "lang"}
    return f"?{urlencode({**kept, 'lang': language})}"


def _form_secret(request: Request) -> str:
    if not hasattr(request.state, "form_secret"):
        request.state.form_secret = request.cookies.get(_cookie(request, _FORM), "") or new_form_secret()
    return cast(str, request.state.form_secret)


def keep_form(request: Request, response: Response) -> Response:
    """`response` with the cookies that a reader keeps: a form's secret, and the language that was asked for."""
    name, is_https = _cookie(request, _FORM), service_of(request).settings.is_https
    secret = getattr(request.state, "form_secret", "")
    if secret and name not in request.cookies:
        response.set_cookie(name, secret, max_age=_SESSION_S, httponly=True, samesite="lax", secure=is_https, path="/")
    if (asked := request.query_params.get("lang")) in list_languages(TEXTS):
        response.set_cookie(_LANGUAGE, str(asked), max_age=_YEAR_S, httponly=True, samesite="lax", secure=is_https, path="/")
    return response


def limits_of(request: Request) -> dict[str, int]:
    """How many bytes the files of a form have at most, by field."""
    settings = service_of(request).settings
    return {FILE: settings.max_bytes, MODEL: settings.max_model_bytes}


async def form_of(request: Request) -> FormData:
    """The form of a page of ours.

    Raises:
        HTTPException: it is not one: too old, of another site, or not a form.
    """
    if not is_from_us(request.headers):
        raise HTTPException(403, "the form came from another site")
    form = await read_form(request, limits_of(request))
    token = form.get("csrf")
    if not isinstance(token, str) or not is_form_token(
        service_of(request).key, request.cookies.get(_cookie(request, _FORM), ""), token
    ):
        await form.close()
        raise HTTPException(403, "the form is too old")
    return form


def signed_in(request: Request, token: str, path: str) -> Response:
    """The way on to `path` for a browser that now keeps the token."""
    response = redirect(request, path)
    is_https = service_of(request).settings.is_https
    name = _cookie(request, _TOKEN)
    response.set_cookie(name, token, max_age=_SESSION_S, httponly=True, samesite="lax", secure=is_https, path="/")
    return response


def signed_out(request: Request) -> Response:
    """The way to the standings for a browser that now keeps no token."""
    response = redirect(request, "/")
    for name in (_TOKEN, _FORM):
        secure = service_of(request).settings.is_https
        response.delete_cookie(_cookie(request, name), path="/", httponly=True, samesite="lax", secure=secure)
    return response


def redirect(request: Request, path: str) -> RedirectResponse:
    """See Other: the browser asks for `path` of the board with GET."""
    return RedirectResponse(service_of(request).settings.root + path, 303)


def _cookie(request: Request, name: str) -> str:
    """With https no other host of the domain can set the cookie (RFC 6265bis, 4.1.3.2)."""
    return f"__Host-{name}" if service_of(request).settings.is_https else name
