"""Query and security logs of name servers: BIND, Unbound, dnsmasq and the debug log of Windows' server.

Sources: BIND 9 Administrator Reference, "Query Log Format" and its logging categories; unbound.conf(5),
``log-queries``, ``log-replies`` and ``log-local-actions``; dnsmasq(8), ``--log-queries``; Microsoft, "DNS logging and
diagnostics", debug log. Names are printed with escapes, so none holds a blank.
"""

from __future__ import annotations

import re

from collectors.logs.dialects.pattern import Dialect, Said, pattern
from collectors.logs.syslog import Message
from core.records import Fields, Logsource

_LEAD = (
    r"^(?:[\w-]{1,32}: )?(?:(?:info|notice|error|warning): )?"
    r"client (?:@0x[0-9a-f]+ )?([0-9A-Fa-f.:]+)(?:%\S+)?#(\d+)(?:/key \S+)?(?: \(\S+\))?: (?:view \S+: )?"
)
"""Category and severity, where BIND is set to print them, and who asked."""

_WHO = ("source.ip", "source.port")
_QUESTION = ("dns.question.name", "dns.question.type", "dns.question.class")

_BIND = (
    pattern(
        ": query: ",
        r"^(?:queries: )?(?:info: )?client (?:@0x[0-9a-f]+ )?([0-9A-Fa-f.:]+)(?:%\S+)?#(\d+) \(\S+\): "
        r"(?:view \S+: )?query: (\S+) (\S+) (\S+)",
        "source.ip",
        "source.port",
        "dns.question.name",
        "dns.question.class",
        "dns.question.type",
        event_action="dns_query",
    ),
    pattern(
        " denied",
        rf"{_LEAD}query(?: \(cache\))? '(\S+)/([^/\s]+)/([^/\s]+)' denied",
        *_WHO,
        *_QUESTION,
        event_action="dns_refused",
        event_outcome="failure",
    ),
    pattern(
        "zone transfer '",
        rf"{_LEAD}zone transfer '(\S+)/([^/\s]+)/([^/\s]+)' denied",
        *_WHO,
        *_QUESTION,
        event_action="dns_transfer",
        event_outcome="failure",
    ),
    pattern(
        "XFR started",
        rf"{_LEAD}transfer of '(\S+)/([^/\s]+)': ([AI]XFR) started",
        *_WHO,
        "dns.question.name",
        "dns.question.class",
        "dns.question.type",
        event_action="dns_transfer",
        event_outcome="success",
    ),
    pattern(
        "update '",
        rf"{_LEAD}update '(\S+)/([^/\s]+)' denied",
        *_WHO,
        "dns.question.name",
        "dns.question.class",
        event_action="dns_update",
        event_outcome="failure",
    ),
    pattern(
        "rpz ",
        rf"{_LEAD}(?:disabled )?rpz (\S+ \S+) rewrite (\S+)/([^/\s]+)/([^/\s]+) via (\S+)",
        *_WHO,
        "event.reason",
        *_QUESTION,
        "rule.name",
        event_action="dns_blocked",
        event_type="denied",
    ),
    pattern(
        "query failed (",
        rf"{_LEAD}query failed \(([A-Za-z ]+)\) for (\S+)/([^/\s]+)/([^/\s]+) at ",
        *_WHO,
        "dns.response_code",
        "dns.question.name",
        "dns.question.class",
        "dns.question.type",
        event_action="dns_failed",
        event_outcome="failure",
    ),
)

# A reply's line is that of its query with the code and three figures after it.
_UNBOUND_LINE = r"^(?:\[\d+:\w+\] )?info: ([0-9A-Fa-f.:]+)(?:@\d+)? (\S+?)\.? ([A-Z0-9]+) ([A-Z]+)"

