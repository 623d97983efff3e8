"""Windows events as flat fields, from the form in which they are printed as JSON.

What stands in System keeps its name, its attributes are joined to it (``Provider_Name``, ``Execution_ProcessID``); what
stands in EventData and UserData has its own names, without blanks (``Threat Name`` is ``ThreatName``), for so Sigma's
rules write them. Source: Windows event schema (MS-EVEN6; "Event Schema" of the Windows Event Log).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collectors.files.flat import flattened
from core.records import Fields

ATTRIBUTES, TEXT = "#attributes", "#text"
_TEMPLATE = "xmlns"

_SHIPPED = ("winlog.event_data.", "winlog.user_data.")

ECS = {"Channel": "winlog.channel", "EventID": "event.code", "Computer": "host.name", "Provider_Name": "event.provider"}
"""Under which names System's parts stand where EventData has the same: event 104 tells which channel was cleared."""


def is_record(document: Mapping[str, Any]) -> bool:
    """Whether this is an event as Windows has it: ``{"Event": {"System": ...}}``."""
    event = document.get("Event")
    return isinstance(event, dict) and isinstance(event.get("System"), dict)


def record_fields(document: Mapping[str, Any]) -> Fields:
    """The fields of such an event.

    Raises:
        ContentError: it is nested beyond `collectors.files.flat`'s bounds.
    """
    event = document["Event"]
    data = flattened({**_event_data(event.get("EventData")), **_user_data(event.get("UserData"))})
    data = {"".join(name.split()): "" if value is None else value for name, value in data.items()}
    system = flattened(dict(_system(event["System"])))
    for name, value in system.items():
        data[ECS.get(name, f"System_{name}") if name in data else name] = value
    return data


def _system(system: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in system.items():
        if not isinstance(value, dict):
            yield name, value
            continue
        if TEXT in value:
            yield name, value[TEXT]
        for attribute, inner in _mapping(value.get(ATTRIBUTES)).items():
            yield f"{name}_{attribute}", inner


def _event_data(part: Any) -> dict[str, Any]:
    """Data without names is one list; the part's own name, which some providers give, is ``EventData_Name``."""
    if not isinstance(part, dict):
        return {}
    named = {name: _plain(value) for name, value in part.items() if name not in {ATTRIBUTES, TEXT}}
    own = _mapping(part.get(ATTRIBUTES)).get("Name")
    return {"EventData_Name": own, **named} if own else named


def _user_data(part: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for inner in _mapping(part).values():
        found |= {name: _plain(value) for name, value in _mapping(inner).items() if name not in {ATTRIBUTES, TEXT}}
    return found


def _plain(value: Any) -> Any:
    """The value without what only says how it was written."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if TEXT in value:
        return _plain(value[TEXT])
    return {name: _plain(inner) for name, inner in value.items() if name != ATTRIBUTES} or ""


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def shipped_fields(fields: Fields) -> Fields:
    """The fields of an event that Winlogbeat sent, those of its data under their own names."""
    return {_own_name(name): value for name, value in fields.items()}


def _own_name(name: str) -> str:
    for prefix in _SHIPPED:
        if name.startswith(prefix):
            return "".join(name.removeprefix(prefix).split())
    return name
