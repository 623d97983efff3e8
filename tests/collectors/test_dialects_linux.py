"""What Linux programs say: samples of every form and near misses."""

from __future__ import annotations

import pytest
from speakers import message, said

from collectors.logs.dialects import understand
from core.records import Fields, Logsource


def ssh(outcome: str, method: str, user: str, address: str, port: str) -> Fields:
    return {
        "event.action": "ssh_login",
        "event.outcome": outcome,
        "haidang.ssh.method": method,
        "user.name": user,
        "source.ip": address,
        "source.port": port,
    }


def sudo(action: str, user: str, target: str, command: str) -> Fields:
    return {
        "event.action": action,
        "user.name": user,
        "user.effective.name": target,
        "process.command_line": command,
    }


@pytest.mark.parametrize("program", ["sshd", "sshd-session"])
@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            "Failed password for root from 203.0.113.45 port 51022 ssh2",
            ssh("failure", "password", "root", "203.0.113.45", "51022"),
        ),
        (
            "Failed password for invalid user quản trị from 2001:db8:4::9 port 40112 ssh2",
            ssh("failure", "password", "quản trị", "2001:db8:4::9", "40112"),
        ),
        (
            "Failed none for invalid user  from 203.0.113.45 port 1 ssh2",
            ssh("failure", "none", "", "203.0.113.45", "1"),
        ),
        (
            "Accepted publickey for backup from 10.21.4.7 port 52210 ssh2: ED25519 SHA256:rN1H",
            ssh("success", "publickey", "backup", "10.21.4.7", "52210"),
        ),
        (
            "Accepted keyboard-interactive/pam for van_a from fe80::1%eth0 port 2 ssh2",
            ssh("success", "keyboard-interactive/pam", "van_a", "fe80::1%eth0", "2"),
        ),
        ("Failed password for root from 203.0.113.45", {}),
        ("error: Failed password for root from 203.0.113.45 port 1 ssh2", {}),
        ("Connection closed by 203.0.113.45 port 51022 [preauth]", {}),
        ("", {}),
    ],
)
def test_ssh_logins_are_told_from_all_else(program, text, fields):
    assert understand(message(text, program)) == (Logsource(product="linux", service="sshd"), fields)


def test_a_users_name_cannot_put_another_address_in_its_place():
    text = "Failed password for invalid user x from 10.0.0.1 port 1 from 203.0.113.45 port 51022 ssh2"
    assert said(text, "sshd") == ssh("failure", "password", "x from 10.0.0.1 port 1", "203.0.113.45", "51022")


def test_a_users_name_cannot_make_a_login_a_firewalls_message():
    text = "Failed password for invalid user devname=logid= from 203.0.113.45 port 51022 ssh2"
    logsource, fields = understand(message(text, "sshd"))
    assert logsource == Logsource(product="linux", service="sshd")
    assert fields["event.outcome"] == "failure"


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            "new user: name=support2, UID=1007, GID=1007, home=/home/support2, shell=/bin/bash, from=/dev/pts/0",
            {
                "event.action": "user_created",
                "event.outcome": "success",
                "user.target.name": "support2",
                "user.target.id": "1007",
            },
        ),
        (
            "new group: name=support2, GID=1007",
            {
                "event.action": "group_created",
                "event.outcome": "success",
                "group.name": "support2",
                "group.id": "1007",
            },
        ),
        (
            "failed adding user 'x', data deleted; not a new user: name=x, UID=1",
            {"event.action": "user_creation_failed", "event.outcome": "failure", "user.target.name": "x"},
        ),
    ],
)
def test_a_new_user_is_told_from_a_new_group(text, fields):
    assert understand(message(text, "useradd")) == (Logsource(product="linux", service="auth"), fields)


@pytest.mark.parametrize(
    ("command", "action"),
    [
        ("/usr/bin/journalctl --vacuum-time=1s", "log_cleared"),
        ("/usr/bin/journalctl --rotate --vacuum-size=1", "log_cleared"),
        ("/usr/bin/truncate -s 0 /var/log/auth.log", "log_cleared"),
        ("/usr/bin/rm -rf /tmp/x /var/log/nginx/access.log", "log_cleared"),
        ("/usr/bin/shred -u /var/log/btmp", "log_cleared"),
        ("/usr/bin/cp /dev/null /var/log/wtmp", "log_cleared"),
        ("/usr/bin/sh -c 'cat /dev/null > /var/log/auth.log'", "log_cleared"),
        ("/usr/bin/tee /var/log/auth.log", "log_cleared"),
        ("/usr/bin/tail -n 50 /var/log/auth.log", "command_executed"),
        ("/usr/bin/journalctl --disk-usage", "command_executed"),
        ("/usr/bin/rm -rf /tmp/x", "command_executed"),
        ("/usr/bin/less /var/log/rm ", "command_executed"),
        ("/usr/local/bin/alarm /var/log/auth.log", "command_executed"),
        ("/usr/bin/docker run --rm -v /var/log/:/in image", "command_executed"),
        ("/usr/bin/bash", "command_executed"),
    ],
)
def test_clearing_logs_is_told_from_other_commands(command, action):
    text = f" van_a : TTY=pts/0 ; PWD=/home/van_a ; USER=root ; COMMAND={command}"
    assert understand(message(text, "sudo")) == (
        Logsource(product="linux", service="sudo"),
        sudo(action, "van_a", "root", command),
    )


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            "van_a : PWD=/ ; USER=root ; GROUP=adm ; ENV=A=b ; COMMAND=/bin/ls",
            sudo("command_executed", "van_a", "root", "/bin/ls"),
        ),
        (
            "van_a : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh -c COMMAND=x",
            sudo("command_executed", "van_a", "root", "/bin/sh -c COMMAND=x"),
        ),
        ("van_a : some other reason ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/rm /var/log/x", {}),
        ("pam_unix(sudo:auth): conversation failed", {}),
        ("van_a : TTY=pts/0 ; PWD=/ ; COMMAND=/bin/ls", {}),
    ],
)
def test_a_command_counts_only_where_sudo_ran_it(text, fields):
    assert said(text, "sudo") == fields


