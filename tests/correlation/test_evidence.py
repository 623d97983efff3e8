from __future__ import annotations

import pytest

from core.records import Evidence
from correlation.evidence import FIRST, LAST, MOST_BYTES, bounded, build_alert, order
from correlation.tracks import Folded
from correlation.windows import Episode


def pieces(count, size=1):
    return [Evidence(event=str(number), time=number, raw=b"x" * size) for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 100, 101, 5000])
def test_evidence_is_the_first_and_last_fifty(count):
    found = bounded(pieces(count))
    given = pieces(count)
    assert list(found) == (given if count <= 100 else [*given[:50], *given[-50:]])


@pytest.mark.parametrize(("count", "size"), [(100, 8192), (3, 200_000), (32, 8192), (33, 8192), (1, 1 << 20)])
def test_evidence_has_at_most_256_kilobytes(count, size):
    found = bounded(pieces(count, size))
    assert sum(len(item.raw) for item in found) <= MOST_BYTES
    assert len(found) == min(count, MOST_BYTES // size)


def test_what_is_left_of_too_much_evidence_is_its_beginning_and_its_end():
    found = [item.time for item in bounded(pieces(100, 8192))]
    assert found == [*range(16), *range(84, 100)]


@pytest.fixture
def rule(count):
    return count("guessing", ["failed"], 30, 3, group_by=("source.ip", "user.name"))


def test_an_alert_is_built_from_its_hits_in_any_order(rule, hit, dice):
    hits = [hit("failed", number, number, unit="vks" if number == 7 else "") for number in range(300)]
    group = {"source.ip": "203.0.113.45", "user.name": "root"}
    alert = build_alert(rule, group, hits, 0)
    dice(1).shuffle(hits)
    assert build_alert(rule, group, hits, 0) == alert
    assert (alert.count, alert.unit, len(alert.evidence)) == (300, "vks", FIRST + LAST)
    assert alert.object == (("source.ip", "203.0.113.45"), ("user.name", "root"))


def test_hits_that_were_only_counted_count(rule, hit):
    group = {"source.ip": "a", "user.name": "b"}
    assert build_alert(rule, group, [hit("failed", 0)], 41).count == 42


def test_two_groups_or_two_beginnings_are_two_alerts(rule, hit):
    one = build_alert(rule, {"source.ip": "a", "user.name": "b"}, [hit("failed", 0)], 0)
    other = build_alert(rule, {"source.ip": "ab", "user.name": ""}, [hit("failed", 0)], 0)
    later = build_alert(rule, {"source.ip": "a", "user.name": "b"}, [hit("failed", 1)], 0)
    assert len({one.id, other.id, later.id}) == 3


def test_an_object_that_is_no_group_is_taken_from_the_hits(plain, count, hit):
    rule = count("guessing", ["failed"], 30, 1, group_by=("user.name",))
    with_object = type(rule)(
        **{name: getattr(rule, name) for name in rule.__struct_fields__} | {"info": plain("guessing").info}
    )
    alert = build_alert(with_object, {"user.name": "root"}, [hit("failed", 0)], 0)
    assert alert.object == (("source.ip", "203.0.113.45"),)


def test_a_beginning_folded_in_parts_is_the_same_as_folded_at_once(rule, hit):
    hits = [hit("failed", number, f"{number:04}") for number in range(500)]
    group = {"source.ip": "a", "user.name": "b"}
    folded = None
    for start in range(0, 500, 70):
        folded = Folded(Episode(0, 1), hits[start : start + 70], folded)
    assert len(folded.hits) == FIRST + LAST
    assert build_alert(rule, group, folded.hits, folded.left_out) == build_alert(rule, group, hits, 0)


def test_an_alert_tells_all_sites_of_its_hits_also_of_those_that_are_only_counted(rule, hit):
    group = {"source.ip": "a", "user.name": "b"}
    hits = [
        hit("failed", number, f"{number:04}", site=f"s{number % 7}", unit=f"u{number % 7}") for number in range(300)
    ]
    hits.append(hit("failed", 150, "rare", site="rare", unit="of-rare"))
    whole = build_alert(rule, group, hits, 0)
    assert whole.sites == ("rare", *(f"s{n}" for n in range(7)))
    assert whole.units == ("of-rare", *(f"u{n}" for n in range(7)))
    folded = None
    ordered = sorted(hits, key=order)
    for start in range(0, 301, 70):
        folded = Folded(Episode(0, 1), ordered[start : start + 70], folded)
    assert build_alert(rule, group, folded.hits, folded.left_out, folded.places) == whole
