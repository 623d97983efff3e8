"""10,000 devices imported into a running platform, with a broken row, twice; prints how long each took."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from running import Platform, running

pytestmark = pytest.mark.soak

SITES = 800
DEVICES = 10_000


def write_sector(folder: Path) -> None:
    folder.mkdir()
    (folder / "units.csv").write_text("id,name,type,parent\ntc,VKSND tối cao,supreme,\nvks,VKSND tỉnh X,province,tc\n")
    sites = "".join(f"s{n},Điểm cầu {n},vks,s{n},AREA\n" for n in range(SITES))
    (folder / "sites.csv").write_text(f"id,name,unit,address_space,tier\n{sites}")
    devices = "".join(
        f"d{n},s{n % SITES},192.168.{n // SITES // 250}.{n // SITES % 250 + 1},cisco,C9300,switch,SN{n}\n"
        for n in range(DEVICES)
    )
    broken = "hỏng,s0,192.168.1.300,cisco,C9300,switch,SN\n"
    (folder / "devices.csv").write_text(f"name,site,address,vendor,model,role,serial\n{broken}{devices}")


def imported(platform: Platform, folder: Path) -> tuple[float, dict[str, int], list[dict[str, str]]]:
    begun = time.perf_counter()
    done = platform.run("inventory", "import", str(folder), "--yes", "--json")
    took = time.perf_counter() - begun
    (answer,) = json.loads(done.stdout)
    assert done.returncode == 1  # for the broken row
    return took, answer["counts"], answer["problems"]


def test_ten_thousand_devices_are_imported_and_a_second_import_changes_nothing(tmp_path: Path):
    folder = tmp_path / "sector"
    write_sector(folder)
    with running(tmp_path / "platform") as platform:
        first, counts, problems = imported(platform, folder)
        assert counts == {"added": DEVICES + SITES + 2, "changed": 0, "unchanged": 0, "missing": 0, "problems": 1}
        assert "devices.csv, line 2" in problems[0]["place"]
        second, counts, _ = imported(platform, folder)
        assert counts == {"added": 0, "changed": 0, "unchanged": DEVICES + SITES + 2, "missing": 0, "problems": 1}
        assert len(platform.json("devices", "list")) == DEVICES
        assert "nguyên vẹn" in platform.run("audit", "verify").stdout
    print(f"import of {DEVICES} devices and {SITES} sites: {first:.1f} s; the same again: {second:.1f} s")
