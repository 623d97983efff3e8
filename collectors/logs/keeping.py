"""What the lane keeps of its sources between processes: what is shown, and what was learnt."""

from __future__ import annotations

from pathlib import Path

import msgspec

from collectors.logs.learning import Habit
from core.errors import IntegrityError, UnavailableError
from core.files import replace_file
from core.sources import Sources, read_sources, write_sources
from core.terminal import say

FORMAT = 1
_NAME = "habits.json"


class _Kept(msgspec.Struct, kw_only=True):
    format: int
    habits: dict[str, Habit]


class SourceFiles:
    """The two files in the lane's folder.

    Args:
        shown: the path of what is shown.
    """

    def __init__(self, shown: Path) -> None:
        self._shown = shown
        self._learnt = shown.with_name(_NAME)

    def read(self) -> tuple[Sources, dict[str, Habit]]:
        """What the last process left; what cannot be read is said and learnt anew."""
        try:
            return read_sources(self._shown), self._habits()
        except (IntegrityError, UnavailableError) as error:
            say(f"logs lane: {error}: sources are learnt anew")
            return Sources(), {}

    def show(self, sources: Sources) -> None:
        """Writes what is shown.

        Raises:
            OSError: it cannot be written.
        """
        write_sources(self._shown, sources)

    def keep(self, habits: dict[str, Habit]) -> None:
        """Writes what was learnt.

        Raises:
            OSError: it cannot be written.
        """
        replace_file(self._learnt, msgspec.json.encode(_Kept(format=FORMAT, habits=habits)))

    def _habits(self) -> dict[str, Habit]:
        try:
            kept = msgspec.json.decode(self._learnt.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise IntegrityError(f"{self._learnt} cannot be read: {error}") from error
        return kept.habits if kept.format == FORMAT else {}
