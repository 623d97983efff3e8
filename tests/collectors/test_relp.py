"""RELP with real sockets: answers only for what is stored, each message once."""

from __future__ import annotations

import asyncio
import random

import pytest

from collectors.logs.resend import Streams

NOW = 1_795_312_267_000_000_000
LIMIT = 64


def broken_stream(*messages: bytes) -> Streams:
    """What is known after a connection of 127.0.0.1 broke off behind these messages."""
    streams = Streams()
    name = streams.start("127.0.0.1")
    for message in messages:
        streams.remember(name, message)
    streams.leave(name)
    return streams


def told(frames):
    return [(frame.raw, frame.resent) for frame in frames]


def new(*messages):
    return [(message, False) for message in messages]


def again(*messages):
    return [(message, True) for message in messages]


def test_a_message_is_answered_only_when_it_is_stored(run, relp, inlet):
    async def dialogue():
        async with relp(inlet) as connect:
            client = await connect()
            client.send(b"relp_version=0", command=b"open")
            assert await client.answer() == b"1 rsp 59 200 OK\n"
            offers = await client.answers(3)
            assert offers == [b"relp_version=0\n", b"relp_software=haidang\n", b"commands=syslog\n"]
            client.send(b"<13>a")
            (frame,) = await inlet.take(1)
            assert (frame.source, frame.transport, frame.raw, frame.seen) == ("127.0.0.1", "relp", b"<13>a", NOW)
            assert (frame.resent, frame.fault) == (False, "")
            client.send(b"", command=b"starttls")
            assert await client.answer() == b"3 rsp 19 500 unknown command\n"  # and none for the message yet
            frame.stored()
            assert await client.answer() == b"2 rsp 6 200 OK\n"

    run(dialogue())


def test_the_length_that_open_is_answered_with_is_that_of_the_offers(run, relp, inlet):
    async def dialogue():
        async with relp(inlet) as connect:
            client = await connect()
            client.send(b"", command=b"open")
            head, _, rest = (await client.answer()).partition(b" 200")
            rest = b"200" + rest + b"".join(await client.answers(3))
            assert int(head.split()[2]) == len(rest) - 1

    run(dialogue())


def test_close_is_answered_when_all_before_it_is_stored_and_nothing_after_it_is_taken(run, relp, inlet):
    async def dialogue():
        streams = Streams()
        async with relp(inlet, streams) as connect:
            client = await connect()
            client.send(b"a", b"b")
            client.send(b"", command=b"close")
            client.send(b"c")
            first, second = await inlet.take(2)
            first.stored()
            assert await client.answer() == b"1 rsp 6 200 OK\n"
            second.stored()
            assert await client.ended() == b"2 rsp 6 200 OK\n3 rsp 0\n0 serverclose 0\n"
            assert inlet.waiting == 0
        assert streams.known() == set()  # nothing of it will come again

    run(dialogue())


@pytest.mark.parametrize("stored", [0, 1, 2, 3])
def test_what_is_sent_again_after_a_reset_is_marked(run, relp, inlet, stored):
    async def dialogue():
        async with relp(inlet) as connect:
            client = await connect()
            client.send(b"a", b"b", b"c")
            for frame in (await inlet.take(3))[:stored]:
                frame.stored()
            await client.answers(stored)
            client.reset()
            unanswered = [b"a", b"b", b"c"][stored:]
            client = await connect()
            client.send(*unanswered, b"d")
            frames = await inlet.take(len(unanswered) + 1)
            assert told(frames) == again(*unanswered) + new(b"d")
            for frame in frames:
                frame.stored()
            assert len(await client.answers(len(frames))) == len(frames)

    run(dialogue())


def test_a_session_carries_on_the_stream_that_it_sends_again(run, relp, inlet):
    async def dialogue():
        async with relp(inlet, broken_stream(b"a", b"b")) as connect:
            client = await connect()
            client.send(b"b", b"c")
            frames = await inlet.take(2)
            assert told(frames) == again(b"b") + new(b"c")
            assert {frame.stream for frame in frames} == {"127.0.0.1#1"}

    run(dialogue())


def test_fifty_identical_lines_are_fifty(run, relp, inlet):
    async def dialogue():
        async with relp(inlet) as connect:
            client = await connect()
            client.send(*[b"x"] * 50)
            assert told(await inlet.take(50)) == new(*[b"x"] * 50)

    run(dialogue())


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"1 syslog 1 ab\n", b"<13>a\n"])
def test_garbage_closes_its_own_connection_only(run, relp, inlet, garbage):
    async def dialogue():
        async with relp(inlet) as connect:
            good, bad = await connect(), await connect()
            good.send(b"a")
            await inlet.take(1)
            bad.raw(garbage)
            assert await bad.ended() == b""
            good.send(b"b")
            assert told(await inlet.take(1)) == new(b"b")

    run(dialogue())


