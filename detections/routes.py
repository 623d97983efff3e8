"""Which rules an event's log source concerns (Sigma specification 2.1, "Log source")."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Generic, TypeVar

from core.logsources import Terms, deciding, terms_of
from core.names import names_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from core.records import FieldValue, Logsource

T = TypeVar("T")


def concerns(rule: Logsource, event: Terms) -> bool:
    """Whether each term the rule gives is one of the event's; an empty term of the rule is any."""
    wanted = (rule.product, rule.category, rule.service)
    return all(not term or term in terms for term, terms in zip(wanted, event, strict=True))


@lru_cache(maxsize=1024)
def deciding_keys(source: Logsource) -> tuple[tuple[str, ...], ...]:
    """For each field that decides an event's terms the keys under which it is looked for, these being not yet known."""
    names = names_of(Terms(frozenset((source.product,)), frozenset(), frozenset()))
    return tuple(names[field] for field in deciding(source.product))


def event_terms(source: Logsource, fields: Mapping[str, FieldValue]) -> Terms:
    """All terms of an event with these fields."""
    found = (next((fields[key] for key in keys if key in fields), None) for keys in deciding_keys(source))
    return terms_of(source, list(found))


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
