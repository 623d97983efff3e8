"""The organisation on any day: its tree, its names, who took over from whom, and what a unit reaches."""

from __future__ import annotations

import pytest

from core.errors import ContentError
from inventory.org import Org
from inventory.unit_check import check_units
from inventory.units import LAST_DAY, Succession, Unit, UnitFact, day_after, period

DAY = "2026-01-01"


def unit(name, parent="tc", kind="province", since="", until=""):
    return Unit(id=name, name=name, type=kind, parent=parent, valid_from=since, valid_to=until)


def fact(name, what, value, since="", until=""):
    return UnitFact(unit=name, what=what, value=value, valid_from=since, valid_to=until)


def took_over(successor, predecessor, day="2025-07-01"):
    return Succession(predecessor=predecessor, successor=successor, day=day)


TOP = unit("tc", "", "supreme")
OLD = {"until": "2025-06-30"}
NEW = {"since": "2025-07-01"}

MERGER = Org(
    [
        TOP,
        unit("lao-cai", **OLD),
        unit("yen-bai", **OLD),
        unit("moi", **NEW),
        unit("ha-noi"),
        unit("huyen-1", "yen-bai", "district", **OLD),
        unit("huyen-2", "yen-bai", "district"),
        unit("kv-1", "moi", "area"),
    ],
    successions=[took_over("moi", "lao-cai"), took_over("moi", "yen-bai")],
)


def test_a_tree_is_read_from_above_and_from_below():
    assert MERGER.roots(DAY) == ("tc",)
    assert MERGER.children("tc", DAY) == ("moi", "ha-noi")
    assert MERGER.parent("kv-1", DAY) == "moi"
    assert MERGER.path("kv-1", DAY) == ("tc", "moi", "kv-1")
    assert MERGER.subtree("moi", DAY) == {"moi", "huyen-2", "kv-1"}


def test_the_child_of_a_unit_that_ended_stands_under_its_successor():
    assert MERGER.parent("huyen-2", "2025-06-30") == "yen-bai"
    assert MERGER.parent("huyen-2", "2025-07-01") == "moi"


def test_before_its_parent_began_a_unit_stands_under_the_root_if_there_were_several():
    assert MERGER.parent("kv-1", "2025-06-30") == "tc"


def test_before_its_parent_began_a_unit_stands_under_the_only_predecessor():
    renewed = Org(
        [TOP, unit("cu", **OLD), unit("moi", **NEW), unit("kv", "moi", "area")],
        successions=[took_over("moi", "cu")],
    )
    assert renewed.parent("kv", "2025-06-30") == "cu"


def test_a_dated_parent_counts_before_the_record():
    moved = Org([TOP, unit("a"), unit("b"), unit("kv", "b", "area")], [fact("kv", "parent", "a", until="2025-06-30")])
    assert moved.parent("kv", "2025-06-30") == "a"
    assert moved.parent("kv", "2025-07-01") == "b"


@pytest.mark.parametrize("successors", [[], ["b", "c"]], ids=["none", "two"])
def test_a_unit_stands_under_the_root_if_it_cannot_be_told_who_carries_on_its_parent(successors):
    org = Org(
        [TOP, unit("a", **OLD), unit("b", **NEW), unit("c", **NEW), unit("kv", "a", "area")],
        successions=[took_over(one, "a") for one in successors],
    )
    assert org.parent("kv", DAY) == "tc"


def test_a_unit_that_took_over_from_the_one_above_it_stands_under_the_root():
    org = Org(
        [TOP, unit("a", **OLD), unit("b", "a", "area"), unit("c", "b", "area")], successions=[took_over("b", "a")]
    )
    assert org.path("c", DAY) == ("tc", "b", "c")


def test_two_units_that_took_over_from_each_others_parent_both_stay_in_the_tree():
    org = Org(
        [TOP, unit("p", **OLD), unit("q", **OLD), unit("a", "p", "area"), unit("b", "q", "area")],
        successions=[took_over("b", "p"), took_over("a", "q")],
    )
    assert org.children("tc", DAY) == ("a", "b")


