"""The second factor: the code after the password, and the setting up of one (TOTP, RFC 6238)."""

from __future__ import annotations

from urllib.parse import urlencode

import pyotp
import segno
from litestar import get, post
from litestar.response import Redirect
from markupsafe import Markup

from console.account import own_path, sign_in_answer
from console.deps import console_of
from console.forms import Form
from console.problems import line_of, status_of
from console.render import Answer, AnyRequest, language_of, render
from console.sessions import (
    OWN_ACCOUNT,
    PUBLIC,
    address_of,
    awaited,
    is_just_begun,
    new_session,
)
from console.texts import say
from core.errors import HaidangError, RefusedError
from core.stores.signing_in import STEP_SECONDS
from inventory.rights import is_settled

_PUBLIC = {"action": PUBLIC}
_OWN = {"action": OWN_ACCOUNT}


@get("/sign-in/code", opt=_PUBLIC, sync_to_thread=True)
def code_page(request: AnyRequest) -> Answer:
    """Asks for the code, if a right password has just been given."""
    if not awaited(console_of(request), request.session):
        return Redirect("/sign-in", status_code=303)
    return _code_page(request, request.query_params.get("next", "/"))


@post("/sign-in/code", opt=_PUBLIC, sync_to_thread=True)
def give_code(request: AnyRequest, data: Form) -> Answer:
    """Begins a session by the code."""
    console, language, wanted = console_of(request), language_of(request), data.get("next", "/")
    name = awaited(console, request.session)
    if not name:
        return sign_in_answer(request, data, say(language, "factor.too_late"), 401)
    try:
        answer = console.centre.call("session.code", actor=name, code=data.get("code", ""))
    except RefusedError:
        return _code_page(request, wanted, say(language, "factor.wrong"), 401)
    except HaidangError as error:
        return _code_page(request, wanted, line_of(request, error), status_of(error))
    request.set_session(new_session(answer, console.clock.now()))
    return Redirect(own_path(wanted), status_code=303)


@get("/second-factor", opt=_OWN, sync_to_thread=True)
def factor_page(request: AnyRequest) -> Answer:
    """Tells what a second factor is, and offers to set one up. It makes none: a page may be loaded again."""
    return _factor_page(request, request.query_params.get("next", "/"))


@post("/second-factor", opt=_OWN, sync_to_thread=True, status_code=200)
def begin_factor(request: AnyRequest, data: Form) -> Answer:
    """Makes a secret and shows it: this answer is the only place where it is ever seen.

    Where the session is older than a moment the password is asked for again: who finds a screen left open takes over
    no account by it.
    """
    console, name, wanted = console_of(request), request.user.name, data.get("next", "/")
    typed = {"name": name, "password": data.get("password", ""), "address": address_of(request)}
    try:
        if not is_just_begun(console, request.session):
            console.centre.call("session.begin", **typed)
        answer = console.centre.call("session.factor", actor=name)
    except HaidangError as error:
        return _factor_page(request, wanted, line_of(request, error), status_of(error))
    return _factor_page(request, wanted, secret=answer["secret"])


@post("/second-factor/confirm", opt=_OWN, sync_to_thread=True)
def confirm_factor(request: AnyRequest, data: Form) -> Answer:
    """Takes the second factor into use by its first code; the session goes on."""
    console, wanted = console_of(request), data.get("next", "/")
    try:
        answer = console.centre.call("session.confirm", actor=request.user.name, code=data.get("code", ""))
    except HaidangError as error:
        return _factor_page(request, wanted, line_of(request, error), status_of(error))
    request.set_session(new_session(answer, console.clock.now()))
    return Redirect(own_path(wanted), status_code=303)


def _code_page(request: AnyRequest, wanted: str, problem: str = "", status: int = 200) -> Answer:
    onward = own_path(wanted)
    here = f"/sign-in/code?{urlencode({'next': onward})}"
    return render(request, "code", {"next": onward, "problem": problem, "here": here}, status)


def _factor_page(request: AnyRequest, wanted: str, problem: str = "", status: int = 200, secret: str = "") -> Answer:
    user = request.user
    values: dict[str, object] = {
        "next": own_path(wanted),
        "here": f"/second-factor?{urlencode({'next': own_path(wanted)})}",
        "problem": problem,
        "factor": "pending" if secret else user.factor,
        "asks_password": not is_just_begun(console_of(request), request.session),
        "can_have": not user.issuer and not user.address,
        "is_needed": not is_settled(user),
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "picture": _picture(secret, user.name, say(language_of(request), "site.name")) if secret else "",
    }
    if not is_settled(user):
        values["can"] = lambda _: False  # nothing else is open yet: no way there is shown
    return render(request, "second_factor", values, status)


def _picture(secret: str, name: str, issuer: str) -> Markup:
    """The QR code that telephones read: an inline drawing, so no other address is asked for it."""
    uri = pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=name, issuer_name=issuer)
    drawn = segno.make(uri, error="m", micro=False)
    return Markup(drawn.svg_inline(svgclass=None, lineclass=None, omitsize=True, light="#fff"))  # noqa: S704 - drawn here


FACTOR = [code_page, give_code, factor_page, begin_factor, confirm_factor]
