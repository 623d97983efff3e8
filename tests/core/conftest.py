from __future__ import annotations

import shutil

import msgspec
import pytest

from core.clock import HOUR, MINUTE, SECOND, HeldClock
from core.records import Alert, Event, Logsource, Severity
from core.scope import EVERYTHING
from core.stores.event_search import Query
from core.stores.events import EventWriter, LocalEvents
from core.stores.manifest import read_manifest
from core.stores.migrate import open_state
from core.stores.spool import Spool, segments
from core.stores.state import writing_engine

NOW = 1_795_312_267 * SECOND  # 22/11/2026 08:51:07 in Vietnam
HOUR_NOW = NOW // HOUR


def make_event(number, *, time=NOW, site="tha", message="", logsource=("linux", "sshd"), **changed):
    values = {
        "id": f"logs/7/{number}",
        "time": time,
        "seen": time + 1,
        "logsource": Logsource(product=logsource[0], service=logsource[1]),
        "fields": {"message": message or f"line {number}", "user.name": "nguyễn"},
        "raw": b"raw %d\xff" % (number if isinstance(number, int) else 0),
        "unit": "vks-tha",
        "site": site,
        "device": "sv-tha",
    }
    return Event(**(values | changed))


def make_alert(number=0, **changed):
    values = {
        "id": f"alert-{number}",
        "rule": "r",
        "title": {"vi": "Dò mật khẩu", "en": "Guessing"},
        "cause": "guessing",
        "object": (("source.ip", "203.0.113.45"),),
        "severity": Severity.HIGH,
        "start": NOW + number,
        "end": NOW + number,
        "count": 1,
        "evidence": (),
        "site": "tha",
    }
    return Alert(**(values | changed))


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def clock():
    return HeldClock(NOW)


@pytest.fixture
def event():
    return make_event


@pytest.fixture
def alert():
    return make_alert


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """A new state database's file, made once."""
    path = tmp_path_factory.mktemp("migrated") / "state.db"
    open_state(path).dispose()
    return path


@pytest.fixture
def state(tmp_path, migrated):
    """The engine of a new state database."""
    path = tmp_path / "centre" / "state.db"
    path.parent.mkdir()
    shutil.copyfile(migrated, path)
    engine = writing_engine(path)
    yield engine
    engine.dispose()


def _decode(payload):
    return msgspec.msgpack.decode(payload, type=Event)


class LaneStore:
    """A lane's store whose events are put where they are wanted."""

    def __init__(self, folder):
        self.clock = HeldClock(NOW)
        self.spool = Spool(folder / "spool", self.clock)
        self.writer = EventWriter(folder / "events", _decode)
        self.reader = LocalEvents(folder / "spool", folder / "events", _decode)
        self.folder = folder / "events"

    def spooled(self, *events):
        self.clock.forward(MINUTE)
        self.spool.open(b"")
        self.spool.append([msgspec.msgpack.encode(one) for one in events])
        self.spool.close()

    def minute(self, *events):
        self.spooled(*events)
        self.writer.convert(segments(self.spool._folder))

    def hour(self, *events):
        self.minute(*events)
        self.writer.compact(self.clock.now() // HOUR + 1)

    def find(self, text="", scope=EVERYTHING, **query):
        return [one.id for one in self.reader.search(scope, Query(text=text, **query))]

    def parts(self):
        return read_manifest(self.folder).partitions


@pytest.fixture
def lane_store(tmp_path):
    """The store of a lane, empty."""
    return LaneStore(tmp_path)


@pytest.fixture(scope="session")
def make_store(tmp_path_factory):
    """Makes stores, each in a folder of its own."""
    return lambda: LaneStore(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def stored():
    """``stored(name, fields, time=..., ...)`` is an event of site tha."""
    return _stored


def _stored(name, fields=None, *, time=NOW, **changed):
    given = {"fields": fields or {}, "raw": b"", "site": "tha", "device": "sv", "logsource": Logsource(product="linux")}
    return Event(id=str(name), time=time, seen=time, **(given | changed))
