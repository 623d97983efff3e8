"""What one run of measurements tells: as JSON, or as a table."""

from __future__ import annotations

import sys

import msgspec
from rich.console import Console
from rich.table import Table

from core.records import Record
from core.terminal import say
from lab.bench.measure import Result

_UNITS = {"snmp": "giá trị / values"}


class Report(Record, frozen=True, kw_only=True):
    """All that was measured in one run.

    ``ratios``: our time of the processor a unit, divided by the peer's, and what else the work compares; ``peer_v3``:
    the same of SNMPv3.
    """

    work: str
    results: tuple[Result, ...]
    ratios: dict[str, float]
    peer_v3: dict[str, float] = msgspec.field(default_factory=dict)


def told(name: str) -> None:
    """Says what is being measured, on a terminal only."""
    if sys.stderr.isatty():
        say(f"đang đo / measuring: {name}")


def left_out(peer: str) -> None:
    """Names a peer that is not installed."""
    say(f"{peer}: chưa cài, bỏ qua / not installed, left out")


def show(report: Report, *, as_json: bool) -> None:
    """Prints the report."""
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n")
    else:
        _table(report)


def _table(report: Report) -> None:
    table = Table("", _UNITS.get(report.work, "sự kiện / events"), "µs CPU", "/s", "MiB", "", box=None, pad_edge=False)
    for one in report.results:
        more = ", ".join(f"{name} {value:,.4g}" for name, value in one.more.items())
        rate = one.units / one.cpu_s if one.cpu_s else 0.0
        table.add_row(one.name, f"{one.units:,}", f"{one.cpu_us:,.2f}", f"{rate:,.0f}", f"{one.rss_mib:,.0f}", more)
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    of_v3 = {f"{name}, SNMPv3": ratio for name, ratio in report.peer_v3.items()}
    for name, ratio in (report.ratios | of_v3).items():
        console.print(f"{name}: {ratio:.4g}", highlight=False)
