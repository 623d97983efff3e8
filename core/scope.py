"""What a reader may see; every read of what belongs to sites or units names one. Grants are what it is made from."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Grant(msgspec.Struct, frozen=True, order=True):
    """A role at a unit, for the unit's subtree; without a unit for the whole sector."""

    role: str
    unit: str = ""


class Scope(msgspec.Struct, frozen=True):
    """Sites, and the units whose they are. ``None`` means everything, including what belongs to no known one.

    Attributes:
        over: the units at which a grant reaches some of this: who has one there is a colleague, others are strangers;
            ``None`` where nobody is one.
    """

    sites: frozenset[str] | None
    units: frozenset[str] | None = None
    over: frozenset[str] | None = frozenset()

    def allows(self, site: str) -> bool:
        """Whether something at this site is within the scope."""
        return self.sites is None or site in self.sites

    def allows_unit(self, unit: str) -> bool:
        """Whether this unit is within the scope."""
        return self.units is None or unit in self.units

    def holds(self, units: Iterable[str]) -> bool:
        """Whether all of these units are within the scope; the empty one is the whole sector's alone."""
        return self.is_everything or all(unit and self.allows_unit(unit) for unit in units)

    def at(self, site: str) -> Scope:
        """Only this site, of what is within the scope."""
        return Scope(sites=frozenset({site} if self.allows(site) else ()), units=frozenset(), over=self.over)

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self.sites is None


EVERYTHING = Scope(sites=None, over=None)
"""For the platform's own work and for those who may see the whole sector."""

NOTHING = Scope(sites=frozenset(), units=frozenset())
