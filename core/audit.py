"""The audit chain: each entry carries the hash of the one before, so nothing can be changed or left out unseen.

The head is signed (Ed25519) and written to the anchors folder, at each commit as ``latest.json`` and every hour
under a name of its own; a copy kept off this host also proves that the chain was not built anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, LargeBinary, String, cast, insert, select

from core.clock import HOUR, iso
from core.errors import ContentError
from core.files import make_folder, replace_file
from core.records import Record
from core.stores.tables import audit

FORMAT = 1
KEY_ACTION = "audit.key"
"""The action of an entry whose detail is the public key by which heads are signed from then on."""

GENESIS = hashlib.sha256(b"haidang audit chain, format 1").hexdigest()
"""What the first entry carries as the hash of the one before."""

# Text is read as bytes: a row damaged so that it is no text any more is a finding, and no failure of the reading.
_COLUMNS = tuple(
    cast(column, LargeBinary).label(column.name) if isinstance(column.type, String) else column for column in audit.c
)


class Entry(Record, frozen=True, kw_only=True):
    """One link: who did what to what, when (nanoseconds UTC), and the hashes that bind it."""

    seq: int
    time: int
    actor: str
    action: str
    object: str
    detail: str
    previous: str
    hash: str


class Anchor(Record, frozen=True, kw_only=True):
    """The head of the chain at one moment, signed. ``key`` is the public key, hexadecimal."""

    format: int = FORMAT
    seq: int
    hash: str
    time: int
    key: str
    signature: str


class Finding(Record, frozen=True, kw_only=True):
    """Something that is not as it was written: which kind, where, and what it means."""

    kind: str
    where: str
    text: str


def head(connection: Connection) -> Entry | None:
    """The last entry, or None where there is none."""
    row = connection.execute(select(*_COLUMNS).order_by(audit.c.seq.desc()).limit(1)).mappings().first()
    return _entry(row) if row else None


def has(connection: Connection, action: str, subject: str) -> bool:
    """Whether such an entry has been made."""
    query = select(audit.c.seq).where(audit.c.action == action, audit.c.object == subject).limit(1)
    return connection.execute(query).first() is not None


def has_done(connection: Connection, actor: str, subject: str, actions: Collection[str], since: int) -> bool:
    """Whether the actor has done one of these to the subject since then, nanoseconds UTC."""
    wanted = (audit.c.object == subject) & (audit.c.actor == actor) & audit.c.action.in_(actions)
    return connection.execute(select(audit.c.seq).where(wanted, audit.c.time >= since).limit(1)).first() is not None


def actors_of(connection: Connection, subject: str, actions: Collection[str]) -> frozenset[str]:
    """Who has ever done one of these to the subject."""
    query = select(audit.c.actor).where(audit.c.object == subject, audit.c.action.in_(actions)).distinct()
    return frozenset(connection.execute(query).scalars())


def signing_keys(connection: Connection) -> list[str]:
    """The public keys that the chain names as those of its anchors, in order."""
    query = select(audit.c.detail).where(audit.c.action == KEY_ACTION).order_by(audit.c.seq)
    return list(connection.execute(query).scalars())


def append(connection: Connection, time: int, actor: str, action: str, subject: str, detail: str = "") -> Entry:
    """Adds an entry in the caller's transaction; ``subject`` is what was acted on.

    The centre is the only writer, so the last entry read here is the last there is.
    """
    last = head(connection)
    seq, previous = (last.seq + 1, last.hash) if last else (1, GENESIS)
    content = (seq, time, actor, action, subject, detail, previous)
    entry = Entry(
        seq=seq,
        time=time,
        actor=actor,
        action=action,
        object=subject,
        detail=detail,
        previous=previous,
        hash=_digest(content),
    )
    connection.execute(insert(audit).values(msgspec.structs.asdict(entry)))
    return entry


def read_chain(connection: Connection) -> Iterator[Entry]:
    """All entries in order."""
    for row in connection.execute(select(*_COLUMNS).order_by(audit.c.seq)).mappings():
        yield _entry(row)


def verify_chain(entries: Iterable[Entry]) -> Iterator[Finding]:
    """Every entry that does not follow from the one before or does not carry its own hash."""
    previous, expected = GENESIS, 1
    for entry in entries:
        if entry.seq != expected:
            yield Finding(kind="gap", where=f"entry {expected}", text=f"entries {expected} to {entry.seq - 1} are gone")
        elif entry.previous != previous:
            yield Finding(kind="broken", where=f"entry {entry.seq}", text="does not follow from the entry before it")
        if _digest(_content(entry)) != entry.hash:
            yield Finding(kind="changed", where=f"entry {entry.seq}", text="its content does not give its hash")
        previous, expected = entry.hash, entry.seq + 1


def verify_anchor(entries: Iterable[Entry], anchor: Anchor) -> Iterator[Finding]:
    """Whether the chain still holds what was signed: finds a cut tail and a chain built anew."""
    where = f"anchor of {iso(anchor.time)}"
    if not _signed(anchor):
        yield Finding(kind="anchor", where=where, text="its signature does not fit: the anchor file was changed")
        return
    found = {entry.seq: entry.hash for entry in entries}
    if anchor.seq not in found:
        end = max(found, default=0)
        yield Finding(
            kind="cut", where=f"after entry {end}", text=f"entries up to {anchor.seq} were signed and are gone"
        )
    elif found[anchor.seq] != anchor.hash:
        yield Finding(kind="rebuilt", where=f"entry {anchor.seq}", text=f"is not what was signed at {iso(anchor.time)}")


def verify_keys(entries: Iterable[Entry], anchors: Iterable[Anchor]) -> Iterator[Finding]:
    """Anchors signed by a key that the chain does not name: anyone can sign with a key of his own."""
    named = {entry.detail for entry in entries if entry.action == KEY_ACTION}
    for anchor in anchors:
        if anchor.key not in named:
            text = "is signed by a key that the chain does not name"
            yield Finding(kind="key", where=f"anchor of {iso(anchor.time)}", text=text)


def read_anchor(path: Path) -> Anchor:
    """An anchor file.

    Raises:
        ContentError: the file cannot be read as an anchor.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Anchor)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContentError(f"{path} is not an anchor of the audit chain: {error}") from error


