"""Speaking to whoever looks at the terminal or reads the journal."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """One line for whoever looks at the terminal or the journal."""
    sys.stderr.write(f"haidang: {text}\n")
    sys.stderr.flush()
