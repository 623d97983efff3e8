"""Our top packages have plain names; another package of the same name, installed beside them, would shadow ours."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from core.errors import IntegrityError

TOP_PACKAGES = (
    "core",
    "inventory",
    "collectors",
    "detections",
    "correlation",
    "playbooks",
    "dashboards",
    "reports",
    "console",
    "app",
    "lab",
)


def check_layout() -> None:
    """Checks at start-up that each top package lies beside ``core``.

    Raises:
        IntegrityError: names the package that was found elsewhere or not at all.
    """
    home = Path(__file__).resolve().parent.parent
    for package in TOP_PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise IntegrityError(f"package '{package}' is missing beside {home / 'core'}: install haidang again")
        if Path(spec.origin).resolve().parent.parent != home:
            raise IntegrityError(
                f"package '{package}' was found in {Path(spec.origin).parent}, not beside {home / 'core'}: "
                "use a virtual environment of its own"
            )
