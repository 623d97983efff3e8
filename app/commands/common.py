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
from core.errors import ContentError, UnavailableError
from core.settings import Settings, read_settings
from core.sigma import Refused
from core.stores.state import read_state
from core.terminal import say

DEFAULT_FILE = Path("haidang.toml")
PIPE_WIDTH = 200
MOST_REFUSED = 20
"""Refused files of rules that are named one by one; those after them are only counted."""

_YEARS = range(1970, 2116)
"""Of times that may be asked for: an event's time is nanoseconds since 1970, and a search goes up to 2^62 of them."""

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


def tell_refused(refused: Sequence[Refused], used: int) -> None:
    """Names the files of rules that are not used, with the reason.

    Raises:
        ContentError: none is left to be used.
    """
    for file, reason in refused[:MOST_REFUSED]:
        say(plain(f"{file}: không dùng được / cannot be used: {reason}"))
    if len(refused) > MOST_REFUSED:
        more = len(refused) - MOST_REFUSED
        say(f"… và {more} tệp nữa không dùng được / and {more} more files that cannot be used")
    if not used:
        raise ContentError("không có quy tắc phát hiện nào dùng được / there is no detection rule that can be used")


def logs_of(settings: Settings) -> Path:
    """The folder of all that the logs lane keeps.

    Raises:
        UnavailableError: there is none yet.
    """
    if not settings.logs.is_dir():
        raise UnavailableError(
            f"there are no stored events in {settings.logs}: has 'haidang up' run with these settings?"
        )
    return settings.logs


def plain(text: str) -> str:
    """The text with what would steer a terminal made visible."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def progress(things: Sequence[Thing], text: str) -> Iterable[Thing]:
    """The things, one by one, with a bar on a terminal and nothing in a pipe."""
    return track(things, text, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def moment(text: str) -> int:
    """A time in ISO 8601, Vietnam's where no zone is given, in nanoseconds.

    Raises:
        ContentError: it is none, or lies beyond all that can be stored.
    """
    try:
        written = datetime.fromisoformat(text)
    except ValueError:
        raise ContentError(f"'{text}' is no time: write 2026-11-22T13:30 or 2026-11-22T13:30:00+07:00") from None
    if written.year not in _YEARS:
        raise ContentError(f"'{text}' is too far off: write a time from {_YEARS[0]} to {_YEARS[-1]}")
    return from_datetime(written if written.tzinfo else written.replace(tzinfo=VIETNAM))
