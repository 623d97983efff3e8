"""Packs of rules: what of a source is a rule, how it differs from what is in use, and how it travels to the centre."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Collection, Mapping
from itertools import groupby
from pathlib import Path, PurePosixPath

import msgspec

from app.archives import MOST_BYTES, read_files, safe_name
from core.errors import ContentError
from core.records import Record
from core.rule_text import MAX_FILE, PREFIX, pack_of
from core.sigma import TAKEN, RuleSet

MOST_FILES = 20_000
"""Rule files of a pack; SigmaHQ has 3,780."""

LEFT_OUT = ("deprecated", "unsupported", "regression_data", "tests", "documentation", "images")
"""Folders of SigmaHQ's repository that hold no rules, or none to be used; at its top or below ``rules``."""

_RULE = re.compile(rb"^(detection|correlation|filter)[ \t]*:", re.MULTILINE)


class Source(Record, frozen=True, kw_only=True):
    """What was read: the rule files by their path in the pack, and how many other files were passed over, by why.

    The reasons are ``link`` (or no plain file), ``large``, ``no rule``, and the folders of ``LEFT_OUT``.
    """

    files: dict[str, bytes]
    passed: dict[str, int]


class Difference(Record, frozen=True, kw_only=True):
    """How a pack's files differ from those of its active version, by path."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    same: int

    @property
    def is_none(self) -> bool:
        """Whether they are the same."""
        return not (self.added or self.changed or self.removed)


class Survey(Record, frozen=True, kw_only=True):
    """What a pack's rules are, loaded beside all others.

    Attributes:
        rules: how many load.
        levels: how many of each level.
        products: how many of each product.
        refused: the pack's files that would not be used, and why.
        taken: those of them whose id or name a rule has that goes before.
        displaced: files in use, not of this pack, that would be used no longer, and why.
    """

    rules: int
    levels: dict[str, int]
    products: dict[str, int]
    refused: dict[str, str]
    taken: tuple[str, ...]
    displaced: dict[str, str]


def read_source(source: Path) -> Source:
    """The rules of a folder or archive in SigmaHQ's layout or any other: every ``*.yml`` that is a Sigma rule.

    One folder in which everything lies, as archives of a repository have it, is left out of the paths.

    Raises:
        ContentError: it cannot be read, goes beyond a bound, or holds no rule.
    """
    files: dict[str, bytes] = {}
    passed: Counter[str] = Counter()
    for found in read_files(source, lambda name: name.endswith(".yml")):
        reason = _left_out(found.name) or _unfit(found.content)
        if reason:
            passed[reason] += 1
        elif found.content is not None:
            files[found.name] = found.content
    if not files:
        raise ContentError(f"{source} holds no Sigma rule: expected *.yml with 'detection' or 'correlation'")
    if len(files) > MOST_FILES:
        raise ContentError(f"{source} holds more than {MOST_FILES} rules: split it into several packs")
    top = _common_top(files)
    return Source(files={name.removeprefix(top): files[name] for name in sorted(files)}, passed=dict(passed))


def difference(active: Mapping[str, str], files: Mapping[str, bytes]) -> Difference:
    """How the files differ from the active version's manifest (path to SHA-256)."""
    new = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    both = sorted(new.keys() & active.keys())
    changed = tuple(path for path in both if new[path] != active[path])
    return Difference(
        added=tuple(sorted(new.keys() - active.keys())),
        changed=changed,
        removed=tuple(sorted(active.keys() - new.keys())),
        same=len(both) - len(changed),
    )


def survey(loaded: RuleSet, name: str, unused: Collection[str] = ()) -> Survey:
    """What the loaded rules of this pack are; ``unused`` are the files that are not in use now."""
    every = [rule.info for rule in loaded.rules] + [rule.info for rule in loaded.correlations]
    infos = [info for info in every if pack_of(info.file) == name]
    start = f"{PREFIX}{name}/"
    refused = {one.file.removeprefix(start): one.reason for one in loaded.refused if one.file.startswith(start)}
    return Survey(
        rules=len(infos),
        levels=dict(Counter(info.level.value for info in sorted(infos, key=lambda info: -info.level.rank))),
        products=dict(Counter(info.logsource.product for info in infos).most_common()),
        refused=refused,
        taken=tuple(file for file, reason in refused.items() if TAKEN in reason),
        displaced={
            one.file: one.reason for one in loaded.refused if not one.file.startswith(start) and one.file not in unused
        },
    )


def in_snapshot(name: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The pack's files by their names in a snapshot."""
    return {f"{PREFIX}{name}/{path}": content for path, content in files.items()}


def beside(packs: Mapping[str, bytes], name: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of all packs with those of this pack, which stand where its present ones do, else last."""
    new = in_snapshot(name, files)
    found: dict[str, bytes] = {}
    for pack, part in groupby(packs.items(), key=lambda item: pack_of(item[0])):
        found |= new if pack == name else dict(part)
    return found | new


def encode_files(files: Mapping[str, bytes]) -> bytes:
    """The files as they travel to the centre: MessagePack in zlib (RFC 1950)."""
    return zlib.compress(msgspec.msgpack.encode(files, order="sorted"))


def decode_files(content: bytes) -> dict[str, bytes]:
    """The files that came.

    Raises:
        ContentError: it is not what ``encode_files`` makes, or goes beyond a bound.
    """
    unpacker = zlib.decompressobj()
    try:
        packed = unpacker.decompress(content, 2 * MOST_BYTES)
        files = msgspec.msgpack.decode(packed, type=dict[str, bytes])
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContentError(f"the pack cannot be read: {error}") from error
    sizes = [len(text) for text in files.values()]
    if len(files) > MOST_FILES or sum(sizes) > MOST_BYTES or max(sizes, default=0) > MAX_FILE:
        raise ContentError(f"the pack has more than {MOST_FILES} rules or {MOST_BYTES >> 20} MiB, or a file too large")
    if any(safe_name(name) != name for name in files):
        raise ContentError("the pack holds a file whose name is not in its plain form")
    return files


def _left_out(name: str) -> str:
    """The folder for which a file is passed over: one of the first three of its path, as LEFT_OUT says."""
    folders = PurePosixPath(name).parts[:-1][:3]
    return next((folder for folder in folders if folder in LEFT_OUT), "")


def _unfit(content: bytes | None) -> str:
    if content is None:
        return "link"
    if len(content) > MAX_FILE:
        return "large"
    return "" if _RULE.search(content) else "no rule"


def _common_top(files: Mapping[str, bytes]) -> str:
    """The one folder in which all files lie, unless it is itself one of rules."""
    tops = {PurePosixPath(name).parts[0] for name in files}
    top = next(iter(tops))
    inside = all("/" in name for name in files)
    return f"{top}/" if len(tops) == 1 and inside and not top.startswith("rules") else ""
