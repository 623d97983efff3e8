"""One variant in a process of its own: ``python -m lab.bench.variant NAME WORK`` prints its result as JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable

import msgspec

from lab.bench import ours
from lab.bench.measure import Result, Work

VARIANTS: dict[str, Callable[[Work], Result]] = {
    "cold": ours.cold,
    "warm": ours.warm,
    "decoded": ours.warm_events,
    "latency": ours.latency,
    "together": ours.together,
}


def main(name: str, work: bytes) -> None:
    """Measures one variant."""
    variant = VARIANTS.get(name)
    if variant is None:
        from lab.bench.peers import PEERS  # noqa: PLC0415 - our own start must not pay for them

        variant = PEERS[name]
    sys.stdout.buffer.write(msgspec.json.encode(variant(msgspec.json.decode(work, type=Work))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2].encode())
