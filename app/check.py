"""haidang check: builds everything from the settings and says what is wrong or missing, without starting anything."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from app.content import read_inventory
from app.openid import openid_provider
from app.services.serving import check_tls
from app.snmp.check import snmp_notes
from app.ways_in import http_token
from collectors.logs.dialects.linux import PROGRAMS
from collectors.logs.udp import force_receive_buffer
from core.clock import HOUR, SystemClock, vietnam_day
from core.errors import HaidangError
from core.files import make_folder
from core.guard import check_layout
from core.placeholders import read_values
from core.records import Record
from core.rule_text import read_rule_files
from core.settings import LogsSettings, Settings, split_address
from core.sigma import load_rules
from core.stores.reviews import before, last_day, list_reviews, quarter_of
from core.stores.state import read_state
from core.stores.users import list_users
from core.tls import server_context
from correlation.rules import prepare
from detections.fast.compiled import compile_rules
from detections.fast.engine import FastEngine

PRIVILEGED = 1024
"""Ports below this need CAP_NET_BIND_SERVICE (capabilities(7))."""
_CAPABILITIES = {"CAP_NET_BIND_SERVICE": 10, "CAP_NET_ADMIN": 12}


REMIND_BEFORE = 30 * 24 * HOUR
"""Nanoseconds before a review is due from which on its lack is a warning."""


class Note(Record, frozen=True, kw_only=True):
    """One result: an ``error`` keeps the platform from starting, a ``warning`` costs something."""

    level: Literal["good", "warning", "error"]
    what: str
    text: str


def check(settings: Settings) -> list[Note]:
    """All that was looked at, in order."""
    notes: list[Note] = []
    for what, look in _LOOKS.items():
        try:
            notes += look(settings)
        except HaidangError as error:
            notes.append(Note(level="error", what=what, text=str(error)))
        except OperationalError as error:  # a table is not there yet
            text = f"the state database is of an earlier version ({error.orig}): 'haidang up' brings it up to date"
            notes.append(Note(level="warning", what=what, text=text))
    return notes


def _layout(_: Settings) -> Iterator[Note]:
    check_layout()
    yield Note(level="good", what="packages", text="all lie beside core")


def _folders(settings: Settings) -> Iterator[Note]:
    make_folder(settings.data)
    yield Note(level="good", what="data", text=f"{settings.data} can be written")


def _rules(settings: Settings) -> Iterator[Note]:
    rules = load_rules(read_rule_files(settings.rules) | read_values(settings.rule_values))
    FastEngine(compile_rules(rules))
    _, unsupported = prepare(rules)
    yield Note(level="good", what="rules", text=f"{len(rules.rules)} rules, {len(rules.correlations)} correlations")
    for refused in (*rules.refused, *unsupported):
        yield Note(level="warning", what="rules", text=f"{refused.file}: {refused.reason}")


def _inventory(settings: Settings) -> Iterator[Note]:
    inventory = read_inventory(settings)
    text = f"{len(inventory.units)} units, {len(inventory.sites)} sites, {len(inventory.devices)} devices"
    level: Literal["good", "warning"] = "good" if inventory.sites else "warning"
    yield Note(level=level, what="inventory", text=text)


def _tls(settings: Settings) -> Iterator[Note]:
    check_tls(settings.console.tls_certificate, settings.console.tls_key)
    openid_provider(settings.console.oidc)
    if settings.console.tls_certificate is not None:
        yield Note(level="good", what="tls", text=f"{settings.console.tls_certificate} and its key fit")
    logs = settings.lane.logs
    http_token(logs)
    if logs.tls_certificate is not None and logs.tls_key is not None:
        server_context(logs.tls_certificate, logs.tls_key, logs.tls_clients)
        yield Note(level="good", what="tls", text=f"{logs.tls_certificate} and its key fit")


def _ports(settings: Settings) -> Iterator[Note]:
    logs = settings.lane.logs
    wanted = [
        ("console", settings.console.address, socket.SOCK_STREAM),
        ("relay", settings.centre.relay, socket.SOCK_STREAM),
        ("metrics", logs.metrics, socket.SOCK_STREAM),
        ("snmp metrics", settings.lane.snmp.metrics, socket.SOCK_STREAM),
        ("tcp", logs.tcp, socket.SOCK_STREAM),
        ("relp", logs.relp, socket.SOCK_STREAM),
        ("tls", logs.tls, socket.SOCK_STREAM),
        ("relp over tls", logs.relp_tls, socket.SOCK_STREAM),
        ("http", logs.http, socket.SOCK_STREAM),
        ("udp", logs.udp, socket.SOCK_DGRAM),
    ]
    running = is_running(settings.data)
    if running:
        text = f"đang chạy với dữ liệu này / it runs with the data in {settings.data}: its own ports are in use"
        yield Note(level="good", what="platform", text=text)
    uses = Counter((address, kind) for _, address, kind in wanted)
    with contextlib.ExitStack() as held:  # until all are tried: two of our own may want the same
        for name, address, kind in wanted:
            if address:
                yield _port(name, address, kind, held, running=running and uses[address, kind] == 1)


def is_running(data: Path) -> bool:
    """Whether a platform or a lane of it runs with the data in this folder: it holds the lock there."""
    try:
        with (data / "platform.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _followed(settings: Settings) -> Iterator[Note]:
    """Whether files that are to be followed are there, and may be read."""
    for one in settings.lane.logs.files:
        found = sorted(one.path.parent.glob(one.path.name))
        closed = [path for path in found if not os.access(path, os.R_OK)]
        if one.program and one.program not in PROGRAMS:
            text = f"{one.program}: no such program is known: lines are stored and not understood"
            yield Note(level="warning", what="files", text=text)
        if closed:
            yield Note(level="error", what="files", text=f"{closed[0]} cannot be read by this account")
        elif not found:
            yield Note(level="warning", what="files", text=f"{one.path}: there is no such file yet")
        else:
            yield Note(level="good", what="files", text=f"{one.path}: {len(found)} followed")


def _port(name: str, address: str, kind: socket.SocketKind, held: contextlib.ExitStack, *, running: bool) -> Note:
    """Whether the port is free, or taken as it is while the platform is ``running``."""
    host, port = split_address(address)
    probe = held.enter_context(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind))
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind is socket.SOCK_STREAM))
    try:
        probe.bind((host, port))
        if kind is socket.SOCK_STREAM:
            probe.listen()
    except PermissionError:
        return Note(level="error", what=name, text=f"{address} needs the capability CAP_NET_BIND_SERVICE")
    except OSError as error:
        if running and error.errno == errno.EADDRINUSE:
            return Note(level="good", what=name, text=f"{address} is in use: the platform runs")
        return Note(level="error", what=name, text=f"cannot listen on {address}: {error.strerror}")
    return Note(level="good", what=name, text=f"{address} is free")


def _privileges(settings: Settings) -> Iterator[Note]:
    logs = settings.lane.logs
    ways_in = (logs.udp, logs.tcp, logs.tls, logs.relp, logs.relp_tls, logs.http)
    low = [address for address in ways_in if address and split_address(address)[1] < PRIVILEGED]
    for name in ("CAP_NET_BIND_SERVICE",) if low else ():
        if not has_capability(name):
            yield Note(level="error", what="capabilities", text=f"{name} is missing: needed for {', '.join(low)}")
    yield from _receive_buffer(logs)


def _receive_buffer(logs: LogsSettings) -> Iterator[Note]:
    if not logs.udp:
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        given = force_receive_buffer(probe, logs.receive_buffer)
    if given >= logs.receive_buffer:
        yield Note(level="good", what="socket buffer", text=f"{given} bytes")
        return
    most = Path("/proc/sys/net/core/rmem_max").read_text(encoding="ascii").strip()
    text = (
        f"udp: asked for {logs.receive_buffer} bytes, given {given} (net.core.rmem_max is {most}): "
        "give the process CAP_NET_ADMIN or raise net.core.rmem_max, or bursts will be lost"
    )
    yield Note(level="warning", what="socket buffer", text=text)


def has_capability(name: str) -> bool:
    """Whether this process has the capability in its effective set (proc(5), CapEff)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    effective = next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff"))
    return bool(effective >> _CAPABILITIES[name] & 1)


