"""What is, was and will be wrong with each device: faults begin and end, what has happened is never changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from core.clock import SECOND
from core.errors import ContentError, NotFoundError
from lab.fleet.faults import EVERY_ROW, Effect, Fault, effects_of
from lab.fleet.sector import Sector

_SILENT = frozenset({"dead", "dark", "off"})
_POWERLESS = frozenset({"dead", "off"})
_CONDUCT = _SILENT | {"lossy", "slow", "too_big", "truncated"}


class Conduct(msgspec.Struct, frozen=True):
    """How a device treats datagrams at a moment.

    Attributes:
        silent: it answers nothing.
        loss: share of datagrams without an answer.
        delay: nanoseconds until an answer leaves.
        largest: octets of its largest response; 0 for the usual.
        cut: its answers are cut off in the middle.
    """

    silent: bool = False
    loss: float = 0.0
    delay: int = 0
    largest: int = 0
    cut: bool = False


USUAL = Conduct()


class Timeline:
    """The faults of a sector and what follows from them.

    Raises:
        ContentError: a fault names what the sector has not.
    """

    def __init__(self, sector: Sector, faults: Iterable[Fault] = ()) -> None:
        self._sector = sector
        self._faults: dict[str, Fault] = {}
        self._effects: dict[str, list[Effect]] = {}
        self._of_node: dict[int, tuple[Effect, ...]] = {}
        for fault in faults:
            self.add(fault)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All faults, in the order in which they were added."""
        return tuple(self._faults.values())

    def add(self, fault: Fault) -> list[Effect]:
        """Takes a fault on and gives what it does.

        Raises:
            ContentError: it names what the sector has not, or has the id of another.
        """
        if fault.terms.id in self._faults:
            raise ContentError(f"fault {fault.terms.id}: there is one with this id; expected another id")
        effects = effects_of(fault, self._sector)
        self._faults[fault.terms.id] = fault
        self._effects[fault.terms.id] = effects
        self._index()
        return effects

    def end(self, fault_id: str, now: int) -> list[Effect]:
        """Ends a fault now, or takes it off if it had not begun; gives what it did, with the true ends.

        An effect that has not come to pass ends when it would have begun.

        Raises:
            NotFoundError: there is no such fault, or it has ended.
        """
        fault = self._faults.get(fault_id)
        if fault is None or fault.until <= now:
            raise NotFoundError(f"no fault {fault_id!r} is under way; expected an id from the list of faults")
        self._faults[fault_id] = msgspec.structs.replace(fault, until=max(now, fault.since))
        ended = [_ended(effect, now) for effect in self._effects[fault_id]]
        self._effects[fault_id] = ended
        self._index()
        return ended

    def of(self, node: int) -> tuple[Effect, ...]:
        """What concerns this device, in the order of its beginning."""
        return self._of_node.get(node, ())

    def conduct(self, node: int, now: int) -> Conduct:
        """How the device treats datagrams now."""
        effects = self._of_node.get(node)
        if effects is None:
            return USUAL
        holding = [effect for effect in effects if effect.what in _CONDUCT and effect.holds(now)]
        if not holding:
            return USUAL
        most = {effect.what: effect.amount for effect in holding}
        return Conduct(
            silent=not _SILENT.isdisjoint(most),
            loss=most.get("lossy", 0.0),
            delay=round(most.get("slow", 0.0) * SECOND / 1000),
            largest=int(most.get("too_big", 0)),
            cut="truncated" in most,
        )

    def boots(self, node: int, first: int, now: int) -> tuple[int, int]:
        """When the device was last started, its first start being given, and how often it has been."""
        starts = [
            effect.until for effect in self.of(node) if effect.what == "off" and effect.since < effect.until <= now
        ]
        return max((first, *starts)), 1 + len(starts)

    def powerless(self, node: int) -> tuple[tuple[int, int], ...]:
        """The times in which the device has no power or hangs, so that its cables are dead."""
        return tuple((effect.since, effect.until) for effect in self.of(node) if effect.what in _POWERLESS)

    def reachable(self, node: int, now: int) -> bool:
        """Whether its neighbours hear of it."""
        return not any(effect.what in _SILENT and effect.holds(now) for effect in self.of(node))

    def _index(self) -> None:
        found: defaultdict[int, list[Effect]] = defaultdict(list)
        for effects in self._effects.values():
            for effect in effects:
                found[effect.node].append(effect)
        self._of_node = {node: tuple(sorted(effects, key=lambda one: one.since)) for node, effects in found.items()}


def _ended(effect: Effect, now: int) -> Effect:
    if effect.kind == "restart" or effect.what == "counter_reset":  # these happened, all at once
        return effect
    return msgspec.structs.replace(effect, until=min(effect.until, max(now, effect.since)))


def concerns(effect: Effect, row: int) -> bool:
    """Whether the effect is about this port or about all."""
    return effect.row in (EVERY_ROW, row)
