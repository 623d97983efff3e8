"""The list of sites: what was asked for, and each site as one line of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from urllib.parse import quote, urlencode

from console.health import SHAPES, WORST_FIRST
from console.map import TileHealth, names
from console.overview import Overview, SiteState
from console.views import Moment, moment_or_none
from core.records import Record
from inventory.sorting import matches

LIVES = ("planned", "commissioning", "in_service", "retired")
WATCHED, REACHABLE = "watched", "reachable"
HEALTHS = (*(health.value for health in WORST_FIRST), WATCHED, REACHABLE)
"""What the list can be narrowed to: one health, all sites that something tells of, or those that are not down."""

_REACHABLE = {TileHealth.UP, TileHealth.DEGRADED}


class AskedSites(Record, frozen=True, kw_only=True):
    """What the reader asked for in the list's address; empty asks for nothing."""

    text: str = ""
    unit: str = ""
    tier: str = ""
    province: str = ""
    life: str = ""
    health: str = ""
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        """Whether not all sites are asked for."""
        return bool(self.text or self.unit or self.tier or self.province or self.life or self.health)

    def address(self, **changed: object) -> str:
        """The list's address with some of it changed; any change leads to the first page."""
        values = {name: getattr(self, name) for name in ("unit", "tier", "province", "life", "health")}
        asked = {"q": self.text, **values, "page": ""} | changed
        told = {name: str(value) for name, value in asked.items() if value}
        return f"/sites?{urlencode(told)}" if told else "/sites"


class SiteRow(Record, frozen=True, kw_only=True):
    """A site in the list.

    ``silent`` of its log ``sources`` are so, ``unreached`` of its ``polled`` devices do not answer SNMP, and
    ``incidents`` are open.
    """

    id: str
    name: str
    link: str
    unit: str
    unit_name: str
    tier: str
    province: str
    province_name: str
    life_cycle: str
    health: str
    shape: str
    devices: int
    sources: int
    silent: int
    polled: int
    unreached: int
    incidents: int


class PublicRow(Record, frozen=True, kw_only=True):
    """A site for programs; what the reader may not know is null."""

    id: str
    name: str
    unit: str
    unit_name: str
    tier: str
    province: str
    life_cycle: str
    devices: int
    health: str | None
    sources: int | None
    silent: int | None
    polled: int | None
    unreached: int | None
    incidents: int | None


def stale_lanes(overview: Overview) -> tuple[tuple[str, Moment | None], ...]:
    """The lanes that told something once and nothing new of late, and when they last did.

    ``all`` where nothing that was told still holds; None if nothing ever was.
    """
    if not overview.is_current:
        return (("all", moment_or_none(max(overview.written.values()))),)
    told = ((lane, moment_or_none(written)) for lane, written in overview.written.items())
    return tuple((lane, when) for lane, when in told if when and lane not in overview.holding)


def site_address(site_id: str) -> str:
    """The site's page."""
    return f"/sites/{quote(site_id, safe='')}"


def wanted_sites(overview: Overview, asked: AskedSites) -> list[SiteState]:
    """The sites that are asked for but for their health, in Vietnamese order."""
    units = _units_of(overview, asked.unit)
    return [state for state in overview.sites if _is_wanted(overview, state, asked, units)]


def with_health(states: Iterable[SiteState], choice: str) -> list[SiteState]:
    """Those of that choice of health; all of them for the empty one."""
    return [state for state in states if _is_so(state, choice)]


def rows_of(overview: Overview, sites: Collection[str]) -> list[SiteRow]:
    """These sites as lines, in Vietnamese order."""
    return [site_row(overview, state) for state in overview.sites if state.site.id in sites]


def site_row(overview: Overview, state: SiteState) -> SiteRow:
    """The site as one line; its unit is the one that holds it today."""
    site, directory = state.site, overview.directory
    unit = directory.holder(site.unit) or site.unit
    code = directory.provinces.get(site.id, "")
    return SiteRow(
        id=site.id,
        name=site.name,
        link=site_address(site.id),
        unit=unit,
        unit_name=directory.inventory.org.short(unit, directory.day) or unit,
        tier=site.tier,
        province=code,
        province_name=names().get(code, site.province),
        life_cycle=site.life_cycle,
        health=state.health.value,
        shape=SHAPES[state.health],
        devices=len(directory.devices.get(site.id, ())),
        sources=len(state.sources),
        silent=state.silent,
        polled=len(state.devices),
        unreached=state.unreached,
        incidents=state.incidents,
    )


def public_row(row: SiteRow, *, knows_health: bool) -> PublicRow:
    """The line as programs get it."""
    shown = {name: getattr(row, name) for name in PublicRow.__struct_fields__}
    hidden = {} if knows_health else dict.fromkeys(("health", "sources", "silent", "polled", "unreached", "incidents"))
    return PublicRow(**(shown | hidden))


def health_counts(states: Iterable[SiteState]) -> dict[str, int]:
    """How many sites each choice of health would show; that of all is under the empty one."""
    every = list(states)
    return {"": len(every)} | {choice: sum(_is_so(state, choice) for state in every) for choice in HEALTHS}


def _units_of(overview: Overview, unit: str) -> frozenset[str]:
    """Those below it today, and former ones whose history belongs there."""
    directory = overview.directory
    return directory.inventory.org.reach(unit, directory.day) if unit else frozenset()


def _is_wanted(overview: Overview, state: SiteState, asked: AskedSites, units: frozenset[str]) -> bool:
    site = state.site
    return (
        (not asked.unit or site.unit in units)
        and asked.tier in {"", site.tier}
        and asked.life in {"", site.life_cycle}
        and asked.province in {"", overview.directory.provinces.get(site.id, "")}
        and (not asked.text or matches(overview.directory.texts[site.id], asked.text))
    )


def _is_so(state: SiteState, health: str) -> bool:
    if health == WATCHED:
        return state.is_watched
    if health == REACHABLE:
        return state.health in _REACHABLE
    return health in {"", state.health.value}
