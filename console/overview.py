"""What a reader may know of the sites now: how each is, its log sources and polled devices, and its open incidents."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from console.deps import Console
from console.directory import Directory, directory_of
from console.health import is_current, is_serious, joint_health, site_health
from console.map import TileHealth, TileState, names
from console.reads import MOST_SEARCHED
from console.sessions import scope_for
from core.clock import vietnam_day
from core.device_states import DeviceState, DeviceStates, Reach
from core.incident import Incident, State
from core.records import Record
from core.scope import Scope
from core.sources import Source, Sources, SourceState
from core.stores.incidents import list_incidents
from core.stores.users import User
from inventory.records import Site

OPEN = (State.NEW, State.ACKNOWLEDGED)
LOGS, POLLS = "logs", "polls"
"""The lanes by which something is known of a site."""

_Told = TypeVar("_Told", Source, DeviceState)


class Rights(NamedTuple):
    """The actions by which sites, what tells how they are (log sources, polled devices) and incidents are taken."""

    sites: str
    sources: str
    incidents: str


READER = Rights("inventory.read", "sources.read", "incident.read")
FIGURES = Rights("figures.read", "figures.read", "figures.read")
"""For pages that show nothing but figures."""


class SiteState(Record, frozen=True, kw_only=True):
    """A site with what is known of it.

    Attributes:
        sources: of logs.
        devices: those that were polled at least once, as the lane last told, be it long ago.
        incidents: how many are open there, of which ``serious`` degrade it.
    """

    site: Site
    health: TileHealth
    sources: tuple[Source, ...] = ()
    devices: tuple[DeviceState, ...] = ()
    incidents: int = 0
    serious: int = 0

    @property
    def silent(self) -> int:
        """How many of its log sources are silent."""
        return sum(one.state is SourceState.SILENT for one in self.sources)

    @property
    def unreached(self) -> int:
        """How many of its polled devices do not answer."""
        return sum(one.state is Reach.DOWN for one in self.devices)

    @property
    def is_watched(self) -> bool:
        """Whether anything tells how it is."""
        return bool(self.sources or self.devices)


class Overview(NamedTuple):
    """All sites within the scope, in Vietnamese order, and from what their states were taken.

    Attributes:
        told: what the logs lane told last, of the sources within the reader's scope.
        polled: the same of the SNMP lane and its devices.
        holding: the lanes of which what they told still holds; what others told does not count in any health.
        incidents: the open ones within the reader's scope, at most ``MOST_SEARCHED``, the gravest first.
    """

    directory: Directory
    scope: Scope
    sites: tuple[SiteState, ...]
    told: Sources
    polled: DeviceStates
    holding: frozenset[str]
    incidents: list[Incident]

    @property
    def is_current(self) -> bool:
        """Whether anything that was told still holds; if not, every site is unknown."""
        return bool(self.holding)

    @property
    def written(self) -> Mapping[str, int]:
        """When each lane told something last, nanoseconds UTC; 0 for never."""
        return {LOGS: self.told.written, POLLS: self.polled.written}

    def by_id(self) -> Mapping[str, SiteState]:
        """The sites' states by the sites' ids."""
        return {state.site.id: state for state in self.sites}

    def by_province(self) -> Mapping[str, list[SiteState]]:
        """The sites' states by GSO code; sites of no province are left out."""
        found: defaultdict[str, list[SiteState]] = defaultdict(list)
        for state in self.sites:
            if code := self.directory.provinces.get(state.site.id):
                found[code].append(state)
        return found


def directory_now(console: Console) -> Directory:
    """The inventory as it is, on today's date."""
    return directory_of(console.inventory(), vietnam_day(console.clock.now()))


def take_overview(console: Console, user: User, rights: Rights = READER) -> Overview:
    """What this user may know by these rights; without the one for sources every site is unknown."""
    directory, scope = directory_now(console), scope_for(console, user, rights.sites)
    watched = scope_for(console, user, rights.sources)
    told, polled = _told(console, watched), device_states(console, watched)
    holding = _holding(told, polled, console.clock.now())
    incidents = _open_incidents(console, scope_for(console, user, rights.incidents))
    seen = tuple(site for site in directory.sites if scope.allows(site.id))
    return Overview(directory, scope, _states(seen, told, polled, holding, incidents), told, polled, holding, incidents)


def device_states(console: Console, scope: Scope) -> DeviceStates:
    """What the SNMP lane told of devices at sites within the scope."""
    told = console.device_states()
    if scope.is_everything:
        return told
    return replace(told, devices=tuple(one for one in told.devices if scope.allows(one.site)))


def province_states(overview: Overview, *, linked: bool) -> dict[str, TileState]:
    """What the map shows: each province's health, how its sites are, and where its tile leads if it is to."""
    return {
        code: TileState(
            health=joint_health(state.health for state in states),
            sites=Counter(state.health for state in states),
            name=names()[code],
            link=f"/sites?province={code}" if linked else "",
        )
        for code, states in overview.by_province().items()
    }


def _told(console: Console, scope: Scope) -> Sources:
    told = console.sources()
    if scope.is_everything:
        return told
    seen = tuple(one for one in told.sources if scope.allows(one.site))
    return Sources(written=told.written, sources=seen)


def _holding(told: Sources, polled: DeviceStates, now: int) -> frozenset[str]:
    lanes = ((LOGS, is_current(told, now)), (POLLS, is_current(polled, now)))
    return frozenset(lane for lane, holds in lanes if holds)


def _states(
    sites: Iterable[Site], told: Sources, polled: DeviceStates, holding: frozenset[str], incidents: list[Incident]
) -> tuple[SiteState, ...]:
    sources = _by_site(told.sources)
    devices = _by_site(one for one in polled.devices if one.state is not Reach.UNKNOWN)
    counts = Counter(site for one in incidents for site in one.sites)
    serious = Counter(site for one in incidents if is_serious(one.severity) for site in one.sites)
    found = (
        SiteState(
            site=site,
            health=TileHealth.UNKNOWN,
            sources=sources.get(site.id, ()),
            devices=devices.get(site.id, ()),
            incidents=counts[site.id],
            serious=serious[site.id],
        )
        for site in sites
    )
    return tuple(replace(state, health=_health(state, holding)) for state in found)


def _by_site(told: Iterable[_Told]) -> dict[str, tuple[_Told, ...]]:
    found: defaultdict[str, list[_Told]] = defaultdict(list)
    for one in told:
        if one.site:
            found[one.site].append(one)
    return {site: tuple(things) for site, things in found.items()}


def _health(state: SiteState, holding: frozenset[str]) -> TileHealth:
    """A retired site is watched no more: its silence is meant."""
    if state.site.life_cycle == "retired":
        return TileHealth.UNKNOWN
    sources = [one.state for one in state.sources] if LOGS in holding else []
    reaches = [one.state for one in state.devices] if POLLS in holding else []
    return site_health(sources, reaches, is_hit=bool(state.serious))


def _open_incidents(console: Console, scope: Scope) -> list[Incident]:
    if scope.sites == frozenset():
        return []
    with console.state.connect() as connection:
        return list_incidents(connection, scope, OPEN, MOST_SEARCHED)
