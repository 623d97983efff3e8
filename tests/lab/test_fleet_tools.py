"""The fleet as a process, asked by the tools that people use: net-snmp's, pysnmp, gufo-snmp."""

import asyncio
import json
import shutil
import socket
import subprocess
import time
from statistics import median

import pytest
from fleets import MORE, NAME, PORTS, START, SYSTEM, UPTIME, decode, get_pdu, running
from gufo.snmp import Aes128Key, Sha256Key, SnmpError, SnmpVersion, User
from gufo.snmp.sync import SnmpSession
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    bulk_walk_cmd,
    get_cmd,
    usmAesCfb128Protocol,
    usmHMAC192SHA256AuthProtocol,
)

from core.clock import SECOND
from core.errors import ContentError, UnavailableError
from lab import cli
from lab.fleet import ber
from lab.fleet.control import ask
from lab.fleet.messages import GET, GET_BULK, V2C, request
from lab.fleet.truth import read_truth
from lab.fleet.view import Ways, view_of

pytestmark = pytest.mark.skipif(shutil.which("snmpbulkwalk") is None, reason="net-snmp's tools are not installed")

V3 = ("-v3", "-u", "noc", "-a", "SHA-256", "-A", "authpass1", "-x", "AES", "-X", "privpass1", "-l", "authPriv")
WAYS = {"v1": ("-v1", "-c", "public"), "v2c": ("-v2c", "-c", "public"), "v3": V3}
ROUTER, SWITCH, UPS = "127.10.1.1", "127.10.2.2", "127.10.2.5"
USER = User("noc", auth_key=Sha256Key(b"authpass1"), priv_key=Aes128Key(b"privpass1"))


class Lab:
    """The running fleet and its files."""

    def __init__(self, port, folder):
        self.port = port
        self.truth = folder / "truth.jsonl"
        self.control = folder / "control"

    def tool(self, program, way, address, *oids, more=()):
        """What a program of net-snmp prints, numbers for names."""
        options = ("-On", "-Oe", "-Ot", "-t", "3", "-r", "2", *more)
        command = [program, *WAYS[way], *options, f"{address}:{self.port}", *oids]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def lines(self, *arguments, **more):
        done = self.tool(*arguments, **more)
        assert done.returncode == 0, done.stderr
        told = [line for line in done.stdout.splitlines() if line.startswith(".")]  # a value may go over lines
        return [line for line in told if "No more variables left" not in line]

    def until_next_second(self):
        """Just after a tick, so that two looks fall into one."""
        time.sleep(1.02 - time.time() % 1)

    def send(self, address, data, patience=5.0):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.settimeout(patience)
            wire.connect((address, self.port))
            wire.send(data)
            try:
                return wire.recv(4096)
            except TimeoutError:
                return None

    def fault(self, **terms):
        return ask(self.control, {"start": terms})["id"]

    def end(self, fault):
        return ask(self.control, {"end": fault})

    def told(self, fault):
        return [line for line in read_truth(self.truth).effects if line.fault == fault]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet")
    walk = folder / "walk.jsonl"
    walk.write_text(json.dumps({"oid": NAME, "type": "string", "value": "saved"}) + "\n", encoding="utf-8")
    found = Lab(0, folder)
    options = ("--size", "20x4x24+3", "--v3", "noc:authpass1:privpass1", "--walk", f"127.9.0.1={walk}")
    with running(*options, "--truth", str(found.truth), "--control", str(found.control)) as fleet:
        found.port = fleet.port
        yield found


@pytest.mark.parametrize("way", WAYS)
def test_snmpget_is_answered(lab, way):
    assert lab.lines("snmpget", way, ROUTER, NAME) == [f'.{NAME} = STRING: "rt-dc"']


@pytest.mark.parametrize("way", ["v2c", "v3"])
@pytest.mark.parametrize("address", [ROUTER, SWITCH, "127.10.1.3", "127.10.1.4", UPS, "127.10.2.6", "127.10.2.7"])
def test_snmpbulkwalk_finds_all_that_the_device_holds(lab, way, address):
    lines = lab.lines("snmpbulkwalk", way, address, "1", more=("-Cr40",))
    names = [line.split(" ")[0] for line in lines]
    world = read_truth(lab.truth).world()
    node = world.sector.by_name[address]
    assert names == [f".{ber.dotted(oid)}" for oid, _ in view_of(world, node, Ways())]
    assert f'.{NAME} = STRING: "{node.name}"' in lines


