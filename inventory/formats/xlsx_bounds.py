"""Makes a workbook safe to read: what a reader would hold in memory is counted before it is built.

A small .xlsx can claim a sheet of 16 billion cells, inflate a thousandfold, or show one long text a million times. Each
part is inflated within bounds and scanned as XML; what passes is packed anew, so that the reader sees what was counted.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from xml.parsers import expat

from core.errors import ContentError

MAX_PARTS = 1000
MAX_INFLATED = 128 * 1024 * 1024
"""Bytes of all parts together."""

MAX_ROWS = 200_000
MAX_COLUMNS = 100
MAX_CELLS = 2_000_000
"""Of all sheets together."""

MAX_TEXT = 64 * 1024 * 1024
"""Letters in all cells together."""

MAX_CLAIM = 2_000_000
_CLAIMS = frozenset({"count", "uniqueCount"})
"""Attributes by which a reader sets memory aside before it has seen anything, and the most that they may claim."""

_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


def checked_workbook(name: str, data: bytes) -> bytes:
    """The workbook with only those parts that are XML and within the bounds.

    Raises:
        ContentError: it is no workbook, or larger than any bound.
    """
    try:
        parts = _inflate(name, data)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ContentError(f"{name}: not a workbook ({error}); expected .xlsx without a password") from error
    tally = _Tally(name)
    # The shared texts first, since the cells only point to them.
    for part in sorted(parts, key=lambda part: "sharedstrings" not in part.lower()):
        if not _scan(parts[part], tally):
            parts[part] = b""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for part, content in parts.items():
            if content:
                archive.writestr(zipfile.ZipInfo(part), content)
    return packed.getvalue()


def _inflate(name: str, data: bytes) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    left = MAX_INFLATED
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if len(entries) > MAX_PARTS:
            raise ContentError(f"{name}: {len(entries)} parts; expected a workbook of at most {MAX_PARTS}")
        for entry in entries:
            with archive.open(entry) as file:
                content = file.read(left + 1)
            left -= len(content)
            if left < 0:
                raise ContentError(f"{name}: larger than {MAX_INFLATED} bytes unpacked; expected a smaller workbook")
            if entry.filename in parts:
                raise ContentError(f"{name}: part {entry.filename!r} twice; expected each once")
            parts[entry.filename] = content
    return parts


def _scan(content: bytes, tally: _Tally) -> bool:
    """Counts what the part holds; False if it is not XML in UTF-8, and then no reader needs it."""
    parser = expat.ParserCreate("UTF-8")  # whatever it says of itself: what is counted is what is read
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = tally.refuse_doctype
    parser.StartElementHandler = tally.start
    parser.EndElementHandler = tally.end
    parser.CharacterDataHandler = tally.text
    try:
        parser.Parse(content, True)
    except expat.ExpatError:
        return False
    tally.end_part()
    return True


@dataclass
class _Tally:
    """What the parts of one workbook hold."""

    name: str
    cells: int = 0
    letters: int = 0
    shared: list[int] = field(default_factory=list)
    in_shared: bool = False
    in_value: bool = False
    points: bool = False
    value: list[str] = field(default_factory=list)
    length: int = 0
    column: int = 0
    row: int = 0
    saw_shared: int = 0
    part_shared: bool = False

    def refuse_doctype(self, *_: object) -> None:
        """No workbook has one; it is where entities are declared that swell."""
        raise ContentError(f"{self.name}: holds a document type; expected a workbook")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        tag = tag.rpartition(":")[2]
        for claim in _CLAIMS & attributes.keys():
            self._within(_number(attributes[claim], MAX_CLAIM + 1), MAX_CLAIM, claim)
        if tag == "c":
            self._cell(attributes)
        elif tag == "row":
            self.row = self._within(_number(attributes.get("r"), self.row + 1), MAX_ROWS, "rows")
            self.column = 0
        elif tag == "si":
            self.in_shared, self.part_shared, self.length = True, True, 0
        elif tag == "v":
            self.in_value, self.value = True, []

    def end(self, tag: str) -> None:
        """An element ends."""
        tag = tag.rpartition(":")[2]
        if tag == "si":
            self.in_shared = False
            self.shared.append(self.length)
        elif tag == "v":
            self.in_value = False
            self._count_shared()

    def text(self, text: str) -> None:
        """Text within an element, perhaps a part of it."""
        if self.in_shared:
            self.length += len(text)
        else:
            self.letters = self._within(self.letters + len(text), MAX_TEXT, "letters")
            if self.in_value:
                self.value.append(text)

    def end_part(self) -> None:
        """A part ends; shared texts in two parts would leave open which of them a cell shows."""
        self.saw_shared += self.part_shared
        self.row, self.column, self.part_shared = 0, 0, False
        if self.saw_shared > 1:
            raise ContentError(f"{self.name}: shared texts in two parts; expected a workbook as a spreadsheet saves it")

    def _cell(self, attributes: dict[str, str]) -> None:
        self.cells = self._within(self.cells + 1, MAX_CELLS, "cells")
        self.points = attributes.get("t") == "s"
        found = _PLACE.fullmatch(attributes.get("r", ""))
        self.column = self._within(_letters(found[1]) if found else self.column + 1, MAX_COLUMNS, "columns")
        if found:
            self._within(int(found[2]), MAX_ROWS, "rows")
        elif "r" in attributes:
            raise ContentError(f"{self.name}: a cell at {attributes['r']!r:.40}; expected one such as B7")

    def _count_shared(self) -> None:
        number = _number("".join(self.value), -1) if self.points else -1
        if 0 <= number < len(self.shared):
            self.letters = self._within(self.letters + self.shared[number], MAX_TEXT, "letters")

    def _within(self, count: int, most: int, what: str) -> int:
        if count > most:
            raise ContentError(f"{self.name}: more than {most} {what}; expected a smaller workbook")
        return count


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else otherwise  # noqa: PLR2004


def _letters(column: str) -> int:
    number = 0
    for letter in column:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
