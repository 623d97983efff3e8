"""Placeholders of rules (``%internal_domains%`` under ``expand``) and the site's file that gives their values.

The file is a YAML map of a placeholder's name to its value or values. Source: Sigma modifiers 2.1, ``expand``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import msgspec
from sigma import types
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import ValueListPlaceholderTransformation
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule

from core.errors import ContentError
from core.files import read_bounded
from core.rule_text import MAX_FILE

VALUES_FILE = "site/values.yml"
"""The name of the site's file among the rule files of a snapshot."""

MAX_VALUES = 10_000  # values of one placeholder

Values: TypeAlias = Mapping[str, tuple[str | int, ...]]


def read_values(path: Path | None) -> dict[str, bytes]:
    """The site's file as it lies among rule files; nothing if the site has none.

    Raises:
        ContentError: it cannot be read or is too large.
    """
    return {} if path is None else {VALUES_FILE: read_bounded(path, MAX_FILE, "a file of values of placeholders")}


def site_values(content: object) -> Values:
    """The values in a site's file, read as YAML.

    Raises:
        ContentError: it is not a map of names to values, or one name has too many.
    """
    try:
        given = msgspec.convert(content or {}, dict[str, str | int | tuple[str | int, ...]])
    except msgspec.ValidationError as error:
        raise ContentError(f"{VALUES_FILE}: expected 'name: [value, ...]': {error}") from error
    values = {name: value if isinstance(value, tuple) else (value,) for name, value in given.items()}
    for name, several in values.items():
        if len(several) > MAX_VALUES:
            raise ContentError(f"{VALUES_FILE}: '{name}' has more than {MAX_VALUES} values")
    return values


def placeholders(rule: SigmaRule) -> tuple[str, ...]:
    """The names of the placeholders in a rule's values, each once."""
    found = (name for detection in rule.detection.detections.values() for name in _of_detection(detection))
    return tuple(dict.fromkeys(found))


def _of_detection(detection: SigmaDetection) -> Iterator[str]:
    for item in detection.detection_items:
        if isinstance(item, SigmaDetection):
            yield from _of_detection(item)
        elif isinstance(item, SigmaDetectionItem):
            for value in item.value:
                yield from _of_value(value)


def _of_value(value: types.SigmaType) -> Iterator[str]:
    if isinstance(value, types.SigmaExpansion):
        for one in value.values:
            yield from _of_value(one)
    elif isinstance(value, types.SigmaRegularExpression):
        yield from _of_value(value.regexp)
    elif isinstance(value, types.SigmaString):
        yield from (part.name for part in value.s if isinstance(part, types.Placeholder))


def expand(rule: SigmaRule, values: Values) -> None:
    """Puts the site's values in the place of a rule's placeholders.

    Raises:
        ContentError: a placeholder has no value; the message names all such.
    """
    named = placeholders(rule)
    missing = [name for name in named if not values.get(name)]
    if missing:
        raise ContentError(f"needs values of the site for {', '.join(f'%{name}%' for name in missing)}")
    if named:
        variables = {name: list(values[name]) for name in named}
        step = ProcessingItem(ValueListPlaceholderTransformation())
        ProcessingPipeline(items=[step], vars=variables).apply(rule)
