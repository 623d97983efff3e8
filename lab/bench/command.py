"""``python -m lab bench sigma | syslog | snmp``: their options, and what is measured where none are given."""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

import msgspec

import detections
from core.errors import ContentError
from detections.examples import read_examples
from lab.bench import sigma, snmp, syslog
from lab.bench.measure import Work
from lab.bench.report import show
from lab.fleet.invented import Size, parse_size
from lab.stopping import stoppable

OWN_RULES = Path(detections.__file__).parent / "rules"
EVENTS = 20_000
"""Lines that are made of our rules' examples where no files are given."""

MOST_PROCESSES = 64
MOST_MESSAGES = 10_000_000

_AGAINST = "mặc định tất cả / default all"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command ``bench`` and what may be measured."""
    parser = commands.add_parser("bench", help="đo so với phần mềm khác / measure against peers")
    works = parser.add_subparsers(required=True, metavar="WORK")
    _add_sigma(works)
    _add_syslog(works)
    _add_snmp(works)


def _add_sigma(works: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = works.add_parser("sigma", help="áp quy tắc lên sự kiện / rules over events")
    parser.add_argument("--rules", action="append", type=_folder, metavar="DIR", help="thư mục quy tắc / rules")
    parser.add_argument("--events", action="append", type=_file, metavar="FILE", help="tệp JSON từng dòng / JSON lines")
    parser.add_argument("--against", action="append", choices=tuple(sigma.PEERS), help=_AGAINST)
    parser.add_argument("--processes", type=_several, default=2, metavar="N", help="chạy cùng lúc / at once")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.set_defaults(run=_sigma, when_stopped=1)


def _add_syslog(works: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = works.add_parser("syslog", help="nhận và lưu nhật ký / receiving and storing logs")
    usual = syslog.Load()
    parser.add_argument("--rate", type=_rate, default=usual.rate, metavar="N", help="thông điệp/giây / messages/s")
    parser.add_argument("--messages", type=_count, default=usual.messages, metavar="N", help="tổng số / in all")
    parser.add_argument("--rounds", type=_count, default=usual.rounds, metavar="N", help="số lượt / how often")
    parser.add_argument("--transport", action="append", choices=syslog.TRANSPORTS, help=_AGAINST)
    parser.add_argument("--against", action="append", choices=tuple(syslog.PEERS), help=_AGAINST)
    parser.add_argument(
        "--until-stored",
        action="store_true",
        help="không chờ tệp từng phút / not until it lies in minute files, which takes a minute a transport",
    )
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.set_defaults(run=_syslog, when_stopped=1)


def _add_snmp(works: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = works.add_parser("snmp", help="hỏi thiết bị qua SNMP / polling devices")
    parser.add_argument("--against", type=_peers, metavar="PEER,...", help=f"{', '.join(snmp.PEERS)}; {_AGAINST}")
    parser.add_argument(
        "--size", type=_size, default=snmp.Load().size, metavar="SxDxP", help="điểm cầu x thiết bị x cổng / sites ..."
    )
    parser.add_argument("--rounds", type=_count, default=snmp.ROUNDS, metavar="N", help="số lượt / how often")
    parser.add_argument("--v3", action="store_true", help="chỉ SNMPv3, mọi phần mềm / SNMPv3 alone, all peers")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.set_defaults(run=_snmp, when_stopped=1)


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"không có thư mục / no such folder: {text}")
    return Path(text)


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"không có tệp / no such file: {text}")
    return Path(text)


def _peers(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in snmp.PEERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r}; {', '.join(snmp.PEERS)}")
    return names


def _size(text: str) -> Size:
    try:
        return parse_size(text)
    except ContentError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _several(text: str) -> int:
    if not text.isdecimal() or not 1 < int(text) <= MOST_PROCESSES:
        raise argparse.ArgumentTypeError(f"từ 2 đến {MOST_PROCESSES} / from 2 to {MOST_PROCESSES}: {text}")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MOST_MESSAGES:
        raise argparse.ArgumentTypeError(f"từ 1 đến {MOST_MESSAGES} / from 1 to {MOST_MESSAGES}: {text}")
    return int(text)


def _rate(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"phải lớn hơn 0 / expected a number above 0: {text}")
    return number


def _sigma(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="haidang-bench-") as folder:
        work = Work(
            rules=tuple(map(str, options.rules or [OWN_RULES])),
            events=tuple(map(str, options.events or [_made(Path(folder) / "events.jsonl")])),
            cache="",
        )
        peers = sigma.installed(options.against or sigma.PEERS)
        report = sigma.bench(work, peers, options.processes, tell=not options.as_json)
    show(report, as_json=options.as_json)
    return 0


def _syslog(options: argparse.Namespace) -> int:
    load = syslog.Load(
        messages=options.messages,
        rate=options.rate,
        rounds=options.rounds,
        transports=tuple(dict.fromkeys(options.transport or syslog.TRANSPORTS)),
        minute_files=not options.until_stored,
    )
    peers = syslog.installed(dict.fromkeys(options.against or syslog.PEERS))
    with stoppable():  # or the receivers would go on
        report = syslog.bench(load, peers, tell=not options.as_json)
    show(report, as_json=options.as_json)
    return 0


def _snmp(options: argparse.Namespace) -> int:
    load = snmp.Load(size=options.size, rounds=options.rounds, only_v3=options.v3)
    peers = snmp.installed(dict.fromkeys(options.against or snmp.PEERS))
    with stoppable():  # or the fleet would go on
        report = snmp.bench(load, peers, tell=not options.as_json)
    show(report, as_json=options.as_json)
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
