"""Every error this platform raises on purpose, and what its reader can do.

    HaidangError                    one clear line; exit status 1
    ├── SettingsError               correct the named key of haidang.toml
    ├── ContentError                correct the named file: a rule, an inventory row, a scenario
    ├── UnavailableError            something outside is not there: a port, a folder, the centre; try again later
    ├── RefusedError                the caller may not do this, or the object's state does not allow it
    │   └── NotFoundError           there is no such object within the caller's scope
    └── IntegrityError              stored data is not what was written: keep the disk, restore from a backup

A command line prints ``str(error)`` and nothing else. Any other exception is a defect and keeps its traceback.
"""

from __future__ import annotations


class HaidangError(Exception):
    """Base of all: its text is one line that says what is wrong and what to do."""


class SettingsError(HaidangError):
    """A setting has an unknown key, a wrong type or an impossible value."""


class ContentError(HaidangError):
    """A file of content (rule, inventory, scenario) cannot be used; the text names file and place."""


class UnavailableError(HaidangError):
    """A port, folder, process or peer that is needed is not there now."""


class RefusedError(HaidangError):
    """The request is understood and not allowed."""


class NotFoundError(RefusedError):
    """There is no such object, or none that the caller may see."""


class IntegrityError(HaidangError):
    """Stored data has changed or is missing since it was written."""
