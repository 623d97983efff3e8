"""A device's page shows what was measured: states, ports, percentiles as the store has them, gaps with reasons."""

from __future__ import annotations

import re
from html import unescape

import pytest
from inventory_pages import NOW
from measuring import device_series, fill_series, port_series, steady_port

from collectors.snmp.counters import Gap
from collectors.snmp.failures import Failure
from console.charts import Grid
from console.device_charts import reasons_of
from console.measures import Table
from console.texts import LANGUAGES, load_texts
from core.clock import HOUR, MINUTE
from core.device_states import DeviceState, DeviceStates, Reach, write_device_states
from core.scope import EVERYTHING, Grant
from core.stores.series_manifest import DAY, day_start
from core.stores.series_read import LocalSeries, SeriesQuery

PORT = "GigabitEthernet0/1"
TIMES = range(NOW - 2 * HOUR, NOW, MINUTE)
SILENT = range(NOW - 60 * MINUTE, NOW - 20 * MINUTE, MINUTE)
HEARD = [time for time in TIMES if time not in SILENT]


def tell(folder, state: Reach, since: int = NOW - DAY) -> None:
    """The SNMP lane tells so of the device."""
    device = DeviceState(name="RT-DN", site="dn", address="10.1.0.1", state=state, since=since, answered=NOW - MINUTE)
    write_device_states(folder / "devices.json", DeviceStates(written=NOW - MINUTE, devices=(device,)))


@pytest.fixture(autouse=True)
def _measured(tmp_path):
    """What was measured of a few devices."""
    ports = steady_port(HEARD[:-1], 250e6) + steady_port(HEARD[-1:], 940e6, out_errors=2.5)
    down = steady_port(HEARD, 0.0, oper=2)
    off = steady_port(HEARD, 0.0, oper=2, admin=2)
    restarted = [{"time": time, "oper": 1, "admin": 1, "gap": "restart"} for time in HEARD]
    hosts = {"site": ["dn"] * 2, "device": ["RT-DN"] * 2, "object": ["cpu 1", "cpu 2"], "time": [HEARD[-1]] * 2}
    hosts |= {"cpu": [12.5, 93.0], "memory_used": [3e9, None], "memory_total": [4e9, None]}
    ups = {"site": ["dn"], "device": ["RT-DN"], "object": ["UPS"], "time": [HEARD[-1]], "on_battery": [1]}
    ups |= {"charge": [61.0], "minutes_left": [18.0], "load": [40.0]}
    sensors = {"site": ["dn"] * 2, "device": ["RT-DN"] * 2, "object": ["Khay 1", "Quạt"], "time": [HEARD[-1]] * 2}
    sensors |= {
        "kind": ["temperature", "fan"],
        "value": [24.5, None],
        "unit": ["°C", None],
        "state": ["normal", "failed"],
    }
    batches = [
        {"interfaces": port_series("RT-DN", "dn", name, rows)}
        for name, rows in ((PORT, ports), ("ge-0", down), ("ge-9", off), ("ge-8", restarted))
    ]
    batches += [{"interfaces": port_series("RT-LC", "lc", "lc-1", steady_port(HEARD, 1e6))}]
    batches += [{"hosts": hosts, "power": ups, "sensors": sensors}]
    batches += [{"devices": device_series("RT-DN", "dn", TIMES, [float(time not in SILENT) for time in TIMES])}]
    fill_series(tmp_path / "series", NOW, batches)
    tell(tmp_path, Reach.UP)


@pytest.fixture
def page(at):
    return at().get("/devices/RT-DN").text


