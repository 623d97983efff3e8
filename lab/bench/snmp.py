"""``bench snmp``: our poller beside others, over the same simulated devices, in turns within one run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from core.records import Record
from core.terminal import say
from lab.bench.measure import Result
from lab.bench.programs import program
from lab.bench.report import Report, left_out, told
from lab.bench.snmp_pollers import BULKWALK, EXPORTER, GET, V2C, V3, Start, exporter, own, walks
from lab.bench.snmp_work import Devices, Taken, fleet
from lab.bench.syslog import middle
from lab.fleet.invented import Size, parse_size

PEERS: Mapping[str, Sequence[str]] = {"snmp_exporter": (EXPORTER,), "snmpbulkwalk": (BULKWALK, GET)}
"""What a run may be compared with, and the programs that must be there for it."""

SIZE = "15x4x24"
ROUNDS = 5

_WHOLE = "snmpbulkwalk_tables"


class Load(Record, frozen=True, kw_only=True):
    """How many devices are polled, how often all take their turn, and whether by SNMPv3 alone."""

    size: Size = parse_size(SIZE)
    rounds: int = ROUNDS
    only_v3: bool = False


def bench(load: Load, peers: Sequence[str], *, tell: bool) -> Report:
    """Measures all in turns, and gives of each the middle round; ratios are the middle ones of the rounds.

    A unit is a value that was wanted. Of snmpbulkwalk over whole tables, which brings others too, there are two ratios:
    by all values that it brought, and by those that were wanted (``useful``). A peer that brought fewer values than
    there are is said and has no ratio.

    Raises:
        UnavailableError: the fleet or one of those who poll did not start, or did not go on.
    """
    starts = _starts(peers, only_v3=load.only_v3)
    with tempfile.TemporaryDirectory(prefix="haidang-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        devices = stack.enter_context(fleet(load.size, folder))
        pollers = {}
        for number, (who, start) in enumerate(starts.items()):
            own_folder = folder / str(number)
            own_folder.mkdir()
            pollers[who] = stack.enter_context(start(devices, own_folder))
        found: dict[str, list[Taken]] = {who: [] for who in pollers}
        for _ in range(load.rounds):
            for who, poller in pollers.items():
                if tell:
                    told(who)
                found[who].append(poller.measure())
    return _report(found, devices)


def installed(peers: Iterable[str]) -> list[str]:
    """Those that are there; the others are named."""
    there = []
    for peer in peers:
        if all(map(program, PEERS[peer])):
            there.append(peer)
        else:
            left_out(peer)
    return there


def _starts(peers: Sequence[str], *, only_v3: bool) -> dict[str, Start]:
    """All who take part, in the order of their turns, each called by its name and version."""
    starts: dict[str, Start] = {}
    for version in (V3,) if only_v3 else (V2C, V3):
        starts[f"ours, {version}"] = own(version)
        if "snmp_exporter" in peers:
            starts[f"snmp_exporter, {version}"] = exporter(version)
        if "snmpbulkwalk" in peers and (version == V2C or only_v3):
            starts[f"{_WHOLE}, {version}"] = walks(version, whole=True)
            starts[f"snmpbulkwalk_columns, {version}"] = walks(version, whole=False)
    return starts


def _report(found: Mapping[str, Sequence[Taken]], devices: Devices) -> Report:
    results = [middle([_result(who, one, devices) for one in rounds]) for who, rounds in found.items()]
    complete = {who: rounds for who, rounds in found.items() if _is_complete(who, rounds, devices)}
    return Report(work="snmp", results=tuple(results), ratios=_ratios(complete, V2C), peer_v3=_ratios(complete, V3))


def _result(who: str, taken: Taken, devices: Devices) -> Result:
    more = {"devices": float(len(devices.addresses)), "expected": float(devices.values)}
    if taken.varbinds != taken.units:
        more |= {"varbinds": float(taken.varbinds), "cpu_us_a_varbind": taken.cpu_s / max(taken.varbinds, 1) * 1e6}
    return Result(name=who, units=taken.units, cpu_s=taken.cpu_s, wall_s=taken.wall_s, rss_mib=taken.rss_mib, more=more)


def _is_complete(who: str, rounds: Sequence[Taken], devices: Devices) -> bool:
    fewest = min(one.units for one in rounds)
    if fewest < devices.values:
        say(f"{who}: {fewest}/{devices.values} giá trị, không so sánh / values came; it is not compared")
    return fewest >= devices.values


def _ratios(found: Mapping[str, Sequence[Taken]], version: str) -> dict[str, float]:
    """Our time of the processor a value divided by the peer's, of each peer of this version."""
    by_peer = {who.split(", ")[0]: rounds for who, rounds in found.items() if who.endswith(f", {version}")}
    ours = by_peer.pop("ours", None)
    if ours is None:
        return {}
    ratios = {}
    for peer, theirs in by_peer.items():
        useful = _middle_ratio(ours, theirs, [one.units for one in theirs])
        if peer == _WHOLE:
            ratios[peer] = _middle_ratio(ours, theirs, [one.varbinds for one in theirs])
            ratios[f"{peer}_useful"] = useful
        else:
            ratios[peer] = useful
    return ratios


def _middle_ratio(ours: Sequence[Taken], theirs: Sequence[Taken], values: Sequence[int]) -> float:
    """Of the rounds' ratios, when theirs brought so many values."""
    return median(
        (own.cpu_s / own.units) / (their.cpu_s / count) for own, their, count in zip(ours, theirs, values, strict=True)
    )
