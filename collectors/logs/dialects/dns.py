"""Query logs of name servers: BIND, Unbound and dnsmasq.

Sources: BIND 9 Administrator Reference, "Query Log Format"; unbound.conf(5), ``log-queries`` and ``log-replies``;
dnsmasq(8), ``--log-queries``. Names are printed with escapes, so none holds a blank.
"""

from __future__ import annotations

from collectors.logs.dialects.pattern import Dialect, pattern
from core.records import Logsource

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
)

# A reply's line is that of its query with the code and three figures after it.
_UNBOUND_LINE = r"^(?:\[\d+:\w+\] )?info: ([0-9A-Fa-f.:]+)(?:@\d+)? (\S+?)\.? ([A-Z0-9]+) ([A-Z]+)"

_UNBOUND = (
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
)

PROGRAMS = {
    "named": Dialect(Logsource(category="dns", service="bind"), _BIND),
    "unbound": Dialect(Logsource(category="dns", service="unbound"), _UNBOUND),
    "dnsmasq": Dialect(Logsource(category="dns", service="dnsmasq"), _DNSMASQ),
}
