"""What databases write as JSON, an object a message: their audit logs, and their own logs where they tell of logins.

An object is known by its keys. A message counts only where all of it is one object, so that no text within a line can
pass for one. Sources: MongoDB, "System Event Audit Messages" and "Log Messages"; MySQL Enterprise Audit, "Audit Log
File Formats"; Percona Server, "Audit Log Plugin"; Oracle, UNIFIED_AUDIT_TRAIL; PostgreSQL, "Using JSON-Format Log
Output"; SQL Server, sys.fn_get_audit_file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from collectors.logs.dialects.databases import POSTGRESQL
from collectors.logs.dialects.pattern import Said, first
from collectors.logs.syslog import Message
from core.records import Fields, Logsource

_COOKIE = re.compile(r"\s*(?:@cee: ?)?(?=\{)")

_MADE = {"createUser": "user_created", "dropUser": "user_deleted", "updateUser": "user_changed"}
_RIGHTS = ("grantRolesToUser", "revokeRolesFromUser", "createRole", "updateRole", "dropRole", "grantPrivilegesToRole")
_DROPPED = ("dropDatabase", "dropCollection", "dropIndex")
_LOGGED_IN = ("LOGON", "Connect", "connect", "LGIS", "LGIF", "authenticate", "DBAS", "DBAF")
_LOGGED_OUT = ("LOGOFF", "LOGOFF BY CLEANUP", "Quit", "disconnect", "LGO", "logout")

ACTIONS = {
    **_MADE,
    **dict.fromkeys(_RIGHTS, "privilege_changed"),
    **dict.fromkeys(_DROPPED, "database_object_dropped"),
    **dict.fromkeys(_LOGGED_IN, "database_login"),
    **dict.fromkeys(_LOGGED_OUT, "database_logout"),
    "CREATE USER": "user_created",
    "DROP USER": "user_deleted",
    "ALTER USER": "user_changed",
    "GRANT": "privilege_changed",
    "REVOKE": "privilege_changed",
    "DROP TABLE": "database_object_dropped",
    "shutdown": "service_stopped",
    "applicationMessage": "database_message",
}
"""What databases call an action, in the words that all of them share; any other that has a statement is one."""

_MONGO_LOGINS = {
    "5286306": "success",
    "20250": "success",
    "5286307": "failure",
    "20249": "failure",
}
"""Ids of MongoDB's own log: who was authenticated, who was not."""

_MOST = 4096
"""Characters in which an address is looked for."""

_WORKING = frozenset(("named", "peer", "result"))
"""Values that stand in a kind's names only for what follows from them."""

_HOST = re.compile(r"\(HOST=([0-9A-Fa-f.:]{2,64})\)")
_ACCOUNT = re.compile(r"([^\[\s]*)\[[^\]]*\] @ ")


@dataclass(frozen=True, slots=True)
class Audit:
    """One kind of object.

    Attributes:
        keys: names of the object by which it is known; all are there.
        logsource: what it belongs to.
        names: ECS names and, by dots, the places of their values; the first that is there counts.
        complete: what follows from the values.
    """

    keys: frozenset[str]
    logsource: Logsource
    names: Mapping[str, tuple[str, ...]]
    complete: Callable[[Fields], Fields]


def _outcome(fields: Fields, good: str, bad: str = "") -> Fields:
    result = fields.get("result")
    if result is None or (bad and result not in (bad, good)):
        return {}
    return {"event.outcome": "success" if result == good else "failure"}


def _action(fields: Fields) -> Fields:
    said = ACTIONS.get(str(fields.get("event.code", "")))
    if said is None and "haidang.database.statement" in fields:
        said = "database_statement"
    return {"event.action": said} if said else {}


def _mongodb(fields: Fields) -> Fields:
    named = fields.get("named")
    target = {"user.target.name": named} if named is not None else {}
    if fields.get("event.code") == "authenticate" and "user.name" not in fields:
        target = {"user.name": named} if named is not None else {}
    return {**fields, **target, **_action(fields), **_outcome(fields, "0")}


def _mongod(fields: Fields) -> Fields:
    address, _, port = str(fields.get("peer", "")).rpartition(":")
    login = {"event.action": "database_login", "event.outcome": _MONGO_LOGINS.get(str(fields.get("event.code")))}
    peer = {"source.ip": address.strip("[]"), "source.port": port}
    more = {**(peer if address else {}), **(login if login["event.outcome"] else {})}
    return {**fields, **more}


def _mysql(fields: Fields) -> Fields:
    account = _ACCOUNT.match(str(fields.get("user.name", "")))
    named = {"user.name": account[1]} if account else {}
    return {**fields, **named, **_action(fields), **_outcome(fields, "0")}


def _oracle(fields: Fields) -> Fields:
    found = _HOST.search(str(fields.get("peer", ""))[:_MOST])
    return {**fields, **({"source.ip": found[1]} if found else {}), **_action(fields), **_outcome(fields, "0")}


def _postgresql(fields: Fields) -> Fields:
    level = str(fields.get("log.level", "")).lower()
    return {**fields, "log.level": level, **first(POSTGRESQL, str(fields.get("event.message", "")))}


def _mssql(fields: Fields) -> Fields:
    outcome = _outcome(fields, "true") if fields.get("result") in ("true", "false") else _outcome(fields, "1", "0")
    return {**fields, **_action(fields), **outcome}


def _audit(product: str, service: str = "audit") -> Logsource:
    return Logsource(product=product, category="database", service=service)


