"""Lists of sources: within the scope, of a choice, in an order."""

from __future__ import annotations

import pytest

from core.errors import NotFoundError
from core.scope import EVERYTHING, Scope
from core.sources import Source, Sources, SourceState
from core.stores.source_list import Choice, Order, WantedSources, count_sources, find_source, list_sources

SOURCES = Sources(
    sources=(
        Source(
            address="10.0.0.1", device="tường lửa", site="tha", known=True, first=1, last=9, state=SourceState.ALIVE
        ),
        Source(address="10.0.0.2", site="hcm", first=1, last=5, rate=7.0, state=SourceState.SILENT),
        Source(address="10.0.0.3", first=1, last=7, dropped=3, state=SourceState.LEARNING),
    )
)


def listed(scope=EVERYTHING, **wanted):
    return [one.address[-1] for one in list_sources(SOURCES, scope, WantedSources(**wanted))]


@pytest.mark.parametrize(("sites", "expected"), [(None, ["2", "3", "1"]), ({"tha"}, ["1"]), ({""}, ["3"]), (set(), [])])
def test_only_what_lies_within_the_scope_is_listed_counted_and_found(sites, expected):
    scope = Scope(sites=None if sites is None else frozenset(sites))
    assert listed(scope) == expected
    assert count_sources(SOURCES, scope, "")[None] == len(expected)
    if "2" not in expected:
        with pytest.raises(NotFoundError, match="there is no source"):
            find_source(SOURCES, scope, "10.0.0.2")


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order.STATE, ["2", "3", "1"]),
        (Order.RATE, ["2", "1", "3"]),
        (Order.LAST, ["1", "3", "2"]),
        (Order.DROPS, ["3", "1", "2"]),
    ],
)
def test_each_order_has_its_first(order, expected):
    assert listed(order=order) == expected


def test_choices_and_words_leave_out_the_others():
    assert listed(choice=Choice.SILENT) == ["2"]
    assert listed(choice=Choice.UNKNOWN) == ["2", "3"]
    assert listed(text="tuong lua THA") == ["1"]
    assert listed(text="tướng") == []
    assert count_sources(SOURCES, EVERYTHING, "10.0.0")[Choice.UNKNOWN] == 2