class Anchors:
    """Writes signed heads into a folder from which an off-host copy can fetch them."""

    def __init__(self, folder: Path, seed: bytes) -> None:
        self._folder = make_folder(folder)
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._key.public_key().public_bytes_raw().hex()
        self._written = (0, 0)

    def write(self, head: Entry, now: int) -> None:
        """Writes ``latest.json``, and the anchor of this hour; nothing if neither head nor hour is new."""
        if self._written == (head.seq, now // HOUR):
            return
        content = msgspec.json.encode(self._sign(head, now))
        replace_file(self._folder / "latest.json", content)
        hourly = self._folder / f"head-{iso(now - now % HOUR)[:13].replace('-', '')}Z.json"
        if not hourly.exists():
            replace_file(hourly, content)
        self._written = (head.seq, now // HOUR)

    def _sign(self, head: Entry, now: int) -> Anchor:
        signature = self._key.sign(_signed_content(head.seq, head.hash, now)).hex()
        return Anchor(seq=head.seq, hash=head.hash, time=now, key=self.public_key, signature=signature)


def _entry(row: Mapping[Any, Any]) -> Entry:
    text = {name: value.decode("utf-8", "replace") for name, value in row.items() if isinstance(value, bytes)}
    return Entry(**(dict(row) | text))


def _signed(anchor: Anchor) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(anchor.key))
        key.verify(bytes.fromhex(anchor.signature), _signed_content(anchor.seq, anchor.hash, anchor.time))
    except (InvalidSignature, ValueError):
        return False
    return True


def _signed_content(seq: int, head: str, time: int) -> bytes:
    return msgspec.json.encode(["haidang-anchor", FORMAT, seq, head, time])


def _content(entry: Entry) -> tuple[int, int, str, str, str, str, str]:
    return entry.seq, entry.time, entry.actor, entry.action, entry.object, entry.detail, entry.previous


def _digest(content: tuple[int, int, str, str, str, str, str]) -> str:
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()
