"""What a site's page shows: where and whose it is, what stands there, and what is not as it has to be. Pure."""

from __future__ import annotations

from collections import Counter

from console.dates import shown_day
from console.device_views import (
    SiteDevice,
    SourceLink,
    decimal,
    device_address,
    gravity,
    site_device,
    source_link,
    speed,
)
from console.directory import Directory
from console.overview import Overview, SiteState
from console.site_rows import SiteRow, site_address, site_row
from console.unit_views import Day, UnitLink, unit_address
from core.records import Record
from core.scope import Scope
from core.sources import Source
from inventory.objects import Circuit, Place, Service
from inventory.policies import Violation, judge
from inventory.records import Inventory, Site, fold_name
from inventory.registry import key_of


class Former(Record, frozen=True, kw_only=True):
    """A unit that held the site before, and until when."""

    unit: UnitLink
    until: str


class CircuitView(Record, frozen=True, kw_only=True):
    """A circuit; ``far`` is the site at its other end, empty if it ends in the carrier's network or elsewhere."""

    id: str
    kind: str
    carrier: str
    carrier_id: str
    hotline: str
    down: str
    up: str
    sla: str
    repair: str
    far: str
    far_link: str
    life_cycle: str
    until: str


class PlaceView(Record, frozen=True, kw_only=True):
    """A place with how many devices stand right in it."""

    path: str
    kind: str
    devices: int


class ServiceView(Record, frozen=True, kw_only=True):
    """A service that runs at the site."""

    name: str
    kind: str
    address: str
    promised: str
    life_cycle: str


class Slow(Record, frozen=True, kw_only=True):
    """What is slower than the policy of its tier."""

    name: str
    link: str
    role: str
    known: str
    least: str
    source: str


class Speeds(Record, frozen=True, kw_only=True):
    """What came of the comparison with the policy: too slow ones, those of unknown speed, and how many are fine."""

    slow: tuple[Slow, ...]
    unknown: tuple[str, ...]
    met: int


class SiteView(Record, frozen=True, kw_only=True):
    """The page of a site. ``works`` is None where its working time is not known."""

    row: SiteRow
    unit: UnitLink | None
    former: tuple[Former, ...]
    location: str
    coordinates: str
    owner: str
    opened: str
    closed: str
    hours: str
    works: bool | None
    space: str
    devices: tuple[SiteDevice, ...]
    circuits: tuple[CircuitView, ...]
    prefixes: tuple[str, ...]
    places: tuple[PlaceView, ...]
    services: tuple[ServiceView, ...]
    speeds: Speeds
    sources: tuple[SourceLink, ...]


def site_view(overview: Overview, state: SiteState, now: int, language: str) -> SiteView:
    """All that the site's page shows, but incidents (``now`` in nanoseconds UTC)."""
    site, directory = state.site, overview.directory
    calendar = next((one for one in directory.inventory.calendars if one.id == site.calendar), None)
    devices = directory.devices.get(site.id, ())
    return SiteView(
        row=site_row(overview, state),
        unit=_unit(directory, overview.scope, directory.holder(site.unit) or site.unit),
        former=_former(directory, overview.scope, site),
        location=site.location,
        coordinates=_coordinates(site, language),
        owner=site.owner,
        opened=shown_day(site.opened),
        closed=shown_day(site.closed),
        hours=f"{calendar.name}: {calendar.hours.replace(',', ', ')}" if calendar else "",
        works=directory.calendars.is_working(site.id, now),
        space=site.address_space,
        devices=tuple(site_device(one, state.sources, directory.day, language) for one in devices),
        circuits=tuple(_circuit(overview, one, language) for one in directory.circuits.get(site.id, ())),
        prefixes=tuple(one.prefix for one in directory.prefixes.get(site.id, ())),
        places=_places(directory, site.id),
        services=tuple(_service(one, language) for one in directory.services.get(site.id, ())),
        speeds=site_speeds(directory, site, language),
        sources=_sources(state.sources),
    )


