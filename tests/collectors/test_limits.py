"""A source over its limit: datagrams beyond it are dropped and counted, other ways are slowed down."""

from __future__ import annotations

import asyncio

import pytest

from collectors.logs.book import Book
from collectors.logs.decode import Decoder
from collectors.logs.frames import Frame
from collectors.logs.gate import Limits
from collectors.logs.intake import Intake
from collectors.logs.marks import Marks
from collectors.logs.resend import Tails
from collectors.logs.spooling import Ends, encode_head
from collectors.logs.tally import Tally
from core.clock import SECOND, HeldClock
from core.metrics import LaneMetrics
from core.settings import LogsSettings
from core.sources import Sources
from core.stores.spool import Spool

NOW = 1_795_312_267_000_000_000
LIMIT = 10


class Limited:
    """An intake in which each source may send ten messages a second."""

    def __init__(self, folder) -> None:
        self.clock = HeldClock(NOW)
        ends = Ends(Tails(), Marks())
        self.spool = Spool(folder, self.clock)
        self.spool.open(encode_head(ends))
        self.tally = Tally(LaneMetrics(), Book(Sources(), {}, NOW, {}), self.clock)
        decoder = Decoder(LogsSettings())
        self.intake = Intake(self.spool, ends, lambda event: event, lambda *_: None, decoder, self.tally)
        self.intake.limit(Limits(LIMIT, {"192.0.2.2": 0}), self.clock)

    def offer(self, source: str, count: int) -> tuple[int, int]:
        """Offers so many datagrams; how many of all of the source's came in, and how many were dropped."""
        self.intake.offer([Frame(source, "udp", b"<13>a", NOW)] * count)
        known = {one.address: one for one in self.tally.sources(lambda _: ("", "lane")).sources}[source]
        return known.received - known.dropped, known.dropped


@pytest.fixture
def limited(tmp_path):
    made = Limited(tmp_path)
    yield made
    made.spool.close()


def test_datagrams_beyond_ten_seconds_worth_are_dropped_and_tokens_come_with_time(limited):
    assert limited.offer("192.0.2.1", 150) == (10 * LIMIT, 50)
    limited.clock.forward(3 * SECOND)
    assert limited.offer("192.0.2.1", 50) == (13 * LIMIT, 70)


def test_the_limit_of_one_source_costs_no_other_and_some_have_none(limited):
    limited.offer("192.0.2.1", 500)
    assert limited.offer("192.0.2.3", 100) == (100, 0)
    assert limited.offer("192.0.2.2", 500) == (500, 0)


def test_a_stream_waits_for_its_token(limited, run):
    async def sending():
        limited.intake.offer([Frame("192.0.2.1", "udp", b"<13>a", NOW)] * 100)
        waiting = asyncio.ensure_future(limited.intake.put(Frame("192.0.2.1", "tcp", b"<13>b", NOW)))
        await asyncio.sleep(0)
        assert not waiting.done()
        limited.clock.forward(SECOND)
        async with asyncio.timeout(10):
            await waiting

    run(sending())
