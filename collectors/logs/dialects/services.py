"""Programs behind the sector's services: mail, the PostgreSQL database and the ESXi hypervisor.

Sources: Dovecot and Postfix, their own messages; PostgreSQL, "Error Reporting and Logging", and pgAudit, "Format";
VMware ESXi, hostd.log and vobd.log.
"""

from __future__ import annotations

import re

from collectors.logs.dialects.completed import completed
from collectors.logs.dialects.pattern import Dialect, first, pattern
from core.records import Fields, Logsource

_IP = r"([0-9A-Fa-f.:]+)"

_DOVECOT = (
    pattern(
        "(auth failed, ",
        rf"^(imap|pop3|submission|managesieve)-login: (?>.*?\(auth failed, )\d+ attempts[^)]*\): user=<([^>]*)>,"
        rf"(?: method=[^,]+,)? rip={_IP}",
        "network.protocol",
        "user.name",
        "source.ip",
        event_action="mail_login",
        event_outcome="failure",
    ),
    pattern(
        "-login: Log",
        rf"^(imap|pop3|submission|managesieve)-login: (?:Login|Logged in): user=<([^>]*)>, method=[^,]+, rip={_IP}",
        "network.protocol",
        "user.name",
        "source.ip",
        event_action="mail_login",
        event_outcome="success",
    ),
)

# A name's length is bounded, since it is the asker's own.
_POSTFIX = (
    pattern(
        "authentication failed: ",
        rf"^warning: \S{{1,255}}\[{_IP}\]: SASL \S{{1,32}} authentication failed: "
        r"(?>[^,]*)(?:, sasl_username=(.*))?",
        "source.ip",
        "user.name",
        event_action="mail_login",
        event_outcome="failure",
        network_protocol="smtp",
    ),
    pattern(
        "sasl_username=",
        rf"^\w+: client=\S{{1,255}}\[{_IP}\], sasl_method=\S{{1,32}}, sasl_username=(.*)$",
        "source.ip",
        "user.name",
        event_action="mail_login",
        event_outcome="success",
        network_protocol="smtp",
    ),
)

_DATABASE = (
    pattern(
        "password authentication failed",
        r'^password authentication failed for user "(.*)"$',
        "user.name",
        event_action="database_login",
        event_outcome="failure",
    ),
    pattern(
        "no pg_hba.conf entry",
        r'^no pg_hba\.conf entry for host "([^"]+)", user "(.*)", database "',
        "source.ip",
        "user.name",
        event_action="database_login",
        event_outcome="failure",
    ),
    pattern(
        "AUDIT: ",
        r'(?s)^AUDIT: (?:SESSION|OBJECT),\d+,\d+,([A-Z]+),([A-Z ]+),([^,]*),("[^"]*"|[^,]*),(.*)$',
        "haidang.database.class",
        "haidang.database.command",
        "haidang.database.object_type",
        "haidang.database.object",
        "haidang.database.statement",
        event_action="database_statement",
    ),
)

_PREFIX = re.compile(r"(?<!\w)(user|db|client|host)=([^\s,]+)")
_PREFIX_NAMES = {"user": "user.name", "db": "haidang.database.name", "client": "source.ip", "host": "source.ip"}


def _postgresql(found: dict[str, str]) -> Fields:
    """What the server's ``log_line_prefix`` tells as name=value, and what the message itself says."""
    fields: Fields = {_PREFIX_NAMES[name]: value for name, value in _PREFIX.findall(found["prefix"][:1000])}
    return {"log.level": found["level"].lower(), **fields, **first(_DATABASE, found["said"])}


# Only the first severity of a line is the server's: a statement that is logged may hold another.
_POSTGRESQL = (
    completed(
        ":  ",
        r"(?s)^((?>.*?(?=\b(?:LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|STATEMENT):  )))(\w+):  (.*)$",
        _postgresql,
        "prefix",
        "level",
        "said",
    ),
)

_ESXI = (
    pattern(
        "Cannot login ",
        rf"(?s)^(?>.*?\bEvent \d+ : )Cannot login (.*)@{_IP}$",
        "user.name",
        "source.ip",
        event_action="hypervisor_login",
        event_outcome="failure",
    ),
    pattern(
        "logged in as ",
        rf"(?s)^(?>.*?\bEvent \d+ : )User ([^@]*)@{_IP} logged in as (.*)$",
        "user.name",
        "source.ip",
        "user_agent.original",
        event_action="hypervisor_login",
        event_outcome="success",
    ),
    pattern(
        ".enabled] ",
        r"^(?>.*?\[esx\.audit\.)(ssh|shell)\.enabled\] ",
        "service.name",
        event_action="hypervisor_shell_enabled",
    ),
)

_MAIL = Logsource(product="linux", service="mail")
_SMTPD = ("postfix/smtpd", "postfix/submission/smtpd", "postfix/smtps/smtpd", "postfix/submissions/smtpd")

PROGRAMS = {
    "dovecot": Dialect(_MAIL, _DOVECOT),
    **dict.fromkeys(_SMTPD, Dialect(_MAIL, _POSTFIX)),
    "postgres": Dialect(Logsource(product="postgresql", category="database"), _POSTGRESQL),
    **dict.fromkeys(("Hostd", "hostd", "vobd"), Dialect(Logsource(product="vmware", service="esxi"), _ESXI)),
}
