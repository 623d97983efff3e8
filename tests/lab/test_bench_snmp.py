"""The measurement of SNMP polls one small fleet by all that are installed; how long things take is not for a test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.commands import bench as bench_command
from core.errors import UnavailableError
from lab.bench import snmp, snmp_pollers
from lab.bench.measure import spent
from lab.bench.programs import program
from lab.bench.snmp_pollers import BULKWALK, EXPORTER, GET, modules, own
from lab.bench.snmp_work import Devices, Taken, columns, scalars
from lab.cli import main

DEVICES = Devices(addresses=("127.10.1.1",), port=1, interfaces=4)
SMALL = ["bench", "snmp", "--size", "1x2x4", "--rounds", "1", "--json"]
VALUES = 2 * (3 + 12 * 4)
needs_peers = pytest.mark.skipif(not all(map(program, (EXPORTER, BULKWALK, GET))), reason="a peer is missing")


def test_the_work_is_what_our_profile_reads_each_minute() -> None:
    assert [one.object.partition("::")[2] for one in scalars()] == ["sysUpTime", "ifTableLastChange", "ifNumber"]
    assert {one.object.partition("::")[2] for one in columns()} == {
        *("ifAdminStatus", "ifOperStatus", "ifHighSpeed", "ifCounterDiscontinuityTime"),
        *("ifHCInOctets", "ifHCOutOctets", "ifHCInUcastPkts", "ifHCOutUcastPkts"),
        *("ifInErrors", "ifOutErrors", "ifInDiscards", "ifOutDiscards"),
    }
    for module in modules().values():
        assert module["walk"] == [one.oid for one in columns()]
        assert len(module["metrics"]) == 15


@needs_peers
def test_a_run_tells_as_many_values_of_all_and_the_ratios_of_both_versions(capsys) -> None:
    assert main(SMALL) == 0
    told = capsys.readouterr()
    report = json.loads(told.out)
    assert report["work"] == "snmp"
    results = {one["name"]: one for one in report["results"]}
    assert list(results) == [
        "ours, v2c",
        "snmp_exporter, v2c",
        "snmpbulkwalk_tables, v2c",
        "snmpbulkwalk_columns, v2c",
        "ours, v3",
        "snmp_exporter, v3",
    ]
    assert {one["units"] for one in results.values()} == {VALUES}
    assert all(one["cpu_s"] > 0 and one["wall_s"] > 0 and one["rss_mib"] > 1 for one in results.values())
    assert results["snmpbulkwalk_tables, v2c"]["more"]["varbinds"] > VALUES * 2
    walked = {"snmpbulkwalk_columns", "snmpbulkwalk_tables", "snmpbulkwalk_tables_useful"}
    assert report["ratios"].keys() == {"snmp_exporter", *walked}
    assert report["peer_v3"].keys() == {"snmp_exporter"}
    assert all(ratio > 0 for ratio in (report["ratios"] | report["peer_v3"]).values())
    assert told.err == ""


@needs_peers
def test_a_run_by_version_3_alone_compares_all_peers_and_is_shown_as_a_table(capsys) -> None:
    assert main([*SMALL[:-1], "--v3", "--against", "snmpbulkwalk"]) == 0
    shown = capsys.readouterr().out
    assert "giá trị / values" in shown
    assert "ours, v3" in shown
    assert "snmpbulkwalk_columns, SNMPv3: " in shown
    assert "v2c" not in shown


def test_a_peer_that_brought_fewer_values_is_said_and_not_compared(capsys) -> None:
    found = {
        "ours, v2c": [taken(51, 1.0)],
        "snmp_exporter, v2c": [taken(50, 9.0)],
        "snmpbulkwalk_columns, v2c": [taken(51, 4.0)],
    }
    report = snmp._report(found, DEVICES)
    assert report.ratios == {"snmpbulkwalk_columns": 0.25}
    assert report.peer_v3 == {}
    assert "snmp_exporter, v2c: 50/51 giá trị, không so sánh" in capsys.readouterr().err


def test_ratios_are_the_middle_ones_of_the_rounds_and_of_whole_tables_by_all_values_that_came() -> None:
    found = {
        "ours, v3": [taken(51, cpu) for cpu in (1.0, 2.0, 3.0)],
        "snmpbulkwalk_tables, v3": [taken(51, cpu, varbinds=102) for cpu in (10.0, 40.0, 10.0)],
    }
    ratios = snmp._report(found, DEVICES).peer_v3
    assert ratios == pytest.approx({"snmpbulkwalk_tables": 0.2, "snmpbulkwalk_tables_useful": 0.1})


def taken(units: int, cpu_s: float, varbinds: int = 0) -> Taken:
    return Taken(units=units, varbinds=varbinds or units, cpu_s=cpu_s, wall_s=cpu_s, rss_mib=1.0)


def test_without_ours_nothing_is_compared() -> None:
    found = {"ours, v2c": [taken(1, 1.0)], "snmp_exporter, v2c": [taken(51, 1.0)]}
    assert snmp._report(found, DEVICES).ratios == {}


def test_a_poller_that_fails_is_told_with_its_last_word(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(snmp_pollers.sys, "executable", "/bin/false")
    with pytest.raises(UnavailableError, match="our poller failed"), own("v2c")(DEVICES, tmp_path):
        pass


def test_a_peer_that_is_not_installed_is_named_and_left_out(monkeypatch, capsys) -> None:
    monkeypatch.setattr(snmp, "program", {BULKWALK: "/here", EXPORTER: "/here"}.get)
    assert snmp.installed(["snmp_exporter", "snmpbulkwalk"]) == ["snmp_exporter"]
    assert "snmpbulkwalk: chưa cài" in capsys.readouterr().err


@needs_peers
def test_a_measurement_that_is_stopped_stops_its_fleet_and_its_pollers(tmp_path) -> None:
    command = [sys.executable, "-m", "lab", *SMALL[:-1], "--rounds", "100000", "--against", "snmp_exporter"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    bench = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while len(children(bench.pid)) < 5:
        assert time.monotonic() < end
        time.sleep(0.1)
    started = children(bench.pid)
    bench.send_signal(signal.SIGTERM)
    assert bench.wait(60) == 1
    assert [pid for pid in started if is_there(pid)] == []
    assert list(tmp_path.iterdir()) == []


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_there(pid: int) -> bool:
    try:
        return spent(pid) >= 0
    except OSError:
        return False


@pytest.mark.parametrize("wrong", [("--size", "3x0"), ("--rounds", "0"), ("--against", "snmp_exporter,x")])
def test_wrong_options_are_told(wrong, capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["bench", "snmp", *wrong])
    assert stopped.value.code == 2
    assert wrong[0] in capsys.readouterr().err


def test_the_platform_s_command_hands_all_options_on(monkeypatch) -> None:
    given: list[list[str]] = []
    monkeypatch.setattr(bench_command, "run_lab", lambda arguments: given.append(arguments) or 0)
    options = ["snmp", "--against", "snmp_exporter,snmpbulkwalk", "--size", "2x4x24", "--v3", "--json"]
    assert CliRunner().invoke(bench_command.commands, options).exit_code == 0
    assert given == [["bench", *options]]
