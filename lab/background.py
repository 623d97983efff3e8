"""Everyday traffic: what devices say when nothing happens. No line of it should raise anything."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import TYPE_CHECKING

from lab.scenario import Planned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inventory.records import Inventory

RATE = 10.0
"""Lines a second of the whole sector."""

_BACKUP_HOST = "127.1.1.10"
_KEY = "ED25519 SHA256:9nQk3mVb7T1xYwZr5uLc8eHs2dJf6aPg4oKiRtUvWxM"

_FORTINET_TRAFFIC = (
    'logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" srcip=192.168.{site}.{client} '
    'srcport={high} srcintf="lan" dstip=192.168.1.20 dstport=443 dstintf="wan1" sessionid={number} proto=6 '
    'action="close" policyid=3 service="HTTPS" duration={client} sentbyte={high} rcvdbyte={number}'
)
_FORTINET_DNS = (
    'logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" srcip=192.168.{site}.{client} '
    'srcport={high} srcintf="lan" dstip=192.168.1.53 dstport=53 dstintf="wan1" sessionid={number} proto=17 '
    'action="accept" policyid=2 service="DNS" duration=180 sentbyte=64 rcvdbyte=128'
)
_CISCO_LOGIN = (
    "%SSH-5-SSH2_USERAUTH: User 'backup' authentication for SSH2 Session from {backup} (tty = 0) "
    "using crypto cipher 'aes256-ctr', hmac 'hmac-sha2-256' Succeeded"
)

_LINES = {
    # Ports of the local network only: the state of a WAN line is a scenario's business.
    "cisco": (
        "%LINK-3-UPDOWN: Interface GigabitEthernet0/1/{port}, changed state to up",
        "%LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/1/{port}, changed state to up",
        "%NTP-6-PEERREACH: Peer {backup} is reachable",
        _CISCO_LOGIN,
        "%SEC-6-IPACCESSLOGP: list LAN permitted tcp 192.168.{site}.{client}({high}) -> 192.168.1.20(443), 1 packet",
    ),
    "fortinet": (_FORTINET_TRAFFIC, _FORTINET_TRAFFIC, _FORTINET_DNS),
    "linux": (
        f"sshd[{{pid}}]: Accepted publickey for backup from {{backup}} port {{high}} ssh2: {_KEY}",
        "sshd[{pid}]: pam_unix(sshd:session): session opened for user backup(uid=34) by (uid=0)",
        "CRON[{pid}]: (root) CMD (cd / && run-parts --report /etc/cron.hourly)",
        "chronyd[{pid}]: Selected source {backup}",
        "systemd[1]: Finished logrotate.service - Rotate log files.",
    ),
}


def background(sector: Inventory, seed: int = 1, rate: float = RATE) -> Iterator[Planned]:
    """Endless ordinary lines, ``rate`` a second in all, each device in turn; equal seeds give equal lines.

    Raises:
        KeyError: a device's vendor has no ordinary lines here.
    """
    random = Random(seed)  # noqa: S311 - repeatable traffic is wanted, not secrets
    devices = list(sector.devices)
    random.shuffle(devices)
    for number in count():
        device = devices[number % len(devices)]
        values = {
            "backup": _BACKUP_HOST,
            "site": device.address.split(".")[2],
            "port": random.randint(0, 3),
            "client": random.randint(20, 220),
            "pid": random.randint(500, 30_000),
            "high": random.randint(32_768, 60_999),
            "number": random.randint(100_000, 9_999_999),
        }
        yield Planned(at=number / rate, device=device, text=random.choice(_LINES[device.vendor]).format_map(values))
