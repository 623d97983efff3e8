"""Command line of the lab: ``python -m lab scenario | up | sector | bench | fleet | fault``."""

from __future__ import annotations

import argparse
import heapq
import math
import sys
import time
from contextlib import contextmanager
from ipaddress import IPv4Address
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from core.clock import SystemClock
from core.errors import HaidangError, UnavailableError
from core.settings import split_address
from lab.background import background
from lab.bench import command
from lab.fleet import command as fleet
from lab.play import Endpoint, Tally, Target, play
from lab.scenario import Scenario, load_scenario, plan
from lab.sector import SCENARIOS, SECTOR, load_sector
from lab.stopping import stoppable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lab.scenario import Planned


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and gives the exit status: 0 done, 1 failed or stopped halfway. Bad usage exits with 2."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except HaidangError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("đã dừng / stopped\n")
        return int(options.when_stopped)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lab", description="Ngành kiểm sát mô phỏng / A simulated sector (loopback only)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_scenario(commands)
    _add_up(commands)
    command.add(commands)
    fleet.add(commands)
    sector = commands.add_parser("sector", help="in thư mục dữ liệu / print the folder of the sector's inventory")
    sector.set_defaults(run=_sector, when_stopped=1)
    return parser


def _add_scenario(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("scenario", help="phát một kịch bản / play a scenario")
    parser.add_argument("file", type=_scenario_file, metavar="FILE", help="tệp YAML hoặc tên có sẵn / file or name")
    parser.add_argument("--speed", type=_positive, default=1.0, help="2.0: nhanh gấp đôi / twice as fast")
    _add_targets(parser)
    parser.set_defaults(run=_scenario, when_stopped=1)


def _add_up(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("up", help="chạy toàn ngành đến khi bị dừng / run the sector until stopped")
    parser.add_argument("--scenario", type=_scenario_file, metavar="FILE", help="phát thêm kịch bản / play this too")
    parser.add_argument("--seconds", type=_positive, default=math.inf, help="dừng sau N giây / stop after N seconds")
    parser.add_argument("--seed", type=int, default=1, help="hạt giống / seed of the ordinary lines")
    _add_targets(parser)
    parser.set_defaults(run=_up, when_stopped=0)


def _add_targets(parser: argparse.ArgumentParser) -> None:
    where = "HOST:PORT"
    parser.add_argument("--target", type=_endpoint, required=True, metavar=where, help="nơi nhận / where lines go")
    parser.add_argument("--tcp-target", type=_endpoint, metavar=where, help="nơi nhận TCP / for TCP, if another")


def _scenario(options: argparse.Namespace) -> int:
    scenario = load_scenario(options.file)
    lines = plan(scenario, load_sector())
    with stoppable(), _progress(_title(scenario), len(lines)) as tick:
        tally = play(lines, _target(options), SystemClock(), time.sleep, speed=options.speed, tick=tick)
    _say(tally)
    if tally.refused:
        raise UnavailableError(f"{tally.refused} of {tally.sent} lines were taken by nobody; is the platform up?")
    return 0


def _up(options: argparse.Namespace) -> int:
    sector = load_sector()
    streams: list[Iterable[Planned]] = [background(sector, options.seed)]
    if options.scenario:
        streams.append(plan(load_scenario(options.scenario), sector))
    lines = heapq.merge(*streams, key=lambda line: line.at)
    timely = takewhile(lambda line: line.at < options.seconds, lines)
    with stoppable(), _progress("Ngành mô phỏng / Simulated sector", None) as tick:
        _say(play(timely, _target(options), SystemClock(), time.sleep, tick=tick))
    return 0


def _sector(_options: argparse.Namespace) -> int:
    sys.stdout.write(f"{SECTOR}\n")
    return 0


def _target(options: argparse.Namespace) -> Target:
    return Target(udp=options.target, tcp=options.tcp_target or options.target)


def _title(scenario: Scenario) -> str:
    return f"{scenario.title.vi} / {scenario.title.en}"


def _say(tally: Tally) -> None:
    sys.stderr.write(f"đã gửi / sent: {tally.sent}, không nơi nhận / refused: {tally.refused}\n")


@contextmanager
def _progress(title: str, total: int | None) -> Iterator[Callable[[], object]]:
    """A progress line on a terminal, nothing in a pipe."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}  {task.completed}"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda: progress.advance(task)


def _endpoint(text: str) -> Endpoint:
    try:
        host, port = split_address(text.replace("localhost:", "127.0.0.1:"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    address = IPv4Address(host) if ":" not in host else None
    if address is None or not address.is_loopback:
        raise argparse.ArgumentTypeError(f"{host}: the lab sends to loopback only, such as 127.0.0.1:5514")
    return host, port


def _scenario_file(text: str) -> Path:
    """The file, or the scenario of this name that comes with the lab."""
    shipped = SCENARIOS / f"{text}.yml"
    return shipped if not Path(text).exists() and shipped.is_file() else Path(text)


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text}: expected a number above 0")
    return number
