from __future__ import annotations

import shutil

import pytest

from core.clock import HOUR, SECOND, HeldClock
from core.records import Alert, Event, Logsource, Severity
from core.stores.migrate import open_state
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
