"""What units are called: the spellings that follow from an official name, and whom a text names on a day.

The rule: for "Viện kiểm sát nhân dân tỉnh X" people also write Viện kiểm sát, VKSND or VKS instead of its first words,
leave out tỉnh or thành phố, write TP for the latter, or just name the place. Whatever else a unit is called is data.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from core.text import fold, words
from inventory.sorting import TONES, split_tones

_BODIES = ("Viện kiểm sát nhân dân", "VKSND", "Viện kiểm sát", "VKS")
_BODY = re.compile(r"(?:viện kiểm sát nhân dân|vksnd|viện kiểm sát|vks)\s+(?P<rest>.+)", re.IGNORECASE)
_PLACE = re.compile(r"(?P<rank>tỉnh|thành phố|tp)(?:\s*\.\s*|\s+)(?P<name>.+)", re.IGNORECASE)
_OFFICIAL = re.compile(r"Viện kiểm sát nhân dân(?=\s)", re.IGNORECASE)
_WORD = re.compile(r"\w+")


def spellings(name: str) -> tuple[str, ...]:
    """The name and all that the rule makes of it."""
    name = unicodedata.normalize("NFC", name)
    found = _BODY.fullmatch(name)
    if found is None:
        return (name,)
    endings = _endings(found["rest"])
    made: dict[str, str] = {}
    for text in (name, *(f"{body} {ending}" for body in _BODIES for ending in endings), *endings):
        made.setdefault(words(text), text)
    return tuple(made.values())


def shorten(name: str) -> str:
    """The name with VKSND for its first words."""
    return _OFFICIAL.sub("VKSND", unicodedata.normalize("NFC", name), count=1)


def rank(name: str) -> str:
    """Of what the unit with this name is the procuracy: ``tỉnh``, ``thành phố``, or empty where it does not say."""
    body = _BODY.fullmatch(unicodedata.normalize("NFC", name))
    place = _PLACE.fullmatch(body["rest"]) if body else None
    if place is None:
        return ""
    return "tỉnh" if words(place["rank"]) == "tỉnh" else "thành phố"


def _endings(rest: str) -> tuple[str, ...]:
    place = _PLACE.fullmatch(rest)
    if place is None:
        return (rest,)
    ranks = ("tỉnh",) if words(place["rank"]) == "tỉnh" else ("thành phố", "TP")
    return (rest, *(f"{word} {place['name']}" for word in ranks), place["name"])


@dataclass(frozen=True, slots=True)
class Spelling:
    """What a unit is called, by a name, code, domain or id, from a first to a last day."""

    text: str
    unit: str
    first: str
    last: str


class NameIndex:
    """Finds the units that a text names."""

    def __init__(self, named: Iterable[Spelling]) -> None:
        self._by_plain_words: dict[tuple[str, ...], list[tuple[tuple[str, ...], Spelling]]] = {}
        for spelling in named:
            spelled = _spelled(spelling.text)
            self._by_plain_words.setdefault(tuple(map(fold, spelled)), []).append((spelled, spelling))

    def find(self, text: str, day: str) -> tuple[str, ...]:
        """Ids of the units that are called so on the day; else of those that were last, else of those that will be."""
        asked = _spelled(text)
        known = self._by_plain_words.get(tuple(map(fold, asked)), ()) if asked else ()
        found = [spelling for spelled, spelling in known if _means(asked, spelled)]
        return tuple(dict.fromkeys(spelling.unit for spelling in _nearest(found, day)))


def _nearest(found: list[Spelling], day: str) -> list[Spelling]:
    now = [spelling for spelling in found if spelling.first <= day <= spelling.last]
    if now or not found:
        return now
    last = max((spelling.last for spelling in found if spelling.last < day), default="")
    if last:
        return [spelling for spelling in found if spelling.last == last]
    first = min(spelling.first for spelling in found)
    return [spelling for spelling in found if spelling.first == first]


def _means(asked: tuple[str, ...], spelled: tuple[str, ...]) -> bool:
    """Whether the words are these, diacritics ignored unless they are typed."""
    return all(word in {known, fold(known)} for word, known in zip(asked, spelled, strict=True))


def _spelled(text: str) -> tuple[str, ...]:
    """The words, each with its tone at its end: ``Hoà`` and ``Hòa`` are one word."""
    return tuple(_tone_last(word) for word in _WORD.findall(words(text)))


def _tone_last(word: str) -> str:
    letters, tones = split_tones(word)
    return letters + "".join(TONES[tone - 1] for tone in tones if tone)
