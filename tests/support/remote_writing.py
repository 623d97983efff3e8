"""Remote-write requests: made of rows, and read back by the wire format alone."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import cramjam

from core.clock import SECOND
from core.remote_write_wire import Encoder

NOW = 1_795_312_267 * SECOND


def fields(data: bytes) -> Iterator[tuple[int, object]]:
    """A protobuf message's fields by its wire format: an independent reading, with no table of ours."""
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    while at < len(data):
        tag = number()
        match tag & 7:
            case 0:
                yield tag >> 3, number()
            case 1:
                yield tag >> 3, struct.unpack("<d", data[at : at + 8])[0]
                at += 8
            case 2:
                size = number()
                assert at + size <= len(data)
                yield tag >> 3, data[at : at + size]
                at += size
            case other:
                raise AssertionError(other)


def decoded(body: bytes) -> list[tuple[dict[str, str], int, float]]:
    """The samples of a request: labels, milliseconds, value."""
    found = []
    for field, series in fields(bytes(cramjam.snappy.decompress_raw(body))):
        assert field == 1
        labels, samples = [], []
        for inner, part in fields(series):
            if inner == 1:
                pair = dict(fields(part))
                labels.append((pair[1].decode(), pair[2].decode()))
            else:
                assert inner == 2
                samples.append(dict(fields(part)))
        assert labels == sorted(labels), "the specification wants labels in order"
        assert len({name for name, _ in labels}) == len(labels)
        found += [(dict(labels), sample[2], sample[1]) for sample in samples]
    return found


def rows(*polls: tuple[int, float | None], device: str = "sw", **columns) -> dict[str, list]:
    """Interface rows of one port: seconds after now, and what comes in."""
    count = len(polls)
    keys = {"site": ["tha"] * count, "device": [device] * count, "object": ["Gi0/1"] * count}
    times = [NOW + seconds * SECOND for seconds, _ in polls]
    return {**keys, "time": times, "in_bps": [value for _, value in polls], **columns}


def encode(table: str, given) -> list[tuple[dict[str, str], int, float]]:
    return [sample for one in Encoder(lambda _: "vks-tha").encode({table: given}) for sample in decoded(one.body)]
