"""Every line is counted, whatever it is; the order in which lines come changes nothing."""

from __future__ import annotations

import random
import socket
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from peers import relp_to, rsyslogd
from running import Platform, eventually, running

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    with running(tmp_path_factory.mktemp("platform")) as one:
        yield one


def over_tcp(platform: Platform, messages: list[bytes]) -> None:
    """Octet-counted, all on one connection that ends in good order."""
    with socket.create_connection(("127.0.0.1", platform.logs_port)) as sender:
        for message in messages:
            sender.sendall(b"%d %b" % (len(message), message))


def over_udp(platform: Platform, messages: list[bytes]) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        for message in messages:
            sender.sendto(message, ("127.0.0.1", platform.logs_port))


def balanced(figures: dict[str, float]) -> bool:
    """received = stored + duplicates + quarantined + dropped."""
    parts = ("stored", "duplicates", "quarantined", "dropped")
    return figures.get("received", 0) == sum(figures.get(part, 0) for part in parts)


def settled(platform: Platform, received: float) -> dict[str, float]:
    """The figures once this much has been received and all of it is somewhere."""
    return eventually(
        lambda: (figures := platform.metrics()).get("received", 0) >= received and balanced(figures) and figures
    )


def test_fifty_equal_lines_in_one_second_on_one_connection_are_fifty_events(platform: Platform):
    line = f"<13>1 {NOW.isoformat()} host app - - - equal lines".encode()
    over_tcp(platform, [line] * 50)
    eventually(lambda: len(platform.stored("equal lines")) == 50)


def test_fifty_equal_lines_from_rsyslogd_over_relp_are_fifty_events(platform: Platform, tmp_path: Path):
    with rsyslogd(tmp_path, relp_to(platform.relp_port) + "$RepeatedMsgReduction off\n") as peer:
        peer.log(["app: equal over relp"] * 50)
        eventually(lambda: len(platform.stored("equal over relp")) == 50)


def strange(number: int) -> bytes:
    """A hundred kinds of message that nobody should send."""
    chance = random.Random(number)  # noqa: S311 - the same strangeness each time
    kinds = [
        lambda: chance.randbytes(200),
        lambda: b"<999999999>not a priority",
        lambda: b"<34>1 2026-99-99T99:99:99Z h a - - - bad date",
        lambda: b'<34>1 - - - - - [unclosed sd="x',
        lambda: unicodedata.normalize("NFD", "<13>máy chủ: người dùng đã đăng nhập").encode(),
        lambda: b"\x00" * 40,
        lambda: b"<13>" + b"A" * 100_000,
        lambda: b"<13>Feb 30 25:61:61 host app: impossible",
        lambda: "<13>Jan 19 03:14:08 2038 host app: the end of time".encode("utf-16"),
        lambda: b" \t ",
    ]
    return kinds[number % len(kinds)]()


def test_a_hundred_strange_messages_stop_nothing_and_are_all_counted(platform: Platform):
    before = platform.metrics().get("received", 0)
    messages = [strange(number) for number in range(100)]
    over_udp(platform, [message for message in messages if len(message) < 60_000])
    over_tcp(platform, [message for message in messages if len(message) >= 60_000])
    over_tcp(platform, [b"<13>app: still alive after strange messages"])
    eventually(lambda: platform.stored("still alive after strange"))
    figures = settled(platform, before + 101)
    assert figures["received"] == before + 101
    assert figures["quarantined"] >= 40
    reasons = {one["fields"]["error.message"].split(":")[0] for one in platform.json("events", "quarantined")}
    assert {"binary", "empty", "oversized"} <= reasons


def test_text_with_loose_diacritics_is_stored_composed_with_its_bytes_kept(platform: Platform):
    loose = unicodedata.normalize("NFD", "<13>app: Viện kiểm sát nhân dân tỉnh Thanh Hóa")
    over_tcp(platform, [loose.encode()])
    (event,) = eventually(lambda: platform.json("events", "search", "Viện kiểm sát nhân dân tỉnh Thanh Hóa"))
    assert event["raw"] == loose
    assert event["fields"]["message"] == "Viện kiểm sát nhân dân tỉnh Thanh Hóa"


def test_a_line_dated_2038_stops_nothing(platform: Platform):
    over_tcp(platform, [b"<13>1 2038-01-19T03:14:07Z h app - - - from the future"])
    (event,) = eventually(lambda: platform.json("events", "search", "from the future"))
    assert event["time"] == event["seen"]
    assert event["fields"]["haidang.time.original"] == "2038-01-19T03:14:07.000000Z"
    assert platform.metrics()["untrusted_time"] >= 1


def attack() -> list[bytes]:
    """Guesses at two servers within a minute, a login at one, and a line that claims to come from 2038."""
    lines = []
    for second in range(24):
        moment = (NOW - timedelta(seconds=50 - second)).isoformat()
        server = f"srv{second % 2}"
        text = f"Failed password for root from 192.0.2.7 port {second} ssh2"
        lines.append(f"<38>1 {moment} {server} sshd 1 - - {text}")
    moment = (NOW - timedelta(seconds=20)).isoformat()
    lines.append(f"<38>1 {moment} srv0 sshd 1 - - Accepted password for root from 192.0.2.7 port 99 ssh2")
    lines.append("<38>1 2038-01-19T03:14:07Z srv9 sshd 1 - - Failed password for root from 192.0.2.8 port 1 ssh2")
    return [line.encode() for line in lines]


def alerts(platform: Platform) -> list[Any]:
    """All alerts as people see them, without what depends on the moment of the test."""
    found = []
    for incident in platform.incidents():
        for alert in platform.json("incidents", "show", str(incident["id"]))[0]["alerts"]:
            raw = sorted(item["raw"] for item in alert["evidence"])
            found.append((alert["title"]["vi"], alert["object"], alert["start"], alert["end"], alert["count"], raw))
    return sorted(found, key=repr)


def test_the_same_lines_shuffled_give_the_same_alerts(tmp_path: Path):
    lines = attack()
    shuffled = random.Random(7).sample(lines, len(lines))  # noqa: S311 - the same disorder each time
    seen = []
    for name, order in (("ordered", lines), ("shuffled", shuffled), ("reversed", lines[::-1])):
        with running(tmp_path / name) as platform:
            for line in order:
                over_tcp(platform, [line])
            settled(platform, len(lines))
            eventually(lambda platform=platform: sum(alert[4] for alert in alerts(platform)) == 12 + 12 + 13)
            seen.append(alerts(platform))
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) == 3
