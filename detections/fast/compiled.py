"""Rules compiled: expressions over atoms, as plain data that a file can hold."""

from __future__ import annotations

from collections.abc import Sequence

from core.logsources import deciding_of_any
from core.records import Record
from core.sigma import Refused, RuleInfo, RuleSet
from detections.fast.atoms import KEYWORDS, Atom, Atoms, Kind
from detections.fast.expressions import Expression, Necessary, atoms_of, necessary
from detections.fast.required import required_text
from detections.fast.translate import expression_of


class CompiledRules(Record, frozen=True, kw_only=True):
    """All rules of a set.

    Attributes:
        infos: of the rules; a rule's place here is its number.
        expressions: a rule's condition.
        watched: for a rule, atoms of which one holds whenever the rule does; empty if there are none such.
        atoms: an atom's place here is its number.
        late: by rule, its expressions that are tried only if the rule comes so far: bare ones that no rule watches.
        refused: files that are not used, and why.
    """

    infos: tuple[RuleInfo, ...]
    expressions: tuple[Expression, ...]
    watched: tuple[frozenset[int], ...]
    atoms: tuple[Atom, ...]
    refused: tuple[Refused, ...]
    late: dict[int, tuple[int, ...]]


def compile_rules(ruleset: RuleSet) -> CompiledRules:
    """Translates every rule.

    Raises:
        ContentError: a rule holds something that cannot be evaluated; `core.sigma.load_rules` lets none through.
    """
    atoms = Atoms()
    expressions = tuple(expression_of(rule, atoms) for rule in ruleset.rules)
    prices = [cost(atom) for atom in atoms.all]
    watched = tuple(watched_atoms(necessary(node, prices.__getitem__)) for node in expressions)
    return CompiledRules(
        infos=tuple(rule.info for rule in ruleset.rules),
        expressions=expressions,
        watched=watched,
        atoms=tuple(atoms.all),
        refused=ruleset.refused,
        late=_late_of_rules(expressions, watched, atoms.all),
    )


def watched_atoms(found: Necessary | None) -> frozenset[int]:
    """The atoms of a necessary set, empty if there is none."""
    return frozenset() if found is None else found.atoms


_PRICES = {Kind.NULL: 5.0, Kind.EXISTS: 10.0, Kind.COMPARE: 1.0, Kind.NETWORK: 0.3, Kind.NUMBER: 0.1, Kind.REGEX: 0.05}
"""What an atom costs that is no text: how often it may be expected to hold, about."""

_BARE_REGEX = 2.0
"""What an expression costs that is tried on every value, for there is no text that it cannot do without."""

_COMMON = frozenset(("process.executable", "process.parent.executable", "process.pe.original_file_name", "dll.path"))
"""Fields in which the same few values return all day: an atom on one of them holds more often."""


def cost(atom: Atom) -> float | None:
    """How often an atom may be expected to hold, which is what watching it costs; a longer text is rarer."""
    if atom.kind is Kind.REFERENCE:
        return None
    if atom.kind in {Kind.TEXT, Kind.CASED}:
        length = sum(len(part) for part in atom.pattern if isinstance(part, str))
        return (2.0 if atom.field in _COMMON else 1.0) / (1 + length) ** 2
    return _BARE_REGEX if is_bare_regex(atom) else _PRICES[atom.kind]


def is_bare_regex(atom: Atom) -> bool:
    """Whether the atom is an expression without a text that it cannot do without."""
    return atom.kind is Kind.REGEX and not required_text(str(atom.pattern[0]))


def _late_of_rules(
    expressions: Sequence[Expression], watched: Sequence[frozenset[int]], atoms: Sequence[Atom]
) -> dict[int, tuple[int, ...]]:
    early = deciding_of_any() | {KEYWORDS}  # a route, and each value of an event, is asked once for all rules
    bare = frozenset(n for n, atom in enumerate(atoms) if is_bare_regex(atom) and atom.field not in early)
    late = bare.difference(*watched)
    found = ((number, late.intersection(atoms_of(node))) for number, node in enumerate(expressions))
    return {number: tuple(sorted(atoms)) for number, atoms in found if atoms}
