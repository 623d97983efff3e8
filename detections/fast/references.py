"""A field compared with another field of the same event (Sigma modifiers 2.1, ``fieldref``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from core.records import FieldValue
from detections.fast.atoms import Atom
from detections.fast.fields import Missing
from detections.fast.translate import ENDS, STARTS
from detections.values import references_test
from detections.view import Scalar, scalars

if TYPE_CHECKING:
    from detections.fast.program import Source

_TESTS = tuple(references_test(starts=bool(how & STARTS), ends=bool(how & ENDS)) for how in range(4))


def reference_holds(atom: Atom, names: Mapping[str, tuple[str, ...]], source: Source) -> bool:
    """Whether one of the field's values stands so to one of the other field's."""
    other, how = atom.pattern
    test = _TESTS[int(how)]
    others = _scalars(source.value(names[str(other)]))
    return any(test(one, two) for one in _scalars(source.value(names[atom.field])) for two in others)


def _scalars(value: FieldValue | Missing) -> Sequence[Scalar]:
    return () if isinstance(value, Missing) else scalars(value)
