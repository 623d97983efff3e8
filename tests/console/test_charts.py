"""Charts: a value that is missing is a gap with its reason, never 0; axes are round; nothing breaks a drawing."""

from __future__ import annotations

import math
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.charts import SPANS, Grid, Line, Plan, draw, few_lines, grid_of, path_of, runs, scale_of, time_ticks
from console.quantities import bits, measured, plain
from core.clock import HOUR, MINUTE, SECOND, VIETNAM, to_datetime

NOW = 1_795_300_000_000_000_000
GRID = Grid(NOW // (15 * MINUTE) * (15 * MINUTE), 15 * MINUTE, 4)

numbers = st.floats(min_value=-1e12, max_value=1e15, allow_nan=False)
values = st.lists(st.none() | numbers, min_size=1, max_size=20)


def drawn(*told, reasons=None, top=None):
    lines = tuple(Line(name=f"line {number}", values=tuple(one)) for number, one in enumerate(told))
    grid = GRID._replace(steps=len(told[0]) if told else 4)
    return draw(Plan("key", "Title", "bit/s", lines, top), grid, reasons or {}, partial(bits, language="vi"))


def test_a_line_is_broken_where_a_value_is_missing():
    scale = scale_of([0.0, 100.0])
    assert path_of([0.0, 100.0, None, 50.0, 50.0], scale, 5) == "M100 100L300 0M700 50L900 50"


def test_a_value_that_stands_alone_is_drawn_as_a_dot():
    assert path_of([None, 100.0, None], scale_of([0.0, 100.0]), 3) == "M500 0h0"


def test_a_gap_is_hatched_with_its_reason_in_words_and_never_0():
    chart = drawn([5.0, None, None, 7.0], reasons={1: "khởi động lại", 2: "khởi động lại"})
    assert [(void.x, void.width, void.told) for void in chart.voids] == [(25.0, 50.0, "khởi động lại")]
    assert [gap.reason for gap in chart.gaps] == ["khởi động lại"]
    assert chart.rows[1].values == ("",)
    assert chart.rows[1].reason == "khởi động lại"
    assert chart.columns[2].told.endswith(": khởi động lại")


def test_gaps_of_two_reasons_that_meet_stay_two():
    assert runs({1: "a", 2: "a", 3: "b", 5: "b"}) == [(1, 3, "a"), (3, 4, "b"), (5, 6, "b")]


def test_no_hatching_where_one_of_two_lines_has_a_value():
    assert drawn([5.0, None], [None, 3.0]).voids == ()


@pytest.mark.parametrize("told", [[], [[None] * 4]])
def test_without_a_value_the_chart_says_that_it_is_empty(told):
    chart = drawn(*told)
    assert chart.is_empty
    assert all(stroke.path == "" and stroke.latest == "" for stroke in chart.strokes)


def test_the_latest_value_is_not_one_of_long_ago():
    assert drawn([5.0, 6.0, None]).strokes[0].latest == "6 bit/s"
    assert drawn([5.0, None, None]).strokes[0].latest == ""


@given(st.lists(numbers, max_size=30))
def test_a_scale_holds_all_values_between_round_ticks(found):
    scale = scale_of(found)
    assert scale.low < scale.high
    assert 2 <= len(scale.ticks) <= 7
    slack = 1e-9 * max(abs(scale.low), abs(scale.high))
    assert all(scale.low - slack <= one <= scale.high + slack for one in found)
    assert math.isclose(scale.ticks[0], scale.low, abs_tol=slack)
    assert math.isclose(scale.ticks[-1], scale.high, abs_tol=slack)


def test_values_that_differ_in_their_last_bits_are_drawn():
    chart = drawn([10.099999999999998, 10.1])
    assert all(0 <= tick.place <= 100 for tick in chart.y_ticks)


@given(values)
def test_no_value_however_large_leaves_the_plot(told):
    chart = drawn(told)
    places = [tick.place for tick in (*chart.y_ticks, *chart.x_ticks)]
    assert all(0 <= place <= 100 for place in places)
    assert chart.strokes[0].path.count("M") + chart.strokes[0].path.count("L") == sum(v is not None for v in told)
    assert "nan" not in chart.strokes[0].path


@pytest.mark.parametrize(
    ("told", "low", "high"),
    [
        ([], 0, 1),
        ([0.0, 0.0], 0, 1),
        ([3.0], 0, 3),
        ([21.0, 22.5], 21, 22.5),
        ([-5.0, 5.0], -5, 5),
        ([-5.0], -6, 0),
        ([9e14], 0, 1e15),
        ([5e-324], 0, 1e-300),
        ([10.099999999999998, 10.1], 0, 15),
        ([-10.1, -10.099999999999998], -15, 0),
    ],
)
def test_a_scale_begins_at_0_unless_all_values_are_high_or_some_are_below(told, low, high):
    scale = scale_of(told)
    assert (scale.low, scale.high) == (pytest.approx(low), pytest.approx(high))


def test_percent_stands_on_a_fixed_scale():
    assert [tick.text for tick in drawn([1.0], top=100.0).y_ticks] == [
        "0 bit/s",
        *(f"{n} bit/s" for n in (25, 50, 75, 100)),
    ]


@pytest.mark.parametrize("span", SPANS)
def test_steps_are_counted_from_midnight_in_vietnam_up_to_now(span):
    grid = grid_of(NOW, span)
    begin = to_datetime(grid.since).astimezone(VIETNAM)
    assert grid.step >= 24 * HOUR or (begin.hour * 60 + begin.minute) % (grid.step // MINUTE) == 0
    assert grid.until >= NOW - 3 * MINUTE > grid.at(grid.steps - 1)


def test_a_step_that_has_just_begun_is_left_out():
    begin = GRID.since
    assert grid_of(begin + MINUTE, "24h").until == begin
    assert grid_of(begin + 4 * MINUTE, "24h").until == begin + 15 * MINUTE


def test_a_step_is_no_shorter_than_what_lies_between_two_polls():
    assert grid_of(NOW, "1h").step == 2 * MINUTE
    slow = grid_of(NOW, "1h", 4 * MINUTE + SECOND)
    assert (slow.step, slow.steps) == (5 * MINUTE, 12)
    assert slow.until <= NOW - 4 * MINUTE + slow.step


def test_a_step_is_shown_once_a_poll_must_have_come_in_it():
    begin = grid_of(NOW, "1h").since
    assert grid_of(begin + 89 * SECOND, "1h", MINUTE).until == begin
    assert grid_of(begin + 90 * SECOND, "1h", MINUTE).until == begin + 2 * MINUTE


@pytest.mark.parametrize(
    ("span", "ticks"),
    [
        ("1h", ["04:30", "04:40", "04:50", "05:00", "05:10", "05:20"]),
        ("24h", ["08:00", "12:00", "16:00", "20:00", "22/11", "04:00"]),
        ("7d", ["16/11", "17/11", "18/11", "19/11", "20/11", "21/11", "22/11"]),
        ("12m", ["12/25", "02/26", "04/26", "06/26", "08/26", "10/26"]),
    ],
)
def test_times_under_the_plot_are_round_and_of_vietnam(span, ticks):
    assert [tick.text for tick in time_ticks(grid_of(NOW, span))] == ticks


def test_too_many_lines_become_their_highest_and_lowest():
    lines = [Line(name=str(number), values=(float(number), None)) for number in range(9)]
    highest, lowest = few_lines(lines, "cao nhất", "thấp nhất")
    assert (highest.name, highest.values) == ("cao nhất", (8.0, None))
    assert (lowest.name, lowest.values) == ("thấp nhất", (0.0, None))
    assert few_lines(lines[:6], "", "") == tuple(lines[:6])


@pytest.mark.parametrize(
    ("bps", "vi", "en"),
    [
        (0, "0 bit/s", "0 bit/s"),
        (1_234_000_000, "1,23 Gbit/s", "1.23 Gbit/s"),
        (1_200_000_000, "1,2 Gbit/s", "1.2 Gbit/s"),
        (999.7, "1 kbit/s", "1 kbit/s"),
        (940_000_000, "940 Mbit/s", "940 Mbit/s"),
        (9e18, "9.000 Pbit/s", "9,000 Pbit/s"),
    ],
)
def test_rates_are_written_with_the_prefix_that_fits(bps, vi, en):
    assert (bits(bps, "vi"), bits(bps, "en")) == (vi, en)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (0.0033333, "0,00333"), (-12.34, "-12,3"), (100, "100"), (12345.6, "12.346")]
)
def test_numbers_have_three_digits_that_count(value, text):
    assert plain(value, "vi") == text


def test_other_units_are_written_as_the_store_names_them():
    assert measured(24.5, "°C", "vi") == "24,5 °C"
    assert measured(18.0, "min", "vi") == "18 phút"
    assert measured(0.5, "packet/s", "vi") == "0,5 gói/s"
    assert measured(3.0, "", "vi") == "3"
