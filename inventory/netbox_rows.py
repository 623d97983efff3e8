"""What NetBox's objects are as rows of our tables, by tables of columns.

A custom field that bears the name of one of our columns fills it, and counts before what the table says: NetBox has no
tier, no unit and no service level of its own. Columns that NetBox does not know are left out, so that an import does
not clear what was entered here.

Source: the serializers of NetBox 4.0 to 4.5; between 4.1 and 4.2 a prefix's and a circuit's ``site`` became a scope and
a termination of any kind, and both forms are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from inventory.formats.rows import Row, Rows, clean
from inventory.netbox import ENDPOINTS, Objects
from inventory.registry import TABLES

_Object: TypeAlias = Mapping[str, Any]
_Cells: TypeAlias = dict[str, Any]

_KBIT_IN_MBIT = 1000

LIFE_CYCLES = {
    "planned": "planned",
    "inventory": "planned",
    "staging": "commissioning",
    "staged": "commissioning",
    "provisioning": "commissioning",
    "active": "in_service",
    "offline": "in_service",
    "failed": "in_service",
    "decommissioning": "in_service",
    "deprovisioning": "in_service",
    "retired": "retired",
    "decommissioned": "retired",
}
"""NetBox's states of sites, devices and circuits."""

CIRCUIT_KINDS = {
    "tslcd": "state",
    "state": "state",
    "wan": "wan",
    "mpls": "wan",
    "metro-ethernet": "wan",
    "internet": "internet",
    "dia": "internet",
    "ftth": "internet",
    "leased": "leased",
    "leased-line": "leased",
}
"""Slugs of circuit types; any other is given as it is, and refused as no kind of ours."""

_PATHS: dict[str, dict[str, str]] = {
    "sites": {
        "id": "slug",
        "name": "name",
        "unit": "tenant.slug",
        "tier": "group.slug",
        "location": "physical_address",
        "latitude": "latitude",
        "longitude": "longitude",
        "province": "region.name",
    },
    "devices": {
        "name": "name",
        "site": "site.slug",
        "vendor": "device_type.manufacturer.slug",
        "model": "device_type.model",
        "role": "role.slug",
        "serial": "serial",
        "os_version": "platform.name",
        "purpose": "description",
    },
    "interfaces": {"device": "device.name", "name": "name", "description": "description"},
    "spaces": {"id": "name", "name": "name", "description": "description"},
    "circuits": {
        "carrier": "provider.name",
        "carrier_id": "cid",
        "valid_from": "install_date",
        "valid_to": "termination_date",
    },
}
"""Our columns, and where in NetBox's object they are."""


def rows_of(objects: Objects, space: str) -> Rows:
    """The rows of our tables; ``space`` is the id of the address space of what is in no VRF."""
    return _Translation(objects, space).rows()


