"""haidang events: search, histogram, quarantined."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, TextIO

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.commands.common import AsJson, SettingsFile, logs_of, moment, plain, reader_of, settings_of, show
from app.content import read_inventory
from collectors.logs.spooling import decode_event
from console.event_views import device_of
from core.accesses import of_search
from core.clock import HOUR, SECOND, SystemClock, iso, vietnam
from core.errors import ContentError, NotFoundError
from core.records import Event
from core.settings import Settings
from core.stores.event_search import FOREVER, Buckets, Found, Query, buckets_of
from core.stores.events import LocalEvents
from core.terminal import say

commands = typer.Typer(no_args_is_help=True, help="Nhật ký đã lưu / stored events.")

MOST_BARS = 60
BAR_WIDTH = 50

_HEADINGS = ("Thời gian", "Điểm cầu", "Thiết bị", "Nội dung")
_WIDTHS = (19, 12, 16, 0)

Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")]
Words = Annotated[
    str,
    typer.Argument(
        help="Words, 'field:value', \"quotes\", * within a word, -not, OR, brackets, field:>5; empty for all. "
        "What begins with '-' goes after '--': haidang events search -- -foo."
    ),
]
Time = Annotated[str, typer.Option(help="FROM or FROM/TO in ISO 8601; Vietnam's time where no zone is given.")]
Site = Annotated[str, typer.Option(help="Only this site.")]


@commands.command()
def search(
    text: Words = "",
    settings: SettingsFile = None,
    time: Time = "",
    site: Site = "",
    limit: Limit = 1000,
    as_json: AsJson = False,
) -> None:
    """Tìm trong nhật ký đã lưu, mới nhất trước / stored events, latest first."""
    since, until = _interval(time)
    _show(settings, Query(since=since, until=until, text=text, site=site, limit=limit), as_json=as_json)


@commands.command()
def histogram(
    text: Words = "", settings: SettingsFile = None, time: Time = "", site: Site = "", as_json: AsJson = False
) -> None:
    """Đếm nhật ký theo thời gian, mặc định 24 giờ qua / how many a search finds by time, by default of the last day."""
    since, until = _interval(time)
    _count(settings, Query(since=since, until=until, text=text, site=site, limit=0), as_json=as_json)


@commands.command()
def quarantined(settings: SettingsFile = None, limit: Limit = 1000, as_json: AsJson = False) -> None:
    """Bản tin không đọc được và lý do / what could not be taken for a message, and why."""
    _show(settings, Query(quarantined=True, limit=limit), as_json=as_json)


def _show(settings: Path | None, query: Query, *, as_json: bool) -> None:
    own = settings_of(settings)
    steps = _steps(own, query)
    first = next(steps)
    counted = [0, 0]
    events = _told(chain([first], steps), counted)
    (_write_json if as_json else _write_lines)(events, sys.stdout)
    if not counted[0] and query.site:
        _check_site(own, query.site)
    if counted[1]:
        say(f"chỉ hiện {query.limit} bản ghi mới nhất / only the latest {query.limit} are shown: see --limit")


def _told(steps: Iterator[Found], counted: list[int]) -> Iterator[Event]:
    """The events as they come; counts them, and whether there are more."""
    for found in steps:
        counted[0] += len(found.events)
        counted[1] = found.more
        yield from found.events


def _steps(settings: Settings, query: Query, buckets: Buckets | None = None) -> Iterator[Found]:
    """The search's steps, with a bar on a terminal and nothing in a pipe."""
    reader = reader_of(settings)
    scope, folder = reader.scope("event.read"), logs_of(settings)
    store = LocalEvents(folder / "spool", folder / "events", decode_event)
    # How many events there are of other units is not told to who sees a part.
    told = "{task.completed:,.0f}/{task.total:,.0f}" if scope.is_everything else "{task.percentage:.0f} %"
    columns = (BarColumn(), TextColumn(told), TimeElapsedColumn())
    console, hidden, above = Console(stderr=True), not sys.stderr.isatty(), sys.stdout.isatty()
    # Lines for the same terminal go above the bar; for a file they must stay what they are.
    with Progress(*columns, console=console, transient=True, disable=hidden, redirect_stdout=above) as bar:
        task = bar.add_task("", total=1)
        for found in reader.search(of_search(query, ""), store.find(scope, query, buckets)):
            bar.update(task, completed=found.progress.events, total=found.progress.all_events)
            yield found


def _write_json(events: Iterator[Event], out: TextIO) -> None:
    """One array, written as its elements come."""
    opened = "["
    for event in events:
        text = msgspec.json.format(msgspec.json.encode(_plain(event)), indent=2).decode()
        out.write(f"{opened}\n{text}")
        opened = ","
    out.write("[]\n" if opened == "[" else "\n]\n")


def _write_lines(events: Iterator[Event], out: TextIO) -> None:
    out.write(_line(_HEADINGS))
    for event in events:
        message = event.fields.get("error.message") or event.fields.get("message") or ""
        out.write(_line((vietnam(event.time), event.site, device_of(event), str(message))))


def _line(values: tuple[str, ...]) -> str:
    cells = [plain(value).ljust(width) for value, width in zip(values, _WIDTHS, strict=True)]
    return "  ".join(cells).rstrip() + "\n"


def _count(settings: Path | None, query: Query, *, as_json: bool) -> None:
    until = min(query.until, SystemClock().now() + HOUR)
    asked = msgspec.structs.replace(query, since=query.since or until - 24 * HOUR, until=until)
    start, width = buckets = buckets_of(asked.since, asked.until, MOST_BARS)
    counts: Counter[int] = Counter()
    for found in _steps(settings_of(settings), asked, buckets):
        counts.update(found.counts)
    most = max(counts.values(), default=1)
    told = [(start + number * width, counts[number]) for number in sorted(counts)]
    if as_json:
        show([{"time": iso(at), "seconds": width // SECOND, "count": count} for at, count in told], {}, as_json=True)
        return
    bars = [{"time": vietnam(at), "count": count, "bar": "█" * -(-count * BAR_WIDTH // most)} for at, count in told]
    show(bars, {"time": "Từ", "count": "Số bản ghi", "bar": ""}, as_json=False)


def _check_site(settings: Settings, site: str) -> None:
    """A site without events must at least be one: old events may be of a site that is none any more."""
    if read_inventory(settings).site(site) is None or not reader_of(settings).scope("event.read").allows(site):
        raise NotFoundError(f"không có điểm cầu '{site}' / there is no site '{site}': see 'haidang sites list'")


def _interval(text: str) -> tuple[int, int]:
    """An ISO 8601 interval, or its beginning alone, as nanoseconds."""
    since, _, until = text.partition("/")
    start, end = moment(since) if since else 0, moment(until) if until else FOREVER
    if start >= end:
        raise ContentError(f"'{text}' ends before it begins")
    return start, end


def _plain(event: Event) -> dict[str, object]:
    return {**msgspec.to_builtins(event), "raw": event.raw.decode("utf-8", "replace")}
