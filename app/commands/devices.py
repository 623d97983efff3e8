"""haidang devices: list, show, add, test, walk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature, signature
from typing import Annotated

import msgspec
import typer

from app.commands.common import AsJson, SettingsFile, ask_centre, reader_of, settings_of, show
from app.commands.device_questions import try_, walk_
from app.commands.device_words import failure_words
from app.commands.inventory import ask_import, tell_import
from core.clock import vietnam
from core.device_states import DeviceState, Reach, read_device_states
from core.errors import NotFoundError, RefusedError
from inventory.formats.rows import Row, Rows
from inventory.records import Device, fold_name
from inventory.registry import cells_of
from inventory.sorting import matches, vietnamese_key
from inventory.stocktake import COLUMNS

commands = typer.Typer(no_args_is_help=True, help="Thiết bị / devices.")

_SHOWN = {
    "name": "Tên",
    "site": "Điểm cầu",
    "address": "Địa chỉ",
    "vendor": "Hãng",
    "role": "Vai trò",
    "state": "SNMP",
    "answered": "Trả lời lần cuối",
    "profile": "Hồ sơ",
}
_STATES = {
    Reach.UNKNOWN: "chưa rõ",
    Reach.UP: "trả lời",
    Reach.DOWN: "không trả lời",
    Reach.REFUSED: "từ chối",
}
_POLLED = {
    "state": "SNMP",
    "since": "Từ / since",
    "answered": "Trả lời lần cuối / answered",
    "failure": "Lý do / failure",
    "profile": "Hồ sơ / profile",
    "object_id": "sysObjectID",
    "credential": "Bộ thông tin xác thực / credential set",
    "refused": "Bộ bị từ chối / refused",
    "interfaces": "Số cổng / interfaces",
    "varbinds": "Giá trị / values",
    "errors": "Lỗi / errors",
    "missed": "Lỡ / missed",
    "rtt_ms": "ms",
    "late_s": "Muộn (giây) / late (s)",
    "restarted": "Khởi động lại / restarted",
}
_ASKED = {
    "site": "Mã điểm cầu / the site's id.",
    "address": "Địa chỉ quản trị / management address.",
    "vendor": "Hãng / vendor.",
    "model": "Model.",
    "role": "Vai trò / role: router, switch, firewall, server ...",
}
"""Columns that a new device must have."""
_TIMES = frozenset({"since", "answered", "restarted"})
_MORE = {
    "access": "Quyền truy cập",
    "family": "Dòng thiết bị",
    "timezone": "Múi giờ",
    "in_service": "Đưa vào sử dụng",
}
_PORTS = {"name": "Cổng", "role": "Vai trò", "speed_mbps": "Mbit/s", "description": "Mô tả"}


@commands.command("list")
def list_(
    settings: SettingsFile = None,
    find: Annotated[str, typer.Option("--find", help="Only with this text; diacritics count only if typed.")] = "",
    site: Annotated[str, typer.Option("--site", help="Only at this site.")] = "",
    as_json: AsJson = False,
) -> None:
    """Các thiết bị trong phạm vi của mình / the devices within one's scope."""
    own = settings_of(settings)
    states = read_device_states(own.device_states).by_name()
    found = [
        device
        for device in reader_of(own).seen("inventory.read").devices
        if site in {"", device.site}
        and matches(f"{device.name} {device.address} {device.vendor} {device.model} {device.purpose}", find)
    ]
    found.sort(key=lambda device: vietnamese_key(device.name))
    rows = [_whole(device, states) if as_json else _row(device, states) for device in found]
    show(rows, _SHOWN, as_json=as_json)


