"""Notes of who looked at what: each search, raw view and export becomes an entry of the audit chain.

A note is written to disk before anything is shown, and goes once the centre has entered it. So a search also works
while the centre does not answer, and none escapes the chain: not one that is cut off, nor one whose process is killed.
What was kept is handed over with the next note, or when the process starts. A note that the centre does not take as it
is enters the chain in short form and is put aside; one whose actor may do nothing any more waits behind the others.
"""

from __future__ import annotations

import os
import secrets
from collections import OrderedDict
from collections.abc import Generator, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import msgspec

from core.access_files import alone, keep, own, put_aside, put_last
from core.clock import Clock
from core.errors import HaidangError, RefusedError, UnavailableError
from core.files import make_folder, remove_file, replace_file
from core.records import Event, Record

if TYPE_CHECKING:
    from core.stores.event_search import Query

ACTION = "access.note"
"""The centre's action that takes a note."""

MOST_KEPT = 1_000
"""Notes that may wait for the centre; with more, nothing is shown until it answers."""
MOST_AT_ONCE = 50
"""Kept notes that are handed over at once."""
MOST_TRIED = 200
MOST_MISSED = 2
"""Notes to which the centre does not answer until no more are tried: one alone may be at fault."""
MOST_LETTERS = 2_000
"""Characters of a query, or of a scope, that a note holds."""
MOST_OBJECT = 200
MOST_REMEMBERED = 10_000
"""Looks that need no other note while the same is shown."""

TALLY = "histogram"
"""The object of a search that only counts: its note says how many events it counted."""

NO_BOUND = 1 << 62
"""The end of a search that has none."""


class Access(Record, frozen=True, kw_only=True):
    """What someone looked at.

    Attributes:
        what: ``search``, ``raw`` for raw lines beside something else, or ``export``.
        object: of what: ``events``, ``incident/7``.
        query: as it was asked; what is longer than ``MOST_LETTERS`` is cut.
        since: from when on, nanoseconds UTC; 0 for no bound.
        until: up to when; 0 for no bound.
        scope: ``everything``, or the units granted to who looked.
        count: how many events, rows or lines were shown.
        cut: whether it ended before all was shown, or there was more than was asked for.
        time: when it was done.
    """

    what: Literal["search", "raw", "export"]
    object: str
    query: str = ""
    since: int = 0
    until: int = 0
    scope: str = ""
    count: int = 0
    cut: bool = False
    time: int = 0


def of_search(query: Query, scope: str) -> Access:
    """The search for stored events, or for messages in quarantine, as it begins."""
    return Access(
        what="search",
        object="quarantine" if query.quarantined else "events" if query.limit else TALLY,
        query=f"{query.text} site:{query.site}".strip() if query.site else query.text,
        since=query.since,
        until=query.until if query.until < NO_BOUND else 0,
        scope=scope,
    )


class _Kept(Record, frozen=True, kw_only=True):
    """A note on disk: in whose name, and what."""

    actor: str
    access: Access


class Call(Protocol):
    """Does an action of the centre, as ``core.centre.CentreClient.call``."""

    def __call__(self, action: str, actor: str = "", **values: object) -> Any:
        """Returns its answer; refusals are raised."""
        ...


class Step(Protocol):
    """A step of a search, as ``core.stores.event_search.Found``."""

    @property
    def events(self) -> list[Event]:
        """What comes next."""
        ...

    @property
    def counts(self) -> dict[int, int]:
        """How many more matches there are, by span of time."""
        ...

    @property
    def more(self) -> bool:
        """Whether there is more than was asked for."""
        ...

    @property
    def done(self) -> bool:
        """Whether it is the last one."""
        ...


Steps = TypeVar("Steps", bound=Step)


