"""One device over and over: what it is, what moves, and what is learnt anew."""

from __future__ import annotations

from typing import Any

import pytest

from collectors.snmp.failures import Failure
from collectors.snmp.interfaces import interface_rows
from collectors.snmp.poll import DevicePoller, Polled
from collectors.snmp.profiles import shipped_profiles
from collectors.snmp.readings import Reading
from core.clock import MINUTE, SECOND, HeldClock

NOW = 1_795_312_267_000_000_000
UPTIME, CHANGED, COUNT = "1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.31.1.5.0", "1.3.6.1.2.1.2.1.0"
GIG = 10**9 // 8


class Time:
    """The steady time of a test, moved by hand."""

    def __init__(self) -> None:
        self.now = SECOND

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def pollers(made_agent):
    """``async with pollers(values) as (agent, poller, forward)``."""
    from contextlib import asynccontextmanager  # noqa: PLC0415 - for this fixture alone

    @asynccontextmanager
    async def made(values, **more):
        async with made_agent(values, **more) as (agent, session):
            steady = Time()

            def forward(seconds: float, *, counting: bool = True) -> None:
                steady.now += int(seconds * SECOND)
                if counting:
                    agent.values[UPTIME] = ("ticks", agent.values[UPTIME][1] + int(seconds * 100))

            whose = Polled(device="SW-1", site="tha", unit="vks")
            yield agent, DevicePoller(whose, session, shipped_profiles(), HeldClock(NOW), steady), forward

    return made


def count(agent: Any, index: int, octets: int) -> None:
    for column in (6, 10):
        oid = f"1.3.6.1.2.1.31.1.1.1.{column}.{index}"
        agent.values[oid] = ("counter64", agent.values[oid][1] + octets)


def test_an_unknown_family_is_read_by_the_generic_profile(sync, pollers, device, port):
    async def asked():
        async with pollers(device(port(10101, "Gi1/0/1", 500))) as (_, poller, _):
            return await poller.poll(), poller.layout

    reading, layout = sync(asked())
    assert (layout.profile.name, layout.known) == ("generic", False)
    table = reading.tables["interfaces"]
    assert (table.names, table.indexes) == (("Gi1/0/1",), ("10101",))
    assert table.columns["in_octets"] == [500]
    assert table.columns["oper"] == ["up"]
    assert table.columns["speed_bps"] == [1e9]
    assert table.labels["alias"] == ("to Gi1/0/1",)
    assert (reading.device, reading.site, reading.unit, reading.uptime) == ("SW-1", "tha", "vks", 100_000)


def test_a_second_poll_asks_for_values_only(sync, pollers, device, port):
    async def asked():
        async with pollers(device(port(1, "a", 5), port(2, "b", 6))) as (agent, poller, forward):
            await poller.poll()
            agent.requests.clear()
            forward(60)
            return await poller.poll(), agent.requests

    reading, requests = sync(asked())
    assert [kind for kind, _ in requests] == ["GetRequestPDU"]
    assert reading.tally.errors == 0


def test_a_device_that_does_not_tell_of_changes_lacks_nothing(sync, pollers, device, port):
    async def asked():
        values = device(*(port(n, f"p{n}", n) for n in range(1, 31)))
        del values[CHANGED]
        async with pollers(values) as (agent, poller, forward):
            await poller.poll()
            agent.requests.clear()
            forward(60)
            return await poller.poll(), agent.requests, len(poller.layout.minute)

    reading, requests, wanted = sync(asked())
    assert reading.tally.errors == 0
    assert sum(count for _, count in requests) == wanted


def test_slow_columns_are_read_each_quarter_of_an_hour(sync, pollers, device, port):
    async def asked():
        storage = "1.3.6.1.2.1.25.2.3.1"
        disk = {f"{storage}.5.1": ("int", 9), f"{storage}.6.1": ("int", 7)}
        windows = {"1.3.6.1.2.1.1.2.0": ("oid", "1.3.6.1.4.1.311.1.1.3.1.2")}
        async with pollers(device(port(1, "a", 5)) | windows | disk) as (_, poller, forward):
            found = []
            for _ in range(46):
                reading = await poller.poll()
                assert reading.tables["storage"].columns["used"] == [7]
                found.append("size" in reading.tables["storage"].columns)
                forward(60)
            return found

    found = sync(asked())
    assert found[0]
    assert 3 <= sum(found[1:]) <= 4


def test_an_old_device_is_read_by_its_32_bit_counters(sync, pollers, device, port):
    async def asked():
        values = {oid: value for oid, value in device(port(1, "a", 5)).items() if ".31.1.1.1." not in oid}
        async with pollers(values) as (_, poller, _):
            return await poller.poll()

    table = sync(asked()).tables["interfaces"]
    assert table.names == ("port 1",)
    assert table.columns["in_octets"] == [5]
    assert table.widths["in_octets"] == (32,)


