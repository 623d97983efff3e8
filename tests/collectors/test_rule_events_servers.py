"""The events beside the rules for identity, servers and services are what their raw lines are decoded to, whole."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
import pytest

import detections
from collectors.logs.decode import Decoder
from collectors.logs.frames import Frame
from core.clock import VIETNAM, from_datetime
from core.records import Logsource
from core.settings import LogsSettings

SEEN = from_datetime(datetime(2026, 11, 22, 6, 52, 0, tzinfo=VIETNAM))
DECODER = Decoder(LogsSettings())
RULES = Path(detections.__file__).parent / "rules"
EXAMPLES = [
    pytest.param(msgspec.json.decode(line), id=f"{path.stem.removesuffix('.events')}-{number}")
    for area in ("identity", "servers", "services")
    for path in sorted((RULES / area).glob("*.events.jsonl"))
    for number, line in enumerate(path.read_bytes().splitlines())
]
WINDOWS = [example for example in EXAMPLES if example.values[0]["logsource"]["product"] == "windows"]
SYSLOG = [example for example in EXAMPLES if example not in WINDOWS]


@pytest.mark.parametrize("example", SYSLOG)
def test_a_syslog_example_is_what_its_raw_line_decodes_to(example):
    frame = Frame(example["fields"]["observer.ip"], "tcp", example["raw"].encode(), SEEN)
    decoded = DECODER.decode(frame, "logs/7/42")
    assert not decoded.quarantined
    assert decoded.event.logsource == Logsource(**example["logsource"])
    assert decoded.event.fields == {**example["fields"], "network.transport": "tcp"}


@pytest.mark.parametrize("example", WINDOWS)
def test_a_windows_example_is_its_raw_json(example):
    assert msgspec.json.decode(example["raw"]) == example["fields"]


def test_there_are_examples_of_both_kinds():
    assert len(SYSLOG) >= 120
    assert len(WINDOWS) >= 45
