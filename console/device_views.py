"""What the pages of devices show: one device with its place, or a line of a site's list. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, urlencode

from console.dates import days_until, shown_day
from console.directory import Directory
from console.source_views import SHAPES, number
from console.views import Moment, moment
from core.query import quoted
from core.records import Record
from core.sources import Source
from inventory.records import Device, fold_name

SOON_DAYS = 90
"""So long before its end a warranty or a support is marked."""


class End(Record, frozen=True, kw_only=True):
    """A last day: ``state`` is ``unknown``, ``over``, ``soon`` or ``ahead``; ``days`` are left, or gone by."""

    state: str
    day: str
    days: str


class SourceLink(Record, frozen=True, kw_only=True):
    """A log source as the pages of what it belongs to name it."""

    name: str
    link: str
    state: str
    shape: str
    last: Moment


class SiteDevice(Record, frozen=True, kw_only=True):
    """A device in a site's list; ``source`` is the gravest of its log sources."""

    name: str
    link: str
    role: str
    product: str
    address: str
    life_cycle: str
    access: str
    support: End
    source: SourceLink | None


class DeviceView(Record, frozen=True, kw_only=True):
    """The page of a device; ``place`` is the way from the room to its position."""

    row: SiteDevice
    facts: tuple[tuple[str, str], ...]
    warranty: End
    in_service: str
    place: str
    position: str
    sources: tuple[SourceLink, ...]
    events: str


def device_address(name: str) -> str:
    """The device's page."""
    return f"/devices/{quote(name, safe='')}"


def site_device(device: Device, sources: Iterable[Source], today: str, language: str) -> SiteDevice:
    """The device as one line of its site's list; ``sources`` are its site's."""
    own = sources_of(device, sources)
    return SiteDevice(
        name=device.name,
        link=device_address(device.name),
        role=device.role,
        product=f"{device.vendor} {device.model}",
        address=device.address,
        life_cycle=device.life_cycle,
        access=device.access,
        support=end_of(device.support_end, today, language),
        source=own[0] if own else None,
    )


def device_view(directory: Directory, device: Device, sources: Iterable[Source], language: str) -> DeviceView:
    """All that the device's page shows, but incidents."""
    every = list(sources)
    names = ("family", "serial", "mac", "os_version", "purpose", "owner", "timezone")
    return DeviceView(
        row=site_device(device, every, directory.day, language),
        facts=tuple((name, getattr(device, name)) for name in names),
        warranty=end_of(device.warranty_end, directory.day, language),
        in_service=shown_day(device.in_service),
        place=" › ".join(place.name for place in directory.place_path(device.place)),
        position="" if device.position is None else str(device.position),
        sources=sources_of(device, every),
        events=f"/events?{urlencode({'q': f'host.name:{quoted(device.name)}', 'span': '24h'})}",
    )


def sources_of(device: Device, sources: Iterable[Source]) -> tuple[SourceLink, ...]:
    """Those of its site's sources that are the device, by its name or address; the gravest first."""
    name = fold_name(device.name)
    here = (one for one in sources if one.site == device.site)
    own = [one for one in here if fold_name(one.device) == name or one.address == device.address]
    return tuple(source_link(one) for one in sorted(own, key=gravity))


def source_link(source: Source) -> SourceLink:
    """The source by its name, with the way to its page."""
    return SourceLink(
        name=source.device or source.address,
        link=f"/sources/{quote(source.address, safe='')}",
        state=source.state.value,
        shape=SHAPES[source.state],
        last=moment(source.last),
    )


def gravity(source: Source) -> tuple[object, ...]:
    """By which sources stand: silent ones first."""
    return source.state.value != "silent", source.device, source.address


def end_of(day: str, today: str, language: str) -> End:
    """The last day, and how far away it is."""
    if not day:
        return End(state="unknown", day="", days="")
    left = days_until(day, today)
    state = "over" if left < 0 else "soon" if left <= SOON_DAYS else "ahead"
    return End(state=state, day=shown_day(day), days=number(abs(left), language))


def speed(mbps: float | None, language: str) -> str:
    """Mbit/s as people write it; empty while unknown."""
    return "" if mbps is None else f"{decimal(mbps, language)} Mbit/s"


def decimal(value: float, language: str) -> str:
    """The number with as many digits as it needs, at most two."""
    digits = next(count for count in (0, 1, 2) if count == 2 or round(value, count) == value)  # noqa: PLR2004 - likewise
    return number(value, language, digits)
