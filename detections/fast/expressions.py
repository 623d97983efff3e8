"""Boolean expressions over numbered atoms: True, False, an atom's number, or (operator, parts...).

Pure algebra: building with simplification, evaluating known atoms away, and finding for an expression a set of atoms
of which at least one must be true whenever the expression is.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from operator import is_
from typing import Final, NamedTuple, TypeAlias

Expression: TypeAlias = "bool | int | tuple[str | Expression, ...]"
"""Atoms are ints; ``("&", a, b, ...)``, ``("|", a, b, ...)`` and ``("!", a)`` combine."""

AND: Final = "&"
OR: Final = "|"
NOT: Final = "!"


def parts(node: tuple[object, ...]) -> Iterator[Expression]:
    """The parts that the operator combines."""
    yield from node[1:]  # type: ignore[misc]


def _combine(operator: str, given: Iterable[Expression]) -> Expression:
    """Flat, each part once; ``decisive`` is the constant that alone decides the outcome."""
    decisive = operator == OR
    flat: dict[Expression, None] = {}
    for part in given:
        if isinstance(part, bool):
            if part is decisive:
                return decisive
        elif isinstance(part, tuple) and part[0] == operator:
            flat.update(dict.fromkeys(parts(part)))
        else:
            flat[part] = None
    if not flat:
        return not decisive
    return next(iter(flat)) if len(flat) == 1 else (operator, *flat)


def all_of(given: Iterable[Expression]) -> Expression:
    """True if all parts are."""
    return _combine(AND, given)


def any_of(given: Iterable[Expression]) -> Expression:
    """True if at least one part is."""
    return _combine(OR, given)


def negation(node: Expression) -> Expression:
    """True if the part is false."""
    if isinstance(node, bool):
        return not node
    if isinstance(node, tuple) and node[0] == NOT:
        return next(parts(node))
    return (NOT, node)


def simplified(node: Expression, known: Mapping[int, bool]) -> Expression:
    """The expression with known atoms evaluated away."""
    if isinstance(node, bool):
        return node
    if isinstance(node, int):
        return known.get(node, node)
    if node[0] == NOT:
        return negation(simplified(next(parts(node)), known))
    found = [simplified(part, known) for part in parts(node)]
    return node if all(map(is_, found, parts(node))) else _combine(str(node[0]), found)


def atoms_of(node: Expression) -> Iterator[int]:
    """All atoms of the expression; one that stands twice comes twice."""
    left: list[object] = [node]
    while left:
        one = left.pop()
        if isinstance(one, tuple):
            left.extend(one[1:])
        elif type(one) is int:
            yield one


def relaxed(node: Expression, known: Container[int]) -> Expression:
    """The weakest condition on known atoms that the expression implies: what is unknown is taken as it suits best."""
    return _relaxed(node, known, best=True)


def _relaxed(node: Expression, known: Container[int], *, best: bool) -> Expression:
    if isinstance(node, bool):
        return node
    if isinstance(node, int):
        return node if node in known else best
    if node[0] == NOT:
        return negation(_relaxed(next(parts(node)), known, best=not best))
    return _combine(str(node[0]), [_relaxed(part, known, best=best) for part in parts(node)])


class Necessary(NamedTuple):
    """Atoms of which at least one is true whenever the expression is, and what it costs to watch them."""

    cost: float
    atoms: frozenset[int]


def necessary(node: Expression, cost: Callable[[int], float | None]) -> Necessary | None:
    """The cheapest set found; None if the expression can hold while no atom does.

    ``cost`` is the price of watching an atom, None for one that cannot be watched.
    """
    if isinstance(node, bool):
        return None
    if isinstance(node, int):
        price = cost(node)
        return None if price is None else Necessary(price, frozenset((node,)))
    if node[0] == NOT:
        return _necessary_of_negation(next(parts(node)), cost)
    return _chosen(node[0] == AND, [necessary(part, cost) for part in parts(node)], cost)


def _necessary_of_negation(node: Expression, cost: Callable[[int], float | None]) -> Necessary | None:
    """By De Morgan; a negated atom holds where the atom is absent, which nothing announces."""
    if not isinstance(node, tuple):
        return None
    if node[0] == NOT:
        return necessary(next(parts(node)), cost)
    return _chosen(node[0] == OR, [_necessary_of_negation(part, cost) for part in parts(node)], cost)


def _chosen(all_must_hold: bool, sets: list[Necessary | None], cost: Callable[[int], float | None]) -> Necessary | None:
    found = [one for one in sets if one is not None]
    if all_must_hold:
        return min(found, default=None, key=lambda one: (one.cost, len(one.atoms)))
    if len(found) < len(sets):
        return None
    atoms = frozenset().union(*(one.atoms for one in found))
    return Necessary(sum(cost(atom) or 0.0 for atom in atoms), atoms)
