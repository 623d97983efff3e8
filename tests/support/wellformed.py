"""Well-formed syslog messages of many forms, the same ones each time: RFC 5424, RFC 3164, and ISO times in its place.

The year of times that name one is past or present; a time that names none is in whatever year its reader thinks.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from random import Random

SEED = 20261122
PRIORITIES = range(192)
"""24 facilities of 8 severities."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ZONES = ("Z", "+00:00", "+07:00", "-03:30", "+05:45", "+14:00", "-12:00")
NAMES = ("sv-tha", "h", "web01", "db_2", "sv-hcm.vks.gov.vn", "UPPER-Case.Example.COM", "ip-10-0-0-1", "7of9")
IPV4 = ("10.21.4.10", "192.0.2.1", "203.0.113.254")
IPV6 = ("2001:db8::7", "::1", "2001:db8:0:1:2:3:4:5", "fe80::1%eth0")

PROGRAMS = (
    "sshd[2231]: Failed password for invalid user admin from 203.0.113.9 port 40000 ssh2",
    "sshd-session[77]: Accepted publickey for van_a from 2001:db8::9 port 22 ssh2: ED25519 SHA256:x/y+z",
    "sshd(pam_unix)[19939]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=198.51.100.7",
    "sudo:   van_a : TTY=pts/0 ; PWD=/home/van_a ; USER=root ; COMMAND=/usr/bin/apt update",
    "sudo[12]: pam_unix(sudo:session): session opened for user root(uid=0) by van_a(uid=1000)",
    "su: FAILED SU (to root) van_a on pts/1",
    "su[]: a bracket that holds nothing",
    "CRON[1]: (root) CMD (   cd / && run-parts --report /etc/cron.hourly)",
    "crond[31337]: (root) RELOAD (/var/spool/cron/root)",
    "anacron[5]: Job `cron.daily' terminated",
    "run-parts(/etc/cron.daily)[12]: finished logrotate",
    "kernel: [    0.000000] Linux version 6.1.0-18-amd64 (gcc-12 (Debian 12.2.0-14) 12.2.0)",
    "kernel: IN=eth0 OUT= MAC=00:11:22:33:44:55 SRC=10.0.0.1 DST=10.0.0.2 LEN=40 PROTO=TCP SPT=1 DPT=22 SYN",
    "systemd[1]: Started session-7.scope - Session 7 of User van_a.",
    "systemd[1]:",
    "(systemd)[12]: pam_unix(systemd-user:session): session opened for user root",
    "systemd-logind[612]: New session 7 of user van_a.",
    "systemd-fsck[1]: /dev/sda1: clean, 11/128016 files",
    "audit[1]: USER_AUTH pid=1 uid=0 auid=4294967295 msg='op=PAM:authentication acct=\"root\" res=failed'",
    "auditd[400]: Audit daemon rotating log files",
    "postfix/smtpd[12]: connect from unknown[198.51.100.7]",
    "postfix/submission/smtpd[9]: NOQUEUE: reject: RCPT from x[192.0.2.7]: 554 5.7.1 <a@b>: Relay access denied",
    "dhcpd: DHCPACK on 10.21.4.30 to 00:11:22:33:44:55 (pc-30) via eth0",
    "dhcpd:DHCPREQUEST without a space",
    "dnsmasq-dhcp[44]: DHCPOFFER(eth0) 10.0.0.9 00:11:22:33:44:55",
    "named[12]: client @0x7f00 10.0.0.1#53 (example.com): query: example.com IN A +E(0)K (10.0.0.53)",
    "NetworkManager[8]: <info>  [1700000000.1234] device (eth0): link connected",
    "dbus-daemon[77]: [system] Activating via systemd: service name='org.freedesktop.hostname1'",
    "org.gnome.Shell.desktop[1999]: JS ERROR: TypeError: x is undefined",
    "gdm-password]: pam_unix(gdm-password:auth): authentication failure; user=van_a",
    "gdm-password][1234]: gkr-pam: unlocked login keyring",
    "haproxy[31]: 10.0.0.1:5050 [22/Nov/2026:06:31:07.001] http-in~ app/s1 0/0/1/2/3 200 512 - - ---- 1/1/0/0/0 0/0",
    'nginx: 10.0.0.1 - - [22/Nov/2026:06:31:07 +0700] "GET /?q=%25 HTTP/1.1" 200 12 "-" "curl/8"',
    "ovpn-server[1]: 10.0.0.1:1194 TLS: Initial packet from [AF_INET]10.0.0.1:1194",
    'python3.11[4]: Traceback (most recent call last): File "x.py", line 1',
    "app.worker-2[1.2]: dotted process",
    "app[abc-def]: process with a name",
    "app[12,34]: two numbers",
    "snmpd[1]: Connection from UDP: [10.0.0.1]:161->[10.0.0.2]:162",
    'rsyslogd: [origin software="rsyslogd" swVersion="8.2302.0"] start',
    "k8s_queue-worker_queue-worker-6d4cf56db6-x7k2p_production_0a1b2c3d[1]: a tag of more than 48 characters",
    'docker/3f2a9c1b7e55[880]: {"level": "info", "time": "2026-11-22T06:31:07Z", "msg": "a: b"}',
    "ung-dung[3]: Đăng nhập thất bại ở Thừa Thiên Huế",
    "mysqld_safe: 2026-11-22 06:31:07 Starting mysqld daemon",
    '@cee: {"id": 1}',
    "%tag%[4]: a percent sign that leads no mnemonic",
)
"""Tags and texts as programs of Linux servers write them."""

