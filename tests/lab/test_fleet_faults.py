from itertools import pairwise

import pytest
from fleets import MORE, NAME, PORTS, START, UPTIME, Fleet, get_pdu
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import HOUR, MINUTE, SECOND
from core.errors import ContentError, NotFoundError
from lab.fleet.control import Control
from lab.fleet.faults import FOREVER, SCENARIOS, Fault, Terms, effects_of, load_scenario, planned
from lab.fleet.messages import GET, GET_BULK, TOO_BIG, V2C, request
from lab.fleet.state import World
from lab.fleet.timeline import Timeline
from lab.fleet.truth import TruthFile, read_truth

SIZE = "12x4x8+3"
OPER, DISCONTINUITY, LAST_CHANGE = f"{PORTS}.8", f"{MORE}.19", "1.3.6.1.2.1.31.1.5.0"
UPS, SENSOR_VALUE = "1.3.6.1.2.1.33.1", "1.3.6.1.2.1.99.1.1.1.4"


@pytest.fixture
def fleet():
    return Fleet(SIZE)


def conduct(fleet, device):
    return fleet.timeline.conduct(fleet.sector.by_name[device].number, fleet.clock.now())


def up(fleet, device):
    return [value == 1 for value in fleet.column(device, OPER).values()]


def test_a_dead_device_is_silent_for_its_time_and_its_switch_sees_the_cable_down(fleet):
    server = fleet.sector.by_name["sv-dc"]
    cable = next(one for one in fleet.sector.neighbours[server.number])
    assert up(fleet, "sw-dc")[cable.far_row]
    fleet.begin(Terms(kind="dead", id="d", device="sv-dc"), lasts=60)
    assert fleet.silent("sv-dc")
    fleet.wait(59)
    assert not up(fleet, "sw-dc")[cable.far_row]
    fleet.wait(1)
    assert not fleet.silent("sv-dc")
    assert up(fleet, "sw-dc")[cable.far_row]
    assert fleet.get("sv-dc", UPTIME)[0] > 100 * 3600


