from __future__ import annotations

import hashlib

import msgspec
import pytest
from sqlalchemy import delete, select, text, update

from core import audit
from core.audit import Anchors, read_anchor, read_chain, verify_anchor, verify_chain
from core.clock import HOUR, MINUTE, SECOND
from core.errors import ContentError
from core.stores.tables import audit as table

SEED = bytes(32)
COLUMNS = ("seq", "time", "actor", "action", "object", "detail", "previous", "hash")


def build(connection, count, now=5 * SECOND, actor="lan"):
    for number in range(count):
        audit.append(connection, now + number, actor, "incident.noted", f"incident/{number}", f"ghi chú {number}")


@pytest.fixture
def chain(state):
    """An open transaction on a chain of twenty entries."""
    with state.connect() as connection:
        build(connection, 20)
        yield connection


def findings(connection):
    return [(found.kind, found.where) for found in verify_chain(read_chain(connection))]


def test_an_untouched_chain_has_no_findings(chain):
    assert findings(chain) == []
    assert [entry.seq for entry in read_chain(chain)] == list(range(1, 21))


def test_an_empty_chain_has_neither_findings_nor_a_head(state):
    with state.connect() as connection:
        assert findings(connection) == []
        assert audit.head(connection) is None


def test_the_head_is_the_last_entry(chain):
    added = audit.append(chain, 7, "minh", "user.add", "user/hoa", "operator")
    assert audit.head(chain) == added
    assert added.seq == 21


def test_an_entry_is_found_by_its_action_and_object(chain):
    assert audit.has(chain, "incident.noted", "incident/3")
    assert not audit.has(chain, "incident.noted", "incident/20")
    assert not audit.has(chain, "incident.closed", "incident/3")


def flip(connection, seq, name):
    """Changes one byte of one column of one row, behind the program's back."""
    column = table.c[name]
    value = connection.execute(select(column).where(table.c.seq == seq)).scalar_one()
    changed = value ^ 0x40 if isinstance(value, int) else value[:-1] + chr(ord(value[-1]) ^ 0x01)
    connection.execute(update(table).where(table.c.seq == seq).values({name: changed}))


@pytest.mark.parametrize("seq", [1, 8, 20])
@pytest.mark.parametrize("column", ["time", "actor", "action", "object", "detail"])
def test_a_changed_byte_is_found_in_the_entry_that_holds_it(chain, seq, column):
    flip(chain, seq, column)
    assert findings(chain) == [("changed", f"entry {seq}")]


def test_a_changed_link_is_found_in_the_entry_that_holds_it(chain):
    flip(chain, 8, "previous")
    assert findings(chain) == [("broken", "entry 8"), ("changed", "entry 8")]


def test_a_changed_hash_is_found_in_its_entry_and_the_next(chain):
    flip(chain, 8, "hash")
    assert findings(chain) == [("changed", "entry 8"), ("broken", "entry 9")]


def test_a_changed_number_is_found(chain):
    flip(chain, 8, "seq")
    assert ("gap", "entry 8") in findings(chain)
    assert ("changed", "entry 72") in findings(chain)


def test_a_changed_entry_with_a_new_hash_of_its_own_breaks_the_next(chain):
    chain.execute(text("UPDATE audit SET actor = 'minh' WHERE seq = 8"))
    entry = next(entry for entry in read_chain(chain) if entry.seq == 8)
    content = [entry.seq, entry.time, entry.actor, entry.action, entry.object, entry.detail, entry.previous]
    digest = hashlib.sha256(msgspec.json.encode(content)).hexdigest()
    chain.execute(text("UPDATE audit SET hash = :hash WHERE seq = 8"), {"hash": digest})
    assert findings(chain) == [("broken", "entry 9")]


@pytest.mark.parametrize(
    ("gone", "where", "words"),
    [([8], "entry 8", "entries 8 to 8"), ([1, 2, 3, 4], "entry 1", "entries 1 to 4"), ([8, 9], "entry 8", "8 to 9")],
)
def test_entries_taken_out_are_found(chain, gone, where, words):
    chain.execute(delete(table).where(table.c.seq.in_(gone)))
    (found,) = verify_chain(read_chain(chain))
    assert (found.kind, found.where) == ("gap", where)
    assert words in found.text


