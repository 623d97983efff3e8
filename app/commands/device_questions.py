"""haidang devices test and walk: what one device answers. They open credential sets, on this machine only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple, TextIO

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from app.commands.common import (
    AsJson,
    Reader,
    SettingsFile,
    owner_of,
    plain,
    reader_of,
    settings_of,
    show,
    state_of,
)
from app.commands.device_words import failure_words, report_lines
from app.content import SNMP
from app.examining import examine_device
from app.snmp.plan import SnmpCredential, open_set, sets_for
from app.snmp.sessions import Found, Tried, Way, try_sets
from app.snmp.walk import MOST, ROOT, walk
from collectors.snmp.session import Sessions, Target
from core.errors import ContentError, NotFoundError, RefusedError, UnavailableError
from core.settings import Settings
from core.stores.credentials import read_sealed
from core.vault import Vault
from inventory.records import Device

RIGHT = "inventory.write"
"""Who looks after a device may ask it; credential sets are used and never shown."""

Name = Annotated[str, typer.Argument(help="Tên thiết bị / the device's name.")]


class Asked(NamedTuple):
    """A device that may be asked, how, with which sets, and who asks."""

    device: Device
    way: Way
    sets: dict[str, SnmpCredential]
    reader: Reader


def try_(name: Name, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Thử một thiết bị: ping, xác thực, hồ sơ, giá trị / test a device: ping, credentials, profile, values."""
    asked = _asked(settings_of(settings), name)
    device = asked.device
    asked.reader.note("export", f"device/{device.name}", _noted("test", asked), 1)
    with Console(stderr=True).status(f"{device.name} {device.address}"):
        report = asyncio.run(examine_device(device.name, device.site, asked.way, asked.sets))
    if as_json:
        show([msgspec.to_builtins(report)], {}, as_json=True)
    else:
        for line in report_lines(report):
            typer.echo(plain(line))
    if not report.is_read:
        raise typer.Exit(1)


def walk_(
    name: Name,
    settings: SettingsFile = None,
    root: Annotated[str, typer.Option(help="Chỉ dưới OID này / only below this object identifier.")] = ROOT,
    out: Annotated[Path | None, typer.Option(help="Tệp mới / a new file; else standard output.")] = None,
) -> None:
    """Lưu mọi giá trị của thiết bị, để phát lại trong phòng thử / save all that a device has, for the lab to replay."""
    if not all(part.isdecimal() for part in root.split(".")) or len(root) > 300:  # noqa: PLR2004 - 128 arcs at most
        raise ContentError(f"'{root}' không phải OID / is no object identifier: write numbers such as 1.3.6.1.2.1")
    asked = _asked(settings_of(settings), name)
    asked.reader.note("export", f"device/{asked.device.name}", _noted(f"walk {root}", asked), 1)
    with _file(out) as file:
        count = asyncio.run(_walk(asked, root, file))
    typer.echo(f"{count} giá trị / variables: {out or '-'}", err=True)


def _asked(settings: Settings, name: str) -> Asked:
    """The device, if it is the caller's to ask.

    Raises:
        RefusedError: the caller has no right to, or is another account than the platform's own.
        NotFoundError: there is no such device within the caller's units.
    """
    reader = reader_of(settings)
    device = reader.seen(RIGHT).device_named(name)
    if device is None:
        raise NotFoundError(f"không có thiết bị '{name}' / there is no device '{name}': see 'haidang devices list'")
    if os.getuid() not in {0, owner_of(settings)}:
        raise RefusedError(
            "chỉ tài khoản chạy hệ thống mở được bộ thông tin xác thực / "
            "credential sets are opened by the platform's own account only: run this as that account"
        )
    own = settings.lane.snmp
    way = Way(address=device.address, port=own.port, timeout=own.timeout_seconds)
    with state_of(settings) as connection:
        sealed = read_sealed(connection, SNMP)
    bodies = {one.name: one for one in sealed.sets}
    vault = Vault(settings.secrets)
    sets = {name: open_set(vault, bodies[name]) for name in sets_for(reader.inventory, device, sealed)}
    return Asked(device, way, sets, reader)


def _noted(what: str, asked: Asked) -> str:
    return f"{what}: {', '.join(asked.sets) or '-'}"


@contextlib.contextmanager
def _file(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        with path.open("x", encoding="utf-8") as file:
            yield file
    except FileExistsError:
        raise RefusedError(f"{path} đã có / is there already: name a new file") from None
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror}") from error


async def _walk(asked: Asked, root: str, file: TextIO) -> int:
    target = await _target(asked)
    encoder, count = msgspec.json.Encoder(), 0
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(asked.device.name, total=MOST)
        async for variable in walk(target, root):
            file.write(encoder.encode(variable).decode() + "\n")
            count += 1
            bar.update(task, completed=count, description=f"{asked.device.name} {variable.oid}")
    return count


async def _target(asked: Asked) -> Target:
    """How the device is asked, with the set that it takes.

    Raises:
        UnavailableError: it takes none, or does not answer.
    """
    tried: list[Tried] = []
    found = await try_sets(Sessions(), asked.way, asked.sets, tried.append)
    if isinstance(found, Found):
        found.session.close()
        return found.target
    why = failure_words(found) if asked.sets else "không có bộ SNMP nào / no SNMP credential set is for it"
    raise UnavailableError(f"{asked.device.name}: {why}")