KINDS = (
    Audit(
        frozenset(("atype", "result")),
        _audit("mongodb"),
        {
            "event.code": ("atype",),
            "source.ip": ("remote.ip",),
            "source.port": ("remote.port",),
            "destination.ip": ("local.ip",),
            "user.name": ("users.0.user",),
            "named": ("param.user", "param.role"),
            "haidang.database.name": ("param.db", "users.0.db"),
            "haidang.database.object": ("param.ns",),
            "haidang.database.command": ("param.command",),
            "result": ("result",),
        },
        _mongodb,
    ),
    Audit(
        frozenset(("t", "s", "c", "id", "msg")),
        _audit("mongodb", "mongod"),
        {
            "event.code": ("id",),
            "log.level": ("s",),
            "event.message": ("msg",),
            "mongodb.component": ("c",),
            "user.name": ("attr.user", "attr.principalName"),
            "haidang.database.name": ("attr.db", "attr.authenticationDatabase"),
            "peer": ("attr.client", "attr.remote"),
        },
        _mongod,
    ),
    Audit(
        frozenset(("class", "event", "connection_id")),
        _audit("mysql"),
        {
            "event.code": ("event",),
            "haidang.database.class": ("class",),
            "user.name": ("login.user", "account.user"),
            "source.ip": ("login.ip",),
            "haidang.database.name": ("connection_data.db", "table_access_data.db"),
            "haidang.database.object": ("table_access_data.table",),
            "haidang.database.command": ("general_data.sql_command", "table_access_data.sql_command"),
            "haidang.database.statement": ("general_data.query", "table_access_data.query"),
            "result": ("connection_data.status", "general_data.status"),
        },
        _mysql,
    ),
    Audit(
        frozenset(("audit_record",)),
        _audit("mysql"),
        {
            "event.code": ("audit_record.name",),
            "user.name": ("audit_record.user",),
            "source.ip": ("audit_record.ip",),
            "haidang.database.name": ("audit_record.db",),
            "haidang.database.command": ("audit_record.command_class",),
            "haidang.database.statement": ("audit_record.sqltext",),
            "result": ("audit_record.status",),
        },
        _mysql,
    ),
    Audit(
        frozenset(("DBUSERNAME", "ACTION_NAME", "RETURN_CODE")),
        _audit("oracle"),
        {
            "event.code": ("ACTION_NAME",),
            "event.reason": ("UNIFIED_AUDIT_POLICIES",),
            "user.name": ("DBUSERNAME",),
            "source.domain": ("USERHOST",),
            "process.name": ("CLIENT_PROGRAM_NAME",),
            "haidang.database.class": ("AUDIT_TYPE",),
            "haidang.database.schema": ("OBJECT_SCHEMA",),
            "haidang.database.object": ("OBJECT_NAME",),
            "haidang.database.statement": ("SQL_TEXT",),
            "peer": ("AUTHENTICATION_TYPE",),
            "result": ("RETURN_CODE",),
        },
        _oracle,
    ),
    Audit(
        frozenset(("error_severity", "backend_type", "message")),
        Logsource(product="postgresql", category="database"),
        {
            "log.level": ("error_severity",),
            "event.code": ("state_code",),
            "user.name": ("user",),
            "source.ip": ("remote_host",),
            "source.port": ("remote_port",),
            "haidang.database.name": ("dbname",),
            "process.name": ("application_name",),
            "event.message": ("message",),
        },
        _postgresql,
    ),
    Audit(
        frozenset(("action_id", "server_principal_name", "succeeded")),
        _audit("mssql"),
        {
            "event.code": ("action_id",),
            "user.name": ("server_principal_name",),
            "user.target.name": ("target_server_principal_name",),
            "source.ip": ("client_ip",),
            "process.name": ("application_name",),
            "service.name": ("server_instance_name",),
            "haidang.database.class": ("class_type",),
            "haidang.database.name": ("database_name",),
            "haidang.database.schema": ("schema_name",),
            "haidang.database.object": ("object_name",),
            "haidang.database.statement": ("statement",),
            "result": ("succeeded",),
        },
        _mssql,
    ),
)
"""Every kind, in the order in which they are tried."""

PROGRAMS = frozenset(
    ("mongod", "mongos", "mysqld", "mariadbd", "oracle", "postgres", "postgresql", "mssql", "sqlservr")
)
"""Whose messages are looked at, besides those without a program's name and those of programs that nobody knows."""


def understand(message: Message) -> Said | None:
    """What a message that is one JSON object of a known kind says; None of any other."""
    return said_by(_document(message))


def said_by(document: Mapping[str, Any]) -> Said | None:
    """What an object of a known kind says, as ECS fields; None of any other."""
    kind = next((one for one in KINDS if document.keys() >= one.keys), None)
    if kind is None:
        return None
    found = {name: _first(document, places) for name, places in kind.names.items()}
    fields = kind.complete({name: value for name, value in found.items() if value})
    return kind.logsource, {name: value for name, value in fields.items() if name not in _WORKING}


def _document(message: Message) -> dict[str, Any]:
    """The object that the message is; empty where it is none."""
    whole = f"{message.program}:{message.text}" if message.program.startswith("{") else message.text
    lead = _COOKIE.match(whole)
    if lead is None:
        return {}
    try:
        return msgspec.json.decode(whole[lead.end() :], type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        return {}


def _first(document: Mapping[str, Any], places: tuple[str, ...]) -> str:
    """The text of the first of these places that holds a single value; empty if none does."""
    return next(filter(None, (_text(_at(document, place)) for place in places)), "")


def _at(document: Any, place: str) -> Any:
    for step in place.split("."):
        if isinstance(document, list):
            document = document[int(step)] if step.isdigit() and int(step) < len(document) else None
        else:
            document = document.get(step) if isinstance(document, dict) else None
    return document


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() if isinstance(value, str | int | float) else ""
