"""Debian's rsyslogd and we, given the same lines: time, host, program and priority are to be the same."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from peers import rsyslogd
from running import eventually, free_ports
from wellformed import PRIORITIES, corpus

from collectors.logs.decode import Decoder
from collectors.logs.frames import Frame
from collectors.logs.syslog import parse
from core.clock import HOUR, SECOND, VIETNAM, from_datetime, iso
from core.settings import LogsSettings

COUNT = 4000
ENOUGH = 0.99
DECODER = Decoder(LogsSettings())
SAID = from_datetime(datetime(2026, 11, 22, 6, 31, 7, tzinfo=VIETNAM))
"""The time in all the lines that rsyslogd misreads."""

NOT_RSYSLOGD = [
    pytest.param("Nov 22 06:31:07 2001:db8::7 su: x", "2001:db8::7", "su", id="an IPv6 host is cut at its first colon"),
    pytest.param("Nov 22 06:31:07 fe80::1%eth0 su: x", "fe80::1%eth0", "su", id="one with its link too"),
    pytest.param("Nov 22 06:31:07 2026 h su: x", "h", "su", id="a year after the time is taken for the host"),
    pytest.param("Nov 22 06:31:07 h.example. su: x", "h.example.", "su", id="a rooted name is taken for the tag"),
    pytest.param("Nov 22 06:31:07 ICT: h su: x", "h", "su", id="a zone's name is taken for the tag"),
    pytest.param("Nov 22 06:31:07  h su: x", "h", "su", id="a second space hides the host"),
    pytest.param("2026-11-22 06:31:07 h su: x", "h", "su", id="an ISO time with a space is no time"),
    pytest.param("2026-11-22T06:31:07+0700 h su: x", "h", "su", id="an offset without colon is no time"),
    pytest.param("45: rt: Nov 22 06:31:07: %SYS-5-CONFIG_I: x", "rt", "", id="IOS and IOS-XE with number and name"),
    pytest.param("Nov 22 06:31:07 h ứng-dụng: x", "h", "ứng-dụng", id="a program in Vietnamese has no name"),
    pytest.param("Nov 22 06:31:07 h last message repeated 2 times", "h", "", id="a first word is taken for a tag"),
]
"""Lines that rsyslogd, as Debian configures it, reads wrongly; they are no part of the corpus."""


class Answer(NamedTuple):
    """What one of the two says; no time where it took that of reception, no host where it took the peer's."""

    time: int | None
    host: str
    program: str
    priority: int


class Pair(NamedTuple):
    """A line with both answers."""

    line: str
    theirs: Answer
    ours: Answer


def configuration(port: int, output: Path) -> str:
    """JSON lines of what rsyslogd makes of what comes by TCP; its own messages go nowhere."""
    properties = {
        "line": 'name="rawmsg"',
        "priority": 'name="pri"',
        "second": 'name="timereported" dateFormat="unixtimestamp"',
        "fraction": 'name="timereported" dateFormat="subseconds"',
        "received": 'name="timegenerated" dateFormat="unixtimestamp"',
        "received_fraction": 'name="timegenerated" dateFormat="subseconds"',
        "host": 'name="hostname"',
        "peer": 'name="fromhost"',
        "program": 'name="app-name"',
    }
    rows = "\n".join(f'property(outname="{name}" {what} format="jsonf")' for name, what in properties.items())
    return f"""
global(parser.permitSlashInProgramName="on" parser.escapeControlCharactersOnReceive="off")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="oracle")
template(name="answer" type="list" option.jsonf="on") {{
{rows}
}}
ruleset(name="oracle") {{ action(type="omfile" file="{output}" template="answer") }}
"""


def send(port: int, lines: Sequence[str]) -> None:
    """Octet-counted (RFC 6587), on one connection."""
    with socket.create_connection(("127.0.0.1", port)) as sender:
        for message in (line.encode() for line in lines):
            sender.sendall(b"%d %b" % (len(message), message))


