"""Rule packs and switched-off rules in the state database. The centre is the only writer.

A pack is a set of rule files that came from elsewhere, for instance SigmaHQ's. Every import makes a version, of which
one at most is active; files are kept once by the SHA-256 of their bytes, so a version costs what it changes.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Column, Connection, Row, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from core import audit
from core.errors import NotFoundError, RefusedError
from core.records import Record
from core.rule_text import PREFIX
from core.stores.tables import audit as chain
from core.stores.tables import rule_packs, rule_texts, rules, rules_off

KEEP_VERSIONS = 20
"""Versions of a pack; an older one goes when a new one comes."""

_IMPORT, _ROLLBACK = "pack.import", "pack.rollback"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_CHUNK = 500
"""Values in one statement; SQLite takes 32,766."""


class PackVersion(Record, frozen=True, kw_only=True):
    """One version of a pack.

    Attributes:
        number: grows by one with each import.
        sha256: of the manifest, which names every file and its own SHA-256.
        time: of the import, nanoseconds UTC.
        actor: who imported it.
        source: from what, as the importer named it.
        files: how many.
        active: whether its rules are in use.
    """

    name: str
    number: int
    sha256: str
    time: int
    actor: str
    source: str
    files: int
    active: bool


class Off(Record, frozen=True, kw_only=True):
    """That a rule is switched off: who did it, when (nanoseconds UTC), and why."""

    rule: str
    time: int
    actor: str
    reason: str


def list_packs(connection: Connection, name: str = "") -> list[PackVersion]:
    """All versions of all packs, or of one, by name and number."""
    query = select(rule_packs).order_by(rule_packs.c.name, rule_packs.c.number)
    found = connection.execute(query.where(rule_packs.c.name == name) if name else query)
    return [_version(row) for row in found]


def active_manifest(connection: Connection, name: str) -> dict[str, str]:
    """The paths of the pack's active version with the SHA-256 of each file; empty where none is active."""
    query = select(rule_packs.c.manifest).where(rule_packs.c.name == name, rule_packs.c.active == 1)
    found = connection.execute(query).scalar()
    return _manifest(found) if found else {}


def read_packs(connection: Connection) -> dict[str, bytes]:
    """The files of all active versions, by ``packs/NAME/PATH``; the pack that is longest in use first."""
    named = {
        f"{PREFIX}{row.name}/{path}": digest
        for row in _in_use(connection, rule_packs.c.manifest)
        for path, digest in _manifest(row.manifest).items()
    }
    texts = dict(_texts(connection, sorted(set(named.values()))))
    return {file: texts[digest] for file, digest in named.items()}


def read_text(connection: Connection, digest: str) -> bytes:
    """The rule file of that SHA-256.

    Raises:
        NotFoundError: there is none.
    """
    for _, content in _texts(connection, [digest]):
        return content
    raise NotFoundError(f"there is no rule file {digest}")


def check_name(name: str) -> None:
    """Refuses what cannot be the name of a pack.

    Raises:
        RefusedError: it is no plain word.
    """
    if not _NAME.fullmatch(name):
        raise RefusedError(f"'{name}' is no name of a pack: use up to 40 of a-z, 0-9, - and _")


def store_pack(
    connection: Connection, now: int, actor: str, name: str, source: str, files: Mapping[str, bytes]
) -> PackVersion:
    """Makes these files the pack's new version, and that the active one.

    Raises:
        RefusedError: the name is not a plain word, there is no file, or the active version holds just these.
    """
    check_name(name)
    if not files:
        raise RefusedError("the pack holds no rule")
    versions = list_packs(connection, name)
    manifest = msgspec.msgpack.encode(put_texts(connection, files), order="sorted")
    made = PackVersion(
        name=name,
        number=versions[-1].number + 1 if versions else 1,
        sha256=hashlib.sha256(manifest).hexdigest(),
        time=now,
        actor=actor,
        source=source,
        files=len(files),
        active=True,
    )
    _must_differ(made, versions)
    row = msgspec.structs.asdict(made) | {"active": 0, "manifest": zlib.compress(manifest)}
    connection.execute(insert(rule_packs).values(row))
    _activate(connection, name, made.number)
    _forget(connection, name)
    said = {"number": made.number, "sha256": made.sha256, "files": made.files, "source": source}
    audit.append(connection, now, actor, _IMPORT, f"pack/{name}", msgspec.json.encode(said).decode())
    return made


