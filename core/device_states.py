"""What the SNMP lane knows of each device that it polls, written to a file that pages and commands read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from core.files import replace_file
from core.records import Record
from core.versioned import Versioned, load_versioned


class Reach(StrEnum):
    """What is true of a device now."""

    UNKNOWN = "unknown"  # not asked yet, or it has missed too few polls to say
    UP = "up"
    DOWN = "down"  # it does not answer
    REFUSED = "refused"  # it is there and takes none of the credential sets


class DeviceState(Record, frozen=True, kw_only=True):
    """One device. Times are nanoseconds UTC. No secret is in it, only names of credential sets.

    Attributes:
        name: in the inventory, as ``site`` and ``address``.
        since: when it came into this state.
        profile: the name of the profile by which it is read; empty before its first answer.
        family_known: whether the profile is that of its family, and not the one of unknown families.
        object_id: sysObjectID; empty where it says none.
        credential: the name of the credential set that it took.
        refused: names of sets that it did not take, by the last try.
        failure: why the last poll had no answer: a value of ``collectors.snmp.failures.Failure``; empty if it had one.
        answered: when it answered last; 0 if it never did.
        rtt_ms: milliseconds until the first answer of the last poll.
        late_s: seconds that the last poll began later than planned.
        varbinds: values that the last poll brought.
        errors: what was not as it should be in the last poll: values missing, answers cut short, timeouts.
        missed: polls without an answer since the last one that had one.
        interfaces: how many it has.
        restarted: when it was last seen to have started anew; 0 if it was not.
    """

    name: str
    site: str
    address: str
    state: Reach = Reach.UNKNOWN
    since: int = 0
    profile: str = ""
    family_known: bool = True
    object_id: str = ""
    credential: str = ""
    refused: tuple[str, ...] = ()
    failure: str = ""
    answered: int = 0
    rtt_ms: float = 0.0
    late_s: float = 0.0
    varbinds: int = 0
    errors: int = 0
    missed: int = 0
    interfaces: int = 0
    restarted: int = 0


class DeviceStates(Versioned, frozen=True, kw_only=True):
    """The file: all devices that are polled as they were at a time, and how often a device is polled, in seconds."""

    written: int = 0
    period: float = 0.0
    devices: tuple[DeviceState, ...] = ()

    def by_name(self) -> dict[str, DeviceState]:
        """The devices by their names."""
        return {one.name: one for one in self.devices}


def write_device_states(path: Path, states: DeviceStates) -> None:
    """Replaces the file whole.

    Raises:
        OSError: it cannot be written.
    """
    replace_file(path, msgspec.json.encode(states))


def read_device_states(path: Path) -> DeviceStates:
    """The file; without one no device is polled yet.

    Raises:
        IntegrityError: it is not a file of this format.
        UnavailableError: the disk does not give it.
    """
    return load_versioned(path, DeviceStates, "the SNMP lane writes it anew when it runs")