@pytest.mark.parametrize("way", ["v2c", "v3"])
@pytest.mark.parametrize("address", [ROUTER, SWITCH, "127.10.1.3", "127.10.1.4", UPS])
def test_counters_are_the_pure_function_of_the_truth_at_their_uptime(lab, way, address):
    """Uptime and counters in one answer; what the truth file alone makes of that time is what the device says."""
    column = f"{MORE}.6"
    uptime, *lines = lab.lines("snmpbulkget", way, address, f"{SYSTEM}.3", column, more=("-Cn1", "-Cr24"))
    world = read_truth(lab.truth).world()
    node = world.sector.by_name[address]
    started, _ = world.boots(node, time.time_ns())
    ticks = int(uptime.rpartition(" ")[2])
    moment = -(-(started + ticks * SECOND // 100) // SECOND) * SECOND
    state = world.state(node, moment)
    assert state.uptime == ticks
    told = [int(line.rpartition(" ")[2]) for line in lines if line.startswith(f".{column}.")]
    assert told == [state.counters(row).in_octets for row in range(node.ports)]


def test_snmpwalk_of_version_1_and_of_2c_agree_but_for_64_bit_counters(lab):
    one = {line.split(" ")[0] for line in lab.lines("snmpwalk", "v1", SWITCH, "1")}
    two = lab.lines("snmpbulkwalk", "v2c", SWITCH, "1")
    assert one == {line.split(" ")[0] for line in two if "Counter64" not in line}


def test_what_is_wrong_with_a_version_3_user_is_told(lab):
    for change, reason in {
        ("authpass1", "authpass2"): "Authentication failure",
        ("privpass1", "privpass2"): "Decryption error",
        ("noc", "nobody"): "Unknown user name",
    }.items():
        options = [change[1] if option == change[0] else option for option in V3]
        command = ["snmpget", *options, "-t", "1", "-r", "0", f"{ROUTER}:{lab.port}", NAME]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert (done.returncode, reason in done.stderr) == (1, True), done.stderr


def test_version_3_without_privacy_is_answered_and_without_authentication_refused(lab):
    plain = (*V3[:-2], "-l", "authNoPriv")
    done = subprocess.run(
        ["snmpget", *plain, f"{ROUTER}:{lab.port}", NAME], capture_output=True, text=True, timeout=30, check=False
    )
    assert "rt-dc" in done.stdout
    command = ["snmpget", "-v3", "-u", "noc", "-l", "noAuthNoPriv", f"{ROUTER}:{lab.port}", NAME]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert "Unsupported security level" in done.stderr


def test_ipv6_reaches_the_first_device(lab):
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    for way in ("v2c", "v3"):
        assert lab.lines("snmpget", way, "udp6:[::1]", NAME) == [f'.{NAME} = STRING: "rt-dc"']


NETWORK = "ip link set lo up && ip -6 route add local fd7f::/96 dev lo && exec"
"""What the fleet's documentation asks of who wants all devices by IPv6."""


def makes_networks() -> bool:
    """Whether a network of one's own may be made here: for that one has to be root, and not in every container."""
    return subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not makes_networks(), reason="no network of its own may be made here")
def test_ipv6_reaches_every_device_where_the_machine_has_the_network():
    within = ("unshare", "--net", "sh", "-c", f'{NETWORK} "$@"', "sh")
    with running("--size", "20x4x24+3", within=within) as fleet:
        entered = ["nsenter", f"--net=/proc/{fleet.process.pid}/ns/net"]
        asked = ["snmpget", "-v2c", "-c", "public", "-On", f"udp6:[fd7f::{SWITCH}]:{fleet.port}", NAME]
        done = subprocess.run([*entered, *asked], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout.strip() == f'.{NAME} = STRING: "sw-ha-noi"', done.stderr


def test_a_saved_walk_is_replayed(lab):
    assert lab.lines("snmpbulkwalk", "v2c", "127.9.0.1", "1") == [f'.{NAME} = STRING: "saved"']
    assert lab.lines("snmpget", "v3", "127.9.0.1", NAME) == [f'.{NAME} = STRING: "saved"']


@pytest.mark.parametrize("security", ["v2c", "v3"])
def test_pysnmp_reads_what_snmpbulkwalk_reads(lab, security):
    async def walk():
        user = UsmUserData("noc", "authpass1", "privpass1", usmHMAC192SHA256AuthProtocol, usmAesCfb128Protocol)
        engine = SnmpEngine()
        who = user if security == "v3" else CommunityData("public")
        target = await UdpTransportTarget.create((SWITCH, lab.port), timeout=2, retries=1)
        root = ObjectType(ObjectIdentity(PORTS))
        found = {}
        async for error, status, _, variables in bulk_walk_cmd(
            engine, who, target, ContextData(), 0, 25, root, lookupMib=False, lexicographicMode=False
        ):
            assert (error, int(status)) == (None, 0)
            found |= {str(name): value for name, value in variables}
        error, _, _, got = await get_cmd(
            engine, who, target, ContextData(), ObjectType(ObjectIdentity(NAME)), lookupMib=False
        )
        assert error is None
        engine.close_dispatcher()
        return found, str(got[0][1])

    found, name = asyncio.run(walk())
    lines = lab.lines("snmpbulkwalk", "v2c", SWITCH, PORTS)
    assert [f".{one}" for one in found] == [line.split(" ")[0] for line in lines]
    assert name == "sw-ha-noi"
    numbers = {f".{one}": str(value) for one, value in found.items() if one.startswith((f"{PORTS}.5.", f"{PORTS}.7."))}
    told = {line.split(" ")[0]: line.rpartition(" ")[2] for line in lines}
    assert numbers == {one: told[one] for one in numbers}


@pytest.mark.parametrize("security", ["v1", "v2c", "v3"])
def test_gufo_snmp_gets_many_and_in_bulk(lab, security):
    version = {"v1": SnmpVersion.v1, "v2c": SnmpVersion.v2c, "v3": SnmpVersion.v3}[security]
    how = {"user": USER} if security == "v3" else {"community": "public"}
    with SnmpSession(addr=SWITCH, port=lab.port, version=version, timeout=3.0, **how) as session:
        lab.until_next_second()
        walk = session.getnext if security == "v1" else session.getbulk
        column = dict(walk(f"{PORTS}.10"))
        assert len(column) == 24
        names = list(column)
        assert session.get_many(names[:20]) == {name: column[name] for name in names[:20]}
        assert session.get(NAME) == b"sw-ha-noi"


def test_a_dead_device_and_its_end_are_seen_and_told(lab):
    fault = lab.fault(kind="dead", device="rt-dc")
    began = time.time_ns()
    assert lab.tool("snmpget", "v2c", ROUTER, NAME, more=("-r", "0", "-t", "0.5")).returncode == 1
    assert lab.lines("snmpget", "v2c", SWITCH, NAME)
    line = lab.told(fault)[0]
    assert (line.what, line.device, line.address, line.site, line.until) == ("dead", "rt-dc", ROUTER, "dc", None)
    assert began - 2 * SECOND < line.since < began
    lab.end(fault)
    assert lab.lines("snmpget", "v2c", ROUTER, NAME)
    assert lab.told(fault)[0].until < time.time_ns()


def test_slow_late_and_cut_answers_are_seen(lab):
    data = request(V2C, b"public", get_pdu(GET, [NAME]))
    for kind, more, least in (("slow", {"delay_ms": 300.0}, 0.3), ("late", {}, 2.0)):
        fault = lab.fault(kind=kind, device=SWITCH, **more)
        began = time.monotonic()
        assert decode(lab.send(SWITCH, data)).values == ["sw-ha-noi"]
        assert least <= time.monotonic() - began < least + 1.5
        lab.end(fault)
        assert lab.told(fault)[0].amount == least * 1000
    whole = lab.send(SWITCH, data)
    fault = lab.fault(kind="truncated", device=SWITCH)
    assert lab.send(SWITCH, data) == whole[: len(whole) // 2]
    assert lab.tool("snmpget", "v2c", SWITCH, NAME, more=("-r", "0", "-t", "0.5")).returncode == 1
    lab.end(fault)


def test_a_slow_device_keeps_no_other_waiting(lab):
    fault = lab.fault(kind="late", device=SWITCH)
    data = request(V2C, b"public", get_pdu(GET, [NAME]))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(5)
        for _ in range(20):
            wire.sendto(data, (SWITCH, lab.port))
        times = []
        for _ in range(20):
            began = time.monotonic()
            assert lab.send(ROUTER, data)
            times.append(time.monotonic() - began)
        assert median(times) < 0.2
        assert all(wire.recvfrom(4096)[1] == (SWITCH, lab.port) for _ in range(20))
    lab.end(fault)


def test_a_lossy_device_loses_about_its_share(lab):
    fault = lab.fault(kind="lossy", device=SWITCH, loss=0.5)
    data = request(V2C, b"public", get_pdu(GET, [NAME]))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(0.5)
        wire.connect((SWITCH, lab.port))
        got = 0
        for _ in range(200):
            wire.send(data)
        try:
            while wire.recv(4096):
                got += 1
        except TimeoutError:
            pass
    assert 65 < got < 135
    lab.end(fault)


def test_too_big_is_what_snmpget_says_and_a_bulk_is_cut(lab):
    fault = lab.fault(kind="too_big", device=ROUTER, octets=300)
    names = [f"{SYSTEM}.1.0"] * 10
    done = lab.tool("snmpget", "v2c", ROUTER, *names, more=("-r", "0"))
    assert "tooBig" in done.stderr
    assert len(lab.send(ROUTER, request(V2C, b"public", get_pdu(GET_BULK, [PORTS], second=50)))) <= 300
    assert len(lab.lines("snmpbulkwalk", "v2c", ROUTER, f"{PORTS}.2")) == 24
    lab.end(fault)


def test_snmpbulkwalk_stops_at_an_index_that_does_not_increase(lab):
    fault = lab.fault(kind="not_increasing", device=SWITCH)
    lab.until_next_second()
    done = lab.tool("snmpbulkwalk", "v2c", SWITCH, PORTS)
    assert (done.returncode, "not increasing" in done.stderr) == (1, True)
    lab.end(fault)
    lab.until_next_second()
    assert lab.lines("snmpbulkwalk", "v2c", SWITCH, PORTS)


def test_a_restart_a_reset_and_a_shuffle_are_seen_by_tools(lab):
    before = lab.lines("snmpbulkwalk", "v2c", SWITCH, f"{MORE}.1")
    faults = [
        lab.fault(kind="index_shuffle", device=SWITCH),
        lab.fault(kind="counter_reset", device=ROUTER),
        lab.fault(kind="restart", device=UPS, takes_s=1),
        lab.fault(kind="only_32_bit", device="127.10.1.3"),
    ]
    time.sleep(1.1)
    lab.until_next_second()
    after = lab.lines("snmpbulkwalk", "v2c", SWITCH, f"{MORE}.1")
    assert before != after
    assert sorted(line.partition(" ")[2] for line in before) == sorted(line.partition(" ")[2] for line in after)
    stops = [int(line.rpartition(" ")[2]) for line in lab.lines("snmpbulkwalk", "v2c", ROUTER, f"{MORE}.19")]
    assert len(set(stops)) == 1
    assert stops[0] > 0
    assert int(lab.lines("snmpget", "v2c", UPS, UPTIME)[0].rpartition(" ")[2]) < 1000
    assert lab.lines("snmpget", "v3", UPS, NAME) == [f'.{NAME} = STRING: "ups-ha-noi"']
    assert "Counter64" not in "".join(lab.lines("snmpbulkwalk", "v2c", "127.10.1.3", "1.3.6.1.2.1.31"))
    assert {line.kind for fault in faults for line in lab.told(fault)} == {
        "index_shuffle",
        "counter_reset",
        "restart",
        "only_32_bit",
    }


def test_a_province_goes_dark_and_power_fails_by_order(lab):
    fault = lab.fault(kind="province_dark", province="vks-ha-noi")
    data = request(V2C, b"public", get_pdu(GET, [NAME]))
    assert lab.send(SWITCH, data, 0.3) is None
    assert lab.send(ROUTER, data)
    told = lab.told(fault)
    assert {line.what for line in told} == {"dark"}
    assert len({line.site for line in told}) > 1
    lab.end(fault)
    power = lab.fault(kind="power_loss", site="ha-noi", minutes=0)
    assert lab.send(SWITCH, data, 0.3) is None
    lab.end(power)
    assert lab.send(SWITCH, data)
    assert {line.what for line in lab.told(power)} == {"off", "on_battery"}


def test_hostile_datagrams_stop_nothing(lab):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        for data in (b"", b"0", b"\x30\x84\xff\xff\xff\xff", bytes(65_000), b"\x30\x80" * 1000, bytes(range(256)) * 8):
            wire.sendto(data, (ROUTER, lab.port))
            wire.sendto(data, ("127.250.0.9", lab.port))
    assert lab.lines("snmpget", "v2c", ROUTER, NAME)


def test_the_command_to_cause_faults_prints_the_answer(lab, capsys):
    assert cli.main(["fault", str(lab.control), "{start: {kind: dead, device: fw-dc, id: byhand}, lasts: 1}"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "byhand"
    assert cli.main(["fault", str(lab.control), "{end: nothing}"]) == 1
    assert "no fault 'nothing'" in capsys.readouterr().err
    with pytest.raises(UnavailableError, match="control socket of a running fleet"):
        ask(lab.control.with_name("absent"), {"list": True})
    with pytest.raises(ContentError, match="expected"):
        ask(lab.control, {})


def test_a_bad_credential_is_told_by_gufo_snmp_too(lab):
    wrong = User("noc", auth_key=Sha256Key(b"authpass2"), priv_key=Aes128Key(b"privpass1"))
    with (
        pytest.raises((SnmpError, OSError)),
        SnmpSession(addr=SWITCH, port=lab.port, version=SnmpVersion.v3, timeout=1.0, user=wrong) as session,
    ):
        session.get(NAME)


def test_the_fleet_s_start_is_now_not_that_of_the_tests(lab):
    assert read_truth(lab.truth).fleet.start != START
