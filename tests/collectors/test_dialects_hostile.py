"""Hostile lines: none takes long, none fails."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from speakers import message

from collectors.logs.dialects import asa, huawei, juniper, understand
from collectors.logs.dialects.cisco import MNEMONICS
from collectors.logs.dialects.linux import PROGRAMS
from collectors.logs.syslog import parse
from core.clock import VIETNAM
from core.records import Logsource

LONGEST = 64 * 1024
MOST_SECONDS = 0.05

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


DEVICE_STARTS = [
    ("", "", "1,2026/11/24 06:31:07,0132,SYSTEM,auth,0,,,x,,,,,,failed authentication for user '"),
    ("", "", '1,2026/11/24 06:31:07,0132,THREAT,"'),
    ("", "", "1,2026/11/24 06:31:07,0132,CONFIG,"),
    *(("", "", f"%%01M/4/{name}(s): x (") for name in huawei.NAMES),
    ("%%01SSH/4/SSH_FAIL(s)", "", "x (IP=10.0.0.5, UserName="),
    ("%%01SHELL/5/CMDRECORD(s)", "", "x (Task=a, Ip=b, User="),
    ("", "", "system,info,account user "),
    ("", "", "system,error,critical login failure for user "),
    *(("", f"ASA-6-{number}", "") for number in asa.NUMBERS),
    ("", "ASA-6-605004", "Login denied from 10.0.0.5/1 to a:10.0.0.1/ssh for user "),
    ("", "ASA-6-113015", "AAA user authentication Rejected : reason = "),
    ("", "SEC_LOGIN-4-LOGIN_FAILED", "Login failed [user: "),
    *(("mgd", "", f"{tag}: ") for tag in juniper.TAGS),
    ("sshd", "", "SSHD_LOGIN_FAILED: Login failed for user '"),
]
DEVICE_REPEATED = [
    *(
        "a",
        " ",
        ",",
        '"',
        ',"',
        '"",',
        "'. Reason: ",
        "'. From: 1",
        ",info",
        "User=",
        "UserName=a, ",
        ", Times=",
        ": user = ",
    ),
    *(
        " from host '1",
        " from 1 via a ",
        "[user: ",
        "] [Source: 1",
        'Command="',
        "User 'a' ",
        "(",
        "1.1.1.1",
        "Peer=",
        " by ",
    ),
]


@pytest.mark.parametrize(("program", "code", "start"), DEVICE_STARTS)
def test_no_line_of_a_device_of_64_kilobytes_takes_long(program, code, start):
    slow = []
    for repeated in DEVICE_REPEATED:
        hostile = message(start + repeated * (LONGEST // len(repeated)), program, code)
        begun = time.process_time()
        understand(hostile)
        if time.process_time() - begun > MOST_SECONDS:
            slow.append(repeated)
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


HEADS = [start for _, _, start in DEVICE_STARTS]
PIECES = st.sampled_from(HEADS + STARTS + REPEATED + DEVICE_REPEATED)
WORDS = st.lists(st.one_of(st.text(max_size=5), PIECES), max_size=10).map("".join)


@given(WORDS, st.sampled_from(SPEAKERS))
def test_any_text_is_understood_without_fail(text, speaker):
    logsource, fields = understand(message(text, *speaker))
    assert isinstance(logsource, Logsource)
    assert all(isinstance(value, str) for value in fields.values())
