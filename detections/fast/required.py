"""The text that a regular expression cannot do without, read off its pattern. When in doubt there is none."""

from __future__ import annotations

_SHORTEST = 3
"""Letters of a text that is worth looking for."""

_NO_LETTER = frozenset("sSdDwWbBAznrtfva")
"""What may stand after a backslash without being itself; other letters and digits are given up on."""

_OPTIONAL = frozenset("*?{")
_ENDS_RUN = frozenset(".^$+)")


def required_text(pattern: str) -> str:
    """The longest text, in lower case, that is in every text, in lower case, that the expression meets; may be empty.

    Only what stands outside of groups and classes counts, and nothing if there are alternatives there.
    """
    runs, run, place = [""], "", 0
    while place < len(pattern):
        sign = pattern[place]
        if sign == "|":
            return ""
        if sign in "([":
            place = _past_group(pattern, place) if sign == "(" else _past_class(pattern, place)
            runs, run = [*runs, run], ""
            continue
        if sign == "\\":
            place += 1
            sign = pattern[place : place + 1]
            if sign.isalnum() and sign not in _NO_LETTER:
                return ""
            plain = not sign.isalnum() and sign.isascii()
        else:
            plain = sign.isascii() and sign not in _OPTIONAL | _ENDS_RUN
        if plain:
            run += sign
        else:
            runs, run = [*runs, run[:-1] if sign in _OPTIONAL else run], ""
        place = _past_repeat(pattern, place) if sign == "{" and not plain else place + 1
    longest = max((*runs, run), key=len).lower()
    return longest if len(longest) >= _SHORTEST else ""


def _past_repeat(pattern: str, place: int) -> int:
    """The place after the count of repeats that begins here, or the end: what is passed over is only not looked for."""
    end = pattern.find("}", place)
    return len(pattern) if end < 0 else end + 1


def _past_class(pattern: str, place: int) -> int:
    """The place after the class that begins here; a bracket that comes first is a member."""
    place += 2 if pattern[place + 1 : place + 2] == "^" else 1
    first = True
    while place < len(pattern) and (first or pattern[place] != "]"):
        first = False
        if pattern.startswith("[:", place):
            place = max(pattern.find(":]", place), place) + 2
        else:
            place += 2 if pattern[place] == "\\" else 1
    return place + 1


def _past_group(pattern: str, place: int) -> int:
    """The place after the group that begins here."""
    depth = 0
    while place < len(pattern):
        sign = pattern[place]
        if sign == "[":
            place = _past_class(pattern, place)
            continue
        if sign == "\\":
            place += 1
        depth += (sign == "(") - (sign == ")")
        place += 1
        if depth == 0:
            break
    return place