def test_names_change_with_the_day():
    org = Org(
        [TOP, Unit(id="dn", name="Viện kiểm sát nhân dân thành phố Đồng Nai", type="province", parent="tc")],
        [
            fact("dn", "name", "Viện kiểm sát nhân dân tỉnh Đồng Nai", until="2026-04-29"),
            fact("dn", "short", "VKS ĐN", since="2026-06-01"),
            fact("dn", "domain", "one.gov.vn"),
            fact("dn", "domain", "two.gov.vn", until="2025-12-31"),
            fact("dn", "code.ma_dinh_danh", "G01"),
        ],
    )
    assert org.name("dn", "2026-04-29").endswith("tỉnh Đồng Nai")
    assert org.name("dn", "2026-04-30").endswith("thành phố Đồng Nai")
    assert [org.status("dn", day) for day in ("2026-04-29", "2026-04-30")] == ["tỉnh", "thành phố"]
    assert [org.short("dn", day) for day in ("2026-05-01", "2026-06-01")] == ["VKSND thành phố Đồng Nai", "VKS ĐN"]
    assert org.domains("dn", "2025-01-01") == ("one.gov.vn", "two.gov.vn")
    assert org.domains("dn", DAY) == ("one.gov.vn",)
    assert org.code("dn", "ma_dinh_danh", DAY) == "G01"
    assert org.code("dn", "gso", DAY) == ""
    assert {"VKS TP Đồng Nai", "VKSND Đồng Nai", "Đồng Nai"} <= set(org.aliases("dn", "2026-05-01"))


def test_a_name_of_another_day_is_found_if_nobody_bears_it_on_this_one():
    org = Org([TOP, unit("dn")], [fact("dn", "name", "Tên cũ", until="2025-06-30")])
    assert [one.id for one in org.find("tên cũ", DAY)] == ["dn"]
    assert [one.id for one in org.find("DN", "2025-01-01")] == ["dn"]


def test_who_bears_a_name_on_the_day_counts_before_who_bore_it():
    org = Org(
        [TOP, unit("a"), unit("b")],
        [fact("a", "code.gso", "15", until="2025-06-30"), fact("b", "code.gso", "15", since="2025-07-01")],
    )
    assert [[one.id for one in org.find("15", day)] for day in ("2025-06-30", DAY)] == [["a"], ["b"]]


def test_the_name_of_a_unit_that_was_split_means_all_its_successors():
    org = Org(
        [TOP, unit("a", **OLD), unit("c", **NEW), unit("b", **NEW)],
        successions=[took_over("c", "a"), took_over("b", "a")],
    )
    assert [one.id for one in org.find("A", DAY)] == ["b", "c"]
    assert [one.id for one in org.find("b", "2025-06-30")] == ["a"]


@pytest.mark.parametrize("text", ["", " ", "-", "nobody", "a b c"])
def test_what_names_nobody_finds_nothing(text):
    assert MERGER.find(text, DAY) == []


def test_an_unknown_unit_is_nothing_and_reaches_nothing():
    assert MERGER.unit("x") is None
    assert (MERGER.name("x", DAY), MERGER.parent("x", DAY), MERGER.status("x", DAY)) == ("", "", "")
    assert (MERGER.children("", DAY), MERGER.path("x", DAY), MERGER.successors("x", DAY)) == ((), (), ())
    assert MERGER.subtree("x", DAY) == MERGER.reach("x", DAY) == frozenset()
    assert Org().at(DAY) == []


def test_successions_are_followed_through_units_that_ended_since():
    chain = Org(
        [TOP, unit("a", **OLD), unit("b", since="2025-07-01", until="2025-12-31"), unit("c", since="2026-01-01")],
        successions=[took_over("b", "a"), took_over("c", "b", "2026-01-01")],
    )
    assert chain.successors("a", "2025-08-01") == ("b",)
    assert chain.successors("a", DAY) == ("c",)
    assert chain.predecessors("c", "2025-01-01") == ("a",)
    assert chain.successors("c", DAY) == ()
    assert chain.reach("c", DAY) == {"a", "b", "c"}


def test_who_takes_over_from_a_unit_sees_its_history_and_its_former_subtrees():
    assert MERGER.reach("moi", DAY) == {"moi", "huyen-2", "kv-1", "lao-cai", "yen-bai", "huyen-1"}
    assert MERGER.reach("ha-noi", DAY) == {"ha-noi"}


def test_a_former_unit_reaches_its_own_history_alone():
    assert MERGER.reach("yen-bai", DAY) == {"yen-bai"}
    assert MERGER.reach("yen-bai", "2025-06-30") == {"yen-bai", "huyen-1", "huyen-2"}


def test_a_unit_that_ended_with_no_successor_belongs_to_the_one_it_stood_under():
    org = Org([TOP, unit("a"), unit("b"), unit("huyen", "a", "district", **OLD)])
    assert org.reach("a", DAY) == {"a", "huyen"}
    assert org.reach("b", DAY) == {"b"}


def test_records_that_nobody_checked_do_no_harm():
    org = Org(
        [unit("a", "b"), unit("b", "a"), unit("c", "nowhere"), unit("d", "d", until="2025-06-30")],
        [fact("x", "name", "X")],
        [took_over("d", "d"), took_over("x", "a"), took_over("a", "x")],
    )
    assert sorted(org.roots(DAY)) == ["a", "b", "c"]
    assert org.successors("d", DAY) == ()
    assert "d" not in org.reach("a", DAY)  # nobody stands above all, so nobody gets what is left over