def words(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def row_of(page: str, port: str) -> str:
    rows = re.findall(r"<tr[^>]*>.*?</tr>", page, re.DOTALL)
    return words(next(row for row in rows if f">{port}<" in row))


def test_the_state_by_snmp_is_told_with_since_when(page):
    assert "Trả lời từ 21/11/2026" in words(page)


def test_a_port_shows_rates_utilisation_and_errors_of_its_last_reading(page):
    row = row_of(page, PORT)
    for text in ("Hoạt động", "940 Mbit/s 94 %", "470 Mbit/s 47 %", "2,5 gói/s", "1 Gbit/s"):
        assert text in row
    assert '<rect class="part full" width="94.0" height="6"/>' in page


def test_ports_are_up_down_or_switched_off_in_words(page):
    assert "Mất kết nối" in row_of(page, "ge-0")
    assert "Đã tắt" in row_of(page, "ge-9")
    assert "Nối trong mạng lõi" in row_of(page, "ge-0")


def test_a_port_that_was_never_measured_has_no_figures(page):
    row = row_of(page, "ge-1")
    assert "Chưa có số liệu" in row
    assert " 0 " not in row


def test_a_rate_that_is_missing_says_why_instead_of_0(page):
    row = row_of(page, "ge-8")
    assert "thiết bị khởi động lại" in row
    assert "bit/s" not in row


def test_the_percentile_shown_is_the_stores(page, at, tmp_path):
    query = SeriesQuery(
        table="interfaces",
        columns=("in_bps_p95", "out_bps_p95"),
        device="RT-DN",
        object=PORT,
        since=day_start(NOW),
        until=NOW,
        step=DAY,
    )
    (row,) = LocalSeries(tmp_path / "series").read(EVERYTHING, query).rows
    assert row[4:] == (250e6, 125e6)
    assert "↓ 250 Mbit/s ↑ 125 Mbit/s" in row_of(page, PORT)
    interface = words(at().get(f"/devices/RT-DN/interfaces?port={PORT}").text)
    assert "22/11/2026 250 Mbit/s 125 Mbit/s" in interface
    assert "11/2026 250 Mbit/s 125 Mbit/s" in interface


def test_charts_show_cpu_memory_sensors_and_the_ups_on_battery(page):
    text = words(page)
    for found in (
        "cpu 2 93 %",
        "Bộ nhớ đã dùng",
        "Nhiệt độ",
        "24,5 °C",
        "Đang chạy bằng ắc quy",
        "61 %",
        "18 phút",
        "hỏng",
    ):
        assert found in text
    assert 'class="band"' in page


def test_a_device_that_did_not_answer_leaves_a_gap_that_says_so(page):
    assert "thiết bị không trả lời SNMP" in page
    assert "không có lần thăm dò nào được lưu" in page
    assert 'fill="url(#void)"' in page


def test_the_same_figures_are_given_to_programs(at):
    answer = at().get(f"/devices/RT-DN/series.json?port={PORT}&span=24h").json()
    traffic = next(one for one in answer["charts"] if one["key"] == "traffic")
    received = traffic["lines"][0]["values"]
    assert answer["step_seconds"] == 900
    assert (traffic["unit"], len(received), received[0]) == ("bit/s", 96, None)
    assert 250e6 in received
    assert 0 not in received
    assert {gap["reason"] for gap in traffic["gaps"]} == {
        "thiết bị không trả lời SNMP",
        "không có lần thăm dò nào được lưu",
    }


@pytest.mark.parametrize("reach", [Reach.DOWN, Reach.REFUSED])
def test_of_a_device_that_does_not_answer_nothing_is_told_as_true_now(at, tmp_path, reach):
    tell(tmp_path, reach)
    page = at().get("/devices/RT-DN").text
    assert "hiện chưa rõ trạng thái và lưu lượng" in page
    row = row_of(page, PORT)
    assert "Chưa có số liệu" in row
    assert "Hoạt động" not in row
    assert "↓ 250 Mbit/s" in row
    assert 'id="power-title"' not in page
    interface = words(at().get(f"/devices/RT-DN/interfaces?port={PORT}").text)
    assert "Hoạt động" not in interface


def test_of_a_device_whose_state_is_young_the_last_hour_is_shown_unless_another_span_is_picked(at, tmp_path):
    tell(tmp_path, Reach.UP, NOW - HOUR)
    browser = at()
    for path in ("/devices/RT-DN?", f"/devices/RT-DN/interfaces?port={PORT.replace('/', '%2F')}&amp;"):
        page = browser.get(path.replace("&amp;", "&")).text
        assert f'href="{path}span=1h" aria-current="true"' in page
    assert 'span=7d" aria-current="true"' in browser.get("/devices/RT-DN?span=7d").text


@pytest.mark.parametrize("span", ["1h", "24h", "7d", "30d", "12m", "nonsense"])
def test_each_span_has_its_page_with_the_picked_one_marked(at, span):
    page = at().get(f"/devices/RT-DN?span={span}").text
    chosen = span if span != "nonsense" else "24h"
    assert f'href="/devices/RT-DN?span={chosen}" aria-current="true"' in page
    assert 'class="line line-1"' in page


def test_a_device_of_which_nothing_was_measured_says_so(at):
    page = at().get("/devices/FW-DN").text
    assert "chưa có số liệu" in page
    assert "thiết bị này không được thăm dò" in page
    assert 'class="line' not in page


def test_pages_have_no_inline_style_that_the_policy_would_refuse(at, page):
    for text in (page, at().get(f"/devices/RT-DN/interfaces?port={PORT}").text):
        assert "style=" not in text
        assert "<style" not in text


def test_an_unknown_interface_is_not_found(at):
    answer = at().get("/devices/RT-DN/interfaces?port=nowhere")
    assert answer.status_code == 404
    assert "Không có cổng &#39;nowhere&#39; trên thiết bị &#39;RT-DN&#39;" in answer.text


def test_nothing_measured_elsewhere_is_seen(at):
    browser = at(Grant("analyst", "vks-lao-cai"))
    for path in ("", "/series.json", f"/interfaces?port={PORT}"):
        assert browser.get(f"/devices/RT-DN{path}").status_code == 404
    assert "lc-1" in browser.get("/devices/RT-LC").text


def test_who_may_not_see_sources_sees_what_the_inventory_knows_and_no_figure(at):
    browser = at(Grant("auditor"))
    page = browser.get("/devices/RT-DN").text
    assert "ge-0" in page
    assert PORT not in page
    assert "SNMP" not in words(page)
    assert browser.get("/devices/RT-DN/series.json").status_code == 403


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_of_the_collector_has_words(language):
    assert {f"gap.{reason}" for reason in (*Gap, *Failure)} <= set(load_texts(language))


def test_a_reason_is_the_rows_own_or_else_what_the_device_did():
    grid = Grid(0, MINUTE, 5)
    ports = Table(grid, {"a": {"gap": ("wrap", None, None, None, "new words")}})
    reached = Table(grid, {"": {"up": (1.0, 1.0, 0.0, None, 0.5)}})
    told = reasons_of(ports, reached, "vi")
    assert told[0] == "bộ đếm 32 bit có thể đã quay vòng nhiều lần"
    assert told[1] == "thiết bị không trả giá trị này"
    assert told[2] == "thiết bị không trả lời SNMP"
    assert told[3] == "không có lần thăm dò nào được lưu"
    assert told[4] == "new words"
