"""The schematic map: every province once, in its place among its neighbours, and no state told by colour alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest

from console.map import HALF, RADIUS, Islands, Tile, TileHealth, TileState, drawing, places
from console.render import STATIC, part
from console.texts import LANGUAGES

# Resolution 202/2025/QH15: the 34 provinces and cities from 1 July 2025, by the codes of the statistics office.
NAMES = {
    "01": "Hà Nội", "04": "Cao Bằng", "08": "Tuyên Quang", "11": "Điện Biên", "12": "Lai Châu", "14": "Sơn La",
    "15": "Lào Cai", "19": "Thái Nguyên", "20": "Lạng Sơn", "22": "Quảng Ninh", "24": "Bắc Ninh", "25": "Phú Thọ",
    "31": "Hải Phòng", "33": "Hưng Yên", "37": "Ninh Bình", "38": "Thanh Hóa", "40": "Nghệ An", "42": "Hà Tĩnh",
    "44": "Quảng Trị", "46": "Huế", "48": "Đà Nẵng", "51": "Quảng Ngãi", "52": "Gia Lai", "56": "Khánh Hòa",
    "66": "Đắk Lắk", "68": "Lâm Đồng", "75": "Đồng Nai", "79": "TP Hồ Chí Minh", "80": "Tây Ninh", "82": "Đồng Tháp",
    "86": "Vĩnh Long", "91": "An Giang", "92": "Cần Thơ", "96": "Cà Mau",
}  # fmt: skip
BORDERS = """
11-12 11-14 12-14 12-15 15-08 15-14 15-25 08-04 08-19 08-25 04-19 04-20 19-20 19-24 19-25 19-01 20-24 20-22 24-22
24-31 24-33 24-01 22-31 31-33 33-37 01-25 01-33 01-37 14-25 14-38 25-37 37-38 38-40 40-42 42-44 44-46 46-48 48-51
51-52 52-66 66-56 66-68 56-68 68-75 68-79 75-79 75-80 79-80 79-82 80-82 82-86 82-91 82-92 86-92 91-92 91-96 92-96
"""
COAST = "22 31 38 40 42 44 46 48 51 52 66 56 79 86 92 96"
"""From north to south."""

DOWN = TileState(
    health=TileHealth.DOWN,
    sites={TileHealth.DOWN: 2, TileHealth.UP: 1234},
    name="VKSND tỉnh <Lạng> & Sơn",
    link="/x?a=1&b=2",
)


def tiles(states: Mapping[str, TileState] | None = None) -> dict[str, Tile]:
    return {each.code: each for each in drawing(states or {}, "vi").tiles}


def islands(language: str = "vi") -> dict[str, Islands]:
    return {each.key: each for each in drawing({}, language).islands}


def page(states: Mapping[str, TileState] | None = None, language: str = "vi") -> str:
    return part(language, "map", {"map": drawing(states or {}, language)})


def steps(one: tuple[int, int], other: tuple[int, int]) -> int:
    """From tile to tile; columns are half tiles."""
    aside, down = abs(one[0] - other[0]), abs(one[1] - other[1])
    return down + max(0, aside - down) // 2


def test_there_are_the_34_provinces_of_today_by_their_right_names():
    found = {code: tile.title.split(":")[0] for code, tile in tiles().items()}
    assert found == NAMES
    assert len(found) == 34
    assert all(unicodedata.is_normalized("NFC", name) for name in found.values())


def test_every_label_is_the_name_or_its_usual_short_form():
    labels = {code: " ".join(line.text for line in tile.label) for code, tile in tiles().items()}
    assert labels == NAMES | {"79": "TP.HCM"}


def test_no_tile_lies_on_another():
    assert all((column + row) % 2 == 0 for column, row in places().values())
    assert [pair for pair in combinations(places().items(), 2) if steps(pair[0][1], pair[1][1]) < 1] == []


def test_every_tile_is_a_hexagon_around_its_centre_and_inside_the_drawing():
    map_ = drawing({}, "vi")
    for tile in map_.tiles:
        corners = [tuple(map(float, corner.split(","))) for corner in tile.points.split()]
        assert len(set(corners)) == 6
        assert {abs(x - tile.centre.x) for x, _ in corners} == {0, HALF}
        assert {abs(y - tile.centre.y) for _, y in corners} == {RADIUS / 2, RADIUS}
        assert all(0 < x < map_.width and 0 < y < map_.height for x, y in corners)


@pytest.mark.parametrize("border", BORDERS.split())
def test_provinces_with_a_common_border_are_near(border):
    one, other = border.split("-")
    assert 1 <= steps(places()[one], places()[other]) <= 2


def test_most_provinces_with_a_common_border_touch_and_few_others_do():
    borders = {frozenset(border.split("-")) for border in BORDERS.split()}
    touching = {
        frozenset((one, other)) for (one, a), (other, b) in combinations(places().items(), 2) if steps(a, b) == 1
    }
    assert len(borders & touching) >= 0.8 * len(borders)
    assert len(touching - borders) <= 0.15 * len(touching)


def test_the_coast_goes_from_north_to_south():
    rows = [places()[code][1] for code in COAST.split()]
    assert all(one < other for one, other in pairwise(rows))


def test_the_country_has_its_shape():
    by_row: dict[int, list[int]] = {}
    for column, row in places().values():
        by_row.setdefault(row, []).append(column)
    widths = [max(by_row[row]) - min(by_row[row]) for row in sorted(by_row)]
    assert sorted(by_row) == list(range(len(by_row)))
    assert max(widths) == widths[2] == 8  # from Điện Biên to Quảng Ninh
    assert set(widths[4:13]) == {0}  # from Thanh Hóa to Đắk Lắk
    assert max(range(len(widths)), key=lambda row: max(by_row[row])) == places()["52"][1]
    assert places()["96"][0] < places()["56"][0]


@pytest.mark.parametrize(
    ("language", "key", "name"),
    [
        ("vi", "hoang_sa", "Quần đảo Hoàng Sa (TP Đà Nẵng)"),
        ("vi", "truong_sa", "Quần đảo Trường Sa (Khánh Hòa)"),
        ("en", "hoang_sa", "Hoàng Sa Archipelago (Đà Nẵng City)"),
        ("en", "truong_sa", "Trường Sa Archipelago (Khánh Hòa)"),
    ],
)
def test_both_archipelagos_are_there_and_named(language, key, name):
    group = islands(language)[key]
    assert group.title == " ".join(line.text for line in group.label) == name
    assert len(group.dots) >= 10
    assert f"<title>{name}</title>" in page(language=language)


def test_the_islands_lie_where_they_are_in_the_east_sea():
    mainland, groups, map_ = tiles(), islands(), drawing({}, "vi")
    hoang_sa, truong_sa = groups["hoang_sa"].dots, groups["truong_sa"].dots
    east = max(tile.centre.x for tile in mainland.values()) + HALF
    assert all(dot.x > east for dot in hoang_sa + truong_sa[:1])
    assert all(mainland["44"].centre.y < dot.y < mainland["51"].centre.y for dot in hoang_sa)
    assert all(mainland["56"].centre.y < dot.y for dot in truong_sa)
    assert max(dot.x for dot in truong_sa) > max(dot.x for dot in hoang_sa)
    assert all(dot.x < mainland["91"].centre.x - HALF for dot in groups["phu_quoc"].dots)
    assert all(dot.y > mainland["79"].centre.y for dot in groups["con_dao"].dots)
    assert all(0 < dot.x < map_.width and 0 < dot.y < map_.height for group in groups.values() for dot in group.dots)


def test_a_title_tells_the_state_and_the_sites_in_words():
    assert tiles({"20": DOWN})["20"].title == (
        "VKSND tỉnh <Lạng> & Sơn: mất kết nối. 1.236 điểm cầu: 1.234 tốt, 2 mất kết nối."
    )


def test_a_province_of_which_nothing_is_told_is_unknown():
    tile = tiles({"20": DOWN})["04"]
    assert (tile.health, tile.link) == ("unknown", "")
    assert tile.title == "Cao Bằng: chưa có số liệu. Chưa biết điểm cầu nào."


def test_a_code_without_a_tile_is_left_out():
    assert tiles({"02": DOWN}) == tiles()


def test_the_legend_counts_the_provinces_of_each_state():
    legend = drawing({"20": DOWN, "04": TileState(health=TileHealth.UP)}, "en").legend
    assert [(each.health, each.count) for each in legend] == [
        ("up", "1"),
        ("degraded", "0"),
        ("down", "1"),
        ("unknown", "32"),
    ]
    assert all(each.text for each in legend)


def test_every_state_has_its_own_sign_and_its_word():
    signs = set()
    for health in TileHealth:
        text = page({"20": TileState(health=health)})
        (tile,) = re.findall(r'<g class="tile [^>]*data-code="20">.*?</g>', text, re.DOTALL)
        (sign,) = re.findall(r'<(\w+) class="sign"', tile)
        signs.add((sign, re.sub(r"[-\d. ]+", "", "".join(re.findall(r' d="([^"]*)"', tile))), "url(#map-" in tile))
        assert f"Lạng Sơn: {drawing({}, 'vi').legend[list(TileHealth).index(health)].text}." in tile
    assert len(signs) == 4


def test_what_is_unknown_or_degraded_is_hatched():
    text = page({"20": TileState(health=TileHealth.DEGRADED)})
    assert text.count('fill="url(#map-unknown)"') == 33 + 1  # and in the legend
    assert text.count('fill="url(#map-degraded)"') == 1 + 1
    assert {"map-unknown", "map-degraded"} <= set(re.findall(r'<pattern id="([\w-]+)"', text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_drawing_is_well_formed_and_has_no_inline_style_or_script(language):
    text = page({"20": DOWN}, language)
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script|javascript:|https?:", text)
    ET.fromstring(text)  # noqa: S314 - our own text


def test_names_and_addresses_are_escaped():
    text = page({"20": DOWN})
    assert "VKSND tỉnh &lt;Lạng&gt; &amp; Sơn" in text
    assert "<Lạng>" not in text
    assert 'href="/x?a=1&amp;b=2"' in text


def test_a_tile_with_an_address_is_a_link_and_one_without_is_none():
    root = ET.fromstring(page({"20": DOWN}))  # noqa: S314 - our own text
    assert [link.get("data-code") for link in root.iter("a")] == ["20"]
    drawn = [each for each in root.iter() if each.get("data-code")]
    assert len(drawn) == 34
    assert [each for each in drawn if not (each.findtext("title") or "").strip()] == []


def test_every_class_of_the_map_has_its_style():
    css = (STATIC / "console.css").read_text("utf-8")
    used = {name for names in re.findall(r'class="([^"]+)"', page()) for name in names.split()}
    unstyled = {"hoang_sa", "truong_sa", "phu_quoc", "con_dao"}
    states = {f"map-{health}" for health in TileHealth}
    assert [name for name in (used | states) - unstyled if not re.search(rf"\.{name}\b", css)] == []
