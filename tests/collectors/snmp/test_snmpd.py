"""Against Debian's snmpd: every value is what snmpbulkwalk reads, and every wrong credential is told for what it is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from collectors.snmp.failures import Failure
from collectors.snmp.learn import identify
from collectors.snmp.poll import DevicePoller, Polled
from collectors.snmp.profiles import Column, Kind, shipped_profiles
from collectors.snmp.readings import Reading, Tally
from collectors.snmp.session import Sessions, Target, Version, diagnose
from core.clock import SystemClock
from inventory.credentials import PrivProtocol

MOVING = {
    "uptime", "used", "cpu", "processes", "load", "memory_free", "memory_cached", "memory_buffers",
}  # fmt: skip
"""Columns of a machine at work: what they show lies between two walks, as counters of traffic do."""

WAYS = [
    ("", "127.0.0.1", Version.V2C),
    ("", "::1", Version.V2C),
    ("", "127.0.0.1", Version.V1),
    ("sha256", "127.0.0.1", Version.V2C),
    ("sha256", "::1", Version.V2C),
    ("sha", "127.0.0.1", Version.V2C),
    ("md5", "127.0.0.1", Version.V2C),
    ("sha512", "::1", Version.V2C),
]


async def polled(target: Target) -> tuple[DevicePoller, Reading]:
    poller = DevicePoller(Polled(device="host"), Sessions().open(target), shipped_profiles(), SystemClock())
    reading = await poller.poll()
    poller.close()
    assert isinstance(reading, Reading), reading
    return poller, reading


def oracle(printed: str, column: Column, scale: float) -> Any:
    """What snmpbulkwalk printed, as the column means it."""
    kind, _, value = printed.partition(": ")
    if printed == '""' or column.kind is Kind.TEXT:
        text = printed.strip('"') if printed == '""' else value.strip('"')
        if kind == "Hex-STRING":
            return ":".join(value.lower().split()) if column.unit == "mac" else bytes.fromhex(value).decode()
        return text.lstrip(".") if kind == "OID" else text
    number = int(re.search(r"-?\d+", printed if kind.isdigit() else value)[0])  # type: ignore[index]
    if column.kind is Kind.STATE:
        return column.states.get(number, str(number))
    return None if number in column.absent else number * scale


@pytest.mark.parametrize(("user", "address", "version"), WAYS)
def test_every_value_is_what_snmpbulkwalk_reads(snmpd, sync, user, address, version):
    first = {root: snmpd.bulkwalk(root) for root in ("1.3.6.1.2.1", "1.3.6.1.4.1.2021")}
    poller, reading = sync(polled(snmpd.target(user, address, version)))
    then = first["1.3.6.1.2.1"] | first["1.3.6.1.4.1.2021"]
    now = snmpd.bulkwalk("1.3.6.1.2.1") | snmpd.bulkwalk("1.3.6.1.4.1.2021")
    assert poller.layout is not None
    assert poller.layout.profile.name == "net_snmp"
    compared = 0
    for name, layout in poller.layout.tables.items():
        table = reading.tables[name]
        for column in layout.table.columns:
            cells = table.columns.get(column.name) or table.labels.get(column.name)
            for row, index in enumerate(table.indexes if cells else ()):
                plans = {plan.name: plan.oids[row] for plan in (*layout.minute, *layout.quarter)}
                oid = plans.get(column.name) or f"{column.oid}.{index}"
                if cells[row] is None and oid not in now:
                    continue
                uses_other = not oid.startswith(f"{column.oid}.")
                scale = column.other.scale if uses_other and column.other else column.scale
                if column.factor:
                    scale *= table.labels[column.factor][row]
                bounds = [oracle(walk[oid], column, scale) for walk in (then, now) if oid in walk]
                compared += 1
                if column.kind in {Kind.COUNTER32, Kind.COUNTER64, Kind.TIMETICKS} or column.name in MOVING:
                    assert is_between(cells[row], bounds), (name, column.name, cells[row], bounds)
                else:
                    assert cells[row] in bounds, (name, column.name, cells[row], bounds)
    assert compared > (100 if version is Version.V1 else 120)


def test_a_process_that_the_agent_is_told_to_watch_and_that_does_not_run_is_read_as_failed(snmpd, sync):
    _, reading = sync(polled(snmpd.target("", "127.0.0.1", Version.V2C)))
    watched = reading.tables["watched_processes"]
    assert watched.names == ("snmpd", "nobody-runs-this")
    assert (watched.columns["state"], watched.columns["value"][1]) == (["normal", "failed"], 0)


def is_between(cell: Any, bounds: list[Any]) -> bool:
    """A gauge that moves may have been elsewhere between two walks; a counter may not."""
    low, high = min(bounds), max(bounds)
    return low <= cell <= high or (isinstance(cell, int | float) and cell >= 0 and cell <= high * 10 + 100)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_device_says_what_it_is(snmpd, sync, address):
    async def asked() -> Any:
        session = Sessions().open(snmpd.target("sha256", address))
        identity = await identify(session, Tally())
        session.close()
        return identity

    identity = sync(asked())
    assert identity.object_id.startswith("1.3.6.1.4.1.8072.3.2")
    assert "Linux" in identity.descr
    assert identity.name


WRONG = [
    ("sha256", {"named": "nobody"}, Failure.UNKNOWN_USER),
    ("sha256", {"auth_passphrase": "another-passphrase"}, Failure.WRONG_AUTH_KEY),
    ("sha256", {"auth_protocol": "SHA"}, Failure.WRONG_AUTH_KEY),
    ("sha256", {"priv_passphrase": "another-passphrase"}, Failure.WRONG_PRIV_KEY),
    ("sha256", {"priv_protocol": PrivProtocol.DES}, Failure.WRONG_PRIV_KEY),
    ("md5", {"priv_passphrase": "another-passphrase"}, Failure.WRONG_PRIV_KEY),
    ("", {"community": "another"}, Failure.WRONG_COMMUNITY),
]


@pytest.mark.parametrize(("user", "changed", "failure"), WRONG)
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_wrong_credential_is_told_for_what_it_is(snmpd, sync, address, user, changed, failure):
    async def asked(target: Target) -> Any:
        session = Sessions().open(target)
        found = await identify(session, Tally())
        session.close()
        return await diagnose(target, found) if isinstance(found, Failure) else found

    told = sync(asked(snmpd.target(user, address, **changed)))
    assert told is failure
    assert told.is_credential


@pytest.mark.parametrize("user", ["", "sha256"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_port_on_which_nobody_listens_is_told_apart_from_silence(snmpd, sync, unused_port, user, address):
    async def asked(target: Target) -> Any:
        session = Sessions().open(target)
        found = await session.get(["1.3.6.1.2.1.1.3.0"])
        again = await session.get(["1.3.6.1.2.1.1.3.0"])
        session.close()
        return found, again

    given = snmpd.target(user, address)
    target = Target(address=address, credential=given.credential, port=unused_port, timeout=1.0)
    assert sync(asked(target)) == (Failure.REFUSED, Failure.REFUSED)


def test_a_kept_session_survives_the_agents_restart(sync, restartable):
    async def asked() -> Any:
        session = Sessions().open(restartable.target("sha256"))
        before = await session.get(["1.3.6.1.2.1.1.3.0"])
        restartable.restart()
        after = await session.get(["1.3.6.1.2.1.1.3.0"])
        again = await session.get(["1.3.6.1.2.1.1.3.0"])
        session.close()
        return before, after, again

    before, after, again = sync(asked())
    assert isinstance(before, dict)
    assert isinstance(after, dict) or after is Failure.SILENT  # the old clock's question may go unanswered
    assert isinstance(again, dict), again
