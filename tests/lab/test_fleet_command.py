import socket
from contextlib import suppress

import pytest

from lab import cli


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--size", "3x"], "is no size"),
        (["--v3", "noc:short"], "passwords"),
        (["--walk", "10.0.0.1=x"], "127.x.y.z"),
        (["--port", "70000"], "65535"),
        (["--tick", "0"], "0.01"),
        (["--scenario", "absent.yml"], "cannot be read"),
        (["--walk", "127.0.0.1=absent"], "cannot be read"),
    ],
)
def test_wrong_options_are_one_clear_line(arguments, reason, capsys):
    with suppress(SystemExit):
        assert cli.main(["fleet", "--size", "1x1x4", "--seconds", "0.1", "--port", "0", *arguments]) == 1
    assert reason in capsys.readouterr().err


def test_a_port_that_is_taken_is_one_clear_line(capsys):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        port = wire.getsockname()[1]
        assert cli.main(["fleet", "--size", "1x1x4", "--port", str(port)]) == 1
    assert f"port {port}: Address already in use" in capsys.readouterr().err


def test_a_fleet_writes_its_inventory_and_stops_by_itself(tmp_path, capsys):
    folder = tmp_path / "stock"
    assert cli.main(["fleet", "--size", "5x2x4", "--inventory", str(folder), "--inventory-only"]) == 0
    assert {path.name for path in folder.iterdir()} >= {"units.csv", "sites.csv", "devices.csv", "interfaces.csv"}
    assert (
        cli.main(["fleet", "--size", "1x1x4", "--port", "0", "--seconds", "0.2", "--scenario", str(_storm(tmp_path))])
        == 0
    )
    assert "answered: 0" in capsys.readouterr().err


def _storm(folder):
    path = folder / "storm.yml"
    path.write_text("title: {vi: a, en: b}\nfaults: [{kind: dead, device: rt-dc, lasts: 5}]\n", encoding="utf-8")
    return path
