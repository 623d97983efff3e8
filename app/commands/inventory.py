"""haidang inventory: import, netbox, export, delete, policies."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from app.actions.inventory import MOST_REMOVED
from app.actions.packed_rows import pack_rows
from app.commands.common import (
    AsJson,
    AsOf,
    SettingsFile,
    ask_centre,
    day_of,
    plain,
    reader_of,
    settings_of,
    show,
    tell_request,
    today,
)
from core.errors import ContentError, RefusedError
from core.files import make_folder, replace_file
from core.settings import Settings
from core.terminal import say
from inventory.formats.files import FORMATS, read_rows, write_inventory, write_sheets
from inventory.formats.rows import Rows
from inventory.netbox import fetch, netbox_client, read_token
from inventory.netbox_rows import rows_of
from inventory.policies import judge
from inventory.stocktake import gaps, stock_take

commands = typer.Typer(no_args_is_help=True, help="Danh mục đơn vị, điểm cầu, thiết bị / the inventory.")

MOST_TOLD = 40
"""Lines of one kind that are shown; with --json all that the centre names."""

_MARKS = {"added": "+", "changed": "~", "missing": "-", "problems": "!"}
_COUNTED = {
    "added": "thêm / added",
    "changed": "sửa / changed",
    "unchanged": "không đổi / unchanged",
    "missing": "không còn trong tệp / not in the file",
    "problems": "dòng sai / wrong rows",
}
_VIOLATIONS = {
    "site": "Điểm cầu",
    "name": "Đường truyền, cổng",
    "known_mbps": "Mbit/s",
    "wanted_mbps": "Tối thiểu",
    "source": "Căn cứ",
}

Paths = Annotated[list[Path], typer.Argument(help="Folders, .csv, .yml or .xlsx files named as their tables.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; else only the difference is shown.")]
Remove = Annotated[bool, typer.Option("--remove", help="Ask for the removal of what has no row; two people decide.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the second person and the audit chain.")]


@commands.command("import")
def import_(
    paths: Paths,
    settings: SettingsFile = None,
    yes: Yes = False,
    remove: Remove = False,
    as_json: AsJson = False,
) -> None:
    """Nhập danh mục từ tệp, trước hết chỉ ra khác biệt / import from files, the difference first."""
    rows: Rows = {}
    for path in paths:
        for kind, found in read_rows(path).items():
            rows.setdefault(kind, []).extend(found)
    if not rows:
        raise ContentError("không có dòng nào để nhập / there is nothing to import: the files have no rows")
    own = settings_of(settings)
    answer = ask_import(own, rows, yes=yes, remove=remove)
    too_many = remove and _count(answer, "missing") > MOST_REMOVED
    if too_many:
        say(
            "quá nhiều bản ghi không còn trong tệp, chưa xin xóa gì / no removal is asked for: "
            f"more than {MOST_REMOVED} records have no row; import fewer tables at a time"
        )
    asked = _ask_removal(own, answer, paths) if yes and remove and not too_many else {}
    tell_import({**answer, **asked}, yes=yes, as_json=as_json)
    if too_many:
        raise typer.Exit(1)


@commands.command()
def netbox(
    address: Annotated[str, typer.Argument(help="https://netbox.example")],
    token_file: Annotated[Path, typer.Option("--token-file", help="File with NetBox's token, mode 0600.")],
    settings: SettingsFile = None,
    ca: Annotated[Path | None, typer.Option("--ca", help="PEM file with the authorities of its certificate.")] = None,
    space: Annotated[str, typer.Option("--space", help="Address space of what is in no VRF.")] = "default",
    yes: Yes = False,
) -> None:
    """Nhập danh mục từ NetBox, trước hết chỉ ra khác biệt / import from a NetBox, the difference first."""
    token = read_token(token_file)
    with netbox_client(address, ca) as http, Progress(console=Console(stderr=True), transient=True) as bar:
        rows = rows_of(fetch(http, token, _Bars(bar)), space)
    tell_import(ask_import(settings_of(settings), rows, yes=yes), yes=yes)


class _Bars:
    """A bar for each kind of object that comes."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, name: str, got: int, count: int) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(f"NetBox {name}", total=count)
        self._progress.update(self._tasks[name], completed=got, total=count)


