"""The product on one page: what becomes of an observation, from a device's line to an incident on a screen."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from core.outbox import Outbox, Row
from core.records import Alert, Event
from core.stores import incidents
from core.stores.spool import Position
from correlation.correlator import Correlator
from correlation.incidents import raise_incident
from detections.detect import detect
from detections.engine import Matcher

# device ─► collectors.snmp: asked each minute ─► counters become rates ─► series store (app.snmp.recorder)
#                  └► what has changed ─► lines that collectors.logs follows, as it follows any file
#
# device ─► collectors.logs: received, decoded ─► inventory: whose is it? ─► spool: on disk, acknowledged ─► judge


def judge(matcher: Matcher, outbox: Outbox, events: Sequence[Event], position: Position) -> int:
    """The lane's last step: does a rule hit? Hits go on their way to the centre, in one step with how far we are."""
    hits = [hit for event in events for hit in detect(matcher, event)]
    rows = [Row(key=f"alert/{hit.id}", kind="alert", body=msgspec.msgpack.encode(hit)) for hit in hits]
    outbox.put(rows, judged=position, soon=bool(events))
    return len(rows)


# outbox ─► relay ─► the centre:


def understand(
    connection: Connection, correlator: Correlator, hits: Sequence[Alert], now: int, reopen: int
) -> list[Alert]:
    """The centre's step: hits become alerts, alerts of one cause and object one incident, all in one transaction.

    Returns the new alerts.
    """
    fresh: list[Alert] = []
    changes = correlator.update(hits, now)
    for gone in changes.withdrawn:
        incidents.remove_alert(connection, gone)
    for alert in sorted(changes.amended, key=lambda alert: (alert.start, alert.id)):
        known = incidents.latest_of_key(connection, alert.cause, alert.object)
        edit = raise_incident(alert, known, now, reopen)
        if edit is not None:
            goes_on = known is not None and edit.incident.id == known.id
            known = incidents.commit(connection, known if goes_on else None, edit.incident, edit.entry)
        if known is not None and incidents.put_alert(connection, known.id, alert):
            fresh.append(alert)
    return fresh


# state database ─► console: the queue, live; what a person does comes back through the centre's API (app.actions)
