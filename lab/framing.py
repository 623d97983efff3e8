"""Log text as each kind of device writes it on the wire: priority, time and name around the text.

Sources: RFC 3164 and RFC 5424 (syslog), RFC 6587 3.4.1 (octet counting over TCP), Cisco IOS "System Message Formats",
FortiOS "Log Message Reference".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zlib import crc32

from core.clock import VIETNAM, to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable

    from inventory.records import Device

_AUTHPRIV, _CRON, _DAEMON, _LOCAL7 = 10, 9, 3, 23
_INFORMATIONAL = 6
_FACILITIES = {"sshd": _AUTHPRIV, "useradd": _AUTHPRIV, "sudo": _AUTHPRIV, "su": _AUTHPRIV, "CRON": _CRON, "kernel": 0}
_LEVELS = ("emergency", "alert", "critical", "error", "warning", "notice", "information", "debug")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_CISCO = re.compile(r"%[A-Z0-9_]+-([0-7])-[A-Z0-9_]+: ")
_FORTINET = re.compile(rf'\blevel="({"|".join(_LEVELS)})"')
_LINUX = re.compile(r"([\w.-]{1,48})(?:\[(\d{1,10})\])?: (.+)", re.DOTALL)


def frame(device: Device, text: str, now: int, sequence: int) -> bytes:
    """The datagram that this device would send for this text.

    Args:
        device: its vendor (cisco, fortinet, linux) chooses the form, its name stands in it.
        text: what the form wants after its header: ``%SYS-5-CONFIG_I: ...``, ``logid=... level="notice" ...``,
            ``sshd[42]: ...``.
        now: nanoseconds UTC; written in Asia/Ho_Chi_Minh, as the sector's devices keep their clocks.
        sequence: number of the device's message, which Cisco writes.

    Raises:
        ValueError: there is no form for the vendor, or the text does not fit it; says what was expected.
    """
    form = _FORMS.get(device.vendor)
    if form is None:
        raise ValueError(f"no log form for vendor {device.vendor!r}; expected {', '.join(_FORMS)}")
    return form(device, text, now, sequence).encode()


def octet_counted(payload: bytes) -> bytes:
    """The payload as one frame on a TCP connection: its length, a space, itself."""
    return b"%d %b" % (len(payload), payload)


def _cisco(_device: Device, text: str, now: int, sequence: int) -> str:
    """RFC 3164 without a host name, numbered, and with a star: the clock is not known to be right."""
    match = _CISCO.match(text)
    if match is None:
        raise ValueError("expected a Cisco line: %FACILITY-SEVERITY-MNEMONIC: text")
    moment = to_datetime(now).astimezone(VIETNAM)
    stamp = f"{_MONTHS[moment.month - 1]} {moment.day:2} {moment:%H:%M:%S}.{moment.microsecond // 1000:03}"
    return f"<{_LOCAL7 * 8 + int(match[1])}>{sequence}: *{stamp}: {text}"


def _fortinet(device: Device, text: str, now: int, _sequence: int) -> str:
    match = _FORTINET.search(text)
    if match is None:
        raise ValueError(f'expected a FortiGate line with level="..." of {", ".join(_LEVELS)}')
    moment = to_datetime(now).astimezone(VIETNAM)
    serial = f"FGLAB{crc32(device.name.encode()):010}"
    return (
        f"<{_LOCAL7 * 8 + _LEVELS.index(match[1])}>date={moment:%Y-%m-%d} time={moment:%H:%M:%S} "
        f'devname="{device.name}" devid="{serial}" eventtime={now} tz="+0700" {text}'
    )


def _linux(device: Device, text: str, now: int, _sequence: int) -> str:
    match = _LINUX.fullmatch(text)
    if match is None:
        raise ValueError("expected a Linux line: program[pid]: text")
    program, pid, message = match.groups()
    stamp = to_datetime(now).astimezone(VIETNAM).isoformat(timespec="microseconds")
    priority = _FACILITIES.get(program, _DAEMON) * 8 + _INFORMATIONAL
    return f"<{priority}>1 {stamp} {device.name} {program} {pid or '-'} - - {message}"


_FORMS: dict[str, Callable[[Device, str, int, int], str]] = {"cisco": _cisco, "fortinet": _fortinet, "linux": _linux}
