from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from counting import judge, sequence
from hypothesis import given
from hypothesis import strategies as st

from collectors.snmp.counters import UNLIMITED, Counts, Gap, rates
from core.clock import HOUR, SECOND

GIGABIT = 1e9 * 1.1 / 8


def counts(values: list[int | None], seconds: float = 0, **more) -> Counts:
    names = more.pop("names", tuple(f"p{n}" for n in range(len(values))))
    bits, limit = more.pop("bits", 64), more.pop("limit", GIGABIT)
    return Counts(
        steady_ns=int(seconds * SECOND) + 1,
        uptime=more.pop("uptime", int(seconds * 100) + 1000),
        names=names,
        columns={"octets": list(values)},
        widths={"octets": tuple([bits] * len(values))},
        limits={"octets": [limit] * len(values)},
        **more,
    )


def rate(before: Counts, after: Counts) -> tuple[list[float | None], list[str]]:
    made = rates(before, after)
    return made.columns["octets"], made.gaps


def test_a_rate_is_what_was_counted_in_a_second():
    assert rate(counts([100, 7]), counts([700, 7], 60)) == ([10.0, 0.0], ["", ""])


def test_the_first_reading_has_no_rate_and_says_so():
    made = rates(None, counts([100]))
    assert (made.columns["octets"], made.gaps) == ([None], ["first"])


@pytest.mark.parametrize("bits", [32, 64])
def test_a_wrap_is_traffic(bits):
    slow = GIGABIT / 100
    before, after = counts([(1 << bits) - 100], bits=bits, limit=slow), counts([500], 60, bits=bits, limit=slow)
    assert rate(before, after) == ([10.0], [""])


def test_a_32_bit_counter_of_a_fast_port_may_have_gone_round_unseen():
    before, after = counts([0], bits=32, limit=GIGABIT), counts([500], 60, bits=32, limit=GIGABIT)
    assert rate(before, after) == ([None], [Gap.WRAP])


def test_the_same_port_polled_often_enough_has_a_rate():
    before, after = counts([0], bits=32, limit=GIGABIT), counts([500], 20, bits=32, limit=GIGABIT)
    assert rate(before, after) == ([25.0], [""])


def test_a_counter_that_went_back_further_than_a_wrap_can_explain_was_reset():
    assert rate(counts([10**12]), counts([5], 60)) == ([None], [Gap.RESET])


def test_a_reset_of_a_32_bit_counter_of_unknown_speed_is_no_peak():
    before, after = counts([10**9], bits=32, limit=UNLIMITED), counts([5], 60, bits=32, limit=UNLIMITED)
    assert rate(before, after) == ([None], [Gap.RESET])


def test_more_than_the_port_can_is_no_rate():
    assert rate(counts([0]), counts([int(GIGABIT * 61)], 60)) == ([None], [Gap.SPEED])


def test_a_restart_leaves_no_rate_in_any_row():
    assert rate(counts([5, 5], uptime=90_000), counts([9, 9], 60, uptime=3000)) == ([None, None], ["restart"] * 2)


def test_a_restart_during_missed_polls_is_seen_by_an_uptime_that_is_too_short():
    before, after = counts([5], uptime=100), counts([9], 600, uptime=20_000)
    assert rate(before, after) == ([None], [Gap.RESTART])


def test_the_end_of_uptimes_32_bits_is_no_restart():
    before, after = counts([0], uptime=2**32 - 1000), counts([600], 60, uptime=5000)
    assert rate(before, after) == ([10.0], [""])


def test_only_the_port_whose_counters_were_set_anew_has_no_rate():
    before, after = counts([9, 0], discontinuity=[0, 0]), counts([4, 60], 60, discontinuity=[77, 0])
    assert rate(before, after) == ([None, 1.0], ["discontinuity", ""])


def test_a_missing_value_is_no_rate_and_never_zero():
    assert rate(counts([None, 0]), counts([9, 60], 60)) == ([None, 1.0], ["missing", ""])
    assert rate(counts([0, 0]), counts([None, 60], 60)) == ([None, 1.0], ["missing", ""])


def test_a_row_is_the_same_by_its_name():
    before = counts([100, 5000], names=("a", "b"))
    after = counts([5600, 7, 160], 60, names=("b", "new", "a"))
    assert rate(before, after) == ([10.0, None, 1.0], ["", "first", ""])


def test_a_counter_of_another_width_is_another_counter():
    before, after = counts([1], bits=32, limit=UNLIMITED), counts([61], 60, bits=64)
    assert rate(before, after) == ([None], [Gap.DISCONTINUITY])


def test_a_machine_that_slept_makes_no_peak():
    assert rate(counts([0]), counts([10**9], 1, uptime=400_000)) == ([None], [Gap.CLOCK])


def test_a_clock_that_does_not_go_on_makes_no_rate():
    assert rate(counts([0], 5), counts([9], 5)) == ([None], [Gap.CLOCK])


def test_a_mean_over_hours_says_nothing():
    assert rate(counts([0]), counts([9], HOUR / SECOND + 1)) == ([None], [Gap.LONG])


def test_missed_polls_leave_the_mean_of_the_time_between():
    assert rate(counts([0]), counts([1800], 180)) == ([10.0], [""])


@given(st.integers(0, 2**63), st.integers(2, 40))
def test_no_false_peak_and_no_lost_wrap(seed, polls):
    steps = list(sequence(Random(seed), polls))  # noqa: S311 - not for secrets
    for before, after in pairwise(steps):
        assert judge(before, after) == "", (before, after)


@given(st.integers(0, 2**63))
def test_a_whole_column_is_judged_as_its_rows_are_one_by_one(seed):
    random = Random(seed)  # noqa: S311 - not for secrets
    rows = [next(pair) for pair in (pairwise(sequence(random, 12)) for _ in range(5)) if pair]
    bits, limit = random.choice((32, 64)), random.choice((GIGABIT, UNLIMITED, 1e6))
    before = counts([before.counts.columns["octets"][0] for before, _ in rows], bits=bits, limit=limit)
    after = counts([after.counts.columns["octets"][0] for _, after in rows], 60, bits=bits, limit=limit)
    whole = rate(before, after)
    for row, name in enumerate(after.names):
        one = [
            counts([given.columns["octets"][row]], seconds, names=(name,), bits=bits, limit=limit)
            for given, seconds in ((before, 0), (after, 60))
        ]
        assert rate(*one) == ([whole[0][row]], [whole[1][row]])
