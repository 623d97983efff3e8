"""What a reader may know of the sites now: how each is, its log sources, and the open incidents there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from console.deps import Console
from console.directory import Directory, directory_of
from console.health import is_current, is_serious, joint_health, site_health
from console.map import TileHealth, TileState, names
from console.reads import MOST_SEARCHED
from console.sessions import scope_for
from core.clock import vietnam_day
from core.incident import Incident, State
from core.records import Record
from core.scope import Scope
from core.sources import Source, Sources, SourceState
from core.stores.incidents import list_incidents
from core.stores.users import User
from inventory.records import Site

OPEN = (State.NEW, State.ACKNOWLEDGED)


class Rights(NamedTuple):
    """The actions by which sites, log sources and incidents are taken."""

    sites: str
    sources: str
    incidents: str


READER = Rights("inventory.read", "sources.read", "incident.read")
FIGURES = Rights("figures.read", "figures.read", "figures.read")
"""For pages that show nothing but figures."""


class SiteState(Record, frozen=True, kw_only=True):
    """A site with what is known of it; ``incidents`` are the open ones there, of which ``serious`` degrade it."""

    site: Site
    health: TileHealth
    sources: tuple[Source, ...] = ()
    incidents: int = 0
    serious: int = 0

    @property
    def silent(self) -> int:
        """How many of its log sources are silent."""
        return sum(one.state is SourceState.SILENT for one in self.sources)


class Overview(NamedTuple):
    """All sites within the scope, in Vietnamese order, and from what their states were taken.

    Attributes:
        told: what the logs lane told last, of the sources within the reader's scope.
        is_current: whether that still holds; if not, every site is unknown.
        incidents: the open ones within the reader's scope, at most ``MOST_SEARCHED``, the gravest first.
    """

    directory: Directory
    scope: Scope
    sites: tuple[SiteState, ...]
    told: Sources
    is_current: bool
    incidents: list[Incident]

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
    told = _told(console, scope_for(console, user, rights.sources))
    holds = is_current(told, console.clock.now())
    incidents = _open_incidents(console, scope_for(console, user, rights.incidents))
    sources, counts = _by_site(told), Counter(site for one in incidents for site in one.sites)
    serious = Counter(site for one in incidents if is_serious(one.severity) for site in one.sites)
    states = tuple(
        SiteState(
            site=site,
            health=_health(site, sources.get(site.id, ()) if holds else (), is_hit=site.id in serious),
            sources=sources.get(site.id, ()),
            incidents=counts[site.id],
            serious=serious[site.id],
        )
        for site in directory.sites
        if scope.allows(site.id)
    )
    return Overview(directory, scope, states, told, holds, incidents)


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


def _by_site(told: Sources) -> dict[str, tuple[Source, ...]]:
    found: defaultdict[str, list[Source]] = defaultdict(list)
    for one in told.sources:
        if one.site:
            found[one.site].append(one)
    return {site: tuple(sources) for site, sources in found.items()}


def _health(site: Site, sources: tuple[Source, ...], *, is_hit: bool) -> TileHealth:
    """A retired site is watched no more: its silence is meant."""
    if site.life_cycle == "retired":
        return TileHealth.UNKNOWN
    return site_health([one.state for one in sources], is_hit=is_hit)


def _open_incidents(console: Console, scope: Scope) -> list[Incident]:
    if scope.sites == frozenset():
        return []
    with console.state.connect() as connection:
        return list_incidents(connection, scope, OPEN, MOST_SEARCHED)