def asked(folder: Path, lines: Sequence[str]) -> dict[str, Answer]:
    """rsyslogd's answers by line; it stands in Vietnam, as the lane does."""
    output, port = folder / "answers.jsonl", free_ports(1)[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", VIETNAM.key)
        with rsyslogd(folder, configuration(port, output)):
            send(port, lines)
            eventually(lambda: output.exists() and output.read_bytes().count(b"\n") >= len(lines))
    said = map(json.loads, output.read_text(encoding="utf-8").splitlines())
    return {one["line"]: their_answer(one) for one in said}


def their_answer(said: dict[str, str]) -> Answer:
    time = nanoseconds(said["second"], said["fraction"])
    received = nanoseconds(said["received"], said["received_fraction"])
    return Answer(
        None if time == received else time,
        "" if said["host"] == said["peer"] else said["host"].removeprefix("-"),
        said["program"] if said["program"] != "-" else "",
        int(said["priority"]),
    )


def nanoseconds(second: str, fraction: str) -> int:
    return int(second) * SECOND + int(fraction.ljust(9, "0"))


def our_answer(line: str, near: int | None) -> Answer:
    """What becomes of the line an hour after ``near``: of another year, or without a time, it would be of that hour."""
    seen = (near or 0) + HOUR
    event = DECODER.decode(Frame("192.0.2.99", "tcp", line.encode(), seen), "logs/1/1").event
    facility, severity = (int(str(event.fields[f"log.syslog.{part}.code"])) for part in ("facility", "severity"))
    return Answer(
        None if event.time == seen else event.time,
        str(event.fields.get("host.name", "")),
        str(event.fields.get("process.name", "")),
        facility * 8 + severity,
    )


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> list[Pair]:
    lines = corpus(COUNT)
    theirs = asked(tmp_path_factory.mktemp("rsyslogd"), lines)
    return [Pair(line, theirs[line], our_answer(line, theirs[line].time)) for line in lines]


def shown(answer: Answer) -> str:
    time = iso(answer.time) if answer.time is not None else "no time"
    return f"{time} host={answer.host!r} program={answer.program!r} priority={answer.priority}"


def agreement(pairs: Sequence[Pair], *names: str) -> float:
    """The share of lines of which both say the same in all these; tells the others."""
    unlike = [pair for pair in pairs if any(getattr(pair.theirs, name) != getattr(pair.ours, name) for name in names)]
    for pair in unlike:
        print(f"\n{pair.line!r}\n  rsyslogd: {shown(pair.theirs)}\n  we:       {shown(pair.ours)}")
    share = 1 - len(unlike) / len(pairs)
    print(f"\n{', '.join(names)}: {share:.2%} of {len(pairs)} lines agree")
    return share


@pytest.mark.parametrize("name", Answer._fields)
def test_rsyslogd_and_we_agree_on_each_part_of_a_line(pairs, name):
    assert agreement(pairs, name) >= ENOUGH


def test_rsyslogd_and_we_agree_on_all_parts_at_once(pairs):
    assert agreement(pairs, *Answer._fields) >= ENOUGH


def test_the_lines_are_many_and_of_all_priorities(pairs):
    assert len({pair.line for pair in pairs}) == COUNT
    assert {pair.theirs.priority for pair in pairs} == set(PRIORITIES)
    assert sum(pair.theirs.time is None for pair in pairs) < COUNT / 3


@pytest.fixture(scope="module")
def misread(tmp_path_factory) -> dict[str, Answer]:
    lines = [f"<38>{parameters.values[0]}" for parameters in NOT_RSYSLOGD]
    return asked(tmp_path_factory.mktemp("misreading"), lines)


@pytest.mark.parametrize(("rest", "host", "program"), NOT_RSYSLOGD)
def test_where_rsyslogd_is_wrong_we_are_right(misread, rest, host, program):
    theirs = misread[f"<38>{rest}"]
    message = parse(f"<38>{rest}", SAID + HOUR, VIETNAM)
    assert (message.time, message.host, message.program) == (SAID, host, program)
    assert (theirs.host, theirs.program) != (host, program)
