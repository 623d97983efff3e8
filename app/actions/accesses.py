"""The action by which a search, a raw view or an export is entered in the audit chain: who, what, scope, count."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from app.actions.calls import Answer, Call
from core import audit
from core.accesses import MOST_LETTERS, MOST_OBJECT, NO_BOUND
from core.clock import iso
from core.errors import RefusedError
from core.records import Record
from inventory.rights import granted

_RIGHTS = {"search": "event.read", "raw": "event.read", "export": "inventory.read"}
"""By which right each is looked at."""

Time = Annotated[int, msgspec.Meta(ge=0, le=NO_BOUND)]


class OfAccess(Record, frozen=True, kw_only=True):
    """A note as ``core.accesses.Access`` makes it; ``by`` is whose it is, where another hands it over.

    When it was, within which scope and whose it is the console and this machine's own account are believed. Of a user
    by a local account the centre says that itself; a time that he tells stands beside it as ``said``.
    """

    what: Literal["search", "raw", "export"]
    object: Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_OBJECT)]
    query: Annotated[str, msgspec.Meta(max_length=MOST_LETTERS)] = ""
    since: Time = 0
    until: Time = 0
    scope: Annotated[str, msgspec.Meta(max_length=MOST_LETTERS)] = ""
    count: Annotated[int, msgspec.Meta(ge=0, le=NO_BOUND)] = 0
    cut: bool = False
    time: Time = 0
    by: Annotated[str, msgspec.Meta(max_length=300)] = ""


def note(call: Call) -> Answer:
    """Enters it."""
    asked: OfAccess = call.values
    told: dict[str, object] = {
        "query": asked.query,
        "since": iso(asked.since) if asked.since else "",
        "until": iso(asked.until) if asked.until else "",
        "count": asked.count,
        "cut": asked.cut,
        **(_told_of_user(call) if call.kind == "user" else _told_of_trusted(call)),
    }
    detail = msgspec.json.encode(told).decode()
    audit.append(call.connection, call.now, call.by, f"event.{asked.what}", asked.object, detail)
    return {}


def _told_of_trusted(call: Call) -> dict[str, object]:
    asked: OfAccess = call.values
    told: dict[str, object] = {"scope": asked.scope, "at": iso(asked.time or call.now)}
    return told | ({"by": asked.by} if asked.by else {})


def _told_of_user(call: Call) -> dict[str, object]:
    asked: OfAccess = call.values
    if asked.by:
        raise RefusedError("only the console and this machine's own account hand over notes of others")
    told: dict[str, object] = {"scope": granted(call.actor.grants, _RIGHTS[asked.what]), "at": iso(call.now)}
    return told | ({"said": iso(asked.time)} if asked.time else {})
