"""What the templates of the events' search show, made from records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from msgspec.structs import replace

from console.source_views import number
from console.views import Moment, exact_moment, local_text, moment, visible
from core.clock import HOUR, MINUTE, VIETNAM, from_datetime
from core.query import MOST_LETTERS, quoted
from core.records import Event, Record
from core.stores.event_search import FOREVER, Buckets, Cursor, Progress, Query

SPANS = {"15m": 15 * MINUTE, "1h": HOUR, "24h": 24 * HOUR, "7d": 7 * 24 * HOUR}
"""Lengths of the time picker's choices; ``own`` is the reader's from and to."""
OWN = "own"
DEFAULT_SPAN = "1h"
MOST_BARS = 48
BAR_HEIGHT = 100
MOST_MESSAGE = 400
"""Characters of a message in the list; the opened row has all of it."""
MOST_OPEN = 2_000
"""Characters of a value, or of what was received, that are open with the row; the rest is folded."""

_YEARS = range(1970, 2116)


class AskedEvents(Record, frozen=True, kw_only=True):
    """What the reader asked for in the page's address.

    Attributes:
        text: the query as typed.
        span: a key of ``SPANS`` or ``own``.
        since: for ``own``: the beginning in Vietnam's time, ISO 8601 without a zone; empty for none.
        until: the same, the end.
        quarantined: only what could not be taken for a message.
    """

    text: str = ""
    span: str = DEFAULT_SPAN
    since: str = ""
    until: str = ""
    quarantined: bool = False

    def interval(self, now: int) -> tuple[int, int]:
        """The span of event times in nanoseconds. A chosen length has no end: clocks ahead of ours are believed."""
        if self.span != OWN:
            return now - SPANS.get(self.span, SPANS[DEFAULT_SPAN]), FOREVER
        return local_time(self.since) or 0, local_time(self.until) or FOREVER

    def query(self, now: int, limit: int, after: Cursor | None = None) -> Query:
        """As the store takes it."""
        since, until = self.interval(now)
        return Query(text=self.text, since=since, until=until, quarantined=self.quarantined, limit=limit, after=after)

    def address(self, path: str = "/events", **changed: str) -> str:
        """An address that asks for the same with some of it changed."""
        own = {"from": self.since, "to": self.until} if self.span == OWN else {}
        values = {"q": self.text, "span": self.span, **own, "quarantined": "1" if self.quarantined else ""} | changed
        return f"{path}?{urlencode({name: value for name, value in values.items() if value})}"

    def narrowed(self, since: int, until: int) -> str:
        """The same within another span of time."""
        return replace(self, span=OWN, since=local_text(since), until=local_text(until)).address()

    def with_term(self, term: str) -> str:
        """The same with one more term; alternatives are put in brackets first."""
        text = f"({self.text})" if " OR " in self.text else self.text
        return replace(self, text=f"{text} {term}".strip()).address()


class FieldView(NamedTuple):
    """A field of an event and the addresses that ask for it as well, or for what lacks it; ``rest`` is folded.

    A value that is too long for a query has no addresses.
    """

    name: str
    value: str
    add: str
    leave_out: str
    rest: str = ""


class EventRow(Record, frozen=True, kw_only=True):
    """An event in the list, with all its fields; ``raw_rest`` is what is folded of what was received."""

    key: str
    time: Moment
    seen: Moment
    site: str
    device: str
    source: str
    kind: str
    message: str
    fields: tuple[FieldView, ...]
    raw: str
    raw_rest: str


class Bar(NamedTuple):
    """A bar of the histogram: where it stands, and the address that narrows the search to it."""

    x: int
    y: float
    height: float
    told: str
    first: Moment
    last: Moment
    link: str


class Histogram(NamedTuple):
    """Matches by time; ``is_whole`` once all are counted."""

    bars: list[Bar]
    width: int
    total: str
    first: Moment
    last: Moment
    is_whole: bool


class Advance(NamedTuple):
    """How far a search is, as text."""

    files: str
    all_files: str
    events: str
    percent: int


def event_row(event: Event, asked: AskedEvents, sites: Mapping[str, str]) -> EventRow:
    """The event as one line of what was asked for."""
    message = event.fields.get("error.message") or event.fields.get("message") or event.raw.decode("utf-8", "replace")
    source = event.logsource
    raw, raw_rest = _opened(event.raw.decode("utf-8", "replace"))
    return EventRow(
        key=event.id,
        time=exact_moment(event.time),
        seen=exact_moment(event.seen),
        site=sites.get(event.site, event.site),
        device=visible(device_of(event).encode()),
        source=visible(str(event.fields.get("observer.ip", "")).encode()),
        kind=visible("/".join(filter(None, (source.product, source.service or source.category))).encode()),
        message=visible(str(message)[:MOST_MESSAGE].encode()),
        fields=tuple(_fields(event, asked)),
        raw=raw,
        raw_rest=raw_rest,
    )


def device_of(event: Event) -> str:
    """Who sent it: the device; where neither it nor a site is known, the host it names, else the sender's address."""
    if event.device or event.site:
        return event.device
    return str(event.fields.get("host.name") or event.fields.get("observer.ip") or "")


