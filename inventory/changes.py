"""What an import would change: a comparison of rows with an inventory, and the inventory that comes of it.

Nothing is written here. A row that cannot be used is told with its place and reason and changes nothing; the others
stand. A column that a file does not have is left as it is, an empty cell clears its value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from core.errors import ContentError
from core.records import Record
from inventory.checks import Placed, Refused, check_records
from inventory.convert import Problem, read_record
from inventory.formats.rows import Row
from inventory.load import inventory_of
from inventory.records import Inventory
from inventory.registry import TABLES, by_key, cells_of, key_of, key_of_cells, records_of
from inventory.unit_check import check_roots

MOST_ROUNDS = 50
"""How often rows are left out that turn out not to fit once others have been; each round checks all anew."""

_PRESENT = "the present inventory"
_BEYOND = "what is beyond your units"

Shown: TypeAlias = Callable[[str, str], bool]
"""Whether the record of a table with this key may be named."""


class Change(Record, frozen=True, kw_only=True):
    """A row that differs from what is there.

    Attributes:
        kind: the table.
        key: as ``key_of`` gives it.
        place: where the row stands.
        fields: column, text before, text after.
    """

    kind: str
    key: str
    place: str
    fields: tuple[tuple[str, str, str], ...] = ()


class Missing(Record, frozen=True, kw_only=True):
    """A record that is there and has no row; it stays, since taking it away needs two people."""

    kind: str
    key: str


@dataclass(frozen=True)
class Plan:
    """What an import would do.

    Attributes:
        inventory: what comes of it; ``added`` and ``changed`` are all in which it differs from the present one.
        added: rows that are new, with their filled columns as fields.
        changed: rows that differ.
        unchanged: how many rows say what is there already.
        missing: what is there and in none of the rows, of the tables that have rows; only if it was asked for.
        problems: rows that are left out, and why.
    """

    inventory: Inventory
    added: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()
    unchanged: int = 0
    missing: tuple[Missing, ...] = ()
    problems: tuple[Problem, ...] = ()

    def told(self, *, missing: tuple[Missing, ...], problems: tuple[Problem, ...]) -> Plan:
        """The same, with less told of what is there and of what is wrong."""
        return replace(self, missing=missing, problems=problems)


@dataclass
class _Merge:
    """The present records with the rows laid over them; keys to records with their places."""

    present: dict[str, dict[str, Record]]
    new: dict[str, dict[str, Placed]] = field(default_factory=lambda: {kind: {} for kind in TABLES})
    refused: Refused = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, kind: str, key: str, problem: Problem) -> None:
        """Leaves the row out."""
        self.refused.setdefault((kind, key), problem.place)
        self.problems.append(problem)

    def all(self) -> dict[str, list[Placed]]:
        """What is there first, so that of two that exclude each other the row is the one that does not fit.

        Of units the rows come first: of those that form a circle the first one is told.
        """
        found = {kind: (self._kept(kind), list(self.new[kind].values())) for kind in self.present}
        return {kind: [*new, *kept] if kind == "units" else [*kept, *new] for kind, (kept, new) in found.items()}

    def _kept(self, kind: str) -> list[Placed]:
        there = self.present[kind].items()
        return [(_place(kind, key), record) for key, record in there if key not in self.new[kind]]

    def result(self) -> Inventory:
        """What was there stays where it stood; what is new follows in the order of the rows."""
        records: dict[str, list[Placed]] = {}
        for kind, there in self.present.items():
            new = dict(self.new[kind])
            records[kind] = [new.pop(key, ("", record)) for key, record in there.items()]
            records[kind] += new.values()
        return inventory_of(records)


def plan(current: Inventory, rows: Mapping[str, Sequence[Row]], *, remove: bool = False) -> Plan:
    """What the rows, by table, would change; ``remove`` lists what has no row any more.

    Raises:
        ContentError: a change would make a record wrong that is there and has no row, a table is unknown, or the units
            that come of it would have none above all on some day, or several.
    """
    for kind in rows:
        if kind not in TABLES:
            raise ContentError(f"{kind!r} is no table; expected one of {', '.join(TABLES)}")
    merge = _Merge(by_key(current))
    seen = {kind: _lay_over(merge, kind, found) for kind, found in rows.items()}
    _settle(current, merge)
    result = merge.result()
    _refuse_new_rootlessness(current, result)
    added, changed = _differences(merge)
    missing = [Missing(kind=kind, key=key) for kind in seen for key in merge.present[kind] if key not in seen[kind]]
    return Plan(
        inventory=result,
        added=tuple(added),
        changed=tuple(changed),
        unchanged=sum(map(len, merge.new.values())) - len(added) - len(changed),
        missing=tuple(missing) if remove else (),
        problems=tuple(merge.problems),
    )


def _place(kind: str, key: str) -> str:
    return f"{_PRESENT}, {kind} {key}"


def discreet(text: str, shown: Shown) -> str:
    """The reason or refusal without the name of a record that is there and may not be named."""
    before, found, rest = text.partition(f"{_PRESENT}, ")
    if not found:
        return text
    told, _, advice = rest.rpartition("; ")
    kind, _, key = told.partition(" ")
    if shown(kind, key) or (not before and shown(kind, key.partition(": ")[0])):
        return text
    return f"{before}{_BEYOND}; {advice}" if before else f"{_BEYOND} would no longer fit; leave out what it rests on"


def _lay_over(merge: _Merge, kind: str, rows: Sequence[Row]) -> set[str]:
    """Takes the rows that can be read; returns the keys of all, so that a wrong row is not taken for none."""
    seen: set[str] = set()
    for row in rows:
        key = row_key(kind, row)
        there = merge.present[kind].get(key)
        record = read_record(kind, row, None if there is None else cells_of(there))
        if not isinstance(record, Problem):
            key = key_of(kind, record)
            if key in merge.new[kind]:
                record = _twice(kind, key, row, merge.new[kind][key][0])
        if isinstance(record, Problem):
            merge.refuse(kind, key, record)
        else:
            merge.new[kind][key] = (row.place, record)
        seen.add(key)
    return seen


def row_key(kind: str, row: Row) -> str:
    """The key of the record that the row means; a network's is that of its canonical spelling."""
    if kind != "prefixes":
        return key_of_cells(kind, row.cells)
    record = read_record(kind, row, dict.fromkeys(TABLES[kind].columns, "-"))
    return key_of_cells(kind, row.cells) if isinstance(record, Problem) else key_of(kind, record)


