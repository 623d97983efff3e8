"""What was really wrong, when and where: a file of JSON lines that tests and evaluations read.

The first line tells the fleet (sector, seed, start, tick); a line ``fault`` tells each fault with its terms, lines
``effect`` what it does to which device or port. Times are nanoseconds UTC; ``until`` is null while there is no end.
When a fault is ended its lines come again with their ends: of lines about the same thing the last one holds. From the
file the fleet's world can be made again, and so the true value of any variable at any time.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from core.errors import ContentError, UnavailableError
from core.files import read_bounded
from core.records import Record
from lab.fleet.faults import EVERY_ROW, FOREVER, Effect, Fault, Terms
from lab.fleet.known import sector_of
from lab.fleet.state import World
from lab.fleet.timeline import Timeline

MAX_BYTES = 1024 * 1024 * 1024

_WANTED = "expected the truth file of a lab fleet"


class FleetLine(Record, frozen=True, kw_only=True, tag_field="record", tag="fleet"):
    """Which fleet it is; ``sector`` is its size or the folder of its inventory."""

    sector: str
    seed: int
    start: int
    tick: int


class FaultLine(Record, frozen=True, kw_only=True, tag_field="record", tag="fault"):
    """A fault as it was ordered."""

    id: str
    terms: Terms
    since: int
    until: int | None


class EffectLine(Record, frozen=True, kw_only=True, tag_field="record", tag="effect"):
    """What a fault does to a device or to one of its ports; ``interface`` is its ifName, empty for the whole device.

    ``amount`` is what the fault's terms say of it: a share, milliseconds, octets, seconds, degrees an hour, minutes.
    """

    fault: str
    kind: str
    what: str
    device: str
    address: str
    site: str
    interface: str
    since: int
    until: int | None
    amount: float

    def holds(self, time: int) -> bool:
        """Whether it was so at this time."""
        return self.since <= time and (self.until is None or time < self.until)


class Truth(Record, frozen=True, kw_only=True):
    """What a file tells, each thing as it was told last; an effect that never came to pass is left out."""

    fleet: FleetLine
    faults: tuple[FaultLine, ...]
    effects: tuple[EffectLine, ...]

    def world(self) -> World:
        """The world of the fleet."""
        sector = sector_of(self.fleet.sector, self.fleet.seed)
        faults = (Fault(terms=one.terms, since=one.since, until=_closed(one.until)) for one in self.faults)
        return World(sector, Timeline(sector, faults), self.fleet.start)


class TruthFile:
    """Writes a truth file, a line at once to disk; without a path it writes nothing.

    Raises:
        UnavailableError: the file cannot be written.
    """

    def __init__(self, path: Path | None, world: World, tick: int) -> None:
        self._world = world
        self._encoder = msgspec.json.Encoder()
        try:
            self._file = path.open("wb", buffering=0) if path else None
        except OSError as error:
            raise UnavailableError(f"{path}: {error.strerror}; expected a file that can be written") from error
        sector = world.sector
        self._write([FleetLine(sector=sector.name, seed=sector.seed, start=world.start, tick=tick)])

    def tell(self, fault: Fault, effects: Iterable[Effect]) -> None:
        """A fault and what it does, when it is taken on and again when it has ended."""
        line = FaultLine(id=fault.terms.id, terms=fault.terms, since=fault.since, until=_open(fault.until))
        self._write([line, *map(self._line, effects)])

    def close(self) -> None:
        """Nothing is owed: all lines are in the file."""
        if self._file:
            self._file.close()

    def _write(self, lines: Iterable[Any]) -> None:
        if self._file:
            self._file.write(self._encoder.encode_lines(lines))

    def _line(self, effect: Effect) -> EffectLine:
        node = self._world.sector.nodes[effect.node]
        return EffectLine(
            fault=effect.fault,
            kind=effect.kind,
            what=effect.what,
            device=node.name,
            address=node.address,
            site=self._world.sector.sites[node.site].id,
            interface="" if effect.row == EVERY_ROW else node.family.port_name(effect.row),
            since=effect.since,
            until=_open(effect.until),
            amount=effect.amount,
        )


def read_truth(path: Path) -> Truth:
    """What a truth file tells; a last line that is not whole yet is left out.

    Raises:
        ContentError: it cannot be read or is none.
    """
    fleet: FleetLine | None = None
    faults: dict[str, FaultLine] = {}
    effects: dict[tuple[str, ...], EffectLine] = {}
    decoder = msgspec.json.Decoder(FleetLine | FaultLine | EffectLine)
    try:
        for raw in read_bounded(path, MAX_BYTES, _WANTED).splitlines(keepends=True):
            line = decoder.decode(raw) if raw.endswith(b"\n") else None
            if isinstance(line, FleetLine):
                fleet = line
            elif isinstance(line, FaultLine):
                faults[line.id] = line
            elif line is not None:
                effects[line.fault, line.what, line.device, line.interface] = line
    except msgspec.ValidationError as error:
        raise ContentError(f"{path}: {error}; {_WANTED}") from error
    if fleet is None:
        raise ContentError(f"{path}: no line says which fleet; {_WANTED}")
    happened = (line for line in effects.values() if line.until is None or line.until > line.since)
    return Truth(fleet=fleet, faults=tuple(faults.values()), effects=tuple(happened))


def _open(until: int) -> int | None:
    return None if until == FOREVER else until


def _closed(until: int | None) -> int:
    return FOREVER if until is None else until
