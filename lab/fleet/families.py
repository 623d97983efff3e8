"""The families of devices: how each calls itself and its ports, and what it answers (``data/fleet/families.yml``)."""

from __future__ import annotations

from functools import cache

import msgspec

from core.records import Record
from lab.sector import HOME

FAMILIES = HOME / "data" / "fleet" / "families.yml"

MEGABIT = 1_000_000
USUAL, FAST = 1000 * MEGABIT, 10_000 * MEGABIT
"""Bits a second of a port."""


class Family(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of device.

    Attributes:
        role: its place at a site: router, switch, firewall, server, ups, pdu, sensor.
        object_id: sysObjectID.
        descr: sysDescr, with {version} and {name}.
        port: ifName, with {n} from 1 or {m} from 0; ``port_descr`` is ifDescr.
        first_index: ifIndex of the first port.
        fast_ports: how many of the last ports are of 10 Gbit/s.
        mib: what it answers beside system, interfaces, entities and LLDP; names of ``lab.fleet.mibs``.
    """

    role: str
    vendor: str
    model: str
    object_id: str
    version: str
    descr: str
    port: str
    port_descr: str
    first_index: int
    mib: tuple[str, ...]
    fast_ports: int = 0

    @cache  # noqa: B019 - families live as long as the program, and their ports share the texts
    def port_name(self, row: int) -> str:
        """The ifName of the port in this row, which counts from 0."""
        return self.port.format(n=row + 1, m=row)

    @cache  # noqa: B019 - likewise
    def port_description(self, row: int) -> str:
        """The ifDescr of the port in this row."""
        return self.port_descr.format(n=row + 1, m=row)

    def port_speed(self, row: int, ports: int) -> int:
        """Bits a second."""
        return FAST if row >= ports - self.fast_ports and ports > self.fast_ports + 1 else USUAL


@cache
def families() -> dict[str, Family]:
    """All families by their names.

    Raises:
        msgspec.ValidationError: the shipped file was changed and is wrong.
    """
    return msgspec.yaml.decode(FAMILIES.read_bytes(), type=dict[str, Family])


@cache
def families_of(role: str) -> tuple[str, ...]:
    """The names of the families with this role, in the file's order."""
    return tuple(name for name, family in families().items() if family.role == role)
