"""The search over stored events: its page, and the stream in which the page gets what is found."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing
from typing import Any

from litestar import Response, get
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage

from console.deps import Console, console_of
from console.event_views import (
    DEFAULT_SPAN,
    MOST_BARS,
    OWN,
    SPANS,
    AskedEvents,
    advance,
    event_row,
    histogram,
    local_time,
    span_shown,
)
from console.paging import PAGE_ROWS
from console.render import Answer, AnyRequest, language_of, part, render
from console.searching import Searches
from console.sessions import address_of, live_user, scope_for
from console.stream import Changes
from console.texts import say
from core.accesses import of_search
from core.errors import HaidangError, UnavailableError
from core.query import MOST_LETTERS, QueryError, parse_query
from core.records import Event
from core.scope import Scope
from core.stores.event_search import FOREVER, Buckets, Cursor, Found, Query, buckets_of
from core.stores.users import User
from inventory.rights import granted

DRAW_SECONDS = 0.3
"""At most so often the histogram is drawn anew while a search runs."""

_READ = {"action": "event.read"}


@get("/events", opt=_READ, sync_to_thread=True)
def events(request: AnyRequest) -> Answer:
    """The page of the search; what is found comes by the stream that it names."""
    asked, language = asked_of(request), language_of(request)
    problem = problem_of(asked, language)
    values = {
        "asked": asked,
        "spans": [*SPANS, OWN],
        "problem": problem,
        "stream": "" if problem else asked.address("/events/stream"),
        "most": MOST_LETTERS,
    }
    return render(request, "events", values, 422 if problem else 200)


@get("/events.json", opt=_READ, sync_to_thread=True)
def events_json(request: AnyRequest) -> list[Event] | Response[dict[str, str]]:
    """The newest of them for programs; what cannot be asked for is answered with 422 and why."""
    console, asked = console_of(request), asked_of(request)
    if problem := problem_of(asked, language_of(request)):
        return Response({"reason": problem}, status_code=422)
    query = asked.query(console.clock.now(), PAGE_ROWS, _after(request))
    searches: Searches = request.app.state["searches"]
    with searches.turn():
        steps = console.events.find(scope_for(console, request.user, "event.read"), query)
        return [event for found in noted(console, request.user, query, steps) for event in found.events]


@get("/events/stream", opt=_READ, sync_to_thread=True)
def events_stream(request: AnyRequest) -> ServerSentEvent:
    """What is found, as parts of the page: ``rows``, ``histogram``, ``progress``, and at last ``end`` or ``failed``."""
    return ServerSentEvent(_Stream(request).messages())


def noted(console: Console, user: User, query: Query, steps: Iterator[Found]) -> Generator[Found]:
    """The steps of the user's search, which becomes an entry of the audit chain."""
    access = of_search(query, granted(user.grants, "event.read"))
    return console.accesses.search(user.name, access, steps)


def asked_of(request: AnyRequest) -> AskedEvents:
    """What the page's address asks for; what cannot be there asks for nothing."""
    query = request.query_params
    span = query.get("span", DEFAULT_SPAN)
    return AskedEvents(
        text=query.get("q", "").strip(),
        span=span if span == OWN or span in SPANS else DEFAULT_SPAN,
        since=query.get("from", "")[:40],
        until=query.get("to", "")[:40],
        quarantined=query.get("quarantined") == "1",
    )


def problem_of(asked: AskedEvents, language: str) -> str:
    """Why this cannot be searched for; empty if it can."""
    try:
        parse_query(asked.text)
    except QueryError as error:
        return say(language, "events.problem", place=error.place, reason=say(language, f"query.{error.reason}"))
    if asked.span != OWN:
        return ""
    for text in (asked.since, asked.until):
        if text and local_time(text) is None:
            return say(language, "events.no_time", text=text)
    if (local_time(asked.since) or 0) >= (local_time(asked.until) or FOREVER):
        return say(language, "events.no_span")
    return ""


def _after(request: AnyRequest) -> Cursor | None:
    time_text, _, identity = request.query_params.get("after", "").partition(" ")
    return Cursor(int(time_text), identity) if time_text.isdigit() and len(time_text) < 20 else None  # noqa: PLR2004 - int64