def roll_back(connection: Connection, now: int, actor: str, name: str, number: int | None) -> PackVersion | None:
    """Makes an earlier version the active one: that of this number, else the one that was active before.

    0 takes the pack out of use, and then nothing is returned; its versions stay.

    Raises:
        NotFoundError: there is no such pack or version.
        RefusedError: it is not known what was active before, or that version is active.
    """
    versions = list_packs(connection, name)
    if not versions:
        raise NotFoundError(f"there is no pack '{name}'")
    active = next((one.number for one in versions if one.active), 0)
    wanted = _before(connection, versions, active) if number is None else number
    if wanted and wanted not in {one.number for one in versions}:
        numbers = ", ".join(str(one.number) for one in versions)
        raise NotFoundError(f"pack '{name}' has no version {wanted}: it has {numbers}")
    if wanted == active:
        raise RefusedError(f"version {wanted} of pack '{name}' is active already")
    _activate(connection, name, wanted)
    audit.append(connection, now, actor, _ROLLBACK, f"pack/{name}", f"{active} -> {wanted}")
    return next((one for one in list_packs(connection, name) if one.active), None)


def off_ids(connection: Connection) -> frozenset[str]:
    """The ids of all switched-off rules."""
    return frozenset(connection.execute(select(rules_off.c.rule)).scalars())


def off_of(connection: Connection, rule: str) -> Off | None:
    """Who switched the rule off, when and why; None for one that is on."""
    row = connection.execute(select(rules_off).where(rules_off.c.rule == rule)).mappings().first()
    return Off(**row) if row else None


def offs(connection: Connection) -> dict[str, Off]:
    """All switched-off rules by their id, with who switched them off, when and why."""
    return {row["rule"]: Off(**row) for row in connection.execute(select(rules_off)).mappings()}


def switch_off(connection: Connection, now: int, actor: str, ids: Collection[str], reason: str) -> int:
    """Switches these rules off; returns how many were on."""
    fresh = sorted(set(ids) - off_ids(connection))
    for rule in fresh:
        connection.execute(insert(rules_off).values(rule=rule, time=now, actor=actor, reason=reason))
        audit.append(connection, now, actor, "rule.disable", f"rule/{rule}", reason)
    return len(fresh)


def switch_on(connection: Connection, now: int, actor: str, ids: Collection[str], reason: str) -> int:
    """Switches these rules on again; returns how many were off."""
    found = sorted(set(ids) & off_ids(connection))
    for rule in found:
        connection.execute(delete(rules_off).where(rules_off.c.rule == rule))
        audit.append(connection, now, actor, "rule.enable", f"rule/{rule}", reason)
    return len(found)


def rules_mark(connection: Connection) -> str:
    """Differs where other packs are active, or in another order, or other rules are switched off."""
    found = [
        (row.name, row.number, row.sha256) for row in _in_use(connection, rule_packs.c.number, rule_packs.c.sha256)
    ]
    return hashlib.sha256(msgspec.json.encode([found, sorted(off_ids(connection))])).hexdigest()


