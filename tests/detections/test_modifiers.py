"""Every modifier that a rule may put on a field, in each engine: what it meets, and what is just beside that."""

from __future__ import annotations

import base64
import unicodedata

import pytest
from corpus import ENGINES
from sigma.modifiers import modifier_mapping

from core.placeholders import VALUES_FILE
from core.sigma import load_rules

NFD = unicodedata.normalize("NFD", "Viện kiểm sát")


def code(text: str, encoding: str = "utf-8") -> str:
    """Base64 of the text."""
    return base64.b64encode(text.encode(encoding)).decode()


SENTENCES = {
    "contains is met anywhere within": ({"a|contains": "kiểm"}, "VIỆN KIỂM SÁT", "viện kiêm sát"),
    "contains of several is any": ({"a|contains": ["x1", "y1"]}, "a y1 b", "a y b 1"),
    "contains keeps escaped wildcards as signs": ({"a|contains": r"1\*2"}, "=1*2=", "=1+2="),
    "contains of a backslash": ({"a|contains": "\\Temp\\"}, r"C:\temp\x", r"C:\temp"),
    "startswith is met at the beginning": ({"a|startswith": "Viện"}, NFD, " Viện"),
    "startswith does not meet what only its marks begin": ({"a|startswith": "Vie"}, "Viet", NFD),
    "endswith is met at the end": ({"a|endswith": "sát"}, NFD, "sát nhân"),
    "endswith of a backslash and a name": ({"a|endswith": r"\cmd.exe"}, r"C:\CMD.EXE", r"C:\xcmd.exe"),
    "all wants every value": ({"a|all": ["x*", "*y"]}, "x-y", "x-z"),
    "all wants them of any elements of a list": ({"a|contains|all": ["x", "y"]}, ["1x", "2y"], ["1x", "2x"]),
    "cased minds case": ({"a|cased": "Viện"}, "Viện", "viện"),
    "cased minds case under startswith": ({"a|startswith|cased": "Vi"}, "Vit", "vit"),
    "cased minds case under endswith": ({"a|endswith|cased": "ÁT"}, "sÁT", "sát"),
    "cased minds case with wildcards": ({"a|cased": "V?t*K"}, "Vết 1 K", "Vết 1 k"),
    "exists is met by a value": ({"a|exists": True}, "x", ...),
    "exists is met by null": ({"a|exists": True}, None, ...),
    "exists false is met by none": ({"a|exists": False}, ..., ""),
    "neq is met by another value": ({"a|neq": "x"}, "y", "X"),
    "neq is met by a missing field": ({"a|neq": "x"}, ..., "x"),
    "neq of a number": ({"a|neq": 4625}, 4624, "4625"),
    "neq of several is none of them": ({"a|neq": ["x", "y"]}, "z", "y"),
    "neq turns a comparison round": ({"a|lt|neq": 5}, 5, 4),
    "neq is not met where one element is equal": ({"a|neq": "x"}, ["y", "z"], ["y", "x"]),
    "windash meets a slash": ({"a|contains|windash": " -f "}, "rm /f x", "rm +f x"),
    "windash meets an en dash": ({"a|contains|windash": " -f "}, "rm –f x", "rm f x"),
    "windash meets an em dash": ({"a|contains|windash": " -f "}, "rm —f x", "rm _f x"),
    "windash meets a horizontal bar": ({"a|contains|windash": " /f "}, "rm ―f x", "rm ~f x"),
    "windash alone wants the whole value": ({"a|windash": "-x"}, "/X", "/xy"),
    "re searches within": ({"a|re": r"\d{3}"}, "a123", "a12"),
    "re minds case": ({"a|re": "Viện"}, "Viện", "VIỆN"),
    "re meets decomposed text composed": ({"a|re": "^Vi.n "}, NFD, "Vi  n "),
    "re of several is any": ({"a|re": ["^x", "y$"]}, "ay", "yx"),
    "re all wants every one": ({"a|re|all": ["^x", "y$"]}, "xy", "xz"),
    "re with a dollar wants the very end": ({"a|re": "x$"}, "ax", "ax\n"),
    "re knows no locale in its classes": ({"a|re": r"^\w$"}, "a", "đ"),
    "i ignores case": ({"a|re|i": "viện"}, "VIỆN", "viên"),
    "i meets the Kelvin sign by its letter": ({"a|re|i": "^k$"}, "\N{KELVIN SIGN}", "x"),
    "ignorecase is the same": ({"a|re|ignorecase": "x"}, "X", "y"),
    "m lets anchors mean lines": ({"a|re|m": "^b$"}, "a\nb\nc", "a b c"),
    "multiline is the same": ({"a|re|multiline": "^b"}, "a\nb", "ab"),
    "s lets a dot mean a line break": ({"a|re|s": "a.b"}, "a\nb", "a\n\nb"),
    "dotall is the same": ({"a|re|dotall": "a.b"}, "a\nb", "ab"),
    "flags come together": ({"a|re|i|m|s": "^B.c"}, "a\nb\nC", "a b\nc"),
    "lt is below": ({"a|lt": 5}, 4, 5),
    "lte is below or equal": ({"a|lte": 5}, "5", "6"),
    "gt is above": ({"a|gt": 5}, 5.25, 5),
    "gte is above or equal": ({"a|gte": 0.5}, "0.5", 0.25),
    "a comparison meets no text": ({"a|gte": 0}, "0", "zero"),
    "a comparison meets no boolean": ({"a|lte": 1}, 1, True),
    "a comparison of an element of a list": ({"a|gt": 5}, ["1", "9"], ["1", "5"]),
    "minute": ({"a|minute": 5}, "2026-11-22T08:05:00+07:00", "2026-11-22T05:06:00+07:00"),
    "hour is Vietnam's": ({"a|hour": 0}, "2026-11-21T17:59:59Z", "2026-11-22T00:00:00Z"),
    "day is Vietnam's": ({"a|day": 1}, "2026-11-30T17:00:00Z", "2026-11-30T16:59:59Z"),
    "week is ISO's": ({"a|week": 53}, "2027-01-03", "2027-01-04"),
    "month is Vietnam's": ({"a|month": 12}, "2026-11-30T17:00:00Z", "2026-11-30T00:00:00Z"),
    "year is Vietnam's": ({"a|year": 2027}, "2026-12-31T17:00:00Z", "2026-12-31T00:00:00Z"),
    "a part of time compared": ({"a|hour|lt": 6}, "2026-11-22T05:59:59+07:00", "2026-11-22T06:00:00+07:00"),
    "cidr holds its addresses": ({"a|cidr": "192.168.16.0/20"}, "192.168.31.255", "192.168.32.0"),
    "cidr of version 6": ({"a|cidr": "fe80::/10"}, "FEBF::1", "fec0::1"),
    "cidr of version 4 meets mapped addresses": ({"a|cidr": "10.0.0.0/8"}, "::ffff:10.9.8.7", "::10.9.8.7"),
    "cidr meets no text that begins like it": ({"a|cidr": "10.0.0.0/8"}, "10.0.0.1", "10.0.0.1:80"),
    "cidr meets no leading zero": ({"a|cidr": "10.0.0.0/8"}, "10.0.0.8", "10.0.0.08"),
    "fieldref compares with another field": ({"a|fieldref": "b"}, "HẢI ĐĂNG", "hai dang"),
    "fieldref startswith": ({"a|fieldref|startswith": "b"}, "hải đăng 1", "1 hải đăng"),
    "fieldref endswith": ({"a|fieldref|endswith": "b"}, "1 hải đăng", "hải đăng 1"),
    "fieldref contains": ({"a|fieldref|contains": "b"}, "1 hải đăng 1", "hải 1 đăng"),
    "fieldref neq": ({"a|fieldref|neq": "b"}, "x", "hải đăng"),
}  # fmt: skip
"""A sentence: what a rule selects, a value of ``a`` that meets it and one that does not; ``...`` for no such field."""

