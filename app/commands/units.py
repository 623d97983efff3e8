"""haidang units: list, show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated

import typer

from app.commands.common import AsJson, AsOf, SettingsFile, day_of, reader_of, settings_of, show
from core.errors import NotFoundError
from core.settings import Settings
from inventory.org import Org
from inventory.shipped import known_counts, shipped_units
from inventory.sorting import vietnamese_key
from inventory.units import Succession, Unit, UnitType

commands = typer.Typer(no_args_is_help=True, help="Đơn vị của ngành, theo ngày / the sector's units, by date.")

_TYPES: dict[UnitType, str] = {
    "supreme": "tối cao",
    "inner": "đơn vị trong VKSND tối cao",
    "high": "cấp cao",
    "province": "cấp tỉnh",
    "area": "khu vực",
    "district": "cấp huyện",
}
"""In the order in which they are listed."""

_COLUMNS = {"id": "Mã", "name": "Tên", "type": "Loại", "parent": "Trực thuộc", "code_gso": "Mã tỉnh"}
_NAMES = {
    "id": "Mã / id",
    "name": "Tên / name",
    "short": "Tên viết tắt / short",
    "type": "Loại / type",
    "status": "Tỉnh hay thành phố / status",
    "parent": "Trực thuộc / parent",
    "valid_from": "Từ ngày / valid_from",
    "valid_to": "Đến ngày / valid_to",
    "code_gso": "Mã tỉnh (thống kê) / code_gso",
    "code_ma_dinh_danh": "Mã định danh / code_ma_dinh_danh",
    "path": "Các cấp / path",
    "children": "Đơn vị cấp dưới / children",
    "known_counts": "Số đơn vị chưa có tên / known_counts",
    "aliases": "Tên gọi khác / aliases",
    "domains": "Tên miền / domains",
    "predecessors": "Kế tục từ / predecessors",
    "successors": "Đơn vị kế tục / successors",
}
"""All that is told of a unit, by the names that JSON gives it."""


@commands.command("list")
def list_(
    settings: SettingsFile = None,
    as_of: AsOf = "",
    kind: Annotated[UnitType | None, typer.Option("--type", help="Only units of this type.")] = None,
    as_json: AsJson = False,
) -> None:
    """Các đơn vị của một ngày / the units of one day."""
    org, day = _org(settings_of(settings)), day_of(as_of)
    order = list(_TYPES)
    found = [unit for unit in org.at(day) if kind in {None, unit.type}]
    found.sort(key=lambda unit: (order.index(unit.type), vietnamese_key(org.name(unit.id, day))))
    show([_brief(org, unit, day) if as_json else _row(org, unit, day) for unit in found], _COLUMNS, as_json=as_json)


@commands.command("show")
def show_(
    name: Annotated[str, typer.Argument(help="An id, any name now or formerly used, a code or a domain.")],
    settings: SettingsFile = None,
    as_of: AsOf = "",
    as_json: AsJson = False,
) -> None:
    """Một đơn vị: tên, mã, cấp trên, ai kế tục ai / one unit: names, codes, parents, who took over from whom."""
    given, day = settings_of(settings), day_of(as_of)
    org = _org(given)
    found = org.find(name, day)
    if not found:
        text = f"không có đơn vị '{name}' vào ngày {day} / there is no unit '{name}' on {day}: see 'haidang units list'"
        raise NotFoundError(text)
    if as_json:
        show([_whole(org, unit, day) for unit in found], {}, as_json=True)
        return
    for unit in found:
        whole = _whole(org, unit, day) | {"type": _TYPES[unit.type]}
        told = [{"name": _NAMES[key], "value": _told(value)} for key, value in whole.items()]
        show(told, {"name": "Mục", "value": "Giá trị"}, as_json=False)


def _org(settings: Settings) -> Org:
    """The installation's units, as far as the caller may see them; those that are shipped while it has none."""
    reader = reader_of(settings)
    seen = reader.seen("inventory.read")
    return seen.org if reader.inventory.units else shipped_units()


def _brief(org: Org, unit: Unit, day: str) -> dict[str, object]:
    return {
        "id": unit.id,
        "name": org.name(unit.id, day),
        "short": org.short(unit.id, day),
        "type": unit.type,
        "status": org.status(unit.id, day),
        "parent": org.parent(unit.id, day),
        "valid_from": unit.valid_from,
        "valid_to": unit.valid_to,
        "code_gso": org.code(unit.id, "gso", day),
        "code_ma_dinh_danh": org.code(unit.id, "ma_dinh_danh", day),
    }


def _row(org: Org, unit: Unit, day: str) -> dict[str, object]:
    above = org.short(org.parent(unit.id, day), day)
    return _brief(org, unit, day) | {"type": _TYPES[unit.type], "parent": above}


def _whole(org: Org, unit: Unit, day: str) -> dict[str, object]:
    return _brief(org, unit, day) | {
        "path": [org.name(one, day) for one in org.path(unit.id, day)],
        "children": list(org.children(unit.id, day)),
        "known_counts": _counts(org, unit, day),
        "aliases": list(org.aliases(unit.id, day)),
        "domains": list(org.domains(unit.id, day)),
        "predecessors": _changes(org, org.origins(unit.id), lambda row: row.predecessor),
        "successors": _changes(org, org.passed_to(unit.id), lambda row: row.successor),
    }


def _counts(org: Org, unit: Unit, day: str) -> dict[str, int]:
    """Of the shipped units alone: an installation names its own."""
    if org is not shipped_units():
        return {}
    return {row.type: row.count for row in known_counts() if row.unit == unit.id and row.valid_from <= day}


def _changes(org: Org, rows: Iterable[Succession], other: Callable[[Succession], str]) -> list[dict[str, str]]:
    """The other side of each succession, under its name at its end or today."""
    return [
        {"id": other(row), "name": _last_name(org, other(row)), "day": row.day, "source": row.source} for row in rows
    ]


def _last_name(org: Org, unit_id: str) -> str:
    unit = org.unit(unit_id)
    return unit.name if unit else ""


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {count}" for key, count in value.items()) or "–"
    if isinstance(value, list):
        return ", ".join(map(_change, value)) or "–"
    return str(value) or "–"


def _change(item: object) -> str:
    return f"{item['name']} ({item['id']}, {item['day']})" if isinstance(item, Mapping) else str(item)
