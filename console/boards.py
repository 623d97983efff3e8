"""The pages that tell how the whole is: the map, the leader's figures with their lists, and the wallboard."""

from __future__ import annotations

from litestar import get
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.params import FromPath

from console.clocks import clocks_of_day, deadline, overdue
from console.deps import Console, console_of
from console.figures import (
    LATE,
    LISTS,
    MOST_WORST,
    RECENT,
    Facts,
    leader_figures,
    serious_incidents,
    severity_counts,
    silent_sources,
    site_counts,
    worst_provinces,
)
from console.map import drawing
from console.overview import FIGURES, Overview, province_states, take_overview
from console.reads import MOST_SEARCHED, view_for
from console.render import Answer, AnyRequest, language_of, render
from console.sessions import scope_for
from console.site_rows import stale_lanes
from console.source_views import number
from console.views import moment, moment_or_none, row
from core.clock import HOUR, vietnam_day
from core.incident import Incident
from core.stores.incidents import list_detected
from core.stores.users import User
from inventory.rights import may

RECENT_HOURS = 24
MOST_ROWS = 500

_MAP = {"action": "sources.read"}
_FIGURES = {"action": "figures.read"}
_QUIET = {"quiet": True}


@get("/map", opt=_MAP, sync_to_thread=True)
def map_page(request: AnyRequest) -> Answer:
    """The map of the provinces, and those with trouble."""
    return render(request, "map_page", _map_values(request))


@get("/map/part", opt=_MAP | _QUIET, sync_to_thread=True)
def map_part(request: AnyRequest) -> Answer:
    """The map's live part alone."""
    return render(request, "map_part", _map_values(request))


@get("/leader", opt=_FIGURES, sync_to_thread=True)
def leader(request: AnyRequest) -> Answer:
    """The leader's figures."""
    return render(request, "leader", _leader_values(request))


@get("/leader/part", opt=_FIGURES | _QUIET, sync_to_thread=True)
def leader_part(request: AnyRequest) -> Answer:
    """The figures' live part alone."""
    return render(request, "leader_part", _leader_values(request))


@get("/leader/{chosen:str}", opt={"action": "incident.read"}, sync_to_thread=True)
def leader_list(request: AnyRequest, chosen: FromPath[str]) -> Answer:
    """The incidents that one of the figures counts."""
    if chosen not in LISTS:
        raise NotFoundException
    console = console_of(request)
    view, found = view_for(console, request.user, language_of(request)), _counted(console, request.user, chosen)
    ends = {one.id: moment_or_none(deadline(one)) for one in found}
    values = {
        "rows": [row(one, view) for one in found[:MOST_ROWS]],
        "total": len(found),
        "ends": ends,
        "chosen": chosen,
    }
    return render(request, "leader_list", values)


@get("/wallboard", opt=_FIGURES, sync_to_thread=True)
def wallboard(request: AnyRequest) -> Answer:
    """Figures for a screen on the wall: nothing about persons, and nothing to click."""
    return render(request, "wallboard", _wallboard_values(request))


@get("/wallboard/part", opt=_FIGURES | _QUIET, sync_to_thread=True)
def wallboard_part(request: AnyRequest) -> Answer:
    """The wallboard's live part alone."""
    return render(request, "wallboard_part", _wallboard_values(request))


def _map_values(request: AnyRequest) -> dict[str, object]:
    overview = take_overview(console_of(request), request.user)
    return {
        "worst": worst_provinces(overview),
        "placeless": len(overview.sites) - sum(map(len, overview.by_province().values())),
        **_drawn(overview, language_of(request), linked=True),
    }


def _leader_values(request: AnyRequest) -> dict[str, object]:
    """The figures; who may see no list behind them has the wallboard."""
    if not may(request.user.grants, "incident.read"):
        raise PermissionDeniedException
    console, language = console_of(request), language_of(request)
    overview, now = take_overview(console, request.user), console.clock.now()
    facts = Facts(overview, _recent(console, request.user), now, language)
    return {
        "figures": leader_figures(facts),
        "clocks": clocks_of_day(vietnam_day(now)),
        "now": moment(now),
        **_drawn(overview, language, linked=True),
    }


def _wallboard_values(request: AnyRequest) -> dict[str, object]:
    console, language = console_of(request), language_of(request)
    overview = take_overview(console, request.user, FIGURES)
    silent = silent_sources(overview)
    return {
        "severities": severity_counts(overview, language),
        "open": number(len(overview.incidents), language) + ("+" if len(overview.incidents) >= MOST_SEARCHED else ""),
        "silent": "" if silent is None else number(silent, language),
        "sources": number(len(overview.told.sources), language),
        "healths": site_counts(overview, language),
        "worst": worst_provinces(overview)[:MOST_WORST],
        "now": moment(console.clock.now()),
        **_drawn(overview, language, linked=False),
    }


def _drawn(overview: Overview, language: str, *, linked: bool) -> dict[str, object]:
    return {
        "map": drawing(province_states(overview, linked=linked), language),
        "stale": stale_lanes(overview),
        "written": moment_or_none(max(overview.written.values())),
        "is_current": overview.is_current,
    }


def _counted(console: Console, user: User, chosen: str) -> list[Incident]:
    if chosen == RECENT:
        return _recent(console, user)
    overview = take_overview(console, user)
    return overdue(overview.incidents, console.clock.now()) if chosen == LATE else serious_incidents(overview)


def _recent(console: Console, user: User) -> list[Incident]:
    since, scope = console.clock.now() - RECENT_HOURS * HOUR, scope_for(console, user, "incident.read")
    with console.state.connect() as connection:
        return list_detected(connection, scope, since, MOST_SEARCHED)


BOARDS = [map_page, map_part, leader, leader_part, leader_list, wallboard, wallboard_part]