class _Translation:
    def __init__(self, objects: Objects, space: str) -> None:
        self._objects = objects
        self._space = space
        self._location_sites = {_id(one): _at(one, "site.slug") for one in objects["locations"]}
        self._providers = {_id(one): one for one in objects["providers"]}
        self._ports = {_id(one): one for one in objects["interfaces"]}
        self._addresses: dict[int | None, list[_Object]] = {}
        for one in objects["ip-addresses"]:
            if one.get("assigned_object_type") == "dcim.interface":
                port = self._ports.get(_id(one, "assigned_object_id"), {})
                self._addresses.setdefault(_id(port, "device.id"), []).append(one)

    def rows(self) -> Rows:
        """All rows by table; of a table without objects there is nothing."""
        found: Rows = {
            "spaces": list(self._spaces()),
            "sites": self._make("sites", "sites", self._site),
            "places": [
                *self._make("locations", "places", self._location),
                *self._make("racks", "places", self._rack),
            ],
            "devices": self._make("devices", "devices", self._device),
            "interfaces": self._make("interfaces", "interfaces", self._interface),
            "prefixes": self._make("prefixes", "prefixes", self._prefix),
            "circuits": self._make("circuits", "circuits", self._circuit),
        }
        return {kind: rows for kind, rows in found.items() if rows}

    def _make(self, endpoint: str, kind: str, special: Callable[[_Object], _Cells]) -> list[Row]:
        return [_row(endpoint, kind, one, special(one)) for one in self._objects[endpoint]]

    def _spaces(self) -> Iterator[Row]:
        """The VRFs; where there are some, what is in none is a space as well."""
        if self._objects["vrfs"]:
            yield Row(place="NetBox, global table", cells={"id": self._space, "name": self._space})
        for one in self._objects["vrfs"]:
            yield _row("vrfs", "spaces", one, {})

    def _site(self, one: _Object) -> _Cells:
        tier = str(_at(one, "group.slug") or "").upper()
        return {"address_space": self._space, "tier": tier, **_life_cycle(one)}

    def _location(self, one: _Object) -> _Cells:
        return _place(one, "location", "room", _at(one, "parent.id"))

    def _rack(self, one: _Object) -> _Cells:
        return _place(one, "rack", "rack", _at(one, "location.id"))

    def _device(self, one: _Object) -> _Cells:
        primary = _at(one, "primary_ip.address")
        known = self._addresses.get(_id(one), [])
        chosen = next((found for found in known if primary is None or found.get("address") == primary), {})
        address = str(primary or chosen.get("address") or "").partition("/")[0]
        port = self._ports.get(_id(chosen, "assigned_object_id"), {})
        place = [f"{kind}-{_at(one, f'{kind}.id')}" for kind in ("rack", "location") if _at(one, f"{kind}.id")]
        position = one.get("position")
        return {
            "address": address,
            "mac": port.get("mac_address"),
            "place": place[0] if place else "",
            "position": int(position) if isinstance(position, int | float) else None,
            **_life_cycle(one),
        }

    def _interface(self, one: _Object) -> _Cells:
        return {"speed_mbps": _mbps(one.get("speed"))}

    def _prefix(self, one: _Object) -> _Cells:
        site = self._site_of(one.get("scope_type"), one.get("scope")) or _at(one, "site.slug")
        return {"space": _at(one, "vrf.name") or self._space, "prefix": one.get("prefix"), "site": site}

    def _circuit(self, one: _Object) -> _Cells:
        ends = [one.get("termination_a") or {}, one.get("termination_z") or {}]
        sites = [
            self._site_of(end.get("termination_type"), end.get("termination")) or _at(end, "site.slug") for end in ends
        ]
        found = [site for site in sites if site]
        kind = str(_at(one, "type.slug") or "")
        rate = _mbps(one.get("commit_rate"))
        return {
            "id": f"{_at(one, 'provider.slug')}-{one.get('cid')}",
            "site": found[0] if found else None,
            "far_site": found[1] if len(found) > 1 else "",
            "kind": CIRCUIT_KINDS.get(kind, kind),
            "contracted_mbps_down": rate,
            "contracted_mbps_up": _mbps(ends[0].get("upstream_speed")) or rate,
            "hotline": _at(self._providers.get(_id(one, "provider.id"), {}), "custom_fields.hotline"),
            **_life_cycle(one),
        }

    def _site_of(self, kind: object, scope: object) -> Any:
        """The slug of the site that a scope or termination is, or that it lies in."""
        if kind == "dcim.site":
            return _at(scope, "slug")
        return self._location_sites.get(_id(scope)) if kind == "dcim.location" else None


def _place(one: _Object, called: str, kind: str, location: object) -> _Cells:
    """A place; ``location`` is NetBox's number of the one it lies in."""
    return {
        "id": f"{called}-{one.get('id')}",
        "site": _at(one, "site.slug"),
        "kind": kind,
        "name": one.get("name"),
        "parent": "" if location is None else f"location-{location}",
    }


def _row(endpoint: str, kind: str, one: _Object, special: _Cells) -> Row:
    """The row of an object; what NetBox does not say is not a cell."""
    said = {column: _at(one, path) for column, path in _PATHS.get(kind, {}).items()}
    custom = {column: _at(one, f"custom_fields.{column}") for column in TABLES[kind].columns}
    cells = _filled(said) | special | _filled(custom)
    fault = (
        "" if kind != "prefixes" or cells["site"] else "it is of no site; expected a scope that is one or lies in one"
    )
    return Row(
        place=f"NetBox /{ENDPOINTS[endpoint]}{one.get('id', '')}/",
        cells={column: clean(str(value)) for column, value in cells.items() if _is_plain(value)},
        fault=fault,
    )


def _filled(cells: _Cells) -> _Cells:
    """Without what is empty: it is more often not entered in NetBox than meant to clear what was entered here."""
    return {column: value for column, value in cells.items() if _is_plain(value) and value != ""}


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _at(one: object, path: str) -> Any:
    """The value at ``a.b.c`` within nested objects; None if there is none."""
    for name in path.split("."):
        one = one.get(name) if isinstance(one, dict) else None
    return one


def _id(one: object, path: str = "id") -> int | None:
    found = _at(one, path)
    return found if isinstance(found, int) else None


def _life_cycle(one: _Object) -> _Cells:
    return {"life_cycle": LIFE_CYCLES.get(str(_at(one, "status.value")))}


def _mbps(kbps: object) -> float | None:
    return kbps / _KBIT_IN_MBIT if isinstance(kbps, int | float) and kbps > 0 else None
