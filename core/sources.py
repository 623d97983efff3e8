"""What a logs lane knows of its sources, written to a file that pages and commands read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from core.files import replace_file
from core.records import Record
from core.versioned import Versioned, load_versioned


class SourceState(StrEnum):
    """What is true of a source now."""

    LEARNING = "learning"  # too new to say what is usual
    ALIVE = "alive"
    SILENT = "silent"  # nothing for longer than its limit
    SURGING = "surging"  # at least twice its usual rate


class Source(Record, frozen=True, kw_only=True):
    """One sender of logs. Times are nanoseconds UTC, durations seconds, rates messages a second.

    Attributes:
        address: its IP address.
        device: its name in the inventory, or as it calls itself; empty if neither is known.
        site: whose it is; empty if unknown.
        known: whether the inventory knows the address.
        kinds: what its messages are, as ``product/service``, the most frequent first.
        ways: how they come: udp, tcp, tls, relp, http, file.
        first: when it was first heard.
        last: when it was last heard.
        state: what is true of it.
        since: since when.
        rate: of the last minute.
        usual: as learnt from its own past; 0 while too little is known.
        received: messages since the lane began to count, and what became of them:
        stored: on disk as events.
        duplicates: sent again and folded.
        quarantined: kept aside, for they were no messages.
        dropped: lost for want of room, or over the source's limit.
        understood: stored ones whose dialect is known.
        untrusted: ones whose own clock was not believed.
        lag: how long after they happened they come, smoothed; None where they tell no time.
        offset: how far the source's clock is ahead (behind, if negative), by the least lag of late; None likewise.
        zone: the IANA zone in which its times are read.
        zone_from: where that is said: ``settings``, ``inventory`` or ``lane``.
        limit: how long it may be silent.
        limit_from: where that is said: ``settings``, ``learnt`` or ``default``.
    """

    address: str
    device: str = ""
    site: str = ""
    known: bool = False
    kinds: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    first: int
    last: int
    state: SourceState = SourceState.LEARNING
    since: int = 0
    rate: float = 0.0
    usual: float = 0.0
    received: int = 0
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0
    dropped: int = 0
    understood: int = 0
    untrusted: int = 0
    lag: float | None = None
    offset: float | None = None
    zone: str = ""
    zone_from: str = "lane"
    limit: float = 0.0
    limit_from: str = "default"


class Sources(Versioned, frozen=True, kw_only=True):
    """The file: all sources as they were at a time; ``unlisted`` are those beyond the most that are kept apart."""

    written: int = 0
    sources: tuple[Source, ...] = ()
    unlisted: int = 0


def write_sources(path: Path, sources: Sources) -> None:
    """Replaces the file whole.

    Raises:
        OSError: it cannot be written.
    """
    replace_file(path, msgspec.json.encode(sources))


def read_sources(path: Path) -> Sources:
    """The file; without one there are no sources yet.

    Raises:
        IntegrityError: it is not a file of this format.
        UnavailableError: the disk does not give it.
    """
    return load_versioned(path, Sources, "the logs lane writes it anew when it runs")
