"""Text as people type it in haste: how words are looked for in what is stored."""

from __future__ import annotations

import unicodedata


def words(text: str) -> str:
    """The text in which words are looked for: NFC and lower case."""
    return unicodedata.normalize("NFC", text).lower()


def fold(text: str) -> str:
    """The text without diacritics: ``viện`` as ``vien``, ``đ`` as ``d``."""
    letters = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
