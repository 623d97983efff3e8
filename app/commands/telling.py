"""An explanation as lines of text: the condition as a tree, each part with a sign whether it is met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from core.records import FieldValue
from detections.explain import Explanation, Part, deciding

MOST = 5
"""Tests of one field with one outcome that are told one by one."""
MOST_REASONS = 3
LONG = 200
"""Characters of a value that are shown."""

_SIGN = {True: "✓", False: "✗"}
_KINDS = {"all": "tất cả / all of", "any": "một trong / any of", "not": "không / not"}


def explanation_lines(explanation: Explanation) -> Iterator[str]:
    """The rule, whether it hits, its log source, and each condition as a tree."""
    titles = dict.fromkeys((explanation.title["vi"], explanation.title["en"]))
    yield f"{' / '.join(titles)} ({explanation.rule})"
    yield f"{_SIGN[explanation.hit]} {'khớp / hit' if explanation.hit else 'không khớp / no hit'}"
    yield _source_line(explanation)
    for part in explanation.conditions:
        yield from _lines(part, 0)


def failure_reasons(explanation: Explanation) -> list[str]:
    """Why the rule hit or did not: the log source if it is not met, else the tests that decide, the first few."""
    if not explanation.logsource.met:
        return [_source_line(explanation)]
    meant = [part for part in explanation.conditions if part.met == explanation.hit]
    told = [_test_line(test) for part in meant for test in deciding(part)]
    left = len(told) - MOST_REASONS
    return [*told[:MOST_REASONS], *([f"… và {left} nữa / and {left} more"] if left > 0 else [])]


def _source_line(explanation: Explanation) -> str:
    source = explanation.logsource
    asked = {"product": source.rule.product, "category": source.rule.category, "service": source.rule.service}
    has = {"product": source.products, "category": source.categories, "service": source.services}
    wanted = ", ".join(f"{term} {text}" for term, text in asked.items() if text) or "-"
    given = ", ".join(f"{term} {'|'.join(texts)}" for term, texts in has.items() if texts) or "-"
    return f"{_SIGN[source.met]} nguồn / log source: {wanted}; bản ghi có / the event has: {given}"


def _lines(part: Part, depth: int) -> Iterator[str]:
    if part.parts:
        name = f" [{part.name}]" if part.name else ""
        yield f"{'  ' * depth}{_SIGN[part.met]} {_KINDS[part.kind]}{name}"
        for _, alike in groupby(part.parts, key=_alike):
            yield from _some(list(alike), depth + 1)
    else:
        yield "  " * depth + _test_line(part)


def _alike(part: Part) -> tuple[object, ...]:
    """What tests of one field with one outcome share; other parts are alike to none."""
    return (id(part),) if part.parts else (part.field, part.met)


def _some(parts: Sequence[Part], depth: int) -> Iterator[str]:
    for part in parts[:MOST]:
        yield from _lines(part, depth)
    if len(parts) > MOST:
        more = len(parts) - MOST
        sign = _SIGN[parts[0].met]
        yield f"{'  ' * depth}{sign} … và {more} giá trị nữa của / and {more} more values of: {parts[0].field or '-'}"


def _test_line(part: Part) -> str:
    name = f" [{part.name}]" if part.name else ""
    wanted = f"{part.wanted.test} '{_short(part.wanted.value)}'" if part.wanted else ""
    field = part.field if part.kind == "field" else "từ khóa / keyword"
    return f"{_SIGN[part.met]}{name} {field} {wanted}: {_found(part)}"


def _found(part: Part) -> str:
    if part.kind == "keyword":
        return f"có trong / in: {_text(part.found)}" if part.met else "không có ở đâu / nowhere in the event"
    if not part.key:
        return f"không có trường này / the field is missing (đã tìm / looked for: {', '.join(part.keys)})"
    under = f" ({part.key})" if part.key != part.field else ""
    return f"có / has: {_text(part.found)}{under}"


def _text(value: FieldValue) -> str:
    if value is None:
        return "null"
    return _short(", ".join(f"'{one}'" for one in value)) if isinstance(value, list) else f"'{_short(str(value))}'"


def _short(text: str) -> str:
    return text if len(text) <= LONG else f"{text[:LONG]}…"
