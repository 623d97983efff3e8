"""One kept session a device: GET of many values and bounded walks; SNMPv1, v2c and v3, IPv4 and IPv6."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec
from gufo.snmp._fast import GetIter, SnmpV1ClientSocket, SnmpV2cClientSocket, SnmpV3ClientSocket
from gufo.snmp.user import User
from gufo.snmp.utils import format_sock_addr

from collectors.snmp.failures import Failure
from collectors.snmp.usm import NOT_IN_TIME, REPORTS, UNKNOWN_ENGINE, Keys, without_privacy
from collectors.snmp.walks import Value, Walk, Walked
from collectors.snmp.wire import Socket, Wire
from inventory.credentials import SnmpV2c, SnmpV3

Values: TypeAlias = dict[str, Value]
_A = TypeVar("_A")

UPTIME = "1.3.6.1.2.1.1.3.0"
"""SNMPv2-MIB::sysUpTime.0, which every agent has."""

PORT = 161
REPETITIONS = 40
"""Rows asked for by one GETBULK: one column's fit an Ethernet frame."""

_IDLE = 100.0
"""Seconds after which SNMPv3's clock is set anew before a question (RFC 3414, 2.2.3, allows 150)."""


class Version(StrEnum):
    """Which SNMP a device speaks."""

    V1 = "1"
    V2C = "2c"
    V3 = "3"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """How a device is asked.

    Attributes:
        address: IPv4 or IPv6, canonical text.
        version: of a community, whether v1 or v2c; a user is always v3.
        timeout: seconds to wait for one answer.
    """

    address: str
    credential: SnmpV2c | SnmpV3
    port: int = PORT
    version: Version = Version.V2C
    timeout: float


class Session(Protocol):
    """Questions to one device, one at a time."""

    async def get(self, oids: Sequence[str]) -> Values | Failure:
        """The values that the device has of these; ``TOO_BIG`` if it gave none because they are too many."""
        ...

    async def walk(self, root: str, most: int) -> Walked | Failure:
        """What lies below ``root``, at most so many rows, in order."""
        ...

    def close(self) -> None:
        """Stops listening and gives the socket back."""
        ...


class Sessions:
    """Opens sessions; a user's keys are made once for all devices. Needs a running event loop."""

    def __init__(self) -> None:
        self._keys = Keys()

    def open(self, target: Target) -> Session:
        """A session with a socket of its own; nothing is sent yet."""
        if isinstance(target.credential, SnmpV3):
            return UserSession(target, self._keys.user(target.credential))
        return CommunitySession(target, target.credential)


async def diagnose(target: Target, failure: Failure) -> Failure:
    """Why a device does not answer, told more exactly where that can be found out.

    An agent that is silent to a community may still answer SNMPv3's discovery, which needs no credential.
    """
    if failure is not Failure.SILENT or isinstance(target.credential, SnmpV3):
        return failure
    wire = Wire(_user_socket(target, b"", User.default()), target.timeout)
    found = await wire.ask(wire.socket.send_refresh, wire.socket.recv_refresh)
    wire.close()
    return failure if isinstance(found, Failure) else Failure.WRONG_COMMUNITY


class CommunitySession:
    """SNMPv1 or v2c. A session that has not answered looks closely at what comes, so that errors are told exactly."""

    def __init__(self, target: Target, credential: SnmpV2c) -> None:
        kind = SnmpV1ClientSocket if target.version is Version.V1 else SnmpV2cClientSocket
        address = format_sock_addr(target.address, target.port)
        made = kind(address, credential.community.reveal(), 0, 0, 0, 0)
        self._wire: Wire[Socket] = Wire(made, target.timeout)
        self._wire.curious = True
        self._bulk = target.version is not Version.V1

    async def get(self, oids: Sequence[str]) -> Values | Failure:
        """See `Session`."""
        answer = await _get(self._wire, list(oids))
        self._wire.curious = isinstance(answer, Failure)
        return answer

    async def walk(self, root: str, most: int) -> Walked | Failure:
        """See `Session`."""
        return await _walk(self._wire, root, most, bulk=self._bulk)

    def close(self) -> None:
        """See `Session`."""
        self._wire.close()