class Accesses:
    """Notes through the centre, or on disk until it answers; may be shared by threads.

    Args:
        call: does actions of the centre.
        folder: where notes wait; of this account alone.
    """

    def __init__(self, call: Call, folder: Path, clock: Clock) -> None:
        self._call = call
        self._folder = folder
        self._clock = clock
        self._shown: OrderedDict[Hashable, None] = OrderedDict()
        self._lock = Lock()

    @contextmanager
    def noted(self, actor: str, access: Access) -> Iterator[Looked]:
        """Something being looked at: what is counted until it is left is what the note says.

        Raises:
            UnavailableError: the note can be kept nowhere, so nothing may be shown.
        """
        looked = self._begin(actor, access)
        try:
            yield looked
        finally:
            looked.finish()

    def note(self, actor: str, access: Access) -> None:
        """Notes what is about to be shown whole.

        Raises:
            UnavailableError: the note can be kept nowhere, so nothing may be shown.
        """
        with self.noted(actor, access) as looked:
            looked.add(access.count, is_whole=not access.cut)

    def note_shown(self, actor: str, access: Access, mark: Hashable, *, is_again: bool) -> None:
        """Notes what is about to be shown; ``is_again`` asks for no second note of what has this mark.

        Raises:
            UnavailableError: the note can be kept nowhere, so nothing may be shown.
        """
        with self._lock:
            if is_again and mark in self._shown:
                return
        self.note(actor, access)
        with self._lock:
            self._shown[mark] = None
            if len(self._shown) > MOST_REMEMBERED:
                self._shown.popitem(last=False)

    def search(self, actor: str, access: Access, steps: Iterator[Steps]) -> Generator[Steps]:
        """The steps of a search as they come; it is noted before the last one is told, or when it is left.

        Raises:
            UnavailableError: the note can be kept nowhere, so nothing may be shown.
        """
        with self.noted(actor, access) as looked:
            is_tally = access.object == TALLY
            for step in steps:
                count = sum(step.counts.values()) if is_tally else len(step.events)
                looked.add(count, is_whole=step.done and (is_tally or not step.more))
                if step.done:
                    looked.finish()
                yield step

    def deliver(self, actor: str = "") -> int:
        """Hands over notes that were kept, oldest first, until the centre does not answer; returns how many.

        One whose own actor may do nothing any more is entered in the name of ``actor``, and says whose it is. What
        nobody here may enter waits behind all others.
        """
        done, missed = 0, list[Path]()
        for path in sorted(self._folder.glob("*.json"))[:MOST_TRIED]:
            try:
                done += self._deliver(path, actor)
            except UnavailableError:
                missed.append(path)
            except RefusedError:
                put_last(path)  # it waits for somebody who may
            if done == MOST_AT_ONCE or len(missed) == MOST_MISSED:
                break
        if done:  # the centre answers, only not to these
            for path in missed:
                put_last(path)
        return done

    def _begin(self, actor: str, access: Access) -> Looked:
        make_folder(self._folder, mode=0o700)
        begun = msgspec.structs.replace(_bounded(access), time=self._clock.now(), count=0, cut=True)
        path = self._folder / f"{begun.time:020d}-{secrets.token_hex(4)}.json"
        with alone(self._folder):
            if sum(1 for _ in self._folder.glob("*.json")) < MOST_KEPT:
                return Looked(self, path, _Kept(actor=actor, access=begun))
        self.deliver(actor)
        raise UnavailableError(f"{MOST_KEPT} notes of what was looked at wait for the centre: is it running?")

    def hand_over(self, actor: str, access: Access, by: str = "") -> None:
        """Has the centre enter the note; ``by`` names whose it is, where another hands it over.

        Raises:
            RefusedError: the actor may not.
            UnavailableError: the centre does not answer.
        """
        self._call(ACTION, actor=actor, **msgspec.structs.asdict(access), by=by)

    def _deliver(self, path: Path, actor: str) -> bool:
        owned = own(path)
        if owned is None:
            return False
        descriptor, content = owned
        try:
            kept = _read(content)
            if kept is None:
                return self._tell_damaged(path, actor)
            if self._enter(kept, actor):
                remove_file(path)
            else:
                put_aside(path, MOST_KEPT)
            return True
        finally:
            os.close(descriptor)

    def _enter(self, kept: _Kept, actor: str) -> bool:
        """Has it entered in its own actor's name, else in that of ``actor``; returns whether whole, else in short form.

        Raises:
            RefusedError: neither may.
            UnavailableError: the centre does not answer.
        """
        names = [(kept.actor, ""), *([(actor, kept.actor)] if actor not in {"", kept.actor} else [])]
        refused: HaidangError = RefusedError("nobody may enter it")
        for name, by in names:
            for access in (kept.access, _short(kept.access)):
                try:
                    self.hand_over(name, access, by)
                except RefusedError as error:
                    refused = error
                else:
                    return access is kept.access
        raise refused

    def _tell_damaged(self, path: Path, actor: str) -> bool:
        """Has it entered that a note was there which nobody can read; it needs somebody in whose name."""
        if not actor:
            return False
        self.hand_over(actor, Access(what="raw", object="damaged note", query=path.name, cut=True))
        put_aside(path, MOST_KEPT)
        return True


class Looked:
    """Something being looked at, and the file that says so."""

    def __init__(self, accesses: Accesses, path: Path, kept: _Kept) -> None:
        self._accesses = accesses
        self._path = path
        self._kept = kept
        self._lock: int | None = keep(path, msgspec.json.encode(kept))

    def add(self, count: int, *, is_whole: bool = False) -> None:
        """So many more were shown; ``is_whole`` once these are all there are."""
        access = self._kept.access
        seen = msgspec.structs.replace(access, count=access.count + count, cut=not is_whole)
        self._kept = msgspec.structs.replace(self._kept, access=seen)

    def finish(self) -> None:
        """Enters it in the chain, or keeps it with what it has come to; a second time nothing."""
        if self._lock is None:
            return
        lock, self._lock = self._lock, None
        kept = self._kept
        try:
            self._accesses.hand_over(kept.actor, kept.access)
        except HaidangError:
            replace_file(self._path, msgspec.json.encode(kept), mode=0o600)
        else:
            remove_file(self._path)
            self._accesses.deliver(kept.actor)
        finally:
            os.close(lock)


def _read(content: bytes) -> _Kept | None:
    try:
        return msgspec.json.decode(content, type=_Kept)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _bounded(access: Access) -> Access:
    """As the centre takes it."""
    return msgspec.structs.replace(
        access,
        object=_text(access.object, MOST_OBJECT) or "unknown",
        query=_text(access.query, MOST_LETTERS),
        scope=_text(access.scope, MOST_LETTERS),
        since=_number(access.since),
        until=_number(access.until),
        count=_number(access.count),
        time=_number(access.time),
    )


def _short(access: Access) -> Access:
    """What is left of a note that the centre does not take: what, of what, how many, when."""
    kept = _bounded(access)
    return Access(what=kept.what, object=kept.object, count=kept.count, cut=True, time=kept.time)


def _text(text: str, most: int) -> str:
    return text.encode("utf-8", "replace").decode()[:most]


def _number(number: int) -> int:
    return min(max(number, 0), NO_BOUND)
