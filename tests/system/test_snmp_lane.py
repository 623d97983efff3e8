"""Devices polled by a running platform: a fleet of the lab for faults, Debian's real snmpd for truth."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fleets
import pytest
from peers import program
from running import HAIDANG, Platform, eventually, free_ports, running

from collectors.snmp.profiles import shipped_profiles
from core.clock import MINUTE
from core.scope import EVERYTHING
from core.stores.series_read import LocalSeries, SeriesQuery
from lab.fleet.control import ask

COMMUNITY = "h4i-dang"
USER, AUTH, PRIV = "haidang", "authentic-1", "private-22"
LANE = 'period_seconds = 1\nport = {port}\ntimeout_seconds = 0.5\nspace = "lab"\n'
HEAD = "name,site,address,vendor,model,role\n"


def put_set(platform: Platform, name: str, kind: str, secrets: str, *target: str) -> None:
    """A credential set, and what it is for."""
    file = platform.folder / f"{name}.secret"
    file.write_text(secrets)
    for words in (("add", name, "--kind", kind, "--from", str(file)), ("assign", name, *target)):
        done = platform.run("credentials", *words)
        assert done.returncode == 0, done.stderr


def v3_secrets(user: str = USER, auth: str = AUTH, priv: str = PRIV) -> str:
    return f'user = "{user}"\nauth_passphrase = "{auth}"\npriv_passphrase = "{priv}"\n'


def state_of(platform: Platform, device: str) -> dict[str, Any]:
    """What the lane says of a device; empty while it says nothing."""
    (found,) = platform.json("devices", "show", device)
    return found["snmp"] or {}


def series(platform: Platform, table: str, *columns: str, device: str = "") -> list[tuple[Any, ...]]:
    now = time.time_ns()
    query = SeriesQuery(table=table, columns=columns, since=now - 60 * MINUTE, until=now + MINUTE, device=device)
    return LocalSeries(platform.folder / "data" / "lanes" / "snmp" / "series").read(EVERYTHING, query).rows


def causes(platform: Platform) -> set[str]:
    """What open incidents are of."""
    return {incident["title"]["en"] for incident in platform.incidents()}


@contextmanager
def fleet_platform(folder: Path, size: str = "2x4x8+3") -> Iterator[tuple[Platform, Callable[[dict[str, Any]], Any]]]:
    """A platform that polls a fleet, and what does something to the fleet."""
    control = folder / "control"
    with (
        fleets.running("--size", size, "--inventory", str(folder / "stock"), "--control", str(control)) as fleet,
        running(folder / "platform", of_snmp=LANE.format(port=fleet.port)) as platform,
    ):
        assert platform.run("inventory", "import", str(folder / "stock"), "--yes").returncode == 0
        put_set(platform, "lab", "snmp_v2c", "public", "--prefix", "127.0.0.0/8")
        eventually(lambda: state_of(platform, "sw-dc").get("state") == "up")
        yield platform, lambda request: ask(control, request)


@pytest.mark.timeout(300)
def test_a_port_that_goes_down_is_an_incident_until_it_is_up_and_so_is_a_silent_device(tmp_path: Path):
    with fleet_platform(tmp_path) as (platform, fault):
        eventually(lambda: state_of(platform, "ups-dc").get("state") == "up")
        port = next(row[2] for row in series(platform, "interfaces", "oper", device="sw-dc") if row[4] == 1)
        assert port == "Gi1/0/1"  # which leads to the router: of one to a user's machine nothing is raised
        flapping = {"kind": "flapping", "device": "sw-dc", "interface": port, "period_s": 8}
        started = [fault({"start": one})["id"] for one in (flapping, {"kind": "power_loss", "site": "dc"})]
        eventually(lambda: {"Interface is down", "UPS runs on battery"} <= causes(platform))
        down = f'haidang.object:"sw-dc/{port}" event.action:link_down'
        *_, event = eventually(lambda: platform.stored(down))  # the incident may be of another port first
        assert json.loads(event)["interface.name"] == port
        for one in started:
            fault({"end": one})
        eventually(lambda: not {"Interface is down", "UPS runs on battery"} & causes(platform))
        dead = fault({"start": {"kind": "dead", "device": "fw-dc"}})["id"]
        eventually(lambda: "Device does not answer SNMP" in causes(platform))
        eventually(lambda: state_of(platform, "fw-dc")["state"] == "down")  # another's incident may come first
        fault({"end": dead})
        eventually(lambda: "Device does not answer SNMP" not in causes(platform))
        assert Counter(
            row[7] for row in series(platform, "devices", "up", "varbinds", "errors", "gap", device="fw-dc")
        )["silent"]


@pytest.mark.timeout(300)
def test_a_killed_lane_goes_on_without_a_doubled_row_a_spike_or_a_change_told_twice(tmp_path: Path):
    with fleet_platform(tmp_path, "2x4x8") as (platform, fault):
        eventually(lambda: len(series(platform, "interfaces", "in_bps", device="sw-dc")) > 30)
        fault({"start": {"kind": "dead", "device": "rt-dc"}})
        eventually(lambda: platform.stored("event.action:device_silent"))
        told = len(platform.stored("event.action:link_down"))
        for _ in range(3):
            platform.kill("snmp")
            before = len(series(platform, "devices", "up", device="sw-dc"))
            eventually(lambda before=before: len(series(platform, "devices", "up", device="sw-dc")) > before + 2)
        time.sleep(2)  # what would be told twice has had its time
        rows = series(platform, "interfaces", "in_bps", "gap")
        assert max(Counter(row[:4] for row in rows).values()) == 1
        assert sum(row[5] == "first" for row in rows if row[1] == "sw-dc" and row[2] == rows[-1][2]) <= 4
        speeds = {row[:3]: row[4] for row in series(platform, "interfaces", "speed_bps") if row[4]}
        assert all(row[4] is None or row[4] <= 1.1 * speeds[row[:3]] for row in rows)
        assert len(platform.stored("event.action:device_silent")) == 1
        assert len(platform.stored("event.action:link_down")) == told


@contextmanager
def snmpd(folder: Path, port: int) -> Iterator[None]:
    """Debian's snmpd on 127.0.0.2, with a community and a user."""
    (folder / "kept").mkdir(parents=True)
    (folder / "snmpd.conf").write_text(
        f"agentAddress udp:127.0.0.2:{port}\nrocommunity {COMMUNITY}\n"
        f'createUser {USER} SHA-256 "{AUTH}" AES "{PRIV}"\nrouser {USER} authpriv\nsysLocation P\ndisk / 10%\n'
    )
    process = subprocess.Popen(
        [program("snmpd"), "-f", "-C", "-c", str(folder / "snmpd.conf"), "-Lf", str(folder / "log")],
        env={**os.environ, "SNMP_PERSISTENT_DIR": str(folder / "kept"), "MIBS": ""},
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def snmpwalk(port: int, root: str) -> dict[str, str]:
    """What Debian's own tool reads, by index."""
    done = subprocess.run(
        [program("snmpwalk"), "-v2c", "-c", COMMUNITY, "-OnqUe", f"127.0.0.2:{port}", root],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MIBS": ""},
    )
    pairs = (line.partition(" ") for line in done.stdout.splitlines())
    return {oid.rpartition(".")[2]: value.strip('"') for oid, _, value in pairs}


def sector(folder: Path) -> Path:
    """A site with the real device, and with what does not answer."""
    folder.mkdir()
    (folder / "units.yml").write_text("- {id: tc, name: VKSND tối cao, type: supreme}\n")
    (folder / "sites.csv").write_text("id,name,unit,address_space,tier\nhn,Hà Nội,tc,lab,DC\n")
    rows = ("real,hn,127.0.0.2", "refusing,hn,127.0.0.3", "odd,hn,127.0.0.4")
    (folder / "devices.csv").write_text(HEAD + "".join(f"{row},linux,Debian 12,server\n" for row in rows))
    return folder


@pytest.mark.timeout(300)
def test_a_real_agent_is_read_as_its_own_tools_read_it_and_a_test_says_what_is_wrong(tmp_path: Path):
    (port,) = free_ports(1)
    with snmpd(tmp_path / "snmpd", port), running(tmp_path / "platform", of_snmp=LANE.format(port=port)) as platform:
        assert platform.run("inventory", "import", str(sector(tmp_path / "stock")), "--yes").returncode == 0
        assert verdict(platform, "real") == ("no_credential_set", [])
        put_set(platform, "old", "snmp_v2c", "wrong", "--site", "hn")
        assert verdict(platform, "real") == ("wrong_community", ["wrong_community"])
        put_set(platform, "user", "snmp_v3", v3_secrets(auth="authentic-2"), "--device", "real")
        assert verdict(platform, "real") == ("wrong_auth_key", ["wrong_auth_key", "wrong_community"])
        eventually(lambda: state_of(platform, "real").get("state") == "refused")
        (platform.folder / "user.secret").write_text(v3_secrets())
        done = platform.run(
            "credentials",
            "add",
            "user",
            "--kind",
            "snmp_v3",
            "--replace",
            "--from",
            str(platform.folder / "user.secret"),
        )
        assert done.returncode == 0
        assert verdict(platform, "real") == ("good", ["taken"])
        assert verdict(platform, "refusing") == ("refused", ["refused"])
        eventually(lambda: state_of(platform, "real").get("state") == "up")
        state = state_of(platform, "real")
        assert (state["credential"], state["profile"], state["family_known"]) == ("user", "net_snmp", True)
        eventually(lambda: len(series(platform, "interfaces", "in_bps", "gap", device="real")) > 1)
        compare(platform, port)
        saved = tmp_path / "real.jsonl"
        assert platform.run("devices", "walk", "real", "--out", str(saved)).returncode == 0
        replay(platform, tmp_path, saved)


def verdict(platform: Platform, device: str) -> tuple[str, list[str]]:
    """What the test of a device says, and of each credential set in turn."""
    done = platform.run("devices", "test", device, "--json")
    (report,) = json.loads(done.stdout)
    assert done.returncode == (report["verdict"] not in {"good", "unknown_family"})
    for secret in (COMMUNITY, AUTH, PRIV, "authentic-2"):
        assert secret not in done.stdout + done.stderr
    return report["verdict"], [one["outcome"] for one in report["credentials"]]


def compare(platform: Platform, port: int) -> None:
    """What is stored equals what snmpwalk reads, for what does not move."""
    names, oper, speed = (
        snmpwalk(port, oid) for oid in ("1.3.6.1.2.1.31.1.1.1.1", "1.3.6.1.2.1.2.2.1.8", "1.3.6.1.2.1.31.1.1.1.15")
    )
    rows = {row[2]: row[4:] for row in series(platform, "interfaces", "oper", "speed_bps", device="real")}
    assert rows == {
        name: (int(oper[index]), int(speed[index]) * 1_000_000 or rows[name][1]) for index, name in names.items()
    }
    sizes = {int(value) * 1024 for value in snmpwalk(port, "1.3.6.1.4.1.2021.9.1.6").values()}
    assert sizes & {row[4] for row in series(platform, "disks", "total", device="real")}


def replay(platform: Platform, folder: Path, saved: Path) -> None:
    """The saved walk answers in the lab as the device did, and as one of an unknown family where it says so."""
    lines = [json.loads(line) for line in saved.read_text().splitlines()]
    assert {line["type"] for line in lines} >= {"integer", "counter32", "counter64", "timeticks", "string", "oid"}
    odd = folder / "odd.jsonl"
    strange = [
        line | {"value": "1.3.6.1.4.1.99999.7"} if line["oid"] == "1.3.6.1.2.1.1.2.0" else line for line in lines
    ]
    odd.write_text("".join(json.dumps(line) + "\n" for line in strange))
    assert not shipped_profiles().choose("1.3.6.1.4.1.99999.7")[1]
    walks = ("--walk", f"127.0.0.2={saved}", "--walk", f"127.0.0.4={odd}")
    with fleets.running("--size", "1x1x4", "--no-ipv6", "--community", "wrong", *walks) as fleet:
        text = platform.file.read_text()
        other = folder / "platform" / "lab.toml"
        other.write_text(
            "\n".join(f"port = {fleet.port}" if line.startswith("port = ") else line for line in text.splitlines())
        )
        report = examined(other, "odd")
        assert (report["verdict"], report["object_id"]) == ("unknown_family", "1.3.6.1.4.1.99999.7")
        report = examined(other, "real")
        assert (report["verdict"], report["credential"]) == ("good", "old")


def examined(settings: Path, device: str) -> dict[str, Any]:
    """The test of a device by other settings of the same platform."""
    command = [HAIDANG, "devices", "test", device, "--json", "--settings", str(settings)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)[0]
