r"""Regular expressions of rules: RE2, whose time is linear in the text whatever the rule says.

What RE2 has no words for (look-around, back references) is refused with the expression. ``\d``, ``\w``, ``\s`` and
``\b`` mean ASCII, ``$`` the end of the text. Source: RE2 syntax; Sigma modifiers 2.1, ``re`` with ``i``, ``m``, ``s``.
"""

from __future__ import annotations

from collections.abc import Callable

import re2

from core.errors import ContentError

MAX_PATTERN = 2000  # characters

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


def compile_regex(pattern: str, flags: str = "") -> Callable[[str], bool]:
    """Whether a text holds what the pattern says; flags are letters out of ``i``, ``m`` and ``s``.

    Raises:
        ContentError: it is too long, not valid, or needs what RE2 does not have.
    """
    if len(pattern) > MAX_PATTERN:
        raise ContentError(f"a regular expression is longer than {MAX_PATTERN} characters")
    try:
        search = re2.compile(with_flags(pattern, flags), _OPTIONS).search
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if error.args else "not valid"
        raise ContentError(f"the regular expression '{pattern[:80]}' cannot be used: {reason}") from error
    return lambda text: search(text) is not None


def with_flags(pattern: str, flags: str) -> str:
    """The pattern with its flags written into it."""
    return f"(?{flags}){pattern}" if flags else pattern
