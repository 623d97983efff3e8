"""Code for an expression: a Python function of the set of true atoms.

Only operators and atom numbers are written; no text of a rule ever enters generated code.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from detections.fast.expressions import AND, NOT, Expression, parts

Test: TypeAlias = Callable[[AbstractSet[int]], bool]

_FEW = 3
"""Up to so many atoms are asked one by one, more by one operation on sets."""

_DEEP = 20
"""So many levels of parentheses and what is below becomes a function of its own; Python's parser takes 200."""


def compiled(node: Expression) -> Test:
    """The expression as a function of the atoms that are true."""
    names: dict[str, object] = {}
    code = f"lambda true: {_source(node, names, 0)}"
    return eval(code, {"__builtins__": {}, **names})  # type: ignore[no-any-return]  # noqa: S307 - ints and fixed words


def _source(node: Expression, names: dict[str, object], depth: int) -> str:
    if isinstance(node, bool):
        return str(node)
    if isinstance(node, int):
        return f"({int(node)} in true)"
    if depth == _DEEP:
        return f"{_named(compiled(node), names)}(true)"
    if node[0] == NOT:
        return f"(not {_source(next(parts(node)), names, depth + 1)})"
    word = " and " if node[0] == AND else " or "
    return f"({word.join(_terms(node, names, depth + 1))})"


def _named(value: object, names: dict[str, object]) -> str:
    name = f"v{len(names)}"
    names[name] = value
    return name


def _terms(node: tuple[object, ...], names: dict[str, object], depth: int) -> list[str]:
    """Atoms first, for they are cheap; many of them as one set."""
    atoms = [part for part in parts(node) if isinstance(part, int) and not isinstance(part, bool)]
    others = [_source(part, names, depth) for part in parts(node) if isinstance(part, tuple)]
    if len(atoms) <= _FEW:
        return [*(f"({int(atom)} in true)" for atom in atoms), *others]
    name = _named(frozenset(atoms), names)
    return [f"({name} <= true)" if node[0] == AND else f"(not {name}.isdisjoint(true))", *others]
