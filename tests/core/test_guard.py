from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec

import pytest

from core.errors import IntegrityError
from core.guard import TOP_PACKAGES, check_layout


def test_the_packages_lie_beside_core():
    check_layout()
    assert "core" in TOP_PACKAGES


@pytest.fixture
def found(monkeypatch):
    """Makes one package be found elsewhere."""
    real = importlib.util.find_spec

    def replace(package, spec):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec if name == package else real(name))

    return replace


def test_a_package_of_the_same_name_installed_elsewhere_is_named(found):
    found("inventory", ModuleSpec("inventory", None, origin="/usr/lib/python3/dist-packages/inventory/__init__.py"))
    with pytest.raises(IntegrityError, match=r"'inventory' was found in /usr/lib/python3/dist-packages/inventory"):
        check_layout()


@pytest.mark.parametrize("spec", [None, ModuleSpec("lab", None)])
def test_a_missing_package_is_named(found, spec):
    found("lab", spec)
    with pytest.raises(IntegrityError, match="package 'lab' is missing"):
        check_layout()
