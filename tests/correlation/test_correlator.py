from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import HOUR, SECOND
from correlation import correlator as module
from correlation import tracks
from correlation.correlator import Correlator

LATENESS = 60 * SECOND
NAMES = ("failed", "succeeded", "changed")


def rule_set(plain, count, ordered):
    """Signals, a plain rule that is told, counts of one and two steps, orders, and chains three deep."""
    return [
        plain("failed", signal=True),
        plain("succeeded", signal=True),
        plain("changed"),
        count("guessing", ["failed"], 30, 3),
        count("either", ["failed", "changed"], 20, 4),
        ordered("login", ["guessing", "succeeded"], 60),
        ordered("takeover", ["login", "changed"], 90),
        count("often", ["guessing"], 120, 5),
        ordered("quiet", ["failed", "succeeded", "changed"], 40),
    ]


def in_lateness(hits, lateness, dice):
    """Some order of arrival in which no hit comes more than the lateness behind a later one."""
    delays = {hit.id: dice.random() * lateness for hit in hits}
    return sorted(hits, key=lambda hit: hit.start + delays[hit.id])


def cut_up(hits, dice):
    """The same hits in batches of random size."""
    batches, rest = [], list(hits)
    while rest:
        size = dice.choice((1, 1, 2, 5, 30, 200))
        batches.append(rest[:size])
        rest = rest[size:]
    return batches


HITS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from((0, 0, 1, 2, 5, 15, 40, 90, 400))), min_size=15, max_size=60
)


@pytest.fixture
def rules(plain, count, ordered):
    return rule_set(plain, count, ordered)


def make_hits(hit, drawn):
    """Hits of two groups, each the drawn pause after the one before."""
    hits, now = [], 0.0
    for number, (name, pause) in enumerate(drawn):
        now += pause
        hits.append(hit(name, now, number, source=f"203.0.113.{number % 5 // 4}"))
    return hits


@pytest.fixture
def scene(hit, plain, count, ordered, run, dice):
    """Runs hits in one batch, which judges all at once, and in many, shuffled within the lateness."""

    def play(drawn, seed, lateness):
        rolled = dice(seed)
        hits = make_hits(hit, drawn)
        whole = run(Correlator(rule_set(plain, count, ordered), lateness), [hits])
        batches = cut_up(in_lateness(hits, lateness, rolled), rolled)
        parts = run(Correlator(rule_set(plain, count, ordered), lateness), batches)
        return whole.alerts, parts.alerts

    return play


def test_the_same_hits_in_any_order_within_the_lateness_give_the_same_final_alerts(scene):
    told = 0

    @settings(max_examples=200, deadline=None)
    @given(HITS, st.integers(0, 1 << 30), st.sampled_from((0, 5, 60)))
    def check(drawn, seed, lateness):
        nonlocal told
        whole, parts = scene(drawn, seed, lateness * SECOND)
        assert parts == whole
        told += len(whole)

    check()
    assert told > 50


@pytest.mark.parametrize("lateness", [0, 4, 20, 120])
@pytest.mark.parametrize("pauses", [(0, 1, 3, 10, 30, 90, 400), (0, 0, 1, 2, 4), (5, 10, 20, 40), (20, 29, 30, 31, 61)])
def test_long_streams_in_any_order_within_the_lateness_give_the_same_final_alerts(scene, dice, lateness, pauses):
    for seed in range(6):
        rolled = dice(seed)
        drawn = [(rolled.choice(NAMES), rolled.choice(pauses)) for _ in range(250)]
        whole, parts = scene(drawn, seed, lateness * SECOND)
        assert whole
        assert parts == whole


def test_a_correlator_fed_all_hits_again_holds_the_same_alerts(hit, rules, run, dice):
    rolled = dice(3)
    hits = [hit(rolled.choice(NAMES), second * 2, second) for second in range(600)]
    first = run(Correlator(rules, LATENESS), cut_up(hits, rolled))
    again = run(Correlator(rules, LATENESS), cut_up(hits, rolled))
    assert first.alerts
    assert again.alerts == first.alerts


def test_a_hit_that_comes_twice_changes_nothing(hit, count, run):
    correlator = Correlator([count("guessing", ["failed"], 30, 3)], LATENESS)
    hits = [hit("failed", second, second) for second in range(3)]
    run(correlator, [hits])
    changes = correlator.update(hits, hits[-1].start)
    assert (changes.amended, changes.withdrawn) == ((), ())


def test_late_evidence_amends_the_same_alert(hit, count, run):
    correlator = Correlator([count("guessing", ["failed"], 30, 3)], LATENESS)
    hits = [hit("failed", second, second) for second in (0, 5, 10, 4)]
    told = run(correlator, [hits[:3], hits[3:]])
    (alert,) = told.of("guessing")
    assert alert.count == 4
    assert told.withdrawn == []


