import re
from functools import cache
from itertools import pairwise

import pytest
from fleets import MORE, NAME, PORTS, START, SYSTEM, UPTIME, Fleet, decode, get_pdu, next_pdu
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import SECOND
from lab.fleet import agents, ber
from lab.fleet.agents import Agents, Secrets
from lab.fleet.families import families
from lab.fleet.messages import FRAME, GET, GET_BULK, SET, TOO_BIG, V1, V2C, request
from lab.fleet.usm import User
from lab.fleet.view import Plans, Ways, view_of

USER = User(name="noc", authentication="authpass1", privacy="privpass1")


@cache
def fleet_of_all() -> Fleet:
    """Every family occurs in it."""
    return Fleet("60x4x8+3", secrets=Secrets(user=USER))


@pytest.fixture
def fleet():
    return Fleet("3x4x8")


def test_each_device_answers_with_its_own_name(fleet):
    names = [fleet.get(node.address, NAME)[0] for node in fleet.sector.nodes]
    assert names == [node.name for node in fleet.sector.nodes]


def test_two_devices_never_mix_although_they_are_asked_the_same(fleet):
    """The same octets to every device, twice: remembered answers are each device's own."""
    data = request(V2C, b"public", get_pdu(GET_BULK, [f"{PORTS}.10"], second=8))
    first = {node.name: fleet.send(node.name, data) for node in fleet.sector.nodes}
    again = {node.name: fleet.send(node.name, data) for node in fleet.sector.nodes}
    assert first == again
    assert len(set(first.values())) == len(fleet.sector.nodes)
    macs = [frozenset(fleet.walk(node.name, f"{PORTS}.6").values()) for node in fleet.sector.nodes]
    assert len(set(macs)) == len(macs)


@pytest.mark.parametrize("family", sorted(families()))
def test_every_family_is_walked_in_order_and_each_variable_is_got_as_it_was_walked(family):
    fleet = fleet_of_all()
    device = next(node.name for node in fleet.sector.nodes if node.family_name == family)
    found = fleet.walk(device, "1")
    names = [ber.parse_dotted(name) for name in found]
    assert names == sorted(set(names))
    assert len(names) > 30
    assert found[f"{SYSTEM}.2.0"] == families()[family].object_id
    for at in range(0, len(names), 20):
        some = list(found)[at : at + 20]
        assert fleet.get(device, *some) == [found[name] for name in some]


def test_a_walk_step_by_step_finds_what_a_walk_in_bulk_does(fleet):
    bulk = fleet.walk("fw-dc", "1")
    step, last = {}, "1.0"
    while True:
        name, tag, value = fleet.ask("fw-dc", next_pdu(last)).variables[0]
        if tag == ber.END_OF_MIB_VIEW:
            break
        step[name] = value
        last = name
    assert step == bulk
    assert name == last


def test_what_is_not_there_is_told_by_kind(fleet):
    reply = fleet.ask("rt-dc", get_pdu(GET, ["1.3.6.1.9.9.0", f"{SYSTEM}.5.1", f"{PORTS}.10.9999", NAME]))
    assert reply.error == 0
    assert [tag for _, tag, _ in reply.variables] == [
        ber.NO_SUCH_OBJECT,
        ber.NO_SUCH_INSTANCE,
        ber.NO_SUCH_INSTANCE,
        ber.OCTET_STRING,
    ]


def test_version_1_knows_no_64_bit_counters_and_names_what_is_not_there(fleet):
    first = fleet.sector.nodes[0].family.first_index
    reply = fleet.ask("rt-dc", get_pdu(GET, [NAME, f"{MORE}.6.{first}"]), V1)
    assert (reply.error, reply.place) == (2, 2)
    assert [name for name, _, _ in reply.variables] == [NAME, f"{MORE}.6.{first}"]
    assert fleet.ask("rt-dc", next_pdu(f"{MORE}.5.99999"), V1).variables[0][0] == f"{MORE}.14.{first}"
    assert fleet.send("rt-dc", request(V1, b"public", get_pdu(GET_BULK, [NAME], second=2))) is None


