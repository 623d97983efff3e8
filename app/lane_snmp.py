"""The SNMP lane, wired: plan ─► poller ─► recorder (rates, changes) ─► series store, remote-write, the logs lane."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from threading import Event, Lock, Thread
from typing import Any, NamedTuple

from app.snmp.devices import Roll
from app.snmp.known import KnownStates
from app.snmp.metrics import SnmpMetrics
from app.snmp.plan import Plan, Planned, SnmpCredential, open_sets, plan
from app.snmp.ports import PortRoles
from app.snmp.recorder import Answered, Came, Recorder, Unanswered, silent_reading
from app.snmp.sessions import ChoosingSession, Way
from collectors.snmp.failures import Failure
from collectors.snmp.poll import DevicePoller, Polled
from collectors.snmp.poller import Poller
from collectors.snmp.profiles import shipped_profiles
from collectors.snmp.readings import Reading
from collectors.snmp.session import Sessions
from core.changes import ChangeLog
from core.clock import SECOND, Clock
from core.device_states import DeviceStates, read_device_states, write_device_states
from core.errors import ContentError, IntegrityError, UnavailableError
from core.files import make_folder
from core.relay import CentreLink
from core.remote_write import Receiver, RemoteWrite, open_remote_write
from core.sealed import SealedSets, decode_sealed
from core.settings import Settings
from core.snapshots import Snapshot, keep_snapshot, last_snapshot
from core.stores.series import SeriesStore
from core.terminal import say
from core.vault import Vault
from inventory.records import Inventory
from inventory.snapshot import decode_snapshot

KINDS = ("inventory", "credentials")
SNAPSHOT_SECONDS = 10.0
RECORD_SECONDS = 1.0
MAINTAIN_SECONDS = 5.0
KEEP_SECONDS = 3.0


class Followed(NamedTuple):
    """A device that is polled: as it was planned, with which credentials, and by what."""

    planned: Planned
    credentials: tuple[SnmpCredential, ...]
    poller: DevicePoller
    session: ChoosingSession


class SnmpLane:
    """Everything the lane holds.

    Args:
        settings: of the whole platform.
        link: the connection to the centre.
        clock: the time.
    """

    def __init__(self, settings: Settings, link: CentreLink, clock: Clock) -> None:
        self._settings = settings
        self._own = settings.lane.snmp
        self._link = link
        self._clock = clock
        self._folder = make_folder(settings.snmp)
        self.metrics = SnmpMetrics()
        self._vault = Vault(settings.secrets)
        self._versions: dict[str, str] = {}
        self._inventory, self._sealed = Inventory(), SealedSets()
        self._sets: Mapping[str, SnmpCredential] = {}
        self._followed: dict[str, Followed] = {}
        self._came: list[Came] = []
        self._told: set[str] = set()
        self._stopped = Event()
        self._maintaining, self._keeping = Lock(), Lock()  # a thread outlives the task that waits for it

    async def start(self) -> None:
        """Takes up where the last process ended, and plans.

        Raises:
            UnavailableError: a folder cannot be written.
            IntegrityError: what is stored cannot be read, beyond the states of devices, which are learnt anew.
        """
        self._sessions = Sessions()
        self._store = SeriesStore(self._settings.series, self._clock)
        self._log = ChangeLog(self._settings.changes, self._clock)
        self._roll = Roll(self._last_states())
        self._known = KnownStates(self._folder / "known.msgpack", self._log, self._settings.changes)
        self._remote = self._open_remote()
        self._recorder = Recorder(self._store, self._known, self._roll, self.metrics, self._remote)
        self._poller = Poller({}, round(self._own.period_seconds * SECOND), self)
        for kind in KINDS:
            self._use(kind, await self._first_snapshot(kind))
        self._follow(self._planned())
        if self._remote is not None:
            self._sending = Thread(target=self._remote.run, args=(self._stopped,), name="remote-write")
            self._sending.start()

    def tasks(self) -> list[Coroutine[Any, Any, None]]:
        """What runs as long as the lane does."""
        return [
            self._poller.run(),
            self._keep_snapshots(),
            self._repeat(RECORD_SECONDS, self._record),
            self._repeat(MAINTAIN_SECONDS, self._maintain),
            self._repeat(KEEP_SECONDS, self._keep),
        ]

    async def stop(self) -> None:
        """Ends all sessions, stores what came, and closes the files.

        Raises:
            UnavailableError: how far remote-write came cannot be noted; all else is closed.
        """
        self._stopped.set()
        self._poller.replace({})
        await asyncio.to_thread(self._record)
        await asyncio.to_thread(self._keep)
        try:
            if self._remote is not None:
                await asyncio.to_thread(self._sending.join)
                self._remote.close()
        finally:
            await asyncio.to_thread(self._close)

    def read(self, reading: Reading) -> None:
        """A device has answered; see ``collectors.snmp.poller.Outlet``."""
        followed = self._followed.get(reading.device)
        if followed is not None and followed.poller.layout is not None:
            layout, address, session = followed.poller.layout, followed.planned.address, followed.session
            self._came.append(Answered(reading, layout, address, session.credential, session.refused))

    def failed(self, device: str, failure: Failure, given_up: bool) -> None:
        """A device has not answered."""
        followed = self._followed.get(device)
        if followed is not None:
            polled = silent_reading(followed.planned, self._clock)
            refused = followed.session.refused
            self._came.append(Unanswered(polled, failure, followed.planned.address, refused, given_up))

    def _last_states(self) -> DeviceStates:
        """The devices as the last process left them; what cannot be read is said and learnt anew."""
        try:
            return read_device_states(self._settings.device_states)
        except (IntegrityError, UnavailableError) as error:
            self._say_once(f"{error}: devices are learnt anew")
            return DeviceStates()

    async def _first_snapshot(self, kind: str) -> Snapshot:
        kept = last_snapshot(self._folder / "snapshots", kind)
        while kept is None:
            try:
                kept = await self._pull(kind)
            except UnavailableError:
                await asyncio.sleep(0.5)
        return kept

    async def _pull(self, kind: str) -> Snapshot | None:
        answer = await self._link.snapshot(kind, self._versions.get(kind, ""))
        return None if answer is None else Snapshot(version=answer[0], content=answer[1])

    def _use(self, kind: str, pulled: Snapshot) -> None:
        """Reads what the snapshot holds, and only then makes it the last good one."""
        if kind == "inventory":
            self._inventory = decode_snapshot(pulled.content)
        else:
            self._sealed = decode_sealed(pulled.content)
        self._versions[kind] = pulled.version
        keep_snapshot(self._folder / "snapshots", kind, pulled)

    def _planned(self) -> Plan:
        """What is to be polled by the present snapshots; sets that cannot be opened are said once."""
        wanted = self._sealed.sets if self._own.enabled else ()
        self._sets = open_sets(
            self._vault, wanted, lambda name, error: self._say_once(f"credential set '{name}' is not used: {error}")
        )
        self._known.roles = PortRoles(self._inventory)
        return plan(self._inventory, self._sealed.targets, self._sets.keys(), self._own.space)

    def _follow(self, planned: Plan) -> None:
        """The devices are now these; of those that have not changed nothing is learnt anew."""
        followed = {one.name: self._kept(one) or self._made(one) for one in planned.devices}
        self._followed = followed
        self._roll.replace(planned.devices)
        self._poller.replace({name: one.poller for name, one in followed.items()})

    def _kept(self, planned: Planned) -> Followed | None:
        known = self._followed.get(planned.name)
        same = known is not None and known.planned == planned and known.credentials == self._credentials(planned)
        return known if same else None

    def _made(self, planned: Planned) -> Followed:
        way = Way(address=planned.address, port=self._own.port, timeout=self._own.timeout_seconds)
        session = ChoosingSession(self._sessions, way, {name: self._sets[name] for name in planned.sets})
        polled = Polled(device=planned.name, site=planned.site, unit=planned.unit)
        poller = DevicePoller(polled, session, shipped_profiles(), self._clock)
        return Followed(planned, self._credentials(planned), poller, session)

    def _credentials(self, planned: Planned) -> tuple[SnmpCredential, ...]:
        return tuple(self._sets[name] for name in planned.sets)

    async def _keep_snapshots(self) -> None:
        while True:
            await asyncio.sleep(SNAPSHOT_SECONDS)
            changed = [await self._renew(kind) for kind in KINDS]
            if any(changed):
                self._follow(await asyncio.to_thread(self._planned))

    async def _renew(self, kind: str) -> bool:
        """Takes a newer snapshot, if there is one."""
        try:
            pulled = await self._pull(kind)
            if pulled is not None:
                await asyncio.to_thread(self._use, kind, pulled)
        except UnavailableError:
            return False  # the last good one stays; the logs lane tells of a silent centre
        except (ContentError, IntegrityError) as error:
            self._say_once(f"the last good {kind} stay in use: {error}")
            return False
        return pulled is not None

    async def _repeat(self, seconds: float, work: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await asyncio.to_thread(work)

    def _record(self) -> None:
        came, self._came = self._came, []
        if came:
            self._recorder.record(came)

    def _maintain(self) -> None:
        with self._maintaining:
            if not self._stopped.is_set():
                self._store.maintain()

    def _keep(self) -> None:
        try:
            with self._keeping:
                self._recorder.keep(self._followed)
                states = self._roll.content(self._clock.now(), self._own.period_seconds)
                write_device_states(self._settings.device_states, states)
        except OSError as error:
            self._say_once(f"{self._folder}: cannot be written: {error.strerror}")
        for reach, count in self._roll.counts().items():
            self.metrics.devices.labels(str(reach)).set(count)
        self.metrics.missed.set(self._poller.pacing.missed)
        if self._remote is not None:
            self.metrics.waiting.set(self._remote.waiting())
            self.metrics.lost.set(self._remote.overflowed + self._remote.dropped)

    def _close(self) -> None:
        with self._maintaining:
            self._store.close()
        self._log.close()

    def _open_remote(self) -> RemoteWrite | None:
        own = self._own.remote_write
        if own is None:
            return None
        receiver = Receiver(url=own.url, token=own.token_file, authorities=own.authorities)
        return open_remote_write(self._folder / "remote-write", self._clock, receiver, self._unit_of)

    def _unit_of(self, site: str) -> str:
        found = self._inventory.site(site)
        return found.unit if found is not None else ""

    def _say_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            say(f"snmp lane: {text}")