def test_a_hit_between_two_alerts_makes_them_one_and_the_later_is_withdrawn(hit, plain, run):
    correlator = Correlator([plain("changed")], 2 * HOUR)
    hits = [hit("changed", second, second) for second in (0, 1000, 500)]
    told = run(correlator, [hits[:2], hits[2:]])
    (alert,) = told.of("changed")
    assert alert.count == 3
    assert len(told.withdrawn) == 1


def test_an_alert_of_an_hour_ago_is_not_withdrawn_when_its_group_hits_again(hit, plain, run):
    told = run(Correlator([plain("changed")], LATENESS), [[hit("changed", 0, 1)], [hit("changed", 3600, 2)]])
    assert [alert.count for alert in told.of("changed")] == [1, 1]
    assert told.withdrawn == []


def test_an_attack_without_a_pause_stays_one_alert_that_counts_all_and_keeps_its_beginning(hit, plain, run):
    hits = [hit("changed", 60 * number, number, raw=b"%d" % number) for number in range(2000)]
    correlator = Correlator([plain("changed")], LATENESS)
    told = run(correlator, [[one] for one in hits])
    (alert,) = told.of("changed")
    assert (alert.count, alert.start, alert.end) == (2000, hits[0].start, hits[-1].start)
    assert [item.event for item in alert.evidence] == [one.id for one in [*hits[:50], *hits[-50:]]]
    assert told.withdrawn == []
    held = sum(len(track) for case in correlator._cases.values() for track in case.tracks.values())
    assert held < 50


def test_a_flood_within_one_second_is_one_alert_and_held_in_bounds(hit, plain, run, dice, monkeypatch):
    monkeypatch.setattr(module, "MOST_HITS", 200)
    hits = [hit("changed", number / 4000, f"{number:04}") for number in range(3000)]
    dice(1).shuffle(hits)
    correlator = Correlator([plain("changed")], LATENESS)
    told = run(correlator, [hits[start : start + 70] for start in range(0, 3000, 70)])
    (alert,) = told.of("changed")
    hits.sort(key=lambda one: one.start)
    assert alert.count == 3000
    assert [item.event for item in alert.evidence] == [one.id for one in [*hits[:50], *hits[-50:]]]
    (case,) = correlator._cases.values()
    assert len(case.tracks["changed"]) <= 200


def test_a_flood_of_equal_times_is_held_in_bounds(hit, plain, run, monkeypatch):
    monkeypatch.setattr(module, "MOST_HITS", 200)
    hits = [hit("changed", 0, f"{number:04}") for number in range(1000)]
    correlator = Correlator([plain("changed")], LATENESS)
    told = run(correlator, [hits[start : start + 90] for start in range(0, 1000, 90)])
    (alert,) = told.of("changed")
    assert alert.count == 1000
    (case,) = correlator._cases.values()
    assert len(case.tracks["changed"]) <= 200


def test_a_flood_does_not_hide_what_follows_it(hit, rules, run, monkeypatch):
    monkeypatch.setattr(module, "MOST_HITS", 200)
    hits = [hit("failed", number / 100, f"{number:04}") for number in range(1500)]
    correlator = Correlator(rules, LATENESS)
    told = run(correlator, [*(hits[start : start + 50] for start in range(0, 1500, 50)), [hit("succeeded", 20, 1)]])
    (login,) = told.of("login")
    assert login.evidence[-1].event == "succeeded:1"
    assert login.count > 100


def test_a_hit_dated_ahead_does_not_hide_the_hits_of_its_group(hit, count):
    correlator = Correlator([count("guessing", ["failed"], 10, 3)], 5 * SECOND)
    ahead = hit("failed", 590, 0)
    now = ahead.start - 590 * SECOND
    assert not correlator.update([ahead], now).amended
    told = [correlator.update([hit("failed", second, second)], now + second * SECOND) for second in (1, 2, 3, 4)]
    assert [len(changes.amended) for changes in told] == [0, 0, 1, 1]


def test_a_hit_dated_days_back_is_told_by_itself_and_disturbs_nothing(hit, plain, count):
    correlator = Correlator([plain("changed"), count("guessing", ["changed"], 10, 3)], LATENESS)
    now = hit("changed", 2).start
    correlator.update([hit("changed", 0, 1), hit("changed", 1, 2)], now)
    old = correlator.update([hit("changed", -60 * 3600, 3)], now)
    assert [alert.count for alert in old.amended] == [1]
    assert old.withdrawn == ()
    new = correlator.update([hit("changed", 2, 4)], now)
    assert {alert.rule: alert.count for alert in new.amended} == {"changed": 3, "guessing": 3}


def test_hits_of_an_outage_that_come_days_later_are_judged_as_if_they_had_come_in_time(hit, rules, run, dice):
    rolled = dice(11)
    hits = [hit(rolled.choice(NAMES), second * 3, second) for second in range(400)]
    live = run(Correlator(rules, LATENESS), cut_up(hits, rolled))
    later = run(Correlator(rules, LATENESS), cut_up(hits, rolled), now=hits[-1].start + 60 * HOUR)
    assert live.alerts
    assert later.alerts == live.alerts


