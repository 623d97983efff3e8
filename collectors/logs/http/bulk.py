"""What of Elasticsearch's interface a client or a Beat needs to deliver: who we are, and ``_bulk``.

Templates, policies and pipelines are acknowledged and not kept: events are stored as they come. Source: Elasticsearch
reference, "Bulk API" and "Root API"; clients ask for the header ``X-Elastic-Product``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import msgspec

from collectors.logs.http.exchange import Answer, RefusedError, Request

PRODUCT: Final = {"x-elastic-product": "Elasticsearch"}
VERSION: Final = "9.1.0"
"""The version whose clients find here what they need; clients of the same or an older main version connect."""

_INDEX = re.compile(r"/(?:([^/_][^/]*)/)?_bulk")
_SETUP = re.compile(r"/_(index_template|component_template|template|ilm/policy|ingest/pipeline|data_stream|alias)\b")
_ACTIONS: Final = ("index", "create")
_COMPATIBLE: Final = re.compile(r"application/vnd\.elasticsearch\+[\w-]+;\s*compatible-with=(\d+)")

ROOT: Final = {
    "name": "haidang",
    "cluster_name": "haidang",
    "cluster_uuid": "haidang",
    "version": {
        "number": VERSION,
        "build_flavor": "default",
        "build_type": "tar",
        "build_hash": "0",
        "build_date": "2026-01-01T00:00:00.000Z",
        "build_snapshot": False,
        "lucene_version": "10.2.2",
        "minimum_wire_compatibility_version": "8.18.0",
        "minimum_index_compatibility_version": "8.0.0",
    },
    "tagline": "You Know, for Search",
}
LICENSE: Final = {
    "license": {"status": "active", "uid": "haidang", "type": "basic", "mode": "basic", "issued_to": "haidang"}
}
_STATIC: Final[dict[str, Any]] = {
    "/": ROOT,
    "/_license": LICENSE,
    "/_xpack": {"license": LICENSE["license"], "features": {"ilm": {"available": True, "enabled": True}}},
    "/_cluster/health": {"cluster_name": "haidang", "status": "green", "number_of_nodes": 1},
    "/_nodes/http": {"cluster_name": "haidang", "nodes": {}},
}


class Document(NamedTuple):
    """One document of a bulk request: its action, the index it names, its id if it has one, and its bytes."""

    action: str
    target: str
    identity: str
    raw: bytes


def is_bulk(request: Request) -> bool:
    """Whether the request delivers documents."""
    return request.method in {"POST", "PUT"} and _INDEX.fullmatch(request.path) is not None


def documents(request: Request) -> list[Document]:
    """The documents of a bulk request, in order.

    Raises:
        RefusedError: a line that should say what to do says nothing of the kind; which line is told.
    """
    found = _INDEX.fullmatch(request.path)
    index = found[1] or "" if found else ""
    lines = request.body.split(b"\n")
    taken: list[Document] = []
    place = 0
    while place < len(lines):
        if not lines[place].strip():
            place += 1
            continue
        action, told = _action(lines[place], place)
        if action == "delete":
            raise _refused(place, "delete is not possible: what was stored stays")
        if place + 1 >= len(lines) or not lines[place + 1].strip():
            raise _refused(place, "the document of this action is missing")
        name, identity = str(told.get("_index", index)), str(told.get("_id", ""))
        taken.append(Document(action, name, identity, lines[place + 1]))
        place += 2
    return taken


def _action(line: bytes, place: int) -> tuple[str, dict[str, Any]]:
    try:
        told = msgspec.json.decode(line, type=dict[str, dict[str, Any]])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _refused(place, 'expected an action such as {"create": {}}') from error
    if len(told) != 1 or next(iter(told)) not in {*_ACTIONS, "delete"}:
        raise _refused(place, "expected index or create")
    return next(iter(told.items()))


def _refused(place: int, reason: str) -> RefusedError:
    return RefusedError(HTTPStatus.BAD_REQUEST, f"line {place + 1}: {reason}")


def stored(taken: Sequence[Document], stream: str, milliseconds: int) -> Answer:
    """The answer once all documents are on disk; one without an id is named by its request and place."""
    items = [
        {
            one.action: {
                "_index": one.target,
                "_id": one.identity or f"{stream}/{place}",
                "_version": 1,
                "result": "created",
                "_shards": {"total": 1, "successful": 1, "failed": 0},
                "status": HTTPStatus.CREATED,
            }
        }
        for place, one in enumerate(taken)
    ]
    return Answer(HTTPStatus.OK, {"took": milliseconds, "errors": False, "items": items}, PRODUCT)


def setup(request: Request) -> Answer | None:
    """The answer to what clients ask before they deliver; None if this is no such request."""
    path = request.path.rstrip("/") or "/"
    if request.method in {"GET", "HEAD"} and path in _STATIC:
        return Answer(HTTPStatus.OK, _STATIC[path], PRODUCT)
    if not _SETUP.match(path):
        return None
    if request.method in {"PUT", "POST"}:
        return Answer(HTTPStatus.OK, {"acknowledged": True}, PRODUCT)
    return Answer(HTTPStatus.NOT_FOUND, {"error": "nothing of the kind is kept here", "status": 404}, PRODUCT)


def media_type(request: Request) -> dict[str, str]:
    """The content type that a client of a main version insists on, as it asked for it."""
    found = _COMPATIBLE.search(request.headers.get("accept", ""))
    return {"content-type": f"application/vnd.elasticsearch+json;compatible-with={found[1]}"} if found else {}
