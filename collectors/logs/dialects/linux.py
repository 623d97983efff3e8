"""Programs of Linux servers, by the name in their messages.

Sources: the programs' own messages (OpenSSH sshd, sudo, cron, systemd); what other programs say has modules of its
own.
"""

from __future__ import annotations

from collectors.logs.dialects import accounts, auditd, databases, dhcp, dns, kernel, mail, proxy, vmware, web
from collectors.logs.dialects.pam import PATTERNS as PAM
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
    pattern(
        "Invalid user ",
        rf"^Invalid user (.*){_FROM}$",
        "user.name",
        "source.ip",
        "source.port",
        event_action="ssh_invalid_user",
    ),
    pattern(
        "maximum authentication attempts",
        rf"^error: maximum authentication attempts exceeded for (?:invalid user )?(.*){_FROM} ssh2",
        "user.name",
        "source.ip",
        "source.port",
        event_action="ssh_attempts_exceeded",
    ),
    pattern(
        " not allowed because ",
        r"^User (.*) from (\S+) not allowed because (.*)$",
        "user.name",
        "source.ip",
        "event.reason",
        event_action="ssh_user_refused",
        event_outcome="failure",
    ),
    pattern(
        " identification ",
        rf"^(?:error: )?(?:Did not receive identification string|Bad protocol version identification '.*'){_FROM}$",
        "source.ip",
        "source.port",
        event_action="ssh_probe",
    ),
    pattern(
        "authenticating user ",
        r"^(?:Connection (?:closed|reset) by|Disconnected from) authenticating user (.*) (\S+) port (\d+) \[preauth\]$",
        "user.name",
        "source.ip",
        "source.port",
        event_action="ssh_gave_up",
    ),
    pattern(
        "Server listening on ",
        r"^Server listening on (\S+) port (\d+)",
        "server.ip",
        "server.port",
        event_action="service_started",
    ),
    *PAM,
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
    pattern(
        ") DELETE (",
        r"^\(([^)]+)\) DELETE \(([^)]+)\)$",
        "user.name",
        "haidang.cron.table",
        event_action="cron_deleted",
    ),
    pattern(
        ") AUTH (",
        r"^\(([^)]+)\) AUTH \((crontab command not allowed)\)$",
        "user.name",
        "event.reason",
        event_action="cron_refused",
        event_outcome="failure",
    ),
    *PAM,
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
    pattern(
        "Failed to start ",
        rf"^Failed to start {_SERVICE}(?: - |\.?$)",
        "service.name",
        event_action="service_start_failed",
        event_outcome="failure",
    ),
    pattern(
        "Main process exited",
        rf"^{_SERVICE}: Main process exited, code=(\w+), status=(\S+)",
        "service.name",
        "event.reason",
        "process.exit_code",
        event_action="service_exited",
    ),
    pattern(
        "restart counter is at",
        rf"^{_SERVICE}: Scheduled restart job, restart counter is at (\d+)",
        "service.name",
        "haidang.restarts",
        event_action="service_restarting",
    ),
    pattern("Reloaded ", rf"^Reloaded {_SERVICE}(?: - |\.?$)", "service.name", event_action="service_reloaded"),
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
_CRON_DIALECT = Dialect(Logsource(product="linux", service="cron"), _CRON)

PROGRAMS = {
    **dict.fromkeys(("sshd", "sshd-session", "sshd-auth"), _SSHD_DIALECT),
    "sudo": Dialect(Logsource(product="linux", service="sudo"), (*_SUDO, *PAM)),
    **dict.fromkeys(("cron", "crond", "CRON", "CROND", "crontab"), _CRON_DIALECT),
    "systemd": Dialect(Logsource(product="linux", service="syslog"), _SYSTEMD),
    **accounts.PROGRAMS,
    **auditd.PROGRAMS,
    **databases.PROGRAMS,
    **dhcp.PROGRAMS,
    **dns.PROGRAMS,
    **kernel.PROGRAMS,
    **mail.PROGRAMS,
    **proxy.PROGRAMS,
    **vmware.PROGRAMS,
    **web.PROGRAMS,
}
"""Every program of a server that is known, by the name in its messages."""
