"""The Linux kernel: packet filter, links, memory, disks, devices, its own audit.

Whatever a packet carries is written by the kernel as figures, and the prefix of a filter's line is the
administrator's. Sources: Linux, net/netfilter/nf_log_syslog.c, mm/oom_kill.c, fs/ext4/super.c, drivers/usb/core;
ufw(8), "LOGGING"; nft(8), "LOG STATEMENT"; iptables-extensions(8), "LOG".
"""

from __future__ import annotations

import re

from collectors.logs.dialects.completed import completed
from collectors.logs.dialects.firewalls import verdict
from collectors.logs.dialects.pattern import Dialect, pattern
from core.records import Fields, Logsource

_LEAD = r"^(?:\[ {0,8}\d{1,10}\.\d{6}\] )?"
"""The time since the start, where the kernel is set to print it."""

_DEVICE = r"(?:\S{1,32} [0-9a-f:.]{4,32}:? )?([\w.@-]{1,32}): (?:\w{1,16}: \S{1,32} )?"
"""An interface, behind its driver and the place of its card, and perhaps followed by the driver once more."""

_PAIR = re.compile(r"(?<!\S)([A-Z]{2,9})=(\S+)")

_ECS = {
    "IN": "observer.ingress.interface.name",
    "OUT": "observer.egress.interface.name",
    "SRC": "source.ip",
    "DST": "destination.ip",
    "SPT": "source.port",
    "DPT": "destination.port",
    "PROTO": "network.iana_transport",
}

_TELLING = frozenset(
    ("accept", "allow", "allowed", "block", "deny", "denied", "drop", "dropped", "invalid", "pass", "reject")
)
"""Words of a prefix from which follows what became of the packet; the kernel does not say it."""

_WORD = re.compile(r"[a-z]{2,16}")
_MOST = 4096
"""Characters of a line of the packet filter that are looked at; such a line has some five hundred."""


def _packet(found: dict[str, str]) -> Fields:
    fields: Fields = {"rule.name": prefix} if (prefix := found["prefix"].strip(" []:-")) else {}
    for name, value in _PAIR.findall(found["packet"][:_MOST]):
        if name in _ECS:
            fields.setdefault(_ECS[name], value)
    word = next((word for word in _WORD.findall(prefix.lower()) if word in _TELLING), "")
    return {**fields, "event.action": word, **verdict(word)} if word else fields


_FILTER = completed(" SRC=", rf"(?s){_LEAD}([^=]{{0,64}}?)(IN=[\w.@-]*+ OUT=.*)$", _packet, "prefix", "packet")

_PATTERNS = (
    _FILTER,
    pattern(
        "ink is ",
        rf"{_LEAD}{_DEVICE}(?:NIC )?[Ll]ink is [Dd]own",
        "interface.name",
        event_action="link_down",
    ),
    pattern(
        "ink is ",
        rf"{_LEAD}{_DEVICE}(?:NIC )?[Ll]ink is [Uu]p",
        "interface.name",
        event_action="link_up",
    ),
    pattern(
        "promiscuous mode",
        rf"{_LEAD}(?:device )?([\w.@-]{{1,32}}):? entered promiscuous mode",
        "interface.name",
        event_action="promiscuous_mode",
    ),
    pattern(
        "Out of memory",
        rf"{_LEAD}Out of memory: Kill(?:ed)? process (\d+) \((.{{1,64}}?)\)",
        "process.pid",
        "process.name",
        event_action="memory_exhausted",
    ),
    pattern(
        "segfault at",
        rf"{_LEAD}(\S{{1,64}})\[(\d+)\]: segfault at ",
        "process.name",
        "process.pid",
        event_action="process_crashed",
    ),
    pattern(
        "I/O error",
        rf"{_LEAD}(?:[\w.]{{1,32}}: )?(?:I/O error,|Buffer I/O error on) dev (\w{{1,32}})",
        "haidang.disk",
        event_action="disk_error",
    ),
    pattern(
        "-fs error",
        rf"{_LEAD}EXT[234]-fs error \(device (\w{{1,32}})\)",
        "haidang.disk",
        event_action="disk_error",
    ),
    pattern(
        "New USB device",
        rf"{_LEAD}usb (\S{{1,32}}): New USB device found, idVendor=([0-9a-f]{{4}}), idProduct=([0-9a-f]{{4}})",
        "haidang.usb.port",
        "haidang.usb.vendor",
        "haidang.usb.product",
        event_action="usb_attached",
    ),
    pattern(
        "taints kernel",
        rf"{_LEAD}([\w-]{{1,64}}): loading out-of-tree module taints kernel",
        "haidang.kernel.module",
        event_action="kernel_module_loaded",
    ),
    pattern(
        "module verification failed",
        rf"{_LEAD}([\w-]{{1,64}}): module verification failed",
        "haidang.kernel.module",
        event_action="kernel_module_unsigned",
    ),
    pattern(
        'apparmor="DENIED"',
        rf'{_LEAD}(?:audit: )?type=1400 audit\([\d.]+:\d+\): apparmor="DENIED" operation="([^"]*)"'
        r'(?: info="[^"]*" error=-?\d+)?(?: profile="([^"]*)")?(?: name="([^"]*)")?',
        "operation",
        "profile",
        "file.path",
        event_action="access_refused",
        event_outcome="failure",
    ),
)

_KERNEL = Dialect(Logsource(product="linux", service="syslog"), _PATTERNS)

PROGRAMS = {"kernel": _KERNEL}
