"""Simplifying, relaxing and making functions change nothing of what an expression means."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detections.fast.closures import function_of
from detections.fast.expressions import (
    AND,
    NOT,
    all_of,
    any_of,
    atoms_of,
    necessary,
    negation,
    parts,
    relaxed,
    simplified,
)

ATOMS = range(4)
LEAVES = st.one_of(st.booleans(), st.sampled_from(ATOMS))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6).map(all_of), st.lists(inner, max_size=6).map(any_of), inner.map(negation)
    ),
    max_leaves=25,
)
WORLDS = [frozenset(atom for atom, holds in zip(ATOMS, row, strict=True) if holds) for row in product([0, 1], repeat=4)]
KNOWN = st.frozensets(st.sampled_from(ATOMS))


def means(node, true) -> bool:
    if isinstance(node, bool):
        return node
    if isinstance(node, int):
        return node in true
    values = [means(part, true) for part in parts(node)]
    return not values[0] if node[0] == NOT else all(values) if node[0] == AND else any(values)


@given(TREES)
def test_the_function_says_what_the_expression_means(node) -> None:
    test = function_of(node)
    assert [test(world) for world in WORLDS] == [means(node, world) for world in WORLDS]


@given(TREES, KNOWN)
def test_a_simplified_expression_means_the_same_where_the_known_atoms_are_so(node, true) -> None:
    known = {0: 0 in true, 1: 1 in true}
    left = simplified(node, known)
    assert {0, 1}.isdisjoint(atoms_of(left))
    fitting = [world for world in WORLDS if all((atom in world) == holds for atom, holds in known.items())]
    assert [means(left, world) for world in fitting] == [means(node, world) for world in fitting]


@given(TREES, KNOWN)
def test_a_relaxed_expression_holds_wherever_the_expression_may(node, known) -> None:
    weak = relaxed(node, known)
    assert set(atoms_of(weak)) <= known
    assert all(means(weak, world) for world in WORLDS if means(node, world))
    if known >= set(atoms_of(node)):
        assert [means(weak, world) for world in WORLDS] == [means(node, world) for world in WORLDS]


@given(TREES)
def test_one_of_the_necessary_atoms_holds_wherever_the_expression_does(node) -> None:
    found = necessary(node, lambda atom: None if atom == 3 else 1.0 / (1 + atom))
    if found is None:
        return
    assert 3 not in found.atoms
    assert all(found.atoms & world for world in WORLDS if means(node, world))


@pytest.mark.parametrize("make", [all_of, any_of])
def test_a_very_deep_or_wide_expression_is_function_of(make) -> None:
    deep = 0
    for level in range(1, 120):
        deep = negation((any_of if level % 2 else all_of)([level, deep]))
    assert function_of(deep)(frozenset()) == means(deep, frozenset())
    wide = make(range(20_000))
    assert function_of(wide)(frozenset(range(20_000)))
