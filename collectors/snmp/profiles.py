"""Profiles: which tables and columns of a device family are read, how often, and what their values mean.

A profile is a YAML file of ``profiles/``. Families are chosen by the longest prefix of sysObjectID; a profile may
include others, whose tables come first, and a table of the same name replaces an included one. A table is a set of
columns that share an index; scalars are a table with the one index ``0``. Every column names its MIB object, so that a
reader can check the object identifier beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import msgspec
import yaml

from core.errors import ContentError
from core.files import read_bounded
from core.records import Record

SHIPPED = Path(__file__).resolve().parent / "profiles"
GENERIC = "generic"
"""The profile of a device whose family is unknown."""
INTERFACES = "interfaces"
ENTITIES = "entities"
SYSTEM = "system"
"""Tables that the code knows by name: IF-MIB's, ENTITY-MIB's, and the scalars that tell of restarts and changes."""

MOST_ROWS = 4096
"""Of a table."""

_MAX_BYTES = 256 * 1024
_DEEPEST = 12

Oid: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-2](\.\d{1,10}){3,40}$")]
Name: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
MibObject: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]+::[A-Za-z0-9]+$")]
Term: TypeAlias = str | int | float
"""What is added up: a column's name, ``-`` and a column's name, or a number."""

_R = TypeVar("_R", bound=Record)
_TERM = re.compile(r"-?([a-z][a-z0-9_]*)")


class Kind(StrEnum):
    """What a value is: a counter of 32 or 64 bits, a number, one of named states, text, or hundredths of a second."""

    COUNTER32 = "counter32"
    COUNTER64 = "counter64"
    GAUGE = "gauge"
    STATE = "state"
    TEXT = "text"
    TIMETICKS = "timeticks"


class Pace(StrEnum):
    """How often a column is read; ``change``: when the device has restarted or its tables have changed."""

    MINUTE = "60s"
    QUARTER = "15m"
    CHANGE = "change"


class Other(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is read for a row that has no value of the column itself: of older devices, of slow ports."""

    oid: Oid
    object: MibObject
    kind: Kind
    scale: float = 1.0


