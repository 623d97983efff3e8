"""Every family of the fleet, read by our poller and by pysnmp: the same values, and none missing."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator

import pytest
from fleets import Running, running
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    get_cmd,
    usmAesCfb128Protocol,
    usmHMAC192SHA256AuthProtocol,
)

from collectors.snmp.failures import Failure
from collectors.snmp.poll import DevicePoller, Polled
from collectors.snmp.profiles import shipped_profiles
from collectors.snmp.session import Session, Sessions, Target
from core.clock import SystemClock
from core.settings import SnmpSettings
from core.vault import Secret
from inventory.credentials import SnmpV2c, SnmpV3
from lab.fleet.families import families
from lab.fleet.invented import invented_sector, parse_size

pytestmark = pytest.mark.skipif(shutil.which("snmpd") is None, reason="the programs of the SNMP tests are not there")

SIZE = "40x4x4+3"
USER, AUTH, PRIV = "noc", "authpass1", "privpass1"
SETS = {
    "v2c": SnmpV2c(community=Secret("public")),
    "v3": SnmpV3(user=Secret(USER), auth_passphrase=Secret(AUTH), priv_passphrase=Secret(PRIV)),
}
READERS = {
    "v2c": CommunityData("public"),
    "v3": UsmUserData(USER, AUTH, PRIV, usmHMAC192SHA256AuthProtocol, usmAesCfb128Protocol),
}
BATCH = 20
"""Values that pysnmp asks for at a time."""


@pytest.fixture(scope="module")
def fleet() -> Iterator[Running]:
    """Values stand still for a minute, so that two readers can be compared."""
    with running("--size", SIZE, "--tick", "60", "--v3", f"{USER}:{AUTH}:{PRIV}") as made:
        yield made


def devices() -> dict[str, str]:
    """An address of each family that the sector has."""
    found: dict[str, str] = {}
    for node in invented_sector(parse_size(SIZE), 1).nodes:
        found.setdefault(node.family.object_id + node.family.model, str(node.address))
    return found


class Kept:
    """A session that keeps what its last poll was answered."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.values: dict[str, object] = {}
        self.walk, self.close = session.walk, session.close

    async def get(self, oids):
        answer = await self._session.get(oids)
        if not isinstance(answer, Failure):
            self.values |= answer
        return answer


async def polled(address: str, port: int, way: str) -> tuple[dict[str, object], int]:
    """All that the poller was answered, and how many values it missed."""
    target = Target(address=address, port=port, credential=SETS[way], timeout=SnmpSettings().timeout_seconds)
    session = Kept(Sessions().open(target))
    poller = DevicePoller(Polled(device=address), session, shipped_profiles(), SystemClock())
    try:
        reading = await poller.poll()
        assert not isinstance(reading, Failure)
        return session.values, reading.tally.missing
    finally:
        poller.close()


async def by_pysnmp(address: str, port: int, way: str, oids: list[str]) -> dict[str, object]:
    engine = SnmpEngine()
    target = await UdpTransportTarget.create((address, port), timeout=3, retries=2)
    found: dict[str, object] = {}
    for start in range(0, len(oids), BATCH):
        asked = [ObjectType(ObjectIdentity(oid)) for oid in oids[start : start + BATCH]]
        error, status, _, variables = await get_cmd(
            engine, READERS[way], target, ContextData(), *asked, lookupMib=False
        )
        assert (error, int(status)) == (None, 0)
        found |= {str(name): value for name, value in variables}
    engine.close_dispatcher()
    return found


def alike(ours: object, theirs: object) -> bool:
    """Whether both read the same: a number, or octets in the text that each makes of them."""
    if isinstance(ours, int | float):
        return int(ours) == int(theirs)
    octets = theirs.asOctets() if hasattr(theirs, "asOctets") else str(theirs).encode()
    return ours in {str(theirs), octets} or (isinstance(ours, bytes) and ours == octets)


def test_the_sector_of_the_test_has_every_family():
    assert len(devices()) >= len(families()) - 1


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", SETS)
def test_of_every_family_each_value_is_what_pysnmp_reads(fleet, way):
    async def compare(address: str) -> int:
        ours, missing = await polled(address, fleet.port, way)
        assert missing == 0, address
        moving = {oid for oid in ours if oid.startswith(("1.3.6.1.2.1.1.3.", "1.3.6.1.2.1.25.1.1."))}  # uptimes
        asked = sorted(set(ours) - moving)
        theirs = await by_pysnmp(address, fleet.port, way, asked)
        assert [oid for oid in asked if not alike(ours[oid], theirs[oid])] == [], address
        return len(asked)

    async def all_of_them() -> int:
        return sum([await compare(address) for address in devices().values()])

    compared = asyncio.run(all_of_them())
    print(f"{way}: {compared} values of {len(devices())} families are what pysnmp reads")
    assert compared > 30 * len(devices())
