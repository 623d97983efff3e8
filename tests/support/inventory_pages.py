"""Somebody at a console that knows the small sector: for the tests of the inventory's pages."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from html import unescape
from typing import Any

from sectors import small_sector, source_of

from console.deps import Console
from core.clock import MINUTE
from core.scope import Grant
from core.sources import Sources, SourceState
from inventory.records import Inventory

NOW = 1_795_300_000_000_000_000
"""That of the tests' clock: 22/11/2026 in Vietnam."""
SECTOR = small_sector()
SOURCES = (
    source_of("RT-DN", "dn", NOW),
    source_of("FW-DN", "dn", NOW, SourceState.SILENT),
    source_of("RT-LC", "lc", NOW),
    source_of("RT-AG", "ag", NOW, SourceState.SILENT),
)
"""One site is up, one degraded, one down, and the others are unknown."""
TOLD = Sources(written=NOW - MINUTE, sources=SOURCES)


def opener(console: Console, browse: Callable[[Console], Any], centre: Any) -> Callable[..., Any]:
    """``at(*grants, inventory=..., told=...)`` is the browser of somebody with these grants, signed in."""

    def at(*given: Grant, inventory: Inventory = SECTOR, told: Sources = TOLD) -> Any:
        if given:
            centre.set_grants("an", *given)
        browser = browse(dataclasses.replace(console, inventory=lambda: inventory, sources=lambda: told))
        assert browser.sign_in("an").status_code == 303
        return browser

    return at


def texts(page: str, pattern: str) -> list[str]:
    """What the pattern finds in the page, as people read it."""
    return [unescape(found) for found in re.findall(pattern, page)]
