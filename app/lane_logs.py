"""The logs lane, wired: receivers ─► intake (decode, enrich, store) ─► judge ─► relay."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from app.content import decode_rules
from app.pipeline import judge
from app.replaying import Replayer
from app.retaining import Retainer
from app.ways_in import Carried, WaysIn
from collectors.logs.book import Book
from collectors.logs.decode import QUARANTINE, Decoder, connection_cut, source_changed
from collectors.logs.gate import Limits
from collectors.logs.intake import Intake
from collectors.logs.keeping import SourceFiles
from collectors.logs.ledger import KIND, Ledger
from collectors.logs.resend import Streams
from collectors.logs.spooling import decode_event, encode_head, restore_ends, unjudged
from collectors.logs.tally import Tally
from core.clock import HOUR, MINUTE, SECOND, Clock
from core.errors import ContentError, IntegrityError, UnavailableError
from core.files import make_folder
from core.garbage import collection_paused
from core.metrics import LaneMetrics
from core.outbox import Outbox, Row
from core.records import Event
from core.relay import CentreLink, Relay, Silence
from core.replays import decode_replays
from core.retention import decode_days
from core.settings import Settings
from core.snapshots import Snapshot, keep_snapshot, last_snapshot
from core.stores.events import EventWriter
from core.stores.manifest import encode_partition, read_manifest
from core.stores.spool import Position, Spool
from core.terminal import say
from detections.fast.kept import engine_of
from inventory.enrich import Enricher
from inventory.records import Inventory
from inventory.snapshot import decode_snapshot

SNAPSHOT_SECONDS = 10.0
STORE_SECONDS = 60.0
FOLLOW_SECONDS = 0.5
SOURCES_SECONDS = 2.0
REPLAY_SECONDS = 3.0
RETENTION_SECONDS = 600.0
_RECOVERY_BATCH = 1000


class LogsLane:
    """Everything the lane holds.

    Args:
        settings: of the whole platform.
        link: the connection to the centre.
        clock: the time.
        alarm: the lane's own channel, for when the centre is silent.
    """

    def __init__(self, settings: Settings, link: CentreLink, clock: Clock, alarm: Callable[[str], None]) -> None:
        self._settings = settings
        self._own = settings.lane.logs
        self._link = link
        self._clock = clock
        self._folder = make_folder(settings.logs)
        self.metrics = LaneMetrics()
        self._outbox = Outbox(self._folder / "outbox.db", clock)
        silence = Silence(self._own.centre_silence_seconds, clock.now())
        self._relay = Relay("logs", self._outbox, link.send, silence, alarm)
        self._writer = EventWriter(self._folder / "events", decode_event)
        self._retainer = Retainer(self._folder / "events", self._outbox, clock)
        self._rolled = asyncio.Event()
        self._decoder = Decoder(self._own)
        self._told: set[str] = set()
        self._files = SourceFiles(settings.sources)
        said = {host: one.silence_seconds for host, one in self._own.sources.items() if one.silence_seconds}
        self._tally = Tally(self.metrics, Book(*self._files.read(), clock.now(), said), clock)

    async def start(self) -> None:
        """Takes up where the last process ended, then opens all ways in.

        Raises:
            UnavailableError: a port is taken or a folder cannot be written.
        """
        self._loop = asyncio.get_running_loop()
        for kind in ("rules", "inventory"):
            self._use(kind, await self._first_snapshot(kind))
        self._judge_what_was_left()
        await self._open_spool()
        await self._open_ways_in()

    def tasks(self) -> list[Coroutine[Any, Any, None]]:
        """What runs as long as the lane does."""
        return [
            self._intake.run(self._clock, self._streams, self._rolled.set),
            self._relay.run(self._clock),
            self._keep_store(),
            self._keep_snapshots(),
            self._keep_metrics(),
            self._keep_sources(),
            self._keep_replays(),
            self._keep_retention(),
            self._ways_in.follower().run(lambda: asyncio.sleep(FOLLOW_SECONDS)),
        ]

    async def stop(self) -> None:
        """Closes all ways in, carries what was taken in, and closes the files."""
        # The ways in hand on what they hold while they close, so somebody has to carry it.
        carrying = asyncio.ensure_future(self._intake.run(self._clock, self._streams, self._rolled.set))
        await self._ways_in.close()
        carrying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await carrying
        await self._intake.drain()
        self._ledger.close()
        self._spool.close()
        self._outbox.close()
        self._files.show(self._tally.sources(self._decoder.zone_of))
        self._files.keep(self._tally.habits())

    async def _first_snapshot(self, kind: str) -> Snapshot:
        kept = last_snapshot(self._folder / "snapshots", kind)
        while kept is None:
            try:
                kept = await self._pull(kind, "")
            except UnavailableError:
                await asyncio.sleep(0.5)
        return kept

    async def _pull(self, kind: str, version: str) -> Snapshot | None:
        answer = await self._link.snapshot(kind, version)
        if answer is None:
            return None
        return Snapshot(version=answer[0], content=answer[1])

    def _use(self, kind: str, pulled: Snapshot) -> None:
        """Builds what the snapshot is for, and only then makes it the last good one."""
        if kind == "rules":
            self._matcher = engine_of(decode_rules(pulled.content), self._folder / "rules")
            self._rules_version = pulled.version
            _settle()
        else:
            inventory = decode_snapshot(pulled.content)
            self._decoder.know_zones(_zones(inventory, self._own.space))
            self._enricher = Enricher(inventory, self._own.space)
            self._inventory_version = pulled.version
        keep_snapshot(self._folder / "snapshots", kind, pulled)

    def _judge_what_was_left(self) -> None:
        events, end = unjudged(self._folder / "spool", self._outbox.judged())
        real = [event for event in events if event.logsource != QUARANTINE]
        for start in range(0, len(real), _RECOVERY_BATCH):
            # The position moves with the last part: a crash before it judges all again, and equal hits are folded.
            last = start + _RECOVERY_BATCH >= len(real)
            part = real[start : start + _RECOVERY_BATCH]
            judge(self._matcher, self._outbox, part, end if last else self._outbox.judged())

    async def _open_spool(self) -> None:
        through = read_manifest(self._folder / "events").through
        self._spool = Spool(self._folder / "spool", self._clock, floor=through)
        self._ends = restore_ends(self._folder / "spool")
        self._streams = Streams(self._ends.tails.content())
        self._spool.open(encode_head(self._ends))
        self._intake = Intake(self._spool, self._ends, self._enrich, self._observe, self._decoder, self._tally)
        own = self._own
        of_source = {host: one.limit for host, one in own.sources.items() if one.limit is not None}
        self._intake.limit(Limits(own.limit, of_source), self._clock)
        marks = self._ends.marks
        self._ledger = Ledger(self._folder / "connections", lambda stream: marks.forget((stream,)))
        for found in self._ledger.interrupted:
            stored = max(found.stored, marks.get(found.stream))
            self._cut(found.source)
            self.metrics.lost.labels(self._tally.label(found.source)).inc(found.received - stored)
            await self._intake.put(connection_cut(found._replace(stored=stored), self._clock.now()))
        marks.forget_kind(KIND)
        await self._intake.drain()  # on disk before anything else can fail: the ledger has forgotten them
        self._rolled.set()

    async def _open_ways_in(self) -> None:
        carried = Carried(self._intake, self._ledger, self._streams, self._ends.marks, self._cut, self._refused)
        self._ways_in = WaysIn(self._own, self._settings.changes, carried, self._clock)
        await self._ways_in.open()

    def _enrich(self, event: Event) -> Event:
        # Another lane of ours has said whose it is; its addresses may be of another space.
        return event if event.site else self._enricher.enrich(event)

    def _observe(self, events: Sequence[Event], position: Position) -> None:
        count = judge(self._matcher, self._outbox, events, position)
        if count:
            self.metrics.hits.inc(count)
            self._loop.call_soon_threadsafe(self._relay.wake)

    def _cut(self, source: str) -> None:
        self.metrics.cut.labels(self._tally.label(source)).inc()

    def _refused(self, source: str) -> None:
        label = self._tally.label(source)
        self.metrics.refused.labels(label).inc()
        if label not in self._told:  # once a source: who guesses tokens fills no terminal
            self._told.add(label)
            say(f"logs lane: {source}: a connection or request was refused; see haidang_refused_total")

    async def _keep_store(self) -> None:
        """Turns closed segments into minute files, and those of past hours into partitions."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STORE_SECONDS):
                    await self._rolled.wait()
            self._rolled.clear()
            await asyncio.to_thread(self._store_once)

    def _store_once(self) -> None:
        segment, offset = self._spool.next
        with collection_paused():  # hundreds of thousands of events at once, none of them garbage yet
            self._writer.convert(self._spool.closed())
        self._writer.compact((segment if offset else self._clock.now()) // HOUR)
        closed = self._writer.unannounced()
        if closed:
            rows = [Row(key=f"partition/{part.name}", kind="partition", body=encode_partition(part)) for part in closed]
            self._outbox.put(rows)
            self._writer.announced(part.name for part in closed)
        self._retainer.step()

    async def _keep_retention(self) -> None:
        """Asks for how long events are kept; a lane that has not heard it removes nothing."""
        version = ""
        while True:
            with contextlib.suppress(UnavailableError, ContentError):  # as with replays
                pulled = await self._pull("retention", version)
                if pulled is not None:
                    self._retainer.use(decode_days(pulled.content))
                    version = pulled.version
            await asyncio.sleep(RETENTION_SECONDS)

    async def _keep_snapshots(self) -> None:
        while True:
            await asyncio.sleep(SNAPSHOT_SECONDS)
            for kind, version in (("rules", self._rules_version), ("inventory", self._inventory_version)):
                try:
                    pulled = await self._pull(kind, version)
                except UnavailableError:
                    continue  # the last good one stays; the relay tells of a silent centre
                if pulled is not None:
                    await asyncio.to_thread(self._use_if_good, kind, pulled)

    async def _keep_replays(self) -> None:
        """Reads messages in quarantine again when people ask for it."""
        replayer = Replayer(self._folder, self._intake, self._decoder, self._ends.marks, self._outbox)
        version = ""
        while True:
            await asyncio.sleep(REPLAY_SECONDS)
            with contextlib.suppress(UnavailableError, ContentError):  # a silent centre is told of by the relay
                pulled = await self._pull("replays", version)
                if pulled is not None:
                    await replayer.run(decode_replays(pulled.content))
                    version = pulled.version

    def _use_if_good(self, kind: str, pulled: Snapshot) -> None:
        try:
            self._use(kind, pulled)
        except (ContentError, IntegrityError) as error:
            say(f"logs lane: the last good {kind} stay in use: {error}")

    async def _keep_metrics(self) -> None:
        while True:
            self.metrics.outbox.set(await asyncio.to_thread(self._outbox.waiting))
            self.metrics.centre_silent.set(self._relay.silent(self._clock.now()) / SECOND)
            dropped = Counter(self._ways_in.dropped())
            for what in ("received", "dropped"):  # the kernel had taken them, and they are lost
                self._tally.count(what, dropped)
            await asyncio.sleep(1)

    async def _keep_sources(self) -> None:
        """Tells what has changed of the sources, shows them, and now and then keeps what was learnt."""
        learnt = self._clock.now()
        while True:
            await asyncio.sleep(SOURCES_SECONDS)
            for told in self._tally.changes():
                await self._intake.put(source_changed(told, self._clock.now()))
            await asyncio.to_thread(self._files.show, self._tally.sources(self._decoder.zone_of))
            if self._clock.now() - learnt > 5 * MINUTE:
                learnt = self._clock.now()
                await asyncio.to_thread(self._files.keep, self._tally.habits())


def _settle() -> None:
    """Lets go of the rules before, and leaves those that stay out of every later collection of garbage."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _zones(inventory: Inventory, space: str) -> dict[str, str]:
    """The zones of the devices of this address space, by address."""
    spaces = {site.id: site.address_space for site in inventory.sites}
    return {device.address: device.timezone for device in inventory.devices if spaces[device.site] == space}
