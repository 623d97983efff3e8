"""The index beside files of events: it comes and goes with them, leaves little to read, and hides no match."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import SECOND
from core.query import QueryError, parse_query
from core.query_sql import condition
from core.scope import Scope
from core.stores import events as module
from core.stores.event_index import Rows, Wanted, candidates, index_path
from core.stores.event_search import FOREVER

NOW = 1_795_312_267 * SECOND


def test_every_file_gets_an_index_and_it_goes_with_the_file(lane_store, stored):
    lane_store.minute(stored(1))
    assert lane_store.writer.index() == 1
    (minute,) = lane_store.parts()
    lane_store.hour()
    (hour,) = lane_store.parts()
    assert index_path(lane_store.folder / hour.name).exists()
    lane_store.minute(stored(2))
    assert not index_path(lane_store.folder / minute.name).exists()


def test_only_so_many_indexes_are_made_in_one_go_and_the_newest_first(lane_store, stored):
    for number in range(5):
        lane_store.minute(stored(number, time=NOW + number))
    assert lane_store.writer.index(2) == 2
    there = {path.stem for path in lane_store.folder.glob("*.index")}
    assert there == {part.name.removesuffix(".parquet") for part in lane_store.parts()[-2:]}
    assert (lane_store.writer.index(), lane_store.writer.index()) == (3, 0)


def test_an_index_that_cannot_be_made_is_told_and_stops_nothing(lane_store, monkeypatch, caplog, stored):
    def fails(*_):
        raise OSError("disk full")

    monkeypatch.setattr(module, "build_index", fails)
    lane_store.hour(stored(1))
    assert "no index in" in caplog.text
    assert lane_store.find() == ["1"]


@pytest.fixture
def indexed(lane_store, monkeypatch, stored):
    """One file of 40 groups of 50 events each; returns where and what it is."""
    monkeypatch.setattr(module, "ROWS_IN_GROUP", 50)
    events = [
        stored(n, {"user.name": f"user{n}", "message": f"from 10.0.{n // 256}.{n % 256} mark{n}"}, site=f"s{n:04}")
        for n in range(2000)
    ]
    lane_store.hour(*events)
    (part,) = lane_store.parts()
    return lane_store.folder / part.name, part


def asked(text, since=0, until=FOREVER, sites=None):
    return Wanted(condition(parse_query(text)).need, since, until, sites)


def test_the_index_leaves_few_groups_for_what_is_rare(indexed):
    for text in ("user777", "user.name:user777", "10.0.3.9", 'mark777 "from 10.0.3.9"', "mark777 OR nowhere"):
        found = candidates(*indexed, asked(text))
        assert Rows(750, 800) in found
        assert len(found) <= 3
    assert len(candidates(*indexed, asked("mark*"))) == 40
    assert len(candidates(*indexed, asked("-user777"))) == 40
    assert len(candidates(*indexed, asked("from"))) == 40


def test_the_index_leaves_out_groups_of_other_sites_and_times(indexed):
    assert candidates(*indexed, asked("", sites=["s0777"])) == [Rows(750, 800)]
    assert candidates(*indexed, asked("", sites=["zzz"])) == []
    assert candidates(*indexed, asked("", since=NOW + 1)) == []
    assert candidates(*indexed, asked("", until=NOW)) == []


def test_a_key_that_is_nowhere_is_seldom_found(indexed):
    false = sum(len(candidates(*indexed, asked(f"nobody{n}"))) for n in range(500))
    assert false < 500 * 40 * 0.01


def corrupt(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("place", [0, 9, 13, 20, 5000, -5000])
def test_a_damaged_index_means_that_all_is_read(lane_store, indexed, place):
    path = index_path(indexed[0])
    for start in range(0, 4096 if place in {5000, -5000} else 1, 97):
        corrupt(path, place + start)
    assert lane_store.find("user777") == ["777"]
    assert (
        candidates(*indexed, asked("user777 user778 user779 mark777 mark778 mark5 mark6 mark9")) is None or place > 99
    )


@pytest.mark.parametrize("length", [0, 5, 100, 4096, 5000])
def test_an_index_that_is_cut_off_means_that_all_is_read(lane_store, indexed, length):
    path = index_path(indexed[0])
    path.write_bytes(path.read_bytes()[:length])
    assert candidates(*indexed, asked("user777")) is None
    assert lane_store.find("user777") == ["777"]


def test_the_index_of_another_file_is_not_believed(indexed):
    path, part = indexed
    assert candidates(path, msgspec.structs.replace(part, sha256="0" * 64), asked("user777")) is None
    index_path(path).unlink()
    assert candidates(path, part, asked("user777")) is None


LETTERS = 'aĐđéếk0.59:-_*\\"\n ’İß한\u0301'
VALUES = st.one_of(
    st.text(alphabet=LETTERS, max_size=12),
    st.lists(st.text(alphabet=LETTERS, max_size=6), max_size=3),
    st.sampled_from(["10.0.0.1", "10.0.0.10", "a.0", "x 10.0.0.1:80", "Kế 5.0", "5.10.0.0.1"]),
    st.integers(0, 20),
    st.booleans(),
    st.none(),
)
EVENTS = st.lists(
    st.fixed_dictionaries({}, optional={"user.name": VALUES, "message": VALUES, "source.ip": VALUES, "x": VALUES}),
    min_size=1,
    max_size=12,
)
ASKED = st.one_of(
    st.text(alphabet=LETTERS, min_size=1, max_size=6),
    st.sampled_from(["10.0.0.1", "0.1", "5.0", "ke", "kế", "a", "đ", "10.0.0.*", ".0", "0."]),
)
TERMS = st.tuples(
    st.sampled_from(["", "", "user.name:", "source.ip:", "message:", "x:"]),
    ASKED.map(lambda text: text if text.isalnum() or "*" in text else '"' + text.replace('"', '\\"') + '"'),
).map("".join)
QUERIES = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" ".join),
        st.tuples(inner, inner).map(" OR ".join),
        inner.map("-({})".format),
    ),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None)
@given(contents=EVENTS, text=QUERIES)
def test_with_an_index_the_same_is_found_as_without(make_store, contents, text, stored):
    try:
        parse_query(text)
    except QueryError:
        return
    store = make_store()
    events = [stored(number, fields, time=NOW + number) for number, fields in enumerate(contents)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "ROWS_IN_GROUP", 2)
        store.hour(*events)
    with_index = store.find(text)
    for path in store.folder.glob("*.index"):
        path.unlink()
    assert with_index == store.find(text)
    scope = Scope(sites=frozenset({"tha"}))
    assert with_index == store.find(text, scope)
