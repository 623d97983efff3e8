"""What a reader may see; every read of every store must name one. Grants are what it is made from."""

from __future__ import annotations

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