def test_loss_delay_and_cuts_are_how_datagrams_are_treated(fleet):
    for number, (kind, more) in enumerate(
        {"lossy": {"loss": 0.3}, "slow": {"delay_ms": 250.0}, "truncated": {}, "too_big": {"octets": 300}}.items()
    ):
        fleet.begin(Terms(kind=kind, id=str(number), device="rt-dc", **more))
    got = conduct(fleet, "rt-dc")
    assert (got.silent, got.loss, got.delay, got.cut, got.largest) == (False, 0.3, SECOND // 4, True, 300)
    fleet.begin(Terms(kind="late", id="late", device="fw-dc"))
    assert conduct(fleet, "fw-dc").delay == 2 * SECOND


def test_a_device_with_small_answers_says_too_big_and_cuts_its_bulks(fleet):
    many = request(V2C, b"public", get_pdu(GET, [f"{PORTS}.2.{row}" for row in range(40)]))
    bulk = request(V2C, b"public", get_pdu(GET_BULK, [PORTS], second=50))
    assert fleet.send("rt-dc", many, largest=300)[-6:].find(b"\x30\x00") >= 0
    assert len(fleet.send("rt-dc", bulk, largest=300)) <= 300
    assert len(fleet.send("rt-dc", bulk)) > 1000
    answer = fleet.send("rt-dc", many, largest=300)
    assert answer[answer.index(b"\0\0\0M") + 4 :][:3] == bytes((2, 1, TOO_BIG))


def test_indexes_that_do_not_increase_go_in_a_circle(fleet):
    fleet.begin(Terms(kind="not_increasing", id="n", device="sw-dc"))
    fleet.wait(1)
    reply = fleet.ask("sw-dc", get_pdu(GET_BULK, [f"{PORTS}.10"], second=20))
    names = [name for name, _, _ in reply.variables]
    assert names[8] == names[0]
    assert len(set(names)) == 8


def test_a_device_with_32_bit_counters_alone_has_no_others(fleet):
    assert fleet.walk("rt-dc", f"{MORE}.6")
    fleet.begin(Terms(kind="only_32_bit", id="o", device="rt-dc"))
    fleet.wait(1)
    assert not fleet.walk("rt-dc", f"{MORE}.6")
    assert len(fleet.walk("rt-dc", f"{PORTS}.10")) == 8
    assert len(fleet.walk("rt-dc", f"{MORE}.15")) == 8


def test_a_shuffle_moves_the_indexes_and_no_name_nor_counter(fleet):
    names, macs = fleet.column("sw-dc", f"{MORE}.1"), fleet.by_port("sw-dc", f"{PORTS}.6")
    fleet.begin(Terms(kind="index_shuffle", id="s", device="sw-dc"), lasts=100)
    fleet.wait(10)
    after = fleet.column("sw-dc", f"{MORE}.1")
    assert set(after) == set(names)
    assert sorted(after.values()) == sorted(names.values())
    assert all(after[index] != names[index] for index in names)
    assert fleet.by_port("sw-dc", f"{PORTS}.6") == macs
    assert fleet.column("sw-dc", f"{PORTS}.1") == {index: index for index in names}
    state = fleet.world.state(fleet.sector.by_name["sw-dc"], fleet.clock.now())
    assert list(fleet.by_port("sw-dc", f"{MORE}.6").items()) != []
    assert fleet.by_port("sw-dc", f"{MORE}.6") == {
        port.name: state.counters(row).in_octets for row, port in enumerate(state.ports)
    }
    assert fleet.get("sw-dc", LAST_CHANGE) == [fleet.get("sw-dc", UPTIME)[0] - 1000]
    fleet.wait(100)
    assert fleet.column("sw-dc", f"{MORE}.1") == names
    assert fleet.get("sw-dc", LAST_CHANGE) == [fleet.get("sw-dc", UPTIME)[0] - 1000]


def test_a_reset_sets_counters_to_0_and_tells_when(fleet):
    port = fleet.world.ports(fleet.sector.by_name["rt-dc"])[0].name
    before = fleet.by_port("rt-dc", f"{MORE}.6")
    assert set(fleet.column("rt-dc", DISCONTINUITY).values()) == {0}
    fleet.begin(Terms(kind="counter_reset", id="c", device="rt-dc", interface=port))
    fleet.wait(2)
    after, uptime = fleet.by_port("rt-dc", f"{MORE}.6"), fleet.get("rt-dc", UPTIME)[0]
    assert after[port] < before[port] / 1000
    assert all(after[name] >= before[name] for name in before if name != port)
    assert fleet.by_port("rt-dc", DISCONTINUITY)[port] == uptime - 200
    assert uptime > 100 * 3600


def test_a_restart_takes_a_while_and_begins_all_from_0(fleet):
    before = fleet.by_port("rt-dc", f"{MORE}.6")
    fleet.begin(Terms(kind="restart", id="r", device="rt-dc", takes_s=30))
    assert fleet.silent("rt-dc")
    fleet.wait(29.9)
    assert fleet.silent("rt-dc")
    fleet.wait(5.1)
    assert not fleet.silent("rt-dc")
    assert fleet.get("rt-dc", UPTIME) == [500]
    after = fleet.by_port("rt-dc", f"{MORE}.6")
    assert all(after[name] < before[name] for name in before if before[name])
    assert set(fleet.column("rt-dc", DISCONTINUITY).values()) == {0}


def test_a_flapping_port_goes_down_and_up_at_both_ends_and_counts_only_while_up(fleet):
    name = fleet.world.ports(fleet.sector.by_name["sv-dc"])[0].name
    far = fleet.sector.neighbours[fleet.sector.by_name["sv-dc"].number][0].far_row
    fleet.begin(Terms(kind="flapping", id="f", device="sv-dc", interface=name, period_s=20))
    seen, counted = [], []
    for _ in range(40):
        seen.append((up(fleet, "sv-dc")[0], up(fleet, "sw-dc")[far]))
        counted.append(fleet.by_port("sv-dc", f"{MORE}.6")[name])
        fleet.wait(1)
    assert seen == ([(True, True)] * 10 + [(False, False)] * 10) * 2
    moved = [later > earlier for earlier, later in pairwise(counted)]
    assert moved[:10] == [True] * 10
    assert moved[10:19] == [False] * 9
    assert moved[20:30] == [True] * 10
    assert fleet.by_port("sv-dc", f"{PORTS}.9")[name] == fleet.get("sv-dc", UPTIME)[0]


def test_a_sensor_drifts_by_so_many_degrees_an_hour(fleet):
    other = Fleet(SIZE)
    fleet.begin(Terms(kind="sensor_drift", id="w", device="env-dc", degrees_an_hour=12.0))
    for one in (fleet, other):
        one.wait(1800)
    tenths = fleet.column("env-dc", SENSOR_VALUE)[11] - other.column("env-dc", SENSOR_VALUE)[11]
    assert tenths == pytest.approx(60, abs=1)
    assert fleet.column("env-dc", SENSOR_VALUE)[12] == other.column("env-dc", SENSOR_VALUE)[12]


def test_a_site_without_power_lives_on_its_ups_and_then_not(fleet):
    fleet.begin(Terms(kind="power_loss", id="p", site="ha-noi", minutes=10.0), lasts=1200)
    fleet.wait(300)
    assert fleet.get("ups-ha-noi", f"{UPS}.2.2.0", f"{UPS}.4.1.0", f"{UPS}.6.1.0") == [300, 5, 1]
    assert fleet.get("ups-ha-noi", f"{UPS}.2.4.0", f"{UPS}.2.3.0") == [50, 5]
    assert fleet.get("ups-ha-noi", f"{UPS}.3.3.1.3.1") == [0]
    assert not fleet.silent("rt-ha-noi")
    fleet.wait(301)
    devices = [node.name for node in fleet.sector.of_site(fleet.sector.site_ids["ha-noi"].number)]
    assert all(fleet.silent(name) for name in devices)
    assert not fleet.silent("rt-dc")
    fleet.wait(600)
    assert not any(fleet.silent(name) for name in devices)
    assert fleet.get("rt-ha-noi", UPTIME) == [100]
    assert fleet.get("ups-ha-noi", f"{UPS}.4.1.0", f"{UPS}.2.2.0") == [3, 0]
    fleet.wait(1800)
    assert fleet.get("ups-ha-noi", f"{UPS}.2.4.0") == [30]


def test_power_that_comes_back_in_time_kills_nothing(fleet):
    fleet.begin(Terms(kind="power_loss", id="p", site="ha-noi", minutes=10.0))
    fleet.wait(60)
    fleet.timeline.end("p", fleet.clock.now())
    fleet.wait(3600)
    assert fleet.get("rt-ha-noi", UPTIME)[0] > 100 * 3600
    assert fleet.get("ups-ha-noi", f"{UPS}.4.1.0", f"{UPS}.3.1.0") == [3, 1]


def test_a_dark_province_is_out_of_reach_whole_and_the_centre_loses_its_peer(fleet):
    province = fleet.sector.sites[1]
    fleet.begin(Terms(kind="province_dark", id="k", province=province.unit), lasts=60)
    fleet.wait(1)
    for node in fleet.sector.nodes:
        assert fleet.silent(node.name) is (fleet.sector.sites[node.site].province == province.unit)
    peers = fleet.walk("rt-dc", "1.3.6.1.2.1.15.3.1.2")
    address = fleet.sector.router(1).address
    assert {name.removeprefix("1.3.6.1.2.1.15.3.1.2."): state for name, state in peers.items() if state != 6} == {
        address: 3
    }
    fleet.wait(60)
    assert fleet.get("rt-dc", f"1.3.6.1.2.1.15.3.1.16.{address}") == [1]
    assert fleet.get(fleet.sector.router(1).name, UPTIME)[0] > 100 * 3600


def test_a_share_of_all_devices_is_drawn_by_the_seed():
    sector = Fleet("100x4x4").sector
    fault = Fault(terms=Terms(kind="dead", id="x", share=0.2), since=0)
    nodes = {effect.node for effect in effects_of(fault, sector)}
    assert 50 < len(nodes) < 110
    assert nodes == {effect.node for effect in effects_of(fault, sector)}


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"device": "nobody"}, "has no 'nobody'"),
        ({"site": "nowhere"}, "has no 'nowhere'"),
        ({}, "one of device, site, province and share"),
        ({"device": "rt-dc", "site": "dc"}, "one of device"),
        ({"device": "rt-dc", "kind": "flapping", "interface": "Fa9/9"}, "has no port 'Fa9/9'"),
    ],
)
def test_a_fault_of_what_is_not_there_is_refused(fleet, terms, reason):
    with pytest.raises(ContentError, match=reason):
        fleet.begin(Terms(**{"kind": "dead", "id": "x", **terms}))
    assert fleet.timeline.faults == ()


