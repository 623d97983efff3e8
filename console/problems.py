"""Errors become one clear line with the right status: a page for a browser, a line for htmx, JSON for a program."""

from __future__ import annotations

import logging

from litestar import MediaType, Response
from litestar.enums import ParamType
from litestar.exceptions import HTTPException, NotFoundException, PermissionDeniedException, ValidationException
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap
from markupsafe import escape

from console.render import Answer, AnyRequest, home_of, is_htmx, language_of, render
from console.sessions import FactorNeeded, PasswordChangeNeeded, SessionEnded, SignInNeeded
from console.texts import say, say_if_known, say_refusal
from core.errors import HaidangError, NotFoundError, RefusedError, UnavailableError

CSRF_COOKIE = "haidang_csrf"

_STATUS: dict[type[HaidangError], int] = {NotFoundError: 404, RefusedError: 409, UnavailableError: 503}
_log = logging.getLogger("haidang.console")


def status_of(error: HaidangError) -> int:
    """The HTTP status that tells the same."""
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)


def line_of(request: AnyRequest, error: HaidangError) -> str:
    """The error as one line in the reader's language; a reason without a text of ours is in the centre's own words."""
    language = language_of(request)
    if reason := say_refusal(language, str(error)):
        return say(language, "problem.409", reason=reason)
    return say(language, f"problem.{status_of(error)}", reason=error)


def answer_problem(request: AnyRequest, status: int, text: str) -> Answer:
    """The problem in the form that the request wants."""
    if request.url.path.endswith(".json"):
        return Response({"reason": text}, status_code=status)
    if is_htmx(request):
        return _line(request, status, text)
    return _page(request, status, text)


def _page(request: AnyRequest, status: int, text: str) -> Answer:
    """The line as a page under a heading, which the line does not say again."""
    language = language_of(request)
    usual = say(language, "problem.title")
    heading = say_if_known(language, f"problem.title_{status}", usual)
    words = text.removeprefix(f"{heading}: ").removeprefix(f"{usual}: ")
    return render(request, "error", {"heading": heading, "problem": words[:1].upper() + words[1:]}, status)


def _line(request: AnyRequest, status: int, text: str) -> Answer:
    headers = {"HX-Reswap": "none"} if request.method == "GET" else {}  # a live part stays as it was
    return Response(str(escape(text)), media_type=MediaType.HTML, status_code=status, headers=headers)


def _on_haidang_error(request: AnyRequest, error: HaidangError) -> Answer:
    return answer_problem(request, status_of(error), line_of(request, error))


def _on_http_error(request: AnyRequest, error: HTTPException) -> Answer:
    language = language_of(request)
    otherwise = say(language, "problem.other", status=error.status_code)
    return answer_problem(request, error.status_code, say_if_known(language, f"problem.{error.status_code}", otherwise))


def _on_invalid(request: AnyRequest, error: ValidationException) -> Answer:
    """An address whose values cannot be is one of nothing; other values are the form's or the query's."""
    extra = error.extra if isinstance(error.extra, list) else []
    is_path = any(isinstance(one, dict) and one.get("source") == ParamType.PATH for one in extra)
    return _on_http_error(request, NotFoundException() if is_path else error)


def _on_forbidden(request: AnyRequest, error: PermissionDeniedException) -> Answer:
    expired, user = "CSRF" in error.detail, request.scope.get("user")
    if request.url.path == "/" and user and not expired and home_of(user.grants) != "/":
        return Redirect(home_of(user.grants), status_code=303)
    text = say(language_of(request), "problem.form_expired" if expired else "problem.403")
    answer = answer_problem(request, 403, text)
    if expired:
        answer.delete_cookie(CSRF_COOKIE)  # one signed with an earlier key would never be replaced
    return answer


def _on_defect(request: AnyRequest, error: Exception) -> Answer:
    _log.error("defect at %s %s", request.method, request.url.path, exc_info=error)
    return answer_problem(request, 500, say(language_of(request), "problem.500"))


def _on_sign_in_needed(request: AnyRequest, error: SignInNeeded) -> Answer:
    return _go(request, "/sign-in", 401, "problem.401", ended=error.why if isinstance(error, SessionEnded) else "")


def _on_factor_needed(request: AnyRequest, _: FactorNeeded) -> Answer:
    return _go(request, "/second-factor", 403, "problem.403")


def _on_password_change_needed(request: AnyRequest, _: PasswordChangeNeeded) -> Answer:
    return _go(request, "/password", 403, "problem.403")


def _go(request: AnyRequest, path: str, status: int, key: str, **more: str) -> Answer:
    if is_htmx(request) or request.url.path.endswith(".json"):
        answer = answer_problem(request, status, say(language_of(request), key))
        answer.headers["HX-Redirect"] = path
        return answer
    wanted = {"next": request.url.path} if request.method == "GET" else {}
    wanted |= {name: value for name, value in more.items() if value}
    return Redirect(path, status_code=303, query_params=wanted or None)


HANDLERS: ExceptionHandlersMap = {
    SignInNeeded: _on_sign_in_needed,
    PasswordChangeNeeded: _on_password_change_needed,
    FactorNeeded: _on_factor_needed,
    HaidangError: _on_haidang_error,
    PermissionDeniedException: _on_forbidden,
    ValidationException: _on_invalid,
    HTTPException: _on_http_error,
    500: _on_defect,
}
