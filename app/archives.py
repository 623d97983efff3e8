"""Files out of a folder or an archive that a stranger may have made: nothing is unpacked, everything has a bound.

What is taken stays in memory under the name that the archive gives it; no name ever becomes a path. Links, devices and
the like are passed over. Sources: tar(5), .ZIP File Format Specification 6.3.
"""

from __future__ import annotations

import io
import lzma
import os
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, Protocol

from core.errors import ContentError
from core.rule_text import MAX_FILE

MOST_MEMBERS = 100_000
MOST_BYTES = 64 << 20
"""Of all files taken together; all of SigmaHQ's rules have 6 MB."""

MOST_STREAM = 1 << 30
"""Bytes that a compressed archive may unpack to, the files that are passed over included."""

MOST_ARCHIVE = 256 << 20
MOST_HEADER = 64 << 10
MOST_NAME = 300
XZ_MEMORY = 128 << 20
"""Bytes that unpacking xz may use; level 9 takes 65 MB (xz(1))."""

_BLOCK = 1 << 18
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)
_UNKNOWN = (NotImplementedError, RuntimeError)
"""What Python's readers raise on damaged archives, and on encrypted ones or those of an unknown kind."""


class Found(NamedTuple):
    """A file: its name with ``/``, and its content, None for a link or what else is no plain file.

    Of a file that is larger than a rule may be there is one byte more than allowed, so that its reader sees the excess.
    """

    name: str
    content: bytes | None


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /, max_length: int = ...) -> bytes: ...


def read_files(source: Path, is_wanted: Callable[[str], bool]) -> Iterator[Found]:
    """The wanted files of a folder, .tar, .tar.gz, .tar.xz or .zip; ``is_wanted`` is asked by name.

    Raises:
        ContentError: it cannot be read, names a file outside of itself, or goes beyond a bound.
    """
    members = _members(source)
    try:
        yield from _bounded(members, is_wanted, source)
    except (*_DAMAGED, *_UNKNOWN) as error:
        raise ContentError(f"{source} cannot be read to its end: {error}; fetch it again") from error
    except OSError as error:
        raise ContentError(f"{source} cannot be read: {error.strerror or error}") from error


def safe_name(name: str) -> str:
    """The name as we keep it: NFC, and without a leading ``./``.

    Raises:
        ContentError: it leads outside, is too long, or holds what cannot be printed.
    """
    path = PurePosixPath(unicodedata.normalize("NFC", name))
    told = ascii(name[:80])
    if path.is_absolute() or ".." in path.parts or "\\" in name or not path.parts:
        raise ContentError(f"the file name {told} leads outside of the pack: it is not taken")
    if len(name) > MOST_NAME or not str(path).isprintable():
        raise ContentError(f"the file name {told} is longer than {MOST_NAME} characters or cannot be printed")
    return str(path)


class _Member(NamedTuple):
    """A member of an archive; ``read`` gives up to so many of its bytes, None for what is no plain file."""

    name: str
    read: Callable[[int], bytes] | None


def _bounded(members: Iterator[_Member], is_wanted: Callable[[str], bool], source: Path) -> Iterator[Found]:
    total, seen = 0, set[str]()
    for number, member in enumerate(members):
        if number >= MOST_MEMBERS:
            raise ContentError(f"{source} holds more than {MOST_MEMBERS} files")
        if not is_wanted(member.name):
            continue
        name = safe_name(member.name)
        if name in seen:
            raise ContentError(f"{source} holds {name} twice")
        seen.add(name)
        content = member.read(MAX_FILE + 1) if member.read else None
        total += len(content or b"")
        if total > MOST_BYTES:
            raise ContentError(f"the rules in {source} have more than {MOST_BYTES >> 20} MiB")
        yield Found(name, content)


