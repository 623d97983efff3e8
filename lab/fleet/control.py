"""Faults while the fleet runs: requests as JSON in datagrams of a Unix socket, each answered in one.

``{"start": {"kind": "dead", "device": "rt-ha-noi"}, "lasts": 60}`` answers ``{"id": ..., "since": ..., "until": ...}``;
``{"end": ID}`` likewise; ``{"list": true}`` answers ``{"faults": [...]}``; what cannot be done, ``{"error": ...}``.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from core.clock import SECOND, Clock
from core.errors import ContentError, HaidangError, UnavailableError
from core.records import Record
from lab.fleet.faults import FOREVER, Fault, Seconds, Terms
from lab.fleet.timeline import Timeline
from lab.fleet.truth import TruthFile

LARGEST = 65_536
"""Octets of a request or an answer."""

PATIENCE = 10.0
"""Seconds that an answer may take."""

_WANTED = 'expected {"start": {...}, "lasts": SECONDS}, {"end": ID} or {"list": true}'


class Request(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted, just one of three; ``lasts`` goes with ``start``."""

    start: Terms | None = None
    lasts: Seconds | None = None
    end: str | None = None
    list: bool = False


class Control:
    """Carries requests out and tells the truth of them."""

    def __init__(self, timeline: Timeline, truth: TruthFile, clock: Clock) -> None:
        self._timeline = timeline
        self._truth = truth
        self._clock = clock

    def handle(self, data: bytes) -> bytes:
        """The answer to a request."""
        try:
            answer = self._do(msgspec.json.decode(data, type=Request))
        except (HaidangError, ValueError) as error:
            answer = {"error": str(error)}
        return msgspec.json.encode(answer)

    def _do(self, request: Request) -> dict[str, Any]:
        if [request.start is not None, request.end is not None, request.list].count(True) != 1:
            raise ContentError(_WANTED)
        if request.start is not None:
            return _told(self._start(request.start, request.lasts))
        if request.end is not None:
            return _told(self._end(request.end))
        return {"faults": [_told(fault) for fault in self._timeline.faults]}

    def _start(self, terms: Terms, lasts: float | None) -> Fault:
        now = self._clock.now()
        until = FOREVER if lasts is None else now + round(lasts * SECOND)
        named = terms if terms.id else msgspec.structs.replace(terms, id=f"control-{len(self._timeline.faults) + 1}")
        fault = Fault(terms=named, since=now, until=until)
        self._truth.tell(fault, self._timeline.add(fault))
        return fault

    def _end(self, fault_id: str) -> Fault:
        effects = self._timeline.end(fault_id, self._clock.now())
        fault = next(one for one in self._timeline.faults if one.terms.id == fault_id)
        self._truth.tell(fault, effects)
        return fault


def open_control(path: Path) -> socket.socket:
    """The socket at which requests arrive, for the account alone that runs the fleet.

    Raises:
        UnavailableError: it cannot be made there.
    """
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        path.unlink(missing_ok=True)
        wire.bind(str(path))
        path.chmod(0o600)
    except OSError as error:
        wire.close()
        raise UnavailableError(f"{path}: {error}; expected a place for a socket, at most 107 octets long") from error
    wire.setblocking(False)
    return wire


def serve_one(wire: socket.socket, control: Control) -> None:
    """Answers the request that has arrived, if one has and its sender still listens."""
    try:
        data, sender = wire.recvfrom(LARGEST)
    except BlockingIOError:
        return
    answer = control.handle(data)
    if sender:
        with suppress(OSError):
            wire.sendto(answer, sender)


def ask(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Sends a request to a running fleet and gives its answer.

    Raises:
        UnavailableError: no fleet answers there.
        ContentError: it answers that the request cannot be carried out.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.settimeout(PATIENCE)
        wire.bind("")  # the kernel gives it a name to answer to (unix(7), autobind)
        try:
            wire.sendto(msgspec.json.encode(request), str(path))
            answer: dict[str, Any] = msgspec.json.decode(wire.recv(LARGEST))
        except OSError as error:
            raise UnavailableError(f"{path}: {error}; expected the control socket of a running fleet") from error
    if "error" in answer:
        raise ContentError(str(answer["error"]))
    return answer


def _told(fault: Fault) -> dict[str, Any]:
    until = None if fault.until == FOREVER else fault.until
    return {"id": fault.terms.id, "kind": fault.terms.kind, "since": fault.since, "until": until}
