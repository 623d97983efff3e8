"""The action by which two people set for how long a class of data is kept."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

import msgspec

from app.actions.calls import Answer, Call
from core.errors import RefusedError
from core.records import Record
from core.stores.retention import put_days


class OfRetention(Record, frozen=True, kw_only=True):
    """A class of data, for how many days it is kept, and why."""

    name: Annotated[str, msgspec.Meta(max_length=100)]
    days: Annotated[int, msgspec.Meta(ge=0, le=1 << 31)]
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


def set_(call: Call) -> Answer:
    """Has the class kept for so long from now on."""
    asked: OfRetention = call.values
    if not asked.reason.strip():
        raise RefusedError("say why: it is kept in the audit chain")
    put_days(call.connection, call.now, call.by, (asked.name, asked.days), asked.reason.strip())
    return {"name": asked.name, "days": asked.days}


def concerns(_: Call) -> Collection[str]:
    """The whole sector: what is removed is nobody's alone."""
    return {""}
