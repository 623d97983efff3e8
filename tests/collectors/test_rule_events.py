"""The events beside the network rules are what the decoder makes of their raw lines, no more and no less."""

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

SEEN = from_datetime(datetime(2026, 11, 24, 15, 0, 0, tzinfo=VIETNAM))
DECODER = Decoder(LogsSettings())
NETWORK = Path(detections.__file__).parent / "rules" / "network"
EXAMPLES = [
    pytest.param(msgspec.json.decode(line), id=f"{path.name.removesuffix('.events.jsonl')}-{number}")
    for path in sorted(NETWORK.glob("*.events.jsonl"))
    for number, line in enumerate(path.read_bytes().splitlines())
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_raw_line_decodes_to_exactly_the_stored_source_and_fields(example):
    frame = Frame(example["fields"]["observer.ip"], "udp", example["raw"].encode(), SEEN)
    event = DECODER.decode(frame, "logs/7/42").event
    assert event.logsource == Logsource(**example["logsource"])
    assert event.fields == {**example["fields"], "network.transport": "udp"}


def test_every_kind_of_device_has_its_rules():
    sources = {(e.values[0]["logsource"]["product"], e.values[0]["logsource"]["service"]) for e in EXAMPLES}
    devices = {"ios", "asa", "vrp", "event", "utm", "junos", "system", "config", "threat", "globalprotect", "routeros"}
    assert devices <= {service for _, service in sources}
