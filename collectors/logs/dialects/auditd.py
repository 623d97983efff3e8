"""Records of the Linux audit system, one a line, as audisp's syslog plugin sends them.

A record is a list of ``name=value``. What a process may choose (its arguments, file names) stands in double quotes or,
where it holds a blank, a quote or a control character, as upper-case hexadecimal digits without quotes; so no text of
an attacker can pass for a pair. Source: audit-documentation, "Events Record Format" and "Audit Event Fields".
"""

from __future__ import annotations

import re
import unicodedata
from itertools import islice

from collectors.logs.dialects.completed import completed
from collectors.logs.dialects.pattern import Dialect
from core.records import Fields, Logsource

_MOST_PAIRS = 512
"""The kernel splits a record at 8,970 bytes; the most of one seen in practice are some hundred arguments."""

_PAIR = re.compile(r'(?<!\S)([\w-]++)(?:\[\d++\])?=(?:"([^"]*+)"|(\S*))')
_MESSAGE = re.compile(r"(?<!\S)msg='(.*)'", re.DOTALL)
_HEX = re.compile(r"(?:[0-9A-F]{2})+")
_ARGUMENT = re.compile(r"a\d{1,4}")

_ENCODED = frozenset(("acct", "cmd", "comm", "cwd", "data", "exe", "key", "name", "proctitle"))
"""Fields that are written encoded; so are an EXECVE record's arguments, which elsewhere are numbers."""

ECS = {
    "exe": "process.executable",
    "comm": "process.name",
    "pid": "process.pid",
    "ppid": "process.parent.pid",
    "cwd": "process.working_directory",
    "cmd": "process.command_line",
    "proctitle": "process.command_line",
    "name": "file.path",
    "acct": "user.name",
    "UID": "user.name",
    "uid": "user.id",
    "EUID": "user.effective.name",
    "euid": "user.effective.id",
    "AUID": "user.audit.name",
    "auid": "user.audit.id",
    "addr": "source.ip",
    "unit": "service.name",
}
"""Their names in ECS; of two that mean one, the first in this table goes first."""

KEPT = frozenset(
    (
        "key",
        "syscall",
        "SYSCALL",
        "arch",
        "exit",
        "items",
        "item",
        "nametype",
        "op",
        "grp",
        "audit_enabled",
        "old_enforcing",
        "enforcing",
        "apparmor",
        "operation",
        "profile",
        "terminal",
        "tty",
        "ses",
        "saddr",
    )
)
"""What keeps auditd's own name, as Sigma's rules write it; besides ``type`` and the arguments a0, a1, ..."""

_OUTCOMES = {
    "yes": "success",
    "success": "success",
    "1": "success",
    "no": "failure",
    "failed": "failure",
    "0": "failure",
}
_NOTHING = frozenset(("", "?", "(null)", "(none)"))


def _record(found: dict[str, str]) -> Fields:
    kind, body = found["type"], found.pop("body")
    pairs = _pairs(body, arguments=kind == "EXECVE")
    fields: Fields = {**found}
    for name, ecs in ECS.items():
        if name in pairs:
            fields.setdefault(ecs, pairs[name])
    fields |= {name: value for name, value in pairs.items() if name in KEPT or _ARGUMENT.fullmatch(name)}
    outcome = _OUTCOMES.get(pairs.get("res") or pairs.get("success") or "")
    if outcome:
        fields["event.outcome"] = outcome
    if kind == "EXECVE":
        fields["process.command_line"] = " ".join(_arguments(pairs))
    return fields


def _pairs(body: str, *, arguments: bool) -> dict[str, str]:
    """The pairs by name, decoded; the first of a name counts, but parts of one long argument are joined."""
    pairs: dict[str, str] = {}
    for found in islice(_PAIR.finditer(_flat(body)), _MOST_PAIRS):
        name, quoted, bare = found.groups()
        encoded = name in _ENCODED or (arguments and _ARGUMENT.fullmatch(name) is not None)
        value = quoted if quoted is not None else _decoded(bare) if encoded else bare
        if name not in pairs:
            pairs[name] = value
        elif found[0].startswith(f"{name}["):
            pairs[name] += value
    return {name: value for name, value in pairs.items() if value not in _NOTHING}


def _flat(body: str) -> str:
    """Records of programs put their own pairs between the quotes of ``msg='...'``; here these follow the others."""
    return _MESSAGE.sub(lambda found: found[1], body, count=1)


def _decoded(value: str) -> str:
    if not _HEX.fullmatch(value):
        return value
    text = bytes.fromhex(value).decode("utf-8", "replace").rstrip("\0")
    return unicodedata.normalize("NFC", text.translate({0: " ", 1: ","}))  # NUL parts arguments, 1 parts keys


def _arguments(pairs: dict[str, str]) -> list[str]:
    return [pairs[name] for name in sorted(filter(_ARGUMENT.fullmatch, pairs), key=lambda name: int(name[1:]))]


RECORD = completed(
    "msg=audit(",
    r"(?s)^(?:node=(\S+) )?type=([\w\[\]]+) msg=audit\([\d.]+:(\d+)\): ?(.*)$",
    _record,
    "host.name",
    "type",
    "auditd.log.sequence",
    "body",
)

_AUDITD = Dialect(Logsource(product="linux", service="auditd"), (RECORD,))

PROGRAMS = dict.fromkeys(("audispd", "audisp-syslog", "auditd", "audit"), _AUDITD)
