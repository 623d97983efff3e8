"""The lane reads messages in quarantine again: those that are messages now become events, each once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from collectors.files.jsonl import decode_json
from collectors.logs.decode import Decoder
from collectors.logs.frames import Frame, Inlet
from collectors.logs.marks import Marks
from collectors.logs.spooling import decode_event
from core.files import sync_file
from core.outbox import Outbox
from core.records import Event
from core.replays import Asked, Replay
from core.scope import EVERYTHING
from core.stores.event_search import Query
from core.stores.events import LocalEvents
from core.terminal import say

_NOTE = "replayed"
_MOST = 1_000_000
"""Messages of one request; who has more asks again for another time."""

_DOCUMENTS = frozenset(("http", "file"))


class Replayer:
    """Does what was asked, one request after the other.

    Args:
        folder: the lane's.
        inlet: where messages go that are messages now.
        decoder: the present one.
        marks: how far requests are done, as the lane keeps them.
        outbox: notes which requests are done.
    """

    def __init__(self, folder: Path, inlet: Inlet, decoder: Decoder, marks: Marks, outbox: Outbox) -> None:
        self._store = LocalEvents(folder / "spool", folder / "events", decode_event)
        self._done = folder / "replayed.txt"
        self._inlet = inlet
        self._decoder = decoder
        self._marks = marks
        self._outbox = outbox

    async def run(self, replays: Sequence[Replay]) -> None:
        """Does those that are not done yet."""
        for replay in replays:
            if replay.number > int(self._outbox.noted(_NOTE) or 0):
                count = await self._replay(replay)
                self._outbox.note(_NOTE, str(replay.number))
                say(f"logs lane: {count} messages of the quarantine are events now")

    async def _replay(self, replay: Replay) -> int:
        stream = f"replay/{replay.number}"
        found = await asyncio.to_thread(self._readable, replay.asked)
        waiting = [asyncio.Event() for _ in found]
        for place, (event, stored) in enumerate(zip(found, waiting, strict=True)):
            if place >= self._marks.get(stream):
                await self._inlet.put(_frame(event, stream, place + 1, stored))
            else:
                stored.set()
        for stored in waiting:
            await stored.wait()
        await asyncio.to_thread(self._note_done, found)
        return len(found)

    def _readable(self, asked: Asked) -> list[Event]:
        """The messages that were meant and are readable now, in the order in which they came."""
        query = Query(since=asked.since, until=asked.until, quarantined=True, limit=_MOST)
        done = set(self._done.read_text(encoding="ascii").split()) if self._done.exists() else set()
        kept = [event for event in self._store.search(EVERYTHING, query) if event.id not in done]
        meant = [event for event in kept if asked.source in {"", event.fields.get("observer.ip")}]
        return [event for event in reversed(meant) if self._is_message(event)]

    def _is_message(self, event: Event) -> bool:
        return not self._decoder.decode(_frame(event, "", 0, asyncio.Event()), event.id).quarantined

    def _note_done(self, found: Sequence[Event]) -> None:
        with self._done.open("a", encoding="ascii") as file:
            file.writelines(f"{event.id}\n" for event in found)
        sync_file(self._done)


def _frame(event: Event, stream: str, mark: int, stored: asyncio.Event) -> Frame:
    """The message as it came; what was cut for being too long stays so and is none."""
    transport = str(event.fields.get("network.transport", ""))
    reason = str(event.fields.get("error.message", ""))
    return Frame(
        str(event.fields.get("observer.ip", "")),
        "replay",
        event.raw,
        event.seen,
        stream=stream,
        mark=mark,
        fault=reason if reason.startswith(("oversized", "cut")) else "",
        form=decode_json if transport in _DOCUMENTS else None,
        origin=event.id,
        stored=stored.set,
    )
