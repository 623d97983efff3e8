"""Field names: ECS inside; what Sigma and the sources call their fields are aliases, held in `names.toml`.

A rule may name a field in Sigma's or in ECS's words: `canonical` gives the one name that rules are compiled with. An
event may carry it under either: `FieldNames` gives the keys under which to look, ECS first.
Source: Sigma specification 2.1, appendix "Taxonomy"; Elastic Common Schema 8.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from importlib.resources import files

import msgspec

from core.logsources import Terms
from core.records import Logsource, Record


class Names(Record, frozen=True, kw_only=True):
    """What one kind of log source calls its fields: ECS name to the source's own names; an empty term is any."""

    product: str = ""
    category: str = ""
    service: str = ""
    names: dict[str, tuple[str, ...]]


@cache
def _table() -> tuple[Names, ...]:
    """All sections, the most specific first."""
    content = tomllib.loads(files("core").joinpath("names.toml").read_text("utf-8"))
    sections = msgspec.convert(content["source"], tuple[Names, ...])
    return tuple(sorted(sections, key=lambda section: -sum(map(bool, _terms(section)))))


def _terms(section: Names) -> tuple[str, str, str]:
    return section.product, section.category, section.service


def _applying(given: tuple[Collection[str], ...]) -> Iterator[Names]:
    """The sections each of whose terms is among those given."""
    for section in _table():
        if all(not term or term in terms for term, terms in zip(_terms(section), given, strict=True)):
            yield section


@lru_cache(maxsize=256)
def _of_rules(source: Logsource) -> dict[str, str]:
    found: dict[str, str] = {}
    for section in _applying(((source.product,), (source.category,), (source.service,))):
        for ecs, aliases in section.names.items():
            for alias in aliases:
                found.setdefault(alias, ecs)
    return found


def canonical(name: str, source: Logsource) -> str:
    """The ECS name of a field that a rule of this log source names; the name itself where there is none."""
    return _of_rules(source).get(name, name)


class FieldNames(dict[str, tuple[str, ...]]):
    """The keys under which events with these terms may carry a field: its ECS name, then the source's own names."""

    def __init__(self, terms: Terms) -> None:
        super().__init__()
        self._sections = tuple(_applying(terms))

    def __missing__(self, field: str) -> tuple[str, ...]:
        keys = dict.fromkeys((field,))
        for section in self._sections:
            keys.update(dict.fromkeys(section.names.get(field, ())))
        return self.setdefault(field, tuple(keys))


@lru_cache(maxsize=1024)
def names_of(terms: Terms) -> FieldNames:
    """The `FieldNames` of these terms, made once."""
    return FieldNames(terms)


def terms_with_names() -> Terms:
    """The log source terms that decide how events carry their fields."""
    products, categories, services = zip(*map(_terms, _table()), strict=True)
    return Terms(frozenset(products), frozenset(categories), frozenset(services))
