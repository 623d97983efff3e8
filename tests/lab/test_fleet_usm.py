import pytest
from fleets import NAME, START, Fleet, get_pdu
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import SECOND
from lab.fleet import ber, messages, usm
from lab.fleet.agents import Secrets
from lab.fleet.ber import INTEGER, OCTET_STRING, SEQUENCE, tlv
from lab.fleet.faults import Terms
from lab.fleet.usm import AUTHENTICATED, PRIVATE, REPORTABLE, Engine, Secured, Security, User

USER = User(name="noc", authentication="authpass1", privacy="privpass1")
ADDRESS = bytes((127, 10, 1, 1))
COUNTERS = "1.3.6.1.6.3.15.1.1"


@pytest.fixture
def fleet():
    return Fleet("2x4x8", secrets=Secrets(user=USER))


def message(engine, flags, *, user=USER, name=b"noc"):
    """A request for the name, secured as the flags say, made by the other half of the same code."""
    pdu = get_pdu(messages.GET, [NAME])
    inner = tlv(pdu.tag, tlv(INTEGER, pdu.request_id) + pdu.rest)
    scoped = tlv(SEQUENCE, tlv(OCTET_STRING, engine.id) + tlv(OCTET_STRING, b"") + inner)
    asked = Secured(b"\x05", flags, engine, name, (0, 0), b"", (0, 0))
    if not flags & AUTHENTICATED:
        return usm._message(b"\x05", flags & 4, engine, (engine.id, name, b"", b""), scoped)
    made = Security(user)._secure(asked, engine, flags & 3, scoped)
    return made.replace(bytes((OCTET_STRING, 1, flags & 3)), bytes((OCTET_STRING, 1, flags)), 1)


def signed(engine, flags, **more):
    """The same with the reportable bit, under the right code."""
    data = message(engine, flags | REPORTABLE, **more)
    got = usm.read_secured(data)
    start, stop = got.digest
    if stop == start:
        return data
    key = usm.localised(more.get("user", USER), engine.id).authentication
    code = usm.hmac.digest(key, data[:start] + bytes(24) + data[stop:], "sha256")[:24]
    return data[:start] + code + data[stop:]


def engine_of(fleet, device="rt-dc"):
    node = fleet.sector.by_name[device]
    return fleet.agents._engine(node.packed, fleet.clock.now())


def reported(fleet, data):
    """Which of usmStats a report counts, and the flags it came with."""
    answer = fleet.send("rt-dc", data)
    got = usm.read_secured(answer)
    inside = answer[slice(*got.data)]
    start, stop = ber.expect(inside, 0, len(inside), SEQUENCE)
    _, at = ber.expect(inside, start, stop, OCTET_STRING)
    _, at = ber.expect(inside, at, stop, OCTET_STRING)
    tag, _, _ = ber.read(inside, at, stop)
    assert tag == messages.REPORT
    name = ber.oid(ber.parse_dotted(COUNTERS))
    place = inside.index(name)
    return inside[place + len(name)], got.flags


def test_an_engine_id_tells_the_address():
    assert usm.engine_id(ADDRESS).hex() == "80007ed9017f0a0101"


def test_each_agent_has_an_engine_of_its_own(fleet):
    engines = {engine_of(fleet, node.name).id for node in fleet.sector.nodes}
    assert len(engines) == len(fleet.sector.nodes)


def test_discovery_tells_the_engine_and_its_time(fleet):
    asked = message(Engine(b"", 0, 0), REPORTABLE, name=b"")
    assert reported(fleet, asked) == (4, 0)
    told = usm.read_secured(fleet.send("rt-dc", asked)).engine
    assert told == engine_of(fleet)
    assert told.time == (START - fleet.world.first_start(fleet.sector.nodes[0])) // SECOND


