"""haidang credentials: list, add, remove, assign, unassign, which, rotate. None takes a secret as an argument."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Annotated

import typer

from app.commands.common import AsJson, SettingsFile, ask_centre, progress, settings_of, show
from core.clock import vietnam
from core.errors import ContentError
from core.files import read_bounded
from inventory.credentials import KINDS, TARGET_KINDS, fields_of, read_credential

MOST_BYTES = 64 << 10
"""Of a file with the secrets of one set."""

commands = typer.Typer(no_args_is_help=True, help="Bộ thông tin xác thực của thiết bị / credential sets of devices.")

Name = Annotated[str, typer.Argument(help="Tên bộ / the set's name.")]
ForDevice = Annotated[str, typer.Option("--device", help="Cho thiết bị / for a device.")]
ForSite = Annotated[str, typer.Option("--site", help="Cho điểm cầu / for a site.")]
ForPrefix = Annotated[str, typer.Option("--prefix", help="Cho dải mạng / for a prefix: 10.1.0.0/16[@SPACE].")]
ForFamily = Annotated[str, typer.Option("--family", help="Cho dòng máy / for a vendor and model: 'cisco c9300'.")]

_COLUMNS = {"name": "Tên", "kind": "Loại", "for": "Dùng cho", "when": "Lúc", "actor": "Người đặt"}


@commands.command("list")
def list_(settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Tất cả các bộ, không có bí mật / all sets, without their secrets."""
    rows = ask_centre(settings_of(settings), "credentials.list")["sets"]
    assert isinstance(rows, list)  # noqa: S101 - tells the type checker what the centre answers
    told = [
        row | {"for": ", ".join(" ".join(target) for target in row["targets"]), "when": vietnam(row["time"])}
        for row in rows
    ]
    show(rows if as_json else told, _COLUMNS, as_json=as_json)


@commands.command()
def add(
    name: Name,
    kind: Annotated[str, typer.Option(help=f"Loại / kind: {', '.join(KINDS)}.")],
    settings: SettingsFile = None,
    source: Annotated[
        Path | None, typer.Option("--from", help="Tệp chứa bí mật / the file with the secrets; else asked or piped.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Thay bí mật của bộ đã có / replace a set's.")] = False,
) -> None:
    """Thêm hoặc thay một bộ / add or replace a set.

    The secrets come from a file, from a pipe or are asked for. A kind with one field takes the text as it is, others
    take TOML: user = "...", password = "...".
    """
    given = {"kind": kind, **_given(kind, source)}
    read_credential(given)  # refused here already, before it travels
    ask_centre(settings_of(settings), "credentials.put", name=name, credential=given, replace=replace)
    typer.echo(f"Đã lưu, được mã hóa / stored, encrypted: {name} ({kind})")


@commands.command()
def remove(name: Name, settings: SettingsFile = None) -> None:
    """Xóa một bộ và mọi chỗ dùng nó / remove a set and all its targets."""
    ask_centre(settings_of(settings), "credentials.remove", name=name)


@commands.command()
def assign(
    name: Name,
    settings: SettingsFile = None,
    device: ForDevice = "",
    site: ForSite = "",
    prefix: ForPrefix = "",
    family: ForFamily = "",
) -> None:
    """Dùng bộ này cho / use the set for a device, site, prefix or family."""
    kind, target = _target(device, prefix, site, family)
    ask_centre(settings_of(settings), "credentials.assign", name=name, kind=kind, target=target)


@commands.command()
def unassign(
    name: Name,
    settings: SettingsFile = None,
    device: ForDevice = "",
    site: ForSite = "",
    prefix: ForPrefix = "",
    family: ForFamily = "",
) -> None:
    """Thôi dùng bộ này cho / no longer use the set for a device, site, prefix or family."""
    kind, target = _target(device, prefix, site, family)
    ask_centre(settings_of(settings), "credentials.unassign", name=name, kind=kind, target=target)


@commands.command()
def which(
    device: Annotated[str, typer.Argument(help="Tên thiết bị / the device's name.")],
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Các bộ dùng cho thiết bị, theo thứ tự thử / the sets for a device, in the order in which they are tried."""
    names = ask_centre(settings_of(settings), "credentials.which", device=device)["names"]
    assert isinstance(names, list)  # noqa: S101 - tells the type checker what the centre answers
    rows = [{"order": order, "name": name} for order, name in enumerate(names, start=1)]
    show(rows, {"order": "Thứ tự", "name": "Tên"}, as_json=as_json)


@commands.command()
def rotate(settings: SettingsFile = None) -> None:
    """Khóa mới, mã hóa lại tất cả, bỏ khóa cũ / a new key, everything encrypted anew, old keys removed."""
    found = settings_of(settings)
    answer: dict[str, object] = {}
    for step in progress(("credentials.rotate", "credentials.retire"), "Đổi khóa / rotating"):
        answer |= ask_centre(found, step)
    typer.echo(
        f"Đã mã hóa lại {answer['renewed']} bí mật bằng khóa mới, bỏ {answer['retired']} khóa cũ / "
        f"{answer['renewed']} secrets encrypted under a new key, {answer['retired']} old keys removed"
    )
    typer.echo(
        f"Hãy giữ một bản sao, tách khỏi bản sao lưu / keep a copy, apart from backups: {found.secrets / 'vault.keys'}"
    )


def _target(*targets: str) -> tuple[str, str]:
    """The one target that was named, with its kind; they come in the order of ``TARGET_KINDS``."""
    named = [(kind, target) for kind, target in zip(TARGET_KINDS, targets, strict=True) if target]
    if len(named) != 1:
        raise typer.BadParameter("nêu đúng một trong / name just one of --device, --site, --prefix, --family")
    return named[0]


def _given(kind: str, source: Path | None) -> dict[str, str]:
    fields_of(kind)  # refuses an unknown kind before anything is asked
    if source is not None:
        wanted = "give the secrets of one credential set"
        return _parse(kind, read_bounded(source, MOST_BYTES, wanted), str(source))
    if _is_terminal():
        return _ask(kind)
    return _parse(kind, sys.stdin.buffer.read(MOST_BYTES), "standard input")


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _parse(kind: str, data: bytes, place: str) -> dict[str, str]:
    """The fields in a file: the text as it is where the kind has one, else TOML. No error repeats any of it."""
    required = fields_of(kind)
    try:
        text = data.decode("utf-8-sig")
        if len(required) == 1:
            return {required[0].name: text.removesuffix("\n").removesuffix("\r")}
        return tomllib.loads(text)
    except ValueError:  # also TOML's and Unicode's own
        lines = ", ".join(f'{field.name} = "..."' for field in required if not field.is_optional)
    raise ContentError(f"{place}: expected UTF-8 text, for {kind} TOML with lines such as {lines}")


def _ask(kind: str) -> dict[str, str]:
    """Asks on the terminal, for secrets without echo and twice; what is left empty is left out."""
    answers = {}
    for name, is_optional, choices in fields_of(kind):
        if name == "private_key":
            path = Path(typer.prompt("private_key: tệp / file"))
            answers[name] = read_bounded(path, MOST_BYTES, "give a private key").decode("utf-8", "replace")
            continue
        hidden = name != "user" and not choices
        told = f"{name} ({', '.join(choices)})" if choices else name
        default = "" if is_optional else None
        answers[name] = typer.prompt(told, default, hidden, confirmation_prompt=hidden, show_default=False)
    return {name: answer for name, answer in answers.items() if answer}