class Column(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One column of a table, or one scalar.

    Attributes:
        oid: without the index, and without the ``0`` of a scalar.
        object: its name in its MIB: ``IF-MIB::ifHCInOctets``.
        scale: what a value is multiplied by.
        unit: of the scaled value; ``mac``, ``ip`` or ``hex`` of octets that are no text.
        states: names of the values of a state.
        absent: values by which a device says that it has none.
        factor: the static column of this row that its value is multiplied by, as hrStorageAllocationUnits.
        exponent: static columns of this row that hold the SI scale and the precision of its value (RFC 3433).
    """

    name: Name
    oid: Oid
    object: MibObject
    kind: Kind
    pace: Pace = Pace.MINUTE
    scale: float = 1.0
    unit: str = ""
    states: dict[int, str] = msgspec.field(default_factory=dict)
    absent: tuple[int, ...] = ()
    factor: Name | Literal[""] = ""
    exponent: tuple[Name, Name] | None = None
    other: Other | None = msgspec.field(default=None, name="else")

    @property
    def is_static(self) -> bool:
        """Whether it is read only when something has changed."""
        return self.pace is Pace.CHANGE


class Table(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Columns that share an index.

    Attributes:
        rows: the column whose walk finds the rows; empty for scalars.
        named: columns that name a row, the best first; without one, the index does.
        label: the name of the one row of scalars.
        series: the table of the series store that its values are for; empty for none.
        constants: what is the same for every row: a sensor's kind and unit.
        derived: columns that are sums of others: ``memory_used: [memory_total, -memory_free]``.
        fold: how rows become one of the device, where the series has one a device.
        entity: the index is entPhysicalIndex: ENTITY-MIB says what a row is called and where it sits.
    """

    name: Name
    columns: tuple[Column, ...]
    rows: Name | Literal[""] = ""
    named: tuple[Name, ...] = ()
    label: str = ""
    series: Literal["", "interfaces", "hosts", "disks", "sensors", "power", "peers", "devices"] = ""
    constants: dict[Name, str] = msgspec.field(default_factory=dict)
    derived: dict[Name, tuple[Term, ...]] = msgspec.field(default_factory=dict)
    fold: Literal["", "mean", "sum", "max"] = ""
    entity: bool = False

    def column(self, name: str) -> Column | None:
        """The column of this name."""
        return next((column for column in self.columns if column.name == name), None)


class Profile(Record, frozen=True, kw_only=True):
    """A device family: its tables with those of the profiles it includes."""

    name: Name
    title: str
    families: tuple[Oid, ...]
    tables: tuple[Table, ...]

    def table(self, name: str) -> Table | None:
        """The table of this name."""
        return next((table for table in self.tables if table.name == name), None)


class Profiles:
    """All profiles, and which is a device's."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        self.by_name = {profile.name: profile for profile in profiles}
        self._prefixes = {prefix: one for one in self.by_name.values() for prefix in one.families}

    def choose(self, object_id: str) -> tuple[Profile, bool]:
        """The profile of a sysObjectID, by the longest prefix of whole arcs; and whether its family is known."""
        arcs = object_id.strip(".").split(".")
        for length in range(len(arcs), 0, -1):
            found = self._prefixes.get(".".join(arcs[:length]))
            if found is not None:
                return found, True
        return self.by_name[GENERIC], False


@cache
def shipped_profiles() -> Profiles:
    """The profiles that come with the platform.

    Raises:
        ContentError: one of them cannot be used; names file, line and key.
    """
    return load_profiles(SHIPPED)


def load_profiles(folder: Path) -> Profiles:
    """The profiles of a folder's ``*.yml``.

    Raises:
        ContentError: one of them cannot be used; names file, line and key.
    """
    files = {path.stem: _File.read(path) for path in sorted(folder.glob("*.yml"))}
    if GENERIC not in files:
        raise ContentError(f"{folder}: {GENERIC}.yml is missing; it is the profile of unknown families")
    profiles = [
        Profile(name=name, title=file.title, families=file.families, tables=_tables(file, files, ()))
        for name, file in files.items()
    ]
    _check_families(files.values())
    return Profiles(profiles)


def _tables(file: _File, files: Mapping[str, _File], path: tuple[str, ...]) -> tuple[Table, ...]:
    if file.name in path:
        raise ContentError(f"{file.place('include')}: {' > '.join((*path, file.name))} includes itself")
    tables: dict[str, Table] = {}
    for name in file.include:
        if name not in files:
            raise ContentError(f"{file.place('include')}: there is no profile '{name}'")
        tables.update({table.name: table for table in _tables(files[name], files, (*path, file.name))})
    tables.update({table.name: table for table in file.tables})
    return tuple(tables.values())


def _check_families(files: Iterable[_File]) -> None:
    owners: dict[str, str] = {}
    for file in files:
        for prefix in file.families:
            other = owners.setdefault(prefix, file.name)
            if other != file.name:
                raise ContentError(f"{file.place('families')}: {prefix} is a family of '{other}' as well")


class _File:
    """One profile as it is written, before others are included."""

    def __init__(self, path: Path, root: yaml.Node) -> None:
        self._path = path
        self.name = path.stem
        self._keys = {str(key.value): key for key, _ in self._pairs(root)}
        given = {str(key.value): node for key, node in self._pairs(root)}
        unknown = set(given) - {"title", "families", "include", "tables"}
        if unknown:
            raise ContentError(f"{self.place(min(unknown))}: key '{min(unknown)}' is unknown")
        self.title: str = self._convert(given.get("title", root), str, "title")
        self.families: tuple[str, ...] = self._optional(given, "families", tuple[Oid, ...])
        self.include: tuple[str, ...] = self._optional(given, "include", tuple[Name, ...])
        tables = given.get("tables")
        self.tables = () if tables is None else tuple(self._table(key, node) for key, node in self._pairs(tables))

    @classmethod
    def read(cls, path: Path) -> _File:
        data = read_bounded(path, _MAX_BYTES, "an SNMP profile")
        try:
            root = yaml.compose(data, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ContentError(f"{path}, line {line}: {error.problem}; expected YAML") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ContentError(f"{path}: not YAML text") from error
        if root is None:
            raise ContentError(f"{path}, line 1: the profile is empty")
        return cls(path, root)

    def place(self, key: str) -> str:
        """File and line of one of its own keys."""
        return self._place(self._keys[key])

    def _optional(self, given: Mapping[str, yaml.Node], key: str, wanted: Any) -> Any:
        return self._convert(given[key], wanted, key) if key in given else ()

    def _table(self, key: yaml.Node, node: yaml.Node) -> Table:
        parts = {str(part.value): value for part, value in self._pairs(node)}
        columns = parts.pop("columns", None)
        if columns is None:
            raise ContentError(f"{self._place(key)}: table '{key.value}' has no key 'columns'")
        read = tuple(self._column(name, value) for name, value in self._pairs(columns))
        plain = {name: self._plain(value) for name, value in parts.items()} | {"name": key.value, "columns": ()}
        table = self._made(plain, Table, f"table '{key.value}'", key)
        table = msgspec.structs.replace(table, columns=read)
        for problem in _problems(table):
            raise ContentError(f"{self._place(key)}: table '{table.name}': {problem}")
        return table

    def _column(self, key: yaml.Node, node: yaml.Node) -> Column:
        plain = self._plain(node)
        if not isinstance(plain, dict):
            raise ContentError(f"{self._place(node)}: column '{key.value}' is no mapping")
        return self._made(plain | {"name": key.value}, Column, f"column '{key.value}'", key)

    def _made(self, plain: dict[Any, Any], wanted: type[_R], what: str, key: yaml.Node) -> _R:
        try:
            return msgspec.convert(plain, wanted, strict=False)
        except msgspec.ValidationError as error:
            raise ContentError(f"{self._place(key)}: {what}: {error}") from error

    def _convert(self, node: yaml.Node, wanted: Any, key: str) -> Any:
        try:
            return msgspec.convert(self._plain(node), wanted)
        except msgspec.ValidationError as error:
            raise ContentError(f"{self._place(node)}: key '{key}': {error}") from error

    def _pairs(self, node: yaml.Node) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        """The keys and values of a mapping, each key once."""
        if not isinstance(node, yaml.MappingNode):
            raise ContentError(f"{self._place(node)}: expected a mapping")
        seen = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                raise ContentError(f"{self._place(key)}: a key is given twice or is no plain text")
            seen.add(key.value)
            yield key, value

    def _plain(self, node: yaml.Node, depth: int = 0) -> Any:
        """The node as plain data: scalars by YAML's rules, object identifiers as text."""
        if depth > _DEEPEST:
            raise ContentError(f"{self._place(node)}: nested too deeply")
        if isinstance(node, yaml.MappingNode):
            return {self._plain(key, depth + 1): self._plain(value, depth + 1) for key, value in self._pairs(node)}
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(one, depth + 1) for one in node.value]
        return _scalar(node)

    def _place(self, node: yaml.Node) -> str:
        return f"{self._path}, line {node.start_mark.line + 1}"


