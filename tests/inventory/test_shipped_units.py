"""The shipped sector: what the sources tell, dated, and nothing that they do not."""

from __future__ import annotations

import unicodedata
from collections import Counter
from itertools import pairwise

import pytest

from inventory.shipped import SHIPPED, known_counts, shipped_units

TODAY = "2026-11-25"
BEFORE, AFTER = "2025-06-30", "2025-07-02"


@pytest.fixture(scope="module")
def org():
    return shipped_units()


def types(org, day):
    return Counter(unit.type for unit in org.at(day))


def ids(units):
    return [unit.id for unit in units]


def test_there_are_63_provincial_units_to_june_2025_and_34_since_july(org):
    assert types(org, BEFORE) == {"supreme": 1, "high": 3, "province": 63}
    assert types(org, AFTER) == {"supreme": 1, "inner": 27, "province": 34}
    assert types(org, "2025-07-01") == types(org, AFTER) == types(org, TODAY)


def test_all_stand_under_the_supreme_procuracy(org):
    for day in (BEFORE, AFTER, TODAY):
        assert org.roots(day) == ("vks-toi-cao",)
        assert len(org.children("vks-toi-cao", day)) == len(org.at(day)) - 1


def test_23_were_formed_by_merger_and_11_went_on(org):
    formed = [unit for unit in org.at(TODAY) if unit.type == "province" and org.origins(unit.id)]
    unchanged = [unit for unit in org.at(TODAY) if unit.type == "province" and not org.origins(unit.id)]
    assert (len(formed), len(unchanged)) == (23, 11)
    assert {unit.valid_from for unit in formed} == {"2025-07-01"}
    assert {unit.valid_from for unit in unchanged} == {""}


def test_every_former_unit_has_one_successor_of_today(org):
    former = [unit for unit in org.at(BEFORE) if unit.valid_to]
    assert len(former) == 52 + 3
    assert {len(org.successors(unit.id, TODAY)) for unit in former} == {1}
    assert all(unit.id in org.reach(org.successors(unit.id, TODAY)[0], TODAY) for unit in former)


def test_three_provinces_became_ho_chi_minh_city(org):
    assert set(org.predecessors("vks-ho-chi-minh", BEFORE)) == {
        "vks-ba-ria-vung-tau",
        "vks-binh-duong",
        "vks-ho-chi-minh-2014",
    }


def test_the_high_procuracies_became_the_three_appeal_institutes(org):
    places = ("ha-noi", "da-nang", "ho-chi-minh")
    successors = [org.successors(f"vks-cap-cao-{place}", AFTER) for place in places]
    assert successors == [(f"tc-vien-phuc-tham-{place}",) for place in places]


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("15", "vks-yen-bai", "vks-lao-cai"),
        ("24", "vks-bac-giang", "vks-bac-ninh"),
        ("44", "vks-quang-binh", "vks-quang-tri"),
        ("52", "vks-binh-dinh", "vks-gia-lai"),
        ("80", "vks-long-an", "vks-tay-ninh"),
        ("82", "vks-tien-giang", "vks-dong-thap"),
        ("91", "vks-kien-giang", "vks-an-giang"),
        ("10", "vks-lao-cai-2014", "vks-lao-cai"),
        ("01", "vks-ha-noi", "vks-ha-noi"),
    ],
)
def test_a_code_means_whom_it_meant_on_the_day(org, code, before, after):
    assert ids(org.find(code, BEFORE)) == [before]
    assert ids(org.find(code, AFTER)) == ids(org.find(code, TODAY)) == [after]


def test_every_provincial_unit_has_a_code_of_its_own_on_each_day(org):
    for day, count in ((BEFORE, 63), (AFTER, 34)):
        codes = [org.code(unit.id, "gso", day) for unit in org.at(day) if unit.type == "province"]
        assert len(set(codes)) == count
        assert all(len(code) == 2 for code in codes)


