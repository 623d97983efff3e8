"""Vietnamese text in its alphabet's order, and found as people type it.

Source: the Vietnamese alphabet of 29 letters, with f, j, w and z where other alphabets have them; the order of tones is
that of Vietnamese dictionaries: ngang, huyền, hỏi, ngã, sắc, nặng.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TypeAlias

from core.text import fold, words

TONES = "\N{COMBINING GRAVE ACCENT}\N{COMBINING HOOK ABOVE}\N{COMBINING TILDE}\N{COMBINING ACUTE ACCENT}"
TONES += "\N{COMBINING DOT BELOW}"
"""The marks of tones in their order; a syllable without one comes before all."""

_Weight: TypeAlias = tuple[int, int, str]
CollationKey: TypeAlias = tuple[tuple[_Weight, ...], tuple[int, ...], str]
"""What names are sorted by: letters and numbers, then tones, then the text itself."""

_LETTERS = {letter: place for place, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}
_PIECES = re.compile(r"[0-9]+|[^0-9]")
_OTHER, _NUMBER, _LETTER, _FOREIGN = range(4)
"""Spaces and signs come first, then numbers, the alphabet, and letters that are not in it."""


def vietnamese_key(text: str) -> CollationKey:
    """The key by which names stand in Vietnamese order: ``sorted(names, key=vietnamese_key)``.

    Letters decide before tones, and tones before case. A number stands by its value: "khu vực 2" before "khu vực 10".
    Two texts have one key only if they are the same in NFC.
    """
    letters, tones = split_tones(words(text))
    weights = tuple(_weight(piece) for piece in _PIECES.findall(letters))
    return weights, tones, unicodedata.normalize("NFC", text)


def split_tones(text: str) -> tuple[str, tuple[int, ...]]:
    """The text without the marks of its tones, in NFC, and each word's tone: 0 for ngang to 5 for nặng."""
    parts = unicodedata.normalize("NFD", text)
    toneless = unicodedata.normalize("NFC", "".join(mark for mark in parts if mark not in TONES))
    return toneless, tuple(max(map(_tone, word)) for word in parts.split())


def matches(text: str, wanted: str) -> bool:
    """Whether each word that is wanted is in the text, in any case, its diacritics ignored unless they are typed."""
    told = words(text)
    plain = fold(told)
    return all(word in told or word in plain for word in words(wanted).split())


def _tone(mark: str) -> int:
    return TONES.find(mark) + 1


def _weight(piece: str) -> _Weight:
    if piece[0] in "0123456789":
        value = piece.lstrip("0")  # compared by length and digits: a number of any length is cheap
        return _NUMBER, len(value), value
    if piece in _LETTERS:
        return _LETTER, _LETTERS[piece], ""
    return (_FOREIGN if piece.isalpha() else _OTHER), ord(piece), ""
