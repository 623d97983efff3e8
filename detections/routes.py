"""Which rules an event's log source concerns (Sigma specification 2.1, "Log source")."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from core.records import Logsource

T = TypeVar("T")


def concerns(rule: Logsource, event: Logsource) -> bool:
    """Whether each term the rule gives equals the event's; an empty term of the rule is any."""
    return (
        rule.product in ("", event.product)
        and rule.category in ("", event.category)
        and rule.service in ("", event.service)
    )


class Routes(Generic[T]):
    """Things filed under the log source of a rule and found by that of an event, as `concerns` says."""

    def __init__(self, items: Iterable[tuple[Logsource, T]]) -> None:
        self._filed: dict[tuple[str, str, str], list[T]] = {}
        for source, item in items:
            self._filed.setdefault((source.product, source.category, source.service), []).append(item)

    def find(self, event: Logsource) -> Iterator[T]:
        """Looks under each of the event's terms given and left out; the most specific come first."""
        products, categories, services = map(_left_out, (event.product, event.category, event.service))
        for key in product(products, categories, services):
            yield from self._filed.get(key, ())


def _left_out(term: str) -> tuple[str, ...]:
    return (term, "") if term else ("",)
