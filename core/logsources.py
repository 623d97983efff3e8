"""Which log source an event belongs to: one product's event may belong to several categories and services.

The table is `logsources.toml`: a row adds terms to an event whose fields are as the row says. What a collector knows
for certain stands in the event's `Logsource`; the rows add what follows from it: Sysmon's event 1 is of the category
process_creation, and so is event 4688 of the Security channel.
Source: Sigma specification 2.1, "Log source", and appendix "Taxonomy".
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain
from typing import NamedTuple, TypeAlias

import msgspec

from core.records import FieldValue, Logsource, Record

When: TypeAlias = dict[str, tuple[str, ...]]
"""Fields, and the texts in lower case of which each must have one."""

PRODUCT, CATEGORY, SERVICE = "logsource.product", "logsource.category", "logsource.service"
"""How a row names the terms that the collector gave."""


class Terms(NamedTuple):
    """All log source terms of an event; none of them is empty."""

    products: frozenset[str]
    categories: frozenset[str]
    services: frozenset[str]


class Row(Record, frozen=True, kw_only=True):
    """What follows for an event of ``of`` whose fields are as ``when`` says."""

    of: str
    when: When
    product: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    service: tuple[str, ...] = ()


class Known(Record, frozen=True, kw_only=True):
    """By which keys, and texts in some of them, a flat JSON event of a source is known."""

    keys: tuple[str, ...]
    when: When = msgspec.field(default_factory=dict)
    product: str = ""
    category: str = ""
    service: str = ""
    service_from: str = ""


class Table(Record, frozen=True, kw_only=True):
    """The whole file; ``deciding`` names, by product, further fields that say what an event is."""

    deciding: dict[str, tuple[str, ...]]
    rows: tuple[Row, ...]
    known: tuple[Known, ...]


@cache
def table() -> Table:
    """The table as it is in the file."""
    content = tomllib.loads(files("core").joinpath("logsources.toml").read_text("utf-8"))
    return msgspec.convert(content, Table)


@cache
def deciding(product: str) -> tuple[str, ...]:
    """ECS names of the fields that decide to what an event of the product belongs; log source terms not among them."""
    named = dict.fromkeys(table().deciding.get(product, ()))
    for row in _rows(product):
        named.update(dict.fromkeys(field for field in row.when if not field.startswith("logsource.")))
    return tuple(named)


@cache
def deciding_of_any() -> frozenset[str]:
    """All that is `deciding` for at least one product."""
    products = {row.of for row in table().rows} | table().deciding.keys()
    return frozenset(field for product in products for field in deciding(product))


@cache
def _rows(product: str) -> tuple[Row, ...]:
    return tuple(row for row in table().rows if row.of == product)


def terms_of(source: Logsource, values: Sequence[FieldValue]) -> Terms:
    """All terms of an event of the source with these values of its `deciding` fields, in their order."""
    return _terms_of(source, tuple(map(_folded, values)))


@lru_cache(maxsize=4096)
def _terms_of(source: Logsource, values: tuple[str, ...]) -> Terms:
    given = dict(zip(deciding(source.product), values, strict=True))
    given |= {PRODUCT: source.product, CATEGORY: source.category, SERVICE: source.service}
    rows = [row for row in _rows(source.product) if _holds(row.when, given)]
    return Terms(
        _terms(source.product, (row.product for row in rows)),
        _terms(source.category, (row.category for row in rows)),
        _terms(source.service, (row.service for row in rows)),
    )


def _terms(own: str, added: Iterable[tuple[str, ...]]) -> frozenset[str]:
    return frozenset(filter(None, (own, *chain.from_iterable(added))))


def _holds(when: Mapping[str, Sequence[str]], given: Mapping[str, str]) -> bool:
    return all(given[field] in wanted for field, wanted in when.items())


def _folded(value: FieldValue) -> str:
    """A value in the form in which rows give theirs; a list of one is that one, as ECS writes its categories."""
    if isinstance(value, list):
        return ",".join(map(str, value)).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON writers differ: 4688 and 4688.0
    return "" if value is None else str(value).lower()


def source_of(fields: Mapping[str, FieldValue]) -> Logsource:
    """The source of a flat event that comes without one; no term where no row of the table knows its keys."""
    for known in table().known:
        if all(key in fields for key in known.keys) and _holds(
            known.when, {key: _folded(fields[key]) for key in known.when}
        ):
            service = str(fields[known.service_from]) if known.service_from else known.service
            return Logsource(product=known.product, category=known.category, service=service)
    return Logsource()
