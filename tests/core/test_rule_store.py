"""Rule packs and switched-off rules in the state database."""

from __future__ import annotations

import msgspec
import pytest

from core import audit
from core.errors import NotFoundError, RefusedError
from core.rule_text import pack_of
from core.stores import rules
from core.stores.tables import audit as chain
from core.stores.tables import rule_texts

FILES = {"rules/a.yml": b"a", "rules/b.yml": b"b"}


@pytest.fixture
def connection(state):
    with state.connect() as opened:
        yield opened


@pytest.fixture
def put(connection):
    """Imports a version of the pack."""
    return lambda files=FILES, now=7: rules.store_pack(connection, now, "lan", "hq", "hq.tar.xz", files)


def said(connection):
    return [(entry.action, entry.object, entry.actor) for entry in audit.read_chain(connection)]


def active(connection):
    return [one.number for one in rules.list_packs(connection) if one.active]


def texts(connection):
    return connection.execute(rule_texts.select()).all()


def test_an_imported_pack_is_active_and_comes_back_whole(connection, put):
    made = put()
    assert rules.list_packs(connection) == [made]
    assert (made.number, made.time, made.actor, made.files, made.active) == (1, 7, "lan", 2, True)
    assert rules.read_packs(connection) == {"packs/hq/rules/a.yml": b"a", "packs/hq/rules/b.yml": b"b"}
    assert rules.active_manifest(connection, "hq").keys() == FILES.keys()
    assert said(connection) == [("pack.import", "pack/hq", "lan")]


def test_the_audit_entry_says_what_came(connection, put):
    made = put()
    (entry,) = audit.read_chain(connection)
    told = {"number": 1, "sha256": made.sha256, "files": 2, "source": "hq.tar.xz"}
    assert msgspec.json.decode(entry.detail) == told


def test_equal_files_are_kept_once_however_many_versions_hold_them(connection, put):
    put()
    put({**FILES, "rules/c.yml": b"b"})
    assert len(texts(connection)) == 2
    assert rules.read_packs(connection)["packs/hq/rules/c.yml"] == b"b"


def test_the_same_files_again_are_refused(connection, put):
    put()
    with pytest.raises(RefusedError, match="version 1 of pack 'hq' is active and holds just these files"):
        put(dict(reversed(FILES.items())))
    assert active(connection) == [1]


def test_a_rollback_makes_the_version_before_active_and_a_number_any(connection, put):
    for number in range(3):
        put({"a.yml": b"%d" % number})
    assert rules.roll_back(connection, 8, "an", "hq", None).number == 2
    assert rules.read_packs(connection) == {"packs/hq/a.yml": b"1"}
    assert rules.roll_back(connection, 8, "an", "hq", 3).number == 3
    assert rules.roll_back(connection, 8, "an", "hq", 1).number == 1
    assert active(connection) == [1]
    assert said(connection)[3:] == [("pack.rollback", "pack/hq", "an")] * 3
    assert put({"a.yml": b"new"}).number == 4


def test_a_rollback_to_0_takes_the_pack_out_of_use_and_another_brings_it_back(connection, put):
    put()
    assert rules.roll_back(connection, 8, "an", "hq", 0) is None
    assert rules.read_packs(connection) == {}
    assert rules.active_manifest(connection, "hq") == {}
    assert rules.roll_back(connection, 8, "an", "hq", None).number == 1


def test_a_rollback_goes_back_to_what_was_active_before_and_never_to_what_was_taken_back(connection, put):
    for number in range(3):
        put({"a.yml": b"%d" % number})

    def back(number=None):
        rules.roll_back(connection, 8, "an", "hq", number)
        return active(connection)

    assert back() == [2]  # 3 was bad
    assert back(0) == []
    assert back() == [2]
    put({"a.yml": b"new"})
    assert back() == [2]
    assert back(4) == [4]
    assert back(0) == []
    put({"a.yml": b"newer"})
    assert [back(), back(), back()] == [[4], [2], [1]]
    with pytest.raises(
        RefusedError, match=r"no version of pack 'hq' before 1 .* name one with --to, it has 1, 2, 3, 4, 5"
    ):
        back()


def test_where_it_is_not_known_what_was_active_before_a_rollback_needs_a_number(connection, put):
    put()
    put({"a.yml": b"new"})
    connection.execute(chain.delete())
    with pytest.raises(RefusedError, match="name one with --to, it has 1, 2"):
        rules.roll_back(connection, 8, "an", "hq", None)
    assert rules.roll_back(connection, 8, "an", "hq", 1).number == 1


