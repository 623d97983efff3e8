"""The one direction of imports holds, a planted import against it is seen, and a shadowing package stops the start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.guard import TOP_PACKAGES

ROOT = Path(__file__).resolve().parent.parent
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
CHECK_LAYOUT = """
from core.errors import IntegrityError
from core.guard import check_layout
try:
    check_layout()
except IntegrityError as error:
    print(error)
    raise SystemExit(3)
"""


def lint_imports(folder: Path) -> tuple[int, str]:
    """The contract's verdict on the packages in a folder: exit status and text."""
    done = subprocess.run([LINT_IMPORTS, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def check_layout(first: Path) -> tuple[int, str]:
    """What the guard says in a process that looks for packages in `first` before all others."""
    done = subprocess.run(
        [sys.executable, "-c", CHECK_LAYOUT],
        cwd=first,
        env={**os.environ, "PYTHONPATH": str(first)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's Python modules in a folder of their own."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in TOP_PACKAGES:
        for module in (ROOT / package).rglob("*.py"):
            target = tmp_path / module.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(module, target)
    return tmp_path


def test_imports_go_one_way():
    status, text = lint_imports(ROOT)
    assert status == 0, text


@pytest.mark.parametrize(
    ("importer", "imported"),
    [("correlation", "detections"), ("core", "collectors"), ("inventory", "app"), ("app", "lab")],
)
def test_an_import_against_the_direction_is_seen(copy: Path, importer: str, imported: str):
    (copy / importer / "planted.py").write_text(f"import {imported}\n", "utf-8")
    status, text = lint_imports(copy)
    assert status == 1, text
    assert f"{importer} is not allowed to import {imported}:" in text
    assert f"{importer}.planted -> {imported}" in text


def test_the_packages_of_this_installation_lie_beside_each_other(tmp_path: Path):
    assert check_layout(tmp_path) == (0, "")


@pytest.mark.parametrize("package", TOP_PACKAGES[1:])
def test_a_package_that_shadows_one_of_ours_stops_the_start(tmp_path: Path, package: str):
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("", "utf-8")
    status, text = check_layout(tmp_path)
    assert status == 3
    assert f"'{package}'" in text
    assert str(tmp_path) in text
    assert text.count("\n") == 1
