"""What a poll hands on: the values of one device at one time, by column, and what happened on the way."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from core.records import Record

Cell: TypeAlias = int | float | str | None
"""One value; None where there is none, and never 0 for that."""


class Table(Record, frozen=True, kw_only=True):
    """Rows of one table, by column.

    While a device's layout stays the same, ``names``, ``indexes``, ``widths`` and ``labels`` are the same objects from
    reading to reading: who compares two readings may ask that first.

    Attributes:
        indexes: as the device numbers its rows; good for one reading and no longer.
        names: what the rows are called, each name once: by it a row is the same from reading to reading.
        columns: the values read this time, by the profile's names of columns; scaled, states as words.
        labels: what is only read again when the device has changed: aliases, types, serial numbers, ``place``.
        widths: of each column that counts, the bits of each row's counter; 0 where the row has none.
        constants: what the profile says of all rows.
        series: the series that the values are for.
    """

    indexes: tuple[str, ...]
    names: tuple[str, ...]
    columns: dict[str, list[Cell]]
    labels: dict[str, tuple[Cell, ...]] = msgspec.field(default_factory=dict)
    widths: dict[str, tuple[int, ...]] = msgspec.field(default_factory=dict)
    constants: dict[str, str] = msgspec.field(default_factory=dict)
    series: str = ""


class Tally(msgspec.Struct):
    """What happened in one device's cycle.

    Attributes:
        varbinds: values that came.
        requests: questions asked, those asked again included.
        missing: values asked for that the device did not have.
        truncated: answers that left out the end of what was asked.
        too_big: questions that the device did not answer for their size.
        timeouts: questions that nobody answered in time.
        walked: values that came from walks.
        duplicates: rows that a walk showed twice.
        disordered: walks that were given up because an object identifier did not increase.
        cut: walks that were given up because they had too many rows.
    """

    varbinds: int = 0
    requests: int = 0
    missing: int = 0
    truncated: int = 0
    too_big: int = 0
    timeouts: int = 0
    walked: int = 0
    duplicates: int = 0
    disordered: int = 0
    cut: int = 0

    @property
    def errors(self) -> int:
        """Everything that was not as it should be."""
        return sum(
            (self.missing, self.truncated, self.too_big, self.timeouts, self.duplicates, self.disordered, self.cut)
        )


class Reading(Record, frozen=True, kw_only=True):
    """One device at one time.

    Attributes:
        time_ns: when the first answer came, UTC.
        steady_ns: the same on a clock that is never set; good within one process, and what rates are counted by.
        uptime: hundredths of a second since the device's agent started, of 32 bits; None if it does not say.
        restarted: whether the device has started anew since the last reading.
        late_ns: how much later than planned the first question was asked.
        rtt_ns: until the first answer came.
    """

    device: str
    time_ns: int
    steady_ns: int
    uptime: int | None
    tables: dict[str, Table]
    tally: Tally
    site: str = ""
    unit: str = ""
    restarted: bool = False
    late_ns: int = 0
    rtt_ns: int = 0
