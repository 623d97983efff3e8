"""What kill -9 may cost: over RELP nothing, over TCP what the kernel had taken, counted and told."""

from __future__ import annotations

import re
import threading
from collections import Counter
from pathlib import Path

import pytest
from delivering import WAYS, elastic
from elastic_transport import TransportError
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk
from peers import Rsyslogd, made_keys, relp_to, rsyslogd
from running import Keys, Platform, eventually, running

LINES = 10_000
GUESSES = 12
CHUNK, LEAD = 250, 1000


def lines() -> list[str]:
    """Numbered lines, and among them the guesses and the login that make one incident."""
    plain = [f"app[7]: line {number:05d}" for number in range(LINES)]
    for guess in range(GUESSES):
        at = 1000 + 700 * guess
        plain[at] = f"sshd[9]: Failed password for root from 203.0.113.9 port {40000 + guess} ssh2 line {at:05d}"
    plain[-1] = f"sshd[9]: Accepted password for root from 203.0.113.9 port 50000 ssh2 line {LINES - 1:05d}"
    return plain


def send(platform: Platform, peer: Rsyslogd, wanted: list[str]) -> None:
    """Hands the lines over a little ahead of what is stored, so that a kill always falls within the flow."""
    for start in range(0, len(wanted), CHUNK):
        eventually(lambda start=start: platform.spooled() >= start - LEAD)
        peer.log(wanted[start : start + CHUNK])


def numbers(platform: Platform) -> Counter[str]:
    """How often each numbered line is stored."""
    return Counter(raw.rpartition("line ")[2].strip(' \n"}') for raw in platform.stored("line "))


def kill_lane(platform: Platform) -> None:
    platform.kill("logs")


def kill_centre(platform: Platform) -> None:
    platform.kill("centre")


def kill_console(platform: Platform) -> None:
    platform.kill("console")


def kill_everything(platform: Platform) -> None:
    platform.kill_all()
    platform.start()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("kill", [kill_lane, kill_centre, kill_console, kill_everything])
def test_over_relp_every_line_is_stored_once_and_the_incident_is_one_whatever_is_killed(tmp_path: Path, kill):
    wanted = lines()
    with (
        running(tmp_path / "platform") as platform,
        rsyslogd(tmp_path / "rsyslog", relp_to(platform.relp_port)) as peer,
    ):
        sender = threading.Thread(target=send, args=(platform, peer, wanted))
        sender.start()
        for share in (0.2, 0.6):
            eventually(lambda share=share: platform.spooled() > share * LINES)
            assert platform.spooled() < LINES, "the flow was over before the kill"
            kill(platform)
        sender.join()
        eventually(lambda: len(numbers(platform)) == LINES)
        counted = numbers(platform)
        assert set(counted.values()) == {1}
        print(f"folded after {kill.__name__}: {platform.metrics().get('duplicates', 0):.0f}")
        found = eventually(lambda: [one for one in platform.incidents() if one["severity"] == "critical"])
        assert len(found) == 1
        assert len(platform.incidents()) == 1
        shown = eventually(lambda: complete(platform, found[0]["id"]))
        raw = [item["raw"] for alert in shown["alerts"] for item in alert["evidence"]]
        assert sum("Accepted password" in line for line in raw) == 1


def deliver(platform: Platform, keys: Keys) -> None:
    """Sends chunks of documents by the real Elastic client; one without an answer is sent again, as Beats do."""
    with elastic(platform, keys) as client:
        for start in range(0, LINES, CHUNK):
            eventually(lambda start=start: platform.spooled() >= start - LEAD)
            documents = [{"_index": "logs", "message": f"line {n:05d}"} for n in range(start, start + CHUNK)]
            eventually(lambda documents=documents: answered(client, documents))


def answered(client: Elasticsearch, documents: list[dict[str, str]]) -> bool:
    try:
        return bulk(client, documents, chunk_size=CHUNK) == (CHUNK, [])
    except TransportError:
        return False


@pytest.mark.timeout(400)
@pytest.mark.parametrize("kill", [kill_lane, kill_everything])
def test_over_http_every_document_is_stored_once_whatever_is_killed(tmp_path: Path, kill):
    keys = made_keys(tmp_path / "keys")
    with running(tmp_path / "platform", keys=keys) as platform:
        sender = threading.Thread(target=deliver, args=(platform, keys))
        sender.start()
        for share in (0.2, 0.6):
            eventually(lambda share=share: platform.spooled() > share * LINES)
            assert platform.spooled() < LINES, "the flow was over before the kill"
            kill(platform)
        sender.join()
        counted = numbers(platform)
        assert (len(counted), set(counted.values())) == (LINES, {1})
        print(f"folded after {kill.__name__}: {platform.metrics().get('duplicates', 0):.0f}")


def complete(platform: Platform, number: int):
    """The incident once it holds the login and all guesses."""
    shown = platform.json("incidents", "show", str(number))[0]
    return shown if max(alert["count"] for alert in shown["alerts"]) == GUESSES + 1 else None


@pytest.mark.timeout(400)
@pytest.mark.parametrize("way", ["tcp counted", "tls"])
def test_over_tcp_and_tls_nothing_is_doubled_and_the_loss_is_counted_and_told(tmp_path: Path, way: str):
    wanted, keys = lines(), made_keys(tmp_path / "keys")
    with (
        running(tmp_path / "platform", keys=keys) as platform,
        rsyslogd(tmp_path / "rsyslog", WAYS[way](platform, keys)) as peer,
    ):
        half = LINES // 2
        sender = threading.Thread(target=send, args=(platform, peer, wanted[:half]))
        sender.start()
        eventually(lambda: platform.spooled() > half // 4)
        assert platform.spooled() < half, "the flow was over before the kill"
        platform.kill("logs")
        sender.join()
        eventually(lambda: platform_is_back(platform))
        peer.log(wanted[half:])
        eventually(lambda: f"{LINES - 1:05d}" in numbers(platform))
        counted = numbers(platform)
        assert set(counted.values()) == {1}
        figures = platform.metrics()
        assert figures["connections_cut"] == 1
        assert 0 <= figures["lost"] <= LINES - len(counted)
        told = platform.json("events", "search", "broke off")
        assert len(told) == 1
        assert told[0]["fields"]["event.action"] == "connection_cut"
        known = re.search(r"(\d+) messages received, (\d+) of them not stored", told[0]["fields"]["message"])
        assert int(known[2]) == figures["lost"]
        (incident,) = [one for one in platform.incidents() if one["cause"] == "connection_cut"]
        assert incident["title"]["vi"] == "Kết nối nhật ký bị ngắt, có thể thiếu dòng"
        print(f"lost over {way} at kill -9: {LINES - len(counted)} of {LINES}, {known[2]} of them known")


def platform_is_back(platform: Platform) -> bool:
    try:
        return "connections_cut" in platform.metrics()
    except OSError:
        return False
