"""haidang audit verify: is everything as it was written?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app.commands.common import AsJson, SettingsFile, progress, settings_of, show, state_of
from core.audit import Entry, Finding, read_anchor, read_chain, verify_anchor, verify_chain
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
    found, entries = examine(settings_of(settings), anchor or [], data=data)
    if as_json or found:
        columns = {"kind": "Loại", "where": "Ở đâu", "text": "Phát hiện"}
        show([msgspec.to_builtins(one) for one in found], columns, as_json=as_json)
    else:
        typer.echo(f"Chuỗi kiểm toán nguyên vẹn: {entries} mục / the chain is whole: {entries} entries")
    if found:
        raise typer.Exit(1)


def examine(settings: Settings, anchors: list[Path], *, data: bool) -> tuple[list[Finding], int]:
    """All that is not as it was written, and how many entries the chain has."""
    with state_of(settings) as connection:
        chain = list(read_chain(connection))
    found = list(verify_chain(chain))
    own = settings.anchors / "latest.json"
    for path in [*anchors, *([own] if own.exists() else [])]:
        found += verify_anchor(chain, read_anchor(path))
    if data:
        found += verify_partitions(settings, chain)
    return list(dict.fromkeys(found)), len(chain)


def verify_partitions(settings: Settings, chain: list[Entry]) -> list[Finding]:
    """Closed partitions that are gone or not what the chain says of them."""
    entered = {entry.object: entry for entry in chain if entry.action == "partition.close"}
    found = []
    for subject, entry in progress(list(entered.items()), "Phân vùng"):
        _, lane, name = subject.split("/", 2)
        said = msgspec.json.decode(entry.detail)
        path = settings.data / "lanes" / lane / "events" / name
        if not path.exists():
            found.append(Finding(kind="partition", where=name, text=f"is gone; it held {said['count']} events"))
        elif file_sha256(path) != said["sha256"]:
            found.append(Finding(kind="partition", where=name, text="has changed since it was closed"))
    return found + _unknown_partitions(settings, set(entered))


def _unknown_partitions(settings: Settings, entered: set[str]) -> list[Finding]:
    listed = [part for part in read_manifest(settings.logs / "events").partitions if part.announced]
    unknown = [part.name for part in listed if f"partition/logs/{part.name}" not in entered]
    return [Finding(kind="partition", where=name, text="is in no entry of the chain") for name in unknown]
