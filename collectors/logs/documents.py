"""Documents as events: what came by HTTP or stands in a followed file."""

from __future__ import annotations

import msgspec

from collectors.logs.frames import Form, Frame
from collectors.logs.trust import trusted
from core.clock import iso
from core.errors import ContentError
from core.records import Event, Fields

OURS = "haidang"
"""The product that only the platform itself may name: its events are believed without question."""


def document_event(frame: Frame, form: Form, identity: str) -> tuple[Event, bool]:
    """The event in a frame of this form, and whether its own time is believed.

    Whose it is is not taken from the document, but found out as for any event.

    Raises:
        ContentError: it is not of this form, or says that it is one of our own.
    """
    event = form(frame.raw, identity)
    if event.logsource.product.strip().casefold() == OURS:
        raise ContentError("a document from outside may not be of the product haidang")
    believed = not event.time or trusted(event.time, frame.seen)
    fields: Fields = {**event.fields, "observer.ip": frame.source, "network.transport": frame.transport}
    told = event.fields.get("observer.ip")
    if told not in {None, frame.source}:
        fields["haidang.observer.ip"] = told  # as the document says; whose it is follows from what we saw ourselves
    if frame.origin:
        fields["haidang.replayed.from"] = frame.origin
    if not believed:
        fields["haidang.time.original"] = iso(event.time)
    return msgspec.structs.replace(
        event,
        time=event.time if event.time and believed else frame.seen,
        seen=frame.seen,
        fields=fields,
        unit="",
        site="",
        device="",
    ), believed
