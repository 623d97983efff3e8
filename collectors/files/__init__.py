"""Readers of event files: one file in, its events and what is wrong with the others out.

A reader never stops at a bad record: it names it and goes on. An event's id is ``file/NAME/RECORD``, records counted
from 0: lines in files of lines, whatever they hold, and records in EVTX files.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from collectors.files import eve, evtx, jsonl, syslog, zeek
from collectors.files.found import Reader
from collectors.files.lines import beginning

READERS: Mapping[str, Reader] = {
    "evtx": evtx.read,
    "jsonl": jsonl.read,
    "syslog": syslog.read,
    "eve": eve.read,
    "zeek": zeek.read,
}
"""Every kind of file by its name."""


def guess(path: Path) -> str:
    """The name of the reader that a file is for, by its first bytes and its name.

    Raises:
        UnavailableError: the file cannot be read.
    """
    start = beginning(path)
    if start.startswith(evtx.MAGIC):
        return "evtx"
    if start.startswith(zeek.MAGIC):
        return "zeek"
    if not start.startswith(b"{"):
        return "syslog"
    if b'"event_type"' in start and b'"flow_id"' in start:
        return "eve"
    return "zeek" if b'"id.orig_h"' in start or b'"_path"' in start else "jsonl"