class _Stream:
    """One search on its way to one page."""

    def __init__(self, request: AnyRequest) -> None:
        self._request = request
        self._console: Console = console_of(request)
        self._scope: Scope = scope_for(self._console, request.user, "event.read")
        self._session, self._address = dict(request.session), address_of(request)
        self._language = language_of(request)
        self._asked = asked_of(request)
        self._after = _after(request)
        self._now = self._console.clock.now()
        self._span = span_shown(self._asked, self._now, lambda: self._console.events.first(self._scope, self._now))
        # A page that goes on with an answer has its histogram already.
        self._buckets = None if self._after else buckets_of(*self._span, MOST_BARS)
        self._counts: Counter[int] = Counter()
        self._told = 0
        self._last: Event | None = None
        self._drawn = 0.0

    async def messages(self) -> AsyncGenerator[ServerSentEventMessage, None]:
        """Until the search is done, the page is left, or the console stops."""
        state = self._request.app.state
        searches: Searches = state["searches"]
        changes: Changes = state["changes"]
        query = self._asked.query(self._now, PAGE_ROWS, self._after)
        found_steps = self._console.events.find(self._scope, query, self._buckets)
        steps = noted(self._console, self._request.user, query, found_steps)
        try:
            async with aclosing(searches.run(steps, lambda: changes.is_closed or not self._is_live())) as found:
                async for step in found:
                    for message in self._step(step):
                        yield message
        except HaidangError as error:
            yield self._message("failed", self._failure(error))
        except Exception:  # noqa: BLE001 - it is in the log; the page must not wait for ever
            yield self._message("failed", say(self._language, "problem.500"))

    def _is_live(self) -> bool:
        """Whether the session has not ended meanwhile."""
        return live_user(self._console, self._session, self._address) is not None

    def _step(self, step: Found | None) -> list[ServerSentEventMessage]:
        if step is None:
            return [ServerSentEventMessage(comment="beat")]
        told: list[ServerSentEventMessage] = []
        if step.events:
            self._told += len(step.events)
            told.append(self._message("rows", self._rows(step.events)))
        self._counts.update(step.counts)
        if self._buckets and (step.done or time.monotonic() - self._drawn > DRAW_SECONDS):
            self._drawn = time.monotonic()
            told.append(self._message("histogram", self._histogram(self._buckets, is_whole=step.done)))
        told.append(self._message("progress", self._progress(step)))
        if step.done:
            told.append(self._message("end", self._end(step)))
        return told

    def _progress(self, step: Found) -> str:
        """How far it is; how much there is of other units is not told to who sees a part."""
        shares_only = not self._scope.is_everything
        told = {"progress": advance(step.progress, self._language), "step": step, "shares_only": shares_only}
        return self._part("progress", told)

    def _end(self, step: Found) -> str:
        """What stands below the last row: the way to more, or that there is nothing."""
        following = self._next() if step.more else ""
        return self._part("end", {"next": following, "told": self._told, "is_first": self._after is None})

    def _rows(self, found: list[Event]) -> str:
        sites = self._console.sites()
        self._last = found[-1]
        return self._part("rows", {"rows": [event_row(one, self._asked, sites) for one in found]})

    def _failure(self, error: HaidangError) -> str:
        key = "busy" if isinstance(error, UnavailableError) else "broken"
        return say(self._language, f"events.{key}", reason=error)

    def _next(self) -> str:
        """The stream that goes on where this one ends."""
        last = self._last
        return self._asked.address("/events/stream", after=f"{last.time} {last.id}") if last else ""

    def _histogram(self, buckets: Buckets, *, is_whole: bool) -> str:
        until = self._span[1]
        drawn = histogram(self._counts, self._asked, buckets, until, is_whole=is_whole, language=self._language)
        return self._part("histogram", {"histogram": drawn})

    def _part(self, name: str, values: dict[str, Any]) -> str:
        return part(self._language, f"events_{name}", values)

    def _message(self, event: str, data: str) -> ServerSentEventMessage:
        return ServerSentEventMessage(event=event, data=data)


EVENTS = [events, events_json, events_stream]
