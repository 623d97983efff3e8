"""The platform's processes: each builds its parts, says that it is up, and runs until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from litestar import Litestar
from prometheus_client import CollectorRegistry, Gauge

from app.centre import FIRST_ADMINISTRATOR, Centre
from app.centre_api import PeerCredentials, local_caller, people_app, relay_app
from app.content import Content
from app.lane_logs import LogsLane
from console.deps import Console
from console.web import create_app, end_streams
from core import lifeline, metrics
from core.centre import CentreClient
from core.clock import SystemClock
from core.errors import NotFoundError, UnavailableError
from core.files import make_folder
from core.relay import CentreLink
from core.secrets import secret, token
from core.settings import Settings, split_address
from core.snapshots import Snapshot
from core.stores import users
from core.stores.state import read_state
from core.terminal import say

LONGEST_SOCKET_PATH = 107
"""Bytes of a Unix socket's path (unix(7))."""

Tasks = Sequence[Coroutine[Any, Any, None]]


async def run_centre(settings: Settings) -> None:
    """The centre: relay and metrics on a loopback port, the API on a Unix socket."""
    content = Content(settings, say)
    centre = Centre(settings, content.rules(), SystemClock())
    _tell_first_password(centre)
    known = content.snapshot("rules").version

    def snapshots(kind: str) -> Snapshot:
        nonlocal known
        current = content.snapshot(kind)
        if kind == "rules" and current.version != known:
            known = current.version
            centre.set_rules(content.rules())
        return current

    registry = CollectorRegistry()
    Gauge("haidang_rules_refused", "correlation rules that cannot be used", registry=registry).set(len(centre.refused))
    relay = relay_app(centre, token(settings.secrets, "relay.token"), snapshots, registry)
    people = people_app(
        centre,
        token(settings.secrets, "console.token"),
        local_caller(os.getuid(), settings.centre.accounts, lambda name: _role(centre, name)),
    )
    relay_socket = listening("relay", settings.centre.relay)
    people_socket = unix_listening(settings.socket, open_to_all=bool(settings.centre.accounts))
    servers = [_serve(relay, relay_socket), _serve(people, people_socket, http=PeerCredentials), _anchor_hourly(centre)]
    await _run(servers)
    settings.socket.unlink(missing_ok=True)
    centre.close()


async def run_logs(settings: Settings) -> None:
    """The logs lane."""
    own = settings.lane.logs
    link = CentreLink(settings.centre.relay, token(settings.secrets, "relay.token"))
    lane = LogsLane(settings, link, SystemClock(), alarm_channel(own.alarm))
    stop_metrics = metrics.serve(lane.metrics.registry, *split_address(own.metrics))
    await lane.start()
    await _run(lane.tasks())
    await lane.stop()
    await link.close()
    stop_metrics()


async def run_console(settings: Settings) -> None:
    """The web console."""
    content = Content(settings, say)
    own = settings.console
    console = Console(
        state=read_state(settings.state),
        centre=CentreClient(settings.socket, token(settings.secrets, "console.token")),
        session_key=secret(settings.secrets, "session.key"),
        language=own.language,
        secure=own.tls_key is not None,
        clock=SystemClock(),
        sites=lambda: {site.id: site.name for site in content.inventory().sites},
    )
    app = create_app(console)
    bound = listening("console", own.address)
    tls = (own.tls_certificate, own.tls_key)
    await _run([_serve(app, bound, tls=tls, ending=lambda: end_streams(app))])


def alarm_channel(address: str) -> Callable[[str], None]:
    """The lane's own channel: the terminal or journal and, if an address is set, a syslog message to it by UDP."""

    def alarm(text: str) -> None:
        say(f"logs lane: {text}")
        if address:
            host, port = split_address(address)
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            message = f"<138>1 {stamp} {socket.gethostname()} haidang {os.getpid()} - - {text}"  # local1, critical
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as sender, contextlib.suppress(OSError):
                sender.sendto(message.encode(), (host, port))

    return alarm


def listening(name: str, address: str) -> socket.socket:
    """A socket bound to the address.

    Raises:
        UnavailableError: the port is taken or the address is not ours.
    """
    host, port = split_address(address)
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        raise UnavailableError(f"{name}: cannot listen on {address}: {error.strerror}") from error
    return bound


def unix_listening(path: Path, *, open_to_all: bool) -> socket.socket:
    """A Unix socket at this path; a stale one is replaced.

    Raises:
        UnavailableError: the path is too long or cannot be made.
    """
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise UnavailableError(f"{path} is too long for a Unix socket: set centre.socket to a shorter path")
    make_folder(path.parent)
    bound = socket.socket(socket.AF_UNIX)
    path.unlink(missing_ok=True)
    bound.bind(str(path))
    path.chmod(0o666 if open_to_all else 0o600)  # who calls is asked of the kernel, not of the file's mode
    bound.listen(128)
    return bound


class _Server(uvicorn.Server):
    """A server that leaves signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def nothing() -> None:
    """Does nothing: most applications hold no streams open."""


async def _serve(
    app: Litestar,
    bound: socket.socket,
    http: Any = "h11",
    tls: tuple[Path | None, Path | None] = (None, None),
    ending: Callable[[], None] = nothing,
) -> None:
    config = uvicorn.Config(
        app,
        http=http,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        ssl_certfile=tls[0],
        ssl_keyfile=tls[1],
    )
    server = _Server(config)
    try:
        await server.serve(sockets=[bound])
    except asyncio.CancelledError:
        ending()
        server.should_exit = True
        await server.shutdown(sockets=[bound])


async def _run(tasks: Tasks) -> None:
    """Runs all until SIGTERM; the failure of one ends all, and the supervisor starts the process again."""
    async with _stop_signal() as stopped:
        running = [asyncio.ensure_future(task) for task in (*tasks, _wait(stopped))]
        await asyncio.sleep(0)
        lifeline.ready()
        done, left = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for task in done:
            task.result()


async def _wait(stopped: asyncio.Event) -> None:
    await stopped.wait()


@contextlib.asynccontextmanager
async def _stop_signal() -> AsyncIterator[asyncio.Event]:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    yield stopped


async def _anchor_hourly(centre: Centre) -> None:
    while True:
        await asyncio.to_thread(centre.anchor)
        await asyncio.sleep(60)


def _tell_first_password(centre: Centre) -> None:
    password = centre.first_administrator()
    if password is not None:
        sys.stdout.write(
            f"Quản trị viên đầu tiên / first administrator: {FIRST_ADMINISTRATOR}\n"
            f"Mật khẩu dùng một lần / one-time password: {password}\n"
        )
        sys.stdout.flush()


def _role(centre: Centre, name: str) -> str:
    try:
        return centre.change(lambda connection, _: users.read_user(connection, name)).role
    except NotFoundError:
        return ""


SERVICES: dict[str, Callable[[Settings], Coroutine[Any, Any, None]]] = {
    "centre": run_centre,
    "logs": run_logs,
    "console": run_console,
}
"""Every process of the platform by its name, in the order in which they start."""
