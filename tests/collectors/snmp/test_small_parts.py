from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.snmp.convert import converter, derive
from collectors.snmp.interfaces import utilisation
from collectors.snmp.profiles import Column, Kind
from collectors.snmp.sizes import MOST, Sizes
from collectors.snmp.uptimes import has_restarted
from collectors.snmp.usm import report_of
from collectors.snmp.walks import Walk
from core.clock import SECOND


def column(kind: Kind, **more) -> Column:
    return Column(name="a", oid="1.3.6.1.2.1.1.1", object="A::b", kind=kind, **more)


@pytest.mark.parametrize(
    ("made", "came", "meant"),
    [
        (column(Kind.TEXT), "Phòng máy".encode(), "Phòng máy"),
        (column(Kind.TEXT), b"caf\xe9\x00\n", "café"),
        (column(Kind.TEXT), "1.3.6.1", "1.3.6.1"),
        (column(Kind.TEXT, unit="mac"), bytes(6), "00:00:00:00:00:00"),
        (column(Kind.TEXT, unit="ip"), bytes([10, 0, 0, 1]), "10.0.0.1"),
        (column(Kind.STATE, states={1: "up"}), 1, "up"),
        (column(Kind.STATE, states={1: "up"}), 9, "9"),
        (column(Kind.STATE, states={1: "up"}), None, None),
        (column(Kind.STATE, states={1: "up"}), b"x", None),
        (column(Kind.GAUGE), b"45.5", 45.5),
        (column(Kind.GAUGE), b"hot", None),
        (column(Kind.GAUGE), b"", None),
        (column(Kind.GAUGE, scale=0.5), 3, 1.5),
        (column(Kind.GAUGE, absent=(-1,)), -1, None),
        (column(Kind.COUNTER64), 2**64 - 1, 2**64 - 1),
    ],
)
def test_what_came_means(made, came, meant):
    assert converter(made, [made.scale])([came]) == [meant]


def test_a_sum_lacks_what_one_of_its_terms_lacks():
    columns = {"total": [100, 100], "free": [30, None]}
    assert derive(["total", "-free"], columns, 2) == [70.0, None]
    assert derive([100, "-free"], columns, 2) == [70.0, None]


def test_utilisation_is_percent_and_never_more_than_all():
    assert utilisation([5e8, 1.05e9, None, 1.0], [1e9, 1e9, 1e9, None]) == [50.0, 100.0, None, None]


@given(st.lists(st.tuples(st.sampled_from(["answered", "failed", "truncated"]), st.integers(0, 100)), max_size=60))
def test_a_size_is_always_one_that_can_be_asked_for(steps):
    sizes = Sizes()
    for what, count in steps:
        getattr(sizes, what)(count)
        assert 1 <= sizes.size <= MOST


def test_a_size_halves_and_grows_again_but_not_to_what_failed():
    sizes = Sizes()
    sizes.failed(60)
    assert sizes.size == 30
    for _ in range(1000):
        sizes.answered(sizes.size)
    assert sizes.size == 59
    for _ in range(1000):
        sizes.answered(sizes.size)
    assert sizes.size > 59


def test_a_size_that_fails_gives_way_to_the_one_before_and_the_largest_that_is_good_is_soon_found():
    sizes, failures = Sizes(), 0
    for _ in range(400):
        if sizes.size > 71:
            failures += 1
            sizes.failed(sizes.size)
            assert sizes.size >= 60
        else:
            sizes.answered(sizes.size)
    assert sizes.size == 71
    assert failures <= 4


@pytest.mark.parametrize(
    ("before", "after", "seconds", "expected"),
    [
        (1000, 7000, 60, False),
        (1000, 6500, 60, False),
        (90_000, 500, 60, True),
        (2**32 - 100, 5900, 60, False),
        (2**32 - 100, 5900, 6000, True),
        (100, 20_000, 600, True),
        (None, 500, 60, False),
        (500, None, 60, False),
    ],
)
def test_a_restart_is_told_from_the_end_of_32_bits(before, after, seconds, expected):
    assert has_restarted(before, after, seconds * SECOND) is expected


@given(st.lists(st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=6), max_size=30), st.integers(1, 20))
def test_a_walk_ends_in_order_and_within_its_bound(answers, most):
    walk = Walk(most)
    for answer in answers:
        if not walk.take([None if one is None else (f"1.3.6.{one}", 1) for one in answer]):
            break
    oids = [int(oid.rpartition(".")[2]) for oid, _ in walk.walked.rows]
    assert oids == sorted(set(oids))
    assert len(oids) <= most


@given(st.binary(max_size=60))
def test_any_datagram_is_looked_at_without_harm(datagram):
    assert 0 <= report_of(datagram) <= 255
    assert report_of(bytes.fromhex("2b060106030f0101") + b"\x05\x00" + datagram) == 5
