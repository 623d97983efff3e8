"""One device asked with several credential sets: the first that it takes is used until it takes it no longer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from app.snmp.plan import SnmpCredential
from collectors.snmp.failures import Failure
from collectors.snmp.session import UPTIME, Session, Target, Values, Version, diagnose
from collectors.snmp.walks import Walked
from inventory.credentials import SnmpV2c

_TIRED = 3
"""Questions in a row without an answer after which the other sets are tried too: the device may have got another."""

_NOT_AGAIN = 10.0
"""Seconds for which a device that took no set is not asked again: one poll asks it several times."""


class Opener(Protocol):
    """Opens sessions, as ``collectors.snmp.session.Sessions``."""

    def open(self, target: Target) -> Session:
        """A session; nothing is sent yet."""
        ...


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a credential set.

    Attributes:
        version: of SNMP that was spoken.
        failure: why it was not taken; None if it was.
        seconds: until that was known.
    """

    name: str
    version: str
    failure: Failure | None
    seconds: float


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How a device is reached, whatever the credential."""

    address: str
    port: int
    timeout: float

    def target(self, credential: SnmpCredential, version: Version = Version.V2C) -> Target:
        """The same with a credential."""
        return Target(
            address=self.address, credential=credential, port=self.port, version=version, timeout=self.timeout
        )


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A set that was taken, with its open session and how it is spoken with."""

    name: str
    session: Session
    target: Target


async def try_sets(
    opener: Opener, way: Way, sets: Mapping[str, SnmpCredential], told: Callable[[Tried], None]
) -> Found | Failure:
    """Asks for the uptime with one set after the other until one is taken; else the failure that says most.

    What became of each set is told. A device that is silent to a community is asked whether any agent is there, and if
    not even that is answered, by version 1.
    """
    tries: dict[str, Tried] = {}
    found = await _first_taken(opener, way, sets, tries)
    silent = {name: sets[name] for name, one in tries.items() if _is_open(one)}
    if found is not None:  # the agent is there, so it does not take what it was silent to
        _put(Failure.WRONG_COMMUNITY, silent, tries)
    elif silent:
        found = await _explain(opener, way, silent, tries)
    for one in tries.values():
        told(one)
    if found is not None:
        return found
    failures = [one.failure for one in tries.values() if one.failure is not None]
    return max(failures, key=_weight, default=Failure.SILENT)


async def _first_taken(
    opener: Opener,
    way: Way,
    sets: Mapping[str, SnmpCredential],
    tries: dict[str, Tried],
    community: Version = Version.V2C,
) -> Found | None:
    for name, credential in sets.items():
        version = community if isinstance(credential, SnmpV2c) else Version.V3
        begun = time.monotonic()
        target = way.target(credential, version)
        answer = await _try(opener, target)
        failure = answer if isinstance(answer, Failure) else None
        tries[name] = Tried(name=name, version=version, failure=failure, seconds=time.monotonic() - begun)
        if not isinstance(answer, Failure):
            return Found(name=name, session=answer, target=target)
    return None


async def _explain(
    opener: Opener, way: Way, silent: Mapping[str, SnmpCredential], tries: dict[str, Tried]
) -> Found | None:
    """Why a device is silent to these communities; or the first that it takes by version 1."""
    reason = await diagnose(way.target(next(iter(silent.values()))), Failure.SILENT)
    if reason is Failure.SILENT:
        return await _first_taken(opener, way, silent, tries, Version.V1)
    _put(reason, silent, tries)
    return None


def _put(reason: Failure, names: Iterable[str], tries: dict[str, Tried]) -> None:
    tries.update({name: msgspec.structs.replace(tries[name], failure=reason) for name in names})


async def _try(opener: Opener, target: Target) -> Session | Failure:
    session = opener.open(target)
    taken = False
    try:
        answer = await session.get([UPTIME])
        if answer is Failure.SILENT:  # a datagram may have been lost
            answer = await session.get([UPTIME])
        taken = not isinstance(answer, Failure)
        return answer if isinstance(answer, Failure) else session
    finally:
        if not taken:
            session.close()


def _is_open(tried: Tried) -> bool:
    """Whether it is not known yet why a community was not answered."""
    return tried.failure is Failure.SILENT and tried.version != Version.V3


def _weight(failure: Failure) -> int:
    """How much a failure says: silence least, a refused credential most."""
    return 0 if failure is Failure.SILENT else 2 if failure.is_credential else 1


class ChoosingSession:
    """A session with whichever of a device's credential sets it takes.

    Args:
        opener: opens the real ones.
        way: how the device is reached.
        sets: names and credentials, in the order in which they are tried.

    Attributes:
        credential: the name of the set that is in use; empty before one was taken.
        refused: names of sets that were not taken, by the last try.
    """

    def __init__(self, opener: Opener, way: Way, sets: Mapping[str, SnmpCredential]) -> None:
        self.credential = ""
        self.refused: tuple[str, ...] = ()
        self._opener = opener
        self._way = way
        self._sets = dict(sets)
        self._found: Found | None = None
        self._failed = 0
        self._given_up: tuple[float, Failure] | None = None
        self._closed = False

    async def get(self, oids: Sequence[str]) -> Values | Failure:
        """See ``collectors.snmp.session.Session``."""
        session = await self._session()
        if isinstance(session, Failure):
            return session
        answer = await session.get(oids)
        self._note(answer)
        return answer

    async def walk(self, root: str, most: int) -> Walked | Failure:
        """See ``collectors.snmp.session.Session``."""
        session = await self._session()
        if isinstance(session, Failure):
            return session
        answer = await session.walk(root, most)
        self._note(answer)
        return answer

    def close(self) -> None:
        """Ends the session; nothing is asked any more."""
        self._closed = True
        self._drop()

    def _drop(self) -> None:
        if self._found is not None:
            self._found.session.close()
            self._found = None

    async def _session(self) -> Session | Failure:
        if self._found is None:
            if self._given_up is not None and time.monotonic() - self._given_up[0] < _NOT_AGAIN:
                return self._given_up[1]
            found = Failure.SILENT if self._closed else await self._choose()
            if isinstance(found, Failure):
                self._given_up = (time.monotonic(), found)
                return found
            self._found, self.credential, self._failed = found, found.name, 0
        return self._found.session

    async def _choose(self) -> Found | Failure:
        """Tries the set that was good last first."""
        tried: dict[str, Failure | None] = {}
        order = sorted(self._sets, key=lambda name: name != self.credential)
        sets = {name: self._sets[name] for name in order}
        found = await try_sets(self._opener, self._way, sets, lambda one: tried.update({one.name: one.failure}))
        self.refused = tuple(name for name, failure in tried.items() if failure is not None and failure.is_credential)
        return found

    def _note(self, answer: object) -> None:
        if not isinstance(answer, Failure) or answer is Failure.TOO_BIG:
            self._failed = 0
            return
        self._failed += 1
        if self._failed >= _TIRED or answer.is_credential:
            self._drop()
