"""haidang hunt: rules over stored events."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.commands.common import SettingsFile, cache_folder, logs_of, moment, reader_of, settings_of, tell_refused
from app.content import Content, decode_rules
from app.hunting import Sighting, sightings
from app.rule_files import read_files
from collectors.logs.spooling import decode_event
from core.accesses import Access
from core.errors import ContentError
from core.settings import Settings
from core.stores.events import LocalEvents
from core.terminal import say
from detections.fast.engine import FastEngine
from detections.fast.kept import engine_of

commands = typer.Typer()

Rules = Annotated[
    list[Path] | None,
    typer.Option("--rules", help="A folder or .yml file of Sigma rules; may be given again; default those in use."),
]
Since = Annotated[str, typer.Option(help="ISO 8601; Vietnam's time where no zone is given.")]


@commands.command()
def hunt(rules: Rules = None, since: Since = "", until: Since = "", settings: SettingsFile = None) -> None:
    """Dò quy tắc trên nhật ký đã lưu, mỗi lần khớp một dòng JSON / rules over stored events, one JSON line a hit."""
    start, end = moment(since) if since else 0, moment(until) if until else 1 << 62
    if start >= end:
        raise ContentError(f"--until {until} is not after --since {since}")
    known = settings_of(settings)
    reader = reader_of(known)
    scope, folder = reader.scope("event.read"), logs_of(known)
    engine = engine_of(_documents(known, rules or []), cache_folder())
    tell_refused(engine.refused, len(engine.infos))
    gc.freeze()  # the rules stay: no collection of garbage need look at them
    store = LocalEvents(folder / "spool", folder / "events", decode_event)
    events = hits = 0
    named = " ".join(map(str, rules)) if rules else "rules in use"
    access = Access(what="search", object="hunt", query=named, since=start, until=end if until else 0)
    with reader.noted(access) as looked, _progress() as bar:
        task = bar.add_task("", total=store.count(start, end))
        for count, found in sightings(engine, store.batches(scope, start, end)):
            events, hits = events + count, hits + len(found)
            bar.advance(task, count)
            looked.add(len(found))
            sys.stdout.buffer.writelines(_lines(found))
        looked.add(0, is_whole=True)
    _summarise(engine, events, hits)


def _documents(settings: Settings, folders: list[Path]) -> dict[str, bytes]:
    if folders:
        return read_files(folders, settings.rule_values).documents
    return decode_rules(Content(settings, say, kinds=("rules",)).snapshot("rules").content)


def _lines(found: list[Sighting]) -> Iterator[bytes]:
    return (msgspec.json.encode(one) + b"\n" for one in found)


def _progress() -> Progress:
    """On a terminal how many events of all were read; nothing in a pipe."""
    columns = (BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def _summarise(engine: FastEngine, events: int, hits: int) -> None:
    say(
        f"{events} sự kiện / events, {hits} lần khớp / hits, {len(engine.infos)} quy tắc / rules, "
        f"{len(engine.refused)} bị từ chối / refused"
    )
