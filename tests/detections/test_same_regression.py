"""SigmaHQ's regression cases: each rule finds in its file what SigmaHQ says it does (at least so many hits)."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import pytest
from corpus import ENGINES, regression_cases, sigmahq_ruleset

from collectors.files.evtx import read
from core.records import Event


@lru_cache(maxsize=1)
def events_of_cases() -> list[list[Event]]:
    return [[found for found in read(case.file) if isinstance(found, Event)] for case in regression_cases()]


def test_there_are_202_cases_and_each_has_events():
    assert len(events_of_cases()) == 202
    assert all(events_of_cases())


@pytest.mark.parametrize("name", ENGINES)
def test_every_case_has_its_hits(name):
    engine = ENGINES[name](sigmahq_ruleset())
    missed = []
    for case, examined in zip(regression_cases(), events_of_cases(), strict=True):
        found = Counter(info.id for event in examined for info in engine.match(event))
        if found[case.rule] < case.hits:
            missed.append((case.rule, found[case.rule], case.hits))
    assert missed == []
