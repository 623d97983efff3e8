"""Checks the records of an inventory against one another, and says of each that does not fit where it stands and why.

What does not fit is left out, and what depends on it is found not to fit either; all the rest stays.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from core.errors import ContentError
from core.records import Record
from inventory.calendars import days_of
from inventory.convert import Problem
from inventory.objects import PLACE_KINDS, CalendarDay, Interface, Link, Place, Policy
from inventory.records import Device, Prefix, Site, fold_name
from inventory.registry import TABLES, key_of
from inventory.unit_check import check_units

Placed: TypeAlias = tuple[str, Record]
"""A record with where it stands: ``sites.csv, line 4``."""

Refused: TypeAlias = dict[tuple[str, str], str]
"""Table and key of the rows that are refused, to where they stand."""

_ORDER = (
    *("spaces", "calendars", "calendar_days", "units", "sites", "places", "devices", "interfaces", "circuits"),
    *("links", "prefixes", "services", "policies"),
)
"""A table comes after those that its rows refer to; the units' facts and successions go with the units."""

_UNIT_KINDS = ("units", "unit_facts", "successions")

REFERENCES: dict[str, tuple[tuple[str, str], ...]] = {
    "calendar_days": (("calendar", "calendars"),),
    "sites": (("unit", "units"), ("calendar", "calendars")),
    "places": (("site", "sites"),),
    "devices": (("site", "sites"), ("place", "places")),
    "interfaces": (("device", "devices"),),
    "circuits": (("site", "sites"), ("far_site", "sites")),
    "links": (("a_device", "devices"), ("b_device", "devices"), ("circuit", "circuits")),
    "prefixes": (("site", "sites"),),
    "services": (("unit", "units"), ("site", "sites")),
}
"""The columns that name a row of another table; an empty one that may be left out names none."""

MOST_PROBLEMS_OF_UNITS = 200
"""After so many the rest of the units is not looked at: each problem takes a pass over all of them."""


@dataclass
class Checked:
    """The records that fit, by table, and the rows that do not."""

    records: dict[str, list[Placed]] = field(default_factory=lambda: {kind: [] for kind in TABLES})
    problems: list[Problem] = field(default_factory=list)


def check_records(placed: Mapping[str, Sequence[Placed]], refused: Refused | None = None) -> Checked:
    """The records that fit with one another; ``refused`` are rows that were left out before."""
    check = _Check(placed, dict(refused or {}))
    for kind in _ORDER:
        if kind == "units":
            check.take_units()
        else:
            check.take(kind)
    return check.checked


