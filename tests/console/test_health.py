"""How a site and a province are: what nobody watches is unknown and never up."""

from __future__ import annotations

from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.health import STALE, is_current, joint_health, site_health
from console.map import TileHealth
from core.device_states import DeviceStates, Reach
from core.sources import Sources, SourceState

UP, DEGRADED, DOWN, UNKNOWN = TileHealth
LEARNING, ALIVE, SILENT, SURGING = SourceState
NOW = 1_795_300_000_000_000_000

healths = st.lists(st.sampled_from(TileHealth), max_size=6)


@pytest.mark.parametrize("is_hit", [True, False])
def test_a_site_without_a_log_source_is_unknown_whatever_happens_there(is_hit):
    assert site_health([], is_hit=is_hit) is UNKNOWN


@pytest.mark.parametrize(
    ("states", "is_hit", "health"),
    [
        ([ALIVE, SURGING, LEARNING], False, UP),
        ([ALIVE, ALIVE], True, DEGRADED),
        ([ALIVE, SILENT], False, DEGRADED),
        ([SILENT, SILENT], False, DOWN),
        ([SILENT], True, DOWN),
    ],
)
def test_a_site_is_as_its_sources_and_incidents_tell(states, is_hit, health):
    assert site_health(states, is_hit=is_hit) is health


@pytest.mark.parametrize(
    ("states", "reaches", "health"),
    [
        ([], [Reach.UNKNOWN, Reach.UNKNOWN], UNKNOWN),
        ([], [Reach.UP, Reach.UNKNOWN], UP),
        ([], [Reach.DOWN, Reach.UNKNOWN], DOWN),
        ([], [Reach.DOWN, Reach.UP], DEGRADED),
        ([], [Reach.REFUSED], DEGRADED),
        ([], [Reach.REFUSED, Reach.DOWN], DEGRADED),
        ([ALIVE], [Reach.UP], UP),
        ([SILENT], [Reach.UP], DEGRADED),
        ([ALIVE], [Reach.DOWN], DEGRADED),
        ([SILENT, SILENT], [Reach.DOWN, Reach.DOWN], DOWN),
        ([SILENT], [Reach.UNKNOWN], DOWN),
    ],
)
def test_polled_devices_count_as_log_sources_do(states, reaches, health):
    assert site_health(states, reaches, is_hit=False) is health


def test_an_open_serious_incident_degrades_a_site_that_is_only_polled():
    assert site_health([], [Reach.UP], is_hit=True) is DEGRADED
    assert site_health([], [Reach.UNKNOWN], is_hit=True) is UNKNOWN


@pytest.mark.parametrize(
    ("sites", "health"),
    [
        ([], UNKNOWN),
        ([UNKNOWN, UNKNOWN], UNKNOWN),
        ([UNKNOWN, UP], UP),
        ([DOWN, DOWN, UNKNOWN], DOWN),
        ([DOWN, UP], DEGRADED),
        ([DEGRADED, UP], DEGRADED),
        ([DOWN, DEGRADED], DEGRADED),
    ],
)
def test_a_province_is_as_its_watched_sites_are(sites, health):
    assert joint_health(sites) is health


@given(healths)
def test_a_province_is_up_only_if_some_site_is_watched_and_all_of_those_are_up(sites):
    assert (joint_health(sites) is UP) == (UP in sites and not {DOWN, DEGRADED} & set(sites))


@given(healths, st.permutations(range(6)))
def test_neither_order_nor_unknown_sites_change_how_a_province_is(sites, order):
    shuffled = [sites[place] for place in order if place < len(sites)]
    assert joint_health([*shuffled, UNKNOWN]) is joint_health(sites)


def test_joining_in_steps_is_joining_at_once():
    for sites in combinations_with_replacement(TileHealth, 3):
        assert joint_health([joint_health(sites[:2]), sites[2]]) is joint_health(sites)


@pytest.mark.parametrize(("written", "holds"), [(0, False), (NOW - STALE, True), (NOW - STALE - 1, False)])
def test_what_the_lane_told_long_ago_says_nothing_of_now(written, holds):
    assert is_current(Sources(written=written), NOW) is holds
    assert is_current(DeviceStates(written=written), NOW) is holds
