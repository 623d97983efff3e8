"""Scenarios: what which device says when. Reading and planning are pure; ``lab.play`` sends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypeVar

import msgspec
import yaml

from core.errors import ContentError
from core.files import read_bounded
from core.records import Record
from inventory.records import Device, Inventory
from lab.framing import frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES = 1024 * 1024
"""Largest scenario file."""

MAX_LINES = 1_000_000
"""Most lines that one scenario may send."""

_S = TypeVar("_S", bound=Record)

Transport: TypeAlias = Literal["udp", "tcp"]
Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
Line: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=8_000, pattern=r"^[^\x00-\x1f]+$")]

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_WANTED = "expected a mapping with title: {vi, en} and steps: [...]"


class Title(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens, in Vietnamese and English."""

    vi: str
    en: str


class Step(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that one device says, perhaps often.

    Attributes:
        at: seconds after the start.
        device: name of the sender; or else ``site``, whose device with this ``role`` it is.
        lines: text with {n} (1 for the first repetition), {device} and {address}; see ``lab.framing`` for the forms.
        repeat: how often all lines are sent.
        every: seconds from one repetition to the next.
    """

    at: Seconds
    lines: Annotated[tuple[Line, ...], msgspec.Meta(min_length=1, max_length=1_000)]
    device: str = ""
    site: str = ""
    role: str = "router"
    transport: Transport = "udp"
    repeat: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    every: Seconds = 1.0


class Scenario(Record, frozen=True, kw_only=True):
    """A title and its steps; ``source`` is the file, for messages."""

    title: Title
    steps: tuple[Step, ...]
    source: str = "scenario"


class Planned(Record, frozen=True, kw_only=True):
    """One line to send: when (seconds after the start), from which device, how."""

    at: float
    device: Device
    text: str
    transport: Transport = "udp"

    @property
    def source_address(self) -> str:
        """The device's own address, from which the line is sent."""
        return self.device.address

    def payload(self, now: int, sequence: int) -> bytes:
        """The line as the device writes it at ``now`` (nanoseconds UTC)."""
        return frame(self.device, self.text, now, sequence)


def load_scenario(path: Path) -> Scenario:
    """The scenario in this YAML file.

    Raises:
        ContentError: the file cannot be read or a step is wrong; names file, step and what was expected.
    """
    document = _document(path)
    if not isinstance(document, dict) or set(document) != {"title", "steps"} or not isinstance(document["steps"], list):
        raise ContentError(f"{path}: {_WANTED}")
    steps = tuple(_step(f"{path}, step {number}", step) for number, step in enumerate(document["steps"], 1))
    return Scenario(title=_convert(f"{path}, title", document["title"], Title), steps=steps, source=str(path))


def plan(scenario: Scenario, sector: Inventory) -> list[Planned]:
    """Every line of the scenario in the order of its time; equal times keep the file's order.

    Raises:
        ContentError: a step names a device or site that the sector has not, its text does not fit the device's log
            form, or the whole is more than a million lines.
    """
    if sum(step.repeat * len(step.lines) for step in scenario.steps) > MAX_LINES:
        raise ContentError(f"{scenario.source}: more than {MAX_LINES} lines; expected fewer: lower a step's repeat")
    lines: list[Planned] = []
    for number, step in enumerate(scenario.steps, 1):
        place = f"{scenario.source}, step {number}"
        device = _sender(place, step, sector)
        _try_lines(place, step, device)
        lines.extend(_lines(step, device))
    return sorted(lines, key=lambda line: line.at)


def _document(path: Path) -> Any:
    data = read_bounded(path, MAX_BYTES, _WANTED)
    try:
        return yaml.safe_load(data.decode())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ContentError(f"{path}: not YAML in UTF-8 ({reason}); {_WANTED}") from error


def _step(place: str, raw: object) -> Step:
    step = _convert(place, raw, Step)
    if bool(step.device) == bool(step.site):
        raise ContentError(f"{place}: expected either device or site")
    return step


def _convert(place: str, raw: object, kind: type[_S]) -> _S:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        columns = ", ".join(kind.__struct_fields__)
        raise ContentError(f"{place}: {error}; expected {columns}") from error


def _sender(place: str, step: Step, sector: Inventory) -> Device:
    if step.device:
        found = sector.device_named(step.device)
        wanted = f"device {step.device!r}"
    else:
        of_site = (device for device in sector.devices if (device.site, device.role) == (step.site, step.role))
        found = next(of_site, None)
        wanted = f"{step.role} at site {step.site!r}"
    if found is None:
        raise ContentError(f"{place}: no {wanted}; expected one of the sector's (python -m lab sector)")
    return found


def _try_lines(place: str, step: Step, device: Device) -> None:
    """Finds out now, not in the middle of the play, whether every line can be sent."""
    for line in step.lines:
        try:
            frame(device, _fill(line, device, 1), 0, 1)
        except ValueError as error:
            raise ContentError(f"{place}: {error}") from error


def _lines(step: Step, device: Device) -> Iterator[Planned]:
    for turn in range(step.repeat):
        for line in step.lines:
            text = _fill(line, device, turn + 1)
            yield Planned(at=step.at + turn * step.every, device=device, text=text, transport=step.transport)


def _fill(line: str, device: Device, turn: int) -> str:
    values = {"n": str(turn), "device": device.name, "address": device.address}

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise ValueError(f"unknown placeholder {match[0]}; expected {{n}}, {{device}} or {{address}}")
        return values[match[1]]

    return _PLACEHOLDER.sub(value, line)
