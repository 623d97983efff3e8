"""Users, groups, passwords and sessions of a Linux server.

Sources: the messages of shadow-utils (useradd, usermod, userdel, groupadd, gpasswd, chage, passwd), util-linux (login,
su) and systemd-logind.
"""

from __future__ import annotations

from collectors.logs.dialects.pam import PATTERNS as PAM
from collectors.logs.dialects.pattern import Dialect, pattern
from core.records import Logsource

_AUTH = Logsource(product="linux", service="auth")

_USERADD = (
    pattern(
        "new user:",
        r"^new user: name=([^,]+), UID=(\d+)",
        "user.target.name",
        "user.target.id",
        event_action="user_created",
        event_outcome="success",
    ),
    pattern(
        "failed adding user",
        r"^failed adding user '([^']*)'",
        "user.target.name",
        event_action="user_creation_failed",
        event_outcome="failure",
    ),
)

_GROUP_ADDED = {"event_action": "group_member_added", "event_outcome": "success"}

_GROUPS = (
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
        " removed by ",
        r"^user (\S+) removed by (\S+) from group (\S+)$",
        "user.target.name",
        "user.name",
        "group.name",
        event_action="group_member_removed",
        event_outcome="success",
    ),
    pattern(
        "from group",
        r"^delete '([^']+)' from group '([^']+)'",
        "user.target.name",
        "group.name",
        event_action="group_member_removed",
        event_outcome="success",
    ),
    pattern(
        "new group:",
        r"^new group: name=([^,]+), GID=(\d+)",
        "group.name",
        "group.id",
        event_action="group_created",
        event_outcome="success",
    ),
    pattern(
        "removed",
        r"^(?:removed group '|group ')([^']+)'(?: owned by| removed$)",
        "group.name",
        event_action="group_deleted",
        event_outcome="success",
    ),
)

_USERMOD = (
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
    pattern(
        "' password",
        r"^(?:change|set) user '([^']+)' password",
        "user.target.name",
        event_action="password_changed",
        event_outcome="success",
    ),
    pattern(
        "lock user",
        r"^lock user '([^']+)' password",
        "user.target.name",
        event_action="account_locked",
    ),
    pattern(
        "unlock user",
        r"^unlock user '([^']+)' password",
        "user.target.name",
        event_action="account_unlocked",
    ),
    pattern(
        "change user",
        r"^change user '([^']+)' (?:name|shell|home|GID|GECOS|expiration|inactive) ?(?>.*? to ')([^']*)'",
        "user.target.name",
        "haidang.account.value",
        event_action="user_changed",
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
    pattern(
        "password for '",
        r"^password for '([^']+)' changed by '([^']+)'$",
        "user.target.name",
        "user.name",
        event_action="password_changed",
        event_outcome="success",
    ),
    pattern(
        "password expiry",
        r"^changed password expiry for (\S+)$",
        "user.target.name",
        event_action="user_changed",
        event_outcome="success",
    ),
)

_SU_FAILED = {"event_action": "su", "event_outcome": "failure"}
_SU_DONE = {"event_action": "su", "event_outcome": "success"}
_SU_NAMES = ("user.effective.name", "user.name", "haidang.terminal")

# util-linux's words, then those of shadow-utils and of busybox.
_SU = (
    pattern("SU (to ", r"^FAILED SU \(to (\S+)\) (\S+) on (\S+)$", *_SU_NAMES, **_SU_FAILED),
    pattern("(to ", r"^\(to (\S+)\) (\S+) on (\S+)$", *_SU_NAMES, **_SU_DONE),
    pattern(" su for ", r"^FAILED su for (\S+) by (\S+)$", *_SU_NAMES[:2], **_SU_FAILED),
    pattern(" su for ", r"^Successful su for (\S+) by (\S+)$", *_SU_NAMES[:2], **_SU_DONE),
)

_LOGGED_IN = {"event_action": "console_login", "event_outcome": "success"}

_LOGIN = (
    pattern(
        "FAILED LOGIN",
        r"^FAILED LOGIN \(\d+\) on '(?:/dev/)?([^']+)'(?: from '([0-9A-Fa-f.:]+)')? FOR '(.*)', ",
        "haidang.terminal",
        "source.ip",
        "user.name",
        event_action="console_login",
        event_outcome="failure",
    ),
    pattern(
        "ROOT LOGIN ON ",
        r"^ROOT LOGIN ON (\S+)(?: FROM ([0-9A-Fa-f.:]+))?$",
        "haidang.terminal",
        "source.ip",
        user_name="root",
        **_LOGGED_IN,
    ),
    pattern(
        "LOGIN ON ",
        r"^LOGIN ON (\S+) BY (\S+)(?: FROM ([0-9A-Fa-f.:]+))?$",
        "haidang.terminal",
        "user.name",
        "source.ip",
        **_LOGGED_IN,
    ),
)

_SESSIONS = (
    pattern(
        "New session",
        r"^New session '?(\S+?)'? of user '?([^\s']+?)'?(?: with class|\.)",
        "haidang.session.id",
        "user.name",
        event_action="session_opened",
    ),
    pattern(
        "Removed session",
        r"^Removed session (\S+?)\.",
        "haidang.session.id",
        event_action="session_closed",
    ),
    pattern(
        "System is ",
        r"^System is (powering down|rebooting|halting)",
        "event.reason",
        event_action="host_shutdown",
    ),
)

_ACCOUNTS = Dialect(_AUTH, (*_GROUPS, *_USERMOD, *_PASSWORD[1:]))

PROGRAMS = {
    "useradd": Dialect(_AUTH, (*_USERADD, *_GROUPS, *_USERMOD)),
    **dict.fromkeys(("usermod", "userdel", "gpasswd", "groupadd", "groupdel", "groupmod", "chage"), _ACCOUNTS),
    **dict.fromkeys(("passwd", "chpasswd"), Dialect(_AUTH, (*_PASSWORD, *_USERMOD[2:5], *PAM))),
    "su": Dialect(_AUTH, (*_SU, *PAM)),
    **dict.fromkeys(("login", "agetty"), Dialect(_AUTH, (*_LOGIN, *PAM))),
    "systemd-logind": Dialect(_AUTH, _SESSIONS),
}