def test_messages_before_garbage_are_taken(run, relp, inlet):
    async def dialogue():
        async with relp(inlet) as connect:
            client = await connect()
            client.raw(b"1 syslog 1 a\nnonsense")
            assert told(await inlet.take(1)) == new(b"a")
            assert await client.ended() == b""

    run(dialogue())


def test_an_oversized_message_is_quarantined_and_answered_and_the_next_one_intact(run, relp, inlet):
    async def dialogue():
        async with relp(inlet) as connect:
            client = await connect()
            client.send(b"x" * (LIMIT + 1), b"<13>b")
            long, next_one = await inlet.take(2)
            assert (long.raw, long.fault) == (b"x" * LIMIT, f"oversized: at most {LIMIT} bytes are taken")
            assert (next_one.raw, next_one.fault) == (b"<13>b", "")
            long.stored()
            next_one.stored()
            assert await client.answers(2) == [b"1 rsp 6 200 OK\n", b"2 rsp 6 200 OK\n"]

    run(dialogue())


def test_a_session_that_may_be_a_resend_is_settled_when_it_says_nothing_more(run, relp, inlet):
    async def dialogue():
        async with relp(inlet, broken_stream(b"a", b"b"), patience=0.01) as connect:
            client = await connect()
            client.send(b"a")
            assert told(await inlet.take(1)) == new(b"a")
            client.send(b"b")
            assert told(await inlet.take(1)) == new(b"b")

    run(dialogue())


def test_a_session_that_may_be_a_resend_is_settled_when_it_closes(run, relp, inlet):
    async def dialogue():
        async with relp(inlet, broken_stream(b"a", b"b")) as connect:
            client = await connect()
            client.send(b"a")
            client.send(b"", command=b"close")
            (frame,) = await inlet.take(1)
            assert told([frame]) == new(b"a")
            frame.stored()
            assert await client.ended() == b"1 rsp 6 200 OK\n2 rsp 0\n0 serverclose 0\n"

    run(dialogue())


def test_messages_held_back_when_their_session_breaks_are_neither_lost_nor_doubled(run, relp, inlet):
    async def dialogue():
        async with relp(inlet, broken_stream(b"a", b"b", b"c")) as connect:
            client = await connect()
            client.send(b"a", b"b")
            client.send(b"", command=b"noop")
            assert await client.answer() == b"3 rsp 19 500 unknown command\n"  # both are held now, and unanswered
            client.reset()
            client = await connect()
            client.send(b"a", b"b", b"c", b"d")
            assert told(await inlet.take(4)) == again(b"a", b"b", b"c") + new(b"d")
            assert inlet.waiting == 0

    run(dialogue())


def test_a_sender_that_comes_again_while_its_old_connection_looks_open_is_recognised(run, relp, inlet):
    async def dialogue():
        async with relp(inlet) as connect:
            old = await connect()
            old.send(b"a", b"b")
            frames = await inlet.take(2)
            client = await connect()
            client.send(b"a", b"b", b"c")
            frames += await inlet.take(3)
            assert told(frames) == new(b"a", b"b") + again(b"a", b"b") + new(b"c")
            assert len({frame.stream for frame in frames}) == 1
            await old.close()
            client.reset()
            client = await connect()
            client.send(b"b", b"c", b"d")
            assert told(await inlet.take(3)) == again(b"b", b"c") + new(b"d")

    run(dialogue())


def test_an_old_connection_whose_stream_was_carried_on_begins_another_if_it_speaks_again(run, relp, inlet):
    async def dialogue():
        async with relp(inlet) as connect:
            old, client = await connect(), await connect()
            old.send(b"a")
            (first,) = await inlet.take(1)
            client.send(b"a")
            (second,) = await inlet.take(1)
            assert told([second]) == again(b"a")
            old.send(b"x")
            (third,) = await inlet.take(1)
            assert told([third]) == new(b"x")
            assert first.stream == second.stream != third.stream

    run(dialogue())


def test_what_an_old_connection_has_not_handed_on_yet_is_not_doubled(run, relp, narrow_inlet):
    async def dialogue():
        messages = [b"%d" % number for number in range(6)]
        async with relp(narrow_inlet) as connect:
            old = await connect()
            old.send(*messages)
            frames = await narrow_inlet.take(1)  # the second fills the inlet, the third waits, the others lie unread
            client = await connect()
            client.send(*messages, b"last")
            frames += await narrow_inlet.take(12)
            assert told(frames) == new(*messages) + again(*messages) + new(b"last")

    run(dialogue())


