"""DHCP servers: ISC dhcpd, Kea, dnsmasq, and the audit log of Windows' server.

A station chooses its own name, which therefore stands last. Sources: ISC dhcpd(8) and its messages; Kea Messages
Manual; dnsmasq(8); Microsoft, "DHCP server audit log file format".
"""

from __future__ import annotations

import re

from collectors.logs.dialects.completed import completed
from collectors.logs.dialects.pattern import Dialect, Said, pattern
from collectors.logs.syslog import Message
from core.records import Fields, Logsource

_IP = r"([0-9A-Fa-f.:]+)"
_MAC = r"((?:[0-9A-Fa-f]{2}[:-]){5,19}[0-9A-Fa-f]{2})"

ACTIONS = {
    "ACK": "dhcp_lease",
    "OFFER": "dhcp_offer",
    "REQUEST": "dhcp_request",
    "DISCOVER": "dhcp_discover",
    "NAK": "dhcp_refused",
    "DECLINE": "dhcp_declined",
    "RELEASE": "dhcp_release",
    "INFORM": "dhcp_inform",
}
"""By the message's name in DHCP, RFC 2131."""

_NAMES = ("kind", "client.ip", "client.mac", "client.domain", "interface.name")


def _exchange(found: dict[str, str]) -> Fields:
    fields: Fields = {"event.action": ACTIONS[found.pop("kind")]}
    return {**fields, **{name: value for name, value in found.items() if value}}


_KINDS = "|".join(ACTIONS)
_ISC = (
    pattern(
        "no free leases",
        rf"^DHCPDISCOVER from {_MAC}(?: \(([^)]*)\))? via ([\w.@-]+): .{{0,64}}no free leases",
        "client.mac",
        "client.domain",
        "interface.name",
        event_action="dhcp_exhausted",
    ),
    completed(
        "DHCP",
        rf"^DHCP({_KINDS}) (?:(?:on|for|of) {_IP}(?: \([0-9.]+\))? )?(?:to|from) {_MAC}(?: \(([^)]*)\))? "
        r"via ([\w.@-]+)",
        _exchange,
        *_NAMES,
    ),
)

_DNSMASQ = (
    completed(
        "DHCP",
        rf"^(?:\d+ )?DHCP({_KINDS})\(([\w.@-]+)\) (?:{_IP} )?{_MAC}(?: (\S+))?",
        _exchange,
        "kind",
        "interface.name",
        "client.ip",
        "client.mac",
        "client.domain",
    ),
    pattern(
        "no address range available",
        r"^(?:\d+ )?no address range available for DHCP request via ([\w.@-]+)",
        "interface.name",
        event_action="dhcp_exhausted",
    ),
)

_KEA_ACTIONS = {
    "LEASE_ALLOC": "dhcp_lease",
    "LEASE_ALLOCATE": "dhcp_lease",
    "LEASE_RENEW": "dhcp_lease",
    "LEASE_REUSE": "dhcp_lease",
    "LEASE_OFFER": "dhcp_offer",
    "LEASE_ADVERT": "dhcp_offer",
    "RELEASE": "dhcp_release",
    "RELEASE_NA": "dhcp_release",
    "DECLINE_LEASE": "dhcp_declined",
    "ALLOC_FAIL": "dhcp_exhausted",
    "ALLOC_FAIL_SUBNET": "dhcp_exhausted",
    "PACKET_NAK_0001": "dhcp_refused",
}
"""By the id of Kea's message, without ``DHCP4_`` or ``DHCP6_``."""

_KEA_MAC = re.compile(rf"\[hwtype=\d{{1,3}} {_MAC}\]")
_KEA_LEASE = re.compile(rf"\b(?:lease(?: for address)?|address|[Aa]ddress) {_IP}(?=[\s,]|$)")
_MOST = 1000


def _kea(found: dict[str, str]) -> Fields:
    said = found["said"][:_MOST]
    fields: Fields = {"event.code": found["code"], "log.level": found["level"].lower()}
    action = _KEA_ACTIONS.get(found["name"])
    mac, lease = _KEA_MAC.search(said), _KEA_LEASE.search(said)
    told = {"event.action": action, "client.mac": mac and mac[1], "client.ip": lease and lease[1]}
    return {**fields, **{name: value for name, value in told.items() if value}}


_KEA = (
    completed(
        " [kea-",
        r"(?s)^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ )?(DEBUG|INFO|WARN|ERROR|FATAL) +\[kea-[^\]]{1,64}\] "
        r"((?:DHCP[46]|ALLOC_ENGINE_V[46])_(\w{1,64})) (.*)$",
        _kea,
        "level",
        "code",
        "name",
        "said",
    ),
)

WINDOWS_IDS = {
    "00": "service_started",
    "01": "service_stopped",
    "02": "dhcp_log_full",
    "10": "dhcp_lease",
    "11": "dhcp_lease",
    "12": "dhcp_release",
    "13": "address_duplicated",
    "14": "dhcp_exhausted",
    "15": "dhcp_refused",
    "16": "dhcp_lease_deleted",
    "17": "dhcp_lease_expired",
    "18": "dhcp_lease_expired",
    "20": "dhcp_lease",
    "30": "dns_update_requested",
    "31": "dns_update_failed",
    "32": "dns_updated",
}
"""What the first value of a line of Windows' server means; ids from 50 on tell of servers that nobody authorised."""

_WINDOWS = re.compile(
    r"(\d{2,5}),\d\d/\d\d/\d\d,\d\d:\d\d:\d\d,([^,]{1,64}),([0-9A-Fa-f.:]*),([^,]*),([0-9A-Fa-f]*),([^,]*),", re.ASCII
)
_WINDOWS_NAMES = ("event.code", "event.reason", "client.ip", "client.domain", "client.mac", "user.name")
_OWN = re.compile(r"\d{2,5},\d\d/\d\d/\d\d,\d\d", re.ASCII)
"""The syslog reader takes what is in front of the first colon for a program's name."""

_WINDOWS_SOURCE = Logsource(product="windows", category="dhcp", service="dhcp-audit")


def understand(message: Message) -> Said | None:
    """What a line of the audit log of Windows' DHCP server says; None of any other."""
    own = _OWN.fullmatch(message.program)
    whole = f"{message.program}:{message.text}" if own else message.text
    found = None if message.code else _WINDOWS.match(whole)
    if found is None:
        return None
    fields: Fields = {name: value for name, value in zip(_WINDOWS_NAMES, found.groups(), strict=True) if value}
    action = WINDOWS_IDS.get(found[1])
    return _WINDOWS_SOURCE, {**fields, **({"event.action": action} if action else {})}


PROGRAMS = {
    "dhcpd": Dialect(Logsource(category="dhcp", service="dhcpd"), _ISC),
    "dnsmasq-dhcp": Dialect(Logsource(category="dhcp", service="dnsmasq"), _DNSMASQ),
    **dict.fromkeys(("kea-dhcp4", "kea-dhcp6", "kea"), Dialect(Logsource(category="dhcp", service="kea"), _KEA)),
}
