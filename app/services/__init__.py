"""The platform's processes, one module each; a process loads its own and no other."""

from __future__ import annotations

SERVICES = {
    "centre": "app.services.centre",
    "logs": "app.services.logs",
    "snmp": "app.services.snmp",
    "console": "app.services.console",
}
"""Every process by its name with the module that holds its ``run``, in the order in which they start."""

LANES = ("logs", "snmp")
"""Those that own a kind of input and may run alone."""
