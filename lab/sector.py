"""The simulated sector: 30 sites, 90 devices, all on loopback addresses of their own."""

from __future__ import annotations

from pathlib import Path

from inventory.load import load_inventory
from inventory.records import Inventory

HOME = Path(__file__).resolve().parent
SECTOR = HOME / "data" / "sector"
"""The inventory folder of the sector."""

SCENARIOS = HOME / "scenarios"
"""The scenarios that come with the lab."""


def load_sector() -> Inventory:
    """The inventory of the simulated sector."""
    return load_inventory(SECTOR)
