"""Marks of inputs: the latest counts, the quiet ones go first, and requests push out no files."""

from __future__ import annotations

from collectors.logs.marks import MOST, Marks


def test_the_latest_mark_counts_until_it_is_forgotten():
    marks = Marks({"file/1": 5})
    marks.set("file/1", 9)
    assert (marks.get("file/1"), marks.get("file/2"), marks.content()) == (9, 0, {"file/1": 9})
    marks.forget(["file/1", "file/2"])
    assert marks.content() == {}


def test_requests_push_out_older_requests_and_never_a_file():
    marks = Marks({"file/1": 5})
    for number in range(MOST + 3):
        marks.set(f"http/{number}", 1)
    assert marks.get("file/1") == 5
    assert (marks.get("http/2"), marks.get("http/3")) == (0, 1)
    assert len(marks.content()) == MOST + 1


def test_a_whole_kind_can_be_forgotten():
    marks = Marks({"file/1": 5, "tcp/1": 2, "tcp/2": 3})
    marks.forget_kind("tcp")
    assert marks.content() == {"file/1": 5}
