"""An event as rules see it: fields by their ECS names, and everything for keywords."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from core.names import FieldNames
    from core.records import Event, FieldValue

Scalar: TypeAlias = str | int | float | bool
"""One value of a field; a list holds several."""

OWN_FIELDS: Mapping[str, Callable[[Event], FieldValue]] = {
    "@timestamp": lambda event: event.time,
    "unit": lambda event: event.unit or None,
    "site": lambda event: event.site or None,
    "device": lambda event: event.device or None,
}
"""What the event knows of itself, for a rule that names it; a decoded field of the same name goes first."""


def field_value(event: Event, keys: Iterable[str]) -> FieldValue:
    """What the event has under the first of these keys that it has; None if it has none."""
    for key in keys:
        if key in event.fields:
            return event.fields[key]
        own = OWN_FIELDS.get(key)
        if own and (value := own(event)) is not None:
            return value
    return None


def scalars(value: FieldValue) -> tuple[Scalar, ...]:
    """The single values: none of None, each of a list, otherwise the value itself."""
    if isinstance(value, list):
        return tuple(value)
    return () if value is None else (value,)


def own_fields(event: Event) -> dict[str, FieldValue]:
    """What the event knows of itself, by the names that rules may use."""
    known = ((name, own(event)) for name, own in OWN_FIELDS.items())
    return {name: value for name, value in known if value is not None}


def everything_in(fields: Mapping[str, FieldValue], raw: bytes) -> Iterator[Scalar]:
    """What keywords are looked for in: each value of each field, and the raw message as text.

    A raw message that is a JSON object is left out: its values are the fields, and its keys are no values.
    """
    for value in fields.values():
        yield from scalars(value)
    if not raw.startswith(b"{"):
        yield raw.decode("utf-8", "replace")


class View:
    """One event during one match; what several rules ask for is prepared once."""

    __slots__ = ("_event", "_everything", "_names")

    def __init__(self, event: Event, names: FieldNames) -> None:
        self._event = event
        self._names = names
        self._everything: tuple[Scalar, ...] | None = None

    def has(self, field: str) -> bool:
        """Whether the field is there, be its value empty or null (Sigma modifiers 2.1, ``exists``)."""
        keys = self._names[field]
        return any(key in self._event.fields for key in keys) or field_value(self._event, keys) is not None

    def values(self, field: str) -> tuple[Scalar, ...]:
        """The field's single values; empty if it is missing, None or an empty list."""
        return scalars(field_value(self._event, self._names[field]))

    def everything(self) -> tuple[Scalar, ...]:
        """What keywords are looked for in."""
        if self._everything is None:
            self._everything = tuple(everything_in(self._event.fields, self._event.raw))
        return self._everything