_UNBOUND = (
    pattern(
        "info: ",
        r"^(?:\[\d+:\w+\] )?info: (\S+?)\.? ([a-z_]{4,32}) ([0-9A-Fa-f.:]+)@(\d+) (\S+?)\.? ([A-Z0-9]+) ([A-Z]+)$",
        "rule.name",
        "event.reason",
        *_WHO,
        *_QUESTION,
        event_action="dns_blocked",
        event_type="denied",
    ),
    pattern(
        "info: ",
        rf"{_UNBOUND_LINE} ([A-Z]+) [\d.]+ [01] \d+",
        "source.ip",
        "dns.question.name",
        "dns.question.type",
        "dns.question.class",
        "dns.response_code",
        event_action="dns_answer",
    ),
    pattern(
        "info: ",
        rf"{_UNBOUND_LINE}$",
        "source.ip",
        "dns.question.name",
        "dns.question.type",
        "dns.question.class",
        event_action="dns_query",
    ),
)

# With log-queries=extra, a serial number and the asker stand first.
_DNSMASQ_LEAD = r"^(?:\d+ [0-9A-Fa-f.:]+/\d+ )?"

_DNSMASQ = (
    pattern(
        "query[",
        rf"{_DNSMASQ_LEAD}query\[([A-Za-z0-9=-]+)\] (\S+) from ([0-9A-Fa-f.:]+)",
        "dns.question.type",
        "dns.question.name",
        "source.ip",
        event_action="dns_query",
    ),
    pattern(
        " is ",
        rf"{_DNSMASQ_LEAD}(?:reply|cached) (\S+) is (.+)$",
        "dns.question.name",
        "dns.answers.data",
        event_action="dns_answer",
    ),
    pattern(
        "config ",
        rf"{_DNSMASQ_LEAD}config (\S+) is (0\.0\.0\.0|::|NXDOMAIN|127\.0\.0\.1)$",
        "dns.question.name",
        "dns.answers.data",
        event_action="dns_blocked",
        event_type="denied",
    ),
)

_WINDOWS = re.compile(
    r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4} \d{1,2}:\d\d:\d\d (?:[AP]M )?[0-9A-F]{3,5} PACKET {1,2}[0-9A-F]{8,16} (UDP|TCP) "
    r"(Rcv|Snd) ([0-9A-Fa-f.:]+) +[0-9a-f]{4} ([R ]) ([QNU?]) \[[0-9A-Fa-f]{4} [ATDR ]{1,6} {0,4}(\w{1,16})\] "
    r"([A-Z0-9]{1,10}) +(\(\d{1,3}\)\S+)",
    re.ASCII,
)
_LABEL = re.compile(r"\(\d{1,3}\)")
_WINDOWS_SOURCE = Logsource(product="windows", category="dns", service="dns-server-debug")

_DIRECTIONS = {
    ("Rcv", " "): ("dns_query", "source.ip"),
    ("Snd", "R"): ("dns_answer", "source.ip"),
    ("Snd", " "): ("dns_forwarded", "destination.ip"),
    ("Rcv", "R"): ("dns_upstream_answer", "destination.ip"),
}
"""Whether it came or went, whether it is an answer: what it is, and what the other side's address is."""


def understand(message: Message) -> Said | None:
    """What a packet's line in the debug log of Windows' DNS server says; None of any other."""
    found = None if message.code or message.program in PROGRAMS else _WINDOWS.match(message.text)
    if found is None:
        return None
    transport, direction, peer, answer, _, code, kind, name = found.groups()
    action, side = _DIRECTIONS[direction, answer]
    fields: Fields = {
        "event.action": action,
        side: peer,
        "dns.question.name": _LABEL.sub(".", name).strip("."),
        "dns.question.type": kind,
        "network.iana_transport": transport.lower(),
    }
    return _WINDOWS_SOURCE, {**fields, **({"dns.response_code": code} if answer == "R" else {})}


PROGRAMS = {
    "named": Dialect(Logsource(category="dns", service="bind"), _BIND),
    "unbound": Dialect(Logsource(category="dns", service="unbound"), _UNBOUND),
    "dnsmasq": Dialect(Logsource(category="dns", service="dnsmasq"), _DNSMASQ),
}