def test_nothing_can_be_set(fleet):
    assert fleet.ask("rt-dc", get_pdu(SET, [NAME])).error == 17
    assert fleet.ask("rt-dc", get_pdu(SET, [NAME]), V1).error == 2
    assert fleet.get("rt-dc", NAME) == ["rt-dc"]


def test_getbulk_asks_some_once_and_others_often(fleet):
    pdu = get_pdu(GET_BULK, [f"{SYSTEM}.4", f"{PORTS}.2", f"{PORTS}.3"], first=1, second=3)
    names = [name for name, _, _ in fleet.ask("rt-dc", pdu).variables]
    index = fleet.sector.nodes[0].family.first_index
    expected = [f"{SYSTEM}.4.0"]
    for row in range(3):
        expected += [f"{PORTS}.2.{index + row}", f"{PORTS}.3.{index + row}"]
    assert names == expected


def test_no_answer_is_larger_than_a_frame(fleet):
    for second in (0, 1, 60, 2**31 - 1):
        data = request(V2C, b"public", get_pdu(GET_BULK, ["1.3"], second=second))
        assert len(fleet.send("sw-dc", data)) <= FRAME
    full = fleet.send("sw-dc", request(V2C, b"public", get_pdu(GET_BULK, [PORTS], second=10_000)))
    assert len(full) > FRAME - 60


def test_a_get_that_does_not_fit_is_too_big(fleet):
    reply = fleet.ask("rt-dc", get_pdu(GET, [f"{SYSTEM}.1.0"] * 60))
    assert (reply.error, reply.variables) == (TOO_BIG, [])
    assert fleet.ask("rt-dc", get_pdu(GET, [f"{SYSTEM}.1.0"] * 60), V1).error == TOO_BIG


def test_the_request_id_comes_back_as_it_was_whatever_its_size(fleet):
    for number in (b"\0", b"\x7f", b"\x80", b"\0\x80", b"\x7f\xff\xff\xff", b"\0\0\0\x01"):
        pdu = get_pdu(GET, [NAME])._replace(request_id=number)
        for _ in range(2):
            assert fleet.ask("rt-dc", pdu).request_id == number


def test_counters_are_the_pure_function_of_device_port_and_time(fleet):
    for _ in range(5):
        fleet.wait(61.7)
        for node in fleet.sector.nodes:
            moment = fleet.agents.moment(fleet.clock.now())
            state = fleet.world.state(node, moment)
            assert moment % SECOND == 0
            assert fleet.get(node.name, UPTIME) == [state.uptime]
            counted = [state.counters(row) for row in range(node.ports)]
            assert list(fleet.column(node.name, f"{MORE}.6").values()) == [one.in_octets for one in counted]
            assert list(fleet.column(node.name, f"{MORE}.10").values()) == [one.out_octets for one in counted]
            assert list(fleet.column(node.name, f"{PORTS}.10").values()) == [one.in_octets % 2**32 for one in counted]
            assert list(fleet.column(node.name, f"{PORTS}.17").values()) == [one.out_unicast % 2**32 for one in counted]


def test_counters_move_each_second_never_back_and_never_faster_than_the_port(fleet):
    node = fleet.sector.nodes[1]
    before = fleet.by_port(node.name, f"{MORE}.6")
    for _ in range(300):
        fleet.wait(1)
        now = fleet.by_port(node.name, f"{MORE}.6")
        for row, port in enumerate(fleet.world.ports(node)):
            step = now[port.name] - before[port.name]
            assert (0 < step <= port.speed / 8) if port.usage else step == 0, row
        before = now


