"""Who speaks: each kind of device is known by the head of its messages, and by nothing that a user wrote."""

from __future__ import annotations

import pytest
from speakers import message

from collectors.logs.dialects import understand
from collectors.logs.syslog import parse
from core.clock import VIETNAM
from core.records import Logsource

SYSLOG = Logsource(product="", service="syslog")
HEADS = {
    "cisco": "%SYS-5-CONFIG_I: Configured from console by a",
    "fortigate": 'devname="f" logid="1" type="event"',
    "paloalto": "1,2026/11/24 06:31:07,013201001141,SYSTEM,auth,2817,",
    "huawei": "%%01SSH/4/SSH_FAIL(s)[86]: Failed to login through SSH.",
    "mikrotik": "system,info,account user admin logged in from 10.0.0.5 via ssh",
    "juniper": "mgd[1]: UI_COMMIT: User 'a' requested 'commit' operation",
}


@pytest.mark.parametrize("product", HEADS)
def test_a_device_is_known_by_its_head(product):
    taken = parse(f"<189>Nov 24 06:31:07 box {HEADS[product]}", 0, VIETNAM)
    assert taken.host == "box"
    assert understand(taken)[0].product == product


@pytest.mark.parametrize("head", HEADS.values(), ids=list(HEADS))
@pytest.mark.parametrize("start", ["Failed password for invalid user ", "Invalid user "])
def test_a_users_name_cannot_make_a_servers_login_a_devices_message(start, head):
    taken = parse(f"<38>Nov 24 06:31:07 box sshd[7]: {start}{head} from 203.0.113.45 port 51022 ssh2", 0, VIETNAM)
    assert understand(taken)[0] == Logsource(product="linux", service="sshd")


@pytest.mark.parametrize("head", HEADS.values(), ids=list(HEADS))
@pytest.mark.parametrize(
    ("line", "product"),
    [
        ("%ASA-6-113015: AAA user authentication Rejected : reason = x : local database : user = {}", "cisco"),
        ('date=2026-11-24 devname="f" logid="1" type="event" user="{}"', "fortigate"),
        (
            "1,2026/11/24 06:31:07,0132,SYSTEM,auth,0,,,auth-fail,,,,general,medium,\"failed for user '{}'.\"",
            "paloalto",
        ),
        ("%%01SSH/4/SSH_FAIL(s): Failed to login through SSH. (IP=10.0.0.5, UserName={}, Times=1)", "huawei"),
        ("system,error,critical login failure for user {} from 10.0.0.5 via ssh", "mikrotik"),
        ("sshd: SSHD_LOGIN_FAILED: Login failed for user '{}' from host '10.0.0.5'", "juniper"),
    ],
)
def test_a_users_name_cannot_move_a_message_to_another_device(line, product, head):
    name = head.replace('"', "")
    taken = parse(f"<189>Nov 24 06:31:07 box {line.replace('{}', name)}", 0, VIETNAM)
    assert understand(taken)[0].product == product


@pytest.mark.parametrize("text", ["devname=x", "logid=1", "hello"])
def test_what_nobody_we_know_says_is_of_no_product(text):
    assert understand(message(text)) == (SYSLOG, {})