@pytest.mark.parametrize(
    "text",
    [
        "VKS Yên Bái",
        "vks yen bai",
        "VKSND tỉnh Yên Bái",
        "VKS tỉnh Yên Bái",
        "Viện kiểm sát nhân dân tỉnh Yên Bái",
        "  VIỆN KIỂM SÁT NHÂN DÂN TỈNH YÊN BÁI ",
        "vks-yen-bai",
        "Lào Cai",
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_an_old_name_means_its_successor_today(org, text, form):
    found = org.find(unicodedata.normalize(form, text), TODAY)
    assert ids(found) == ["vks-lao-cai"]


def test_an_old_name_meant_its_bearer_in_its_time(org):
    assert ids(org.find("VKS Yên Bái", BEFORE)) == ["vks-yen-bai"]
    assert ids(org.find("VKS Lào Cai", BEFORE)) == ["vks-lao-cai-2014"]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("VKS TP.HCM", "vks-ho-chi-minh"),
        ("TPHCM", "vks-ho-chi-minh"),
        ("VKSND TP Hồ Chí Minh", "vks-ho-chi-minh"),
        ("VKSNDTC", "vks-toi-cao"),
        ("VKSND tối cao", "vks-toi-cao"),
        ("Cục 2", "tc-cuc-thong-ke"),
        ("VKSND cấp cao tại Hà Nội", "tc-vien-phuc-tham-ha-noi"),
        ("Hà Nội", "vks-ha-noi"),
        ("Thanh Hoá", "vks-thanh-hoa"),
        ("VKSND tỉnh Thừa Thiên Huế", "vks-hue"),
        ("vksbentre.gov.vn", "vks-vinh-long"),
    ],
)
def test_what_people_type_finds_the_unit(org, text, unit):
    assert ids(org.find(text, TODAY)) == [unit]


def test_diacritics_that_are_typed_count(org):
    assert org.find("VKS Yên Bài", TODAY) == []
    assert ids(org.find("VKS Yen Bai", TODAY)) == ["vks-lao-cai"]


def test_dong_nai_is_a_province_to_29_april_2026_and_then_a_city(org):
    before, since = "2026-04-29", "2026-04-30"
    assert org.status("vks-dong-nai", before) == "tỉnh"
    assert org.status("vks-dong-nai", since) == "thành phố"
    assert org.name("vks-dong-nai", before) == "Viện kiểm sát nhân dân tỉnh Đồng Nai"
    assert org.short("vks-dong-nai", since) == "VKSND thành phố Đồng Nai"
    assert ids(org.find("VKSND tỉnh Đồng Nai", TODAY)) == ["vks-dong-nai"]


@pytest.mark.parametrize(
    ("day", "provinces", "cities"),
    [("2024-12-31", 58, 5), (BEFORE, 57, 6), (AFTER, 28, 6), ("2026-04-29", 28, 6), ("2026-04-30", 27, 7)],
)
def test_there_are_so_many_provinces_and_cities(org, day, provinces, cities):
    found = Counter(org.status(unit.id, day) for unit in org.at(day) if unit.type == "province")
    assert found == {"tỉnh": provinces, "thành phố": cities}


def test_hue_was_thua_thien_hue_to_the_end_of_2024(org):
    assert org.name("vks-hue", "2024-12-31") == "Viện kiểm sát nhân dân tỉnh Thừa Thiên Huế"
    assert org.name("vks-hue", "2025-01-01") == "Viện kiểm sát nhân dân thành phố Huế"


def test_the_domains_seen_in_public_pages_are_there_and_no_more(org):
    found = {
        domain for unit in org.at(BEFORE) + org.at(TODAY) for domain in org.domains(unit.id, unit.valid_to or TODAY)
    }
    assert found == {
        "vksndtc.gov.vn",
        "vkshanoi.gov.vn",
        "vksquangtri.gov.vn",
        "vksbentre.gov.vn",
        "vksbacgiang.gov.vn",
        "vienkiemsatbrvt.gov.vn",
        "vksnd.gialai.gov.vn",
        "baovephapluat.vn",
        "kiemsat.vn",
    }


def test_no_identification_code_and_no_area_unit_is_made_up(org):
    for day in (BEFORE, AFTER, TODAY):
        assert all(org.code(unit.id, "ma_dinh_danh", day) == "" for unit in org.at(day))
    assert {(row.unit, row.type, row.count) for row in known_counts()} == {
        ("vks-toi-cao", "area", 355),
        ("vks-ho-chi-minh", "area", 19),
    }


def test_the_root_reaches_every_unit_of_all_times(org):
    everything = {unit.id for day in (BEFORE, AFTER) for unit in org.at(day)}
    assert org.reach("vks-toi-cao", TODAY) == everything


def test_a_merged_unit_reaches_those_it_was_formed_of(org):
    assert org.reach("vks-lao-cai", TODAY) == {"vks-lao-cai", "vks-lao-cai-2014", "vks-yen-bai"}
    assert org.reach("vks-ha-noi", TODAY) == {"vks-ha-noi"}
    assert org.reach("vks-yen-bai", TODAY) == {"vks-yen-bai"}


def test_each_path_goes_down_from_parent_to_child(org):
    for unit in org.at(TODAY):
        for one, other in pairwise(org.path(unit.id, TODAY)):
            assert org.parent(other, TODAY) == one


@pytest.mark.parametrize("name", ["units.yml", "unit_facts.csv", "successions.csv", "known_counts.csv"])
def test_every_file_says_its_sources_at_its_head(name):
    head = (SHIPPED / name).read_text("utf-8").split("\n- ")[0]
    assert head.startswith("# ")
    assert "Nguồn" in head or "source" in head
