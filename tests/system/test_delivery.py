"""Every way in, from the programs that sectors run: all of what they send is stored, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk
from peers import made_keys, relp_tls_to, relp_to, rsyslogd, tcp_to, tls_to, udp_to
from running import Keys, Platform, eventually, running

LINES = 20_000
CHUNK = 500

Way = Callable[[Platform, Keys], str]
WAYS: dict[str, Way] = {
    "udp": lambda platform, _: udp_to(platform.logs_port),
    "tcp counted": lambda platform, _: tcp_to(platform.logs_port),
    "tcp by lines": lambda platform, _: tcp_to(platform.logs_port, "traditional"),
    "tls": lambda platform, keys: tls_to(platform.tls_port, keys),
    "relp": lambda platform, _: relp_to(platform.relp_port),
    "relp over tls": lambda platform, keys: relp_tls_to(platform.relp_tls_port, keys),
}


def numbered(platform: Platform) -> Counter[str]:
    """How often each numbered line is stored."""
    return Counter(raw.rpartition("line ")[2].strip(' \n"}') for raw in platform.stored("line "))


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> Keys:
    return made_keys(tmp_path_factory.mktemp("keys"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", WAYS)
def test_all_of_20000_lines_from_rsyslogd_are_stored_once(tmp_path: Path, keys: Keys, way: str):
    wanted = [f"{number:05d}" for number in range(LINES)]
    with running(tmp_path / "platform", keys=keys) as platform:
        with rsyslogd(tmp_path / "rsyslog", WAYS[way](platform, keys)) as peer:
            for start in range(0, LINES, CHUNK):
                peer.log([f"app[7]: line {number}" for number in wanted[start : start + CHUNK]])
            eventually(lambda: platform.metrics().get("stored", 0) >= LINES)
        assert numbered(platform) == Counter(wanted)
        figures = platform.metrics()
        assert figures.get("dropped", 0) == figures.get("quarantined", 0) == 0
        assert figures["received"] == figures["stored"] + figures.get("duplicates", 0)


def client(platform: Platform, keys: Keys) -> Elasticsearch:
    return Elasticsearch(f"https://localhost:{platform.http_port}", ca_certs=str(keys.authority), max_retries=0)


def documents(numbers: range) -> list[dict[str, object]]:
    return [{"_index": "logs", "_op_type": "create", "message": f"line {number:05d}"} for number in numbers]


@pytest.mark.timeout(300)
def test_all_of_20000_documents_from_the_elastic_client_are_stored_once(tmp_path: Path, keys: Keys):
    with running(tmp_path / "platform", keys=keys) as platform, client(platform, keys) as elastic:
        assert elastic.info()["tagline"] == "You Know, for Search"
        done, failed = bulk(elastic, documents(range(LINES)), chunk_size=CHUNK)
        assert (done, failed) == (LINES, [])
        assert numbered(platform) == Counter(f"{number:05d}" for number in range(LINES))
