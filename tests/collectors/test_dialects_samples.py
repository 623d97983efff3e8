"""Every sample line beside the dialects says what its row expects, whole, cut, long, and is no other dialect's."""

from __future__ import annotations

import time
import unicodedata
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.logs.decode import Decoder
from collectors.logs.dialects import DEVICES, FORMATS, juniper, understand
from collectors.logs.frames import Frame
from collectors.logs.syslog import Message, parse
from core.clock import VIETNAM, from_datetime
from core.records import Event, Logsource
from core.settings import LogsSettings

SEEN = from_datetime(datetime(2026, 11, 24, 8, 0, 0, tzinfo=VIETNAM))
TABLES = sorted((Path(__file__).parent / "dialects").glob("*.jsonl"))
FEWEST = 6
LONGEST = 64 * 1024
MOST_SECONDS = 0.05
JUNK = ("a", " ", '"', "=", "1.", ",(", "à\\")
DECODER = Decoder(LogsSettings())


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line, and the log source and fields that its text has."""

    line: str
    logsource: Logsource
    fields: dict[str, str]


def samples(table: Path) -> list[Sample]:
    return [msgspec.json.decode(line, type=Sample) for line in table.read_bytes().splitlines()]


SAMPLES = [
    pytest.param(sample, id=f"{table.stem}-{number}")
    for table in TABLES
    for number, sample in enumerate(samples(table))
]
EACH_TABLE = pytest.mark.parametrize("table", TABLES, ids=[table.stem for table in TABLES])


def taken(line: str) -> Message:
    return parse(line, SEEN, VIETNAM)


def decoded(raw: bytes) -> Event:
    return DECODER.decode(Frame("192.0.2.250", "udp", raw, SEEN), "logs/1/1").event


@EACH_TABLE
def test_a_dialect_has_samples_enough_and_each_is_another(table):
    lines = [sample.line for sample in samples(table)]
    assert len(lines) >= FEWEST
    assert len(set(lines)) == len(lines)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_line_says_exactly_what_its_row_expects(sample):
    assert understand(taken(sample.line)) == (sample.logsource, sample.fields)


@pytest.mark.parametrize("sample", SAMPLES)
def test_what_a_line_says_is_in_the_event_beside_its_raw_bytes(sample):
    event = decoded(sample.line.encode())
    assert event.logsource == sample.logsource
    assert sample.fields.items() <= event.fields.items()
    assert event.raw == sample.line.encode()


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_line_is_claimed_by_no_other_dialect(sample):
    message = taken(sample.line)
    claims = {said[0].product for reader in (*DEVICES, *FORMATS) if (said := reader(message)) is not None}
    assert claims <= {sample.logsource.product}


@EACH_TABLE
def test_a_line_cut_at_any_byte_is_of_the_same_product_or_of_none(table):
    strange = []
    for sample in samples(table):
        raw = sample.line.encode()
        for end in range(1, len(raw)):
            event = decoded(raw[:end])
            shared = event.fields.get("process.name") in juniper.SHARED
            if event.logsource.product not in ("", "haidang", sample.logsource.product) and not shared:
                strange.append(raw[:end])
    assert strange == []


@EACH_TABLE
def test_no_line_that_goes_on_for_64_kilobytes_takes_long(table):
    slow = []
    for sample in samples(table):
        half = sample.line[: len(sample.line) * 2 // 3]
        for start, repeated in ((sample.line, sample.line), *((half, junk) for junk in JUNK)):
            message = taken(start + repeated * (LONGEST // len(repeated)))
            begun = time.process_time()
            understand(message)
            if time.process_time() - begun > MOST_SECONDS:
                slow.append((start, repeated))
    assert slow == []


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if not sample.values[0].line.isascii()])
def test_a_line_in_decomposed_letters_says_the_same_and_its_raw_bytes_stay(sample):
    raw = unicodedata.normalize("NFD", sample.line).encode()
    event = decoded(raw)
    assert raw != sample.line.encode()
    assert sample.fields.items() <= event.fields.items()
    assert event.raw == raw


@EACH_TABLE
def test_every_source_is_described(table):
    described = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
    terms = {sample.logsource.service or sample.logsource.product for sample in samples(table)}
    assert [term for term in terms if f"`{term}`" not in described and f": {term}`" not in described] == []


HEADS = [
    "CEF:0|Fortinet|Fortigate|7|1|x|5|src=192.0.2.99 act=allow",
    "LEEF:1.0|IBM|Guardium|11|x|src=192.0.2.99",
    '{"atype":"authenticate","result":0}',
    '{"DBUSERNAME":"x","ACTION_NAME":"LOGON","RETURN_CODE":0}',
    "10,11/24/26,06:31:07,Assign,192.0.2.99,x,001122334455,,0,6,",
    "11/24/2026 6:31:07 AM 0B10 PACKET  00000001 UDP Rcv 192.0.2.99 7a3b   Q [0001   D   NOERROR] A      (1)x(0)",
]


@pytest.mark.parametrize("head", HEADS)
def test_such_a_head_is_known_where_it_stands_first(head):
    assert understand(taken(f"<134>Nov 24 06:31:07 box {head}"))[0].service != "syslog"


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("sshd[7]: Failed password for invalid user {} from 203.0.113.45 port 1 ssh2", ("linux", "sshd")),
        ("sudo: {} : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id", ("linux", "sudo")),
        ("su[7]: {}", ("linux", "auth")),
        ("nginx: {}", ("", "nginx")),
        ("dovecot: {}", ("linux", "mail")),
        ("%ASA-6-605005: {}", ("cisco", "asa")),
        ("some-daemon[7]: a user wrote {}", ("", "syslog")),
    ],
)
def test_a_head_that_a_user_wrote_takes_no_message_from_its_dialect(line, source, head):
    found = understand(taken("<38>Nov 24 06:31:07 box " + line.replace("{}", head)))[0]
    assert (found.product, found.service) == source


LINES = st.sampled_from([sample.values[0].line for sample in SAMPLES])
PLACES = st.integers(0, 400)


@given(LINES, LINES, PLACES, PLACES)
def test_any_two_lines_joined_anywhere_are_understood_without_fail(one, other, end, start):
    logsource, fields = understand(taken(one[:end] + other[start:]))
    assert isinstance(logsource, Logsource)
    assert all(isinstance(value, str) and name for name, value in fields.items())
