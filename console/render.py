"""Templates become answers: what every page knows, and the language it is in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request, Response
from litestar.template.base import csrf_token

from console.deps import console_of
from console.texts import LANGUAGES, say, say_if_known
from core.scope import Grant
from inventory.rights import may

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"
LANGUAGE_COOKIE = "haidang_language"

HOMES = {"incident.read": "/", "inventory.read": "/units", "figures.read": "/wallboard"}
"""Pages by the action that they need, the one that one begins with first."""

_environment = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

AnyRequest = Request[Any, Any, Any]
Answer = Response[Any]


def language_of(request: AnyRequest) -> str:
    """The reader's choice, else the console's own language."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else console_of(request).language


def home_of(grants: Iterable[Grant]) -> str:
    """The first page that someone with these grants may see."""
    given = tuple(grants)
    return next((page for action, page in HOMES.items() if may(given, action)), "/")


def is_htmx(request: AnyRequest) -> bool:
    """Whether a part of a page asks, not the browser for a whole one."""
    return request.headers.get("hx-request") == "true"


def render(request: AnyRequest, template: str, values: Mapping[str, object], status: int = 200) -> Answer:
    """The template as an answer, with what every page knows."""
    text = _environment.get_template(f"{template}.html.jinja").render({**_common(request), **values})
    return Response(text, media_type=MediaType.HTML, status_code=status)


def part(language: str, template: str, values: Mapping[str, object]) -> str:
    """A part of a page that is sent to it later; it knows the words and what it is given."""
    words = {"t": partial(say, language), "known": partial(say_if_known, language), "language": language}
    return _environment.get_template(f"{template}.html.jinja").render({**words, **values})


@cache
def asset(name: str) -> str:
    """The address of a static file; it changes with the content, so browsers may keep the file for ever."""
    path = STATIC / name
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "missing"
    return f"/static/{name}?v={digest}"


def _common(request: AnyRequest) -> dict[str, object]:
    language = language_of(request)
    user = request.scope.get("user")
    query = request.scope["query_string"].decode("latin-1")
    return {
        "t": partial(say, language),
        "known": partial(say_if_known, language),
        "language": language,
        "user": user,
        "can": partial(may, user.grants if user else ()),
        "csrf": csrf_token({"request": request}),
        "asset": asset,
        "path": request.url.path,
        "here": request.url.path + (f"?{query}" if query else ""),
    }