def test_text_that_is_no_text_any_more_is_a_change(chain):
    chain.execute(text("UPDATE audit SET detail = CAST(x'ff41' AS TEXT) WHERE seq = 8"))
    assert findings(chain) == [("changed", "entry 8")]


def test_a_value_of_another_type_is_a_change(chain):
    chain.execute(text("UPDATE audit SET detail = x'00ff' WHERE seq = 8"))
    chain.execute(text("UPDATE audit SET time = 'soon' WHERE seq = 9"))
    assert findings(chain) == [("changed", "entry 8"), ("changed", "entry 9")]


@pytest.fixture
def anchors(tmp_path):
    return tmp_path / "anchors"


def sign(connection, folder, now=10 * HOUR, seed=SEED):
    Anchors(folder, seed).write(audit.head(connection), now)
    return read_anchor(folder / "latest.json")


def judged(connection, anchor):
    return [(found.kind, found.where) for found in verify_anchor(read_chain(connection), anchor)]


def test_a_chain_that_went_on_still_holds_what_was_signed(chain, anchors):
    anchor = sign(chain, anchors)
    build(chain, 5)
    assert judged(chain, anchor) == []


@pytest.mark.parametrize(("left", "where"), [(12, "after entry 12"), (0, "after entry 0")])
def test_a_cut_tail_is_found_by_the_anchor_alone(chain, anchors, left, where):
    anchor = sign(chain, anchors)
    chain.execute(delete(table).where(table.c.seq > left))
    assert findings(chain) == []
    assert judged(chain, anchor) == [("cut", where)]


def test_a_chain_built_anew_is_found_by_the_anchor_alone(chain, anchors):
    anchor = sign(chain, anchors)
    chain.execute(text("DELETE FROM audit"))
    build(chain, 30, actor="minh")
    assert findings(chain) == []
    assert judged(chain, anchor) == [("rebuilt", "entry 20")]


@pytest.mark.parametrize(
    "forged", [{"hash": "0" * 64}, {"seq": 3}, {"time": 1}, {"key": "00" * 32}, {"signature": "zz"}, {"key": "ab"}]
)
def test_a_forged_anchor_is_told_from_a_broken_chain(chain, anchors, forged):
    anchor = msgspec.structs.replace(sign(chain, anchors), **forged)
    ((kind, _),) = judged(chain, anchor)
    assert kind == "anchor"


def test_an_anchor_is_written_once_an_hour_and_the_latest_each_time(chain, anchors):
    hour = 10 * HOUR
    first = sign(chain, anchors, hour)
    build(chain, 1)
    second = sign(chain, anchors, hour + 59 * MINUTE)
    third = sign(chain, anchors, hour + HOUR)
    names = sorted(path.name for path in anchors.iterdir())
    assert names == ["head-19700101T10Z.json", "head-19700101T11Z.json", "latest.json"]
    assert read_anchor(anchors / names[0]) == first
    assert read_anchor(anchors / names[1]) == read_anchor(anchors / "latest.json") == third
    assert (first.seq, second.seq, third.seq) == (20, 21, 21)


def test_the_same_key_signs_after_a_restart(chain, anchors):
    assert sign(chain, anchors).key == sign(chain, anchors).key
    assert sign(chain, anchors).key != sign(chain, anchors, seed=b"\1" * 32).key


@pytest.mark.parametrize("content", [b"", b"{}", b'{"seq": "x"}', b'{"hash": "\xff"}'])
def test_what_is_no_anchor_is_named(tmp_path, content):
    path = tmp_path / "latest.json"
    path.write_bytes(content)
    with pytest.raises(ContentError, match=r"latest\.json is not an anchor of the audit chain"):
        read_anchor(path)


def test_a_missing_anchor_is_named(tmp_path):
    with pytest.raises(ContentError, match=r"none\.json"):
        read_anchor(tmp_path / "none.json")
