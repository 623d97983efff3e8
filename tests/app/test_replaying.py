"""Messages in quarantine are read again on request: what is a message now becomes an event, once."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from app.replaying import Replayer
from collectors.logs.decode import Decoder
from collectors.logs.frames import Frame
from collectors.logs.marks import Marks
from collectors.logs.resend import Tails
from collectors.logs.spooling import Ends, encode_head, encode_record
from core.clock import SECOND, HeldClock
from core.outbox import Outbox
from core.replays import Asked, Replay, decode_replays, encode_replays
from core.settings import LogsSettings
from core.stores.spool import Spool

NOW = 1_795_312_267_000_000_000
LINES = [b"<13>a: \x82\x83\x84", b"\0\0\0\0", b"<13>b: \x85\x86\x87\x88", b'{"a":']
PLACES = {b"<13>a": "192.0.2.1", b"<13>b": "192.0.2.2"}


class Mended(Decoder):
    """A decoder that has learnt the code page of some boxes."""

    def decode(self, frame, identity):
        return super().decode(msgspec.structs.replace(frame, raw=frame.raw.decode("cp437").encode()), identity)


class Inlet:
    """Takes frames, which are stored at once."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    async def put(self, frame: Frame) -> None:
        self.frames.append(frame)
        frame.stored()


@pytest.fixture
def inlet():
    return Inlet()


@pytest.fixture
def lane(tmp_path):
    """A lane's folder with four messages in quarantine."""
    spool = Spool(tmp_path / "spool", HeldClock(NOW))
    spool.open(encode_head(Ends(Tails(), Marks())))
    decoder, payloads = Decoder(LogsSettings()), []
    for number, raw in enumerate(LINES):
        fault = "cut: the connection ended within a message" if raw.startswith(b"{") else ""
        frame = Frame(PLACES.get(raw[:5], "192.0.2.9"), "udp", raw, NOW + number * SECOND, fault=fault)
        decoded = decoder.decode(frame, f"logs/1/{number}")
        assert decoded.quarantined
        payloads.append(encode_record(decoded.event, ""))
    spool.append(payloads)
    spool.close()
    return tmp_path


@pytest.fixture
def outbox(tmp_path):
    made = Outbox(tmp_path / "outbox.db", HeldClock(NOW))
    yield made
    made.close()


def replay(lane, inlet, outbox, *asked: Asked, marks: Marks | None = None) -> list[tuple[bytes, str]]:
    """What is handed on when this is asked, with the ids in quarantine."""
    inlet.frames.clear()
    replays = [Replay(number=number, asked=one) for number, one in enumerate(asked, start=1)]
    replayer = Replayer(lane, inlet, Mended(LogsSettings()), marks or Marks(), outbox)
    asyncio.run(replayer.run(replays))
    return [(frame.raw, frame.origin) for frame in inlet.frames]


def test_what_is_a_message_now_is_handed_on_in_the_order_in_which_it_came(lane, inlet, outbox):
    assert replay(lane, inlet, outbox, Asked()) == [(LINES[0], "logs/1/0"), (LINES[2], "logs/1/2")]
    first = inlet.frames[0]
    assert (first.source, first.seen, first.stream, first.mark) == ("192.0.2.1", NOW, "replay/1", 1)
    event = Mended(LogsSettings()).decode(first, "logs/2/0").event
    assert event.fields["haidang.replayed.from"] == "logs/1/0"


def test_a_request_is_done_once_and_no_other_does_it_again(lane, inlet, outbox):
    assert len(replay(lane, inlet, outbox, Asked())) == 2
    assert replay(lane, inlet, outbox, Asked()) == []
    assert replay(lane, inlet, outbox, Asked(), Asked()) == []


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked(source="192.0.2.2"), ["logs/1/2"]),
        (Asked(source="192.0.2.77"), []),
        (Asked(until=NOW + SECOND), ["logs/1/0"]),
        (Asked(since=NOW + SECOND), ["logs/1/2"]),
    ],
)
def test_a_request_may_mean_one_source_or_some_time(lane, inlet, outbox, asked, expected):
    assert [origin for _, origin in replay(lane, inlet, outbox, asked)] == expected


def test_a_request_that_a_kill_cut_short_goes_on_where_it_was(lane, inlet, outbox):
    marks = Marks({"replay/1": 1})
    assert [origin for _, origin in replay(lane, inlet, outbox, Asked(), marks=marks)] == ["logs/1/2"]


def test_requests_travel_as_they_are():
    replays = [Replay(number=7, asked=Asked(since=1, until=2, source="192.0.2.1", reason="x"))]
    assert decode_replays(encode_replays(replays)) == replays