class UserSession:
    """SNMPv3. The engine is discovered and keys are localized once; the engine's clock is set anew when need be."""

    def __init__(self, target: Target, user: User) -> None:
        self._target = target
        self._user = user
        self._loop = asyncio.get_running_loop()
        self._wire = self._fresh_wire()
        self._engine = b""
        self._settled = False
        self._proved = False
        self._last = 0.0

    async def get(self, oids: Sequence[str]) -> Values | Failure:
        """See `Session`."""
        asked = list(oids)
        return await self._again(lambda: _get(self._wire, asked))

    async def walk(self, root: str, most: int) -> Walked | Failure:
        """See `Session`."""
        return await self._again(lambda: _walk(self._wire, root, most, bulk=True))

    def close(self) -> None:
        """See `Session`."""
        self._wire.close()

    async def _again(self, ask: Callable[[], Awaitable[_A | Failure]]) -> _A | Failure:
        """Asks; once more after the clock was set anew where the device's answer was not accepted."""
        if not self._settled or self._loop.time() - self._last > _IDLE:
            failure = await self._settle()
            if failure is not None:
                return failure
        answer = await ask()
        if answer is Failure.MALFORMED:  # it has restarted: another clock, or another engine altogether
            failure = await self._settle()
            answer = failure if failure is not None else await ask()
        if isinstance(answer, Failure) and answer is not Failure.TOO_BIG:
            self._settled = False
        else:
            self._proved, self._last = True, self._loop.time()
        return answer

    async def _settle(self) -> Failure | None:
        """Knows the engine and its clock, or why not."""
        self._settled = False
        for _ in range(2):
            failure = await self._discover() if not self._engine else None
            if failure is not None:
                return failure
            answer, report = await self._synchronize(self._wire)
            if report == UNKNOWN_ENGINE:
                self._wire.close()
                self._wire, self._engine = self._fresh_wire(), b""
            elif report != NOT_IN_TIME:
                break
        else:
            return Failure.NOT_IN_TIME
        if report in REPORTS:
            return REPORTS[report]
        if answer is Failure.SILENT and not self._proved:
            answer = await self._blame_surely()
        self._settled = not isinstance(answer, Failure)
        return answer if isinstance(answer, Failure) else None

    async def _discover(self) -> Failure | None:
        answer = await self._wire.ask(self._wire.socket.send_refresh, self._wire.socket.recv_refresh)
        if isinstance(answer, Failure):
            return answer
        self._engine = self._wire.socket.get_engine_id()
        if not self._engine:
            return Failure.MALFORMED
        user = self._user
        keys = (user.get_auth_alg(), user.get_auth_key(), user.get_priv_alg(), user.get_priv_key())
        self._wire.socket.set_keys(user.name, *keys)
        return None

    async def _synchronize(self, wire: Wire[SnmpV3ClientSocket]) -> tuple[Failure | None, int]:
        wire.curious = True
        answer = await wire.ask(wire.socket.send_refresh, wire.socket.recv_refresh)
        wire.curious = False
        return answer, wire.report

    async def _blame_surely(self) -> Failure | None:
        """The same, but a device that is only slow is asked once more before its key is blamed; None if it answers."""
        blamed = await self._blame()
        if blamed is not Failure.WRONG_PRIV_KEY:
            return blamed
        answer, _ = await self._synchronize(self._wire)
        return blamed if isinstance(answer, Failure) else None

    async def _blame(self) -> Failure:
        """Why an engine that answers discovery is silent to this user: net-snmp drops what it cannot decrypt."""
        wire = Wire(_user_socket(self._target, self._engine, without_privacy(self._user)), self._target.timeout)
        answer, report = await self._synchronize(wire)
        wire.close()
        if report in REPORTS:
            return REPORTS[report]
        return answer if isinstance(answer, Failure) else Failure.WRONG_PRIV_KEY

    def _fresh_wire(self) -> Wire[SnmpV3ClientSocket]:
        return Wire(_user_socket(self._target, b"", User.default()), self._target.timeout)


def _user_socket(target: Target, engine: bytes, user: User) -> SnmpV3ClientSocket:
    address = format_sock_addr(target.address, target.port)
    keys = (user.get_auth_alg(), user.get_auth_key(), user.get_priv_alg(), user.get_priv_key())
    return SnmpV3ClientSocket(address, engine, user.name, *keys, 0, 0, 0, 0)


async def _get(wire: Wire[Any], oids: list[str]) -> Values | Failure:
    """One GET. No value for several may mean that there is none, or that they are too many: the uptime tells."""
    made = wire.socket
    answer: Values | Failure = await wire.ask(lambda: made.send_get_many(oids), made.recv_get_many)
    if answer or len(oids) <= 1:
        return answer
    if UPTIME in oids:
        return Failure.TOO_BIG
    answer = await wire.ask(lambda: made.send_get_many([UPTIME, *oids]), made.recv_get_many)
    if isinstance(answer, Failure):
        return answer
    return Failure.TOO_BIG if answer.pop(UPTIME, None) is None else answer


async def _walk(wire: Wire[Any], root: str, most: int, *, bulk: bool) -> Walked | Failure:
    state = GetIter(root, REPETITIONS) if bulk else GetIter(root)
    made, walk = wire.socket, Walk(most)
    send, receive = (made.send_get_bulk, made.recv_get_bulk) if bulk else (made.send_get_next, made.recv_get_next)
    silent = 0
    while True:
        answer = await wire.ask(lambda: send(state), lambda: _taken(receive, state))
        if answer is Failure.SILENT and not silent:
            silent += 1
            continue
        if isinstance(answer, Failure):
            return answer
        silent = 0
        if not walk.take(answer):
            return walk.walked


def _taken(receive: Callable[[GetIter], Any], state: GetIter) -> list[tuple[str, Value] | None]:
    """A GETBULK's rows, or a GETNEXT's one."""
    try:
        answer = receive(state)
    except StopAsyncIteration:
        return [None]
    return answer if isinstance(answer, list) else [answer]