LITTLE, BIG = "utf-16-le", "utf-16-be"

ENCODED = {
    "base64 is the whole text encoded": ("base64", "a", code("a"), code("aa")),
    "base64 under contains": ("base64|contains", "abc", "xYWJjx", "xYWJx"),
    "base64offset is met at the first place": ("base64offset|contains", "foobar", code("foobar!"), code("fooba!")),
    "base64offset is met at the second place": ("base64offset|contains", "foobar", code(" foobar"), code(" fooba")),
    "base64offset is met at the third place": ("base64offset|contains", "foobar", code("=-foobar"), code("=-Foobar")),
    "base64offset goes by bytes": ("base64offset|contains", "Đă", code("Đăng nhập"), code("Dang nhap")),
    "wide is little-endian": ("wide|base64offset|contains", "ping", code("ping", LITTLE), code("ping")),
    "utf16le is the same": ("utf16le|base64offset|contains", "ping", code("ping", LITTLE), code("ping", BIG)),
    "utf16le of Vietnamese": ("utf16le|base64offset|contains", "chào", code("xin chào", LITTLE), code("xin chào")),
    "utf16be is big-endian": ("utf16be|base64offset|contains", "ping", code("ping", BIG), code("ping")),
    "utf16 begins with its mark": (
        "utf16|base64offset|contains", "ping", code("\ufeffping", LITTLE), code("ping", LITTLE),
    ),
}  # fmt: skip
"""Modifiers, what they encode, a value that holds it and one that does not."""

