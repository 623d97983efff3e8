"""Whatever is appended in whatever order, whatever dies when: each question has the answer that plain Python gives."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import HOUR, MINUTE, SECOND, HeldClock
from core.scope import EVERYTHING, Scope
from core.stores import series, series_files, series_rollup
from core.stores.series import SeriesStore
from core.stores.series_manifest import AHEAD, DAY, day_start, month_start, present
from core.stores.series_read import SeriesQuery

START = day_start(1_795_312_800 * SECOND)
"""Midnight of 22 November in Vietnam."""

COLUMNS = ("in_bps", "in_bps_max", "in_bps_p95", "in_errors", "oper", "count", "gap_share", "gap")
RAW = ("in_bps", "in_errors", "oper", "gap")
PLACES = [("tha", "sw-tha", "port 1"), ("tha", "sw-tha", "port 2"), ("tha", "rt-tha", "port 1"), ("hni", "sw-hni", "x")]
STEPS = [0, MINUTE, 5 * MINUTE, HOUR, 6 * HOUR, DAY, "span", "month"]

KEPT = [HOUR, DAY, "month"]
"""Steps whose answers are the same when rows and minutes are gone by their age."""

Row = dict[str, object]


def bucket(time: int, query: SeriesQuery) -> int:
    match query.step:
        case "span":
            return query.since
        case "month":
            return month_start(time)
        case step:
            return (time + AHEAD) // step * step - AHEAD


def p95(values: list[float]) -> float | None:
    """The nearest rank: the smallest value that 95 of 100 do not exceed."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1] if values else None


def last(rows: list[Row], name: str) -> object:
    known = [(row["time"], row[name]) for row in rows if row[name] is not None]
    return max(known, key=lambda pair: pair[0])[1] if known else None


def summed(rows: list[Row]) -> tuple[object, ...]:
    bits = [row["in_bps"] for row in rows if row["in_bps"] is not None]
    errors = [row["in_errors"] for row in rows if row["in_errors"] is not None]
    return (
        sum(bits) / len(bits) if bits else None,
        max(bits, default=None),
        p95(bits),
        sum(errors) / len(errors) if errors else None,
        last(rows, "oper"),
        len(rows),
        sum(row["gap"] is not None for row in rows) / len(rows),
        last(rows, "gap"),
    )


def oracle(rows: list[Row], query: SeriesQuery, scope: Scope) -> list[tuple[object, ...]]:
    wanted = [row for row in rows if scope.allows(row["site"])]
    if query.step == 0:
        named = [
            (row["site"], row["device"], row["object"], row["time"], *(row[name] for name in RAW)) for row in wanted
        ]
        return sorted((row for row in named if query.since <= row[3] < query.until), key=repr)
    groups: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in wanted:
        if query.step != "span" or query.since <= row["time"] < query.until:
            groups[row["site"], row["device"], row["object"], bucket(row["time"], query)].append(row)
    return sorted(((*key, *summed(found)) for key, found in groups.items()), key=repr)


def assert_same(store: SeriesStore, rows: list[Row], steps: Sequence[int | str] = STEPS) -> None:
    since, until = START - 40 * DAY, START + 40 * DAY
    for step in steps:
        for scope in (EVERYTHING, Scope(sites=frozenset({"tha"}))):
            query = SeriesQuery(
                table="interfaces", columns=COLUMNS if step else RAW, since=since, until=until, step=step
            )
            found = sorted(store.read(scope, query).rows, key=repr)
            expected = oracle(rows, query, scope)
            assert len(found) == len(expected), step
            for ours, theirs in zip(found, expected, strict=True):
                assert ours[:4] == theirs[:4]
                assert all(map(close, ours[4:], theirs[4:], ALLOWED if step else EXACT)), (step, ours, theirs)


ALLOWED = (0.5, 0, 0, 5e-7, 0, 0, 0, 0)
"""A roll-up's mean is kept to the column's decimals; all else is exact."""
EXACT = (0,) * len(RAW)


def close(ours: object, theirs: object, allowed: float) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float | int):
        return math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=allowed)
    return ours == theirs


class Died(Exception):  # noqa: N818 - no error, an end
    """The process was killed here."""


