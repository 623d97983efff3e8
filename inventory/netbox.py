"""Reads an inventory out of NetBox by its REST API: GET only, page by page, within bounds.

Written from NetBox's documented 4.x schema (docs/integrations/rest-api.md and the serializers of 4.0 to 4.5) and tested
against answers of that form. No real NetBox was at hand: before the first import from one, compare what
``haidang inventory netbox`` says it would change with what is there.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import msgspec

from core.errors import ContentError, RefusedError, UnavailableError
from core.files import read_bounded
from core.records import Record

ENDPOINTS = {
    "sites": "api/dcim/sites/",
    "locations": "api/dcim/locations/",
    "racks": "api/dcim/racks/",
    "devices": "api/dcim/devices/",
    "interfaces": "api/dcim/interfaces/",
    "vrfs": "api/ipam/vrfs/",
    "prefixes": "api/ipam/prefixes/",
    "ip-addresses": "api/ipam/ip-addresses/",
    "providers": "api/circuits/providers/",
    "circuits": "api/circuits/circuits/",
}
"""What is asked for, by NetBox's name for it."""

PAGE = 500
"""Objects asked for at a time; NetBox may give fewer (its MAX_PAGE_SIZE)."""

MAX_PAGE_BYTES = 32 * 1024 * 1024
MAX_OBJECTS = 1_000_000
"""Of one endpoint."""

PATIENCE = 60.0
"""Seconds that a page may take."""

_MAX_TOKEN_BYTES = 1024
_LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})

Objects: TypeAlias = dict[str, list[dict[str, Any]]]
"""NetBox's objects by endpoint."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called after every page with the endpoint, how many objects have come, and how many there are."""


class _Page(Record, frozen=True, kw_only=True):
    count: int
    results: list[dict[str, Any]]
    next: str | None = None


def read_token(path: Path) -> str:
    """The API token in a file that only its owner reads.

    Raises:
        ContentError: the file cannot be read, is no token, or others can read it.
    """
    data = read_bounded(path, _MAX_TOKEN_BYTES, "expected a token of NetBox")
    if path.stat().st_mode & 0o077:
        raise ContentError(f"{path} can be read by others: run chmod 600 {path}")
    text = data.decode("ascii", "replace").strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ContentError(f"{path}: not a token; expected NetBox's token alone on one line")
    return text


def netbox_client(url: str, authority: Path | None = None) -> httpx.Client:
    """A client that verifies the server's certificate, by the system's authorities or those in a PEM file.

    Raises:
        ContentError: the address is not https, or the authorities cannot be used.
    """
    try:
        parsed = httpx.URL(url if url.endswith("/") else f"{url}/")
    except httpx.InvalidURL as error:
        raise ContentError(f"{url!r} is no address; expected https://netbox.example") from error
    if parsed.scheme != "https" and not (parsed.scheme == "http" and parsed.host in _LOCAL):
        raise ContentError(f"{url!r}: expected https://, since a token is sent")
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise ContentError(f"{authority}: cannot be used as authorities: {error}") from error
    return httpx.Client(base_url=parsed, verify=context, timeout=PATIENCE, follow_redirects=False)


def fetch(http: httpx.Client, token: str, progress: Progress) -> Objects:
    """All objects of all endpoints.

    Args:
        http: its base address is NetBox's root; see ``netbox_client``.
        token: of either version; one that begins with ``nbt_`` is of the second (NetBox 4.5).
        progress: told after every page.

    Raises:
        RefusedError: NetBox does not accept the token, or it may not read something.
        UnavailableError: NetBox does not answer.
        ContentError: an answer is not of the documented form, or beyond a bound.
    """
    scheme = "Bearer" if token.startswith("nbt_") else "Token"
    headers = {"Authorization": f"{scheme} {token}", "Accept": "application/json"}
    return {name: list(_objects(http, headers, name, progress)) for name in ENDPOINTS}


def _objects(http: httpx.Client, headers: dict[str, str], name: str, progress: Progress) -> Iterator[dict[str, Any]]:
    """The objects of one endpoint, each once.

    Of a page's ``next`` only the query is used: a token never goes to another address than the one that was given.
    """
    query = {"limit": str(PAGE), "ordering": "id"} | ({"exclude": "config_context"} if name == "devices" else {})
    got = 0
    asked: set[str] = set()
    while True:
        page = _page(name, _get(http, headers, name, query))
        got += len(page.results)
        if got > MAX_OBJECTS:
            raise ContentError(f"NetBox {name}: more than {MAX_OBJECTS} objects; expected fewer")
        progress(name, got, page.count)
        yield from page.results
        if page.next is None:
            return
        query = _query_of(name, page.next)
        at = str(sorted(query.items()))
        if at in asked or not page.results:
            raise ContentError(f"NetBox {name}: its pages lead back to {page.next!r:.200}; expected an end")
        asked.add(at)


def _query_of(name: str, address: str) -> dict[str, str]:
    try:
        return dict(httpx.URL(address).params)
    except httpx.InvalidURL as error:
        raise ContentError(f"NetBox {name}: next is {address!r:.200}; expected an address") from error


def _page(name: str, body: bytes) -> _Page:
    try:
        return msgspec.json.decode(body, type=_Page)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContentError(f"NetBox {name}: {error}; expected a page of its REST API 4.x") from error


def _get(http: httpx.Client, headers: dict[str, str], name: str, query: dict[str, str]) -> bytes:
    try:
        with http.stream("GET", ENDPOINTS[name], params=query, headers=headers) as answer:
            _refuse(name, answer)
            return _bounded(name, answer)
    except httpx.HTTPError as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UnavailableError(f"NetBox at {http.base_url} does not answer: {reason}") from error


def _refuse(name: str, answer: httpx.Response) -> None:
    code = answer.status_code
    if code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise RefusedError(f"NetBox refuses {name} ({code}): give the token the right to view them")
    if code == httpx.codes.NOT_FOUND:
        raise ContentError(f"NetBox has no {answer.url.path}; expected its address to end where /api/ begins")
    if code != httpx.codes.OK:
        raise UnavailableError(f"NetBox answers {code} to {name}; try again, or see its log")


def _bounded(name: str, answer: httpx.Response) -> bytes:
    body = bytearray()
    for part in answer.iter_bytes():
        body += part
        if len(body) > MAX_PAGE_BYTES:
            raise ContentError(f"NetBox {name}: a page of more than {MAX_PAGE_BYTES} bytes; expected a smaller one")
    return bytes(body)