def _twice(kind: str, key: str, row: Row, first: str) -> Problem:
    what = f"{TABLES[kind].title} {key!r}"
    return Problem(place=row.place, reason=f"duplicate {what}, first at {first}; expected each once")


def _settle(current: Inventory, merge: _Merge) -> None:
    """Leaves out the rows that do not fit until all fit; what is there and did not fit before is not asked to."""
    for _ in range(MOST_ROUNDS):
        checked = check_records(merge.all(), merge.refused)
        if not checked.problems:
            return
        places = {place: (kind, key) for kind, found in merge.new.items() for key, (place, _) in found.items()}
        wrong = [problem for problem in checked.problems if problem.place in places]
        if not wrong:
            _refuse_new_faults(current, checked.problems)
            return
        for problem in wrong:
            kind, key = places[problem.place]
            merge.new[kind].pop(key, None)
            merge.refuse(kind, key, problem)
    raise ContentError("the rows that are wrong entail too many others; correct those that were told first")


def _refuse_new_faults(current: Inventory, problems: Iterable[Problem]) -> None:
    there = {kind: [(_place(kind, key_of(kind, one)), one) for one in found] for kind, found in records_of(current)}
    old = {problem.place for problem in check_records(there).problems}
    for problem in problems:
        if problem.place not in old:
            raise ContentError(f"{problem}; the import would leave it so: import its row too, corrected")


def _refuse_new_rootlessness(current: Inventory, result: Inventory) -> None:
    """The units that come of it have one above all on every day, where the import changes them at all."""
    if (result.units, result.unit_facts) != (current.units, current.unit_facts):
        check_roots(result.units, result.unit_facts)


def _differences(merge: _Merge) -> tuple[list[Change], list[Change]]:
    added: list[Change] = []
    changed: list[Change] = []
    for kind, found in merge.new.items():
        for key, (place, record) in found.items():
            there = merge.present[kind].get(key)
            if there != record:
                change = Change(kind=kind, key=key, place=place, fields=tuple(_fields(there, record)))
                (added if there is None else changed).append(change)
    return added, changed


def _fields(there: Record | None, record: Record) -> Iterator[tuple[str, str, str]]:
    before = {} if there is None else cells_of(there)
    for column, after in cells_of(record).items():
        if after != before.get(column, ""):
            yield column, before.get(column, ""), after
