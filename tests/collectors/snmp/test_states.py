from __future__ import annotations

import pytest

from collectors.snmp.failures import Failure
from collectors.snmp.readings import Reading, Table, Tally
from collectors.snmp.states import Known, Limits, failed_changes, read_changes, to_change

NOW = 1_795_312_267_000_000_000


def reading(name: str = "interfaces", *, restarted: bool = False, **given) -> Reading:
    rows = given.pop("rows", ("Gi1/0/1",))
    labels, constants, series = given.pop("labels", {}), given.pop("constants", {}), given.pop("series", "interfaces")
    columns = {column: cells if isinstance(cells, list) else [cells] for column, cells in given.items()}
    table = Table(indexes=rows, names=rows, columns=columns, labels=labels, constants=constants, series=series)
    return Reading(
        device="SW-1", site="tha", unit="vks", time_ns=NOW, steady_ns=1, uptime=5, tables={name: table}, tally=Tally(),
        restarted=restarted,
    )  # fmt: skip


def told(*readings: Reading, limits: dict[str, Limits] | None = None) -> list[tuple[str, str, str]]:
    known: Known | None = None
    found = []
    for one in readings:
        known, changes = read_changes(known, one, limits or {})
        found += [(change.service, change.action, change.row) for change in changes]
    return found


def test_the_first_reading_tells_nothing():
    assert told(reading(oper="down", admin="up")) == []


def test_a_port_that_goes_down_and_up_is_told():
    readings = [reading(oper=oper, admin="up") for oper in ("up", "down", "down", "up")]
    assert told(*readings) == [("link", "link_down", "Gi1/0/1"), ("link", "link_up", "Gi1/0/1")]


def test_a_port_that_is_switched_off_is_told_as_such_and_once():
    readings = [reading(oper=oper, admin=admin) for oper, admin in (("up", "up"), ("down", "down"), ("up", "up"))]
    assert told(*readings) == [
        ("link", "link_disabled", "Gi1/0/1"), ("link", "link_enabled", "Gi1/0/1"), ("link", "link_up", "Gi1/0/1"),
    ]  # fmt: skip


def test_a_missing_state_is_no_change():
    readings = [reading(oper=oper, admin="up") for oper in ("up", None, "unknown", "up")]
    assert told(*readings) == []


def test_a_shuffled_row_is_no_change():
    before = reading(rows=("a", "b"), oper=["up", "down"], admin=["up", "up"])
    after = reading(rows=("b", "a"), oper=["down", "up"], admin=["up", "up"])
    assert told(before, after) == []


def temperatures(*values: float | None) -> list[Reading]:
    return [
        reading(
            "t", rows=("phòng máy",), value=value, series="sensors", constants={"kind": "temperature", "unit": "°C"}
        )
        for value in values
    ]


def test_a_sensor_crosses_its_limit_once_and_comes_back_by_more_than_a_hair():
    limits = {"temperature": Limits(high=30, low=10, hysteresis=2)}
    values = (25, 31, 29.5, 30.5, 28.5, 27.9, 9, 11, 12.5)
    actions = [action for _, action, _ in told(*temperatures(*values), limits=limits)]
    assert actions == ["sensor_high", "sensor_normal", "sensor_low", "sensor_normal"]


def test_a_sensor_without_a_value_is_neither_well_nor_ill():
    limits = {"temperature": Limits(high=30)}
    assert [action for _, action, _ in told(*temperatures(20, 31, None, 31), limits=limits)] == ["sensor_high"]


@pytest.mark.parametrize("key", ["t/phòng máy", "t", "temperature"])
def test_the_most_exact_limit_counts(key):
    limits = {"temperature": Limits(high=100), "t": Limits(high=90)} | {key: Limits(high=30)}
    expected = [] if key == "temperature" else ["sensor_high"]
    assert [action for _, action, _ in told(*temperatures(20, 31), limits=limits)] == expected


def test_power_is_told_when_it_goes_to_the_battery_and_back():
    readings = [
        reading("ups", rows=("ups",), source=source, series="power") for source in ("mains", "battery", "mains")
    ]
    assert told(*readings) == [("env", "power_on_battery", "ups"), ("env", "power_restored", "ups")]


def test_a_sensor_that_says_itself_that_it_is_ill_is_told():
    readings = [
        reading("fans", rows=("Fan 1",), state=state, series="sensors") for state in ("normal", "failed", "normal")
    ]
    assert told(*readings) == [("env", "sensor_alarm", "Fan 1"), ("env", "sensor_normal", "Fan 1")]


def test_a_process_that_has_to_run_is_told_as_such():
    readings = [
        reading("watched", rows=("sshd",), state=state, series="sensors", constants={"kind": "process"})
        for state in ("normal", "failed", "normal")
    ]
    assert told(*readings) == [("device", "process_failed", "sshd"), ("device", "process_normal", "sshd")]


def test_a_neighbour_that_is_lost_is_told_by_its_protocol():
    states = ("established", "active", "connect", "established")
    readings = [
        reading("bgp_peers", rows=("10.0.0.1",), state=state, series="peers", constants={"kind": "bgp"})
        for state in states
    ]
    assert told(*readings) == [("link", "bgp_neighbour_down", "10.0.0.1"), ("link", "bgp_neighbour_up", "10.0.0.1")]


def test_a_value_is_told_in_the_unit_of_its_table_or_of_its_row():
    limits = {"power": Limits(high=10)}
    readings = [
        reading("s", rows=("a",), value=value, series="sensors", constants={"kind": "power"}, labels={"unit": ("dBm",)})
        for value in (1, 11)
    ]
    known, _ = read_changes(None, readings[0], limits)
    _, (change,) = read_changes(known, readings[1], limits)
    assert change.text == "Sensor a: 11 dBm, high"


def test_silence_is_told_once_and_so_is_its_end():
    known, changes = failed_changes(None, "SW-1", Failure.SILENT)
    assert [change.action for change in changes] == ["device_silent"]
    known, changes = failed_changes(known, "SW-1", Failure.SILENT)
    assert changes == []
    known, changes = read_changes(known, reading(oper="up", admin="up"))
    assert [change.action for change in changes] == ["device_answers"]
    assert not known.silent


def test_a_credential_that_is_refused_is_told_apart_from_silence():
    _, changes = failed_changes(Known(), "SW-1", Failure.WRONG_AUTH_KEY)
    assert changes[0].action == "device_refuses_credential"
    assert changes[0].fields["event.reason"] == "wrong_auth_key"


def test_a_restart_is_told():
    assert told(reading(oper="up"), reading(oper="up", restarted=True)) == [("device", "device_restarted", "")]


def test_a_change_says_whose_it_is_and_what():
    known, _ = read_changes(None, reading(oper="up", admin="up"))
    after = reading(oper="down", admin="up", labels={"alias": ("to HQ",)})
    _, (change,) = read_changes(known, after)
    line = to_change(change, after, "10.0.0.1")
    assert line.service == "link"
    assert (line.device, line.site, line.unit, line.time) == ("SW-1", "tha", "vks", NOW)
    assert line.fields == {
        "event.action": "link_down", "host.name": "SW-1", "host.ip": "10.0.0.1", "observer.ip": "10.0.0.1",
        "interface.name": "Gi1/0/1", "interface.alias": "to HQ", "haidang.state": "down", "haidang.state.before": "up",
        "haidang.object": "SW-1/Gi1/0/1", "message": "Interface Gi1/0/1 (to HQ): up -> down",
    }  # fmt: skip
