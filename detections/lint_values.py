"""What may be wrong with the values of a rule: too short, or written in a dearer way than needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sigma.rule import SigmaDetection, SigmaDetectionItem
from sigma.types import SigmaExpansion, SigmaRegularExpression, SigmaString

from detections.wanted import shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sigma.types import SigmaType

    from core.sigma import LoadedRule

SHORT = 2  # characters; so short a text is found in nearly every value

_PLAIN = re.compile(
    r"(?P<start>\^(?:\.\*)?|\.\*)?(?P<text>(?:[^\\.^$*+?{}\[\]|()]|\\[^\w\s])+)(?P<end>\$|\.\*\$?)?", re.DOTALL
)
"""A regular expression that says no more than a text and on which side of it there may be more."""


def value_findings(rule: LoadedRule) -> Iterator[tuple[str, str]]:
    """The kind of each finding, with the field and its values."""
    for item in _items(rule.sigma.detection.detections.values()):
        where = item.field or "keyword"
        values = list(_apart(item.value))
        given = [value for value in item.original_value or () if isinstance(value, SigmaString)]
        short = [text for value in values for text in _short(value, keyword=item.field is None)]
        regexes = [text for value in values for text in _regex(value)]
        wildcards = [str(value) for value in given if shape(value)[0] == "contains"]
        for kind, found in (("short_contains", short), ("plain_regex", regexes), ("wildcards", wildcards)):
            if found:
                yield kind, f"{where}: {', '.join(dict.fromkeys(found))}"


def _items(detections: Iterable[object]) -> Iterator[SigmaDetectionItem]:
    for one in detections:
        if isinstance(one, SigmaDetection):
            yield from _items(one.detection_items)
        elif isinstance(one, SigmaDetectionItem):
            yield one


def _apart(values: Iterable[SigmaType]) -> Iterator[SigmaType]:
    for value in values:
        yield from _apart(value.values) if isinstance(value, SigmaExpansion) else (value,)


def _short(value: SigmaType, *, keyword: bool) -> Iterator[str]:
    if isinstance(value, SigmaString):
        test, text = shape(value)
        if (test == "contains" or keyword) and 0 < len(text) <= SHORT:
            yield f"'{text}'"


def _regex(value: SigmaType) -> Iterator[str]:
    if isinstance(value, SigmaRegularExpression) and not value.flags:
        instead = plain(str(value.regexp))
        if instead:
            yield f"{value.regexp} -> {instead}"


def plain(pattern: str) -> str:
    """The modifier that says the same as the regular expression; empty if none does."""
    found = _PLAIN.fullmatch(pattern)
    if not found:
        return ""
    return _INSTEAD[found["start"] == "^", found["end"] == "$"]


_INSTEAD = {
    (True, True): "cased",
    (True, False): "startswith|cased",
    (False, True): "endswith|cased",
    (False, False): "contains|cased",
}
