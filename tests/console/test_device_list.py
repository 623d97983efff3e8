"""The list of devices: in Vietnamese order, found as people type, with the state by SNMP, never beyond one's scope."""

from __future__ import annotations

import re
import time
from html import unescape

import pytest
from inventory_pages import NOW
from measuring import fill_series, port_series, steady_port
from sectors import large_sector, large_states

from core.clock import HOUR, MINUTE
from core.device_states import DeviceState, DeviceStates, Reach, write_device_states
from core.scope import Grant
from inventory.records import Inventory

REACHES = {"RT-DN": Reach.UP, "FW-DN": Reach.DOWN, "RT-LC": Reach.REFUSED}


@pytest.fixture
def tell(tmp_path):
    """``tell(written, **reaches)`` is what the SNMP lane told then."""

    def told(written: int = NOW - MINUTE, reaches: dict[str, Reach] = REACHES, period: float = 60) -> None:
        sites = {"RT-DN": "dn", "FW-DN": "dn", "RT-LC": "lc"}
        devices = tuple(
            DeviceState(
                name=name, site=sites[name], address="10.0.0.1", state=state, since=NOW - HOUR, answered=NOW - HOUR
            )
            for name, state in reaches.items()
        )
        write_device_states(tmp_path / "devices.json", DeviceStates(written=written, period=period, devices=devices))

    return told


def names(page: str) -> list[str]:
    return [unescape(name) for name in re.findall(r'<td class="c-title"><a href="/devices/[^"]+">([^<]+)</a>', page)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["FW-DN", "RT-DN", "RT-LC"]),
        ("q=rt", ["RT-DN", "RT-LC"]),
        ("q=da+nang", ["FW-DN", "RT-DN"]),
        ("q=lào", ["RT-LC"]),
        ("q=10.1.0.2", ["FW-DN"]),
        ("q=cisco+x1", ["FW-DN", "RT-DN", "RT-LC"]),
        ("state=up", ["RT-DN"]),
        ("state=down", ["FW-DN"]),
        ("state=refused", ["RT-LC"]),
        ("state=nonsense", []),
        ("unit=vks-da-nang", ["FW-DN", "RT-DN"]),
        ("site=lc", ["RT-LC"]),
        ("role=router&state=down", ["FW-DN"]),
        ("role=server", []),
        ("page=99", ["FW-DN", "RT-DN", "RT-LC"]),
    ],
)
def test_devices_are_found_in_vietnamese_order(at, tell, query, found):
    tell()
    browser = at()
    assert names(browser.get(f"/devices?{query}").text) == found
    assert [one["name"] for one in browser.get(f"/devices.json?{query}").json()] == found


def test_states_are_counted_and_told_in_words(at, tell):
    tell()
    page = at().get("/devices").text
    for text in ("Tất cả 3", "Không trả lời 1", "Từ chối truy cập 1", "Trả lời 1", "Chưa có số liệu 0"):
        assert text in page


def test_without_the_lane_every_state_is_unknown(at):
    browser = at()
    assert {one["state"] for one in browser.get("/devices.json").json()} == {"unknown"}
    assert "Chưa thăm dò thiết bị nào" in browser.get("/devices").text


def test_what_the_lane_told_long_ago_says_nothing_of_now(at, tell):
    tell(written=NOW - HOUR)
    browser = at()
    assert {one["state"] for one in browser.get("/devices.json").json()} == {"unknown"}
    assert "Làn SNMP chưa báo số liệu mới" in browser.get("/devices").text