def test_a_mixed_device_is_read_by_what_each_row_has(sync, pollers, device, port):
    async def asked():
        values = device(port(1, "a", 5), port(2, "b", 7))
        del values["1.3.6.1.2.1.31.1.1.1.6.2"]
        async with pollers(values) as (_, poller, _):
            return await poller.poll()

    table = sync(asked()).tables["interfaces"]
    assert table.columns["in_octets"] == [5, 7]
    assert table.widths["in_octets"] == (64, 32)


@pytest.mark.parametrize("sign", [CHANGED, COUNT, "restart", "none"])
def test_a_shuffled_index_mixes_no_series(sync, pollers, device, port, sign):
    async def asked():
        async with pollers(device(port(1, "a", 10**12), port(2, "b", 10**6))) as (agent, poller, forward):
            first = await poller.poll()
            forward(60)
            uptime = agent.values[UPTIME][1]
            agent.values.update(port(1, "b", 10**6 + 600))
            agent.values.update(port(2, "a", 10**12 + 6000))
            if sign == "restart":
                agent.values[UPTIME] = ("ticks", 2000)
            elif sign == "none":  # found out by the names, once a quarter of an hour
                agent.values[UPTIME] = ("ticks", uptime)
                forward(15 * 60)
            else:
                agent.values[sign] = ("ticks" if sign == CHANGED else "int", 99)
            return first, await poller.poll()

    first, second = sync(asked())
    rows = interface_rows(first, second)
    values = dict(zip(rows["object"], rows["in_bps"], strict=True))
    if sign == "restart":
        assert set(rows["gap"]) == {"restart"}
        assert second.restarted
    else:
        seconds = (second.steady_ns - first.steady_ns) / SECOND
        assert values == {"a": pytest.approx(6000 * 8 / seconds), "b": pytest.approx(600 * 8 / seconds)}


def test_rows_that_move_while_they_are_read_are_read_again(sync, pollers, device, port):
    ports = [port(n, f"p{n}", n * 10**6) for n in range(1, 31)]

    async def asked():
        async with pollers(device(*ports)) as (agent, poller, forward):
            first = await poller.poll()
            forward(60)

            def move(number: int) -> None:
                if number == 2:
                    for n in range(1, 31):
                        agent.values.update(port(31 - n, f"p{n}", n * 10**6 + 60))
                    agent.values[CHANGED] = ("ticks", 77)

            agent.requests.clear()
            agent.on_request = move
            return first, await poller.poll()

    rows = interface_rows(*sync(asked()))
    assert set(rows["in_bps"]) == {8.0}
    assert rows["object"][0] == "p30"


def test_a_device_that_never_settles_gives_no_reading(sync, pollers, device, port):
    ports = [port(n, f"p{n}", n) for n in range(1, 31)]

    async def asked():
        async with pollers(device(*ports)) as (agent, poller, forward):
            await poller.poll()
            forward(60)

            def move(number: int) -> None:
                agent.values[CHANGED] = ("ticks", number + 1000)
                agent.values["1.3.6.1.2.1.31.1.1.1.1.1"] = ("text", f"new{number}")

            agent.on_request = move
            return await poller.poll()

    assert sync(asked()) is Failure.RESTLESS


def test_a_port_that_is_gone_is_missed_and_then_forgotten(sync, pollers, device, port):
    async def asked():
        async with pollers(device(port(1, "a", 5), port(2, "b", 6))) as (agent, poller, forward):
            await poller.poll()
            for oid in port(2, "b", 0):
                del agent.values[oid]
            forward(60)
            missed = await poller.poll()
            forward(301)
            return missed, await poller.poll()

    missed, after = sync(asked())
    assert missed.tables["interfaces"].columns["in_octets"] == [5, None]
    assert missed.tally.missing > 0
    assert after.tables["interfaces"].names == ("a",)


def test_names_that_are_shared_are_told_apart(sync, pollers, device, port):
    async def asked():
        async with pollers(device(port(1, "x", 5, descr="left"), port(2, "x", 6, descr="right"))) as (_, poller, _):
            return await poller.poll()

    assert sync(asked()).tables["interfaces"].names == ("x (left)", "x (right)")


def test_a_probe_is_one_question(sync, pollers, device):
    async def asked():
        async with pollers(device(), timeout=0.05) as (agent, poller, _):
            here = await poller.probe()
            agent.dead = True
            gone = await poller.probe()
            return here, gone, agent.requests

    here, gone, requests = sync(asked())
    assert (here, gone, len(requests)) == (None, Failure.SILENT, 2)


def test_rates_come_of_two_readings(sync, pollers, device, port):
    async def asked():
        async with pollers(device(port(1, "a", 2**64 - GIG))) as (agent, poller, forward):
            first = await poller.poll()
            forward(60)
            agent.values.update({oid: ("counter64", 59 * GIG) for oid in agent.values if oid.endswith(".31.1.1.1.6.1")})
            return first, await poller.poll()

    first, second = sync(asked())
    assert isinstance(second, Reading)
    rows = interface_rows(first, second)
    assert rows["in_bps"] == [pytest.approx(1e9)]
    assert rows["in_util"] == [pytest.approx(100)]
    assert rows["gap"] == [None]
    assert second.steady_ns - first.steady_ns == MINUTE
