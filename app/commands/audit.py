"""haidang audit verify: is everything as it was written?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from app.commands.common import AsJson, SettingsFile, progress, reader_of, settings_of, show, state_of
from core.audit import Entry, Finding, read_anchor, read_chain, verify_anchor, verify_chain, verify_keys
from core.clock import HOUR
from core.outbox import waiting_keys
from core.retention import DAY, EVENTS, REMOVE_ACTION, classes
from core.settings import Settings
from core.stores.manifest import file_sha256, read_manifest

commands = typer.Typer(no_args_is_help=True, help="Chuỗi kiểm toán / audit chain.")


@commands.callback()
def _group() -> None:
    """Chuỗi kiểm toán / audit chain."""


@commands.command()
def verify(
    settings: SettingsFile = None,
    anchor: Annotated[list[Path] | None, typer.Option(help="A signed head that was kept off this host.")] = None,
    data: Annotated[bool, typer.Option("--data", help="Closed partitions too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Kiểm tra dữ liệu còn nguyên như lúc ghi; mã thoát 1 nếu sai / check the chain, its anchors, partitions."""
    own = settings_of(settings)
    reader_of(own).must("audit.read")
    found, entries = examine(own, anchor or [], data=data)
    if as_json or found:
        columns = {"kind": "Loại", "where": "Ở đâu", "text": "Phát hiện"}
        show([msgspec.to_builtins(one) for one in found], columns, as_json=as_json)
    else:
        typer.echo(f"Chuỗi kiểm toán nguyên vẹn: {entries} mục / the chain is whole: {entries} entries")
    if found:
        raise typer.Exit(1)


def examine(settings: Settings, kept: list[Path], *, data: bool) -> tuple[list[Finding], int]:
    """All that is not as it was written, and how many entries the chain has.

    What the chain is compared with is read first: a platform that runs adds to the chain meanwhile.
    """
    own = sorted(settings.anchors.glob("*.json"))
    anchors = [read_anchor(path) for path in [*kept, *own]]
    partitions = read_manifest(settings.logs / "events").partitions
    pending = waiting_keys(settings.logs / "outbox.db")
    with state_of(settings) as connection:
        chain = list(read_chain(connection))
    found = [*verify_chain(chain), *verify_keys(chain, anchors)]
    for anchor in anchors:
        found += verify_anchor(chain, anchor)
    if chain and settings.anchors / "latest.json" not in own:
        found.append(Finding(kind="anchor", where="latest.json", text=f"is gone from {settings.anchors}"))
    if data:
        told = [part.name for part in partitions if part.announced and f"partition/{part.name}" not in pending]
        found += verify_partitions(settings, chain, told)
    return list(dict.fromkeys(found)), len(chain)


def verify_partitions(settings: Settings, chain: list[Entry], told: list[str]) -> list[Finding]:
    """Closed partitions that are gone or not what the chain says of them, and those ``told`` that it does not name."""
    entered = {entry.object: entry for entry in chain if entry.action == "partition.close"}
    removed = {entry.object for entry in chain if entry.action == REMOVE_ACTION}
    found = list(_removed_too_soon(chain))
    for subject, entry in progress(list(entered.items()), "Phân vùng"):
        _, lane, name = subject.split("/", 2)
        said = _detail(entry)
        path = settings.data / "lanes" / lane / "events" / name
        if not path.exists():
            if subject in removed:
                continue
            found.append(Finding(kind="partition", where=name, text=f"is gone; it held {said.get('count')} events"))
        elif file_sha256(path) != said.get("sha256"):
            found.append(Finding(kind="partition", where=name, text="has changed since it was closed"))
    told_of = entered.keys() | removed
    unknown = [name for name in told if f"partition/logs/{name}" not in told_of]
    return found + [Finding(kind="partition", where=name, text="is in no entry of the chain") for name in unknown]


def _detail(entry: Entry) -> dict[str, Any]:
    """What the entry says; nothing where it was changed so that it cannot be read, which the chain tells anyway."""
    try:
        return msgspec.json.decode(entry.detail, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}


def _removed_too_soon(chain: list[Entry]) -> Iterator[Finding]:
    """Partitions that were removed although the law had them kept."""
    least = classes()[EVENTS].minimum
    for entry in chain:
        if entry.action == REMOVE_ACTION:
            hour = _detail(entry).get("hour")
            age = entry.time - (hour + 1) * HOUR if isinstance(hour, int) else least * DAY
            if age < least * DAY:
                name = entry.object.rsplit("/", 1)[-1]
                text = f"was removed after {age // DAY} days; {classes()[EVENTS].clause} asks for {least}"
                yield Finding(kind="partition", where=name, text=text)