class Death:
    """Kills at a step on the disk, before or after it is done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._left: int | None = None
        for module, name in (
            (series_files, "settle_file"),
            (series_rollup, "swap_manifest"),
            (series_rollup, "remove_file"),
            (series, "remove_file"),
        ):
            monkeypatch.setattr(module, name, self._deadly(getattr(module, name)))

    def after(self, steps: int | None) -> None:
        self._left = steps

    def _deadly(self, real: Callable[..., None]) -> Callable[..., None]:
        def step(*arguments: object) -> None:
            self._count()
            real(*arguments)
            self._count()

        return step

    def _count(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                self._left = None
                raise Died


moments = st.one_of(st.integers(0, 120), st.integers(0, 4 * 3600), st.integers(0, 3 * 86_400))
"""Seconds before now."""
values = st.one_of(st.none(), st.integers(0, 10**10))
rows_of = st.lists(
    st.tuples(
        st.sampled_from(PLACES), moments, values, st.one_of(st.none(), st.integers(0, 5000)), st.sampled_from([1, 2])
    ),
    min_size=1,
    max_size=25,
)
actions = st.one_of(
    st.tuples(st.just("append"), rows_of),
    st.tuples(st.just("fast"), st.integers(80, 200)),
    st.tuples(st.just("wait"), st.sampled_from([SECOND, MINUTE, 10 * MINUTE, HOUR, 7 * HOUR, 26 * HOUR])),
    st.tuples(st.just("maintain"), st.none()),
    st.tuples(st.just("kill"), st.integers(0, 40)),
)


def die(store: SeriesStore) -> None:
    """As a killed process leaves it."""
    store._spool.close()
    store._reader.close()
    for writer in store._writers.values():
        writer.close()


def batch(clock: HeldClock, ticks, drawn) -> list[Row]:
    """Rows whose times are all different, so that the last of a step is one."""
    return [
        {
            "site": place[0],
            "device": place[1],
            "object": place[2],
            "time": clock.now() - seconds * SECOND + next(ticks),
            "in_bps": bits,
            "in_errors": None if errors is None else errors / 1000,
            "oper": oper,
            "gap": "timeout" if bits is None else None,
        }
        for place, seconds, bits, errors, oper in drawn
    ]


def columns(rows: list[Row]) -> dict[str, list[object]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(actions, min_size=1, max_size=14))
def test_reading_equals_plain_python_whatever_happened(tmp_path_factory, monkeypatch, steps):
    with monkeypatch.context() as patched:
        death = Death(patched)
        clock, ticks, rows = HeldClock(START + 5 * HOUR), count(), []
        folder = tmp_path_factory.mktemp("series")
        store = SeriesStore(folder, clock)
        for name, given_ in steps:
            match name:
                case "append":
                    fresh = batch(clock, ticks, given_)
                case "fast":
                    fresh = batch(clock, ticks, [(PLACES[0], n * 7, n * n, n, 1) for n in range(given_)])
                case _:
                    fresh = []
            if fresh:
                assert store.append("interfaces", columns(fresh)) == len(fresh)
                rows += fresh
            elif name == "wait":
                clock.forward(given_)
            elif name == "maintain":
                store.maintain()
            else:
                death.after(given_)
                with suppress(Died):
                    store.maintain()
                death.after(None)
                die(store)
                store = SeriesStore(folder, clock)
                assert_same(store, rows)
        assert_same(store, rows)
        clock.forward(2 * DAY)
        store.maintain()
        assert_same(store, rows)
        clock.forward(100 * DAY)
        store.maintain()
        assert_same(store, rows, KEPT)
        store.close()


def test_every_step_on_the_disk_may_be_the_last(tmp_path, monkeypatch):
    """The same day of rows with late ones, killed at each step in turn, until a run ends alive."""
    death = Death(monkeypatch)
    clock, ticks, rows = HeldClock(START + HOUR), count(), []
    store = SeriesStore(tmp_path, clock)
    for hour in range(3):
        for seconds in (10, 4000, 90_000):
            fresh = batch(clock, ticks, [(place, seconds, seconds * hour, None, 1) for place in PLACES])
            store.append("interfaces", columns(fresh))
            rows += fresh
            clock.forward(10 * MINUTE)
            store.maintain()
        clock.forward(30 * MINUTE)
    clock.forward(2 * DAY)
    deaths = 0
    while True:
        death.after(deaths)
        try:
            store.maintain()
            break
        except Died:
            deaths += 1
            die(store)
            store = SeriesStore(tmp_path, clock)
            assert_same(store, rows)
    death.after(None)
    assert deaths > 5
    assert_same(store, rows)
    listed = {part.name for part in present(tmp_path / "interfaces").partitions}
    retired = set(present(tmp_path / "interfaces").retired)
    assert {path.name for path in (tmp_path / "interfaces").glob("*.parquet")} <= listed | retired
    store.close()
