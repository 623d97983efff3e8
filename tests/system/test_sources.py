"""Sources on a real platform: noise harms no other, silence is raised once and ends when the source returns."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from running import Platform, eventually, running

SOURCES = 300
SHARE = 200
NOISE = 100
AHEAD = 12_000
"""Messages that may be on their way to the lane."""


@contextmanager
def senders() -> Iterator[list[socket.socket]]:
    """A socket for each of 300 addresses of the loopback range."""
    with ExitStack() as held:
        made = []
        for number in range(SOURCES):
            sender = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sender.bind((f"127.1.{number // 250}.{number % 250 + 1}", 0))
            made.append(sender)
        yield made


@pytest.mark.timeout(300)
def test_of_300_sources_one_that_sends_100_times_its_share_costs_no_other_a_line(tmp_path: Path):
    with running(tmp_path) as platform, senders() as (noisy, *others):
        target = ("127.0.0.1", platform.logs_port)
        for turn in range(SHARE):
            for number in range(NOISE):
                noisy.sendto(b"<13>app: noise %d/%d" % (turn, number), target)
            for sender in others:
                sender.sendto(b"<13>app: line %d" % turn, target)
            if turn % 20 == 0:  # what all of them send is what a lane can carry: only the noise is too much
                sent = turn * (NOISE + len(others))
                eventually(lambda sent=sent: platform.metrics().get("received", 0) >= sent - AHEAD)
        quiet = [sender.getsockname()[0] for sender in others]
        stored = eventually(lambda: all_of(platform, quiet))
        assert stored == dict.fromkeys(quiet, SHARE)
        loud = sources(platform)[noisy.getsockname()[0]]
        assert loud["received"] == SHARE * NOISE == loud["stored"] + loud.get("dropped", 0)
        eventually(lambda: is_balanced(platform.metrics()))  # what the lane says itself may be on its way
        raws = Counter(platform.stored("line "))
        assert (len(raws), set(raws.values())) == (SHARE, {SOURCES - 1})


def is_balanced(figures: dict[str, float]) -> bool:
    return figures["received"] == figures["stored"] + figures.get("dropped", 0) + figures.get("quarantined", 0)


def sources(platform: Platform) -> dict[str, dict]:
    """The sources as the lane tells of them, by address."""
    path = platform.folder / "data" / "lanes" / "logs" / "sources.json"
    return {one["address"]: one for one in json.loads(path.read_bytes())["sources"]} if path.exists() else {}


def all_of(platform: Platform, quiet: list[str]) -> dict[str, int] | None:
    """How much of each quiet source is stored, once that is all and the noise is accounted for."""
    known = sources(platform)
    stored = {address: known.get(address, {}).get("stored", 0) for address in quiet}
    loud = known.get("127.1.0.1", {})
    settled = loud.get("received") == SHARE * NOISE == loud.get("stored", 0) + loud.get("dropped", 0)
    return stored if settled and sum(stored.values()) == SHARE * len(quiet) else None


@pytest.mark.timeout(200)
def test_a_silent_source_is_raised_once_and_its_incident_ends_when_it_returns(tmp_path: Path):
    platform = Platform(tmp_path)
    with platform.file.open("a", encoding="utf-8") as file:
        file.write('[lane.logs.sources."127.0.0.9"]\nsilence_seconds = 4\n')
    platform.start()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind(("127.0.0.9", 0))
            send = lambda: sender.sendto(b"<38>sshd[1]: hello", ("127.0.0.1", platform.logs_port))  # noqa: E731
            send()
            (silent,) = eventually(lambda: of_cause(platform, "source_silent"))
            assert (silent.get("state", "new"), silent["object"]) == ("new", [["source.ip", "127.0.0.9"]])
            send()
            (over,) = eventually(lambda: closed(platform, "source_silent"))
            assert over["id"] == silent["id"]
            told = platform.json("events", "search", "127.0.0.9")
            actions = Counter(event["fields"].get("event.action") for event in told)
            assert actions["source_silent"] == 1
            assert actions["source_returned"] == 1
            assert actions["source_unknown"] == 1
        platform.stop()
    finally:
        if platform.process.poll() is None:
            platform.kill_all()


def of_cause(platform: Platform, cause: str) -> list[dict]:
    return [one for one in platform.json("incidents", "list") if one["cause"] == cause]


def closed(platform: Platform, cause: str) -> list[dict]:
    listed = platform.json("incidents", "list", "--state", "closed")
    return [one for one in listed if one["cause"] == cause and one.get("state") == "closed"]
