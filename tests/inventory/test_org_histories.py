"""Whatever happens to a sector, on every day its tree is whole and each former unit belongs somewhere."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.org import Org
from inventory.unit_check import check_units
from inventory.units import Succession, Unit, UnitFact, holds

TOP = Unit(id="tc", name="tc", type="supreme")


def unit(name, parent, since=""):
    return Unit(id=name, name=name, type="province", parent=parent, valid_from=since)


class History:
    """A sector to which things happen, day after day, as records that only grow."""

    def __init__(self) -> None:
        self.units = {
            one.id: one for one in (TOP, unit("p0", "tc"), unit("p1", "tc"), unit("k0", "p0"), unit("k1", "p1"))
        }
        self.facts: list[UnitFact] = []
        self.successions: list[Succession] = []
        self.day = date(2020, 1, 1)

    @property
    def today(self):
        return self.day.isoformat()

    @property
    def org(self):
        return Org(self.units.values(), self.facts, self.successions)

    def pass_days(self, days):
        self.day += timedelta(days=days)

    def pick(self, choose):
        """A unit that began before today and goes on, not the root, to which nothing has happened today."""
        busy = {row.successor for row in self.successions if row.day == self.today}
        idle = [one for one in self.units.values() if one.parent and not one.valid_to and one.id not in busy]
        return choose([one.id for one in idle if one.valid_from < self.today])

    def above(self, choose, below=frozenset()):
        return choose([one.id for one in self.units.values() if not one.valid_to and one.id not in below])

    def begin(self, parent):
        name = f"u{len(self.units)}"
        self.units[name] = unit(name, parent, self.today)
        return name

    def end(self, name):
        yesterday = (self.day - timedelta(days=1)).isoformat()
        self.units[name] = msgspec.structs.replace(self.units[name], valid_to=yesterday)
        self.facts = [one for one in self.facts if one.unit != name or one.valid_from <= yesterday]

    def hand_over(self, predecessors, successors):
        for name in predecessors:
            self.end(name)
            self.successions += [Succession(predecessor=name, successor=one, day=self.today) for one in successors]

    def move(self, name, parent):
        until = (self.day - timedelta(days=1)).isoformat()
        open_ones = [one for one in self.facts if one.unit == name and not one.valid_to]
        if any(one.valid_from == self.today for one in open_ones):
            return
        self.facts = [one for one in self.facts if one not in open_ones]
        self.facts += [msgspec.structs.replace(one, valid_to=until) for one in open_ones]
        self.facts.append(UnitFact(unit=name, what="parent", value=parent, valid_from=self.today))


def happen(history, what, choose):
    """One thing of those that happen to units."""
    if what == "begin":
        history.begin(history.above(choose))
        return
    name = history.pick(choose)
    if not name:
        return
    if what == "move":
        history.move(name, history.above(choose, history.org.subtree(name, history.today)))
    elif what == "end":
        history.end(name)
    elif what == "absorb":
        history.hand_over([name], [history.above(choose, {name, "tc"}) or "tc"])
    elif what == "merge":
        others = {name, history.pick(choose)}
        history.hand_over(others, [history.begin(history.above(choose, others))])
    else:
        history.hand_over([name], [history.begin(history.above(choose, {name})) for _ in range(2)])


@st.composite
def histories(draw):
    history = History()

    def choose(names):
        return draw(st.sampled_from(names)) if names else ""

    for what in draw(st.lists(st.sampled_from(["begin", "move", "end", "absorb", "merge", "split"]), max_size=12)):
        history.pass_days(draw(st.integers(0, 40)))
        happen(history, what, choose)
    history.pass_days(1)
    return history


def days(history):
    """Every day on which something began or ended, those around, and today."""
    found = {history.today}
    for text in {text for one in (*history.units.values(), *history.facts) for text in (one.valid_from, one.valid_to)}:
        if text:
            found |= {(date.fromisoformat(text) + timedelta(days=step)).isoformat() for step in (-1, 0, 1)}
    return sorted(found)


def heirs(history, name, day):
    """Who took over from a unit, by trying every way."""
    found = set()
    for row in history.successions:
        if row.predecessor == name and row.day <= day:
            alive = holds(history.units[row.successor], day)
            found |= {row.successor} if alive else heirs(history, row.successor, day)
    return found


def lineage(history, org, name, day):
    """A former unit, the former ones after it, and those that they stood under when they ended."""
    one = history.units[name]
    if holds(one, day):
        return set()
    found = {name} | lineage(history, org, org.parent(name, one.valid_to), day)
    return found.union(*(lineage(history, org, row.successor, day) for row in org.passed_to(name)))


def came_apart(history, org, name, day):
    """Whether a former unit, or one of its line, was split or went another way than the unit that it stood under."""
    line = lineage(history, org, name, day)
    split = any(len(org.passed_to(one)) > 1 for one in line)
    return split or any(org.passed_to(one) and org.parent(one, history.units[one].valid_to) in line for one in line)


@settings(deadline=None)
@given(histories())
def test_what_happens_makes_records_that_pass(history):
    check_units(
        [("units", one) for one in history.units.values()],
        [("facts", one) for one in history.facts],
        [("successions", one) for one in history.successions],
    )


@settings(deadline=None)
@given(histories())
def test_no_unit_is_lost_or_doubled_in_any_days_tree(history):
    org = history.org
    for day in days(history):
        met = list(org.roots(day))
        for one in met:
            met.extend(org.children(one, day))
        assert sorted(met) == sorted(one.id for one in history.units.values() if holds(one, day))
        assert sorted(met) == sorted(one.id for one in org.at(day))
        assert org.roots(day) == ("tc",)
        assert all(org.path(one, day)[0] == "tc" and org.path(one, day)[-1] == one for one in met)
        assert org.subtree("tc", day) == set(met)


@settings(deadline=None)
@given(histories())
def test_a_former_unit_resolves_to_those_who_took_over(history):
    org = history.org
    for day in days(history):
        for name in history.units:
            successors = set(org.successors(name, day))
            assert successors == heirs(history, name, day)
            assert all(holds(history.units[one], day) for one in successors)
            if successors:
                assert {one.id for one in org.find(name, day)} == successors


@settings(deadline=None)
@given(histories())
def test_the_root_reaches_every_unit_that_has_begun(history):
    org = history.org
    for day in days(history):
        assert org.reach("tc", day) == {one.id for one in history.units.values() if one.valid_from <= day}


@settings(deadline=None)
@given(histories())
def test_two_units_side_by_side_reach_the_same_only_where_a_former_one_came_apart(history):
    org = history.org
    for day in days(history):
        for above in (one.id for one in org.at(day)):
            below = org.children(above, day)
            assert all(org.reach(one, day) <= org.reach(above, day) for one in below)
            shared = [org.reach(a, day) & org.reach(b, day) for a in below for b in below if a < b]
            for name in frozenset[str]().union(*shared):
                assert not holds(history.units[name], day)
                assert came_apart(history, org, name, day)