def test_counters_are_read_anew_each_tick_and_not_between(fleet):
    quick = Agents(fleet.world, Secrets(), tick=SECOND // 4)
    data = request(V2C, b"public", get_pdu(GET, [UPTIME]))
    address = fleet.sector.nodes[0].packed
    times = [decode(quick.answer(address, data, START + step * SECOND // 8)).values[0] for step in range(6)]
    assert [later - times[0] for later in times] == [0, 0, 25, 25, 50, 50]


def test_a_rate_over_a_day_follows_the_hours(fleet):
    used = next(port.usage for port in fleet.world.ports(fleet.sector.nodes[0]) if port.usage)
    start = START // SECOND // 86_400 * 86_400
    hours = [used.inward.carried(start - 86_400, start + 3600 * (hour + 1)) for hour in range(24)]
    steps = [later - earlier for earlier, later in pairwise(hours)]
    assert 3 <= steps.index(max(steps)) <= 11  # UTC, about 14:00 in Vietnam
    assert max(steps) > 1.2 * min(steps)


@given(st.integers(0, 7), st.floats(0, 1e7), st.floats(0, 1e5), st.floats(0, 1e5))
def test_what_is_carried_adds_up(row, since, first, second):
    port = fleet_of_all().world.ports(fleet_of_all().sector.nodes[1])[row]
    if port.usage is None:
        return
    flow = port.usage.inward
    since += START / SECOND
    whole = flow.carried(since, since + first + second)
    parts = flow.carried(since, since + first) + flow.carried(since + first, since + first + second)
    assert abs(whole - parts) <= 2 + 1e-6 * port.speed


def test_equal_seeds_give_equal_fleets_and_others_do_not():
    one, same, other = (Fleet("3x4x8", seed=seed).walk("rt-dc", "1") for seed in (5, 5, 6))
    assert one == same
    assert one != other


def test_a_wrong_community_and_an_unknown_address_get_no_answer(fleet):
    assert fleet.send("rt-dc", request(V2C, b"wrong", get_pdu(GET, [NAME]))) is None
    data = request(V2C, b"public", get_pdu(GET, [NAME]))
    assert fleet.agents.answer(bytes((127, 200, 1, 1)), data, START) is None


def test_what_is_remembered_is_bounded(fleet, monkeypatch):
    monkeypatch.setattr(agents, "MEMO_BYTES", 20_000)
    for number in range(500):
        fleet.ask("rt-dc", get_pdu(GET_BULK, [f"{PORTS}.2"], second=number))
        assert fleet.agents._held <= 20_000


def test_plans_are_bounded_even_for_names_that_do_not_exist(fleet):
    plans = Plans(100_000)
    view = view_of(fleet.world, fleet.sector.nodes[0], Ways())
    for number in range(300):
        cells = plans.of(view, GET, get_pdu(GET, [f"1.3.6.1.9.{number}.{one}" for one in range(20)]).rest)
        assert len(cells) == 20
        assert plans.held <= 100_000
    assert plans.of(view, GET, get_pdu(GET, [NAME]).rest) is plans.of(view, GET, get_pdu(GET, [NAME]).rest)


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_octets_from_anywhere_never_stop_an_agent(data):
    fleet_of_all().send("rt-dc", data)
    fleet_of_all().send("env-dc", data)


@settings(max_examples=500)
@given(st.data())
def test_a_request_with_octets_changed_cut_or_added_never_stops_an_agent(data):
    fleet = fleet_of_all()
    tag = data.draw(st.sampled_from([0xA0, 0xA1, 0xA3, 0xA5]))
    version = data.draw(st.sampled_from([V1, V2C, 3]))
    pdu = get_pdu(tag, [NAME, f"{PORTS}.2"], data.draw(st.integers(0, 9)), data.draw(st.integers(0, 2**31 - 1)))
    octets = bytearray(request(version, b"public", pdu))
    for place, octet in data.draw(
        st.lists(st.tuples(st.integers(0, len(octets) - 1), st.integers(0, 255)), max_size=6)
    ):
        octets[place] = octet
    changed = bytes(octets)[: data.draw(st.integers(0, len(octets)))] + data.draw(st.binary(max_size=20))
    answer = fleet.send("rt-dc", changed)
    assert answer is None or len(answer) <= max(FRAME, len(changed) + 60)


def test_a_remembered_answer_is_the_answer_that_would_be_made(fleet):
    data = request(V2C, b"public", get_pdu(GET_BULK, [f"{PORTS}.10"], second=20))
    other = request(V2C, b"public", get_pdu(GET_BULK, [f"{PORTS}.10"], second=20, number=78))
    first, again = fleet.send("rt-dc", data), fleet.send("rt-dc", other)
    assert decode(first).variables == decode(again).variables
    assert re.sub(b"\0\0\0M", b"\0\0\0N", first, count=1) == again
