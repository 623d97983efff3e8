"""The organisation on any day: its tree, what units were called then, and who took over from whom.

On each day every unit that exists stands exactly once in the tree. Its parent is the one that a dated fact names for
the day, else its record's. If that unit does not exist on the day, the one that carries it on does: its only successor
(or, before it began, its only predecessor) of the day. If there is none, or several, the supreme unit does; and where
there is none of these, or several, it stands under none, so that nobody gets what is not his.

Days are ISO dates as of Asia/Ho_Chi_Minh. An unknown id has no name, no parent and reaches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache

from inventory.sorting import vietnamese_key
from inventory.unit_names import NameIndex, Spelling, rank, shorten, spellings
from inventory.unit_tree import Tree, grow, sole_top
from inventory.units import CodeScheme, FactKind, Succession, Unit, UnitFact, day_after, holds, period

_DAYS_KEPT = 64
"""Days of which the tree stays in memory; most questions are about today."""


class Org:
    """The units with their dated facts and successions; immutable, and never lost in records that go in a circle."""

    def __init__(
        self, units: Iterable[Unit] = (), facts: Iterable[UnitFact] = (), successions: Iterable[Succession] = ()
    ) -> None:
        self._units = {unit.id: unit for unit in units}
        self._facts: dict[str, list[UnitFact]] = {}
        for fact in facts:
            self._facts.setdefault(fact.unit, []).append(fact)
        self._after: dict[str, list[Succession]] = {}
        self._before: dict[str, list[Succession]] = {}
        for succession in successions:
            self._after.setdefault(succession.predecessor, []).append(succession)
            self._before.setdefault(succession.successor, []).append(succession)
        self._tree: Callable[[str], Tree] = lru_cache(_DAYS_KEPT)(self._grow)
        self._heirs: Callable[[str], dict[str, frozenset[str]]] = lru_cache(_DAYS_KEPT)(self._find_heirs)

    # The tree of a day.

    def unit(self, unit_id: str) -> Unit | None:
        """The unit with this id, whenever it existed."""
        return self._units.get(unit_id)

    def at(self, day: str) -> list[Unit]:
        """The units that exist on this day, in the order of the records."""
        return [self._units[unit_id] for unit_id in self._tree(day).parents]

    def roots(self, day: str) -> tuple[str, ...]:
        """Ids of the units that stand under none: the supreme procuracy."""
        return self._tree(day).roots

    def top(self, day: str) -> str:
        """Id of the one supreme unit under which all others stand; empty where there is none, or several."""
        return self._tree(day).top

    def parent(self, unit_id: str, day: str) -> str:
        """Id of the unit above; empty for a root and for what does not exist on the day."""
        return self._tree(day).parents.get(unit_id, "")

    def children(self, unit_id: str, day: str) -> tuple[str, ...]:
        """Ids of the units right below."""
        return self._tree(day).children.get(unit_id, ()) if unit_id else ()

    def path(self, unit_id: str, day: str) -> tuple[str, ...]:
        """Ids from the root down to this unit; empty if it does not exist on the day."""
        return self._tree(day).path(unit_id)

    def subtree(self, unit_id: str, day: str) -> frozenset[str]:
        """Ids of this unit and all below; empty if it does not exist on the day."""
        return self._tree(day).below(unit_id)

    # What a unit is called.

    def name(self, unit_id: str, day: str) -> str:
        """The official name on the day."""
        return self._fact(unit_id, "name", day) or (self._units[unit_id].name if unit_id in self._units else "")

    def short(self, unit_id: str, day: str) -> str:
        """The short name: the recorded one, else the official one with VKSND for its first words."""
        return self._fact(unit_id, "short", day) or shorten(self.name(unit_id, day))

    def aliases(self, unit_id: str, day: str) -> tuple[str, ...]:
        """What else it is called: the recorded aliases, and what the rule of ``unit_names`` makes of all its names."""
        official, short = self.name(unit_id, day), self.short(unit_id, day)
        recorded = self.facts(unit_id, "alias", day)
        made = (spelling for name in (official, short, *recorded) for spelling in spellings(name))
        return tuple(name for name in dict.fromkeys((*recorded, *made)) if name not in {official, short})

    def code(self, unit_id: str, scheme: CodeScheme, day: str) -> str:
        """Its code in this scheme on the day; empty where none is known."""
        return self._fact(unit_id, "code.gso" if scheme == "gso" else "code.ma_dinh_danh", day)

    def domains(self, unit_id: str, day: str) -> tuple[str, ...]:
        """Its Internet domains, as far as they are known; those of units it took over from stay with them."""
        return self.facts(unit_id, "domain", day)

    def status(self, unit_id: str, day: str) -> str:
        """Of a provincial unit, ``tỉnh`` or ``thành phố``: as recorded, else as its name says; of others empty."""
        unit = self._units.get(unit_id)
        recorded = self._fact(unit_id, "status", day)
        return recorded or (rank(self.name(unit_id, day)) if unit and unit.type == "province" else "")

    def facts(self, unit_id: str, what: FactKind, day: str) -> tuple[str, ...]:
        """The values of this kind that hold on a day of the unit's life."""
        unit = self._units.get(unit_id)
        if unit is None or not holds(unit, day):
            return ()
        return tuple(fact.value for fact in self._facts.get(unit_id, ()) if fact.what == what and holds(fact, day))

    def find(self, text: str, day: str) -> list[Unit]:
        """The units of the day that a text means, in Vietnamese order: an id, name, alias, code or domain.

        A former unit means those that took over from it, one to come those it will take over from. What somebody is
        called on the day counts before what others were called. Case is ignored, and diacritics unless they are typed.
        """
        meant = (text,) if text in self._units else self._names.find(text, day)
        ids = dict.fromkeys(found for unit_id in meant for found in self.of_the_day(unit_id, day))
        return sorted((self._units[found] for found in ids), key=lambda unit: vietnamese_key(self.name(unit.id, day)))

    # Who took over from whom.

    def origins(self, unit_id: str) -> tuple[Succession, ...]:
        """From whom the unit itself took over, and when."""
        return tuple(self._before.get(unit_id, ()))

    def passed_to(self, unit_id: str) -> tuple[Succession, ...]:
        """Who took over from the unit itself, and when."""
        return tuple(self._after.get(unit_id, ()))

    def successors(self, unit_id: str, day: str) -> tuple[str, ...]:
        """Ids of the units existing on the day that took over, through any number of others, by that day."""
        return self._follow(unit_id, day, lambda one: [row.successor for row in self._passed(one, day)])

    def predecessors(self, unit_id: str, day: str) -> tuple[str, ...]:
        """Ids of the units existing on the day from which it took over, or will, through any number of others."""
        return self._follow(unit_id, day, lambda one: [row.predecessor for row in self._before.get(one, ())])

    def of_the_day(self, unit_id: str, day: str) -> tuple[str, ...]:
        """Ids of those that are this unit on the day: itself, else its successors or, before it began, predecessors."""
        if self._exists(unit_id, day):
            return (unit_id,)
        return self.successors(unit_id, day) or self.predecessors(unit_id, day)

    def reach(self, unit_id: str, day: str) -> frozenset[str]:
        """Ids of all units whose records are within a right given at this one: what rights are built on.

        These are its subtree on the day and the former units that belong to one of it. A former unit belongs to those
        that took over from it, and to those to whom the unit belongs that it stood under when it ended: who takes over
        from a unit sees its history and its subtree's. If nobody took over it belongs to the unit it stood under, and
        at last to the supreme one, so that no history is lost. A former unit itself reaches its own history, no more.
        """
        reached = self.subtree(unit_id, day) or self._ended(unit_id, day)
        former = self._heirs(day).items()
        return reached | {unit for unit, heirs in former if not reached.isdisjoint(heirs)}

    def _passed(self, unit_id: str, day: str) -> list[Succession]:
        return [row for row in self._after.get(unit_id, ()) if row.day <= day]

    def _follow(self, unit_id: str, day: str, ahead: Callable[[str], list[str]]) -> tuple[str, ...]:
        """All that are met first of the day's units, on each way ahead."""
        met = dict.fromkeys(ahead(unit_id))
        queue = list(met)
        for one in queue:  # grows while it is read
            if not self._exists(one, day):
                new = [unit for unit in ahead(one) if unit not in met]
                met.update(dict.fromkeys(new))
                queue.extend(new)
        return tuple(one for one in met if one != unit_id and self._exists(one, day))

    def _exists(self, unit_id: str, day: str) -> bool:
        return unit_id in self._units and holds(self._units[unit_id], day)

    def _ended(self, unit_id: str, day: str) -> frozenset[str]:
        """The unit, if it has ended before the day."""
        unit = self._units.get(unit_id)
        return frozenset({unit_id}) if unit and period(unit)[1] < day else frozenset()

    def _fact(self, unit_id: str, what: FactKind, day: str) -> str:
        return next(iter(self.facts(unit_id, what, day)), "")

    def _grow(self, day: str) -> Tree:
        named = {unit.id: self._named_parent(unit, day) for unit in self._units.values() if holds(unit, day)}
        above = {unit_id: self._above(unit_id, parent, day) for unit_id, parent in named.items()}
        carried = frozenset(unit_id for unit_id, parent in named.items() if above[unit_id] != parent)
        return grow(above, sole_top(self._units[unit_id] for unit_id, parent in above.items() if parent == ""), carried)

    def _named_parent(self, unit: Unit, day: str) -> str:
        return self._fact(unit.id, "parent", day) or unit.parent

    def _above(self, unit_id: str, named: str, day: str) -> str | None:
        """The parent of the day, none ("") or one that cannot be told (None)."""
        if not named:
            return ""
        carriers = self.of_the_day(named, day)
        return carriers[0] if len(carriers) == 1 and carriers[0] != unit_id else None

    def _find_heirs(self, day: str) -> dict[str, frozenset[str]]:
        """Of each former unit, the units of the day to which its history belongs, as ``reach`` tells it.

        Those that ended last come first, and of one day parents before children: each finds its heirs' known.
        """
        former = [unit for unit in self._units.values() if period(unit)[1] < day]
        former.sort(key=lambda unit: (unit.valid_to, -len(self.path(unit.id, unit.valid_to))), reverse=True)
        heirs: dict[str, frozenset[str]] = {}
        for unit in former:
            own = self._belongs((row.successor for row in self._passed(unit.id, day)), heirs, day)
            above = self.parent(unit.id, unit.valid_to)
            inherited = frozenset[str]() if own and self._exists(above, day) else self._belongs([above], heirs, day)
            heirs[unit.id] = own | inherited or frozenset(filter(None, [self.top(day)]))
        return heirs

    def _belongs(self, units: Iterable[str], heirs: dict[str, frozenset[str]], day: str) -> frozenset[str]:
        found = (frozenset({unit}) if self._exists(unit, day) else heirs.get(unit, frozenset()) for unit in units)
        return frozenset[str]().union(*found)

    @cached_property
    def _names(self) -> NameIndex:
        return NameIndex(spelling for unit in self._units.values() for spelling in self._spellings(unit))

    def _spellings(self, unit: Unit) -> Iterator[Spelling]:
        begin, end = period(unit)
        facts = [fact for fact in self._facts.get(unit.id, ()) if fact.what not in {"parent", "status"}]
        named_until = [period(fact)[1] for fact in facts if fact.what == "name"]
        name_from = max([begin, *map(day_after, named_until)])
        yield Spelling(unit.id, unit.id, begin, end)
        yield from (Spelling(text, unit.id, name_from, end) for text in spellings(unit.name))
        for fact in facts:
            first, last = period(fact)
            for text in spellings(fact.value):
                yield Spelling(text, unit.id, max(first, begin), min(last, end))
