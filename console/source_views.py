"""What the sources' templates show, made from records."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from console.texts import say
from console.views import Moment, moment, moment_or_none, visible
from core.query import quoted
from core.records import Record
from core.sources import Source, SourceState
from core.stores.source_list import Choice, Order, WantedSources

SHAPES = {
    SourceState.LEARNING: "○",
    SourceState.ALIVE: "●",
    SourceState.SILENT: "■",
    SourceState.SURGING: "▲",
}
NOTABLE_SECONDS = 2.0
"""A clock that is off by more is marked."""

LEAST_OFFSET = 1.0
"""Seconds; a clock that is off by less is not told: messages take as long on their way."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


class AskedSources(Record, frozen=True, kw_only=True):
    """What the reader asked for in the list's address; what is unknown there asks for nothing."""

    text: str = ""
    state: str = ""
    sort: str = ""

    def wanted(self) -> WantedSources:
        """As the list takes it."""
        return WantedSources(
            text=self.text,
            choice=Choice(self.state) if self.state in set(Choice) else None,
            order=Order(self.sort) if self.sort in set(Order) else Order.STATE,
        )

    def address(self, **changed: object) -> str:
        """The list's address with some of it changed."""
        return f"/sources{self.query(**changed)}"

    def address_of(self, source: str) -> str:
        """A source's address, from which one comes back to the same list."""
        return f"/sources/{quote(source, safe='')}{self.query()}"

    def query(self, **changed: object) -> str:
        """What an address of ours ends with; empty where nothing is asked for."""
        wanted = self.wanted()
        values = {"q": self.text, "state": wanted.choice or "", "sort": wanted.order} | changed
        told = {name: str(value) for name, value in values.items() if value and value != Order.STATE}
        return f"?{urlencode(told)}" if told else ""


class SourceRow(Record, frozen=True, kw_only=True):
    """A source in the list; ``share`` is how much of what it sends is understood."""

    link: str
    address: str
    name: str
    known: bool
    state: str
    shape: str
    site: str
    kinds: str
    ways: str
    rate: str
    usual: str
    last: Moment
    age: str
    lag: str
    share: str
    dropped: str
    quarantined: str
    has_losses: bool
    offset: str
    is_off: bool


class SourceView(Record, frozen=True, kw_only=True):
    """The page of a source; ``counts`` are texts by the end of their keys."""

    row: SourceRow
    since: Moment | None
    first: Moment
    counts: dict[str, str]
    zone: str
    zone_from: str
    limit: str
    limit_from: str
    events: str
    quarantine: str


def source_row(source: Source, sites: Mapping[str, str], now: int, language: str, asked: AskedSources) -> SourceRow:
    """The source as one line of the list that was asked for."""
    return SourceRow(
        link=asked.address_of(source.address),
        address=visible(source.address.encode()),
        name=visible((source.device or source.address).encode()),
        known=source.known,
        state=source.state.value,
        shape=SHAPES[source.state],
        site=sites.get(source.site, source.site),
        kinds=visible(", ".join(source.kinds).encode()),
        ways=", ".join(source.ways),
        rate=number(source.rate, language, 1),
        usual=number(source.usual, language, 1) if source.usual else "",
        last=moment(source.last),
        age=duration((now - source.last) / 1e9, language),
        lag="" if source.lag is None else duration(source.lag, language),
        share=_share(source, language),
        dropped=number(source.dropped, language),
        quarantined=number(source.quarantined, language),
        has_losses=source.dropped > 0,
        offset=_offset(source, language),
        is_off=abs(_offset_of(source)) >= NOTABLE_SECONDS,
    )


def source_view(source: Source, row: SourceRow, language: str) -> SourceView:
    """All that the source's page shows."""
    names = ("received", "stored", "duplicates", "quarantined", "dropped", "understood", "untrusted")
    query = f"observer.ip:{quoted(source.address)}"
    return SourceView(
        row=row,
        since=moment_or_none(source.since),
        first=moment(source.first),
        counts={name: number(getattr(source, name), language) for name in names},
        zone=source.zone,
        zone_from=source.zone_from,
        limit=duration(source.limit, language) if source.limit else "",
        limit_from=source.limit_from,
        events=f"/events?{urlencode({'q': query, 'span': '24h'})}",
        quarantine=f"/events?{urlencode({'q': query, 'span': '7d', 'quarantined': '1'})}",
    )


def number(value: float, language: str, digits: int = 0) -> str:
    """The number as it is written in that language: ``12.345,6`` or ``12,345.6``."""
    text = f"{value:,.{digits}f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "vi" else text


def duration(seconds: float, language: str) -> str:
    """How long, in the largest unit that has gone by whole; below ten seconds to a tenth."""
    length = max(seconds, 0.0)
    if length < _MINUTE:
        return say(language, "duration.seconds", count=number(length, language, 1 if length < 10 else 0))  # noqa: PLR2004 - as the docstring says
    for unit, size in (("days", _DAY), ("hours", _HOUR), ("minutes", _MINUTE)):
        if length >= size:
            return say(language, f"duration.{unit}", count=number(length // size, language))
    raise AssertionError(length)


def _share(source: Source, language: str) -> str:
    return f"{number(100 * source.understood / source.stored, language, 1)} %" if source.stored else ""


def _offset(source: Source, language: str) -> str:
    offset = _offset_of(source)
    if abs(offset) < LEAST_OFFSET:
        return ""
    way = "ahead" if offset >= 0 else "behind"
    return say(language, f"source.{way}", span=duration(abs(offset), language))


def _offset_of(source: Source) -> float:
    """How far its clock is off; what comes by files alone is as old as the files and says nothing of a clock."""
    return 0.0 if set(source.ways) == {"file"} else source.offset or 0.0
