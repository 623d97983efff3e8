"""The roll of devices that are polled: what is true of each, for pages and commands. No time, no files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from app.snmp.plan import Planned
from collectors.snmp.failures import Failure
from collectors.snmp.layouts import Layout
from collectors.snmp.pacing import FAILURES
from collectors.snmp.profiles import INTERFACES
from collectors.snmp.readings import Reading
from core.clock import MILLISECOND, SECOND
from core.device_states import DeviceState, DeviceStates, Reach


class Roll:
    """All devices of the plan with their states.

    Args:
        kept: as they were when the last process ended.
    """

    def __init__(self, kept: DeviceStates) -> None:
        self._states = kept.by_name()

    def replace(self, devices: Iterable[Planned]) -> None:
        """The devices are now these; what is known of those that stay is kept."""
        found: dict[str, DeviceState] = {}
        for one in devices:
            known = self._states.get(one.name)
            same = known is not None and known.address == one.address
            fresh = DeviceState(name=one.name, site=one.site, address=one.address)
            found[one.name] = msgspec.structs.replace(known, site=one.site) if known is not None and same else fresh
        self._states = found

    def answered(self, reading: Reading, layout: Layout, credential: str, refused: tuple[str, ...]) -> None:
        """A device was polled."""
        state = self._states.get(reading.device)
        if state is None:
            return
        table = reading.tables.get(INTERFACES)
        tally = reading.tally
        self._states[state.name] = msgspec.structs.replace(
            _moved(state, Reach.UP, reading.time_ns),
            profile=layout.profile.name,
            family_known=layout.known,
            object_id=layout.identity.object_id,
            credential=credential,
            refused=refused,
            failure="",
            answered=reading.time_ns,
            rtt_ms=round(reading.rtt_ns / MILLISECOND, 3),
            late_s=round(reading.late_ns / SECOND, 3),
            varbinds=tally.varbinds + tally.walked,
            errors=tally.errors,
            missed=0,
            interfaces=len(table.names) if table is not None else 0,
            restarted=reading.time_ns if reading.restarted else state.restarted,
        )

    def failed(self, device: str, failure: Failure, refused: tuple[str, ...], now: int) -> None:
        """A device has not answered a poll."""
        state = self._states.get(device)
        if state is None:
            return
        missed = state.missed + 1
        reach = _reach(state.state, failure, missed)
        changed = msgspec.structs.replace(_moved(state, reach, now), failure=str(failure), missed=missed)
        self._states[device] = msgspec.structs.replace(changed, refused=refused)

    def content(self, now: int, period: float) -> DeviceStates:
        """All of them, for the file."""
        return DeviceStates(written=now, period=period, devices=tuple(self._states.values()))

    def counts(self) -> Mapping[Reach, int]:
        """How many are in each state."""
        counted = Counter(one.state for one in self._states.values())
        return {reach: counted[reach] for reach in Reach}


def _reach(before: Reach, failure: Failure, missed: int) -> Reach:
    """What is true of a device after so many polls without an answer; one that was there is given some."""
    is_certain = missed >= FAILURES or before is not Reach.UP
    if failure.is_credential and is_certain:
        return Reach.REFUSED
    return Reach.DOWN if missed >= FAILURES else before


def _moved(state: DeviceState, reach: Reach, now: int) -> DeviceState:
    return state if state.state is reach else msgspec.structs.replace(state, state=reach, since=now)
