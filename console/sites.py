"""The pages of sites: the list, and one site."""

from __future__ import annotations

from litestar import get
from litestar.params import FromPath

from console.deps import Console, console_of
from console.device_rows import reached_at
from console.directory import Directory
from console.health import WORST_FIRST
from console.map import names
from console.overview import OPEN, Overview, take_overview
from console.paging import MOST_WORDS, page_of, pager, part_of
from console.reads import view_for
from console.render import Answer, AnyRequest, language_of, render
from console.sessions import scope_for
from console.site_rows import (
    LIVES,
    AskedSites,
    PublicRow,
    health_counts,
    public_row,
    site_row,
    stale_lanes,
    wanted_sites,
    with_health,
)
from console.site_views import site_view
from console.unit_views import Day, UnitLink
from console.views import moment, row
from core.errors import NotFoundError
from core.incident import Incident
from core.scope import Scope
from core.stores.incidents import list_incidents
from core.stores.users import User
from inventory.rights import may
from inventory.sorting import vietnamese_key

MOST_INCIDENTS = 50
"""Of a site or a device that its page shows."""

_READ = {"action": "inventory.read"}
EVERY_PAGE = 1 << 20
"""So many pages about the shown one are offered by number: even the whole sector's sites have few."""
_CHOSEN_TYPES = {"supreme", "high", "province", "inner"}


@get("/sites", opt=_READ, sync_to_thread=True)
def sites(request: AnyRequest) -> Answer:
    """The list of sites in Vietnamese order."""
    overview, asked = take_overview(console_of(request), request.user), asked_of(request)
    every = wanted_sites(overview, asked)
    found = with_health(every, asked.health if knows_health(request) else "")
    part = pager(asked.address, asked.page, len(found), EVERY_PAGE)
    values = {
        "rows": [site_row(overview, state) for state in part_of(found, part.page)],
        "pager": part,
        "known_sites": len(overview.sites),
        "asked": asked,
        "counts": health_counts(every),
        "healths": ("", *(health.value for health in WORST_FIRST)),
        "lives": LIVES,
        "tiers": sorted({state.site.tier for state in overview.sites}),
        "provinces": _provinces(overview),
        "units": chosen_units(overview.directory, overview.scope, asked.unit),
        "stale": stale_lanes(overview),
    }
    return render(request, "sites", values)


@get("/sites.json", opt=_READ, sync_to_thread=True)
def sites_json(request: AnyRequest) -> list[PublicRow]:
    """The same list for programs, all of it."""
    overview, asked = take_overview(console_of(request), request.user), asked_of(request)
    knows = knows_health(request)
    found = with_health(wanted_sites(overview, asked), asked.health if knows else "")
    return [public_row(site_row(overview, state), knows_health=knows) for state in found]


@get("/sites/{site:str}", opt=_READ, sync_to_thread=True)
def site(request: AnyRequest, site: FromPath[str]) -> Answer:
    """One site with all that stands there."""
    console, language = console_of(request), language_of(request)
    overview = take_overview(console, request.user)
    state = overview.by_id().get(site)
    if state is None:
        raise NotFoundError(f"there is no site '{site}'")
    now, view = console.clock.now(), view_for(console, request.user, language)
    found = _incidents_at(console, request.user, site)
    values = {
        "site": site_view(overview, state, now, language),
        "now": moment(now),
        "incidents": [row(one, view) for one in found],
        "stale": stale_lanes(overview),
        "reached": reached_at(overview, site, now),
    }
    return render(request, "site", values)


def asked_of(request: AnyRequest) -> AskedSites:
    """What the address asks of the list."""
    query = request.query_params
    text = {name: query.get(name, "").strip()[:MOST_WORDS] for name in ("unit", "tier", "province", "life", "health")}
    return AskedSites(text=query.get("q", "").strip()[:MOST_WORDS], page=page_of(request), **text)


def knows_health(request: AnyRequest) -> bool:
    """Whether the reader may be told how sites are; who may not is asked for none."""
    return may(request.user.grants, "sources.read")


def _incidents_at(console: Console, user: User, site_id: str) -> list[Incident]:
    """The open ones there, the gravest first, told without the other sites that they also touch."""
    here = scope_for(console, user, "incident.read").at(site_id)
    with console.state.connect() as connection:
        return list_incidents(connection, here, OPEN, MOST_INCIDENTS)


def _provinces(overview: Overview) -> list[tuple[str, str]]:
    """Those in which the reader's sites lie, in Vietnamese order."""
    found = {overview.directory.provinces.get(state.site.id, "") for state in overview.sites} - {""}
    return sorted(((code, names()[code]) for code in found), key=lambda pair: vietnamese_key(pair[1]))


def chosen_units(directory: Directory, scope: Scope, chosen: str) -> list[UnitLink]:
    """Today's units by which a list can be narrowed: the larger ones, and the one that is chosen."""
    org, day = directory.inventory.org, Day(directory.day, directory.day)
    seen = [unit for unit in org.at(directory.day) if scope.allows_unit(unit.id)]
    found = [unit for unit in seen if unit.type in _CHOSEN_TYPES or unit.id == chosen]
    links = [UnitLink(id=unit.id, name=org.short(unit.id, day.chosen), link="", type=unit.type) for unit in found]
    return sorted(links, key=lambda link: vietnamese_key(link.name))


SITES = [sites, sites_json, site]
