"""What commands share: the settings option, output as a table or JSON, and the way to the centre."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection

from app.callers import grants_now, local_caller
from app.content import read_inventory
from core.accesses import Access, Accesses, Looked
from core.centre import CentreClient
from core.clock import VIETNAM, SystemClock, from_datetime, vietnam_day
from core.errors import ContentError, RefusedError, UnavailableError
from core.scope import Grant, Scope
from core.settings import Settings, read_settings
from core.sigma import Refused
from core.stores.state import read_state
from core.terminal import say
from inventory.records import Inventory
from inventory.rights import MACHINE, granted, may, scope_of
from inventory.whose import narrowed

if TYPE_CHECKING:
    from core.stores.event_search import Found

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
AsOf = Annotated[str, typer.Option("--as-of", metavar="DATE", help="The day asked about, YYYY-MM-DD; default today.")]
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


class Reader:
    """Who runs a command, and what that account may read.

    Attributes:
        name: the user's, or ``local:ACCOUNT`` for who acts for this machine.
    """

    def __init__(self, settings: Settings, name: str, grants: tuple[Grant, ...]) -> None:
        self.name = name
        self._settings = settings
        self._grants = grants

    def may(self, action: str) -> bool:
        """Whether the account may do this somewhere."""
        return may(self._grants, action)

    def must(self, action: str) -> None:
        """Ends the command unless the account may do this somewhere.

        Raises:
            RefusedError: it may not.
        """
        if not self.may(action):
            text = f"'{self.name}' không có quyền này / may not do this: it needs the right {action}"
            raise RefusedError(text)

    def scope(self, action: str) -> Scope:
        """Where the account may do this.

        Raises:
            RefusedError: nowhere.
            ContentError: the inventory, which says where units are, cannot be read.
        """
        self.must(action)
        has_units = any(grant.unit for grant in self._grants)
        return scope_of(self._grants, action, self.inventory if has_units else Inventory(), today())

    @cached_property
    def inventory(self) -> Inventory:
        """The inventory, whole; it is read once.

        Raises:
            ContentError: it cannot be read.
        """
        return read_inventory(self._settings)

    def seen(self, action: str) -> Inventory:
        """What of the inventory lies where the account may do this.

        Raises:
            RefusedError: nowhere.
            ContentError: the inventory cannot be read.
        """
        scope = self.scope(action)
        return narrowed(self.inventory, scope)

    def noted(self, access: Access) -> AbstractContextManager[Looked]:
        """Has it entered in the audit chain that the account looks at this; more may be counted until it is left."""
        return self._accesses().noted("", self._placed(access))

    def search(self, access: Access, steps: Iterator[Found]) -> Iterator[Found]:
        """The steps of a search, which is entered in the audit chain."""
        return self._accesses().search("", self._placed(access), steps)

    def note(self, what: Literal["search", "raw", "export"], subject: str, query: str, count: int) -> None:
        """Has it entered in the audit chain that the account is about to see so many of what is whole."""
        access = Access(what=what, object=subject, query=query, count=count)
        self._accesses().note("", self._placed(access, "event.read" if what == "raw" else "inventory.read"))

    def _placed(self, access: Access, action: str = "event.read") -> Access:
        return msgspec.structs.replace(access, scope=granted(self._grants, action))

    def _accesses(self) -> Accesses:
        return Accesses(self._ask, self._settings.accesses(str(os.getuid())), SystemClock())

    def _ask(self, action: str, actor: str = "", **values: object) -> Any:
        with closing(CentreClient(self._settings.socket)) as client:
            return client.call(action, actor=actor, **values)


def reader_of(settings: Settings) -> Reader:
    """The account that runs the command: the user it is mapped to, or this machine's own.

    Raises:
        RefusedError: it is nobody's, or it may not read the platform's files.
        UnavailableError: it is a user's, and there is no state database yet.
    """
    with _readable(settings):
        caller = local_caller(owner_of(settings), settings.centre.accounts)(os.getuid())
        if caller.kind == "local":
            return Reader(settings, caller.name, MACHINE)
        _try_to_read(settings.state)
    with state_of(settings) as connection:
        return Reader(settings, caller.name, grants_now(connection, caller.name))


@contextmanager
def _readable(settings: Settings) -> Iterator[None]:
    """Ends the command with one line where the account may not read the platform's files."""
    try:
        yield
    except PermissionError as error:
        raise RefusedError(
            f"tài khoản này không được đọc {settings.data}: hãy chạy lệnh xem bằng tài khoản của nền tảng hoặc root / "
            "this account may not read it: run commands that read as the platform's own account or root; "
            "[centre.accounts] is for actions"
        ) from error


def _try_to_read(database: Path) -> None:
    """Opens the database and what SQLite keeps beside it.

    Raises:
        PermissionError: one of these is not this account's to read.
    """
    for path in (database, *(database.with_name(f"{database.name}-{part}") for part in ("wal", "shm"))):
        with suppress(FileNotFoundError), path.open("rb"):
            pass


def owner_of(settings: Settings) -> int:
    """The account whose the data are: the platform's own; before there are any, this one."""
    return settings.data.stat().st_uid if settings.data.exists() else os.getuid()


def ask_centre(settings: Settings, action: str, **values: object) -> Mapping[str, object]:
    """Has the centre do an action in the name of the caller's account."""
    client = CentreClient(settings.socket)
    try:
        answer: Mapping[str, object] = client.call(action, actor="", **values)
    finally:
        client.close()
    return answer


def tell_request(answer: Mapping[str, object]) -> None:
    """Tells that a second person has to approve, if the centre's answer says so."""
    if number := answer.get("request"):
        typer.echo(
            f"Người thứ hai cần duyệt đề nghị số {number} / request {number} waits for a second person: "
            f"haidang requests approve {number}"
        )


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


def today() -> str:
    """The present day in Vietnam, ISO."""
    return vietnam_day(SystemClock().now())


def day_of(text: str) -> str:
    """The day that is asked about, ISO; today where none is named.

    Raises:
        ContentError: it is no day.
    """
    if not text:
        return today()
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        wanted = "expected a date such as 2026-11-25"
        raise ContentError(f"'{text}' không phải là ngày, cần YYYY-MM-DD / is not a day; {wanted}") from error


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
