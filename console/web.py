"""The console as an application: all routes, one guard, and the headers that every answer carries."""

from __future__ import annotations

import hmac

from litestar import Litestar
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import CacheControlHeader, MutableScopeHeaders, State
from litestar.router import Router
from litestar.static_files import create_static_files_router
from litestar.types import Message, Scope

from console.account import ACCOUNT
from console.boards import BOARDS
from console.deps import Console
from console.devices import DEVICES
from console.events import EVENTS
from console.forms import FORMS
from console.oidc import OIDC
from console.pages import PAGES
from console.problems import CSRF_COOKIE, HANDLERS
from console.render import STATIC
from console.requests import REQUESTS
from console.rules import RULES
from console.searching import Searches
from console.second_factor import FACTOR
from console.sessions import PUBLIC, check_right, session_config
from console.sites import SITES
from console.sources import SOURCES
from console.stream import Changes
from console.units import UNITS

INVENTORY = (*UNITS, *SITES, *DEVICES, *BOARDS)
MOST_BODY_BYTES = 256 << 10
_YEAR_SECONDS = 365 * 24 * 3600

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def create_app(deps: Console) -> Litestar:
    """The console for these surroundings; it starts nothing of its own."""
    return Litestar(
        # Through one router: the application itself would wrap the handlers of a path with two methods twice.
        [
            Router(
                "/",
                route_handlers=[
                    *PAGES,
                    *FORMS,
                    *RULES,
                    *EVENTS,
                    *SOURCES,
                    *INVENTORY,
                    *ACCOUNT,
                    *FACTOR,
                    *OIDC,
                    *REQUESTS,
                ],
            ),
            _static_files(),
        ],
        guards=[check_right],
        middleware=[session_config(deps).middleware],
        csrf_config=_csrf_config(deps),
        exception_handlers=HANDLERS,
        before_send=[_add_headers],
        state=State({"console": deps, "changes": Changes(deps.state), "searches": Searches()}),
        request_max_body_size=MOST_BODY_BYTES,
        openapi_config=None,
        logging_config=None,
    )


def end_streams(app: Litestar) -> None:
    """Ends all live pages' streams: to be called when the server is asked to stop, as it waits for open answers."""
    changes: Changes = app.state["changes"]
    changes.close()


def _static_files() -> Router:
    return create_static_files_router(
        path="/static",
        directories=[STATIC],
        cache_control=CacheControlHeader(max_age=_YEAR_SECONDS, immutable=True),  # addresses change with the content
        opt={"action": PUBLIC, "skip_session": True, "exclude_from_csrf": True},
    )


def _csrf_config(deps: Console) -> CSRFConfig:
    return CSRFConfig(
        secret=hmac.digest(deps.session_key, b"csrf", "sha256").hex(),
        cookie_name=CSRF_COOKIE,
        cookie_secure=deps.secure,
        cookie_httponly=True,
        cookie_samesite="strict",
    )


async def _add_headers(message: Message, _: Scope) -> None:
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        for name, value in HEADERS.items():
            headers[name] = value
        headers.setdefault("Cache-Control", "no-store")