@pytest.mark.parametrize(
    "reason",
    [
        "user NOT in sudoers",
        "user NOT authorized on host",
        "command not allowed",
        "a password is required",
        "1 incorrect password attempt",
        "3 incorrect password attempts",
    ],
)
def test_a_command_that_sudo_refused_says_why_and_clears_no_log(reason):
    text = f"van_a : {reason} ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/rm /var/log/x"
    refused = sudo("command_refused", "van_a", "root", "/usr/bin/rm /var/log/x")
    assert said(text, "sudo") == {**refused, "event.reason": reason, "event.outcome": "failure"}


def test_a_command_cannot_tell_that_it_was_refused():
    text = (
        "van_a : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/echo van_a : user NOT in sudoers ; USER=root ; COMMAND=x"
    )
    assert said(text, "sudo")["event.action"] == "command_executed"


def joined(group: str, **more: str) -> Fields:
    return {
        "event.action": "group_member_added",
        "event.outcome": "success",
        "user.target.name": "van_b",
        "group.name": group,
        **{name.replace("_", "."): value for name, value in more.items()},
    }


@pytest.mark.parametrize(
    ("program", "text", "fields"),
    [
        ("usermod", "add 'van_b' to group 'sudo'", joined("sudo")),
        ("useradd", "add 'van_b' to group 'docker'", joined("docker")),
        ("gpasswd", "user van_b added by root to group wheel", joined("wheel", user_name="root")),
        (
            "usermod",
            "change user 'van_b' UID from '1007' to '0'",
            {
                "event.action": "user_id_changed",
                "event.outcome": "success",
                "user.target.name": "van_b",
                "user.target.id": "0",
            },
        ),
        (
            "userdel",
            "delete user 'van_b'",
            {"event.action": "user_deleted", "event.outcome": "success", "user.target.name": "van_b"},
        ),
        ("usermod", "add 'van_b' to shadow group 'sudo'", {}),
        ("usermod", "delete 'van_b' from shadow group 'sudo'", {}),
        (
            "passwd",
            "pam_unix(passwd:chauthtok): password changed for van_b",
            {"event.action": "password_changed", "event.outcome": "success", "user.target.name": "van_b"},
        ),
        ("chpasswd", 'pam_unix(chpasswd:chauthtok): user "van_b" does not exist in /etc/passwd', {}),
        (
            "su",
            "FAILED SU (to root) van_b on pts/1",
            {
                "event.action": "su",
                "event.outcome": "failure",
                "user.name": "van_b",
                "user.effective.name": "root",
                "haidang.terminal": "pts/1",
            },
        ),
        (
            "su",
            "(to postgres) root on none",
            {
                "event.action": "su",
                "event.outcome": "success",
                "user.name": "root",
                "user.effective.name": "postgres",
                "haidang.terminal": "none",
            },
        ),
    ],
)
def test_changes_of_accounts_are_told_from_each_other(program, text, fields):
    assert understand(message(text, program)) == (Logsource(product="linux", service="auth"), fields)


@pytest.mark.parametrize("program", ["cron", "crond", "CRON", "CROND", "crontab"])
@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            "(root) CMD (/usr/bin/true && echo (x))",
            {
                "event.action": "cron_job_run",
                "user.name": "root",
                "process.command_line": "/usr/bin/true && echo (x)",
            },
        ),
        (
            "(van_a) REPLACE (www-data)",
            {"event.action": "cron_changed", "user.name": "van_a", "haidang.cron.table": "www-data"},
        ),
        (
            "(*system*) RELOAD (/etc/cron.d/x)",
            {"event.action": "cron_changed", "user.name": "*system*", "haidang.cron.table": "/etc/cron.d/x"},
        ),
        ("(van_a) LIST (van_a)", {}),
        ("(root) MAIL (mailed 1 byte of output)", {}),
    ],
)
def test_a_changed_table_of_cron_is_told_from_a_job(program, text, fields):
    assert understand(message(text, program)) == (Logsource(product="linux", service="cron"), fields)


def test_a_job_cannot_tell_that_a_table_changed():
    assert said("(van_a) CMD (echo '(root) REPLACE (root)')", "CRON")["event.action"] == "cron_job_run"


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            "Started nginx.service - A high performance web server.",
            {"event.action": "service_started", "service.name": "nginx.service"},
        ),
        (
            "Stopped auditd.service - Security Auditing Service.",
            {"event.action": "service_stopped", "service.name": "auditd.service"},
        ),
        (
            "Stopped Security Auditing Service.",
            {"event.action": "service_stopped", "service.name": "Security Auditing Service"},
        ),
        (
            "sao-luu.service: Failed with result 'exit-code'.",
            {
                "event.action": "service_failed",
                "event.outcome": "failure",
                "service.name": "sao-luu.service",
                "event.reason": "exit-code",
            },
        ),
        ("sao-luu.service: Deactivated successfully.", {}),
        ("Stopping auditd.service - Security Auditing Service...", {}),
    ],
)
def test_a_service_that_starts_stops_or_fails_has_its_name(text, fields):
    assert understand(message(text, "systemd")) == (Logsource(product="linux", service="syslog"), fields)
