"""What a sender sends again is folded, exactly: against a model of a RELP sender, over all ways to break off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.logs.resend import MOST_BROKEN, MOST_STREAMS, WINDOW, Overlap, Streams, Tails, digest

SOURCE = "10.0.0.1"


class Server:
    """Takes sessions in as the receiver does; ``disk`` is what a kill leaves."""

    def __init__(self) -> None:
        self.stored: list[bytes] = []
        self._disk = Tails()
        self._streams = Streams()

    def session(self, messages: Sequence[bytes], *, settled: bool = False, killed_after: int | None = None) -> int:
        """How many of the messages could be answered, in order, before the connection breaks off.

        Args:
            messages: what arrives.
            settled: the sender says nothing more for a while, before it goes.
            killed_after: the server dies with no more than this many new messages on disk.
        """
        overlap, held, stream, taken = Overlap(self._streams.ends(SOURCE)), [], "", []
        for raw in [*messages, None]:
            if raw is None:
                if settled and held:
                    overlap.settle()
            elif stream:
                taken.append(raw)
                self._streams.remember(stream, raw)
            else:
                held.append(raw)
                overlap.push(raw)
            if held and overlap.decided:
                stream = self._begin(overlap)
                taken = held[overlap.folded :]
                folded, held = overlap.folded, []
                for new in taken:
                    self._streams.remember(stream, new)
        kept = taken if killed_after is None else taken[:killed_after]
        for raw in kept:
            self.stored.append(raw)
            self._disk.add(stream, digest(raw))
        if killed_after is not None:
            self._streams = Streams(self._disk.content())
        elif stream:
            self._streams.leave(stream)
        return folded + len(kept) if stream else 0

    def _begin(self, overlap: Overlap) -> str:
        if not overlap.stream:
            return self._streams.start(SOURCE)
        self._streams.take_up(overlap.stream)
        return overlap.stream


class Sender:
    """Keeps what is unanswered, in order, and begins each session with it."""

    def __init__(self, messages: Sequence[bytes], window: int) -> None:
        self._messages = messages
        self._window = window
        self.answered = 0
        self._sent = 0

    def session(self, sent: int) -> list[bytes]:
        """What goes out in a session, up to message number ``sent`` as far as the window allows."""
        self._sent = max(self._sent, min(sent, self.answered + self._window))
        return list(self._messages[self.answered : self._sent])


def transfer(messages: Sequence[bytes], window: int, breaks: Sequence[tuple[int, int, int, bool]]) -> list[bytes]:
    """What is stored of the messages when connections break off like this and the last one does not.

    A break: how far the sender got, how much of that arrived, how many answers did, and whether the server died.
    """
    server, sender = Server(), Sender(messages, window)
    for sent, arrived, answers, killed in breaks:
        going = sender.session(sent)[:arrived]
        answerable = server.session(going, killed_after=answers if killed else None)
        sender.answered += min(answers, answerable)
    while sender.answered < len(messages):
        sender.answered += server.session(sender.session(len(messages)), settled=True)
    return server.stored


def all_breaks(count: int, window: int) -> Iterator[tuple[int, int, int, bool]]:
    for sent in range(count + 1):
        for arrived in range(min(sent, window) + 1):
            for answers, killed in product(range(arrived + 1), (False, True)):
                yield sent, arrived, answers, killed


def is_part_in_order(part: Sequence[bytes], sequence: Sequence[bytes]) -> bool:
    rest = iter(sequence)
    return all(one in rest for one in part)


def test_every_message_is_stored_once_however_one_connection_breaks_off():
    messages = [b"%d" % number for number in range(7)]
    for window in (1, 3, 7):
        for broken in all_breaks(7, window):
            assert transfer(messages, window, [broken]) == messages, (window, broken)


def test_every_message_is_stored_once_however_two_connections_break_off():
    messages = [b"%d" % number for number in range(5)]
    for breaks in product(all_breaks(5, 4), repeat=2):
        assert transfer(messages, 4, breaks) == messages, breaks


def test_nothing_is_stored_twice_even_where_lines_repeat():
    for text in product((b"a", b"b"), repeat=4):
        for broken in all_breaks(4, 4):
            stored = transfer(text, 4, [broken])
            assert is_part_in_order(stored, text), (text, broken)


BREAK = st.tuples(st.integers(0, 600), st.integers(0, 128), st.integers(0, 128), st.booleans())


@given(st.lists(BREAK, max_size=8))
def test_every_message_is_stored_once_with_the_window_that_senders_have(breaks):
    messages = [b"<13>message %d" % number for number in range(600)]
    assert transfer(messages, 128, breaks) == messages


def test_fifty_identical_lines_on_one_connection_are_fifty():
    server = Server()
    server.session([b"x"] * 50)
    assert server.stored == [b"x"] * 50


def test_fifty_identical_lines_sent_again_are_fifty():
    server = Server()
    server.session([b"x"] * 50)
    server.session([b"x"] * 50)
    assert server.stored == [b"x"] * 50


def test_a_line_that_repeats_what_was_stored_last_counts_as_its_resend():
    # Whether the answer to the first x was lost, and this is its resend, or not, and it is another x: the bytes are
    # the same. It is folded and counted as a duplicate. What follows tells nothing either.
    server = Server()
    server.session([b"a", b"x"])
    server.session([b"x", b"y"])
    assert server.stored == [b"a", b"x", b"y"]


def test_a_line_that_repeats_something_earlier_is_another_one():
    server = Server()
    server.session([b"x", b"a"])
    server.session([b"x", b"y"])
    assert server.stored == [b"x", b"a", b"x", b"y"]


def test_repeated_lines_are_folded_as_often_as_they_were_stored():
    server = Server()
    server.session([b"a", b"x", b"x"])
    server.session([b"x", b"x", b"x", b"x"])
    assert server.stored == [b"a", b"x", b"x", b"x", b"x"]


def test_the_longest_overlap_wins():
    server = Server()
    server.session([b"x", b"y", b"x", b"y"])
    server.session([b"x", b"y", b"x", b"y", b"z"])
    assert server.stored == [b"x", b"y", b"x", b"y", b"z"]


def test_a_session_that_may_still_be_a_resend_is_held_back():
    overlap = Overlap({"s#1": [digest(b"a"), digest(b"b"), digest(b"c")]})
    states = []
    for raw in (b"a", b"b", b"c"):
        overlap.push(raw)
        states.append(overlap.decided)
    assert states == [False, False, True]
    assert (overlap.folded, overlap.stream) == (3, "s#1")


def test_a_session_that_says_nothing_more_is_settled():
    overlap = Overlap({"s#1": [digest(b"a"), digest(b"b"), digest(b"a")]})
    overlap.push(b"a")
    assert not overlap.decided
    overlap.settle()
    assert (overlap.decided, overlap.folded, overlap.stream) == (True, 1, "s#1")


def test_a_settled_session_with_no_whole_overlap_is_new():
    overlap = Overlap({"s#1": [digest(b"a"), digest(b"b")]})
    overlap.push(b"a")
    overlap.settle()
    assert (overlap.folded, overlap.stream) == (0, "")


def test_a_session_of_an_unknown_source_is_decided_at_once():
    assert Overlap(Streams().ends(SOURCE)).decided


@pytest.mark.parametrize("first", [0, 1])
def test_two_broken_streams_of_one_source_are_told_apart(first):
    streams = Streams()
    names = [streams.start(SOURCE), streams.start(SOURCE)]
    for name, raws in zip(names, ([b"a", b"b"], [b"c", b"d"]), strict=True):
        for raw in raws:
            streams.remember(name, raw)
        streams.leave(name)
    overlap = Overlap(streams.ends(SOURCE))
    overlap.push([b"b", b"d"][first])
    assert (overlap.decided, overlap.folded, overlap.stream) == (True, 1, names[first])
    streams.take_up(names[first])
    assert list(streams.ends(SOURCE)) == [names[1 - first]]


def test_of_two_equal_ends_the_one_spoken_in_last_is_taken_up():
    streams = Streams()
    names = [streams.start(SOURCE), streams.start(SOURCE)]
    for name in reversed(names):
        streams.remember(name, b"a")
        streams.leave(name)
    overlap = Overlap(streams.ends(SOURCE))
    overlap.push(b"a")
    assert overlap.stream == names[0]


def test_a_stream_that_is_open_is_compared_only_where_it_rests():
    streams = Streams()
    name = streams.start(SOURCE)
    streams.remember(name, b"a")
    assert streams.ends(SOURCE) == {}
    assert streams.ends(SOURCE, {name}) == {name: [digest(b"a")]}


def test_another_sources_streams_are_never_compared():
    streams = Streams()
    name = streams.start("10.0.0.11")
    streams.remember(name, b"a")
    streams.leave(name)
    assert streams.ends("10.0.0.1") == {}
    assert list(streams.ends("10.0.0.11")) == [name]


def test_a_stream_closed_in_good_order_is_forgotten():
    streams = Streams()
    name = streams.start(SOURCE)
    streams.remember(name, b"a")
    streams.finish(name)
    assert streams.ends(SOURCE) == {}
    assert streams.known() == set()


def test_streams_restored_from_disk_are_broken_and_their_numbers_not_given_again():
    streams = Streams({f"{SOURCE}#7": [digest(b"a")], "10.0.0.2#3": []})
    assert list(streams.ends(SOURCE)) == [f"{SOURCE}#7"]
    assert streams.start(SOURCE) == f"{SOURCE}#8"


def test_a_tail_holds_the_last_256_messages():
    tails = Tails()
    for number in range(WINDOW + 10):
        tails.add("s#1", digest(b"%d" % number))
    (tail,) = tails.content().values()
    assert (tail[0], tail[-1], len(tail)) == (digest(b"10"), digest(b"%d" % (WINDOW + 9)), WINDOW)


def test_when_there_are_too_many_streams_the_longest_silent_ones_go():
    tails = Tails()
    tails.add("busy#1", b"first")
    for number in range(MOST_STREAMS):
        tails.add(f"s#{number}", b"x")
        tails.add("busy#1", b"x")
    assert len(tails.streams()) == MOST_STREAMS
    assert "s#0" not in tails.streams()
    assert len(tails.content()["busy#1"]) == WINDOW


def test_a_source_whose_line_is_bad_does_not_make_others_forgotten():
    streams = Streams()
    other = streams.start("10.0.0.2")
    streams.remember(other, b"x")
    streams.leave(other)
    for number in range(2 * MOST_STREAMS):
        name = streams.start(SOURCE)
        streams.remember(name, b"%d" % number)
        streams.leave(name)
    assert len(streams.ends(SOURCE)) == MOST_BROKEN
    assert list(streams.ends("10.0.0.2")) == [other]


def test_only_wanted_tails_are_kept():
    tails = Tails({"a#1": [b"x"], "b#2": [b"y"]})
    tails.keep({"b#2", "c#3"})
    assert tails.content() == {"b#2": [b"y"]}