def test_what_has_ended_or_never_was_cannot_be_ended(fleet):
    fleet.begin(Terms(kind="dead", id="x", device="rt-dc"), lasts=5)
    fleet.wait(6)
    for fault in ("x", "y"):
        with pytest.raises(NotFoundError, match="under way"):
            fleet.timeline.end(fault, fleet.clock.now())
    with pytest.raises(ContentError, match="another id"):
        fleet.begin(Terms(kind="dead", id="x", device="rt-dc"))


KINDS = st.sampled_from(["dead", "restart", "flapping", "power_loss", "counter_reset", "index_shuffle"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(KINDS, st.integers(0, 300), st.integers(1, 300)), max_size=6),
    st.lists(st.integers(1, 90), max_size=12),
)
def test_whatever_faults_meet_counters_only_fall_at_a_restart_or_reset(faults, steps):
    """Counters are a function of time that never goes back by itself, however faults overlap."""
    sector = FLEET.sector
    timeline = Timeline(sector)
    for number, (kind, at, lasts) in enumerate(faults):
        device = "sw-dc" if number % 2 else "rt-dc"
        where = {"site": "dc"} if kind == "power_loss" else {"device": device}
        terms = Terms(kind=kind, id=str(number), minutes=1.0, period_s=7.0, **where)
        timeline.add(Fault(terms=terms, since=START + at * SECOND, until=START + (at + lasts) * SECOND))
    world = World(sector, timeline, START)
    node, time = sector.by_name["sw-dc"], START
    before = world.state(node, time)
    for step in steps:
        time += step * SECOND
        state = world.state(node, time)
        for row in range(node.ports):
            if state.reset(row) == before.reset(row):
                assert state.counters(row).in_octets >= before.counters(row).in_octets
            assert state.counters(row).in_octets <= state.ports[row].speed / 8 * (time - state.reset(row)) / SECOND + 1
        before = state


