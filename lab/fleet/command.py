"""``python -m lab fleet`` and ``python -m lab fault``: their options, and the running of the fleet."""

from __future__ import annotations

import argparse
import gc
import math
import sys
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import msgspec
import yaml

from core.clock import SECOND, Clock, SystemClock
from core.errors import ContentError
from lab.fleet.agents import Agents, Secrets
from lab.fleet.control import Control, ask, open_control
from lab.fleet.faults import SCENARIOS, Fault, load_scenario, planned
from lab.fleet.known import sector_of
from lab.fleet.serve import Server
from lab.fleet.state import World
from lab.fleet.stock import write_stock
from lab.fleet.timeline import Timeline
from lab.fleet.truth import TruthFile
from lab.fleet.usm import SHORTEST_PASSWORD, User
from lab.fleet.walks import read_walk
from lab.stopping import stoppable

PORT = 1161
SIZE = "800x4x24"
LARGEST_PORT = 65_535
_RARELY = 200_000
"""New objects after which garbage is looked for: hardly any is in cycles, and looking takes a fifth of the time."""

SHORTEST_TICK, LONGEST_TICK = 0.01, 60.0
"""Seconds."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands ``fleet`` and ``fault``."""
    parser = commands.add_parser("fleet", help="mọi thiết bị SNMP của một ngành / every SNMP device of a sector")
    sector = parser.add_mutually_exclusive_group()
    sector.add_argument(
        "--size", default=SIZE, metavar="SxDxP[+F]", help="điểm cầu x thiết bị x cổng / sites and so on"
    )
    sector.add_argument("--sector", type=Path, metavar="FOLDER", help="ngành có sẵn trong thư mục / an inventory's")
    parser.add_argument("--seed", type=int, default=1, help="hạt giống / seed of all that is invented")
    parser.add_argument("--port", type=_port, default=PORT, help="cổng UDP; 0: tự chọn / UDP port; 0: any")
    parser.add_argument("--community", default="public", help="chuỗi community / of versions 1 and 2c")
    parser.add_argument("--v3", type=_user, metavar="USER:AUTH[:PRIV]", help="SHA-256, AES-128")
    parser.add_argument("--tick", type=_tick, default=1.0, metavar="S", help="bộ đếm đọc lại sau / counters move each")
    parser.add_argument("--seconds", type=_seconds, default=math.inf, metavar="N", help="dừng sau / stop after")
    _add_files(parser)
    parser.set_defaults(run=_fleet, when_stopped=0)
    fault = commands.add_parser("fault", help="gây hoặc chấm dứt lỗi khi đang chạy / start or end a fault of a fleet")
    fault.add_argument("control", type=Path, help="ổ cắm của --control / the socket of --control")
    fault.add_argument(
        "request", help="YAML, JSON: {start: {kind: dead, device: NAME}, lasts: 60}, {end: ID}, {list: true}"
    )
    fault.set_defaults(run=_fault, when_stopped=1)


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scenario", type=_scenario, metavar="FILE", help="lỗi theo giờ / faults by time (YAML)")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="ghi sự thật / what was wrong, as JSON lines")
    parser.add_argument("--control", type=Path, metavar="SOCKET", help="gây lỗi khi chạy / faults while it runs")
    parser.add_argument("--inventory", type=Path, metavar="FOLDER", help="ghi kiểm kê / write the sector's inventory")
    parser.add_argument("--inventory-only", action="store_true", help="rồi dừng / and stop")
    walk = "phát lại walk đã lưu / replay a saved walk"
    parser.add_argument("--walk", type=_walk, action="append", default=[], metavar="ADDRESS=FILE", help=walk)
    parser.add_argument("--no-ipv6", action="store_true", help="chỉ IPv4 / IPv4 only")


def _fleet(options: argparse.Namespace) -> int:
    if options.sector and not options.sector.is_dir():
        raise ContentError(f"{options.sector}: không có thư mục này / there is no such folder")
    sector = sector_of(str(options.sector or options.size), options.seed)
    if options.sector and options.inventory:
        raise ContentError("--inventory ghi ngành được đặt ra; --sector đã có kiểm kê / --sector has its inventory")
    if options.inventory:
        write_stock(sector, options.inventory)
    if options.inventory_only:
        return 0
    clock = SystemClock()
    start = clock.now()
    faults = planned(load_scenario(options.scenario), start) if options.scenario else []
    world = World(sector, Timeline(sector), start)
    walks = {address: read_walk(path) for address, path in options.walk}
    agents = Agents(world, Secrets(community=options.community, user=options.v3), walks, round(options.tick * SECOND))
    with stoppable():
        _serve(options, agents, faults, clock)
    return 0


def _serve(options: argparse.Namespace, agents: Agents, faults: list[Fault], clock: Clock) -> None:
    truth = TruthFile(options.truth, agents.world, round(options.tick * SECOND))
    collected = gc.get_threshold()
    server = Server(agents, options.port, clock, options.seed, ipv6=not options.no_ipv6)
    try:
        for fault in faults:
            truth.tell(fault, agents.world.timeline.add(fault))
        if options.control:
            server.attach(open_control(options.control), Control(agents.world.timeline, truth, clock))
        nodes = agents.world.sector.nodes
        _say(f"{len(nodes)} thiết bị / devices: {nodes[0].address} … {nodes[-1].address}, UDP {server.port}")
        gc.set_threshold(_RARELY)
        server.run(options.seconds)
    finally:
        gc.set_threshold(*collected)
        server.close()
        truth.close()
        if options.control:
            options.control.unlink(missing_ok=True)
        _say(f"đã trả lời / answered: {server.answered}, bỏ qua / ignored: {agents.ignored}")


def _fault(options: argparse.Namespace) -> int:
    try:
        request: Any = yaml.safe_load(options.request)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ContentError(f"{reason}; expected a request such as {{end: fault-1}}") from error
    sys.stdout.write(msgspec.json.encode(ask(options.control, request)).decode() + "\n")
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"từ 0 đến {LARGEST_PORT} / from 0 to {LARGEST_PORT}: {text}")
    return int(text)


def _tick(text: str) -> float:
    number = float(text)
    if not SHORTEST_TICK <= number <= LONGEST_TICK:
        raise argparse.ArgumentTypeError(f"từ / from {SHORTEST_TICK} đến / to {LONGEST_TICK} s: {text}")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"phải lớn hơn 0 / expected a number above 0: {text}")
    return number


def _user(text: str) -> User:
    name, *passwords = text.split(":")
    fits = name and len(passwords) in (1, 2) and all(len(password) >= SHORTEST_PASSWORD for password in passwords)
    if not fits:
        raise argparse.ArgumentTypeError(
            f"USER:AUTH hoặc / or USER:AUTH:PRIV, mật khẩu từ {SHORTEST_PASSWORD} ký tự / passwords of 8 or more"
        )
    return User(name=name, authentication=passwords[0], privacy=passwords[1] if len(passwords) > 1 else "")


def _scenario(text: str) -> Path:
    """The file, or the scenario of this name that comes with the fleet."""
    shipped = SCENARIOS / f"{text}.yml"
    return shipped if not Path(text).exists() and shipped.is_file() else Path(text)


def _walk(text: str) -> tuple[bytes, Path]:
    address, _, file = text.partition("=")
    try:
        packed = IPv4Address(address)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"ADDRESS=FILE: {error}") from error
    if not packed.is_loopback or not file:
        raise argparse.ArgumentTypeError(f"127.x.y.z=FILE: {text}")
    return packed.packed, Path(file)
