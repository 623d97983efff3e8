"""The pages of devices: the list, one device with what was measured, one interface, and the same for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from litestar import get
from litestar.params import FromPath

from console.charts import DEFAULT_SPAN, SPANS, Chart, Grid, public_chart
from console.deps import Console, console_of
from console.device_charts import Charts
from console.device_rows import (
    GONE,
    WORST_FIRST,
    YOUNG,
    AskedDevices,
    ListedDevice,
    Polled,
    PublicDevice,
    listed_device,
    polled_of,
    public_device,
    seen_devices,
    state_counts,
    wanted_devices,
    with_state,
)
from console.device_views import device_address, device_view
from console.measures import Lately, Measures, Table, busy_devices
from console.overview import Overview, SiteState, device_states, directory_now, take_overview
from console.paging import MOST_WORDS, page_of, pager, part_of
from console.port_views import COLUMNS, Told, p95_rows, port_row, port_rows
from console.quantities import measured
from console.reads import view_for
from console.render import Answer, AnyRequest, language_of, render
from console.sensor_views import power_rows, sensor_rows
from console.sessions import scope_for
from console.site_rows import site_row, stale_lanes
from console.sites import MOST_INCIDENTS, chosen_units
from console.views import moment_or_none, row
from core.clock import SECOND, iso
from core.device_states import DeviceStates
from core.errors import NotFoundError
from core.scope import NOTHING, Scope
from core.stores.users import User
from inventory.records import Device, fold_name
from inventory.rights import may

PAGES_ABOUT = 3
"""How many pages before and after the shown one are offered by number."""

_READ = {"action": "inventory.read"}
_WATCH = {"action": "sources.read"}

TABLES = {
    "interfaces": COLUMNS,
    "hosts": ("cpu", "memory_used", "memory_total", "gap"),
    "power": ("on_battery", "minutes_left", "charge", "load", "output_watts", "gap"),
    "sensors": ("kind", "value", "unit", "state", "gap"),
    "devices": ("up", "gap"),
}
"""What is read of a device for its charts."""
PORT_COLUMNS = (*COLUMNS, "in_bps_max", "out_bps_max")
"""The same of one interface."""


class Found(NamedTuple):
    """A device that the reader may see; ``scope`` is where he may see what was measured."""

    device: Device
    scope: Scope
    overview: Overview
    state: SiteState
    polled: Polled

    @property
    def is_gone(self) -> bool:
        """Whether it does not answer now, or not us."""
        return self.polled.reach(self.device.name) in GONE

    def usual_span(self, now: int) -> str:
        """The length of its charts where none is chosen."""
        told = self.polled.states.get(self.device.name)
        return "1h" if told and now - told.since < YOUNG else DEFAULT_SPAN


@get("/devices", opt=_READ, sync_to_thread=True)
def devices(request: AnyRequest) -> Answer:
    """The list of devices in Vietnamese order."""
    console, asked = console_of(request), asked_of(request)
    directory, scope = directory_now(console), scope_for(console, request.user, "inventory.read")
    told, asked = _told_to(console, request.user, asked)
    polled, seen = polled_of(told, console.clock.now()), seen_devices(directory, scope)
    every = wanted_devices(directory, seen, asked)
    found = with_state(every, polled, asked.state)
    part = pager(asked.address, asked.page, len(found), PAGES_ABOUT)
    site = directory.inventory.site(asked.site) if scope.allows(asked.site) else None
    values = {
        "rows": _rows(request, part_of(found, part.page), polled),
        "pager": part,
        "known_devices": len(seen),
        "asked": asked,
        "counts": state_counts(every, polled),
        "states": ("", *(reach.value for reach in WORST_FIRST)),
        "roles": sorted({one.role for one in seen}),
        "units": chosen_units(directory, scope, asked.unit),
        "site_name": site.name if site else "",
        "written": moment_or_none(told.written),
        "holds": polled.holds,
    }
    return render(request, "devices", values)


@get("/devices.json", opt=_READ, sync_to_thread=True)
def devices_json(request: AnyRequest) -> list[PublicDevice]:
    """The same list for programs, all of it."""
    console = console_of(request)
    directory, scope = directory_now(console), scope_for(console, request.user, "inventory.read")
    told, asked = _told_to(console, request.user, asked_of(request))
    polled = polled_of(told, console.clock.now())
    found = with_state(wanted_devices(directory, seen_devices(directory, scope), asked), polled, asked.state)
    knows = may(request.user.grants, "sources.read")
    return [public_device(one, knows_state=knows) for one in _rows(request, found, polled)]


@get("/devices/{name:str}", opt=_READ, sync_to_thread=True)
def device(request: AnyRequest, name: FromPath[str]) -> Answer:
    """One device; its name is known in any case."""
    console, language = console_of(request), language_of(request)
    found = _find(request, name)
    own, overview, polled = found.device, found.overview, found.polled
    view, span = view_for(console, request.user, language), _span(request, found)
    naming = [one for one in overview.incidents if own.name in one.devices]
    told = polled.states.get(own.name)
    values = {
        "device": device_view(overview.directory, own, found.state.sources, language),
        "site": site_row(overview, found.state),
        "incidents": [row(one, view) for one in naming[:MOST_INCIDENTS]],
        "stale": stale_lanes(overview),
        "reached": polled.reached(own.name),
        "is_gone": found.is_gone,
        "polled": told,
        "rtt": measured(told.rtt_ms, "ms", language) if told else "",
        "span": span,
        "spans": tuple(SPANS),
        **_measured(request, found, span),
    }
    return render(request, "device", values)


@get("/devices/{name:str}/interfaces", opt=_WATCH, sync_to_thread=True)
def interface(request: AnyRequest, name: FromPath[str]) -> Answer:
    """One interface of a device, by its name in the query: names have slashes."""
    language = language_of(request)
    found, port = _find(request, name), port_of(request)
    span = _span(request, found)
    measures = _measures(request, found)
    told = _told(found, measures, language, port=port)
    known = next((one for one in told.ports if fold_name(one.name) == fold_name(port)), None)
    if known is None and port not in told.names:
        raise NotFoundError(f"there is no interface '{port}' of '{found.device.name}'")
    values = {
        "device": found.device.name,
        "site": site_row(found.overview, found.state),
        "port": port_row(told, port, known),
        "page": device_address(found.device.name),
        "charts": _charts_of_port(measures, measures.grid(span), port, language)[1],
        "days": p95_rows(measures.p95_days(port), "%d/%m/%Y", language),
        "months": p95_rows(measures.p95_months(port), "%m/%Y", language),
        "stale": stale_lanes(found.overview),
        "span": span,
        "spans": tuple(SPANS),
    }
    return render(request, "interface", values)


@get("/devices/{name:str}/series.json", opt=_WATCH, sync_to_thread=True)
def series_json(request: AnyRequest, name: FromPath[str]) -> dict[str, Any]:
    """The figures of the charts for programs: of the device, or of the interface that the query names."""
    language = language_of(request)
    found, port, span = _find(request, name), port_of(request), span_of(request)
    measures = _measures(request, found)
    if port:
        grid, charts = _charts_of_port(measures, measures.grid(span), port, language)
    else:
        grid, charts = _charts(_tables(measures, measures.grid(span)), language)
    return {
        "device": found.device.name,
        "port": port or None,
        "since": iso(grid.since),
        "until": iso(grid.until),
        "step_seconds": grid.step // SECOND,
        "charts": [public_chart(one) for one in charts],
    }


def asked_of(request: AnyRequest) -> AskedDevices:
    """What the address asks of the list."""
    query = request.query_params
    text = {name: query.get(name, "").strip()[:MOST_WORDS] for name in ("state", "unit", "site", "role")}
    return AskedDevices(text=query.get("q", "").strip()[:MOST_WORDS], page=page_of(request), **text)


def span_of(request: AnyRequest, usual: str = DEFAULT_SPAN) -> str:
    """The chosen length of the charts; what is no choice is the usual one."""
    chosen: str = request.query_params.get("span", "")
    return chosen if chosen in SPANS else usual


def port_of(request: AnyRequest) -> str:
    """The interface that the query names; empty for none."""
    return str(request.query_params.get("port", ""))[:MOST_WORDS]


def _find(request: AnyRequest, name: str) -> Found:
    """The device of that name at a site that the reader may see.

    Raises:
        NotFoundError: there is none.
    """
    console = console_of(request)
    overview = take_overview(console, request.user)
    found = overview.directory.inventory.device_named(name)
    state = overview.by_id().get(found.site) if found else None
    if found is None or state is None:
        raise NotFoundError(f"there is no device '{name}'")
    polled = polled_of(overview.polled, console.clock.now())
    return Found(found, scope_for(console, request.user, "sources.read"), overview, state, polled)


def _span(request: AnyRequest, found: Found) -> str:
    return span_of(request, found.usual_span(console_of(request).clock.now()))


def _measures(request: AnyRequest, found: Found) -> Measures:
    return Measures(console_of(request), found.scope, found.device, found.polled.period)


def _told_to(console: Console, user: User, asked: AskedDevices) -> tuple[DeviceStates, AskedDevices]:
    """What the reader may know of states; without the right for it none is asked for."""
    if may(user.grants, "sources.read"):
        return device_states(console, scope_for(console, user, "sources.read")), asked
    return DeviceStates(), asked.without_state()


def _rows(request: AnyRequest, found: Sequence[Device], polled: Polled) -> list[ListedDevice]:
    console, language, user = console_of(request), language_of(request), request.user
    directory = directory_now(console)
    scope = scope_for(console, user, "sources.read") if may(user.grants, "sources.read") else NOTHING
    busy = busy_devices(console, scope, found, polled.period)
    return [listed_device(directory, one, polled, busy.get(one.name), language) for one in found]


def _measured(request: AnyRequest, found: Found, span: str) -> dict[str, object]:
    """What was measured, for those who may know it; others see what the inventory knows of the ports."""
    language, device = language_of(request), found.device
    if not may(request.user.grants, "sources.read"):
        ports = found.overview.directory.interfaces.get(fold_name(device.name), ())
        bare = Told(device.name, ports, {}, {}, None, language)
        return {"ports": port_rows(bare), "charts": (), "sensors": (), "power": ()}
    measures = _measures(request, found)
    tables = _tables(measures, measures.grid(span))
    is_day, grid = span == DEFAULT_SPAN, measures.grid(DEFAULT_SPAN)
    day = tables["interfaces"] if is_day else measures.over("interfaces", ("in_bps", "out_bps"), grid)
    return {
        "ports": port_rows(_told(found, measures, language, day)),
        "charts": _charts(tables, language)[1],
        "sensors": sensor_rows(_lately(found, measures, "sensors", TABLES["sensors"]), language),
        "power": power_rows(_lately(found, measures, "power", TABLES["power"]), language),
    }


def _lately(
    found: Found, measures: Measures, table: str, columns: Sequence[str], port: str = ""
) -> Mapping[str, Lately]:
    """What is true now: of a device that does not answer, nothing is known."""
    return {} if found.is_gone else measures.lately(table, columns, port)


def _told(found: Found, measures: Measures, language: str, day: Table | None = None, port: str = "") -> Told:
    name = found.device.name
    ports = found.overview.directory.interfaces.get(fold_name(name), ())
    lately = _lately(found, measures, "interfaces", COLUMNS, port)
    return Told(name, ports, lately, measures.p95_today(port), day, language)


def _tables(measures: Measures, grid: Grid) -> dict[str, Table]:
    return {table: measures.over(table, columns, grid) for table, columns in TABLES.items()}


def _charts(tables: dict[str, Table], language: str) -> tuple[Grid, list[Chart]]:
    reached = tables["devices"]
    return reached.grid, Charts(reached.grid, reached, language).of_device(tables)


def _charts_of_port(measures: Measures, grid: Grid, port: str, language: str) -> tuple[Grid, list[Chart]]:
    reached = measures.over("devices", TABLES["devices"], grid)
    return grid, Charts(grid, reached, language).of_port(measures.over("interfaces", PORT_COLUMNS, grid, port), port)


DEVICES = [devices, devices_json, device, interface, series_json]