FLEET = Fleet(SIZE)


def test_the_truth_tells_every_effect_and_makes_the_same_world_again(tmp_path, fleet):
    path = tmp_path / "truth"
    truth = TruthFile(path, fleet.world, SECOND)
    control = Control(fleet.timeline, truth, fleet.clock)
    assert b"error" not in control.handle(
        b'{"start": {"kind": "power_loss", "site": "ha-noi", "id": "p", "minutes": 1}}'
    )
    assert b"error" not in control.handle(b'{"start": {"kind": "counter_reset", "device": "rt-dc"}, "lasts": 5}')
    fleet.wait(90)
    assert b"error" not in control.handle(b'{"end": "p"}')
    assert b"error" not in control.handle(b'{"start": {"kind": "power_loss", "site": "dc", "id": "q", "minutes": 5}}')
    fleet.wait(1)
    assert b"error" not in control.handle(b'{"end": "q"}')
    truth.close()
    told = read_truth(path)
    batteries = {line.device: (line.since, line.until) for line in told.effects if line.what == "on_battery"}
    assert batteries == {
        "ups-ha-noi": (START, START + 90 * SECOND),
        "ups-dc": (START + 90 * SECOND, START + 91 * SECOND),
    }
    off = {line.device: (line.since, line.until) for line in told.effects if line.what == "off"}
    assert off == {
        node.name: (START + MINUTE, START + 90 * SECOND) for node in fleet.sector.nodes if node.name.endswith("-ha-noi")
    }
    fleet.wait(100)
    again = told.world()
    for node in fleet.sector.nodes:
        one, other = (world.state(node, fleet.clock.now()) for world in (fleet.world, again))
        assert (one.uptime, one.starts) == (other.uptime, other.starts)
        assert [one.counters(row) for row in range(node.ports)] == [other.counters(row) for row in range(node.ports)]


def test_control_says_what_it_cannot_do(fleet):
    control = Control(fleet.timeline, TruthFile(None, fleet.world, SECOND), fleet.clock)
    for request_, reason in {
        b"no!": b"",
        b"{}": b"expected",
        b'{"list": true, "end": "x"}': b"expected",
        b'{"start": {"kind": "burning", "device": "rt-dc"}}': b"Invalid enum value",
        b'{"end": "x"}': b"under way",
        b'{"start": {"kind": "dead", "device": "x"}}': b"has no",
    }.items():
        answer = control.handle(request_)
        assert answer.startswith(b'{"error":')
        assert reason in answer
    assert control.handle(b'{"list": true}') == b'{"faults":[]}'


def test_the_shipped_scenario_has_every_kind_and_fits_a_whole_sector():
    scenario = load_scenario(SCENARIOS / "storm.yml")
    fleet = Fleet("800x4x24+3")
    faults = planned(scenario, START)
    for fault in faults:
        assert fleet.timeline.add(fault)
    assert {fault.terms.kind for fault in faults} == set(KIND_NAMES)
    first = faults[0]
    assert (first.since, first.until) == (START + MINUTE, START + 6 * MINUTE)
    assert faults[4].until == FOREVER
    assert max(fault.since for fault in faults) < START + HOUR


KIND_NAMES = (
    *("dead", "lossy", "slow", "late", "too_big", "truncated", "not_increasing", "only_32_bit", "index_shuffle"),
    *("counter_reset", "restart", "flapping", "sensor_drift", "power_loss", "province_dark"),
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "faults: 3",
        "title: {vi: a, en: b}\nfaults: [{kind: burning, device: x}]",
        "title: {vi: a, en: b}\nfaults: [7]",
        "a: [",
    ],
)
def test_a_wrong_scenario_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "wrong.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match="expected a mapping with title") as caught:
        load_scenario(path)
    assert "\n" not in str(caught.value)


def test_a_name_is_answered_while_other_devices_are_dead(fleet):
    fleet.begin(Terms(kind="dead", id="s", share=0.5))
    alive = [node.name for node in fleet.sector.nodes if not fleet.silent(node.name)]
    assert 0 < len(alive) < len(fleet.sector.nodes)
    assert all(fleet.get(name, NAME) == [name] for name in alive)
