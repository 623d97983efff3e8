"""The series store: what a gap is, and what is asked of whom."""

from __future__ import annotations

import itertools

import pyarrow as pa
import pytest
from series_rows import LONG, START, asked, read, rows, settle

from core.clock import HOUR, MINUTE, HeldClock
from core.errors import RefusedError
from core.scope import EVERYTHING, NOTHING, Scope
from core.stores.series import SeriesStore
from core.stores.series_manifest import DAY, month_start
from core.stores.series_read import MOST_ROWS, SeriesQuery
from core.stores.series_tables import TABLES


@pytest.fixture
def clock():
    return HeldClock(START)


@pytest.fixture
def store(tmp_path, clock):
    made = SeriesStore(tmp_path, clock)
    yield made
    made.close()


def test_what_was_appended_is_there_at_once_and_after_the_process_died(tmp_path, clock):
    first = SeriesStore(tmp_path, clock)
    assert first.append("interfaces", rows((START, 5))) == 1
    assert read(first, "in_bps") == [(5,)]
    first._spool.close()
    first._reader.close()
    second = SeriesStore(tmp_path, clock)
    assert read(second, "in_bps") == [(5,)]
    second.close()


def test_a_gap_is_a_gap_and_never_zero(store, clock):
    store.append("interfaces", rows((START, 10), (START + MINUTE, None)))
    assert read(store, "in_bps", "gap") == [(10, None), (None, "timeout")]
    for _ in range(2):
        assert read(store, "in_bps", "count", "gap_share", step=HOUR) == [(10, 2, 0.5)]
        assert read(store, "in_bps", step=MINUTE) == [(10,), (None,)]
        settle(store, clock)


def test_numbers_come_back_in_their_unit(store):
    given = rows((START, 123.4), in_util=[12.345], in_errors=[1 / 60], speed_bps=[10**9], oper=[1])
    store.append("interfaces", given)
    names = ("in_bps", "in_util", "in_errors", "speed_bps", "oper")
    for step in (0, HOUR):
        assert read(store, *names, step=step) == [(123, pytest.approx(12.35, abs=0.011), 0.016667, 10**9, 1)]


def test_a_mad_value_is_null_and_stops_no_other(store):
    store.append(
        "interfaces", rows((START, float("nan")), (START + 1, float("inf")), (START + 2, 1e30), (START + 3, 7.0))
    )
    assert read(store, "in_bps") == [(None,), (None,), (None,), (7,)]


def test_an_arrow_table_is_taken_as_columns_are(store):
    store.append("interfaces", pa.table(rows((START, 5))))
    assert read(store, "in_bps") == [(5,)]


def test_every_table_keeps_all_of_its_columns(store, clock):
    for table, columns in TABLES.items():
        values = {name: ["x" if column.decimals is None else 1.5] for name, column in columns.items()}
        store.append(table, {"site": ["tha"], "device": ["d"], "object": ["o"], "time": [START], **values})
    for step in (0, HOUR, DAY, "month"):
        for table, columns in TABLES.items():
            query = SeriesQuery(table=table, columns=tuple(columns), step=step, **LONG)
            (row,) = store.read(EVERYTHING, query).rows
            assert None not in row
        settle(store, clock, 40 * DAY)


@pytest.mark.parametrize(
    ("table", "given", "why"),
    [
        ("nothing", rows((START, 1)), "there is no series table 'nothing'"),
        ("hosts", rows((START, 1)), "unknown columns"),
        ("interfaces", {"site": ["a"]}, "missing"),
        ("interfaces", rows((START, "many")), "interfaces: "),
        ("interfaces", rows((None, 1)), "must not be null"),
        ("interfaces", rows((START, 1)) | {"device": [None]}, "must not be null"),
    ],
)
def test_what_does_not_fit_a_table_is_refused_whole(store, table, given, why):
    with pytest.raises(RefusedError, match=why):
        store.append_all({"interfaces": rows((START, 1)), table: given} if table != "interfaces" else {table: given})
    assert read(store, "in_bps") == []


@pytest.mark.parametrize(
    "query",
    [
        asked("speed"),
        asked("in_bps_p95"),
        asked("count"),
        asked("in_pps_p95", step=HOUR),
        asked("oper_max", step=HOUR),
        asked("in_bps_max_max", step=HOUR),
        asked("in_bps", order="out_bps", step=HOUR),
        asked("in_bps", limit=0),
        asked("in_bps", limit=MOST_ROWS + 1),
        asked("in_bps", step=-1),
        asked("in_bps", table="nothing"),
        asked("in_bps; DROP TABLE x"),
    ],
)
def test_a_question_that_cannot_be_meant_is_refused(store, query):
    with pytest.raises(RefusedError):
        store.read(EVERYTHING, query)


def test_a_reader_gets_what_is_within_the_scope_and_nothing_else(store, clock):
    for site in ("tha", "hni", "it's"):
        store.append("interfaces", rows((START, 1), site=site))
    for _ in range(2):
        for step in (0, DAY, "span"):
            sites = [
                row[0] for row in store.read(Scope(sites=frozenset({"hni", "it's"})), asked("in_bps", step=step)).rows
            ]
            assert sites == ["hni", "it's"]
            assert read(store, "in_bps", scope=NOTHING, step=step) == []
        settle(store, clock)


def test_a_device_an_object_and_a_site_are_asked_for_by_name(store):
    for site, device, port in itertools.product("ab", "cd", "ef"):
        store.append(
            "interfaces", rows((START, ord(site) + ord(device) + ord(port)), site=site, device=device, port=port)
        )
    assert len(read(store, "in_bps", site="a")) == 4
    assert len(read(store, "in_bps", device="c", object="e")) == 2
    assert read(store, "in_bps", site="a", device="c", object="e") == [(ord("a") + ord("c") + ord("e"),)]
    assert read(store, "in_bps", site="' OR true --") == []


def test_an_answer_is_bounded_and_says_that_there_is_more(store):
    store.append("interfaces", rows(*((START + n, n) for n in range(5))))
    found = store.read(EVERYTHING, asked("in_bps", limit=3))
    assert ([row[4] for row in found.rows], found.more) == ([0, 1, 2], True)
    assert found.names == ("site", "device", "object", "time", "in_bps")
    assert not store.read(EVERYTHING, asked("in_bps", limit=5)).more


def test_the_highest_come_first_and_what_is_unknown_last(store):
    for port, bits in (("1", 5), ("2", None), ("3", 9), ("4", 7)):
        store.append("interfaces", rows((START, bits), port=port))
    found = store.read(EVERYTHING, asked("in_bps_p95", step="span", order="in_bps_p95", limit=3))
    assert [row[2] for row in found.rows] == ["3", "4", "1"]
    assert found.more


def test_days_and_months_are_those_of_vietnam(store, clock):
    first = month_start(START)
    clock.forward(month_start(START, 1) - clock.now())
    store.append("interfaces", rows((clock.now() - 1, 1), (clock.now(), 2)))
    assert [row[3:] for row in store.read(EVERYTHING, asked("in_bps", step="month")).rows] == [
        (first, 1),
        (month_start(START, 1), 2),
    ]
    assert [row[3:] for row in store.read(EVERYTHING, asked("in_bps", step=DAY)).rows] == [
        (clock.now() - DAY, 1),
        (clock.now(), 2),
    ]


def test_a_step_that_is_cut_by_the_span_is_told_whole(store):
    store.append("interfaces", rows((START, 2), (START + 50 * MINUTE, 4)))
    found = read(store, "in_bps", step=HOUR, since=START + 10 * MINUTE, until=START + 20 * MINUTE)
    assert found == [(3,)]