def test_a_chain_as_long_as_its_windows_allow_is_found_though_later_hits_settle_its_beginning(hit, rules, run):
    said = [("failed", 0), ("failed", 1), ("failed", 2), ("succeeded", 62), ("failed", 110), ("failed", 140)]
    hits = [hit(name, at, number) for number, (name, at) in enumerate([*said, ("changed", 152)])]
    told = run(Correlator(rules, 0), [[one] for one in hits])
    (takeover,) = told.of("takeover")
    assert takeover.start == hits[0].start
    assert takeover.count == len(hits)


def test_groups_do_not_meet(hit, count, run):
    hits = [hit("failed", second, second, source=f"203.0.113.{second % 3}") for second in range(6)]
    assert run(Correlator([count("guessing", ["failed"], 30, 3)], LATENESS), [hits]).alerts == {}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"source.ip": "a"}, ("a", "tha")),
        ({}, ("", "tha")),
        ({"source.ip": None}, ("", "tha")),
        ({"source.ip": 7}, ("7", "tha")),
        ({"source.ip": ["a", "b"]}, ("a,b", "tha")),
    ],
)
def test_a_group_is_the_text_of_its_fields_and_of_the_place(hit, count, fields, expected):
    rule = count("guessing", ["failed"], 30, 3, group_by=("source.ip", "site"))
    assert module.group_of(rule, hit("failed", 0, fields=fields)) == expected


def test_a_correlation_that_groups_by_nothing_takes_all_hits_together(hit, count, run):
    hits = [hit("failed", second, second, source=f"203.0.113.{second}") for second in range(3)]
    told = run(Correlator([count("guessing", ["failed"], 30, 3, group_by=())], LATENESS), [hits])
    (alert,) = told.of("guessing")
    assert (alert.count, alert.object) == (3, ())


def test_a_hit_from_before_a_rule_changed_its_object_still_has_a_group(hit, plain, run):
    rule = plain("changed", objects=("source.ip", "user.name"))
    (alert,) = run(Correlator([rule], LATENESS), [[hit("changed", 0)]]).of("changed")
    assert alert.object == (("source.ip", "203.0.113.45"), ("user.name", ""))


def test_a_signal_is_never_told_and_not_held(hit, plain):
    correlator = Correlator([plain("failed", signal=True)], LATENESS)
    assert correlator.update([hit("failed", 0)], hit("failed", 0).start).amended == ()
    assert correlator._cases == {}


def test_the_first_alert_of_a_chain_holds_the_evidence_of_all_its_steps(hit, rules, run):
    hits = [
        hit("failed", 1, 1),
        hit("failed", 2, 2),
        hit("failed", 3, 3),
        hit("succeeded", 9, 4),
        hit("changed", 10, 5),
    ]
    told = run(Correlator(rules, LATENESS), [[one] for one in hits])
    (takeover,) = told.of("takeover")
    assert [item.event for item in takeover.evidence] == [one.id for one in hits]


def test_groups_that_nothing_can_join_any_more_are_forgotten(hit, rules, run):
    hits = [hit(NAMES[number % 3], number * 10, number, source=f"g{number}") for number in range(3000)]
    correlator = Correlator(rules, LATENESS)
    run(correlator, [[one] for one in hits])
    assert len(correlator._cases) < 1500
    told = run(correlator, [[hit("changed", 30_000 + 7200, 1)]])
    assert len(told.alerts) == 1
    assert len(correlator._cases) < 10


def test_under_a_flood_of_groups_the_longest_untouched_go_and_are_counted(hit, rules, run, monkeypatch):
    monkeypatch.setattr(module, "MOST_CASES", 100)
    correlator = Correlator(rules, LATENESS)
    hits = [hit("failed", number / 100, number, source=f"g{number}") for number in range(1000)]
    run(correlator, [hits[start : start + 10] for start in range(0, 1000, 10)])
    assert len(correlator._cases) <= 100
    assert correlator.evicted > 800


def test_time_that_stands_still_forgets_nothing_that_is_needed(hit, count, run):
    correlator = Correlator([count("guessing", ["failed"], 30, 3)], LATENESS)
    hits = [hit("failed", second, second) for second in range(3)]
    told = run(correlator, [[one] for one in hits], now=hits[0].start)
    assert [alert.count for alert in told.of("guessing")] == [3]


@pytest.mark.parametrize("span", [1, 30, 600])
def test_an_alert_tells_the_latest_severity_and_object_of_its_rule(hit, count, run, span):
    told = run(Correlator([count("guessing", ["failed"], span, 1)], LATENESS), [[hit("failed", 0)]])
    (alert,) = told.of("guessing")
    assert (alert.object, alert.severity, alert.site) == ((("source.ip", "203.0.113.45"),), "high", "tha")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(alert), type=type(alert)) == alert


def test_a_track_is_cut_in_the_middle_of_equal_times(hit):
    track = tracks.Track()
    for number in range(10):
        track.add(hit("failed", 0, number))
    cut = track.overflow(6)
    track.forget_before(cut)
    assert len(track) == 3
    assert track.overflow(6) == tracks.NO_CUT
