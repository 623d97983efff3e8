"""What Linux-PAM's modules write in the name of the program that uses them.

Source: Linux-PAM, pam_unix(8) and pam_faillock(8); SSSD, pam_sss(8). The parts in front of ``user=`` are the system's
own, so the last one of a line is the name that was given.
"""

from __future__ import annotations

from collectors.logs.dialects.pattern import pattern

_MODULE = r"^pam_\w{1,32}\([\w.+-]{1,64}:"

AUTHENTICATION_FAILED = pattern(
    "authentication failure; ",
    rf"(?s){_MODULE}auth\): authentication failure; (?>logname=\S* uid=\d* euid=\d* tty=(\S*) ruser=\S* rhost=)"
    r"(?:([0-9A-Fa-f]*[.:][0-9A-Fa-f.:]+)|\S*)(?:\s+user=(.*))?$",
    "haidang.terminal",
    "source.ip",
    "user.name",
    event_action="pam_authentication",
    event_outcome="failure",
)

LOCKED = pattern(
    "Consecutive login failures",
    rf"{_MODULE}\w+\): Consecutive login failures for user (.*) account temporarily locked",
    "user.name",
    event_action="account_locked",
)

SESSION_OPENED = pattern(
    "session opened for user ",
    rf"{_MODULE}session\): session opened for user ([^\s(]+)(?:\(uid=(\d+)\))?(?: by ([^\s(]+)?(?:\(uid=\d+\))?)?",
    "user.effective.name",
    "user.effective.id",
    "user.name",
    event_action="session_opened",
)

SESSION_CLOSED = pattern(
    "session closed for user ",
    rf"{_MODULE}session\): session closed for user (\S+)",
    "user.effective.name",
    event_action="session_closed",
)

PATTERNS = (AUTHENTICATION_FAILED, LOCKED, SESSION_OPENED, SESSION_CLOSED)
