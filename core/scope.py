"""What a reader may see; every read of every store must name one."""

from __future__ import annotations

import msgspec


class Scope(msgspec.Struct, frozen=True):
    """A set of sites. ``sites=None`` means everything, including what belongs to no known site."""

    sites: frozenset[str] | None

    def allows(self, site: str) -> bool:
        """Whether something at this site is within the scope."""
        return self.sites is None or site in self.sites


EVERYTHING = Scope(sites=None)
"""For the platform's own work and for those who may see the whole sector."""
