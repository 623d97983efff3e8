"""The language of searches: what people type, and what it means."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.query import (
    EVERY,
    MOST_LETTERS,
    All,
    Any,
    Compares,
    Equals,
    Not,
    QueryError,
    Words,
    parse_query,
    quoted,
)


def word(text):
    return Words((text,))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", EVERY),
        (" \t\n", EVERY),
        ("root", word("root")),
        ("thất bại", All((word("thất"), word("bại")))),
        ("a AND b", All((word("a"), word("b")))),
        ("a OR b c", Any((word("a"), All((word("b"), word("c")))))),
        ("(a OR b) c", All((Any((word("a"), word("b"))), word("c")))),
        ("a -b", All((word("a"), Not(word("b"))))),
        ("NOT a", Not(word("a"))),
        ("- a", All((word("-"), word("a")))),
        ("--a", word("a")),
        ("-(a b)", Not(All((word("a"), word("b"))))),
        ('"session opened"', word("session opened")),
        (r'"say \"no\""', word('say "no"')),
        ("fail*", Words(("fail", ""))),
        ("*", Words(("", ""))),
        ("user.name:an", Equals("user.name", ("an",))),
        ('user.name:"an b*"', Equals("user.name", ("an b*",))),
        ("source.ip:10.*", Equals("source.ip", ("10.", ""))),
        ('n:"1"', Equals("n", ("1",))),
        ("site:hn", Equals("site", ("hn",))),
        ("EventID:4625", Equals("EventID", ("4625",))),
        ("destination.port:>1024", Compares("destination.port", ">", 1024)),
        ("event.duration:<=-2.5", Compares("event.duration", "<=", -2.5)),
        ("destination.port:1..3", All((Compares("destination.port", ">=", 1), Compares("destination.port", "<=", 3)))),
        ("observer.ip:::1", Equals("observer.ip", ("::1",))),
        ("-observer.ip:::ffff:10.0.0.1", Not(Equals("observer.ip", ("::ffff:10.0.0.1",)))),
        ("observer.ip:2001:db8::1", Equals("observer.ip", ("2001:db8::1",))),
        ("source.ip:10.0.0.0/8", Equals("source.ip", ("10.", ""))),
        ("source.ip:10.1.2.3/24", Equals("source.ip", ("10.1.2.", ""))),
        ("source.ip:10.1.2.3/32", Equals("source.ip", ("10.1.2.3",))),
        ('source.ip:"10.0.0.0/12"', Equals("source.ip", ("10.0.0.0/12",))),
        ("url.path:/a/../b", Equals("url.path", ("/a/../b",))),
        ("url.path:*..*", Equals("url.path", ("", "..", ""))),
        ("message:wait...done", Equals("message", ("wait...done",))),
        ("foo(bar)", All((word("foo"), word("bar")))),
        ("a-b", word("a-b")),
        ("it's", word("it's")),
    ],
)
def test_what_is_typed_is_what_is_meant(text, meant):
    assert parse_query(text) == meant


@pytest.mark.parametrize(
    "text", [r"c:\windows", "http://a.vn", "fe80::1", "00:1a:2b:3c:4d:5e", "de:ad:be:ef:00:01", "12:30", "std::vector"]
)
def test_not_every_colon_ends_the_name_of_a_field(text):
    assert parse_query(text) == word(text)


@pytest.mark.parametrize(
    ("text", "reason", "place"),
    [
        ('a "b', "quote", 3),
        ('user.name:"b', "quote", 11),
        ("(a", "open", 1),
        ("a)", "close", 2),
        ("a OR", "missing", 5),
        ("OR a", "missing", 1),
        ("a OR OR b", "missing", 6),
        ("()", "missing", 2),
        ("NOT", "missing", 4),
        ("user.name:", "missing", 11),
        ('a ""', "missing", 4),
        ("x:>y", "number", 3),
        ("a destination.port:>", "number", 20),
        ("a:127.0.0.2..127.0.0.4", "span", 3),
        ("event.created:2026-01-01..2026-02-01", "span", 15),
        ("source.ip:10.0.0.0/12", "network", 11),
        ("source.ip:2001:db8::/32", "network", 11),
        ("a" * (MOST_LETTERS + 1), "long", MOST_LETTERS + 1),
        ("a " * 200, "many", 1),
        ("(" * 30 + "a" + ")" * 30, "deep", 21),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text, reason, place):
    with pytest.raises(QueryError, match=f"ký tự {place} / query, character {place}: ") as refused:
        parse_query(text)
    assert (refused.value.reason, refused.value.place) == (reason, place)
    assert "\n" not in str(refused.value)


@given(st.text(alphabet='ab:"()-*\\ .>1ORAND', max_size=40))
def test_no_text_is_more_than_a_query_or_an_error_of_ours(text):
    with suppress(QueryError):
        parse_query(text)


@given(st.text(min_size=1, max_size=20))
def test_a_value_in_quotes_means_itself(value):
    if not value.endswith("\\"):
        assert parse_query(quoted(value)) == word(value)
        assert parse_query(f"user.name:{quoted(value)}") == Equals("user.name", (value,))
