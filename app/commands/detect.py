"""haidang detect: rules over files of events."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from app.commands.common import cache_folder, plain, tell_refused
from app.detecting import Hit, Tally, check_readable, hits_of
from app.outfile import check_apart, whole_file
from app.rule_files import read_files
from collectors.files.found import Bad
from core.errors import UnavailableError
from core.terminal import say
from detections.fast.engine import FastEngine
from detections.fast.kept import engine_of

commands = typer.Typer()

MOST_NAMED = 100
"""Bad records that are named one by one; those after them are only counted."""

_STEP = 512
"""Records after which the progress on a terminal moves on."""


class Kind(StrEnum):
    """The readers of `collectors.files`."""

    EVTX = "evtx"
    JSONL = "jsonl"
    SYSLOG = "syslog"
    EVE = "eve"
    ZEEK = "zeek"


Rules = Annotated[list[Path], typer.Option("--rules", help="A folder or .yml file of Sigma rules; may be given again.")]
Events = Annotated[list[Path], typer.Option("--events", help="A file of events; may be given again.")]
From = Annotated[Kind | None, typer.Option("--from", help="What the files are; default by what each looks like.")]
Values = Annotated[Path | None, typer.Option("--values", help="A YAML file of the site's values for placeholders.")]
Out = Annotated[Path | None, typer.Option("--out", help="Where the hits go; default standard output.")]


@commands.command()
def detect(rules: Rules, events: Events, kind: From = None, out: Out = None, values: Values = None) -> None:
    """Dò quy tắc Sigma trên tệp sự kiện, mỗi lần khớp một dòng JSON / Sigma rules over files, one JSON line a hit."""
    start = time.perf_counter()
    check_readable(events)
    files = read_files(rules, values)
    if out is not None:
        check_apart(out, (*events, *files.paths.values(), *filter(None, (values,))))
    engine, tally = engine_of(files.documents, cache_folder()), Tally()
    tell_refused(engine.refused, len(engine.infos))
    gc.freeze()  # the rules stay: no collection of garbage need look at them
    unread = 0
    with _opened(out) as target, _progress() as bar:
        task = bar.add_task("", total=None)
        for path in events:
            bar.update(task, description=plain(path.name))
            found = hits_of(engine, path, kind.value if kind else "", tally)
            try:
                _write(_followed(found, bar, task), target, tally)
            except UnavailableError as error:  # the other files are read all the same
                unread += 1
                say(plain(str(error)))
    _summarise(tally, engine, time.perf_counter() - start)
    if unread:
        raise typer.Exit(1)


@contextmanager
def _opened(out: Path | None) -> Iterator[BinaryIO]:
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with whole_file(out) as handle:
        yield handle


def _progress() -> Progress:
    """On a terminal the file and how many records of all were read; nothing in a pipe."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.completed}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def _followed(found: Iterable[tuple[Hit, ...] | Bad], bar: Progress, task: TaskID) -> Iterator[tuple[Hit, ...] | Bad]:
    for number, one in enumerate(found, start=1):
        if number % _STEP == 0:
            bar.advance(task, _STEP)
        yield one


def _write(found: Iterable[tuple[Hit, ...] | Bad], target: BinaryIO, tally: Tally) -> None:
    for one in found:
        if isinstance(one, Bad):
            _name(one, tally.bad)
            continue
        target.writelines(msgspec.json.encode(hit) + b"\n" for hit in one)


def _name(bad: Bad, number: int) -> None:
    if number <= MOST_NAMED:
        say(plain(f"{bad.file}, bản ghi / record {bad.record}: {bad.reason}"))
    elif number == MOST_NAMED + 1:
        say("các bản ghi hỏng sau chỉ được đếm / further bad records are only counted")


def _summarise(tally: Tally, engine: FastEngine, seconds: float) -> None:
    say(
        f"{tally.events} sự kiện / events, {tally.hits} lần khớp / hits, {tally.bad} bản ghi hỏng / bad records, "
        f"{len(engine.infos)} quy tắc / rules, {len(engine.refused)} bị từ chối / refused, "
        f"{seconds:.1f} giây / seconds"
    )
