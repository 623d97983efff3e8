from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from correlation.windows import Episode, Firing, count_firings, episodes, ordered_firings

EXAMPLES = settings(max_examples=300, deadline=None)
TIMES = st.lists(st.integers(0, 40), max_size=14)


def has_chain(steps, at, span):
    """Whether some choice of one moment a step, in order, ends at ``at`` and lies within the span."""
    reachable = [(moment, moment) for moment in steps[0]]
    for step in steps[1:]:
        reachable = [(began, moment) for began, last in reachable for moment in step if moment >= last]
    return max((began for began, last in reachable if last == at and at - began <= span), default=None)


@EXAMPLES
@given(TIMES, st.integers(0, 15), st.integers(1, 5))
def test_a_count_fires_at_each_event_whose_window_holds_enough(times, span, threshold):
    found = count_firings(sorted(times), span, threshold)
    enough = {at for at in times if sum(at - span <= other <= at for other in times) >= threshold}
    assert {firing.at for firing in found} == enough


@EXAMPLES
@given(TIMES, st.integers(0, 15), st.integers(1, 5))
def test_the_evidence_of_a_count_begins_with_the_first_event_of_its_window(times, span, threshold):
    for firing in count_firings(sorted(times), span, threshold):
        assert firing.start == min(other for other in times if firing.at - span <= other)


@EXAMPLES
@given(st.lists(TIMES, min_size=2, max_size=3), st.integers(0, 15))
def test_an_order_fires_at_each_last_step_that_has_all_others_before_it(steps, span):
    found = ordered_firings([[Firing(at, at) for at in step] for step in steps], span)
    expected = {at: has_chain(steps, at, span) for at in steps[-1]}
    assert {firing.at: firing.start for firing in found} == {
        at: began for at, began in expected.items() if began is not None
    }


@pytest.mark.parametrize(
    ("steps", "span", "expected"),
    [
        ([[10], [20]], 10, [Firing(10, 20)]),
        ([[10], [21]], 10, []),
        ([[20], [10]], 10, []),
        ([[10], [10]], 10, [Firing(10, 10)]),
        ([[10, 15], [20]], 10, [Firing(15, 20)]),
        ([[0, 10], [5], [12]], 12, [Firing(0, 12)]),
        ([[], [5]], 10, []),
        ([[5], []], 10, []),
    ],
)
def test_an_order_by_example(steps, span, expected):
    assert ordered_firings([[Firing(at, at) for at in step] for step in steps], span) == expected


def test_the_evidence_of_an_order_begins_where_that_of_its_first_firing_begins():
    assert ordered_firings([[Firing(3, 10)], [Firing(14, 14)]], 5) == [Firing(3, 14)]


@pytest.mark.parametrize(
    ("firings", "expected"),
    [
        ([], []),
        ([Firing(1, 5)], [Episode(1, 5)]),
        ([Firing(1, 5), Firing(9, 15)], [Episode(1, 15)]),
        ([Firing(1, 5), Firing(9, 16)], [Episode(1, 5), Episode(9, 16)]),
        ([Firing(1, 5), Firing(5, 40)], [Episode(1, 40)]),
        ([Firing(20, 20), Firing(0, 30)], [Episode(0, 30)]),
    ],
)
def test_firings_without_a_pause_or_with_common_evidence_are_one_episode(firings, expected):
    assert episodes(firings, 10) == expected


@EXAMPLES
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=10), st.integers(0, 10))
def test_the_evidence_of_two_episodes_never_overlaps(firings, span):
    found = episodes([Firing(at - back, at) for at, back in firings], span)
    assert all(after.start > before.end for before, after in pairwise(found))


@EXAMPLES
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=10), st.randoms())
def test_episodes_do_not_depend_on_the_order_of_firings(firings, random):
    given_firings = [Firing(at - back, at) for at, back in firings]
    shuffled = random.sample(given_firings, len(given_firings))
    assert episodes(shuffled, 10) == episodes(given_firings, 10)