@commands.command()
def export(
    target: Annotated[Path, typer.Argument(help="A new folder.")],
    settings: SettingsFile = None,
    form: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")] = "csv",
    stocktake: Annotated[bool, typer.Option("--stocktake", help="Devices as level 4 asks (TCVN 14423:2026).")] = False,
) -> None:
    """Xuất danh mục trong phạm vi của mình / export the inventory that is within one's scope."""
    if form not in FORMATS:
        raise typer.BadParameter(f"--format is one of {', '.join(FORMATS)}")
    reader = reader_of(settings_of(settings))
    seen = reader.seen("inventory.read")
    sheet = stock_take(seen, today()) if stocktake else None
    files = write_sheets({"stocktake": sheet}, form, "stocktake") if sheet else write_inventory(seen, form)
    make_folder(target)
    for name, content in files.items():
        if (target / name).exists():
            raise RefusedError(f"{target / name} is there already: name a new folder")
        replace_file(target / name, content)
    count = len(sheet[1]) if sheet else sum(len(getattr(seen, kind)) for kind in seen.__dataclass_fields__)
    reader.note("export", "inventory", str(target), count)
    typer.echo(f"{count} dòng / rows: {', '.join(sorted(files))}")
    if sheet and (empty := sum(bool(gaps(dict(row))) for row in sheet[1])):
        typer.echo(f"{empty} thiết bị còn thiếu thông tin bắt buộc / devices lack what level 4 asks")


@commands.command()
def delete(
    records: Annotated[list[str], typer.Argument(help="TABLE/KEY, such as devices/rt-tha or sites/tha.")],
    reason: Reason,
    settings: SettingsFile = None,
) -> None:
    """Xin xóa bản ghi; người thứ hai phê duyệt / ask for records to be taken away; a second person approves."""
    keys = [record.partition("/")[::2] for record in records]
    if not all(kind and key for kind, key in keys):
        raise typer.BadParameter("name each record as TABLE/KEY")
    tell_request(ask_centre(settings_of(settings), "inventory.delete", keys=keys, reason=reason))


@commands.command()
def policies(settings: SettingsFile = None, as_of: AsOf = "", as_json: AsJson = False) -> None:
    """Đường truyền, cổng chậm hơn quy định của cấp / what is slower than its tier's policy."""
    day = day_of(as_of)
    judged = judge(reader_of(settings_of(settings)).seen("inventory.read"), day)
    rows: list[dict[str, Any]] = [
        {**msgspec.to_builtins(one), "wanted_mbps": one.policy.minimum_mbps, "source": one.policy.source}
        for one in judged.violations
    ]
    show(rows, _VIOLATIONS, as_json=as_json)
    if not as_json:
        typer.echo(
            f"Đạt / met: {judged.met} · chậm hơn / slower: {len(rows)} · "
            f"chưa rõ tốc độ / speed unknown: {len(judged.unknown)} · "
            f"không có quy định / no policy: {judged.unjudged}"
        )


def ask_import(settings: Settings, rows: Rows, *, yes: bool, remove: bool = False) -> Mapping[str, Any]:
    """Has the centre import the rows, or only tell what that would change."""
    content = base64.b64encode(pack_rows(rows)).decode("ascii")
    action = "inventory.import" if yes else "inventory.compare"
    with Console(stderr=True).status(f"{sum(map(len, rows.values()))} dòng / rows"):
        return ask_centre(settings, action, content=content, remove=remove)


def _ask_removal(settings: Settings, answer: Mapping[str, Any], paths: Iterable[Path]) -> Mapping[str, object]:
    missing = [(one["kind"], one["key"]) for one in answer["missing"]]
    if not missing:
        return {}
    reason = f"not in {', '.join(path.name for path in paths)}"
    return ask_centre(settings, "inventory.delete", keys=missing, reason=reason)


def tell_import(answer: Mapping[str, Any], *, yes: bool, as_json: bool = False) -> None:
    """Tells what came of it.

    Raises:
        RefusedError: rows were wrong and left out.
    """
    if as_json:
        show([answer], {}, as_json=True)
    else:
        _tell(answer, is_done=yes)
        tell_request(answer)
    if answer["problems"]:
        raise RefusedError(f"{_count(answer, 'problems')} dòng sai đã bị bỏ qua / wrong rows were left out")


def _tell(answer: Mapping[str, Any], *, is_done: bool) -> None:
    for name, mark in _MARKS.items():
        for one in answer[name][:MOST_TOLD]:
            typer.echo(plain(f"{mark} {_line(one)}"))
        if len(answer[name]) > MOST_TOLD:
            more = _count(answer, name) - MOST_TOLD
            typer.echo(f"{mark} … {more} dòng nữa / more")
    typer.echo(" · ".join(f"{text}: {_count(answer, name)}" for name, text in _COUNTED.items()))
    if not is_done:
        typer.echo("Chưa ghi gì; thêm --yes để ghi / nothing is written yet; add --yes to do it")


def _line(one: Mapping[str, Any]) -> str:
    if "reason" in one:
        return f"{one['place']}: {one['reason']}"
    changed = ", ".join(
        f"{column}: {before or '∅'} → {after or '∅'}" for column, before, after in one.get("fields", ())
    )
    return f"{one['kind']}/{one['key']}" + (f" ({changed})" if changed else "")


def _count(answer: Mapping[str, Any], name: str) -> int:
    return int(answer["counts"][name])