def _opened(text: str) -> tuple[str, str]:
    """What is open of a long text, and the rest, both safe to look at."""
    return visible(text[:MOST_OPEN].encode()), visible(text[MOST_OPEN:].encode())


def _fields(event: Event, asked: AskedEvents) -> list[FieldView]:
    own = {"site": event.site, "device": event.device, "product": event.logsource.product}
    own |= {"service": event.logsource.service, "category": event.logsource.category}
    told = [(name, value) for name, value in own.items() if value]
    for name, value in sorted(event.fields.items()):
        told += [(name, _text(one)) for one in (value if isinstance(value, list) else [value]) if one is not None]
    return [_field(name, value, asked) for name, value in told]


def _field(name: str, value: str, asked: AskedEvents) -> FieldView:
    term = f"{name}:{quoted(value)}" if value else f"-{name}:*"
    shown, rest = _opened(value)
    can_ask = len(term) < MOST_LETTERS
    return FieldView(
        name=visible(name.encode()),
        value=shown or "∅",
        add=asked.with_term(term) if can_ask else "",
        leave_out=asked.with_term(f"-{term}") if can_ask else "",
        rest=rest,
    )


def _text(value: str | float) -> str:
    """As DuckDB writes a value of JSON."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def span_shown(asked: AskedEvents, now: int, first: Callable[[], int]) -> tuple[int, int]:
    """The span of the histogram: what is asked for, without what lies before the reader's first event or after now."""
    since, until = asked.interval(now)
    since = since or min(first(), now)
    return since, max(min(until, now), since + 1)


def histogram(
    counts: Mapping[int, int], asked: AskedEvents, buckets: Buckets, until: int, *, is_whole: bool, language: str = "vi"
) -> Histogram:
    """The counts as bars up to that time; what lies beyond, by clocks that are ahead, is in the last one."""
    start, width = buckets
    bars = max(1, -(-(until - start) // width))
    within: Counter[int] = Counter()
    for bucket, count in counts.items():
        within[max(0, min(bucket, bars - 1))] += count
    most = max(within.values(), default=0)
    return Histogram(
        bars=[_bar(n, within[n], most, buckets, asked, language) for n in range(bars) if within[n]],
        width=bars * 10,
        total=number(sum(within.values()), language),
        first=moment(start),
        last=moment(start + bars * width),
        is_whole=is_whole,
    )


def _bar(place: int, count: int, most: int, buckets: Buckets, asked: AskedEvents, language: str) -> Bar:
    height = max(2.0, round(BAR_HEIGHT * count / most, 1))
    since = buckets.start + place * buckets.width
    until = since + buckets.width
    return Bar(
        x=place * 10 + 1,
        y=BAR_HEIGHT - height,
        height=height,
        told=number(count, language),
        first=moment(since),
        last=moment(until),
        link=asked.narrowed(since, until),
    )


def advance(progress: Progress, language: str) -> Advance:
    """How far the search is; it is never told to be at its end before it is."""
    share = progress.events / progress.all_events if progress.all_events else 1.0
    return Advance(
        files=number(progress.files, language),
        all_files=number(progress.all_files, language),
        events=number(progress.events, language),
        percent=min(99, int(100 * share)) if progress.files < progress.all_files else 100,
    )


def local_time(text: str) -> int | None:
    """A time as browsers send it, in Vietnam's zone, in nanoseconds; None if it is none."""
    try:
        written = datetime.fromisoformat(text)
    except ValueError:
        return None
    if written.year not in _YEARS:
        return None
    return from_datetime(written if written.tzinfo else written.replace(tzinfo=VIETNAM))
