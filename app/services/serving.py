"""What processes that serve HTTP share: bound sockets with clear refusals, and uvicorn on them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn
from litestar import Litestar

from core.errors import UnavailableError
from core.files import make_folder
from core.settings import split_address
from core.tls import server_context

LONGEST_SOCKET_PATH = 107
"""Bytes of a Unix socket's path (unix(7))."""


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


def check_tls(certificate: Path | None, key: Path | None) -> None:
    """Checks that certificate and key are there and belong together, where TLS is wanted.

    Raises:
        UnavailableError: they cannot be used; says why.
    """
    if certificate is None or key is None:
        return
    server_context(certificate, key)


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


async def serve(
    app: Litestar,
    bound: socket.socket,
    http: Any = "h11",
    tls: tuple[Path | None, Path | None] = (None, None),
    ending: Callable[[], None] = nothing,
) -> None:
    """Serves the application on the socket until cancelled; ``ending`` is called first then, to end open streams."""
    config = uvicorn.Config(
        app,
        http=http,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # else whoever connects from this machine says by a header from which address he comes
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
