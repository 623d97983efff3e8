"""Programs of Linux servers, by the name in their messages.

Sources: the programs' own messages (OpenSSH sshd, sudo, util-linux, shadow-utils, Linux-PAM, cron, systemd).
"""

from __future__ import annotations

from collectors.logs.dialects import auditd, dns, proxy, services, web
from collectors.logs.dialects.pattern import Dialect, pattern
from core.records import Logsource

# The last one in the line is sshd's own: a user's name can hold " from 192.0.2.1 port 22" as well.
_FROM = r" from (\S+) port (\d+)"

_SSHD = (
    pattern(
        "Failed ",
        rf"^Failed (\S+) for (?:invalid user )?(.*){_FROM}",
        "haidang.ssh.method",
        "user.name",
        "source.ip",
        "source.port",
        event_action="ssh_login",
        event_outcome="failure",
    ),
    pattern(
        "Accepted ",
        rf"^Accepted (\S+) for (.*){_FROM}",
        "haidang.ssh.method",
        "user.name",
        "source.ip",
        "source.port",
        event_action="ssh_login",
        event_outcome="success",
    ),
)

_USERADD = (
    pattern(
        "new user:",
        r"^new user: name=([^,]+), UID=(\d+)",
        "user.target.name",
        "user.target.id",
        event_action="user_created",
        event_outcome="success",
    ),
)

_GROUP_ADDED = {"event_action": "group_member_added", "event_outcome": "success"}

_ACCOUNTS = (
    pattern(
        "to group",
        r"^add '([^']+)' to group '([^']+)'",
        "user.target.name",
        "group.name",
        **_GROUP_ADDED,
    ),
    pattern(
        " added by ",
        r"^user (\S+) added by (\S+) to group (\S+)$",
        "user.target.name",
        "user.name",
        "group.name",
        **_GROUP_ADDED,
    ),
    pattern(
        " UID from ",
        r"^change user '([^']+)' UID from '\d+' to '(\d+)'",
        "user.target.name",
        "user.target.id",
        event_action="user_id_changed",
        event_outcome="success",
    ),
    pattern(
        "delete user",
        r"^delete user '([^']+)'",
        "user.target.name",
        event_action="user_deleted",
        event_outcome="success",
    ),
)

_PASSWORD = (
    pattern(
        "password changed",
        r"^pam_unix\(\S+:chauthtok\): password changed for (\S+)$",
        "user.target.name",
        event_action="password_changed",
        event_outcome="success",
    ),
)

_SU = (
    pattern(
        "SU (to ",
        r"^FAILED SU \(to (\S+)\) (\S+) on (\S+)$",
        "user.effective.name",
        "user.name",
        "haidang.terminal",
        event_action="su",
        event_outcome="failure",
    ),
    pattern(
        "(to ",
        r"^\(to (\S+)\) (\S+) on (\S+)$",
        "user.effective.name",
        "user.name",
        "haidang.terminal",
        event_action="su",
        event_outcome="success",
    ),
)

# A crontab that was replaced is told by crontab itself; one of the system's, by cron when it reads it anew.
_CRON = (
    pattern(
        ") CMD (",
        r"^\(([^)]+)\) CMD \((.*)\)$",
        "user.name",
        "process.command_line",
        event_action="cron_job_run",
    ),
    pattern(
        ") RE",
        r"^\(([^)]+)\) (?:REPLACE|RELOAD) \(([^)]+)\)$",
        "user.name",
        "haidang.cron.table",
        event_action="cron_changed",
    ),
)

_SERVICE = r"(\S+\.(?:service|socket|timer|mount))"

_SYSTEMD = (
    pattern("Started ", rf"^Started {_SERVICE}(?: - |\.?$)", "service.name", event_action="service_started"),
    pattern("Stopped ", rf"^Stopped {_SERVICE}(?: - |\.?$)", "service.name", event_action="service_stopped"),
    pattern("Stopped ", r"^Stopped (.+?)\.?$", "service.name", event_action="service_stopped"),
    pattern(
        ": Failed with result",
        rf"^{_SERVICE}: Failed with result '([^']+)'",
        "service.name",
        "event.reason",
        event_action="service_failed",
        event_outcome="failure",
    ),
)

# A command that was refused says why before its first NAME=VALUE: it was not executed.
# Each step takes its first match and never another, so that a hostile line costs no more than its length.
_SUDO_HEAD = r"(?s)^\s*(\S+) : (?=[A-Z]+=)(?>.*?\bUSER=(\S+) ;)(?>.*?\bCOMMAND=)"

_SUDO_REFUSALS = (
    r"user NOT in sudoers|user NOT authorized on host|command not allowed|a password is required"
    r"|\d+ incorrect password attempts?"
)

_CLEARING = (
    r"(?:.*?--vacuum-(?:time|size|files)"
    r"|(?>.*?(?:(?<![\w-])(?:truncate|rm|shred|cp /dev/null|tee)\s|/dev/null)).*/var/log/)"
)

_SUDO = (
    pattern(
        "COMMAND=",
        rf"{_SUDO_HEAD}(?={_CLEARING})(.*)$",
        "user.name",
        "user.effective.name",
        "process.command_line",
        event_action="log_cleared",
    ),
    pattern(
        "COMMAND=",
        rf"{_SUDO_HEAD}(.*)$",
        "user.name",
        "user.effective.name",
        "process.command_line",
        event_action="command_executed",
    ),
    pattern(
        "COMMAND=",
        rf"(?s)^\s*(\S+) : ({_SUDO_REFUSALS}) ; (?>.*?\bUSER=(\S+) ;)(?>.*?\bCOMMAND=)(.*)$",
        "user.name",
        "event.reason",
        "user.effective.name",
        "process.command_line",
        event_action="command_refused",
        event_outcome="failure",
    ),
)

_SSHD_DIALECT = Dialect(Logsource(product="linux", service="sshd"), _SSHD)
_ACCOUNTS_DIALECT = Dialect(Logsource(product="linux", service="auth"), _ACCOUNTS)
_PASSWORD_DIALECT = Dialect(Logsource(product="linux", service="auth"), _PASSWORD)
_CRON_DIALECT = Dialect(Logsource(product="linux", service="cron"), _CRON)

PROGRAMS = {
    "sshd": _SSHD_DIALECT,
    "sshd-session": _SSHD_DIALECT,
    "useradd": Dialect(Logsource(product="linux", service="auth"), (*_USERADD, *_ACCOUNTS)),
    **dict.fromkeys(("usermod", "userdel", "gpasswd"), _ACCOUNTS_DIALECT),
    **dict.fromkeys(("passwd", "chpasswd"), _PASSWORD_DIALECT),
    "su": Dialect(Logsource(product="linux", service="auth"), _SU),
    "sudo": Dialect(Logsource(product="linux", service="sudo"), _SUDO),
    **dict.fromkeys(("cron", "crond", "CRON", "CROND", "crontab"), _CRON_DIALECT),
    "systemd": Dialect(Logsource(product="linux", service="syslog"), _SYSTEMD),
    **auditd.PROGRAMS,
    **dns.PROGRAMS,
    **proxy.PROGRAMS,
    **services.PROGRAMS,
    **web.PROGRAMS,
}
"""Every program of a server that is known, by the name in its messages."""
