"""What follows from an official name."""

from __future__ import annotations

import unicodedata

import pytest

from inventory.unit_names import rank, shorten, spellings


def test_the_rule_makes_what_people_write_of_a_province():
    made = spellings("Viện kiểm sát nhân dân tỉnh Lào Cai")
    assert made[0] == "Viện kiểm sát nhân dân tỉnh Lào Cai"
    assert {"VKSND tỉnh Lào Cai", "VKS tỉnh Lào Cai", "VKS Lào Cai", "Viện kiểm sát Lào Cai", "Lào Cai"} < set(made)
    assert len(set(made)) == len(made)


def test_the_rule_makes_what_people_write_of_a_city():
    assert {"VKSND TP Đà Nẵng", "VKS Đà Nẵng", "TP Đà Nẵng"} < set(spellings("VKSND thành phố Đà Nẵng"))
    assert {"VKS TP.HCM", "VKSND HCM"} < set(spellings("VKSND TP.HCM"))


def test_a_name_that_is_no_procuracys_is_spelled_as_it_is():
    assert spellings("Cục Tài chính") == ("Cục Tài chính",)


@pytest.mark.parametrize(
    ("name", "short", "status"),
    [
        ("Viện kiểm sát nhân dân tỉnh Lào Cai", "VKSND tỉnh Lào Cai", "tỉnh"),
        ("Viện kiểm sát nhân dân Thành phố Hồ Chí Minh", "VKSND Thành phố Hồ Chí Minh", "thành phố"),
        ("VKSND khu vực 3 - Hà Nội", "VKSND khu vực 3 - Hà Nội", ""),
        ("Viện kiểm sát nhân dân tối cao", "VKSND tối cao", ""),
        ("Thanh tra", "Thanh tra", ""),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_says_its_short_form_and_whose_procuracy_it_is(name, short, status, form):
    given = unicodedata.normalize(form, name)
    assert (shorten(given), rank(given)) == (short, status)
