"""Devices without a wire: sessions that answer from a table, and a centre that gives a lane its snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from collectors.snmp.failures import Failure
from collectors.snmp.session import Target, Values
from collectors.snmp.walks import Walked
from core.errors import UnavailableError
from core.sealed import SealedSet, SealedSets, encode_sealed
from core.snapshots import snapshot
from core.stores.credentials import subject
from core.vault import Secret, Vault
from inventory.credentials import SnmpV2c, SnmpV3, encode_credential, kind_of
from inventory.records import Device, Inventory, Site
from inventory.snapshot import encode_snapshot
from inventory.units import Unit

GOOD, BAD = SnmpV2c(community=Secret("good")), SnmpV2c(community=Secret("bad"))
USER = SnmpV3(user=Secret("u"), auth_passphrase=Secret("authentic-1"), priv_passphrase=Secret("private-22"))

_PORTS, _MORE = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"


def device_table(octets: int = 1000, oper: int = 1, uptime: int = 100_000) -> dict[str, Any]:
    """A switch with one port."""
    return {
        "1.3.6.1.2.1.1.1.0": b"Made for a test",
        "1.3.6.1.2.1.1.2.0": "1.3.6.1.4.1.9.1.1208",
        "1.3.6.1.2.1.1.3.0": uptime,
        "1.3.6.1.2.1.1.5.0": b"SW-1",
        "1.3.6.1.2.1.2.1.0": 1,
        "1.3.6.1.2.1.31.1.5.0": 5,
        f"{_PORTS}.2.1": b"port 1",
        f"{_PORTS}.3.1": 6,
        f"{_PORTS}.7.1": 1,
        f"{_PORTS}.8.1": oper,
        f"{_MORE}.1.1": b"Gi0/1",
        f"{_MORE}.6.1": octets,
        f"{_MORE}.10.1": octets,
        f"{_MORE}.15.1": 1000,
    }


class Network:
    """All devices by address: what they answer, and to which credential.

    Attributes:
        dead: addresses that are silent.
        opened: the targets for which a session was opened.
    """

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Any]] = {}
        self.takes: dict[str, object] = {}
        self.dead: set[str] = set()
        self.opened: list[Target] = []
        self.open_now = 0

    def put(self, address: str, table: dict[str, Any], credential: object = GOOD) -> None:
        """A device at this address."""
        self.tables[address], self.takes[address] = table, credential

    def open(self, target: Target) -> FakeSession:
        """As ``collectors.snmp.session.Sessions``."""
        self.opened.append(target)
        self.open_now += 1
        return FakeSession(self, target)


class FakeSession:
    """Answers at once."""

    def __init__(self, network: Network, target: Target) -> None:
        self._network = network
        self._target = target
        self._is_open = True

    async def get(self, oids: Sequence[str]) -> Values | Failure:
        failure = self._failure()
        if failure is not None:
            return failure
        table = self._network.tables[self._target.address]
        return {oid: table[oid] for oid in oids if oid in table}

    async def walk(self, root: str, _most: int) -> Walked | Failure:
        failure = self._failure()
        if failure is not None:
            return failure
        table = self._network.tables[self._target.address]
        rows = [(oid, value) for oid, value in table.items() if oid.startswith(f"{root}.")]
        return Walked(rows=sorted(rows, key=lambda row: tuple(map(int, row[0].split(".")))))

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._network.open_now -= 1

    def _failure(self) -> Failure | None:
        address = self._target.address
        if address in self._network.dead or address not in self._network.tables:
            return Failure.SILENT
        if self._network.takes[address] == self._target.credential:
            return None
        return Failure.WRONG_AUTH_KEY if isinstance(self._target.credential, SnmpV3) else Failure.SILENT


def sector_of(*addresses: str, life_cycle: str = "in_service") -> Inventory:
    """One site with a device at each of these addresses: sw-1, sw-2 ..."""
    return Inventory(
        units=(Unit(id="tc", name="VKSND tối cao", type="supreme"),),
        sites=(Site(id="tha", name="Thanh Hóa", unit="tc", address_space="default", tier="PROVINCE"),),
        devices=tuple(
            Device(
                name=f"sw-{number}",
                site="tha",
                address=address,
                vendor="cisco",
                model="C9300",
                role="switch",
                life_cycle=life_cycle,
            )
            for number, address in enumerate(addresses, start=1)
        ),
    )


def sealed_of(vault: Vault, *targets: tuple[str, str, str], **sets: SnmpV2c | SnmpV3) -> SealedSets:
    """Credential sets as the centre gives them."""
    made = tuple(
        SealedSet(name=name, kind=kind_of(one), body=vault.encrypt(encode_credential(one), subject(name)))
        for name, one in sets.items()
    )
    return SealedSets(sets=made, targets=targets)


class SnapshotLink:
    """A centre that gives snapshots; while ``away`` it does not answer."""

    def __init__(self, inventory: Inventory, sealed: SealedSets) -> None:
        self.away = False
        self.content: dict[str, bytes] = {}
        self.give(inventory, sealed)

    def give(self, inventory: Inventory, sealed: SealedSets) -> None:
        """From now on these."""
        self.content = {"inventory": encode_snapshot(inventory), "credentials": encode_sealed(sealed)}

    async def snapshot(self, kind: str, version: str) -> tuple[str, bytes] | None:
        if self.away:
            raise UnavailableError("the centre does not answer")
        current = snapshot(self.content[kind])
        return None if current.version == version else (current.version, current.content)


def all_bytes(folder: Path) -> bytes:
    """All that lies in the folder's files."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