def test_the_share_of_ports_that_are_down_leaves_out_those_switched_off(at, tell, tmp_path):
    tell()
    now = [NOW - MINUTE]
    ports = {
        "a": steady_port(now, 1e6),
        "b": steady_port(now, 0.0, oper=2),
        "c": steady_port(now, 0.0, oper=2, admin=2),
    }
    batches = [{"interfaces": port_series("RT-DN", "dn", name, rows)} for name, rows in ports.items()]
    hosts = {"site": ["dn"], "device": ["RT-DN"], "object": ["system"], "time": now, "cpu": [95.5]}
    fill_series(tmp_path / "series", NOW, [*batches, {"hosts": hosts}])
    browser = at()
    row = next(one for one in browser.get("/devices.json").json() if one["name"] == "RT-DN")
    assert (row["down"], row["ports"], row["cpu"]) == (1, 2, 95.5)
    page = browser.get("/devices").text
    assert ">1/2</td>" in page
    assert ">95,5 %</td>" in page
    tell(reaches={"RT-DN": Reach.DOWN})
    row = next(one for one in browser.get("/devices.json").json() if one["name"] == "RT-DN")
    assert (row["down"], row["ports"], row["cpu"]) == (None, None, None)


def test_where_polls_are_far_apart_the_last_one_is_still_what_is_true_now(at, tell, tmp_path):
    rows = {"interfaces": port_series("RT-DN", "dn", "a", steady_port([NOW - 20 * MINUTE], 1e6))}
    fill_series(tmp_path / "series", NOW, [rows])
    for period, ports in ((60, None), (900, 1)):
        tell(period=period)
        assert next(one for one in at().get("/devices.json").json() if one["name"] == "RT-DN")["ports"] == ports
    assert "Hoạt động" in at().get("/devices/RT-DN").text


def test_only_devices_within_ones_scope_are_listed(at, tell):
    tell()
    browser = at(Grant("analyst", "vks-lao-cai"))
    assert names(browser.get("/devices").text) == ["RT-LC"]
    assert "FW-DN" not in browser.get("/devices?site=dn").text
    assert "Trụ sở Đà Nẵng" not in browser.get("/devices?site=dn").text


def test_who_may_not_see_sources_sees_no_state(at, tell):
    tell()
    browser = at(Grant("auditor"))
    assert names(browser.get("/devices?state=down").text) == ["FW-DN", "RT-DN", "RT-LC"]
    assert "Không trả lời" not in browser.get("/devices").text
    assert {one["state"] for one in browser.get("/devices.json").json()} == {None}


def test_a_sites_page_and_health_tell_of_its_polled_devices(at, tell):
    tell()
    page = at().get("/sites/dn").text
    assert "Không trả lời" in page
    found = {one["id"]: one for one in at().get("/sites.json").json()}
    assert (found["dn"]["health"], found["dn"]["polled"], found["dn"]["unreached"]) == ("degraded", 2, 1)
    assert found["lc"]["health"] == "degraded"


def test_a_site_is_down_only_if_its_sources_are_silent_and_its_devices_do_not_answer(at, tell):
    tell(reaches={"RT-LC": Reach.DOWN})
    assert next(one for one in at().get("/sites.json").json() if one["id"] == "lc")["health"] == "degraded"


def test_old_polls_count_in_no_health_and_the_page_says_so(at, tell):
    tell(written=NOW - HOUR, reaches={"RT-LC": Reach.DOWN})
    browser = at()
    assert next(one for one in browser.get("/sites.json").json() if one["id"] == "lc")["health"] == "up"
    assert "thiết bị được thăm dò không được tính" in browser.get("/sites").text


def test_an_inventory_without_devices_says_how_to_import_some(at):
    assert "haidang inventory import" in at(inventory=Inventory()).get("/devices").text


def test_the_list_of_a_whole_sector_is_quick_and_has_a_hundred_a_page(at, tmp_path):
    inventory = large_sector()
    write_device_states(tmp_path / "devices.json", large_states(inventory, NOW))
    browser = at(inventory=inventory)
    browser.get("/devices")
    started = time.process_time()
    page = browser.get("/devices?q=ha+noi").text
    assert time.process_time() - started < 2
    assert 0 < len(names(page)) <= 100
    assert len(names(browser.get("/devices").text)) == 100
