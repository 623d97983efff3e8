"""One gufo socket on the event loop.

The sockets of gufo-snmp's compiled part are used, not its asyncio session: that waits for each datagram anew (a reader
added and removed, a timer that is a task's), which costs as much as the decoding, and it maps an ICMP refusal and a
timeout to one error. What an SNMPv3 device reports is read from the datagram before gufo takes it: gufo says
"authentication failed" for a wrong user and a wrong key alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable
from typing import Any, Generic, TypeAlias, TypeVar

from gufo.snmp import SnmpError
from gufo.snmp._fast import SnmpV1ClientSocket, SnmpV2cClientSocket, SnmpV3ClientSocket

from collectors.snmp.failures import Failure
from collectors.snmp.usm import report_of

Socket: TypeAlias = SnmpV1ClientSocket | SnmpV2cClientSocket | SnmpV3ClientSocket

_T = TypeVar("_T")
_S = TypeVar("_S", bound=Socket)

_DATAGRAM = 65_535
_ERRNOS = {
    errno.ECONNREFUSED: Failure.REFUSED,
    errno.EHOSTUNREACH: Failure.UNREACHABLE,
    errno.ENETUNREACH: Failure.UNREACHABLE,
    errno.EHOSTDOWN: Failure.UNREACHABLE,
}


class Wire(Generic[_S]):
    """A gufo socket on the event loop: one question at a time, late answers to former ones dropped.

    Args:
        made: gufo's socket.
        timeout: seconds to wait for an answer.

    Attributes:
        curious: whether answers are looked at before gufo takes them; it costs a system call each.
        report: what of usmStats the last answer reported, if it was looked at; 0 for nothing.
    """

    def __init__(self, made: _S, timeout: float) -> None:
        self.socket = made
        self.timeout = timeout
        self.report = 0
        self.curious = False
        self._fd = made.get_fd()
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Future[Any] | None = None
        self._receive: Callable[[], Any] = list
        self._loop.add_reader(self._fd, self._readable)

    async def ask(self, send: Callable[[], None], receive: Callable[[], _T]) -> _T | Failure:
        """Sends and waits for the answer."""
        waiting: asyncio.Future[_T | Failure] = self._loop.create_future()
        self._waiting, self._receive, self.report = waiting, receive, 0
        try:
            send()
        except BlockingIOError:
            pass  # the datagram is lost, as it would be on a full link
        except OSError as error:
            self._waiting = None
            return _failure(error)
        timer = self._loop.call_later(self.timeout, self._expire, waiting)
        try:
            return await waiting
        finally:
            timer.cancel()
            self._waiting = None

    def close(self) -> None:
        """Stops listening; the socket goes with its object."""
        self._loop.remove_reader(self._fd)

    def _expire(self, waiting: asyncio.Future[Any]) -> None:
        if not waiting.done():
            waiting.set_result(Failure.SILENT)

    def _readable(self) -> None:
        waiting = self._waiting
        if waiting is None or waiting.done():
            self._drop()
            return
        if self.curious:
            failure = self._look()
            if failure is not None:
                waiting.set_result(failure)
                return
        try:
            answer = self._receive()
        except BlockingIOError:
            return  # an answer to a former question
        except (SnmpError, OSError) as error:
            answer = _failure(error)
        waiting.set_result(answer)

    def _look(self) -> Failure | None:
        """Reads the datagram that gufo will take: what it reports, or the ICMP error in its place."""
        twin = socket.socket(fileno=os.dup(self._fd))
        try:
            self.report = report_of(twin.recv(_DATAGRAM, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return None
        except OSError as error:
            return _failure(error)
        finally:
            twin.close()
        return None

    def _drop(self) -> None:
        with contextlib.suppress(OSError):  # an ICMP error of a former question is of no use either
            os.read(self._fd, _DATAGRAM)


def _failure(error: Exception) -> Failure:
    if isinstance(error, SnmpError):
        return Failure.MALFORMED
    if isinstance(error, TimeoutError) and "refused" in str(error):
        return Failure.REFUSED
    return _ERRNOS.get(getattr(error, "errno", None) or 0, Failure.SILENT)