GOOD_UNITS = [TOP, unit("a", **OLD), unit("b", **NEW), unit("kv", "b", "area")]
GOOD_FACTS = [fact("a", "code.gso", "15", until="2025-06-30"), fact("b", "code.gso", "15", since="2025-07-01")]
GOOD_SUCCESSIONS = [took_over("b", "a")]


def check(units=(), facts=(), successions=()):
    check_units(
        [(f"units.yml, line {line}", row) for line, row in enumerate([*GOOD_UNITS, *units], 1)],
        [(f"unit_facts.csv, line {line}", row) for line, row in enumerate([*GOOD_FACTS, *facts], 2)],
        [(f"successions.csv, line {line}", row) for line, row in enumerate([*GOOD_SUCCESSIONS, *successions], 2)],
    )


def test_good_records_pass():
    check()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"units": [unit("kv")]}, r"units\.yml, line 5: duplicate unit 'kv', first at units\.yml, line 4"),
        ({"units": [unit("c", "x")]}, r"units\.yml, line 5: unknown unit 'x'"),
        ({"units": [unit("c", "")]}, r"units\.yml, line 5: no parent"),
        ({"units": [unit("c", since="2025-02-30")]}, r"units\.yml, line 5: there is no day '2025-02-30'"),
        ({"units": [unit("c", since="2025-07-01", until="2025-06-30")]}, r"units\.yml, line 5: ends on 2025-06-30"),
        ({"units": [unit("c", "d"), unit("d", "c")]}, r"units\.yml, line 5: the parents of unit 'c' form a circle"),
        ({"units": [unit("c", "c")]}, r"units\.yml, line 5: the parents of unit 'c' form a circle"),
        (
            {"units": [unit("c", "kv")], "facts": [fact("kv", "parent", "c", since="2026-01-01")]},
            r"units\.yml, line 4: the parents of unit 'kv' form a circle",
        ),
        ({"facts": [fact("x", "alias", "X")]}, r"unit_facts\.csv, line 4: unknown unit 'x'"),
        ({"facts": [fact("kv", "parent", "x")]}, r"unit_facts\.csv, line 4: unknown unit 'x'"),
        ({"facts": [fact("kv", "alias", "X", since="2025-13-01")]}, r"unit_facts\.csv, line 4: there is no day"),
        ({"facts": [fact("kv", "alias", "X", "2025-02-01", "2025-01-01")]}, r"unit_facts\.csv, line 4: ends on"),
        (
            {"facts": [fact("b", "alias", "B", since="2025-06-30")]},
            r"unit_facts\.csv, line 4: 2025-06-30 is outside the life of 'b'; expected a day within 2025-07-01 to …",
        ),
        (
            {"facts": [fact("a", "alias", "A", until="2025-07-01")]},
            r"unit_facts\.csv, line 4: 2025-07-01 is outside the life of 'a'",
        ),
        (
            {"facts": [fact("kv", "name", "K", until="2025-06-30"), fact("kv", "name", "L", since="2025-06-30")]},
            r"unit_facts\.csv, line 5: name 'L' of 'kv' overlaps the row at unit_facts\.csv, line 4",
        ),
        ({"facts": [fact("kv", "code.gso", "15")]}, r"unit_facts\.csv, line 4: code\.gso '15' of 'kv' overlaps"),
        ({"successions": [took_over("x", "a")]}, r"successions\.csv, line 3: unknown unit 'x'"),
        ({"successions": [took_over("b", "x")]}, r"successions\.csv, line 3: unknown unit 'x'"),
        (
            {"successions": [took_over("kv", "a", "2025-07-32")]},
            r"successions\.csv, line 3: there is no day '2025-07-32'",
        ),
        ({"successions": [took_over("b", "a")]}, r"successions\.csv, line 3: duplicate succession of 'b' to 'a'"),
        ({"successions": [took_over("b", "kv")]}, r"successions\.csv, line 3: 'kv' still exists on 2025-07-01"),
        ({"successions": [took_over("a", "b")]}, r"successions\.csv, line 2: 'a' succeeds to itself in a circle"),
        (
            {"units": [unit("c", **OLD)], "successions": [took_over("c", "a", "2025-07-02")]},
            r"successions\.csv, line 3: 'c' does not exist on 2025-07-02",
        ),
    ],
)
def test_a_bad_row_is_named_with_its_place(rows, message):
    with pytest.raises(ContentError, match=message) as caught:
        check(**rows)
    assert "expected" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_open_periods_end_with_the_calendar():
    assert period(TOP) == ("0001-01-01", LAST_DAY)
    assert day_after(LAST_DAY) == LAST_DAY
    assert day_after("2024-02-28") == "2024-02-29"
