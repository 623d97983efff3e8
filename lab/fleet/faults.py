"""What can be wrong with the fleet, and what a fault means for each device it concerns. Pure: times are handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
import yaml

from core.clock import HOUR, MINUTE, SECOND
from core.errors import ContentError
from core.files import read_bounded
from core.records import Record
from lab.fleet.draws import draw
from lab.fleet.sector import Node, Sector
from lab.scenario import MAX_BYTES, Title
from lab.sector import HOME

SCENARIOS = HOME / "data" / "fleet" / "scenarios"
"""The scenarios that come with the fleet."""

FOREVER = 2**63 - 1
"""The end of what has none yet."""

EVERY_ROW = -1

Kind: TypeAlias = Literal[
    "dead", "lossy", "slow", "late", "too_big", "truncated", "not_increasing", "only_32_bit", "index_shuffle",
    "counter_reset", "restart", "flapping", "sensor_drift", "power_loss", "province_dark",
]  # fmt: skip
What: TypeAlias = Literal[
    "dead", "dark", "off", "lossy", "slow", "too_big", "truncated", "not_increasing", "only_32_bit", "index_shuffle",
    "counter_reset", "flapping", "sensor_drift", "on_battery",
]  # fmt: skip
"""What a fault does to one device; ``dead`` and ``off`` also take its cables' other ends down, ``dark`` does not."""

Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=31_536_000)]
Share: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=1)]

LATE_MS = 2000.0
_WANTED = "expected a mapping with title: {vi, en} and faults: [...]"


