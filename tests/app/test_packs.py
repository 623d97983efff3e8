"""What of a source is a rule, how it differs from what is in use, and how it travels to the centre."""

from __future__ import annotations

import hashlib
import zlib

import msgspec
import pytest

from app import packs
from app.packs import beside, decode_files, difference, encode_files, in_snapshot, read_source, survey
from core.errors import ContentError
from core.rule_text import MAX_FILE
from core.sigma import load_rules

RULE = """\
title: {title}
id: 8f1f6c1e-8c0f-4bb4-9f6b-0d5c1d0f5a0{number}
level: {level}
logsource:
    product: {product}
detection:
    selection:
        message|contains: {title}
    condition: selection
"""


def rule(number, title="One", level="high", product="windows"):
    return RULE.format(number=number, title=title, level=level, product=product).encode()


@pytest.fixture
def put(tmp_path):
    """Writes a folder of files."""

    def putting(files):
        for name, content in files.items():
            path = tmp_path / "source" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return tmp_path / "source"

    return putting


def test_of_sigmahqs_layout_the_rules_are_taken_and_the_rest_is_named(put):
    taken = {
        "rules/windows/a.yml": rule(1),
        "rules-emerging-threats/2026/b.yml": rule(2),
        "rules-placeholder/c.yml": rule(3),
        "other/godmode.yml": rule(4),
    }
    read = read_source(
        put(
            taken
            | {
                "deprecated/d.yml": rule(5),
                "rules/unsupported/e.yml": rule(6),
                "regression_data/rules/x/info.yml": b"id: 1\n",
                "tests/thor.yml": b"title: sources\n",
                ".github/workflows/test.yml": b"on: push\n",
                "README.md": b"detection:",
                "rules/large.yml": rule(7) + b"#" * MAX_FILE,
            }
        )
    )
    assert read.files == taken
    assert read.passed == {
        "deprecated": 1,
        "unsupported": 1,
        "regression_data": 1,
        "tests": 1,
        "no rule": 1,
        "large": 1,
    }


def test_a_folder_in_which_everything_lies_is_left_out_of_the_names(put):
    assert read_source(put({"sigma-master/rules/a.yml": rule(1)})).files.keys() == {"rules/a.yml"}


@pytest.mark.parametrize("name", ["rules/a.yml", "a.yml", "rules-emerging-threats/a.yml"])
def test_a_folder_of_rules_keeps_its_name(put, name):
    assert read_source(put({name: rule(1)})).files.keys() == {name}


def test_a_source_without_a_rule_is_told(put):
    with pytest.raises(ContentError, match="holds no Sigma rule: expected"):
        read_source(put({"a.yml": b"title: x\n"}))


def test_a_source_with_too_many_rules_is_told(put, monkeypatch):
    monkeypatch.setattr(packs, "MOST_FILES", 1)
    with pytest.raises(ContentError, match="more than 1 rules"):
        read_source(put({"a.yml": rule(1), "b.yml": rule(2)}))


def test_a_difference_tells_what_is_added_changed_removed_and_same():
    def digest(text):
        return hashlib.sha256(text).hexdigest()

    change = difference(
        {"same": digest(b"1"), "changed": digest(b"1"), "gone": digest(b"1")},
        {"same": b"1", "changed": b"2", "new": b"1"},
    )
    assert (change.added, change.changed, change.removed, change.same) == (("new",), ("changed",), ("gone",), 1)
    assert not change.is_none
    assert difference({"same": digest(b"1")}, {"same": b"1"}).is_none


def test_a_survey_counts_the_packs_own_rules_and_names_those_refused():
    documents = {"own/rules/x.yml": rule(1, "Own")} | in_snapshot(
        "hq",
        {
            "taken.yml": rule(1),
            "broken.yml": b"title: [",
            "high.yml": rule(2),
            "low.yml": rule(3, level="low", product="linux"),
            "windows.yml": rule(4),
        },
    )
    found = survey(load_rules(documents), "hq")
    assert (found.rules, found.levels, found.products) == (3, {"high": 2, "low": 1}, {"windows": 2, "linux": 1})
    assert found.refused.keys() == {"taken.yml", "broken.yml"}
    assert "is already the id or name of a rule in own/rules/x.yml" in found.refused["taken.yml"]
    assert (found.taken, found.displaced) == (("taken.yml",), {})


def test_a_survey_names_what_is_in_use_and_would_stop():
    own = {"own/rules/a.yml": rule(1), "own/rules/broken.yml": b"title: ["}
    packs = beside(
        {"packs/old/x.yml": rule(8), "packs/new/y.yml": rule(2)}, "old", {"z.yml": rule(2), "x.yml": rule(1)}
    )
    found = survey(load_rules(own | packs), "old", {"own/rules/broken.yml"})
    assert found.displaced.keys() == {"packs/new/y.yml"}
    assert "packs/old/z.yml" in found.displaced["packs/new/y.yml"]
    assert found.taken == ("x.yml",)


def test_a_new_version_of_a_pack_stands_where_the_one_before_stood_and_a_new_pack_last():
    packs = {"packs/b/1.yml": b"1", "packs/b/2.yml": b"2", "packs/a/1.yml": b"3"}
    assert list(beside(packs, "b", {"3.yml": b"4"})) == ["packs/b/3.yml", "packs/a/1.yml"]
    assert list(beside(packs, "0", {"3.yml": b"4"})) == [*packs, "packs/0/3.yml"]


def test_files_travel_whole():
    files = {"a.yml": b"\xff\0", "b/ă.yml": b""}
    assert decode_files(encode_files(files)) == files


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read"),
        (b"x", "cannot be read"),
        (zlib.compress(b"\xc1"), "cannot be read"),
        (zlib.compress(msgspec.msgpack.encode({"a.yml": 1})), "cannot be read"),
        (encode_files({"../a.yml": b""}), "leads outside"),
        (encode_files({"a//b.yml": b""}), "not in its plain form"),
        (encode_files({"a.yml": b"x" * (MAX_FILE + 1)}), "a file too large"),
    ],
)
def test_what_is_no_pack_is_refused(content, words):
    with pytest.raises(ContentError, match=words):
        decode_files(content)


def test_a_pack_that_unpacks_to_more_than_allowed_is_cut_and_refused(monkeypatch):
    monkeypatch.setattr(packs, "MOST_BYTES", 1000)
    with pytest.raises(ContentError):
        decode_files(encode_files({"a.yml": b"x" * 100_000}))
    with pytest.raises(ContentError, match="a file too large"):
        decode_files(encode_files({"a.yml": b"x" * 600, "b.yml": b"x" * 600}))
