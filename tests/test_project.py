"""The repository tests its own shape: what must be here, what must not, and how long things may get."""

from __future__ import annotations

import ast
import json
import re
import statistics
import subprocess
import tomllib
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.guard import TOP_PACKAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
REQUIRED = (
    "README.md",
    "README.vi.md",
    "LICENSE",
    "Makefile",
    "changelog.d/README.md",
    "docs/design.md",
    "docs/why.md",
    "docs/figures.md",
    "packaging/haidang.service",
)
LOCKS = ("locks/run.txt", "locks/test.txt", "locks/node.txt")
MODULE_LINES = 400
FUNCTION_LINES = 60
MEDIAN_LINES = 8
PARAMETERS = 6
# Written apart, so that this file does not name them itself.
REGISTRIES = tuple(
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("repo1", "maven", "org"),
        ("deb", "debian", "org"),
    )
)
MACHINE_PATH = re.compile(r"(?<![\w./-])/(work/(main|shared|\.library)|root/\.pyenv|opt/wheels|tmp/bash_)")
CODE_SUFFIXES = frozenset({".py", ".md", ".toml", ".yml", ".json", ".html", ".css", ".js", ".sh", ".txt", ".service"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that git holds or would take in."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(path for name in sorted(set(listed.split("\0"))) if name and (path := ROOT / name).is_file())


@cache
def texts() -> dict[str, str]:
    """Every text file; a sample in another encoding, or with a NUL byte, counts as binary."""
    found = {}
    for path in project_files():
        data = path.read_bytes()
        try:
            if b"\0" not in data:
                found[str(path.relative_to(ROOT))] = data.decode()
        except UnicodeDecodeError:
            assert path.suffix not in CODE_SUFFIXES, f"{path} is not UTF-8"
    return found


@cache
def modules() -> dict[str, ast.Module]:
    """Every Python module's syntax tree, tests included."""
    return {name: ast.parse(text) for name, text in texts().items() if name.endswith(".py")}


def product_modules() -> dict[str, ast.Module]:
    return {name: tree for name, tree in modules().items() if name.split("/")[0] in TOP_PACKAGES}


def functions(trees: dict[str, ast.Module]) -> Iterator[tuple[str, Function]]:
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield f"{name}:{node.lineno} {node.name}", node


def length(function: Function) -> int:
    """Lines from ``def`` to the end, less the docstring's."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    docstring = function.body[0]
    return lines - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def parameters(function: Function) -> int:
    taken = function.args
    named = [argument.arg for argument in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs)]
    return len([name for name in named if name not in ("self", "cls")])


def is_exempt(function: Function) -> bool:
    """An overload or override has its docstring elsewhere."""
    decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in function.decorator_list}
    return bool(decorators & {"overload", "override", "setter"})


def undocumented(name: str, node: ast.Module | ast.ClassDef) -> Iterator[str]:
    """The public things in a module or class, itself included, that have no docstring."""
    if ast.get_docstring(node) is None:
        yield name
    for child in node.body:
        if not isinstance(child, ast.ClassDef | Function) or child.name.startswith("_"):
            continue
        if isinstance(child, ast.ClassDef):
            yield from undocumented(f"{name}:{child.lineno} {child.name}", child)
        elif ast.get_docstring(child) is None and not is_exempt(child):
            yield f"{name}:{child.lineno} {child.name}"


def is_broad(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(ast.unparse(name) in {"Exception", "BaseException"} for name in caught)


def gives_a_reason(line: str) -> bool:
    comment = line.partition("#")[2]
    return len(re.sub(r"noqa(: ?[A-Z]+\d+)?", "", comment).strip(" #:,-—")) > len("reason")


def pins(lock: str) -> list[str]:
    """A lock file's requirements, each with its hashes as one line."""
    joined = (ROOT / lock).read_text("utf-8").replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def test_every_file_a_reader_looks_for_is_there():
    assert [name for name in REQUIRED if not (ROOT / name).is_file()] == []


def test_every_package_of_the_design_is_there():
    assert [name for name in TOP_PACKAGES if not (ROOT / name / "__init__.py").is_file()] == []


def test_the_build_the_types_and_the_import_contract_cover_every_package():
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    for listed in (
        tools["hatch"]["build"]["targets"]["wheel"]["packages"],
        tools["mypy"]["packages"],
        tools["importlinter"]["root_packages"],
    ):
        assert sorted(listed) == sorted(TOP_PACKAGES)


def test_every_locked_package_is_pinned_to_one_version_with_its_hashes():
    pattern = re.compile(r"^[a-z0-9._-]+(\[[a-z,]+\])?==\S+( ; [^-]+)?(\s+--hash=sha256:[0-9a-f]{64})+\s*$")
    for lock in LOCKS:
        assert len(pins(lock)) > 1
        assert [line[:60] for line in pins(lock) if not pattern.match(line)] == []


def test_lock_files_name_no_address():
    for lock in LOCKS:
        text = (ROOT / lock).read_text("utf-8")
        assert "://" not in text
        assert "index-url" not in text
        assert "find-links" not in text


def test_the_run_lock_is_a_part_of_the_test_lock():
    run, test = ({line.split()[0] for line in pins(lock)} for lock in LOCKS[:2])
    assert run < test


def test_the_javascript_lock_has_hashes_and_no_address():
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    third_party = {name: package for name, package in packages.items() if name}
    assert len(third_party) > 1
    assert [name for name, package in third_party.items() if "resolved" in package] == []
    assert [name for name, package in third_party.items() if not package["integrity"].startswith("sha512-")] == []


def test_no_file_names_a_package_registry():
    assert [(name, host) for name, text in texts().items() for host in REGISTRIES if host in text] == []


def test_no_file_names_a_path_of_the_machine_it_was_written_on():
    here = Path(__file__).relative_to(ROOT)
    assert [name for name, text in texts().items() if name != str(here) and MACHINE_PATH.search(text)] == []


def test_every_text_is_in_unicode_normal_form_c():
    assert [name for name, text in texts().items() if not unicodedata.is_normalized("NFC", text)] == []


def test_no_module_is_longer_than_400_lines():
    long = {name: count for name in modules() if (count := len(texts()[name].splitlines())) > MODULE_LINES}
    assert long == {}


def test_no_function_is_longer_than_60_lines():
    assert [name for name, function in functions(modules()) if length(function) > FUNCTION_LINES] == []


def test_half_of_all_functions_are_shorter_than_8_lines():
    assert statistics.median(length(function) for _, function in functions(product_modules())) < MEDIAN_LINES


def test_no_function_takes_more_than_6_parameters():
    assert [name for name, function in functions(product_modules()) if parameters(function) > PARAMETERS] == []


def test_everything_public_has_a_docstring():
    assert [missing for name, tree in product_modules().items() for missing in undocumented(name, tree)] == []


def test_a_broad_except_gives_its_reason_on_the_line():
    unexplained = [
        f"{name}:{node.lineno}"
        for name, tree in product_modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and is_broad(node)
        and not gives_a_reason(texts()[name].splitlines()[node.lineno - 1])
    ]
    assert unexplained == []


def test_these_checks_see_what_they_look_for():
    source = "def f(a, b, *, c):\n    '''One\n    two.'''\n    try:\n        g()\n"
    source += "    except (OSError, Exception):\n        h()\n"
    tree = ast.parse(source + "class Public:\n    def method(self): ...\n")
    (_, function), (_, method) = functions({"m": tree})
    assert (length(function), parameters(function)) == (5, 3)
    assert (length(method), parameters(method)) == (1, 0)
    assert list(undocumented("m", tree)) == ["m", "m:8 Public", "m:8 Public:9 method"]
    assert [is_broad(node) for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)] == [True]
    assert gives_a_reason("except Exception:  # noqa: BLE001 - a bad item never stops its neighbours")
    assert not gives_a_reason("except Exception:  # noqa: BLE001")
    assert not gives_a_reason("except Exception:")
