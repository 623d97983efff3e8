"""What is counted, by batch and source: in figures whose labels are bounded, and in the book of sources."""

from __future__ import annotations

from collections import Counter

import pytest

from collectors.logs.book import Book
from collectors.logs.decode import Decoder
from collectors.logs.frames import Frame
from collectors.logs.sources import SourceNames
from collectors.logs.tally import Batch, Tally
from core.clock import HeldClock
from core.metrics import LaneMetrics
from core.settings import LogsSettings
from core.sources import Sources

NOW = 1_795_312_267_000_000_000


@pytest.fixture
def metrics():
    return LaneMetrics()


@pytest.fixture
def tally(metrics):
    return Tally(metrics, Book(Sources(), {}, NOW, {}), HeldClock(NOW))


def test_the_first_2000_sources_have_a_name_of_their_own():
    names = SourceNames()
    assert [names.label(f"10.0.{number // 256}.{number % 256}") for number in range(2000)][-1] == "10.0.7.207"
    assert names.label("10.9.9.9") == "other"
    assert names.label("10.0.0.1") == "10.0.0.1"


def test_a_label_is_the_sources_own_in_all_figures(tally):
    for number in range(2000):
        assert tally.label(f"10.1.{number // 256}.{number % 256}") != "other"
    assert [tally.label(source) for source in ("10.9.9.9", "10.1.0.1")] == ["other", "10.1.0.1"]


def test_a_batch_is_counted_in_figures_and_book_alike(tally, metrics):
    decoder, batch = Decoder(LogsSettings()), Batch()
    lines = [b"<13>x: y", b"\0\0", b"", b"<13>1 2038-01-19T03:14:08Z h p - - - x"]
    lines.append(b"<38>sshd[1]: Accepted password for an from 192.0.2.7 port 1 ssh2")  # the latest tells the kind
    for raw in lines:
        frame = Frame("192.0.2.1", "udp", raw, NOW)
        decoded = decoder.decode(frame, "logs/1/1")
        batch.stored(frame, decoded, decoded.event)
    batch.resent("192.0.2.1")
    tally.count("received", Counter({"192.0.2.1": 6}))
    batch.tell(tally)
    (source,) = tally.sources(lambda _: ("UTC", "lane")).sources
    assert (source.received, source.stored, source.quarantined, source.duplicates) == (6, 3, 2, 1)
    assert (source.understood, source.untrusted, source.kinds) == (1, 1, ("linux/sshd",))
    assert metrics.registry.get_sample_value("haidang_stored_total", {"source": "192.0.2.1"}) == 3
    assert metrics.registry.get_sample_value("haidang_untrusted_time_total", {"source": "192.0.2.1"}) == 1


def test_what_the_lane_says_itself_is_of_no_source(tally):
    batch, frame = Batch(), Frame("haidang", "own", b'{"a":"b"}', NOW)
    decoded = Decoder(LogsSettings()).decode(frame, "logs/1/1")
    batch.stored(frame, decoded, decoded.event)
    batch.tell(tally)
    assert tally.changes() == []
    assert tally.sources(lambda _: ("", "lane")).sources == ()
