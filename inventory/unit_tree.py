"""The units of one day as a tree in which each stands exactly once, whatever their records say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from inventory.units import Unit


@dataclass(frozen=True, slots=True)
class Tree:
    """The units of one day: each one's parent, "" for a root, and each one's children, in the order of the records.

    Attributes:
        top: the one supreme unit above all; empty where there is none, or several.
    """

    parents: Mapping[str, str]
    children: Mapping[str, tuple[str, ...]]
    top: str

    @property
    def roots(self) -> tuple[str, ...]:
        """Those that stand under none."""
        return self.children.get("", ())

    def path(self, unit: str) -> tuple[str, ...]:
        """From the root down to this unit; empty for one that is not in the tree."""
        found = [unit] if unit in self.parents else []
        while found and self.parents[found[-1]]:
            found.append(self.parents[found[-1]])
        return tuple(reversed(found))

    def below(self, unit: str) -> frozenset[str]:
        """This unit and all under it; empty for one that is not in the tree."""
        found = [unit] if unit in self.parents else []
        for above in found:  # grows while it is read
            found.extend(self.children.get(above, ()))
        return frozenset(found)


def sole_top(without_parent: Iterable[Unit]) -> str:
    """Id of the supreme unit among those of a day that stand under none; empty unless it is the only one of them."""
    found = list(without_parent)
    return found[0].id if len(found) == 1 and found[0].type == "supreme" else ""


def grow(above: Mapping[str, str | None], top: str, carried: Collection[str] = ()) -> Tree:
    """The tree of units of which each has a parent among them, none ("") or one that cannot be told (None).

    What cannot be told hangs from the top; without one, it is a root. Parents that carry on what a unit really stood
    under (those of ``carried``) may form a circle, as where one below took over: there the carried one hangs from the
    top too. In a circle of records that nobody checked all do.
    """
    parents = {unit: top if parent is None else parent for unit, parent in above.items()}
    for circle in _circles(parents):
        parents.update(dict.fromkeys([unit for unit in circle if unit in carried] or circle, top))
    children: dict[str, list[str]] = {}
    for unit, parent in parents.items():
        children.setdefault(parent, []).append(unit)
    roots = children.get("", [])
    return Tree(parents, {parent: tuple(units) for parent, units in children.items()}, top if roots == [top] else "")


def _circles(parents: Mapping[str, str]) -> list[list[str]]:
    """The units that stand above themselves, circle by circle."""
    found: list[list[str]] = []
    seen: set[str] = set()
    for start in parents:
        walk: dict[str, int] = {}
        unit = start
        while unit and unit not in seen:
            seen.add(unit)
            walk[unit] = len(walk)
            unit = parents[unit]
        if unit in walk:
            found.append(list(walk)[walk[unit] :])
    return found
