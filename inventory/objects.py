"""What else the inventory knows: places, interfaces, links, circuits, address spaces, services, calendars, policies.

Every record is one flat row, so that CSV, YAML, XLSX, the database and a comparison treat all alike.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from core.records import Record
from inventory.units import Day, Text

Line: TypeAlias = Annotated[str, msgspec.Meta(max_length=1000)]
"""Text of one line, or nothing."""

Date: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
"""A date (ISO 8601), as of Asia/Ho_Chi_Minh."""

Speed: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=10_000_000)]
"""Mbit/s."""

Percent: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=100)]
Hours: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=10_000)]
Latitude: TypeAlias = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude: TypeAlias = Annotated[float, msgspec.Meta(ge=-180, le=180)]
"""Degrees, WGS 84."""

RackUnit: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=100)]

LifeCycle: TypeAlias = Literal["planned", "commissioning", "in_service", "retired"]
"""Where a thing is in its life, from the plan to its end."""

PlaceKind: TypeAlias = Literal["room", "row", "rack", "position"]
PLACE_KINDS = ("room", "row", "rack", "position")
"""From the largest: a place lies in one that is larger, or in a room that is part of a room."""

InterfaceRole: TypeAlias = Literal["", "uplink", "inter_switch", "server", "access"]
CircuitKind: TypeAlias = Literal["state", "wan", "internet", "leased"]
LinkKind: TypeAlias = Literal["local", "state", "wan", "internet", "leased"]
DayKind: TypeAlias = Literal["holiday", "working"]
Access: TypeAlias = Literal["full", "read_only"]
PolicySubject: TypeAlias = Literal["backbone", "device", "access", "circuit"]
PolicyRole: TypeAlias = Literal["uplink", "inter_switch", "server", "access", "state", "wan", "internet", "leased"]


class Place(Record, frozen=True, kw_only=True):
    """A room, a row of racks, a rack, or a position at a site.

    Attributes:
        parent: id of the larger place it lies in; empty for one directly at the site.
    """

    id: Text
    site: Text
    kind: PlaceKind
    name: Text
    parent: Line = ""


class Interface(Record, frozen=True, kw_only=True):
    """A port of a device.

    Attributes:
        name: as the device calls it (ifName, RFC 2863).
        role: what it leads to; empty while unknown. ``inter_switch`` joins the devices of the core.
        speed_mbps: Mbit/s that it was bought or measured for; None while unknown.
    """

    device: Text
    name: Text
    role: InterfaceRole = ""
    speed_mbps: Speed | None = None
    description: Line = ""


class Link(Record, frozen=True, kw_only=True):
    """What joins two devices.

    Attributes:
        a_device: one end; ``b_device`` is the other.
        a_interface: the port at that end; empty while unknown.
        kind: over what it runs: the site's own cabling or a kind of circuit.
        circuit: id of the circuit it runs over; empty for none.
    """

    id: Text
    a_device: Text
    b_device: Text
    kind: LinkKind
    a_interface: Line = ""
    b_interface: Line = ""
    circuit: Line = ""


class Circuit(Record, frozen=True, kw_only=True):
    """A line that a carrier provides to a site.

    Attributes:
        kind: ``state`` is the dedicated network of Party and State bodies (mạng truyền số liệu chuyên dùng, TSLCD).
        far_site: id of the site at the other end; empty if it ends in the carrier's network.
        carrier_id: what the carrier calls it.
        hotline: the carrier's telephone number for faults.
        contracted_mbps_down: Mbit/s towards the site by contract; None while unknown.
        sla_percent: availability by contract.
        sla_repair_hours: the longest repair by contract.
        valid_from: first day of the contract; empty while unknown.
        valid_to: its last day; empty while it has none.
    """

    id: Text
    site: Text
    kind: CircuitKind
    far_site: Line = ""
    carrier: Line = ""
    carrier_id: Line = ""
    hotline: Line = ""
    contracted_mbps_down: Speed | None = None
    contracted_mbps_up: Speed | None = None
    sla_percent: Percent | None = None
    sla_repair_hours: Hours | None = None
    life_cycle: LifeCycle = "in_service"
    valid_from: Day = ""
    valid_to: Day = ""


class Space(Record, frozen=True, kw_only=True):
    """An address space (VRF): within it an address is one device's."""

    id: Text
    name: Text
    description: Line = ""


class Service(Record, frozen=True, kw_only=True):
    """A system that people use, watched as a whole.

    Attributes:
        unit: id of the unit that answers for it.
        kind: how it is reached: ``web``, ``mail``, ``dns``, ``api`` ...
        address: its URL or its name and port.
        site: id of the site it runs at; empty while unknown.
        slo_percent: the availability that was promised.
    """

    id: Text
    name: Text
    unit: Text
    kind: Text
    address: Text
    site: Line = ""
    slo_percent: Percent | None = None
    life_cycle: LifeCycle = "in_service"


class Calendar(Record, frozen=True, kw_only=True):
    """When a site works in an ordinary week, in Asia/Ho_Chi_Minh.

    Attributes:
        weekdays: ``1-5`` or ``1,3,5``; 1 is Monday (ISO 8601).
        hours: ``07:30-11:30,13:00-16:30``; the end is no longer within; a day ends at 24:00.
    """

    id: Text
    name: Text
    weekdays: Text
    hours: Text


class CalendarDay(Record, frozen=True, kw_only=True):
    """Days that are not as their weekday says.

    Attributes:
        valid_from: the first day.
        valid_to: the last day.
        kind: a ``holiday``, or ``working`` days on a weekend (làm bù).
        name: Tết Nguyên đán, Quốc khánh ...
        source: the decision that says so.
    """

    calendar: Text
    valid_from: Date
    valid_to: Date
    kind: DayKind
    name: Text
    source: Line = ""


class Policy(Record, frozen=True, kw_only=True):
    """A least speed for the sites of a tier.

    Attributes:
        what: the part of the network the rule names; ``circuit`` judges circuits, all others interfaces.
        role: the interface's role, or the circuit's kind, that is judged by it.
        minimum_mbps: Mbit/s.
        valid_from: the first day; empty if it began before all that is recorded.
        valid_to: the last day; empty while it holds.
        source: where it is written.
    """

    tier: Text
    what: PolicySubject
    role: PolicyRole
    minimum_mbps: Speed
    valid_from: Day = ""
    valid_to: Day = ""
    source: Line = ""
