"""Databases that log in lines: PostgreSQL with pgAudit, and the audit plugin of MariaDB.

What databases tell as JSON is read by `collectors.logs.dialects.audits`. Sources: PostgreSQL, "Error Reporting and
Logging"; pgAudit, "Format"; MariaDB Knowledge Base, "MariaDB Audit Plugin - Log Format".
"""

from __future__ import annotations

import re

from collectors.logs.dialects.completed import completed
from collectors.logs.dialects.pattern import Dialect, first, pattern
from core.records import Fields, Logsource

POSTGRESQL = (
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
        "does not exist",
        r'^role "(.*)" does not exist$',
        "user.name",
        event_action="database_login",
        event_outcome="failure",
    ),
    pattern(
        "connection authorized: ",
        r"^connection authorized: user=(.*) database=(\S+)",
        "user.name",
        "haidang.database.name",
        event_action="database_login",
        event_outcome="success",
    ),
    pattern(
        "connection received: ",
        r"^connection received: host=([0-9A-Fa-f.:]+) port=(\d+)",
        "source.ip",
        "source.port",
        event_action="database_connection",
    ),
    pattern(
        "permission denied for ",
        r"^permission denied for (\w+) (.*)$",
        "haidang.database.object_type",
        "haidang.database.object",
        event_action="database_access_refused",
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
    return {"log.level": found["level"].lower(), **fields, **first(POSTGRESQL, found["said"])}


# Only the first severity of a line is the server's: a statement that is logged may hold another.
_SERVER_LINE = (
    completed(
        ":  ",
        r"(?s)^((?>.*?(?=\b(?:LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|STATEMENT):  )))(\w+):  (.*)$",
        _postgresql,
        "prefix",
        "level",
        "said",
    ),
)

_MARIADB_LEAD = r"(?s)^\s*(?:\d{8} \d\d:\d\d:\d\d,)?[\w.-]{1,255},"
_MARIADB_WHO = r"([^,]*+),(?:(\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)|[^,]*+),\d++,\d++,"

_MARIADB_OUTCOMES = {"CONNECT": "success", "FAILED_CONNECT": "failure"}


def _connection(found: dict[str, str]) -> Fields:
    done = found.pop("done")
    action = "database_logout" if done == "DISCONNECT" else "database_login"
    outcome = {"event.outcome": _MARIADB_OUTCOMES[done]} if done in _MARIADB_OUTCOMES else {}
    return {**{name: value for name, value in found.items() if value}, "event.action": action, **outcome}


# A name may hold commas, and who fails to log in chooses it: only a line of exactly nine values tells who it was.
_MARIADB = (
    completed(
        "CONNECT,",
        rf"{_MARIADB_LEAD}{_MARIADB_WHO}(CONNECT|DISCONNECT|FAILED_CONNECT),([^,]*+),[^,]*+,(\d+)$",
        _connection,
        "user.name",
        "source.ip",
        "done",
        "haidang.database.name",
        "event.code",
    ),
    pattern(
        "FAILED_CONNECT,",
        rf"{_MARIADB_LEAD}.*,([1-9]\d*)$",
        "event.code",
        event_action="database_login",
        event_outcome="failure",
    ),
    pattern(
        ",",
        rf"{_MARIADB_LEAD}{_MARIADB_WHO}"
        r"(QUERY(?:_DDL|_DML|_DML_NO_SELECT|_DCL)?|READ|WRITE|CREATE|ALTER|DROP|RENAME),([^,]*+),(.*),(\d+)$",
        "user.name",
        "source.ip",
        "haidang.database.class",
        "haidang.database.name",
        "haidang.database.statement",
        "event.code",
        event_action="database_statement",
    ),
)

_MARIADB_DIALECT = Dialect(Logsource(product="mysql", category="database", service="audit"), _MARIADB)

PROGRAMS = {
    **dict.fromkeys(
        ("postgres", "postgresql"), Dialect(Logsource(product="postgresql", category="database"), _SERVER_LINE)
    ),
    **dict.fromkeys(("mysql-server_auditing", "mariadb-audit"), _MARIADB_DIALECT),
}