def put_texts(connection: Connection, files: Mapping[str, bytes]) -> dict[str, str]:
    """Keeps the files' bytes, each once, and returns the SHA-256 of each file by its name."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    known = set(connection.execute(select(rule_texts.c.sha256)).scalars())
    fresh = {digest: files[name] for name, digest in digests.items() if digest not in known}
    for part in _parts(sorted(fresh)):
        rows = [{"sha256": digest, "content": zlib.compress(fresh[digest])} for digest in part]
        connection.execute(upsert(rule_texts).on_conflict_do_nothing(), rows)
    return digests


def prune_texts(connection: Connection) -> None:
    """Removes the files that neither a version of a pack nor the catalogue names."""
    named = set(connection.execute(select(rules.c.sha256)).scalars())
    for manifest in connection.execute(select(rule_packs.c.manifest)).scalars():
        named |= set(_manifest(manifest).values())
    stored = set(connection.execute(select(rule_texts.c.sha256)).scalars())
    for part in _parts(sorted(stored - named)):
        connection.execute(delete(rule_texts).where(rule_texts.c.sha256.in_(part)))


def _must_differ(made: PackVersion, versions: Iterable[PackVersion]) -> None:
    for one in versions:
        if one.active and one.sha256 == made.sha256:
            raise RefusedError(f"version {one.number} of pack '{made.name}' is active and holds just these files")


class _History(NamedTuple):
    """What the audit chain says of a pack.

    Attributes:
        since: by which entry it came into use, without having been out of it since.
        versions: those that were active, each before the next, the present one last; what was taken back is left out.
    """

    since: int
    versions: list[int]


def _history(connection: Connection, name: str) -> _History:
    query = select(chain.c.seq, chain.c.action, chain.c.detail).order_by(chain.c.seq)
    since, versions = 0, [0]
    of_pack = (chain.c.object == f"pack/{name}", chain.c.action.in_((_IMPORT, _ROLLBACK)))
    for row in connection.execute(query.where(*of_pack)):
        number = _activated(row.action, row.detail)
        since = since if versions[-1] else row.seq
        if number in versions:
            del versions[versions.index(number) + 1 :]
        else:
            versions = [*(one for one in versions if one), number]
    return _History(since, versions)


def _activated(action: str, detail: str) -> int:
    """The version that an entry of the audit chain made active."""
    return int(msgspec.json.decode(detail)["number"] if action == _IMPORT else detail.rpartition(" ")[2])


def _in_use(connection: Connection, *columns: Column[Any]) -> list[Row[Any]]:
    """Name and these columns of all active versions, the pack that is longest in use first."""
    found = connection.execute(select(rule_packs.c.name, *columns).where(rule_packs.c.active == 1)).all()
    return sorted(found, key=lambda row: (_history(connection, row.name).since, row.name))


def _before(connection: Connection, versions: Sequence[PackVersion], active: int) -> int:
    name, numbers = versions[0].name, [one.number for one in versions]
    *earlier, last = _history(connection, name).versions
    known = [number for number in earlier if number in numbers]
    if last != active or not known:
        told = ", ".join(map(str, numbers))
        raise RefusedError(
            f"there is no version of pack '{name}' before {active} that is known to have been active: "
            f"name one with --to, it has {told}"
        )
    return known[-1]


def _activate(connection: Connection, name: str, number: int) -> None:
    connection.execute(update(rule_packs).where(rule_packs.c.name == name).values(active=0))
    of_number = (rule_packs.c.name == name, rule_packs.c.number == number)
    connection.execute(update(rule_packs).where(*of_number).values(active=1))


def _forget(connection: Connection, name: str) -> None:
    newest = select(func.max(rule_packs.c.number)).where(rule_packs.c.name == name).scalar_subquery()
    old = (rule_packs.c.name == name, rule_packs.c.number <= newest - KEEP_VERSIONS)
    connection.execute(delete(rule_packs).where(*old))


def _texts(connection: Connection, digests: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for part in _parts(digests):
        query = select(rule_texts.c.sha256, rule_texts.c.content).where(rule_texts.c.sha256.in_(part))
        for row in connection.execute(query):
            yield row.sha256, zlib.decompress(row.content)


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))


def _manifest(stored: bytes) -> dict[str, str]:
    return msgspec.msgpack.decode(zlib.decompress(stored), type=dict[str, str])


def _version(row: Row[tuple[object, ...]]) -> PackVersion:
    values = {name: value for name, value in row._mapping.items() if name != "manifest"}  # noqa: SLF001 - public name
    return PackVersion(**(values | {"active": bool(values["active"])}))
