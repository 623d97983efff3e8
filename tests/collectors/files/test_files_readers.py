from __future__ import annotations

import os

import pytest

from collectors.files import READERS, eve, guess, syslog, zeek
from collectors.files.found import Bad
from core.errors import UnavailableError
from core.records import Event, Logsource

WRITTEN = 1_795_312_267_000_000_000  # 22/11/2026 08:51:07 in Vietnam

TABLE = rb"""#separator \x09
#set_separator	,
#empty_field	(empty)
#unset_field	-
#path	dns
#fields	ts	uid	id.orig_h	id.resp_p	query	answers	rejected	note	tags
#types	time	string	addr	port	string	vector[string]	bool	string	set[string]
1795312267.500000	C1	10.1.2.3	53	vi\xe1\xbb\x87n.vn	a\x2cb,c	F	-	(empty)
1795312268.0	C2	10.1.2.3	x	q	-	T	-	-
1795312268.0	C2
#close	2026-11-22-08-51-07
"""


@pytest.fixture
def file(tmp_path):
    """Writes a file, last changed at `WRITTEN`."""

    def writing(name: str, content: bytes):
        path = tmp_path / name
        path.write_bytes(content)
        os.utime(path, ns=(WRITTEN, WRITTEN))
        return path

    return writing


def test_a_zeek_table_is_read_as_it_describes_itself(file) -> None:
    event, wrong, short = zeek.read(file("dns.log", TABLE))
    assert isinstance(event, Event)
    assert event.fields == {
        "ts": 1_795_312_267.5,
        "uid": "C1",
        "id.orig_h": "10.1.2.3",
        "id.resp_p": 53,
        "query": "viện.vn",
        "answers": ["a,b", "c"],
        "rejected": False,
        "tags": [],
    }
    assert (event.logsource, event.time) == (Logsource(product="zeek", service="dns"), 1_795_312_267_500_000_000)
    assert isinstance(wrong, Bad)
    assert isinstance(short, Bad)
    assert (wrong.record, short.record) == (8, 9)
    assert "'x' is no port" in wrong.reason


def test_a_row_without_a_table_is_bad(file) -> None:
    (bad,) = zeek.read(file("conn.log", b"a\tb\n"))
    assert isinstance(bad, Bad)


def test_zeeks_json_takes_its_path_from_the_line_or_the_files_name(file) -> None:
    lines = b'{"ts":1.5,"id.orig_h":"10.1.2.3"}\n{"_path":"http","ts":1.5}\n'
    services = [one.logsource.service for one in zeek.read(file("conn.2026-11-22.log", lines))]
    assert services == ["conn", "http"]


def test_suricatas_events_are_named_by_their_type(file) -> None:
    line = b'{"timestamp":"2026-11-22T08:51:07.000000+0700","flow_id":1,"event_type":"alert","alert":{"severity":1}}'
    event, bad = eve.read(file("eve.json", line + b'\n{"a":1}\n'))
    assert event.logsource == Logsource(product="suricata", service="alert")
    assert (event.fields["alert.severity"], event.time) == (1, WRITTEN)
    assert isinstance(bad, Bad)


def test_syslog_lines_are_read_as_the_lane_reads_them(file) -> None:
    line = b"<86>Nov 20 08:51:07 sv-tha sshd[12]: Failed password for root from 203.0.113.45 port 22 ssh2"
    (event,) = syslog.read(file("auth.log", line + b"\n"))
    assert event.logsource == Logsource(product="linux", service="sshd")
    assert (event.fields["source.ip"], event.fields["host.name"]) == ("203.0.113.45", "sv-tha")
    assert (event.raw, event.time) == (line, WRITTEN - 2 * 86_400_000_000_000)
    assert not {"observer.ip", "network.transport"} & event.fields.keys()


def test_an_old_message_keeps_its_time(file) -> None:
    (event,) = syslog.read(file("old.log", b"<34>1 2019-01-02T03:04:05Z h su - - - x\n"))
    assert event.time == 1_546_398_245_000_000_000
    assert "haidang.time.original" not in event.fields


def test_the_senders_address_before_a_message_is_told_apart_from_it(file) -> None:
    line = b"10.1.2.3 45: Nov 22 08:51:07: %SYS-5-CONFIG_I: Configured from console by admin"
    (event,) = syslog.read(file("cisco.log", line))
    assert (event.logsource.product, event.fields["observer.ip"]) == ("cisco", "10.1.2.3")
    assert event.raw == line.removeprefix(b"10.1.2.3 ")


def test_what_the_lane_would_quarantine_is_bad(file) -> None:
    (bad,) = syslog.read(file("x.log", b"\x00\x01\x02\x03\n"))
    assert isinstance(bad, Bad)
    assert "binary" in bad.reason


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"ElfFile\0...", "evtx"),
        (TABLE, "zeek"),
        (b'{"ts":1,"id.orig_h":"10.1.2.3"}', "zeek"),
        (b'{"timestamp":"","flow_id":1,"event_type":"dns"}', "eve"),
        (b'\xef\xbb\xbf\n {"a":1}', "jsonl"),
        (b"<34>text", "syslog"),
        (b"", "syslog"),
    ],
)
def test_a_file_is_known_by_its_first_bytes(file, content, kind) -> None:
    assert guess(file("any", content)) == kind


@pytest.mark.parametrize("kind", READERS)
def test_a_file_that_is_not_there_is_said_so(kind, tmp_path) -> None:
    with pytest.raises(UnavailableError, match="gone"):
        list(READERS[kind](tmp_path / "gone"))
    with pytest.raises(UnavailableError, match="gone"):
        guess(tmp_path / "gone")
