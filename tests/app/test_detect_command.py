from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from app import cli
from app.commands import detect
from core.errors import ContentError

RULE = """
title: A test
id: 11111111-1111-4111-8111-111111111111
logsource: {product: linux}
detection: {selection: {a: b}, condition: selection}
haidang: {title_vi: Thử}
"""
REFUSED = "title: Broken\n"


def line(value: str) -> str:
    return json.dumps({"logsource": {"product": "linux"}, "fields": {"a": value}})


@pytest.fixture
def rules(tmp_path):
    """A folder with a rule and a file that is none."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "a.yml").write_text(RULE)
    (folder / "b.yml").write_text(REFUSED)
    return folder


@pytest.fixture
def events(tmp_path):
    """A file whose first and last records meet the rule, and whose third is bad."""
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join([line("b"), line("c"), "{no", line("b")]))
    return path


@pytest.fixture
def run(rules):
    """Runs the command in a pipe over the rules."""

    def running(*arguments: object, status: int = 0):
        words = ["detect", "--rules", str(rules), *map(str, arguments)]
        done = CliRunner().invoke(cli.build("detect"), words, catch_exceptions=False)
        assert done.exit_code == status, done.output
        assert "\x1b" not in done.output
        return done

    return running


def test_each_hit_is_a_line_and_the_counts_are_said_apart(run, events) -> None:
    done = run("--events", events)
    hits = [json.loads(one) for one in done.stdout.splitlines()]
    rule = {"rule": "11111111-1111-4111-8111-111111111111", "file": str(events), "title": "Thử"}
    assert hits == [{**rule, "record": 0}, {**rule, "record": 3}]
    assert f"{events}, bản ghi / record 2: the line is no JSON" in done.stderr
    counts = "3 sự kiện / events, 2 lần khớp / hits, 1 bản ghi hỏng / bad records, 1 quy tắc / rules, 1 bị từ chối"
    assert counts in done.stderr


def test_hits_go_into_a_file_when_asked(run, events, tmp_path) -> None:
    out = tmp_path / "hits.jsonl"
    done = run("--events", events, "--events", events, "--from", "jsonl", "--out", out)
    assert done.stdout == ""
    assert len(out.read_bytes().splitlines()) == 4


def test_bad_records_without_end_are_counted_and_not_all_named(run, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(detect, "MOST_NAMED", 2)
    path = tmp_path / "bad.jsonl"
    path.write_text("{no\n" * 5)
    said = run("--events", path).stderr
    assert said.count("the line is no JSON") == 2
    assert "5 bản ghi hỏng" in said


def test_a_file_that_cannot_be_read_stops_no_other(run, events, tmp_path) -> None:
    done = run("--events", tmp_path / "gone.jsonl", "--events", events, status=1)
    assert len(done.stdout.splitlines()) == 2
    assert "gone.jsonl: the events cannot be read" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--events", "x", "--from", "pcap")])
def test_bad_usage_is_2(run, arguments) -> None:
    run(*arguments, status=2)


def test_rules_that_are_not_there_are_one_clear_error(events, tmp_path) -> None:
    words = ["detect", "--rules", str(tmp_path / "gone"), "--events", str(events)]
    with pytest.raises(ContentError, match="no such folder"):
        CliRunner().invoke(cli.build("detect"), words, catch_exceptions=False)
