"""Vietnamese order, and text found without diacritics unless they are typed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.shipped import shipped_units
from inventory.sorting import matches, vietnamese_key

_LISTED = (
    "An Giang, Bắc Ninh, Cà Mau, Cao Bằng, Cần Thơ, Đà Nẵng, Đắk Lắk, Điện Biên, Đồng Nai, Đồng Tháp, Gia Lai, Hà Nội, "
    "Hà Tĩnh, Hải Phòng, Hồ Chí Minh, Huế, Hưng Yên, Khánh Hòa, Lai Châu, Lạng Sơn, Lào Cai, Lâm Đồng, Nghệ An, "
    "Ninh Bình, Phú Thọ, Quảng Ngãi, Quảng Ninh, Quảng Trị, Sơn La, Tây Ninh, Thái Nguyên, Thanh Hóa, Tuyên Quang, "
    "Vĩnh Long"
)
PROVINCES = _LISTED.split(", ")
"""The 34, in their order."""

TEXTS = st.text(st.sampled_from("aăâáảãạàbdđeêềghioôơuưựyz AĂĐÔ0129-.") | st.characters(), max_size=12)


def test_the_34_provinces_stand_in_vietnamese_order():
    mixed = PROVINCES[1::2] + PROVINCES[::2]
    assert sorted(mixed, key=vietnamese_key) == PROVINCES


def test_the_34_are_those_that_are_shipped():
    org = shipped_units()
    names = {org.name(unit.id, "2026-11-25") for unit in org.at("2026-11-25") if unit.type == "province"}
    assert len(names) == len(PROVINCES) == 34
    assert all(any(name.endswith(f" {place}") for name in names) for place in PROVINCES)


@pytest.mark.parametrize(
    "ordered",
    [
        list("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"),
        ["ma", "mà", "mả", "mã", "má", "mạ"],
        ["VKSND khu vực 2 - Hà Nội", "VKSND khu vực 10 - Hà Nội", "VKSND khu vực 100 - Hà Nội"],
        ["hòa", "hóa", "hoan"],
        ["ba má", "bà mà", "bà má", "bác"],
        ["Vũ", "Vụ", "Vư"],
    ],
    ids=lambda ordered: ordered[0],
)
def test_letters_decide_before_tones_and_numbers_by_their_value(ordered):
    backwards = ordered[::-1]
    assert sorted(backwards, key=vietnamese_key) == ordered


def test_where_a_syllable_bears_its_tone_matters_last():
    assert sorted(["hóa b", "hoá a"], key=vietnamese_key) == ["hoá a", "hóa b"]


def test_a_number_of_any_length_is_sorted():
    assert vietnamese_key("9" * 5000) < vietnamese_key("1" + "0" * 5000)
    assert vietnamese_key("007") != vietnamese_key("7")


@given(TEXTS, TEXTS)
def test_the_order_is_total(one, other):
    first, second = vietnamese_key(one), vietnamese_key(other)
    same = unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
    assert (first == second) == same
    assert (first < second) + (second < first) + same == 1


@given(TEXTS)
def test_decomposed_text_stands_where_composed_text_does(text):
    assert vietnamese_key(unicodedata.normalize("NFD", text)) == vietnamese_key(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("lao cai", True),
        ("CAI lào", True),
        ("lao cải", False),
        ("", True),
        ("dong", True),
        ("đồng", True),
        ("đong", False),
    ],
)
def test_diacritics_are_ignored_unless_they_are_typed(wanted, found):
    assert matches("VKSND tỉnh Lào Cai, Đồng Nai", wanted) is found


@given(TEXTS)
def test_a_text_is_found_by_itself_in_either_form(text):
    assert matches(text, unicodedata.normalize("NFD", text))
    assert matches(unicodedata.normalize("NFD", text), text)