def site_speeds(directory: Directory, site: Site, language: str) -> Speeds:
    """What at this site meets the policy of its tier on the directory's day, and what does not."""
    devices = directory.devices.get(site.id, ())
    ports = tuple(port for one in devices for port in directory.interfaces.get(fold_name(one.name), ()))
    circuits, policies = directory.circuits.get(site.id, ()), directory.inventory.policies
    own = Inventory(sites=(site,), devices=devices, interfaces=ports, circuits=circuits, policies=policies)
    judged = judge(own, directory.day)
    called = {("interfaces", key_of("interfaces", port)): f"{port.device} {port.name}" for port in ports}
    called |= {("circuits", key_of("circuits", one)): one.id for one in circuits}
    return Speeds(
        slow=tuple(_slow(one, language) for one in judged.violations),
        unknown=tuple(called.get(one, one[1]) for one in judged.unknown),
        met=judged.met,
    )


def _unit(directory: Directory, scope: Scope, unit_id: str, day: str = "") -> UnitLink | None:
    unit = directory.inventory.org.unit(unit_id)
    if unit is None or not scope.allows_unit(unit_id):
        return None
    told = Day(day or directory.day, directory.day)
    name = directory.inventory.org.name(unit_id, told.chosen) or unit.name
    return UnitLink(id=unit_id, name=name, link=unit_address(unit_id, told), type=unit.type)


def _former(directory: Directory, scope: Scope, site: Site) -> tuple[Former, ...]:
    """The unit under which the site is recorded, if it has ended; else those from which its unit took over."""
    org, holder = directory.inventory.org, directory.holder(site.unit)
    rows = org.passed_to(site.unit) if site.unit != holder else org.origins(holder)
    before = dict.fromkeys(row.predecessor for row in rows if row.day <= directory.day)
    ended = [(one, unit.valid_to) for one in before if (unit := org.unit(one)) and unit.valid_to]
    found = [(_unit(directory, scope, one, last), last) for one, last in ended]
    return tuple(Former(unit=unit, until=shown_day(last)) for unit, last in found if unit)


def _coordinates(site: Site, language: str) -> str:
    if site.latitude is None or site.longitude is None:
        return ""
    return f"{decimal_degrees(site.latitude, language)}; {decimal_degrees(site.longitude, language)}"


def decimal_degrees(degrees: float, language: str) -> str:
    """Degrees to some ten metres."""
    text = f"{degrees:.4f}"
    return text.replace(".", ",") if language == "vi" else text


def _circuit(overview: Overview, circuit: Circuit, language: str) -> CircuitView:
    far = overview.directory.inventory.site(circuit.far_site)
    is_seen = far is not None and overview.scope.allows(far.id)
    return CircuitView(
        id=circuit.id,
        kind=circuit.kind,
        carrier=circuit.carrier,
        carrier_id=circuit.carrier_id,
        hotline=circuit.hotline,
        down=speed(circuit.contracted_mbps_down, language),
        up=speed(circuit.contracted_mbps_up, language),
        sla="" if circuit.sla_percent is None else f"{decimal(circuit.sla_percent, language)} %",
        repair="" if circuit.sla_repair_hours is None else decimal(circuit.sla_repair_hours, language),
        far=far.name if far and is_seen else "",
        far_link=site_address(far.id) if far and is_seen else "",
        life_cycle=circuit.life_cycle,
        until=shown_day(circuit.valid_to),
    )


def _places(directory: Directory, site_id: str) -> tuple[PlaceView, ...]:
    counts = Counter(device.place for device in directory.devices.get(site_id, ()))
    found = [(directory.place_path(place.id), place) for place in directory.places_of.get(site_id, ())]
    views = [_place(path, place, counts[place.id]) for path, place in found]
    return tuple(sorted(views, key=lambda view: view.path))


def _place(path: tuple[Place, ...], place: Place, devices: int) -> PlaceView:
    return PlaceView(path=" › ".join(one.name for one in path), kind=place.kind, devices=devices)


def _service(service: Service, language: str) -> ServiceView:
    promised = "" if service.slo_percent is None else f"{decimal(service.slo_percent, language)} %"
    return ServiceView(
        name=service.name,
        kind=service.kind,
        address=service.address,
        promised=promised,
        life_cycle=service.life_cycle,
    )


def _slow(one: Violation, language: str) -> Slow:
    device = one.name.split(" ", 1)[0] if one.kind == "interfaces" else ""
    return Slow(
        name=one.name,
        link=device_address(device) if device else "",
        role=one.policy.role,
        known=speed(one.known_mbps, language),
        least=speed(one.policy.minimum_mbps, language),
        source=one.policy.source,
    )


def _sources(sources: tuple[Source, ...]) -> tuple[SourceLink, ...]:
    return tuple(source_link(one) for one in sorted(sources, key=gravity))
