"""A computer: HOST-RESOURCES-MIB (RFC 2790) and UCD-SNMP-MIB as net-snmp answers them."""

from __future__ import annotations

from lab.fleet.ber import COUNTER32, GAUGE32, INTEGER, OBJECT_ID, OCTET_STRING, TIME_TICKS
from lab.fleet.mib_vendors import cpu, memory
from lab.fleet.state import State
from lab.fleet.tables import Compute, Table, always, numbered, scalars, table

PROCESSORS = 4
MEMORY_KIB = 16_384_000
SWAP_KIB = 2_000_000
DISKS: tuple[tuple[str, str, int], ...] = (("/", "/dev/sda1", 40_000_000), ("/var", "/dev/sdb1", 200_000_000))
"""Where each is mounted, its device, and its kibibytes."""

_UNIT = 4096
_RAM, _FIXED_DISK, _SWAP = "1.3.6.1.2.1.25.2.1.2", "1.3.6.1.2.1.25.2.1.4", "1.3.6.1.2.1.25.2.1.3"
_STORES = (
    ("Physical memory", _RAM, MEMORY_KIB),
    ("Swap space", _SWAP, SWAP_KIB),
    *((mount, _FIXED_DISK, size) for mount, _, size in DISKS),
)
_JIFFIES = 100


def _disk_share(state: State, row: int) -> float:
    return state.wave(f"disk {row}", 0.3, 0.85)


def _store_used(state: State, row: int) -> int:
    shares = (memory(state) / 100, 0.05, *(_disk_share(state, disk) for disk in range(len(DISKS))))
    return round(_STORES[row][2] * 1024 // _UNIT * shares[row])


def _load(minutes: int) -> Compute:
    def text(state: State, _row: int) -> str:
        return f"{state.wave(f'load {minutes}', 0.05, 3.0):.2f}"

    return text


_LOADS = tuple(_load(minutes) for minutes in (1, 5, 15))


def _load_hundredths(state: State, row: int) -> int:
    return round(100 * float(str(_LOADS[row](state, row))))


def _disk_used(state: State, row: int) -> int:
    return round(DISKS[row][2] * _disk_share(state, row))


def _jiffies(share: float) -> Compute:
    """Ticks of a kind of time; each goes on at an even pace."""
    return lambda state, _row: round(state.uptime / 100 * _JIFFIES * PROCESSORS * share)


HOST: tuple[Table, ...] = (
    scalars(
        "1.3.6.1.2.1.25.1",
        {
            "1": (TIME_TICKS, lambda state: state.uptime),
            "5": (GAUGE32, lambda _state: 1),
            "6": (GAUGE32, lambda state: round(state.wave("processes", 150, 320))),
            "7": (INTEGER, lambda _state: 0),
        },
    ),
    scalars("1.3.6.1.2.1.25.2", {"2": (INTEGER, lambda _state: MEMORY_KIB)}),
    table(
        "1.3.6.1.2.1.25.2.3.1",
        {
            1: (INTEGER, lambda _state, row: row + 1),
            2: (OBJECT_ID, lambda _state, row: _STORES[row][1]),
            3: (OCTET_STRING, lambda _state, row: _STORES[row][0]),
            4: (INTEGER, always(_UNIT)),
            5: (INTEGER, lambda _state, row: _STORES[row][2] * 1024 // _UNIT),
            6: (INTEGER, _store_used),
        },
        numbered(len(_STORES)),
    ),
    table(
        "1.3.6.1.2.1.25.3.3.1",
        {1: (OBJECT_ID, always("0.0")), 2: (INTEGER, lambda state, _row: cpu(state))},
        numbered(PROCESSORS, 196_608),
    ),
)

UCD: tuple[Table, ...] = (
    scalars(
        "1.3.6.1.4.1.2021.4",
        {
            "3": (INTEGER, lambda _state: SWAP_KIB),
            "4": (INTEGER, lambda _state: SWAP_KIB * 95 // 100),
            "5": (INTEGER, lambda _state: MEMORY_KIB),
            "6": (INTEGER, lambda state: MEMORY_KIB * (100 - memory(state)) // 100),
            "11": (INTEGER, lambda state: SWAP_KIB * 95 // 100 + MEMORY_KIB * (100 - memory(state)) // 100),
            "13": (INTEGER, lambda _state: 0),
            "14": (INTEGER, lambda _state: 320_000),
            "15": (INTEGER, lambda _state: 1_200_000),
        },
    ),
    table(
        "1.3.6.1.4.1.2021.9.1",
        {
            1: (INTEGER, lambda _state, row: row + 1),
            2: (OCTET_STRING, lambda _state, row: DISKS[row][0]),
            3: (OCTET_STRING, lambda _state, row: DISKS[row][1]),
            6: (INTEGER, lambda _state, row: DISKS[row][2]),
            7: (INTEGER, lambda state, row: DISKS[row][2] - _disk_used(state, row)),
            8: (INTEGER, _disk_used),
            9: (INTEGER, lambda state, row: round(100 * _disk_share(state, row))),
            100: (INTEGER, always(0)),
        },
        numbered(len(DISKS)),
    ),
    table(
        "1.3.6.1.4.1.2021.10.1",
        {
            1: (INTEGER, lambda _state, row: row + 1),
            2: (OCTET_STRING, lambda _state, row: f"Load-{(1, 5, 15)[row]}"),
            3: (OCTET_STRING, lambda state, row: _LOADS[row](state, row)),
            5: (INTEGER, _load_hundredths),
        },
        numbered(3),
    ),
    scalars(
        "1.3.6.1.4.1.2021.11",
        {
            "9": (INTEGER, lambda state: cpu(state) * 7 // 10),
            "10": (INTEGER, lambda state: cpu(state) - cpu(state) * 7 // 10),
            "11": (INTEGER, lambda state: 100 - cpu(state)),
            "50": (COUNTER32, lambda state: _jiffies(0.1)(state, 0)),
            "51": (COUNTER32, lambda state: _jiffies(0.01)(state, 0)),
            "52": (COUNTER32, lambda state: _jiffies(0.05)(state, 0)),
            "53": (COUNTER32, lambda state: _jiffies(0.8)(state, 0)),
            "54": (COUNTER32, lambda state: _jiffies(0.02)(state, 0)),
        },
    ),
)
