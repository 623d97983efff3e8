"""The words: the same keys in both languages, and every key that is used is there."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import console
from console.texts import LANGUAGES, load_texts, say, say_if_known
from core.incident import State, Verdict
from core.records import Severity

HERE = Path(console.__file__).parent
SOURCES = [*HERE.glob("*.py"), *(HERE / "templates").iterdir()]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys_and_the_same_values_put_in():
    vietnamese, english = load_texts("vi"), load_texts("en")
    assert vietnamese.keys() == english.keys()
    assert {key: placeholders(text) for key, text in vietnamese.items()} == {
        key: placeholders(text) for key, text in english.items()
    }


def test_no_text_is_empty():
    assert [(language, key) for language in LANGUAGES for key, text in load_texts(language).items() if not text] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_key_that_is_used_whole_is_there(source: Path):
    used = re.findall(r"""\bt\(["']([a-z_]+\.[a-z0-9_-]+)["'][,)]""", source.read_text("utf-8"))
    used += re.findall(r"""\bsay\(\w+(?:\(\w+\))?, ["']([a-z_]+\.[a-z0-9_-]+)["'][,)]""", source.read_text("utf-8"))
    assert [key for key in used if key not in load_texts("vi")] == []


@pytest.mark.parametrize(("prefix", "words"), [("severity", Severity), ("state", State), ("verdict", Verdict)])
def test_every_word_of_the_records_has_its_text(prefix, words):
    for word in words:
        assert f"{prefix}.{word.value}" in load_texts("vi")


def test_an_unknown_word_is_shown_as_it_came():
    assert say_if_known("vi", "timeline.merge", "merge") == "merge"
    assert say_if_known("vi", "timeline.noted", "noted") == "Ghi chú"


def test_values_are_put_in():
    assert say("en", "incident.title", number=7) == "Incident 7"
