"""What programs and devices say: samples of every form, near misses, and hostile lines."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.logs.dialects import understand
from collectors.logs.dialects.cisco import MNEMONICS
from collectors.logs.dialects.linux import PROGRAMS
from collectors.logs.syslog import Message, parse
from core.clock import VIETNAM
from core.records import Fields, Logsource

LONGEST = 64 * 1024
MOST_SECONDS = 0.05
IOS = Logsource(product="cisco", service="ios")


def message(text: str, program: str = "", code: str = "") -> Message:
    return Message(1, 5, None, "", program, "", code, "", text)


def said(text: str, program: str = "", code: str = "") -> Fields:
    return understand(message(text, program, code))[1]


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
        ("pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)", {}),
        ("Connection closed by authenticating user root 203.0.113.45 port 51022 [preauth]", {}),
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
        ("new group: name=support2, GID=1007", {}),
        ("failed adding user 'x', data deleted; not a new user: name=x, UID=1", {}),
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
        ("van_a : command not allowed ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/rm /var/log/x", {}),
        ("van_a : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/rm /var/log/x", {}),
        ("pam_unix(sudo:session): session opened for user root(uid=0) by van_a(uid=1000)", {}),
        ("van_a : TTY=pts/0 ; PWD=/ ; COMMAND=/bin/ls", {}),
    ],
)
def test_a_command_counts_only_where_sudo_ran_it(text, fields):
    assert said(text, "sudo") == fields


@pytest.mark.parametrize(
    ("code", "text", "fields"),
    [
        (
            "SYS-5-CONFIG_I",
            "Configured from console by admin on vty0 (10.0.0.5)",
            {
                "event.action": "configuration_changed",
                "haidang.config.source": "console",
                "user.name": "admin",
                "haidang.config.line": "vty0",
                "source.ip": "10.0.0.5",
            },
        ),
        (
            "SYS-5-CONFIG_I",
            "Configured from console by console",
            {"event.action": "configuration_changed", "haidang.config.source": "console", "user.name": "console"},
        ),
        ("SYS-5-CONFIG_I", "Configuration read", {}),
        ("SYS-5-RESTART", "System restarted --", {"event.action": "device_restarted"}),
        ("SYS-5-RELOAD", "System restarted --", {}),
        (
            "LINK-3-UPDOWN",
            "Interface GigabitEthernet0/0/1, changed state to down",
            {"event.action": "link_down", "interface.name": "GigabitEthernet0/0/1"},
        ),
        (
            "LINK-3-UPDOWN",
            "Interface GigabitEthernet0/0/1, changed state to up",
            {"event.action": "link_up", "interface.name": "GigabitEthernet0/0/1"},
        ),
        (
            "LINK-5-CHANGED",
            "Interface Vlan10, changed state to administratively down",
            {"event.action": "link_disabled", "interface.name": "Vlan10"},
        ),
        (
            "LINEPROTO-5-UPDOWN",
            "Line protocol on Interface Serial0/1, changed state to down",
            {"event.action": "link_down", "interface.name": "Serial0/1"},
        ),
        ("LINK-3-UPDOWN", "Interface Vlan10, changed state to reset", {}),
        ("SEC_LOGIN-5-LOGIN_SUCCESS", "Login Success [user: admin] [Source: 10.0.0.5] [localport: 22]", {}),
    ],
)
def test_a_cisco_message_is_understood_by_its_mnemonic(code, text, fields):
    assert understand(message(text, code=code)) == (IOS, fields)


def test_a_fortigate_line_has_its_pairs_under_ecs_names():
    text = 'date=2026-11-22 devname="fw-dni" logid="0100044547" type="event" user="a \\"b\\" c" srcport=1 unknown=2'
    assert understand(message(text)) == (
        Logsource(product="fortigate", service="event"),
        {
            "host.name": "fw-dni",
            "event.code": "0100044547",
            "fortinet.type": "event",
            "user.name": 'a \\"b\\" c',
            "source.port": "1",
        },
    )


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("firewall.policy", True),
        ("firewall.policy6", True),
        ("firewall.address", True),
        ("firewall.addrgrp", True),
        ("firewall.policyx", False),
        ("system.admin", False),
    ],
)
def test_a_firewall_rule_is_told_from_other_settings(path, changed):
    fields = said(f'devname="f" logid="1" type="event" cfgpath="{path}"')
    assert (fields.get("event.action") == "firewall_rule_changed") == changed


def test_a_pair_inside_a_quoted_value_is_no_pair():
    fields = said('devname="f" logid="1" msg="srcip=10.0.0.1 user=root" user="admin"')
    assert fields["user.name"] == "admin"
    assert "source.ip" not in fields


def test_a_fortigate_line_whose_first_pair_looks_like_a_tag_is_whole():
    taken = parse('<189>time=06:43:10 devname="fw" logid="1" type="event"', 0, VIETNAM)
    assert taken.program == "time=06"
    assert understand(taken)[0].product == "fortigate"
    assert understand(taken)[1]["host.name"] == "fw"


@pytest.mark.parametrize("said_type", ["traffic", "event", "utm", "virus", "ips", "app-ctrl", "file-filter", "gtp"])
def test_a_log_type_of_fortios_is_the_service(said_type):
    taken = message(f'devname="fw" logid="1" type="{said_type}"')
    assert understand(taken)[0] == Logsource(product="fortigate", service=said_type)


@pytest.mark.parametrize("said_type", ["quarantine", "source", "sshd", "EVENT", "event ", "x" * 1000, ""])
def test_a_log_type_that_fortios_does_not_have_is_no_service(said_type):
    logsource, fields = understand(message(f'devname="fw" logid="1" type="{said_type}"'))
    assert logsource == Logsource(product="fortigate", service="")
    assert fields["fortinet.type"] == said_type


@pytest.mark.parametrize("text", ["devname=x", "logid=1", "hello"])
def test_what_nobody_we_know_says_is_of_no_product(text):
    assert understand(message(text)) == (Logsource(product="", service="syslog"), {})


SPEAKERS = [("", ""), *((program, "") for program in PROGRAMS), *(("", code) for code in MNEMONICS)]
STARTS = [
    "",
    "devname= logid= ",
    "Failed password for ",
    "Accepted x for ",
    "a : TTY=x ; USER=root ; COMMAND=",
    "a : TTY=x ; ",
    "new user: name=",
    "Configured from ",
    "to down to up restarted Interface ",
]
REPEATED = [
    "a",
    " ",
    '"',
    "\\",
    "=",
    "a=",
    'k="',
    'k="\\',
    " from ",
    " from a port ",
    "invalid user ",
    "USER=a ;",
    "USER=a ; COMMAND=",
    "COMMAND=",
    "rm ",
    "tee /var/log",
    "/dev/null",
    "cp /dev/null ",
    "--vacuum-",
    "/var/log/",
    "Interface a, changed state to ",
    "Configured from a by b on c (",
    ",",
    "\n",
    "à",
]


@pytest.mark.parametrize(("program", "code"), SPEAKERS)
def test_no_line_of_64_kilobytes_takes_long(program, code):
    slow = []
    for start in STARTS:
        for repeated in REPEATED:
            hostile = message(start + repeated * (LONGEST // len(repeated)), program, code)
            begun = time.process_time()
            understand(hostile)
            if time.process_time() - begun > MOST_SECONDS:
                slow.append((start, repeated))
    assert slow == []


@pytest.mark.parametrize(
    "text",
    [
        "<13>1 - - - - - " + '[a="' * 16_000,
        "<13>1 - - - - - [" + '"' * LONGEST,
        "<13>1 - - - - - [" + '"\\' * 32_000,
        "<13>1 - - - - - " + "[a]" * 20_000,
        "<13>Nov 22 06:31:07 %" + "A-" * 32_000,
        "<13>" + "1: " * 20_000,
        "<13>" + "a." * 32_000,
        "<13>Nov 22 06:31:07 " + "a:" * 32_000,
    ],
)
def test_no_header_of_64_kilobytes_takes_long(text):
    begun = time.process_time()
    parse(text, 0, VIETNAM)
    assert time.process_time() - begun < MOST_SECONDS


WORDS = st.lists(st.one_of(st.text(max_size=5), st.sampled_from(STARTS + REPEATED)), max_size=10).map("".join)


@given(WORDS, st.sampled_from(SPEAKERS))
def test_any_text_is_understood_without_fail(text, speaker):
    logsource, fields = understand(message(text, *speaker))
    assert isinstance(logsource, Logsource)
    assert all(isinstance(value, str) for value in fields.values())