class _Check:
    def __init__(self, placed: Mapping[str, Sequence[Placed]], refused: Refused) -> None:
        self._placed = placed
        self._refused = refused
        self._good: dict[str, dict[str, Any]] = {kind: {} for kind in TABLES}
        self._ports: dict[str, set[str]] = {}
        self._place_ids = {record.id for _, record in placed.get("places", ()) if isinstance(record, Place)}
        self.checked = Checked()

    def take(self, kind: str) -> None:
        """Keeps those of the table that fit with what has been kept before."""
        first: dict[Hashable, str] = {}
        for place, record in self._in_order(kind):
            key = key_of(kind, record)
            reason = self._reason(kind, record) or _repeated(self._claims(kind, key, record), first, place)
            if reason:
                self._refuse(kind, key, Problem(place=place, reason=reason))
            else:
                self._good[kind][key] = record
        kept = set(map(id, self._good[kind].values()))
        self.checked.records[kind] = [placed for placed in self._placed.get(kind, ()) if id(placed[1]) in kept]
        if kind == "interfaces":
            self._note_ports()

    def take_units(self) -> None:
        """Keeps units, facts and successions as far as they are a tree."""
        lists: dict[str, list[Any]] = {kind: list(self._placed.get(kind, ())) for kind in _UNIT_KINDS}
        for _ in range(MOST_PROBLEMS_OF_UNITS):
            problem = _unit_problem(lists)
            if problem is None:
                break
            self._drop_unit_row(lists, problem)
        else:
            self.checked.problems.append(Problem(place="units", reason="too many rows are wrong; correct these first"))
            lists = {kind: [] for kind in _UNIT_KINDS}
        for kind in _UNIT_KINDS:
            self.checked.records[kind] = lists[kind]
            self._good[kind] = {key_of(kind, record): record for _, record in lists[kind]}

    def _drop_unit_row(self, lists: dict[str, list[Any]], problem: Problem) -> None:
        for kind, rows in lists.items():
            found = next((number for number, (place, _) in enumerate(rows) if place == problem.place), None)
            if found is not None:
                _, record = rows.pop(found)
                self._refuse(kind, key_of(kind, record), problem)
                return
        raise ContentError(str(problem))

    def _refuse(self, kind: str, key: str, problem: Problem) -> None:
        self._refused.setdefault((kind, key), problem.place)
        self.checked.problems.append(problem)

    def _in_order(self, kind: str) -> Iterable[Placed]:
        """A place comes after the one it lies in, wherever they stand in the file."""
        placed = self._placed.get(kind, ())
        return placed if kind != "places" else _outer_first(placed)

    def _reason(self, kind: str, record: Any) -> str:
        for column, other in REFERENCES.get(kind, ()):
            reason = self._unknown(other, getattr(record, column))
            if reason:
                return reason
        fits = _FITS.get(kind)
        return fits(self, record) if fits else ""

    def _unknown(self, kind: str, name: str) -> str:
        """Why this name is no row of the table; empty if it is one, or if none is named."""
        key = fold_name(name) if kind == "devices" else name
        if not name or key in self._good[kind]:
            return ""
        title = TABLES[kind].title.removesuffix(" name")
        place = self._refused.get((kind, key))
        if place is not None:
            return f"{title} {name!r} is refused at {place}; correct that row first"
        named = "a name" if kind == "devices" else "an id"
        return f"unknown {title} {name!r}; expected {named} from the {kind} file"

    def _claims(self, kind: str, key: str, record: Any) -> Iterator[tuple[Hashable, str]]:
        """What this record alone may have, and what to call it."""
        named = f"{TABLES[kind].title} {_name(kind, record)!r}"
        yield key, f"prefix {record.prefix} in one space" if kind == "prefixes" else named
        if isinstance(record, Device):
            space = self._good["sites"][record.site].address_space
            yield (space, record.address), f"address {record.address} in one space"
        if isinstance(record, CalendarDay):
            for day in days_of(record):
                yield (record.calendar, day), f"day {day} of calendar {record.calendar!r}"

    def space_fits(self, space: str) -> str:
        """Address spaces are checked only where some are listed."""
        return self._unknown("spaces", space) if self._placed.get("spaces") else ""

    def site_fits(self, site: Site) -> str:
        """Why a site does not fit."""
        return self.space_fits(site.address_space)

    def prefix_fits(self, prefix: Prefix) -> str:
        """Why a prefix does not fit."""
        return self.space_fits(prefix.space)

    def place_fits(self, place: Place) -> str:
        """Why a place does not fit into the one around it."""
        if not place.parent:
            return ""
        if reason := self._unknown("places", place.parent):
            circle = reason.startswith("unknown") and place.parent in self._place_ids
            return f"place {place.id!r} lies within itself; expected a larger one around it" if circle else reason
        parent: Place = self._good["places"][place.parent]
        if parent.site != place.site:
            return f"place {parent.id!r} is at site {parent.site!r}; expected a place of the same site"
        if PLACE_KINDS.index(parent.kind) >= PLACE_KINDS.index(place.kind) and place.kind != "room":
            return f"a {place.kind} within a {parent.kind}; expected a larger place: {', '.join(PLACE_KINDS)}"
        if place.kind == "room" != parent.kind:
            return f"a room within a {parent.kind}; expected a room around it or none"
        return ""

    def device_fits(self, device: Device) -> str:
        """Why a device does not fit where it stands."""
        if not device.place:
            return ""
        place: Place = self._good["places"][device.place]
        if place.site == device.site:
            return ""
        return f"place {place.id!r} is at site {place.site!r}; expected a place of site {device.site!r}"

    def link_fits(self, link: Link) -> str:
        """Why a link's ends do not fit: of a device whose interfaces are listed, the interface must be one of them."""
        for device, interface in ((link.a_device, link.a_interface), (link.b_device, link.b_interface)):
            ports = self._ports.get(fold_name(device))
            if interface and ports and interface not in ports:
                return f"unknown interface {interface!r} of {device!r}; expected one from the interfaces file"
        return ""

    def policy_fits(self, policy: Policy) -> str:
        """Why a policy does not fit: at any day at most one holds."""
        for other in self._good["policies"].values():
            if (other.tier, other.role) == (policy.tier, policy.role) and _overlap(other, policy):
                what = f"{other.what} {other.role} from {other.valid_from or 'the beginning'}"
                return f"overlaps the policy {what}; expected one for a tier and role at any day"
        return ""

    def _note_ports(self) -> None:
        interfaces: Iterable[Interface] = self._good["interfaces"].values()
        for interface in interfaces:
            self._ports.setdefault(fold_name(interface.device), set()).add(interface.name)


_FITS: dict[str, Callable[[_Check, Any], str]] = {
    "sites": _Check.site_fits,
    "prefixes": _Check.prefix_fits,
    "places": _Check.place_fits,
    "devices": _Check.device_fits,
    "links": _Check.link_fits,
    "policies": _Check.policy_fits,
}


def _name(kind: str, record: Record) -> str:
    return " ".join(str(getattr(record, column)) for column in TABLES[kind].key).strip()


def _repeated(claims: Iterable[tuple[Hashable, str]], first: dict[Hashable, str], place: str) -> str:
    """Why what is claimed is not to be had; else it is this row's."""
    wanted = list(claims)
    for claim, what in wanted:
        if claim in first:
            return f"duplicate {what}, first at {first[claim]}; expected each once"
    first.update((claim, place) for claim, _ in wanted)
    return ""


def _outer_first(placed: Sequence[Placed]) -> list[Placed]:
    """The places, each after its parent; those of a circle last, where their parents are found to be unknown."""
    inner: dict[str, list[Placed]] = {}
    ids = {record.id for _, record in placed if isinstance(record, Place)}
    ordered: list[Placed] = []
    for place, record in placed:
        if isinstance(record, Place) and record.parent in ids:
            inner.setdefault(record.parent, []).append((place, record))
        else:
            ordered.append((place, record))
    for _, record in ordered:  # grows meanwhile
        if isinstance(record, Place):
            ordered += inner.pop(record.id, ())
    return ordered + [placed for rows in inner.values() for placed in rows]


def _overlap(one: Policy, other: Policy) -> bool:
    return one.valid_from <= (other.valid_to or "9") and other.valid_from <= (one.valid_to or "9")


def _unit_problem(lists: Mapping[str, list[Any]]) -> Problem | None:
    """The first row of units, facts and successions that is wrong."""
    try:
        check_units(lists["units"], lists["unit_facts"], lists["successions"])
    except ContentError as error:
        places = (place for kind in _UNIT_KINDS for place, _ in lists[kind] if str(error).startswith(f"{place}: "))
        place = max(places, key=len, default="")
        return Problem(place=place or "units", reason=str(error).removeprefix(f"{place}: "))
    return None
