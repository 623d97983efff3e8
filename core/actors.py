"""The names under which acts what is no user: in the audit chain, in timelines, and where a call comes from."""

from __future__ import annotations

PLATFORM = "haidang"
"""The platform itself; no user has this name."""

LOCAL = "local:"
"""Before the name of an account of this machine that acts for itself."""
