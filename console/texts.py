"""Every word that people see, in Vietnamese and English: ``i18n/vi.toml`` and ``en.toml`` have the same keys."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

FOLDER = Path(__file__).resolve().parent / "i18n"
LANGUAGES = ("vi", "en")


@cache
def load_texts(language: str) -> dict[str, str]:
    """All texts of a language by their dotted keys (``queue.title``)."""
    tables = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return dict(_flatten("", tables))


def say(language: str, key: str, **values: object) -> str:
    """The text of that key, with the values put in. An unknown key is a defect (KeyError)."""
    return load_texts(language)[key].format(**values)


def say_if_known(language: str, key: str, otherwise: str) -> str:
    """The text of that key; what has none is shown as it came."""
    return load_texts(language).get(key, otherwise)


def say_refusal(language: str, reason: str) -> str:
    """The centre's reason in that language; empty if its words are not among the ``refusal`` texts.

    The English texts are the centre's exact words, so each is also the pattern that finds its key and values.
    """
    for key, pattern in _refusals():
        if found := pattern.fullmatch(reason):
            return say(language, key, **found.groupdict())
    return ""


@cache
def _refusals() -> list[tuple[str, re.Pattern[str]]]:
    texts = load_texts("en").items()
    return [(key, _pattern(text)) for key, text in texts if key.startswith("refusal.")]


def _pattern(text: str) -> re.Pattern[str]:
    parts = [re.escape(words) + (f"(?P<{name}>.*?)" if name else "") for words, name, _, _ in Formatter().parse(text)]
    return re.compile("".join(parts), re.DOTALL)


def _flatten(prefix: str, table: dict[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        found += _flatten(f"{prefix}{key}.", value) if isinstance(value, dict) else [(prefix + key, value)]
    return found
