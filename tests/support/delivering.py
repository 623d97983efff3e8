"""What is sent by each way in from real programs, and how often it is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk
from peers import relp_tls_to, relp_to, rsyslogd, tcp_to, tls_to, udp_to
from running import Keys, Platform, eventually, running

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


def deliver_by_rsyslogd(folder: Path, keys: Keys, way: str, lines: int) -> None:
    """So many lines through rsyslogd and one way in; all must be stored once, and all figures agree."""
    wanted = [f"{number:06d}" for number in range(lines)]
    with running(folder / "platform", keys=keys) as platform:
        with rsyslogd(folder / "rsyslog", WAYS[way](platform, keys)) as peer:
            for start in range(0, lines, CHUNK):
                peer.log([f"app[7]: line {number}" for number in wanted[start : start + CHUNK]])
            eventually(lambda: platform.metrics().get("stored", 0) >= lines)
        assert numbered(platform) == Counter(wanted)
        figures = platform.metrics()
        assert figures.get("dropped", 0) == figures.get("quarantined", 0) == 0
        assert figures["received"] == figures["stored"] + figures.get("duplicates", 0)


def deliver_by_elastic(folder: Path, keys: Keys, lines: int) -> None:
    """So many documents by the Elastic client's bulk helper; all must be stored once."""
    documents = ({"_index": "logs", "_op_type": "create", "message": f"line {n:06d}"} for n in range(lines))
    with running(folder / "platform", keys=keys) as platform, elastic(platform, keys) as client:
        assert client.info()["tagline"] == "You Know, for Search"
        done, failed = bulk(client, documents, chunk_size=CHUNK)
        assert (done, failed) == (lines, [])
        assert numbered(platform) == Counter(f"{number:06d}" for number in range(lines))


def elastic(platform: Platform, keys: Keys) -> Elasticsearch:
    """The client, which tries nothing again by itself."""
    return Elasticsearch(f"https://localhost:{platform.http_port}", ca_certs=str(keys.authority), max_retries=0)