APPLICATIONS = ("-", "sshd", "evntslog", "su/x:y[z]", "a" * 48, "CRON", "%app%", "rsyslogd", "postfix/smtpd")
PROCESSES = ("-", "1", "911", "worker-2", "thread:7[main]", "9" * 128)
MESSAGE_IDS = ("-", "ID47", "TCPIN", "x" * 32)
STRUCTURED = (
    "-",
    '[exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"]',
    '[a][b c="d"][e@1 f="" g="h"]',
    r'[quoted@32473 a="\"" b="\\" c="\]" d="][ x"]',
    '[vi@32473 tỉnh="Thừa Thiên Huế"]',
    '[origin software="rsyslogd" swVersion="8.2302.0" x-pid="12"][timeQuality tzKnown="1" isSynced="1"]',
)
TEXTS = (
    "An application event log entry",
    "'su root' failed for lonvick on /dev/pts/8",
    "%% It's time to make the do-nuts. %% Ingredients: Mix=OK, Jelly=OK #",
    "Nov 22 06:31:07 other su[3]: a message inside a message",
    "[not structured data]",
    "Đăng nhập thất bại cho người dùng Nguyễn Văn Ả",
    "\ufeffKiểm sát viên đã đăng nhập",
    "\ufeffplain after the mark",
    "a\ttab and  two spaces ",
    "日本語 😀",
)


def corpus(count: int) -> list[str]:
    """So many messages, each another text, of all priorities."""
    random = Random(SEED)  # noqa: S311 - the same messages each time are the point
    found = (f"<{priority}>{_message(random)}" for priority in cycle(PRIORITIES))
    return list(islice(_unlike(found), count))


def _unlike(messages: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for message in messages:
        if message not in seen:
            seen.add(message)
            yield message


def _message(random: Random) -> str:
    return random.choice((_rfc5424, _rfc3164, _rfc3164, _local, _bare))(random)


def _rfc5424(random: Random) -> str:
    stamp = random.choice(("-", *3 * (_iso(random),)))
    host = random.choice(("-", *NAMES, *IPV4, *IPV6))
    head = (random.choice(part) for part in (APPLICATIONS, PROCESSES, MESSAGE_IDS, STRUCTURED))
    text = random.choice(("", f" {_numbered(random, random.choice(TEXTS))}", f" {random.choice(TEXTS)}"))
    return f"1 {stamp} {host} {' '.join(head)}{text}"


def _rfc3164(random: Random) -> str:
    stamp = random.choice((_bsd, _bsd, _iso))(random)
    return f"{stamp} {random.choice((*NAMES, *IPV4))} {_program(random)}"


def _local(random: Random) -> str:
    """As syslog(3) writes to its socket: without a host."""
    return f"{_bsd(random)} {_program(random)}"


def _bare(random: Random) -> str:
    """As small devices write: nothing but tag and text."""
    return _program(random)


def _program(random: Random) -> str:
    said = random.choice(PROGRAMS)
    return said if said.endswith("]:") else _numbered(random, said)


def _numbered(random: Random, text: str) -> str:
    return f"{text} n={random.randrange(10**6):06}"


def _bsd(random: Random) -> str:
    """A day of one digit with a second space (RFC 3164), or without one, with a year, or with a fraction."""
    month, clock = random.choice(MONTHS), _clock(random)
    day = random.randint(1, 28)
    fraction = random.randrange(1000)
    forms = (f"{day:2} {clock}", f"{day:2} {clock}", f"{day} {clock}", f"{day:2} {random.randint(2020, 2026)} {clock}")
    return f"{month} {random.choice((*forms, f'{day:2} {clock}.{fraction:03}'))}"


def _iso(random: Random) -> str:
    """RFC 3339 with a fraction of no more than six digits (RFC 5424 section 6.2.3)."""
    date = f"{random.randint(1999, 2026)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
    digits = random.randint(0, 6)
    fraction = f".{random.randrange(10**digits):0{digits}}" if digits else ""
    return f"{date}T{_clock(random)}{fraction}{random.choice(ZONES)}"


def _clock(random: Random) -> str:
    return f"{random.randrange(24):02}:{random.randrange(60):02}:{random.randrange(60):02}"
