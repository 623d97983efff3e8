"""The sources of logs as lists show them: within a scope, filtered, in an order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from core.errors import NotFoundError
from core.records import Record
from core.scope import Scope
from core.sources import Source, Sources, SourceState
from core.text import fold, words


class Order(StrEnum):
    """By what a list is ordered; the most noteworthy stands first."""

    STATE = "state"
    RATE = "rate"
    LAST = "last"
    DROPS = "drops"


class Choice(StrEnum):
    """Which sources a list shows: those in one state, or those that the inventory does not know."""

    SILENT = "silent"
    SURGING = "surging"
    LEARNING = "learning"
    ALIVE = "alive"
    UNKNOWN = "unknown"


class WantedSources(Record, frozen=True, kw_only=True):
    """Which sources; ``text`` is looked for in address, name, site, kinds and ways. ``choice`` None is all."""

    text: str = ""
    choice: Choice | None = None
    order: Order = Order.STATE


_GRAVEST = (SourceState.SILENT, SourceState.SURGING, SourceState.LEARNING, SourceState.ALIVE)

_KEYS: dict[Order, Callable[[Source], tuple[object, ...]]] = {
    Order.STATE: lambda one: (_GRAVEST.index(one.state), one.known, one.site, one.device, one.address),
    Order.RATE: lambda one: (-one.rate, one.address),
    Order.LAST: lambda one: (-one.last, one.address),
    Order.DROPS: lambda one: (-one.dropped, -one.quarantined, one.address),
}


def list_sources(sources: Sources, scope: Scope, wanted: WantedSources) -> list[Source]:
    """The wanted sources within the scope, in their order."""
    found = [one for one in _within(sources, scope) if _is_chosen(one, wanted.choice) and _says(one, wanted.text)]
    return sorted(found, key=_KEYS[wanted.order])


def count_sources(sources: Sources, scope: Scope, text: str) -> dict[Choice | None, int]:
    """How many each choice would show for this text; that of all is under None."""
    found = [one for one in _within(sources, scope) if _says(one, text)]
    return {choice: sum(_is_chosen(one, choice) for one in found) for choice in (None, *Choice)}


def find_source(sources: Sources, scope: Scope, address: str) -> Source:
    """The source with this address.

    Raises:
        NotFoundError: there is none within the scope.
    """
    for one in _within(sources, scope):
        if one.address == address:
            return one
    raise NotFoundError(f"there is no source '{address}'")


def _within(sources: Sources, scope: Scope) -> Sequence[Source]:
    return [one for one in sources.sources if scope.allows(one.site)]


def _is_chosen(source: Source, choice: Choice | None) -> bool:
    if choice is Choice.UNKNOWN:
        return not source.known
    return choice is None or source.state.value == choice.value


def _says(source: Source, text: str) -> bool:
    """Whether each word of the text is somewhere in it; diacritics are ignored unless typed."""
    told = words(" ".join((source.address, source.device, source.site, *source.kinds, *source.ways)))
    return all(word in told or word in fold(told) for word in words(text).split())