def _scalar(node: yaml.Node) -> Any:
    kind = node.tag.rpartition(":")[2]
    text: str = node.value
    if kind == "bool":
        return text.lower() in {"true", "yes", "on"}
    return {"int": int, "float": float}.get(kind, str)(text)


def _problems(table: Table) -> Iterator[str]:
    """What a table says of itself that cannot be."""
    names = [column.name for column in table.columns]
    if len(set(names)) < len(names):
        yield "a column is named twice"
    if table.rows and table.rows not in names:
        yield f"'rows' names no column: '{table.rows}'"
    if not table.rows and table.named:
        yield "'named' is for tables with 'rows'; scalars have a 'label'"
    for name in table.named:
        if name not in names:
            yield f"'named' names no column: '{name}'"
    for made, terms in table.derived.items():
        for term in terms:
            found = _TERM.fullmatch(term) if isinstance(term, str) else None
            if isinstance(term, str) and (found is None or found[1] not in names):
                yield f"'derived' {made}: '{term}' is no column"
    for column in table.columns:
        yield from _column_problems(column, names)


def _column_problems(column: Column, names: list[str]) -> Iterator[str]:
    if column.kind is Kind.STATE and not column.states:
        yield f"column '{column.name}' is a state without 'states'"
    if column.exponent is not None and not set(column.exponent) <= set(names):
        yield f"column '{column.name}': 'exponent' names no column"
    if column.factor and column.factor not in names:
        yield f"column '{column.name}': 'factor' names no column"
