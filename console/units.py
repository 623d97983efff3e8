"""The pages of the units: the tree as it was on a day, and one of them."""

from __future__ import annotations

from litestar import get
from litestar.params import FromPath

from console.dates import day_before, parse_day, shown_day
from console.deps import console_of
from console.directory import directory_of
from console.overview import Overview, take_overview
from console.paging import MOST_WORDS
from console.render import Answer, AnyRequest, render
from console.site_rows import rows_of
from console.unit_views import (
    Day,
    change_days,
    count_below,
    find_units,
    type_counts,
    unit_address,
    unit_tree,
    unit_view,
)
from core.clock import vietnam_day
from core.errors import NotFoundError

MOST_CHANGES = 4
"""The latest days of change to which the tree leads, each with the day before."""

_READ = {"action": "inventory.read"}


@get("/units", opt=_READ, sync_to_thread=True)
def units(request: AnyRequest) -> Answer:
    """The tree of units as it was on a day, or what was looked for in it."""
    console, (day, is_wrong) = console_of(request), _day_of(request)
    overview = take_overview(console, request.user)
    inventory, scope = overview.directory.inventory, overview.scope
    text = request.query_params.get("q", "").strip()[:MOST_WORDS]
    below = count_below(directory_of(inventory, day.chosen), overview.sites)
    shows_health = day.chosen == day.today and not text
    values = {
        "has_units": bool(inventory.units),
        "text": text,
        "found": find_units(inventory, scope, text, day) if text else [],
        "tree": () if text else unit_tree(inventory, scope, day, below, shows_health=shows_health),
        "types": type_counts(inventory, scope, day),
        "apart": below.apart,
        "changes": [one for each in change_days(inventory, scope)[:MOST_CHANGES] for one in (day_before(each), each)],
        "shown_day": shown_day,
        **_day_values(day, is_wrong=is_wrong),
    }
    return render(request, "units", values)


@get("/units/{unit:str}", opt=_READ, sync_to_thread=True)
def unit(request: AnyRequest, unit: FromPath[str]) -> Answer:
    """One unit: what it is called, where it stands, from whom it took over, and its sites."""
    console, (day, is_wrong) = console_of(request), _day_of(request)
    overview = take_overview(console, request.user)
    inventory, scope = overview.directory.inventory, overview.scope
    found = inventory.unit(unit)
    if found is None or not scope.allows_unit(unit):
        raise NotFoundError(f"there is no unit '{unit}'")
    own = _sites_of(overview, unit)
    values = {
        "unit": unit_view(inventory, scope, found, day),
        "today_link": unit_address(unit, day.on(day.today)),
        "sites": rows_of(overview, own),
        "below": count_below(overview.directory, overview.sites).counts.get(unit, 0),
        **_day_values(day, is_wrong=is_wrong),
    }
    return render(request, "unit", values)


def _sites_of(overview: Overview, unit_id: str) -> list[str]:
    """Those that are recorded under it, or that it carries on today."""
    holder = overview.directory.holder
    return [state.site.id for state in overview.sites if unit_id in {state.site.unit, holder(state.site.unit)}]


def _day_of(request: AnyRequest) -> tuple[Day, bool]:
    """The day that is asked for, else today; and whether what was asked for is no day."""
    today = vietnam_day(console_of(request).clock.now())
    asked = request.query_params.get("day", "").strip()
    chosen = parse_day(asked)
    return Day(chosen or today, today), bool(asked) and not chosen


def _day_values(day: Day, *, is_wrong: bool) -> dict[str, object]:
    return {
        "day": day,
        "shown": shown_day(day.chosen),
        "is_today": day.chosen == day.today,
        "is_wrong": is_wrong,
    }


UNITS = [units, unit]