SITE = b"domains: ['*.vks.gov.vn', toaan.gov.vn]\nport: 22\n"

EXPANDED = {
    "expand puts in the site's values": ({"a|expand": "%domains%"}, "toaan.gov.vn", "xtoaan.gov.vn"),
    "expand puts in a number": ({"a|expand": "%port%"}, 22, 23),
    "expand goes on with other modifiers": ({"a|contains|expand": "%domains%"}, "x.toaan.gov.vn:1", "toaan-gov.vn"),
    "expand keeps the text around": ({"a|expand": "http://%domains%/"}, "http://toaan.gov.vn/", "toaan.gov.vn"),
}


def fields_of(value: object) -> dict[str, object]:
    other = {"b": "hải đăng"}
    return other if value is ... else {"a": value, **other}


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_modifier_meets_what_its_sentence_says_and_not_what_is_beside_it(sentence, name, rule, ruleset, event):
    selection, met, beside = SENTENCES[sentence]
    engine = ENGINES[name](ruleset(rule(detection={"selection": selection, "condition": "selection"})))
    assert engine.match(event(fields_of(met)))
    assert not engine.match(event(fields_of(beside)))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("sentence", ENCODED)
def test_a_value_is_found_encoded(sentence, name, rule, ruleset, event):
    modifiers, text, met, beside = ENCODED[sentence]
    engine = ENGINES[name](ruleset(rule(detection={"selection": {f"a|{modifiers}": text}, "condition": "selection"})))
    assert engine.match(event(fields_of(met)))
    assert not engine.match(event(fields_of(beside)))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("sentence", EXPANDED)
def test_a_placeholder_stands_for_the_values_of_the_site(sentence, name, rule, event):
    selection, met, beside = EXPANDED[sentence]
    text = rule(detection={"selection": selection, "condition": "selection"})
    loaded = load_rules({"x.yml": text, VALUES_FILE: SITE})
    assert loaded.refused == ()
    engine = ENGINES[name](loaded)
    assert engine.match(event({"a": met}))
    assert not engine.match(event({"a": beside}))


def test_every_modifier_that_exists_has_a_sentence():
    keys = [key for selection, *_ in (*SENTENCES.values(), *EXPANDED.values()) for key in selection]
    said = {modifier for key in keys for modifier in key.split("|")[1:]}
    said |= {modifier for modifiers, *_ in ENCODED.values() for modifier in modifiers.split("|")}
    assert modifier_mapping.keys() | {"utf16le"} == said
