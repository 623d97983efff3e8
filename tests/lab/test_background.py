from itertools import islice

from lab.background import background


def first(sector, number, **options):
    return list(islice(background(sector, **options), number))


def test_every_device_speaks_within_the_first_nine_seconds(sector):
    lines = first(sector, 90)
    assert {line.device.name for line in lines} == {device.name for device in sector.devices}
    assert max(line.at for line in lines) < 9


def test_about_ten_lines_a_second_come_in_order(sector):
    lines = first(sector, 600)
    times = [line.at for line in lines]
    assert times == sorted(times)
    assert 55 < times[-1] < 65


def test_equal_seeds_give_equal_lines_and_others_do_not(sector):
    assert first(sector, 300, seed=3) == first(sector, 300, seed=3)
    assert first(sector, 300, seed=3) != first(sector, 300, seed=4)


def test_every_ordinary_line_fits_its_device_s_form(sector):
    lines = first(sector, 3000)
    payloads = [line.payload(0, 1) for line in lines]
    assert len({line.text.split("=")[0].split("[")[0].split(" ")[0] for line in lines}) > 8
    assert all(payload.startswith(b"<") and b"{" not in payload for payload in payloads)


def test_nothing_ordinary_looks_like_trouble(sector):
    words = ("Failed", "failure", "password", "new user", "state to down", "CONFIG_I", "RESTART", "deny", "cfgpath")
    assert not [line.text for line in first(sector, 3000) if any(word in line.text for word in words)]


def test_ordinary_lines_leave_the_wan_lines_of_scenarios_alone(sector):
    assert not [line.text for line in first(sector, 3000) if "GigabitEthernet0/0/" in line.text]
