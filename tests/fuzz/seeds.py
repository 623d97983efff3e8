"""What fuzzing starts from: a few whole inputs of each kind, made here or taken from the samples beside the tests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

from core.stores.spool import MAGIC

SAMPLES = Path(__file__).parent.parent / "collectors" / "dialects"

SYSLOG = (
    b'<34>1 2026-11-25T21:30:07.003+07:00 sv-01 sshd 2231 ID47 [a@1 k="v\\]"] \xef\xbb\xbfFailed password',
    b"<38>Nov 25 21:30:07 sv-01 sshd[2231]: Accepted publickey for van_a from 192.0.2.1 port 22 ssh2",
    b"<189>000042: rt-01: *Nov 25 2026 21:30:07.123 ICT: %LINK-3-UPDOWN: Interface Gi0/1, changed state to up",
    b"<13>2026-11-25 21:30:60,5 x: y",
    b"<166>:Nov 25 21:30:07 UTC: %ASA-6-302013: Built inbound TCP connection 1 for outside:1.2.3.4/5 (1.2.3.4/5)",
    "<14>Nov 25 21:30:07 máy-chủ phần-mềm: tiếng Việt".encode(),
)
TCP = (b"16 <13>counted text" + b"12 <13>another\n", b"<13>a line\n<13>another\n", b"4 <1>a\n\n9 <13>b\nc\n")
RELP = (
    b"1 open 85 relp_version=0\nrelp_software=librelp,1.10.0,http://librelp.adiscon.com\ncommands=syslog\n",
    b"2 syslog 12 <13>a message\n3 syslog 3 <1>\n4 close 0\n",
)
JSON = (
    b'{"@timestamp": "2026-11-25T14:30:07Z", "a": {"b": [{"c": 1}, {"c": [true, null]}]}, "n": 1e3}',
    b'{"logsource": {"product": "linux"}, "fields": {"user.name": "x", "n": 12}, "time": 1795312267000000000}',
    b'{"a": 123456789012345678901234567890, "b": "\\ud800", "c": NaN, "d": -1e999}',
    b'{"winlog": {"channel": "Security", "event_data": {"Target User": "x"}}, "event": {"code": 4625}}',
)
EVE = (
    b'{"timestamp": "2026-11-25T21:30:07.123456+0700", "flow_id": 1, "event_type": "alert", "alert": {"sid": [1]}}',
    b'{"event_type": "dns", "dns": {"answers": [{"rrname": "a", "ttl": 1}]}}',
)
ZEEK = (
    (
        b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
        b"#fields\tts\tid.orig_p\ttunnel\tok\n#types\ttime\tport\tset[string]\tbool\n1795312267.1\t22\ta,b\\x2c\tT\n"
    ),
    b'{"_path": "dns", "ts": 1795312267.5, "answers": ["a", "b"]}\n',
)
WINDOWS = (
    (
        b'{"Event": {"#attributes": {"xmlns": "x"}, "System": {"Provider": {"#attributes": {"Name": "Security"}}, '
        b'"EventID": {"#text": 4625, "#attributes": {"Qualifiers": 0}}, "Channel": "Security"}, '
        b'"EventData": {"#attributes": {"Name": "n"}, "Data": ["a", {"#text": "b"}], "Target User": "x"}}}'
    ),
    b'{"Event": {"System": {"EventID": 104}, "UserData": {"LogFileCleared": {"Channel": "System", "x": {"y": 1}}}}}',
)
BULK = (
    b'{"create": {"_index": "logs", "_id": "1"}}\n{"message": "x"}\n{"index": {}}\n{"a": {"b": 1}}\n',
    b'{"delete": {"_id": "1"}}\n',
    b'{"index": {}}\n{"n": 123456789012345678901234567890}\n',
    b'{"create": {}}\n{"fields": {}, "logsource": {}, "time": 1000000000000000000}\n',
    gzip.compress(b'{"index": {}}\n{"message": "packed"}\n', mtime=0),
)
SEGMENTS = (MAGIC, MAGIC + b"\x01\x00\x00\x00", b"\x83\xa6format\x01\xa7streams\x80\xa5marks\x80\xffrecord")


def dialect(name: str) -> Sequence[bytes]:
    """The texts of a dialect's samples, each after what stands before it on the wire."""
    lines = [json.loads(line)["line"] for line in (SAMPLES / f"{name}.jsonl").read_bytes().splitlines()]
    return [line.encode() for line in lines]


def every_dialect() -> Sequence[bytes]:
    """The first samples of all dialects."""
    return [line for path in sorted(SAMPLES.glob("*.jsonl")) for line in dialect(path.stem)[:4]]