def test_packs_come_in_the_order_in_which_they_came_into_use(connection):
    def put(name, text):
        rules.store_pack(connection, 1, "lan", name, "", {"a.yml": text})

    def order():
        return [pack_of(file) for file in rules.read_packs(connection)]

    put("zz", b"1")
    put("aa", b"1")
    assert order() == ["zz", "aa"]
    mark = rules.rules_mark(connection)
    put("zz", b"2")
    assert order() == ["zz", "aa"]
    rules.roll_back(connection, 1, "lan", "zz", 1)
    assert rules.rules_mark(connection) == mark
    rules.roll_back(connection, 1, "lan", "zz", 0)
    rules.roll_back(connection, 1, "lan", "zz", 1)
    assert order() == ["aa", "zz"]
    assert rules.rules_mark(connection) != mark


def test_a_rollback_that_leads_nowhere_is_refused(connection, put):
    put()
    for number, words in ((None, "no version of pack 'hq' before 1"), (1, "is active already"), (9, "it has 1$")):
        with pytest.raises(RefusedError, match=words):
            rules.roll_back(connection, 8, "an", "hq", number)
    with pytest.raises(NotFoundError, match="there is no pack 'other'"):
        rules.roll_back(connection, 8, "an", "other", None)


def test_old_versions_go_and_their_files_with_them(connection, put):
    for number in range(rules.KEEP_VERSIONS + 3):
        put({"a.yml": b"%d" % number})
    numbers = [one.number for one in rules.list_packs(connection)]
    assert numbers == list(range(4, rules.KEEP_VERSIONS + 4))
    rules.prune_texts(connection)
    assert len(texts(connection)) == rules.KEEP_VERSIONS
    assert rules.read_packs(connection) == {"packs/hq/a.yml": b"%d" % (rules.KEEP_VERSIONS + 2)}


@pytest.mark.parametrize("name", ["", "A", "a b", "../x", "a/b", "-a", "é", "a" * 41, "a\n"])
def test_a_name_that_is_no_plain_word_is_refused(connection, name):
    with pytest.raises(RefusedError, match="no name of a pack"):
        rules.store_pack(connection, 1, "lan", name, "", FILES)


def test_a_pack_without_rules_is_refused(put):
    with pytest.raises(RefusedError, match="holds no rule"):
        put({})


def test_a_rule_is_switched_off_and_on_with_who_when_and_why(connection):
    assert rules.switch_off(connection, 5, "lan", ["b", "a", "a"], "ồn") == 2
    assert rules.switch_off(connection, 6, "an", ["a", "c"], "cũng ồn") == 1
    assert rules.off_ids(connection) == {"a", "b", "c"}
    assert {rule: off.reason for rule, off in rules.offs(connection).items()} == {
        "a": "ồn",
        "b": "ồn",
        "c": "cũng ồn",
    }
    assert rules.off_of(connection, "a") == rules.Off(rule="a", time=5, actor="lan", reason="ồn")
    assert rules.switch_on(connection, 7, "an", ["a", "x"], "hết ồn") == 1
    assert rules.off_of(connection, "a") is None
    assert said(connection) == [
        ("rule.disable", "rule/a", "lan"),
        ("rule.disable", "rule/b", "lan"),
        ("rule.disable", "rule/c", "an"),
        ("rule.enable", "rule/a", "an"),
    ]


def test_the_mark_changes_with_what_is_in_use_and_only_then(connection, put):
    marks = [rules.rules_mark(connection)]
    for change in (
        put,
        lambda: rules.switch_off(connection, 1, "an", ["a"], ""),
        lambda: rules.roll_back(connection, 1, "an", "hq", 0),
    ):
        change()
        marks.append(rules.rules_mark(connection))
        assert rules.rules_mark(connection) == marks[-1]
    assert len(set(marks)) == 4


def test_a_file_that_is_not_there_is_told(connection):
    with pytest.raises(NotFoundError, match="there is no rule file abc"):
        rules.read_text(connection, "abc")


def test_the_pack_of_a_file_is_told_by_its_name():
    assert pack_of("packs/hq/rules/a.yml") == "hq"
    assert pack_of("detections/rules/a.yml") == ""
