"""A sector as large as the real one: the shipped provinces with area units, sites and devices made up for the tests."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from core.clock import HOUR, MINUTE
from core.device_states import DeviceState, DeviceStates, Reach
from core.sources import Source, Sources, SourceState
from inventory.load import load_inventory
from inventory.objects import Calendar, Circuit, Interface, Place, Space
from inventory.records import Device, Inventory, Prefix, Site
from inventory.shipped import SHIPPED
from inventory.units import Unit

DAY = "2026-11-21"
_STATES = (SourceState.ALIVE, SourceState.SURGING, SourceState.LEARNING, SourceState.SILENT)
_ROLES = ("router", "firewall", "switch", "server")


def large_sector(sites: int = 800, devices: int = 3200) -> Inventory:
    """So many sites among the 34 provinces of today, each with its share of the devices."""
    shipped = load_inventory(SHIPPED)
    provinces = [unit for unit in shipped.units if unit.type == "province" and not unit.valid_to]
    places = [_area(provinces[n % len(provinces)], n // len(provinces)) for n in range(sites)]
    made = tuple(_site(n, unit) for n, unit in enumerate(places))
    stand = tuple(_device(n, made[n % sites], n // sites) for n in range(devices))
    return Inventory(
        units=(*shipped.units, *{unit.id: unit for unit in places if unit.type == "area"}.values()),
        unit_facts=shipped.unit_facts,
        successions=shipped.successions,
        sites=made,
        places=tuple(place for site in made for place in _places(site)),
        devices=stand,
        interfaces=tuple(port for one in stand for port in _ports(one)),
        circuits=tuple(circuit for site in made for circuit in _circuits(site)),
        spaces=(Space(id="wan", name="WAN"),),
        prefixes=tuple(
            Prefix(space="wan", prefix=f"10.{n // 256}.{n % 256}.0/24", site=made[n].id) for n in range(sites)
        ),
        calendars=(Calendar(id="hc", name="Giờ hành chính", weekdays="1-5", hours="07:30-11:30,13:00-16:30"),),
    )


def large_sources(inventory: Inventory, now: int) -> Sources:
    """A log source for each device but those of every tenth site; some are silent, and at some sites all."""
    chance = random.Random(7)  # noqa: S311 - the same sources at every run
    watched = [device for device in inventory.devices if int(device.site[1:]) % 10]
    return Sources(written=now - MINUTE, sources=tuple(_source(device, chance, now) for device in watched))


def large_states(inventory: Inventory, now: int) -> DeviceStates:
    """How each device answers SNMP; some do not, some refuse, and those of every ninth site were never polled."""
    polled = [device for device in inventory.devices if int(device.site[1:]) % 9]
    return DeviceStates(written=now - MINUTE, period=60, devices=tuple(_device_state(one, now) for one in polled))


def _device_state(device: Device, now: int) -> DeviceState:
    number = int(device.serial[2:])
    state = Reach.DOWN if number % 29 == 3 else Reach.REFUSED if number % 61 == 7 else Reach.UP
    return DeviceState(
        name=device.name,
        site=device.site,
        address=device.address,
        state=state,
        since=now - 300 * HOUR,
        profile=device.vendor.lower(),
        credential="mac-dinh",
        failure="silent" if state is Reach.DOWN else "wrong_community" if state is Reach.REFUSED else "",
        answered=now - (5 * HOUR if state is not Reach.UP else MINUTE // 2),
        rtt_ms=4.2,
        varbinds=300,
        missed=0 if state is Reach.UP else 12,
    )


def _area(province: Unit, number: int) -> Unit:
    if number == 0:
        return province
    name = province.name.replace("Viện kiểm sát nhân dân", f"Viện kiểm sát nhân dân khu vực {number},", 1)
    return Unit(id=f"{province.id}-kv{number}", name=name, type="area", parent=province.id, valid_from="2025-07-01")


def _site(number: int, unit: Unit) -> Site:
    return Site(
        id=f"s{number}",
        name=unit.name.replace("Viện kiểm sát nhân dân", "Trụ sở VKSND", 1),
        unit=unit.id,
        address_space="wan",
        tier="PROVINCE" if unit.type == "province" else "AREA",
        location=f"{number} đường Trần Hưng Đạo",
        latitude=21.0285,
        longitude=105.8542,
        life_cycle="retired" if number % 97 == 96 else "planned" if number % 89 == 88 else "in_service",
        opened="2020-01-01",
        calendar="hc",
        owner="Phòng Công nghệ thông tin",
    )


def _device(number: int, site: Site, place: int) -> Device:
    role = _ROLES[place % len(_ROLES)]
    index = int(site.id[1:])
    return Device(
        name=f"{role}-{site.id}-{place}",
        site=site.id,
        address=f"10.{index // 256}.{index % 256}.{place + 1}",
        vendor="Cisco" if role == "router" else "Fortinet" if role == "firewall" else "HPE",
        model=f"M{place}",
        role=role,
        place=f"{site.id}-r1",
        position=place % 40 + 1,
        serial=f"SN{number:06d}",
        warranty_end="2026-12-31" if number % 3 else "2025-06-30",
        support_end="" if number % 5 == 0 else "2029-12-31",
        access="read_only" if number % 50 == 49 else "full",
    )


def _places(site: Site) -> Iterator[Place]:
    yield Place(id=f"{site.id}-p", site=site.id, kind="room", name="Phòng máy chủ")
    yield Place(id=f"{site.id}-r1", site=site.id, kind="rack", name="Tủ 1", parent=f"{site.id}-p")


def _ports(device: Device) -> Iterator[Interface]:
    yield Interface(device=device.name, name="ge-0/0/0", role="uplink", speed_mbps=1000.0)
    speed = None if device.position == 1 else 100.0
    yield Interface(device=device.name, name="ge-0/0/1", role="access", speed_mbps=speed, description="Tầng 2")


def _circuits(site: Site) -> Iterator[Circuit]:
    yield Circuit(
        id=f"{site.id}-tslcd",
        site=site.id,
        kind="state",
        carrier="VNPT",
        carrier_id=f"TSLCD/{site.id.upper()}",
        hotline="1800 0000",
        contracted_mbps_down=20.0,
        contracted_mbps_up=20.0,
        sla_percent=99.9,
        sla_repair_hours=4.0,
        valid_to="2027-12-31",
    )
    yield Circuit(id=f"{site.id}-net", site=site.id, kind="internet", carrier="Viettel")


def _source(device: Device, chance: random.Random, now: int) -> Source:
    is_dark = int(device.site[1:]) % 45 == 1
    state = SourceState.SILENT if is_dark else chance.choices(_STATES, (300, 3, 6, 2))[0]
    return Source(
        address=device.address,
        device=device.name,
        site=device.site,
        known=True,
        kinds=(f"{device.vendor.lower()}/system",),
        ways=("udp",),
        first=now - 9000 * HOUR,
        last=now - (5 * HOUR if state is SourceState.SILENT else MINUTE),
        state=state,
        since=now - 5 * HOUR,
        rate=1.5,
        received=1000,
        stored=1000,
        understood=990,
        limit=900.0,
    )


def small_sector() -> Inventory:
    """A few sites of the shipped units: at the centre, in five provinces, and one recorded under a former unit."""
    shipped = load_inventory(SHIPPED)
    sites = (
        _small("dc", "Trung tâm dữ liệu", "vks-toi-cao", tier="DC", province="Hà Nội"),
        _small("dn", "Trụ sở Đà Nẵng", "vks-da-nang", calendar="hc"),
        _small("dn1", "Trụ sở Sơn Trà", "vks-da-nang-kv1", tier="AREA"),
        _small("ag", "Trụ sở An Giang", "vks-an-giang"),
        _small("lc", "Trụ sở Lào Cai", "vks-lao-cai"),
        _small("yb", "Trụ sở Yên Bái", "vks-yen-bai", life_cycle="commissioning"),
        _small("ct", "Trụ sở Ấp Mới", "vks-can-tho"),
    )
    area = Unit(
        id="vks-da-nang-kv1",
        name="Viện kiểm sát nhân dân khu vực 1, thành phố Đà Nẵng",
        type="area",
        parent="vks-da-nang",
        valid_from="2025-07-01",
    )
    return Inventory(
        units=(*shipped.units, area),
        unit_facts=shipped.unit_facts,
        successions=shipped.successions,
        sites=sites,
        places=(
            Place(id="dn-p", site="dn", kind="room", name="Phòng 101"),
            Place(id="dn-t", site="dn", kind="rack", name="Tủ A", parent="dn-p"),
        ),
        devices=(
            _small_device("RT-DN", "dn", "10.1.0.1", place="dn-t", position=7, support_end="2026-12-01"),
            _small_device("FW-DN", "dn", "10.1.0.2", warranty_end="2026-11-01", access="read_only"),
            _small_device("RT-LC", "lc", "10.2.0.1"),
        ),
        interfaces=(
            Interface(device="RT-DN", name="ge-0", role="inter_switch", speed_mbps=10.0),
            Interface(device="RT-DN", name="ge-1", role="access"),
        ),
        circuits=(
            Circuit(
                id="dn-tslcd",
                site="dn",
                kind="state",
                far_site="dc",
                carrier="VNPT",
                hotline="1800 1234",
                contracted_mbps_down=20.5,
                sla_percent=99.95,
            ),
        ),
        spaces=(Space(id="wan", name="WAN"),),
        prefixes=(Prefix(space="wan", prefix="10.1.0.0/24", site="dn"),),
        calendars=(Calendar(id="hc", name="Giờ hành chính", weekdays="1-7", hours="00:00-24:00"),),
    )


def _small(site_id: str, name: str, unit: str, tier: str = "PROVINCE", **more: Any) -> Site:
    return Site(id=site_id, name=name, unit=unit, address_space="wan", tier=tier, **more)


def _small_device(name: str, site: str, address: str, **more: Any) -> Device:
    return Device(name=name, site=site, address=address, vendor="Cisco", model="X1", role="router", **more)


def source_of(device: str, site: str, now: int, state: SourceState = SourceState.ALIVE, address: str = "") -> Source:
    """A log source of that device."""
    heard = now - MINUTE
    return Source(address=address or f"addr-{device}", device=device, site=site, first=heard, last=heard, state=state)
