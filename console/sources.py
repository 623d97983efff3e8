"""The pages of the sources of logs: the list, and one of them."""

from __future__ import annotations

from litestar import get
from litestar.params import FromPath

from console.deps import console_of
from console.paging import MOST_WORDS
from console.render import Answer, AnyRequest, language_of, render
from console.sessions import scope_for
from console.source_views import AskedSources, source_row, source_view
from console.views import moment_or_none
from core.sources import Source
from core.stores.source_list import Choice, Order, count_sources, find_source, list_sources

MOST_ROWS = 2000

_READ = {"action": "sources.read"}


@get("/sources", opt=_READ, sync_to_thread=True)
def sources(request: AnyRequest) -> Answer:
    """The list of sources, the most noteworthy first."""
    console, language, asked = console_of(request), language_of(request), asked_of(request)
    told, scope = console.sources(), scope_for(console, request.user, "sources.read")
    found, sites, now = list_sources(told, scope, asked.wanted()), console.sites(), console.clock.now()
    values = {
        "rows": [source_row(one, sites, now, language, asked) for one in found[:MOST_ROWS]],
        "total": len(found),
        "asked": asked,
        "wanted": asked.wanted(),
        "counts": {choice.value if choice else "": n for choice, n in count_sources(told, scope, asked.text).items()},
        "choices": ["", *(choice.value for choice in Choice)],
        "orders": [order.value for order in Order],
        "written": moment_or_none(told.written),
        "unlisted": told.unlisted if scope.is_everything else 0,
    }
    return render(request, "sources", values)


@get("/sources.json", opt=_READ, sync_to_thread=True)
def sources_json(request: AnyRequest) -> list[Source]:
    """The same list for programs."""
    console = console_of(request)
    scope = scope_for(console, request.user, "sources.read")
    return list_sources(console.sources(), scope, asked_of(request).wanted())


@get("/sources/{address:str}", opt=_READ, sync_to_thread=True)
def source(request: AnyRequest, address: FromPath[str]) -> Answer:
    """One source with all its figures."""
    console, language, asked = console_of(request), language_of(request), asked_of(request)
    found = find_source(console.sources(), scope_for(console, request.user, "sources.read"), address)
    row = source_row(found, console.sites(), console.clock.now(), language, asked)
    return render(request, "source", {"source": source_view(found, row, language), "back": asked.address()})


def asked_of(request: AnyRequest) -> AskedSources:
    """What the address asks of the list; a source's page carries it along, so that one comes back to the same list."""
    query = request.query_params
    return AskedSources(
        text=query.get("q", "").strip()[:MOST_WORDS], state=query.get("state", ""), sort=query.get("sort", "")
    )


SOURCES = [sources, sources_json, source]
