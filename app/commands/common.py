"""What commands share: the settings option, output as a table or JSON, and the way to the centre."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection

from core.centre import CentreClient
from core.clock import VIETNAM, from_datetime
from core.errors import ContentError
from core.settings import Settings, read_settings
from core.stores.state import read_state

DEFAULT_FILE = Path("haidang.toml")
PIPE_WIDTH = 200

Thing = TypeVar("Thing")

SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", envvar="HAIDANG_SETTINGS", help="The settings file; default ./haidang.toml if there."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON array instead of a table.")]


def settings_of(path: Path | None) -> Settings:
    """The settings from the file that was named, else from ./haidang.toml, else the defaults.

    Raises:
        SettingsError: file, key and what was expected.
    """
    if path is None and DEFAULT_FILE.exists():
        path = DEFAULT_FILE
    return read_settings(path)


def cache_folder() -> Path | None:
    """Where commands keep what they can make again (XDG Base Directory Specification); None if there is no home."""
    given = os.environ.get("XDG_CACHE_HOME") or ("~/.cache" if os.environ.get("HOME") else "")
    return Path(given).expanduser() / "haidang" / "rules" if given else None


@contextmanager
def state_of(settings: Settings) -> Iterator[Connection]:
    """A reading connection to the state database."""
    engine = read_state(settings.state)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def ask_centre(settings: Settings, action: str, **values: object) -> Mapping[str, object]:
    """Has the centre do an action in the name of the caller's account."""
    client = CentreClient(settings.socket)
    try:
        answer: Mapping[str, object] = client.call(action, actor="", **values)
    finally:
        client.close()
    return answer


def show(rows: Sequence[Mapping[str, object]], columns: Mapping[str, str], *, as_json: bool) -> None:
    """Prints rows: as one JSON array with all their values, or these columns (name to heading) as a table."""
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(str(row[name]))) for name in columns))
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)


def plain(text: str) -> str:
    """The text with what would steer a terminal made visible."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def progress(things: Sequence[Thing], text: str) -> Iterable[Thing]:
    """The things, one by one, with a bar on a terminal and nothing in a pipe."""
    return track(things, text, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def moment(text: str) -> int:
    """A time in ISO 8601, Vietnam's where no zone is given, in nanoseconds.

    Raises:
        ContentError: it is none.
    """
    try:
        written = datetime.fromisoformat(text)
    except ValueError:
        raise ContentError(f"'{text}' is no time: write 2026-11-22T13:30 or 2026-11-22T13:30:00+07:00") from None
    return from_datetime(written if written.tzinfo else written.replace(tzinfo=VIETNAM))