def test_two_senders_behind_one_address_keep_their_messages(run, relp, inlet):
    async def dialogue():
        async with relp(inlet) as connect:
            one, other = await connect(), await connect()
            one.send(b"a")
            other.send(b"b")
            frames = await inlet.take(2)
            one.send(b"c")
            other.send(b"d")
            frames += await inlet.take(2)
            assert sorted(told(frames)) == new(b"a", b"b", b"c", b"d")
            assert len({frame.stream for frame in frames}) == 2

    run(dialogue())


def test_a_session_that_does_not_know_yet_gives_way_to_its_sender_coming_again(run, relp, inlet):
    async def dialogue():
        async with relp(inlet, broken_stream(b"a", b"b"), patience=0.5) as connect:
            stalled = await connect()
            stalled.send(b"a")
            stalled.send(b"", command=b"noop")
            await stalled.answer()  # held back now
            client = await connect()
            client.send(b"a", b"b", b"c")
            assert await stalled.ended() == b""
            assert told(await inlet.take(3)) == again(b"a", b"b") + new(b"c")
            assert inlet.waiting == 0

    run(dialogue())


def test_an_answer_for_a_connection_that_is_gone_is_not_an_error(run, relp, inlet):
    async def dialogue():
        async with relp(inlet) as connect:
            client = await connect()
            client.send(b"a")
            (frame,) = await inlet.take(1)
            client.reset()
            client = await connect()
            client.send(b"a")
            (resent,) = await inlet.take(1)
            frame.stored()
            resent.stored()
            assert await client.answer() == b"1 rsp 6 200 OK\n"

    run(dialogue())


def test_a_server_that_stops_leaves_streams_that_can_be_taken_up(run, relp, inlet):
    async def dialogue():
        streams = Streams()
        async with relp(inlet, streams) as connect:
            client = await connect()
            client.send(b"a")
            await inlet.take(1)
        assert await client.ended() == b""
        assert list(streams.ends("127.0.0.1")) == ["127.0.0.1#1"]

    run(dialogue())


class Sender:
    """Sends messages over connections that break at random, and keeps what is unanswered."""

    def __init__(self, connect, count: int, chance: random.Random) -> None:
        self._connect = connect
        self._messages = [b"<13>message %d" % number for number in range(count)]
        self._chance = chance
        self._answered = 0
        self._sent = 0

    async def send_all(self) -> list[bytes]:
        for _ in range(30):
            await self._session(self._chance.randint(0, 40), self._chance.choice(["reset", "close", "abandon"]))
        await self._session(len(self._messages), "close")
        assert self._answered == len(self._messages)
        return self._messages

    async def _session(self, answers: int, end: str) -> None:
        """Goes on until so many answers have come, then ends the connection, or forgets it open."""
        client = await self._connect()
        client.send(*self._messages[self._answered : self._sent])
        goal = min(self._answered + answers, len(self._messages))
        while True:
            until = min(self._answered + self._chance.randint(1, 16), len(self._messages))
            client.send(*self._messages[self._sent : until])
            self._sent = max(self._sent, until)
            if self._answered == goal:
                break
            await client.answer()
            self._answered += 1
        if end == "reset":
            client.reset()
        elif end == "close":
            await client.close()


async def store(inlet, stored: list[bytes], chance: random.Random) -> None:
    """What the lane does with frames, now faster and now slower."""
    while True:
        for frame in await inlet.take(1):
            if not frame.resent:
                stored.append(frame.raw)
            for _ in range(chance.choice([0, 0, 0, 1, 20])):
                await asyncio.sleep(0)
            frame.stored()


@pytest.mark.parametrize("seed", range(20))
def test_every_message_is_stored_once_over_connections_that_break_at_random(run, relp, narrow_inlet, inlet, seed):
    async def dialogue():
        chance = random.Random(seed)  # noqa: S311 - a test repeats its chances by seed
        place = narrow_inlet if seed % 2 else inlet
        stored: list[bytes] = []
        async with relp(place, patience=0.05) as connect:
            storing = asyncio.ensure_future(store(place, stored, chance))
            messages = await Sender(connect, 400, chance).send_all()
            storing.cancel()
            await asyncio.gather(storing, return_exceptions=True)
        assert stored == messages

    run(dialogue())
