"""Which rules an event's log source concerns (Sigma specification 2.1, "Log source")."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Generic, TypeVar

from core.logsources import Terms, deciding, terms_of
from core.names import names_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from core.records import FieldValue, Logsource

T = TypeVar("T")


def concerns(rule: Logsource, event: Terms) -> bool:
    """Whether each term the rule gives is one of the event's; an empty term of the rule is any."""
    wanted = (rule.product, rule.category, rule.service)
    return all(not term or term in terms for term, terms in zip(wanted, event, strict=True))


def own_names(source: Logsource) -> Callable[[str], tuple[str, ...]]:
    """Under which keys the fields that decide an event's terms are looked for, before these are known."""
    return names_of(Terms(*(frozenset(filter(None, (term,))) for term in (source.product, "", "")))).__getitem__


def event_terms(source: Logsource, get: Callable[[str], FieldValue]) -> Terms:
    """All terms of an event; ``get`` gives what the event has under a key, None if nothing."""
    keys = own_names(source)
    values = (map(get, keys(field)) for field in deciding(source.product))
    return terms_of(source, [next((one for one in found if one is not None), None) for found in values])


class Routes(Generic[T]):
    """Things filed under the log source of a rule and found by the terms of an event, as `concerns` says."""

    def __init__(self, items: Iterable[tuple[Logsource, T]]) -> None:
        self._filed: dict[tuple[str, str, str], list[T]] = {}
        for source, item in items:
            self._filed.setdefault((source.product, source.category, source.service), []).append(item)

    def find(self, event: Terms) -> Iterator[T]:
        """Looks under each combination of the event's terms given and left out; the most specific come first."""
        products, categories, services = map(_left_out, event)
        for key in product(products, categories, services):
            yield from self._filed.get(key, ())


def _left_out(terms: Collection[str]) -> tuple[str, ...]:
    return (*sorted(terms), "")