@commands.command("show")
def show_(
    name: Annotated[str, typer.Argument(help="The device's name.")],
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Một thiết bị với các cổng / one device with its interfaces."""
    own = settings_of(settings)
    seen, states = reader_of(own).seen("inventory.read"), read_device_states(own.device_states).by_name()
    device = seen.device_named(name)
    if device is None:
        raise NotFoundError(f"không có thiết bị '{name}' / there is no device '{name}': see 'haidang devices list'")
    ports = [port for port in seen.interfaces if fold_name(port.device) == fold_name(device.name)]
    if as_json:
        show([{**_whole(device, states), "interfaces": msgspec.to_builtins(ports)}], {}, as_json=True)
        return
    cells = cells_of(device)
    headings = {column: heading for column, heading in (COLUMNS | _MORE).items() if cells.get(column)}
    facts = [{"what": heading, "value": cells[column]} for column, heading in headings.items()]
    show([*facts, *_polled(states.get(device.name))], {"what": "Mục", "value": "Giá trị"}, as_json=False)
    if ports:
        typer.echo("\nCổng / interfaces")
        show([cells_of(port) for port in ports], _PORTS, as_json=False)


def _add(
    name: Annotated[str, typer.Argument(help="Tên thiết bị / the device's name.")],
    credential: Annotated[str, typer.Option(help="Bộ thông tin xác thực dùng cho nó / a credential set for it.")] = "",
    settings: SettingsFile = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else only the difference is shown.")] = False,
    **cells: str,
) -> None:
    """Thêm một thiết bị, trước hết chỉ ra khác biệt / add a device, the difference first."""
    own = settings_of(settings)
    rows: Rows = {"devices": [Row(place="devices add", cells={"name": name, **cells})]}
    compared = ask_import(own, rows, yes=False)
    if compared["counts"]["changed"] or compared["counts"]["unchanged"]:
        raise RefusedError(f"đã có thiết bị '{name}' / there is a device '{name}': see 'haidang devices show {name}'")
    tell_import(ask_import(own, rows, yes=True) if yes else compared, yes=yes)
    if credential and yes:
        ask_centre(own, "credentials.assign", name=credential, kind="device", target=name)
    if credential:
        typer.echo(f"{'+' if yes else '?'} credentials/{credential}: device {name}")


def _with_cells(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each of a device's columns that must be given."""
    asked = {name: Annotated[str, typer.Option(help=text)] for name, text in _ASKED.items()}
    made = [Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind) for name, kind in asked.items()]
    known = [
        one for one in signature(command, eval_str=True).parameters.values() if one.kind is not Parameter.VAR_KEYWORD
    ]
    command.__signature__ = Signature([*known, *made])  # type: ignore[attr-defined]  # that is how typer reads it
    command.__annotations__ |= asked
    return command


commands.command("add")(_with_cells(_add))
commands.command("test")(try_)
commands.command("walk")(walk_)


def _whole(device: Device, states: Mapping[str, DeviceState]) -> dict[str, object]:
    """All that is known of it; what is polled under ``snmp``, null where it is not."""
    state = states.get(device.name)
    polled = {name: msgspec.to_builtins(getattr(state, name)) for name in state.__struct_fields__} if state else None
    return {**msgspec.to_builtins(device), "snmp": polled}


def _row(device: Device, states: Mapping[str, DeviceState]) -> dict[str, str]:
    state = states.get(device.name)
    told = {"state": "–", "answered": "–", "profile": ""}
    if state is not None:
        told = {name: _told(name, getattr(state, name)) for name in told}
    return cells_of(device) | told


def _polled(state: DeviceState | None) -> list[dict[str, str]]:
    if state is None:
        return []
    return [
        {"what": heading, "value": _told(name, value)}
        for name, heading in _POLLED.items()
        if (value := getattr(state, name)) or name in {"missed", "errors"}
    ]


def _told(name: str, value: object) -> str:
    if name in _TIMES and isinstance(value, int):
        return vietnam(value) if value else "–"
    if isinstance(value, Reach):
        return _STATES[value]
    if name == "failure" and value:
        return failure_words(str(value))
    return ", ".join(value) if isinstance(value, tuple) else str(value)
