"""What polls bring as rows: one row a name, hosts folded, words as codes, a silent device as such."""

from __future__ import annotations

import pytest

from app.snmp.rows import RowBatch
from collectors.snmp.failures import Failure
from collectors.snmp.profiles import shipped_profiles
from collectors.snmp.readings import Reading, Table, Tally
from core.clock import SECOND

NOW = 1_795_312_267 * SECOND
PROFILES = shipped_profiles().by_name


def reading(**tables: Table) -> Reading:
    return Reading(
        device="d",
        site="s",
        unit="u",
        time_ns=NOW,
        steady_ns=SECOND,
        uptime=1,
        tables=tables,
        tally=Tally(varbinds=5, walked=2, missing=1),
        rtt_ns=SECOND // 500,
        late_ns=SECOND // 4,
    )


def table(series: str, *names: str, constants=None, labels=None, **columns) -> Table:
    return Table(
        indexes=tuple(map(str, range(len(names)))),
        names=names,
        columns=columns,
        series=series,
        constants=constants or {},
        labels=labels or {},
    )


def rows_of(profile: str, **tables: Table) -> dict[str, list[dict[str, object]]]:
    """The rows by table, each with what it has."""
    batch = RowBatch()
    batch.read(None, reading(**tables), PROFILES[profile])
    found = {
        name: [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
        for name, columns in batch.tables.items()
    }
    assert batch.count == sum(map(len, found.values()))
    return {
        name: [{key: cell for key, cell in row.items() if cell is not None} for row in rows]
        for name, rows in found.items()
    }


def values(row: dict[str, object]) -> dict[str, object]:
    assert (row["site"], row["device"], row["time"]) == ("s", "d", NOW)
    return {name: cell for name, cell in row.items() if name not in {"site", "device", "time"}}


def test_every_poll_tells_of_the_device_itself():
    (row,) = rows_of("generic")["devices"]
    assert values(row) == {"object": "", "up": 1, "rtt_ms": 2.0, "late_s": 0.25, "varbinds": 7, "errors": 1}


def test_a_device_that_does_not_answer_is_a_row_with_the_reason():
    batch = RowBatch()
    batch.failed(reading(), Failure.WRONG_AUTH_KEY)
    assert batch.tables["devices"]["up"] == [0]
    assert batch.tables["devices"]["gap"] == ["wrong_auth_key"]
    assert batch.tables["devices"]["late_s"] == [None], "what was not answered says nothing of how late polls are"


def test_the_words_of_a_ports_states_are_their_codes():
    ports = table("interfaces", "a", "b", "c", oper=["up", "lower_layer_down", None], admin=["up", "down", "up"])
    found = rows_of("generic", interfaces=ports)["interfaces"]
    assert [(row.get("oper"), row["admin"], row["gap"]) for row in found] == [
        (1, 1, "first"),
        (7, 2, "first"),
        (None, 1, "first"),
    ]


def test_processors_and_memories_of_a_host_become_one_row():
    found = rows_of(
        "net_snmp",
        processors=table("hosts", "1", "2", cpu=[10, 30]),
        memory=table("hosts", "system", memory_used=[5.0], memory_total=[9.0]),
        loads=table("hosts", "Load-1", "Load-5", load=[0.5, 0.25]),
        host=table("hosts", "system", processes=[77]),
    )["hosts"]
    (row,) = found
    assert {name: row[name] for name in ("memory_used", "memory_total", "load1", "processes")} == {
        "memory_used": 5.0,
        "memory_total": 9.0,
        "load1": 0.5,
        "processes": 77,
    }
    assert row["cpu"] in {10, 20.0}


@pytest.mark.parametrize(
    ("profile", "name", "labels", "columns"),
    [
        ("juniper", "juniper_boards", {"memory_total": (2000, 1000, None)}, {}),
        ("huawei", "huawei_boards", {"memory_total": (2000, 1000, None)}, {}),
        ("hp_aruba", "comware_boards", {"memory_total": (2000, 1000, None)}, {}),
        ("fortinet", "fortigate", {}, {"memory_total": [2000, 1000, None]}),
    ],
)
def test_memory_that_is_told_in_percent_is_bytes_of_its_total(profile, name, labels, columns):
    boards = table("hosts", "a", "b", "c", labels=labels, memory_percent=[30, None, 50], **columns)
    (row,) = rows_of(profile, **{name: boards})["hosts"]
    assert (row["memory_used"], row["memory_total"]) == (600.0, 2000)


def test_memory_in_percent_of_nobody_knows_what_is_not_stored():
    found = rows_of("juniper", juniper_boards=table("hosts", "a", memory_percent=[30], cpu=[5]))
    (row,) = found["hosts"]
    assert row["cpu"] == 5
    assert not {"memory_used", "memory_total", "memory_percent"} & row.keys()


def test_a_sensor_whose_device_names_the_unit_has_it():
    sensors = table("sensors", "a", "b", labels={"kind": ("other", "other"), "unit": ("dBm", "")}, value=[-3.5, 1])
    found = rows_of("generic", entity_sensors=sensors)["sensors"]
    assert [row.get("unit") for row in found] == ["dBm", None]


def test_a_disk_of_which_two_mibs_tell_is_one_row_and_what_is_no_disk_is_none():
    found = rows_of(
        "net_snmp",
        storage=table("disks", "/", "/var", used=[1.0, 2.0], size=[10.0, 20.0]),
        ucd_disks=table("disks", "/", used=[1.5], size=[10.0]),
        swap=table("disks", "swap", size=[5.0]),
    )["disks"]
    assert [(row["object"], row["used"], row["total"]) for row in found] == [("/", 1.0, 10.0), ("/var", 2.0, 20.0)]


def test_a_probes_temperature_and_humidity_are_two_sensors():
    found = rows_of(
        "apc",
        pdu_temperatures=table("sensors", "door", constants={"kind": "temperature", "unit": "°C"}, value=[21.5]),
        pdu_humidities=table("sensors", "door", constants={"kind": "humidity", "unit": "%"}, value=[None]),
    )["sensors"]
    assert [(row["object"], row["kind"], row["unit"], row.get("value"), row.get("gap")) for row in found] == [
        ("door", "temperature", "°C", 21.5, None),
        ("door (humidity)", "humidity", "%", None, "missing"),
    ]


@pytest.mark.parametrize(("source", "share"), [("battery", 1), ("mains", 0), (None, None)])
def test_a_ups_tells_whether_it_runs_on_battery(source, share):
    found = rows_of("ups", ups=table("power", "ups", source=[source], charge=[80], minutes_left=[12]))["power"]
    assert [(row.get("on_battery"), row["charge"], row["minutes_left"]) for row in found] == [(share, 80, 12)]


def test_a_neighbour_is_a_row_with_its_state():
    bgp = table("peers", "10.0.0.2", constants={"kind": "bgp"}, state=["established"], uptime=[60])
    (row,) = rows_of("generic", bgp=bgp)["peers"]
    assert (row["object"], row["kind"], row["state"], row["uptime"]) == ("10.0.0.2", "bgp", "established", 60)
