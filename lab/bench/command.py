"""``python -m lab bench sigma``: its options, and what is measured where none are given."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec

import detections
from detections.examples import read_examples
from lab.bench.measure import Work
from lab.bench.sigma import PEERS, bench, installed, show

OWN_RULES = Path(detections.__file__).parent / "rules"
EVENTS = 20_000
"""Lines that are made of our rules' examples where no files are given."""

MOST_PROCESSES = 64


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command ``bench`` and its options."""
    parser = commands.add_parser("bench", help="đo so với phần mềm khác / measure against peers")
    parser.add_argument("what", choices=("sigma",))
    parser.add_argument("--rules", action="append", type=_folder, metavar="DIR", help="thư mục quy tắc / rules")
    parser.add_argument("--events", action="append", type=_file, metavar="FILE", help="tệp JSON từng dòng / JSON lines")
    parser.add_argument("--against", action="append", choices=tuple(PEERS), help="mặc định tất cả / default all")
    parser.add_argument("--processes", type=_several, default=2, metavar="N", help="chạy cùng lúc / at once")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.set_defaults(run=_bench, when_stopped=1)


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"không có thư mục / no such folder: {text}")
    return Path(text)


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"không có tệp / no such file: {text}")
    return Path(text)


def _several(text: str) -> int:
    if not text.isdecimal() or not 1 < int(text) <= MOST_PROCESSES:
        raise argparse.ArgumentTypeError(f"từ 2 đến {MOST_PROCESSES} / from 2 to {MOST_PROCESSES}: {text}")
    return int(text)


def _bench(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="haidang-bench-") as folder:
        work = Work(
            rules=tuple(map(str, options.rules or [OWN_RULES])),
            events=tuple(map(str, options.events or [_made(Path(folder) / "events.jsonl")])),
            cache="",
        )
        report = bench(work, installed(options.against or PEERS), options.processes, tell=not options.as_json)
    if options.as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n")
    else:
        show(report)
    return 0


def _made(path: Path) -> Path:
    """Lines in our own form from the examples beside our rules, each with a number that no other has."""
    found = [one for file in sorted(OWN_RULES.rglob("*.events.jsonl")) for one in read_examples(file)]
    with path.open("wb") as target:
        for number in range(EVENTS):
            one = found[number % len(found)]
            fields = {**one.fields, "event.sequence": number}
            target.write(msgspec.json.encode({"logsource": one.logsource, "fields": fields, "raw": one.raw}) + b"\n")
    return path