def _snmp(settings: Settings) -> Iterator[Note]:
    for level, text in snmp_notes(settings):
        yield Note(level=level, what="snmp", text=text)


def _reviews(settings: Settings) -> Iterator[Note]:
    """Whether the accounts were reviewed and signed off in time; nothing before there are any."""
    if not settings.state.exists():
        return
    engine = read_state(settings.state)
    try:
        with engine.connect() as connection:
            yield review_note(connection, SystemClock().now())
    finally:
        engine.dispose()


def review_note(connection: Connection, now: int) -> Note:
    """What is to be said of this quarter's review of accounts and the one before."""
    quarter = quarter_of(vietnam_day(now))
    signed = {one.quarter for one in list_reviews(connection) if one.signed}
    first = min((user.created for user in list_users(connection) if user.created), default=now)
    if before(quarter) not in signed and vietnam_day(first) <= last_day(before(quarter)) and quarter not in signed:
        text = f"{before(quarter)} was not reviewed and signed: see 'haidang users review'"
        return Note(level="warning", what="accounts", text=text)
    if quarter in signed:
        return Note(level="good", what="accounts", text=f"reviewed and signed for {quarter}")
    due = last_day(quarter)
    is_near = vietnam_day(now + REMIND_BEFORE) > due
    text = f"the review of {quarter} is not signed; due by {due}: see 'haidang users review'"
    return Note(level="warning" if is_near else "good", what="accounts", text=text)


_LOOKS: dict[str, Callable[[Settings], Iterator[Note]]] = {
    "packages": _layout,
    "data": _folders,
    "rules": _rules,
    "inventory": _inventory,
    "tls": _tls,
    "ports": _ports,
    "files": _followed,
    "capabilities": _privileges,
    "snmp": _snmp,
    "accounts": _reviews,
}
