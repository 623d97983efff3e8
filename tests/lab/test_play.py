import socket

import pytest

from core.clock import SECOND, HeldClock
from core.errors import UnavailableError
from inventory.records import Device
from lab.play import Target, play
from lab.scenario import Planned


class Watch(HeldClock):
    """A held clock whose sleep moves it on and is remembered."""

    def __init__(self):
        super().__init__(1_795_303_800 * SECOND)  # 2026-11-22 06:30:00 in Vietnam
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(round(seconds, 6))
        self.forward(round(seconds * SECOND))


def line(at, text="x: y", address="127.1.6.10", transport="udp", vendor="linux"):
    device = Device(name=f"d-{address}", site="tha", address=address, vendor=vendor, model="m", role="r")
    return Planned(at=at, device=device, text=text, transport=transport)


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(10)
        yield wire


@pytest.fixture
def tcp():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        yield server


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        return wire.getsockname()[1]


def target(udp=None, tcp=None):
    nobody = ("127.0.0.1", free_port())
    return Target(udp=udp.getsockname() if udp else nobody, tcp=tcp.getsockname() if tcp else nobody)


def received(connection):
    with connection:
        connection.settimeout(10)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_each_line_is_sent_from_its_device_s_own_address(watch, udp):
    play([line(0), line(0, address="127.1.7.10")], target(udp), watch, watch.sleep)
    assert [udp.recvfrom(4096)[1][0] for _ in range(2)] == ["127.1.6.10", "127.1.7.10"]


def test_lines_wait_for_their_time_and_no_longer(watch, udp):
    play([line(1), line(1), line(4.5)], target(udp), watch, watch.sleep)
    assert watch.slept == [1, 3.5]


def test_speed_divides_the_time_between_lines(watch, udp):
    play([line(1), line(5)], target(udp), watch, watch.sleep, speed=4)
    assert watch.slept == [0.25, 1]


def test_a_line_bears_the_time_at_which_it_leaves(watch, udp):
    play([line(2)], target(udp), watch, watch.sleep)
    assert udp.recv(4096) == b"<30>1 2026-11-22T06:30:02.000000+07:00 d-127.1.6.10 x - - - y"


def test_each_device_numbers_its_own_lines(watch, udp):
    cisco = {"text": "%A-5-B: x", "vendor": "cisco"}
    play([line(0, **cisco), line(0, **cisco), line(0, address="127.1.7.1", **cisco)], target(udp), watch, watch.sleep)
    assert [udp.recv(4096).split(b":")[0] for _ in range(3)] == [b"<189>1", b"<189>2", b"<189>1"]


def test_tcp_lines_are_octet_counted_on_one_connection_from_the_device_s_address(watch, tcp):
    lines = [line(0, "x: Bắt đầu", transport="tcp"), line(0, "x: y", transport="tcp")]
    tally = play(lines, target(tcp=tcp), watch, watch.sleep)
    connection, (source, _) = tcp.accept()
    payloads = [planned.payload(watch.now(), 1) for planned in lines]
    assert source == "127.1.6.10"
    assert received(connection) == b"".join(b"%d %b" % (len(payload), payload) for payload in payloads)
    assert (tally.sent, tally.refused) == (2, 0)


def test_a_broken_connection_is_made_anew(watch, tcp):
    got = []

    def sleep_and_break(seconds):
        watch.sleep(seconds)
        connection, _ = tcp.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close with a reset
        connection.close()

    tally = play([line(0, transport="tcp"), line(1, transport="tcp")], target(tcp=tcp), watch, sleep_and_break)
    got.append(received(tcp.accept()[0]))
    assert got[0].endswith(b"x - - - y")
    assert (tally.sent, tally.refused) == (2, 0)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_lines_that_nobody_takes_are_counted_and_stop_nothing(watch, transport):
    tally = play([line(0, transport=transport)] * 5, target(), watch, watch.sleep)
    assert (tally.sent, tally.refused) == (5, 5)


def test_a_receiver_that_comes_late_gets_every_later_line(watch):
    where = target()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:

        def sleep_and_listen(seconds):
            watch.sleep(seconds)
            late.bind(where.udp)

        tally = play([line(0, "x: lost"), line(1, "x: kept")], where, watch, sleep_and_listen)
        late.settimeout(10)
        assert late.recv(4096).endswith(b"kept")
    assert (tally.sent, tally.refused) == (2, 1)


def test_an_address_that_is_not_this_machine_s_cannot_send(watch, udp):
    with pytest.raises(UnavailableError, match=r"cannot send from 192\.0\.2\.1"):
        play([line(0, address="192.0.2.1")], target(udp), watch, watch.sleep)


def test_the_progress_is_told_of_each_line(watch, udp):
    ticks = []
    play([line(0), line(0)], target(udp), watch, watch.sleep, tick=lambda: ticks.append(1))
    assert len(ticks) == 2
