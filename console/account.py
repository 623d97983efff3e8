"""Signing in and out, one's own password, and the language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlencode

from litestar import get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from console.deps import Console, console_of
from console.forms import Form
from console.problems import line_of, status_of
from console.render import LANGUAGE_COOKIE, Answer, AnyRequest, language_of, render
from console.sessions import OWN_ACCOUNT, PUBLIC, address_of, half_session, new_session
from console.texts import LANGUAGES, say
from core.errors import HaidangError, RefusedError, UnavailableError
from core.stores.users import SHORTEST_PASSWORD

_PUBLIC = {"action": PUBLIC}
_OWN = {"action": OWN_ACCOUNT}
_ENDED = ("idle", "over")
_YEAR_SECONDS = 365 * 24 * 3600
_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")


def own_path(path: str) -> str:
    """The path if it leads to this console, else its first page; so nobody is sent elsewhere from here."""
    return path if _PATH.fullmatch(path) else "/"


def sign_in_answer(request: AnyRequest, typed: Mapping[str, str], problem: str = "", status: int = 200) -> Answer:
    """The page that asks for name and password, with what was typed and a line."""
    provider, shown = console_of(request).oidc, {"name": "", "next": "/"} | dict(typed)
    values: dict[str, object] = {"typed": shown, "problem": problem, "onward": urlencode({"next": shown["next"]})}
    values["here"] = f"/sign-in?{values['onward']}"  # the provider's answer is no page to come back to
    values["provider"] = getattr(provider.settings.label, language_of(request)) if provider else ""
    return render(request, "sign_in", values, status)


@get("/sign-in", opt=_PUBLIC, sync_to_thread=True)
def sign_in_page(request: AnyRequest) -> Answer:
    """Asks for name and password."""
    ended = request.query_params.get("ended", "")
    notice = say(language_of(request), f"sign_in.ended_{ended}") if ended in _ENDED else ""
    return sign_in_answer(request, {"next": request.query_params.get("next", "/")}, notice)


@post("/sign-in", opt=_PUBLIC, sync_to_thread=True)
def sign_in(request: AnyRequest, data: Form) -> Answer:
    """Begins a session, or asks for the code of the second factor.

    The answer to a refusal does not say which of the two was wrong.
    """
    console, name, wanted = console_of(request), data.get("name", "").strip(), own_path(data.get("next", "/"))
    typed = {"name": name, "password": data.get("password", ""), "address": address_of(request)}
    try:
        answer = console.centre.call("session.begin", **typed)
    except RefusedError:
        return sign_in_answer(request, data, say(language_of(request), "sign_in.wrong"), 401)
    except HaidangError as error:
        return sign_in_answer(request, data, line_of(request, error), status_of(error))
    if answer["factor"] == "on":
        request.set_session(half_session(answer, console.clock.now()))
        return Redirect("/sign-in/code", status_code=303, query_params={"next": wanted})
    request.set_session(new_session(answer, console.clock.now()))
    return Redirect(wanted, status_code=303)


@post("/sign-out", opt=_OWN, sync_to_thread=True)
def sign_out(request: AnyRequest) -> Redirect:
    """Forgets the session here, and has the centre end all sessions of the user."""
    request.clear_session()
    with suppress(UnavailableError):  # who leaves is signed out of this browser even while the centre is down
        console_of(request).centre.call("session.end", actor=request.user.name)
    return Redirect("/sign-in", status_code=303)


@get("/password", opt=_OWN, sync_to_thread=True)
def password_page(request: AnyRequest) -> Answer:
    """Asks for a new password."""
    return _password_page(request, {"next": request.query_params.get("next", "/")})


@post("/password", opt=_OWN, sync_to_thread=True)
def change_password(request: AnyRequest, data: Form) -> Answer:
    """Changes one's own password; that ends all other sessions of the user."""
    console, new = console_of(request), data.get("password", "")
    if fault := _password_fault(new, data.get("again", "")):
        return _password_page(request, data, say(language_of(request), fault, shortest=SHORTEST_PASSWORD), 422)
    try:
        answer = _call_for_password(console, request, data.get("current", ""), new)
    except HaidangError as error:
        return _password_page(request, data, line_of(request, error), status_of(error))
    request.set_session(new_session(answer, console.clock.now()))
    return Redirect(own_path(data.get("next", "/")), status_code=303)


@post("/language", opt=_PUBLIC, sync_to_thread=False)
def choose_language(request: AnyRequest, data: Form) -> Redirect:
    """Keeps the reader's language and goes back to where it was chosen."""
    chosen = data.get("language", "")
    cookies = [_language_cookie(chosen, console_of(request).secure)] if chosen in LANGUAGES else []
    return Redirect(own_path(data.get("back", "/")), status_code=303, cookies=cookies)


def _language_cookie(language: str, secure: bool) -> Cookie:
    return Cookie(
        key=LANGUAGE_COOKIE, value=language, max_age=_YEAR_SECONDS, secure=secure, httponly=True, samesite="strict"
    )


def _call_for_password(console: Console, request: AnyRequest, current: str, new: str) -> dict[str, object]:
    name = request.user.name
    if not request.user.must_change:  # the old one has not just been typed
        typed = {"name": name, "password": current, "address": address_of(request)}
        console.centre.call("session.begin", **typed)
    answer: dict[str, object] = console.centre.call("session.password", actor=name, name=name, password=new)
    return answer


def _password_fault(new: str, again: str) -> str:
    if len(new) < SHORTEST_PASSWORD:
        return "password.too_short"
    return "" if new == again else "password.differ"


def _password_page(request: AnyRequest, typed: dict[str, str], problem: str = "", status: int = 200) -> Answer:
    values = {"next": typed.get("next", "/"), "problem": problem, "shortest": SHORTEST_PASSWORD}
    return render(request, "password", values, status)


ACCOUNT = [sign_in_page, sign_in, sign_out, password_page, change_password, choose_language]
