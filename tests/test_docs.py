"""The documents say what is there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from app.cli import GROUPS, TOP, build
from core.settings import Settings

HOME = Path(__file__).resolve().parent.parent
SETTINGS = (HOME / "docs" / "settings.md").read_text(encoding="utf-8")
READMES = ("README.md", "README.vi.md")


def sections(annotation: object) -> list[type[BaseModel]]:
    """The sections that a field is, may be, or has several of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in get_args(annotation) for found in sections(inner)]


def keys(section: type[BaseModel]) -> list[str]:
    found = []
    for name, field in section.model_fields.items():
        inner = sections(field.annotation)
        found += [key for one in inner for key in keys(one)]
        if field.annotation not in inner:
            found.append(name)
    return found


@pytest.mark.parametrize("key", keys(Settings))
def test_every_setting_is_described(key: str):
    assert f"`{key}`" in SETTINGS


@pytest.mark.parametrize("readme", READMES)
def test_every_command_in_a_readme_exists(readme: str):
    text = (HOME / readme).read_text(encoding="utf-8")
    named = set(re.findall(r"^ {4}haidang (\w+)", text, re.MULTILINE))
    assert named
    assert named <= GROUPS.keys() | TOP.keys()


def test_every_command_builds():
    assert build(None) is not None
    for module in {*GROUPS.values(), *TOP.values()}:
        assert importlib.import_module(module).commands


def test_the_pipeline_tells_the_product_in_at_most_60_lines():
    assert len((HOME / "app" / "pipeline.py").read_text(encoding="utf-8").splitlines()) <= 60
