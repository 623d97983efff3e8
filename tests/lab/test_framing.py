from datetime import UTC, datetime

import pytest

from core.clock import from_datetime
from inventory.records import Device
from lab.framing import frame, octet_counted

NOW = from_datetime(datetime(2026, 11, 21, 23, 30, 0, 123456, tzinfo=UTC))


def device(vendor):
    return Device(name="xx-tha", site="tha", address="127.1.6.1", vendor=vendor, model="m", role="r")


def test_a_cisco_line_is_numbered_and_has_the_hour_of_vietnam_and_no_zone():
    text = "%SYS-5-CONFIG_I: Configured from console by admin on vty0 (10.0.0.5)"
    assert frame(device("cisco"), text, NOW, 45) == b"<189>45: *Nov 22 06:30:00.123: " + text.encode()


def test_a_cisco_day_below_ten_is_padded_with_a_space():
    now = from_datetime(datetime(2026, 12, 1, 17, 0, tzinfo=UTC))
    assert b"*Dec  2 00:00:00.000: " in frame(device("cisco"), "%A-5-B: x", now, 1)


@pytest.mark.parametrize(("severity", "priority"), [(0, 184), (3, 187), (7, 191)])
def test_a_cisco_priority_follows_the_severity_in_the_text(severity, priority):
    line = frame(device("cisco"), f"%LINK-{severity}-UPDOWN: x", NOW, 1)
    assert line.startswith(f"<{priority}>1: ".encode())


def test_a_fortigate_line_has_date_zone_and_nanoseconds():
    line = frame(device("fortinet"), 'logid="1" level="notice" vd="root"', NOW, 9).decode()
    assert line.startswith('<189>date=2026-11-22 time=06:30:00 devname="xx-tha" devid="FGLAB')
    assert line.endswith(f'eventtime={NOW} tz="+0700" logid="1" level="notice" vd="root"')


def test_a_fortigate_priority_follows_its_level():
    assert frame(device("fortinet"), 'level="alert"', NOW, 1).startswith(b"<185>date=")


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("sshd[42]: Failed password", "<86>1 2026-11-22T06:30:00.123456+07:00 xx-tha sshd 42 - - Failed password"),
        ("CRON[7]: (root) CMD (x)", "<78>1 2026-11-22T06:30:00.123456+07:00 xx-tha CRON 7 - - (root) CMD (x)"),
        ("kernel: eth0: link", "<6>1 2026-11-22T06:30:00.123456+07:00 xx-tha kernel - - - eth0: link"),
        ("systemd[1]: Bắt đầu", "<30>1 2026-11-22T06:30:00.123456+07:00 xx-tha systemd 1 - - Bắt đầu"),
    ],
)
def test_a_linux_line_is_rfc_5424_with_the_zone_of_vietnam(text, head):
    assert frame(device("linux"), text, NOW, 1) == head.encode()


@pytest.mark.parametrize(
    ("vendor", "text", "expected"),
    [
        ("cisco", "Configured from console", "FACILITY-SEVERITY-MNEMONIC"),
        ("fortinet", 'level="loud"', "level="),
        ("linux", "no program here", "program"),
        ("huawei", "x", "cisco, fortinet, linux"),
    ],
)
def test_text_that_does_not_fit_the_form_is_refused_with_what_was_expected(vendor, text, expected):
    with pytest.raises(ValueError, match=expected):
        frame(device(vendor), text, NOW, 1)


def test_a_tcp_frame_is_counted_in_bytes_not_letters():
    assert octet_counted("Bắt".encode()) == "5 Bắt".encode()
