"""A million sequences of counters: no false peak, no lost wrap; and what a rate costs."""

from __future__ import annotations

import os
import time
from itertools import pairwise
from random import Random

import pytest
from counting import judge, sequence

from collectors.snmp.interfaces import interface_rows
from collectors.snmp.readings import Reading, Table, Tally
from core.clock import SECOND

pytestmark = [pytest.mark.soak, pytest.mark.timeout(7200)]

SEQUENCES = int(os.environ.get("COUNTER_SEQUENCES", "1000000"))
POLLS = 10
DEVICES, PORTS = 3200, 24
COUNTERS = [f"{way}_{what}" for way in ("in", "out") for what in ("octets", "packets", "errors", "discards")]


def test_no_false_peak_and_no_lost_wrap_in_a_million_sequences():
    random = Random(20_261_126)  # noqa: S311 - not for secrets
    judged = 0
    for number in range(SEQUENCES):
        for before, after in pairwise(sequence(random, POLLS)):
            assert judge(before, after) == "", (number, before, after)
            judged += 1
    print(f"{SEQUENCES} sequences, {judged} pairs of polls")


def reading(seconds: int) -> Reading:
    names = tuple(f"Gi1/0/{port}" for port in range(PORTS))
    columns = {name: [port * 10**7 + seconds * 1000 * port for port in range(PORTS)] for name in COUNTERS}
    table = Table(
        indexes=names,
        names=names,
        columns={**columns, "speed_bps": [1e9] * PORTS, "discontinuity": [0] * PORTS},
        labels={"type": (6,) * PORTS},
        widths={name: (64 if "errors" not in name and "discards" not in name else 32,) * PORTS for name in COUNTERS},
    )
    return Reading(
        device="d",
        time_ns=seconds * SECOND,
        steady_ns=seconds * SECOND,
        uptime=seconds * 100,
        tables={"interfaces": table},
        tally=Tally(),
    )


def test_rates_of_a_whole_sector_cost_little():
    before, after = reading(60), reading(120)
    begun = time.process_time()
    for _ in range(DEVICES):
        rows = interface_rows(before, after)
    took = time.process_time() - begun
    assert rows is not None
    assert rows["in_bps"][1] == pytest.approx(8000)
    values = DEVICES * PORTS * len(COUNTERS)
    print(f"rates of {DEVICES * PORTS} interfaces: {took:.2f} s CPU, {took / values * 1e6:.3f} us a counter")