class Terms(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wrong, where, and how much. Just one of device, site, province and share says where.

    Attributes:
        device: name or address of a device.
        site: id of a site, all its devices; for ``power_loss`` these with the UPS.
        province: id of a provincial unit, all devices of all its sites.
        share: of all devices, drawn by the seed and ``id``.
        interface: ifName of one port, for ``flapping`` and ``counter_reset``; empty for all ports that have a cable.
        loss: share of datagrams that get no answer (``lossy``).
        delay_ms: milliseconds until an answer leaves (``slow``; ``late`` is 2,000).
        octets: the largest response (``too_big``).
        period_s: seconds of one turn of a ``flapping`` port, down in the second half.
        takes_s: seconds for which a ``restart`` is off.
        degrees_an_hour: by which temperatures climb (``sensor_drift``).
        minutes: for which the UPS holds (``power_loss``).
    """

    kind: Kind
    id: str = ""
    device: str = ""
    site: str = ""
    province: str = ""
    share: Share | None = None
    interface: str = ""
    loss: Share = 0.2
    delay_ms: Annotated[float, msgspec.Meta(gt=0, le=60_000)] = 500.0
    octets: Annotated[int, msgspec.Meta(ge=100, le=1472)] = 484
    period_s: Annotated[float, msgspec.Meta(ge=2, le=86_400)] = 20.0
    takes_s: Seconds = 20.0
    degrees_an_hour: Annotated[float, msgspec.Meta(ge=-1000, le=1000)] = 6.0
    minutes: Annotated[float, msgspec.Meta(ge=0, le=1440)] = 15.0


class Step(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault of a scenario: ``at`` seconds after the start, for so many seconds, or until it is ended."""

    fault: Terms
    at: Seconds = 0.0
    lasts: Seconds | None = None


class Scenario(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A title and faults."""

    title: Title
    faults: tuple[Step, ...]


class Fault(Record, frozen=True, kw_only=True):
    """Terms with their times, nanoseconds UTC; ``until`` is FOREVER while it has no end."""

    terms: Terms
    since: int
    until: int = FOREVER


class Effect(Record, frozen=True, kw_only=True):
    """What a fault does to one device, or to one of its ports, from one time to another."""

    fault: str
    kind: Kind
    what: What
    node: int
    since: int
    until: int
    row: int = EVERY_ROW
    amount: float = 0.0

    def holds(self, time: int) -> bool:
        """Whether it is so at this time."""
        return self.since <= time < self.until


def load_scenario(path: Path) -> Scenario:
    """The scenario in this YAML file.

    Raises:
        ContentError: the file cannot be read or is wrong; the text names file and what was expected.
    """
    data = read_bounded(path, MAX_BYTES, _WANTED)
    try:
        document: Any = yaml.safe_load(data.decode())
        for step in document["faults"]:
            times = {key: step.pop(key) for key in ("at", "lasts") if key in step}
            step |= {"fault": dict(step), **times}
            for key in step["fault"]:
                del step[key]
        return msgspec.convert(document, Scenario)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise ContentError(f"{path}: {reason}; {_WANTED}") from error


def planned(scenario: Scenario, start: int) -> list[Fault]:
    """The scenario's faults with their times, when it begins at ``start``."""
    faults: list[Fault] = []
    for number, step in enumerate(scenario.faults, 1):
        since = start + round(step.at * SECOND)
        until = FOREVER if step.lasts is None else since + round(step.lasts * SECOND)
        terms = step.fault if step.fault.id else msgspec.structs.replace(step.fault, id=f"fault-{number}")
        faults.append(Fault(terms=terms, since=since, until=until))
    return faults


def effects_of(fault: Fault, sector: Sector) -> list[Effect]:
    """What the fault does to each device it concerns.

    Raises:
        ContentError: it names a device, site, province or port that the sector has not.
    """
    nodes = _where(fault.terms, sector)
    return [effect for node in nodes for effect in _EFFECTS[fault.terms.kind](fault, node, sector)]


def _where(terms: Terms, sector: Sector) -> Iterable[Node]:
    named = [bool(terms.device), bool(terms.site), bool(terms.province), terms.share is not None]
    if sum(named) != 1:
        raise ContentError(f"fault {terms.id}: expected one of device, site, province and share")
    if terms.share is not None:
        nodes = [node for node in sector.nodes if draw(sector.seed, terms.id, node.address)[0] < terms.share]
    elif terms.device:
        nodes = [sector.by_name[terms.device]] if terms.device in sector.by_name else []
    else:
        sites = [site for site in sector.sites if terms.site == site.id or (terms.province == site.province != "")]
        nodes = [node for site in sites for node in sector.of_site(site.number)]
    if not nodes:
        raise ContentError(
            f"fault {terms.id}: the sector has no {terms.device or terms.site or terms.province or 'device'!r}; "
            "expected a device's name or address, a site's id or a provincial unit's id of its inventory"
        )
    return nodes


def _effect(fault: Fault, node: Node, what: What, **more: Any) -> Effect:
    times = {"since": fault.since, "until": fault.until, **more}
    return Effect(fault=fault.terms.id, kind=fault.terms.kind, what=what, node=node.number, **times)


def _plain(what: What, amount: Callable[[Terms], float] = lambda _terms: 0.0) -> Callable[..., list[Effect]]:
    """A fault that does one thing to a device as a whole."""
    return lambda fault, node, _sector: [_effect(fault, node, what, amount=amount(fault.terms))]


def _restart(fault: Fault, node: Node, _sector: Sector) -> list[Effect]:
    return [_effect(fault, node, "off", until=fault.since + round(fault.terms.takes_s * SECOND))]


def _counter_reset(fault: Fault, node: Node, _sector: Sector) -> list[Effect]:
    row = _row(fault.terms, node) if fault.terms.interface else EVERY_ROW
    return [_effect(fault, node, "counter_reset", row=row, until=FOREVER)]


def _flapping(fault: Fault, node: Node, sector: Sector) -> list[Effect]:
    """A cable's other end goes up and down with it, unless other cables end there too."""
    neighbours = sector.neighbours[node.number]
    rows = [_row(fault.terms, node)] if fault.terms.interface else sorted({neighbour.row for neighbour in neighbours})
    amount = fault.terms.period_s
    found = [_effect(fault, node, "flapping", row=row, amount=amount) for row in rows]
    for neighbour in neighbours:
        if neighbour.row in rows and alone(sector, neighbour.node, neighbour.far_row):
            other = sector.nodes[neighbour.node]
            found.append(_effect(fault, other, "flapping", row=neighbour.far_row, amount=amount))
    return found


def _power_loss(fault: Fault, node: Node, sector: Sector) -> list[Effect]:
    """The UPS runs on its battery; when that is empty, or at once where there is none, all is off."""
    has_ups = any(other.role == "ups" for other in sector.of_site(node.site))
    minutes = fault.terms.minutes if has_ups else 0.0
    empty = fault.since + round(minutes * MINUTE)
    off = [_effect(fault, node, "off", since=empty)] if empty < fault.until else []
    if node.role != "ups":
        return off
    return [_effect(fault, node, "on_battery", amount=fault.terms.minutes), *off]


def alone(sector: Sector, node: int, row: int) -> bool:
    """Whether just one cable ends in this port."""
    return sum(neighbour.row == row for neighbour in sector.neighbours[node]) == 1


def _row(terms: Terms, node: Node) -> int:
    for row in range(node.ports):
        if node.family.port_name(row) == terms.interface:
            return row
    usual = node.family.port_name(0)
    raise ContentError(f"fault {terms.id}: {node.name} has no port {terms.interface!r}; expected one such as {usual}")


_EFFECTS: dict[str, Callable[[Fault, Node, Sector], list[Effect]]] = {
    "dead": _plain("dead"),
    "lossy": _plain("lossy", lambda terms: terms.loss),
    "slow": _plain("slow", lambda terms: terms.delay_ms),
    "late": _plain("slow", lambda _terms: LATE_MS),
    "too_big": _plain("too_big", lambda terms: terms.octets),
    "truncated": _plain("truncated"),
    "not_increasing": _plain("not_increasing"),
    "only_32_bit": _plain("only_32_bit"),
    "index_shuffle": _plain("index_shuffle"),
    "counter_reset": _counter_reset,
    "restart": _restart,
    "flapping": _flapping,
    "sensor_drift": _plain("sensor_drift", lambda terms: terms.degrees_an_hour),
    "power_loss": _power_loss,
    "province_dark": _plain("dark"),
}


def drifted(effect: Effect, time: int) -> float:
    """By how many degrees a drifting sensor is off."""
    return effect.amount * (time - effect.since) / HOUR if effect.holds(time) else 0.0
