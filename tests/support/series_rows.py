"""Rows of one interface, and questions about them."""

from __future__ import annotations

import itertools

from core.clock import SECOND
from core.scope import EVERYTHING
from core.stores.series_manifest import DAY, day_start, present
from core.stores.series_read import SeriesQuery

START = day_start(1_795_312_800 * SECOND)
LONG = {"since": START - 800 * DAY, "until": START + 400 * DAY}


def rows(*polls, site="tha", device="sw", port="1", **columns):
    """Rows of one interface: nanoseconds, and what comes in."""
    count = len(polls)
    keys = {"site": [site] * count, "device": [device] * count, "object": [port] * count}
    gaps = {"gap": ["timeout" if bits is None else None for _, bits in polls]}
    return {**keys, "time": [at for at, _ in polls], "in_bps": [bits for _, bits in polls], **gaps, **columns}


def asked(*columns, step=0, **more):
    return SeriesQuery(**{"table": "interfaces", "columns": columns, "step": step, **LONG, **more})


def read(store, *columns, scope=EVERYTHING, **more):
    """The values asked for, without keys and times."""
    return [row[4:] for row in store.read(scope, asked(*columns, **more)).rows]


def settle(store, clock, by=2 * DAY):
    clock.forward(by)
    store.maintain()


def stages(store, table="interfaces"):
    return [part.stage for part in present(store._reader._folder / table).partitions]


def poll(store, clock, seconds, until, **more):
    """Polls one interface at that pace until then, with files made each hour."""
    for number in itertools.count():
        if clock.now() >= until:
            return
        store.append("interfaces", rows((clock.now(), number), **more))
        clock.forward(seconds * SECOND)
        if number % (3600 // seconds) == 0:
            store.maintain()
