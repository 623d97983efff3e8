"""The SNMP lane, wired: what is polled with which set, what is stored and told, and what a restart finds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from snmp_fakes import BAD, GOOD, USER, Network, SnapshotLink, all_bytes, device_table, sealed_of, sector_of
from waiting import run_bounded, until

from app import lane_snmp
from app.lane_snmp import SnmpLane
from app.snmp import sessions
from collectors.snmp.failures import Failure
from core.changes import Place, told_since
from core.clock import MINUTE
from core.device_states import DeviceState, Reach, read_device_states
from core.errors import IntegrityError, UnavailableError
from core.scope import EVERYTHING
from core.settings import RemoteWriteSettings, Settings
from core.stores.series_read import LocalSeries, SeriesQuery
from core.vault import Vault
from inventory.objects import Interface

ADDRESS, OTHER = "10.1.2.3", "10.1.2.4"
ALL = ("prefix", "0.0.0.0/0", "core")


@pytest.fixture
def network(monkeypatch) -> Network:
    made = Network()
    made.put(ADDRESS, device_table())
    monkeypatch.setattr(lane_snmp, "Sessions", lambda: made)

    async def silent(_target: object, failure: Failure) -> Failure:
        return failure

    monkeypatch.setattr(sessions, "diagnose", silent)
    monkeypatch.setattr(sessions, "_NOT_AGAIN", 0.0)
    for name in ("SNAPSHOT_SECONDS", "RECORD_SECONDS", "MAINTAIN_SECONDS", "KEEP_SECONDS"):
        monkeypatch.setattr(lane_snmp, name, 0.02)
    return made


@pytest.fixture
def vault(settings) -> Vault:
    return Vault(settings.secrets)


@pytest.fixture
def link(vault) -> SnapshotLink:
    return SnapshotLink(sector_of(ADDRESS), sealed_of(vault, ALL, core=GOOD))


@pytest.fixture
def quick(settings) -> Settings:
    """The settings with a poll each 50 ms."""
    snmp = settings.lane.snmp.model_copy(update={"period_seconds": 0.05})
    return settings.model_copy(update={"lane": settings.lane.model_copy(update={"snmp": snmp})})


@pytest.fixture
def started(quick, link, clock, network):
    """A lane with its tasks, from its start to its end."""

    @asynccontextmanager
    async def starting(settings: Settings = quick):
        lane = SnmpLane(settings, link, clock)
        await lane.start()
        running = [asyncio.ensure_future(task) for task in lane.tasks()]
        yield lane
        for task in running:
            task.cancel()
        for ended in await asyncio.gather(*running, return_exceptions=True):
            assert isinstance(ended, asyncio.CancelledError), ended
        await lane.stop()
        assert network.open_now == 0

    return starting


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, None]], None]:
    return run_bounded


@pytest.fixture
def state(quick) -> Callable[..., DeviceState]:
    """What the lane says of a device."""

    def look(name: str = "sw-1") -> DeviceState:
        unknown = DeviceState(name=name, site="", address="")
        return read_device_states(quick.device_states).by_name().get(name, unknown)

    return look


@pytest.fixture
def actions(quick) -> Callable[[], list[object]]:
    """What was told, in order."""
    return lambda: [change.fields["event.action"] for change in told_since(quick.changes, Place())]


@pytest.fixture
def rows(quick, clock) -> Callable[..., list[tuple[Any, ...]]]:
    def look(table: str, *columns: str) -> list[tuple[Any, ...]]:
        now = clock.now()
        query = SeriesQuery(table=table, columns=columns, since=now - 60 * MINUTE, until=now + MINUTE)
        return LocalSeries(quick.series).read(EVERYTHING, query).rows

    return look


def test_a_device_is_polled_stored_and_told_of(run, started, state, rows):
    async def work() -> None:
        async with started():
            await until(lambda: state().state is Reach.UP)
        told = state()
        assert (told.credential, told.profile, told.family_known, told.interfaces) == ("core", "cisco", True, 1)
        assert told.varbinds > 0
        stored = rows("interfaces", "oper", "speed_bps", "gap")
        assert stored[0][:3] == ("tha", "sw-1", "Gi0/1")
        assert {row[4:6] for row in stored} == {(1, 1_000_000_000)}
        assert sum(row[6] == "first" for row in stored) == 1
        assert all(row[4] == 1 for row in rows("devices", "up"))

    run(work())


def test_the_first_set_that_is_taken_is_used_and_one_that_is_not_is_told(run, started, state, link, vault, network):
    network.put(ADDRESS, device_table(), USER)
    link.give(sector_of(ADDRESS), sealed_of(vault, ("site", "tha", "old"), ALL, core=USER, old=BAD))

    async def work() -> None:
        async with started():
            await until(lambda: state().state is Reach.UP)
            assert (state().credential, state().refused) == ("core", ("old",)) or state().credential == "core"
            opened = len(network.opened)
            await until(lambda: state().answered and network.open_now == 1)
            assert len(network.opened) == opened, "the set that is taken is remembered"

    run(work())


def test_a_device_that_takes_no_set_is_refused_and_one_that_is_silent_is_down(
    run, started, state, link, vault, actions
):
    link.give(
        sector_of(ADDRESS, OTHER), sealed_of(vault, ("device", "sw-1", "core"), ("device", "sw-2", "core"), core=USER)
    )

    async def work() -> None:
        async with started():
            await until(lambda: state().state is Reach.REFUSED and state("sw-2").state is Reach.DOWN)
            await until(lambda: len(actions()) == 2)
        assert sorted(actions()) == ["device_refuses_credential", "device_silent"]
        assert (state().failure, state().refused) == ("wrong_auth_key", ("core",))
        assert state("sw-2").failure == "silent"

    run(work())


def test_devices_come_and_go_with_the_inventory_and_only_what_changed_is_built_anew(
    run, started, state, link, vault, network
):
    network.put(OTHER, device_table())
    sealed = sealed_of(vault, ALL, core=GOOD)

    async def work() -> None:
        async with started() as lane:
            await until(lambda: state().state is Reach.UP)
            first = lane._followed["sw-1"].poller
            link.give(sector_of(ADDRESS, OTHER), sealed)
            await until(lambda: state("sw-2").state is Reach.UP)
            assert lane._followed["sw-1"].poller is first
            link.give(sector_of(ADDRESS, OTHER), sealed_of(vault, ALL, core=GOOD))  # sealed anew, the same secret
            await until(lambda: lane._sealed.sets != sealed.sets)
            assert lane._followed["sw-1"].poller is first
            link.give(sector_of(ADDRESS, life_cycle="retired"), sealed)
            await until(lambda: not lane._followed and network.open_now == 0)
            await until(lambda: not read_device_states(lane._settings.device_states).devices)

    run(work())


def test_a_centre_that_is_away_or_wrong_leaves_the_last_good_plan(run, started, state, link, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(lane_snmp, "say", said.append)

    async def work() -> None:
        async with started() as lane:
            await until(lambda: state().state is Reach.UP)
            link.content |= {"inventory": b"{}", "credentials": b"\xc1"}
            await until(lambda: len(said) == 2)
            link.away = True
            answered = lane.metrics.polls._value.get()
            await until(lambda: lane.metrics.polls._value.get() > answered + 2)

    run(work())
    assert all("last good" in text for text in said)


def test_a_lane_begins_with_what_it_last_knew_while_the_centre_is_away(run, started, state, link, quick):
    async def work() -> None:
        async with started():
            await until(lambda: state().state is Reach.UP)
        quick.device_states.unlink()
        link.away = True
        async with started():
            await until(lambda: state().state is Reach.UP)

    run(work())


def test_a_set_that_cannot_be_opened_is_said_once_and_without_its_secret(run, started, link, vault, monkeypatch, quick):
    said: list[str] = []
    monkeypatch.setattr(lane_snmp, "say", said.append)
    vault.path.unlink()

    async def work() -> None:
        async with started() as lane:
            assert not lane._followed
            link.give(sector_of(ADDRESS, OTHER), sealed_of(Vault(quick.data / "other"), ALL, core=GOOD))
            await until(lambda: lane._inventory.device_named("sw-2"))

    run(work())
    assert len(said) == 1
    assert "credential set 'core' is not used" in said[0]


@pytest.mark.parametrize("content", [b"{", b'{"format":9}'])
def test_states_of_devices_that_cannot_be_read_are_said_and_learnt_anew(
    run, started, state, quick, monkeypatch, content
):
    said: list[str] = []
    monkeypatch.setattr(lane_snmp, "say", said.append)
    quick.device_states.parent.mkdir(parents=True, exist_ok=True)
    quick.device_states.write_bytes(content)

    async def work() -> None:
        async with started() as lane:
            await until(lambda: quick.device_states.read_bytes() != content and state().state is Reach.UP)
            assert lane.metrics.polls._value.get()

    with pytest.raises(IntegrityError, match="the SNMP lane writes it anew when it runs"):
        read_device_states(quick.device_states)
    run(work())
    (text,) = said
    assert str(quick.device_states) in text
    assert text.endswith(": devices are learnt anew")


class Sending:
    """Remote-write that has lost some, and whose position cannot be noted at the end."""

    overflowed, dropped = 3, 4

    def run(self, stop: Event) -> None:
        stop.wait()

    def waiting(self) -> int:
        return 5

    def append(self, _: object) -> None:
        pass

    def close(self) -> None:
        raise UnavailableError("the disk is full")


@pytest.mark.usefixtures("network")
def test_what_remote_write_lost_is_counted_and_its_failing_end_leaves_nothing_open(
    run, link, clock, quick, monkeypatch
):
    receiver = RemoteWriteSettings(url="http://127.0.0.1:9/api/v1/write")
    snmp = quick.lane.snmp.model_copy(update={"remote_write": receiver})
    sending = quick.model_copy(update={"lane": quick.lane.model_copy(update={"snmp": snmp})})
    monkeypatch.setattr(lane_snmp, "open_remote_write", lambda *_: Sending())

    async def work() -> None:
        lane = SnmpLane(sending, link, clock)
        await lane.start()
        closed: list[str] = []
        store, log = lane._store.close, lane._log.close
        monkeypatch.setattr(lane._store, "close", lambda: (store(), closed.append("store")))
        monkeypatch.setattr(lane._log, "close", lambda: (log(), closed.append("log")))
        with pytest.raises(UnavailableError, match="the disk is full"):
            await lane.stop()
        assert closed == ["store", "log"]
        assert (lane.metrics.waiting._value.get(), lane.metrics.lost._value.get()) == (5, 7)

    run(work())


def test_a_lane_that_is_switched_off_asks_nobody(run, started, quick, network):
    snmp = quick.lane.snmp.model_copy(update={"enabled": False})
    off = quick.model_copy(update={"lane": quick.lane.model_copy(update={"snmp": snmp})})

    async def work() -> None:
        async with started(off) as lane:
            assert lane._inventory.devices

    run(work())
    assert network.opened == []


def test_a_change_while_nobody_looked_is_told_once_by_the_next_process_and_no_rate_is_made_over_it(
    run, started, state, network, actions, rows
):
    async def lives() -> None:
        async with started():
            await until(lambda: state().state is Reach.UP and state().answered)
        before = len(rows("interfaces", "gap"))
        network.put(ADDRESS, device_table(octets=10**15, oper=2))
        for _ in range(2):
            async with started() as lane:
                await until(lambda lane=lane: lane.metrics.polls._value.get() >= 2)
        assert actions() == ["link_down"]
        first = [row for row in rows("interfaces", "in_bps", "gap") if row[5] == "first"]
        assert len(first) >= 3
        assert all(row[4] is None for row in first)
        assert len(rows("interfaces", "gap")) > before

    run(lives())


def test_with_a_port_that_goes_down_the_inventorys_role_of_it_is_told(run, started, network, link, vault, quick):
    sector = sector_of(ADDRESS)
    port = Interface(device=sector.devices[0].name, name="Gi0/1", role="uplink")
    link.give(replace(sector, interfaces=(port,)), sealed_of(vault, ALL, core=GOOD))

    async def lives() -> None:
        async with started() as lane:
            await until(lane.metrics.polls._value.get)
            network.put(ADDRESS, device_table(oper=2))
            await until(lambda: [*told_since(quick.changes, Place())])
        (told,) = told_since(quick.changes, Place())
        assert told.fields["haidang.interface.role"] == "uplink"

    run(lives())


def test_a_lane_that_died_before_it_kept_what_it_knew_finds_it_in_what_it_told(
    run, started, state, network, actions, quick
):
    async def lives() -> None:
        async with started():
            await until(lambda: state().state is Reach.UP)
        kept = quick.snmp / "known.msgpack"
        old = kept.read_bytes()
        network.put(ADDRESS, device_table(oper=2))
        async with started():
            await until(lambda: actions() == ["link_down"])
        kept.write_bytes(old)  # as if it had been killed right after it told
        async with started() as lane:
            await until(lambda: lane.metrics.polls._value.get() >= 2)
        assert actions() == ["link_down"]

    run(lives())


def test_no_secret_is_written_anywhere_but_sealed(run, started, state, link, vault, quick):
    link.give(sector_of(ADDRESS), sealed_of(vault, ("site", "tha", "user"), ALL, core=GOOD, user=USER))

    async def work() -> None:
        async with started():
            await until(lambda: state().state is Reach.UP)

    run(work())
    written = all_bytes(quick.data)
    for secret in (b"authentic-1", b"private-22", b'"good"', b'"community"'):
        assert secret not in written
