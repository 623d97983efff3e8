from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st
from sigma.types import SigmaString

from detections.values import keyword_test, value_test


def plain_glob(pattern: str, text: str) -> bool:
    """The definition, by trying everything."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(plain_glob(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and plain_glob(pattern[1:], text[1:])


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=10))
def test_wildcards_mean_what_trying_everything_finds(pattern: str, text: str) -> None:
    assert value_test(SigmaString(pattern))(text) == plain_glob(pattern, text)


@given(st.text("ab*?", max_size=6), st.text("ab", max_size=10))
def test_a_keyword_is_the_same_with_anything_around_it(pattern: str, text: str) -> None:
    assert keyword_test(SigmaString(pattern))(text) == plain_glob(f"*{pattern}*", text)


def test_many_stars_take_no_longer_than_few() -> None:
    test = value_test(SigmaString("*a" * 40 + "*b"))
    start = time.perf_counter()
    assert not test("a" * 50_000)
    assert time.perf_counter() - start < 5  # trying every division would take longer than the universe has