@pytest.mark.parametrize("flags", [AUTHENTICATED, AUTHENTICATED | PRIVATE])
def test_a_request_is_answered_as_it_was_secured(fleet, flags):
    engine = engine_of(fleet)
    answer = fleet.send("rt-dc", signed(engine, flags))
    got = usm.read_secured(answer)
    assert got.flags == flags
    inside = answer[slice(*got.data)]
    if flags & PRIVATE:
        start, stop = ber.expect(inside, 0, len(inside), OCTET_STRING)
        key = usm.localised(USER, engine.id).privacy
        inside = usm._cipher(key, got.engine, got.salt).decryptor().update(inside[start:stop])
    assert b"rt-dc" in inside
    assert (b"rt-dc" in answer) is not bool(flags & PRIVATE)
    Security(USER)._authenticate(answer, got, usm.localised(USER, engine.id).authentication)


def test_two_devices_never_mix_although_they_are_asked_the_same(fleet):
    for _ in range(2):
        for node in fleet.sector.nodes:
            answer = fleet.send(node.name, signed(engine_of(fleet, node.name), AUTHENTICATED))
            assert answer.endswith(node.name.encode())
            assert usm.read_secured(answer).engine.id == usm.engine_id(node.packed)


def test_what_is_wrong_is_reported_by_kind(fleet):
    engine = engine_of(fleet)
    both = AUTHENTICATED | PRIVATE
    wrong_password = User(name="noc", authentication="authpass2", privacy="privpass1")
    wrong_privacy = User(name="noc", authentication="authpass1", privacy="privpass2")
    assert reported(fleet, signed(engine, 0)) == (1, 0)
    assert reported(fleet, signed(engine._replace(time=engine.time - 151), both)) == (2, AUTHENTICATED)
    assert reported(fleet, signed(engine._replace(boots=engine.boots + 1), both)) == (2, AUTHENTICATED)
    assert reported(fleet, signed(engine, both, name=b"nobody")) == (3, 0)
    assert reported(fleet, signed(engine._replace(id=b"\x80other"), both)) == (4, 0)
    assert reported(fleet, signed(engine, both, user=wrong_password)) == (5, 0)
    assert reported(fleet, signed(engine, both, user=wrong_privacy)) == (6, 0)


def test_a_user_without_privacy_is_not_answered_with_it():
    plain = User(name="noc", authentication="authpass1")
    fleet = Fleet("1x1x4", secrets=Secrets(user=plain))
    assert reported(fleet, signed(engine_of(fleet), AUTHENTICATED | PRIVATE)) == (1, 0)
    assert fleet.send("rt-dc", signed(engine_of(fleet), AUTHENTICATED, user=plain)) is not None


def test_a_message_that_wants_no_report_gets_none(fleet):
    assert fleet.send("rt-dc", message(Engine(b"", 0, 0), 0, name=b"")) is None


def test_a_restart_counts_as_another_boot_and_the_old_time_is_refused(fleet):
    before = engine_of(fleet)
    fleet.begin(Terms(kind="restart", id="r", device="rt-dc", takes_s=10))
    fleet.wait(15)
    after = engine_of(fleet)
    assert (after.boots, after.time) == (before.boots + 1, 5)
    assert reported(fleet, signed(before, AUTHENTICATED)) == (2, AUTHENTICATED)
    assert fleet.send("rt-dc", signed(after, AUTHENTICATED)) is not None


def test_without_a_user_version_3_gets_no_answer():
    fleet = Fleet("1x1x4")
    assert fleet.send("rt-dc", message(Engine(b"", 0, 0), REPORTABLE, name=b"")) is None


@settings(max_examples=400)
@given(st.data())
def test_a_changed_message_is_never_answered_with_a_value(data):
    fleet = Fleet("1x1x4", secrets=Secrets(user=USER))
    octets = bytearray(signed(engine_of(fleet), AUTHENTICATED | PRIVATE))
    before = bytes(octets)
    for place, octet in data.draw(
        st.lists(st.tuples(st.integers(0, len(octets) - 1), st.integers(0, 255)), max_size=4)
    ):
        octets[place] = octet
    answer = fleet.send("rt-dc", bytes(octets))
    if bytes(octets) != before and answer is not None:
        assert not usm.read_secured(answer).flags & PRIVATE