def _members(source: Path) -> Iterator[_Member]:
    if source.is_dir():
        return _of_folder(source)
    try:
        size = source.stat().st_size
    except OSError as error:
        raise ContentError(f"{source} cannot be read: {error.strerror}") from error
    if size > MOST_ARCHIVE:
        raise ContentError(f"{source} is larger than {MOST_ARCHIVE >> 20} MiB")
    return _of_zip(source) if source.suffix.lower() == ".zip" else _of_tar(source)


def _of_folder(source: Path) -> Iterator[_Member]:
    for folder, folders, files in os.walk(source):  # it enters no linked folder
        folders.sort()
        for file in sorted(files):
            path = Path(folder, file)
            is_plain = path.is_file() and not path.is_symlink()
            yield _Member(path.relative_to(source).as_posix(), _reader(path) if is_plain else None)


def _reader(path: Path) -> Callable[[int], bytes]:
    def read(most: int) -> bytes:
        with path.open("rb") as file:
            return file.read(most)

    return read


def _of_zip(source: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(source) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                yield _Member(info.filename, _zip_reader(archive, info))


def _zip_reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[int], bytes] | None:
    kind = info.external_attr >> 28  # the upper bits of Unix's mode; 0 where another system made it
    if kind not in {0, 8}:
        return None

    def read(most: int) -> bytes:
        with archive.open(info) as file:
            return file.read(most)

    return read


class _Info(tarfile.TarInfo):
    """A member of a tar archive whose long names have a bound: they are read whole."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _LONG and self.size > MOST_HEADER:
            raise tarfile.ReadError(f"a header has more than {MOST_HEADER} bytes")
        member: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]  # no stub; meant for overriding
        return member


_LONG = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


def _of_tar(source: Path) -> Iterator[_Member]:
    with (
        source.open("rb") as packed,
        tarfile.open(fileobj=_Stream(packed), mode="r|", tarinfo=_Info) as archive,
    ):
        for info in archive:
            if not info.isdir():
                file = archive.extractfile(info) if info.isreg() else None
                yield _Member(info.name, file.read if file else None)


class _Stream(io.RawIOBase):
    """A compressed or plain file as its bytes, which end in an error after ``MOST_STREAM``."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        begin = packed.read(6)
        packed.seek(0)
        self._fresh = _UNPACKERS.get(begin[:2])
        self._unpacker = self._fresh() if self._fresh else None
        self._waiting = b""
        self._given = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Up to so many bytes; fewer only at the end."""
        parts: list[bytes] = []
        while size > 0 and (part := self._some(size)):
            parts.append(part)
            size -= len(part)
            self._given += len(part)
            if self._given > MOST_STREAM:
                raise ContentError(f"the archive unpacks to more than {MOST_STREAM >> 20} MiB")
        return b"".join(parts)

    def _some(self, size: int) -> bytes:
        if self._unpacker is None:
            return self._packed.read(size)
        while not self._unpacker.eof or self._next_part():
            part = self._unpacker.decompress(self._input(), size)
            self._waiting = getattr(self._unpacker, "unconsumed_tail", b"")
            if part:
                return part
        return b""

    def _input(self) -> bytes:
        if not getattr(self._unpacker, "needs_input", True):
            return b""  # xz keeps what it was given; gzip gives it back
        data = self._waiting or self._packed.read(_BLOCK)
        if not data:
            raise EOFError("it ends in the middle")
        return data

    def _next_part(self) -> bool:
        """Goes on with what is appended to a finished stream (RFC 1952, section 2.2); False at the end."""
        rest = self._unpacker.unused_data if self._unpacker else b""
        self._waiting = rest or self._packed.read(_BLOCK)
        if self._waiting.strip(b"\0") and self._fresh:
            self._unpacker = self._fresh()
            return True
        return False


_UNPACKERS: dict[bytes, Callable[[], _Unpacker]] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(wbits=31),
    b"\xfd7": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY),
}
"""By the first two bytes of a file: gzip (RFC 1952) and xz."""
