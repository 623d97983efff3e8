from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import cli
from app.commands import common, detect
from core.errors import ContentError, IntegrityError, RefusedError, UnavailableError

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


def test_a_file_that_is_not_what_its_name_says_stops_no_other(run, events, tmp_path) -> None:
    (tmp_path / "log.evtx").write_text("Nov 25 10:00:00 host app: text")
    done = run("--events", tmp_path / "log.evtx", "--events", events, status=1)
    assert len(done.stdout.splitlines()) == 2
    assert "log.evtx: named .evtx, and holds no EVTX: say by --from what it is" in done.stderr
    assert "1 sự kiện" in run("--events", tmp_path / "log.evtx", "--from", "syslog").stderr


@pytest.mark.parametrize("name", ["gone.jsonl", "folder"])
def test_events_that_are_not_there_are_told_before_anything_is_written(run, events, tmp_path, name) -> None:
    (tmp_path / "folder").mkdir()
    out = tmp_path / "hits.jsonl"
    out.write_text("an earlier result")
    with pytest.raises(UnavailableError, match=f"{name}: the events cannot be read"):
        run("--events", events, "--events", tmp_path / name, "--out", out)
    assert out.read_text() == "an earlier result"


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to, None])
def test_hits_are_never_written_over_the_events(run, events, tmp_path, link) -> None:
    before, out = events.read_bytes(), events
    if link:
        out = tmp_path / "other.jsonl"
        link(out, events)
    with pytest.raises(RefusedError, match=r"is the file .*, which is read: name another"):
        run("--events", events, "--out", out)
    assert events.read_bytes() == before


def test_hits_are_never_written_over_a_rule(run, rules, events) -> None:
    with pytest.raises(RefusedError, match="which is read"):
        run("--events", events, "--out", rules / "a.yml")
    assert (rules / "a.yml").read_text() == RULE


def test_a_result_takes_its_name_when_it_is_whole(run, events, tmp_path, monkeypatch) -> None:
    out = tmp_path / "hits.jsonl"
    out.write_text("an earlier result")
    out.chmod(0o640)

    def dying(*_):
        assert out.read_text() == "an earlier result"
        raise IntegrityError("it died")

    with monkeypatch.context() as patch:
        patch.setattr(detect, "hits_of", dying)
        with pytest.raises(IntegrityError):
            run("--events", events, "--out", out)
    assert out.read_text() == "an earlier result"
    run("--events", events, "--out", out)
    assert len(out.read_bytes().splitlines()) == 2
    assert out.stat().st_mode & 0o777 == 0o640
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".new")]


def test_a_result_may_go_where_no_file_is(run, events) -> None:
    run("--events", events, "--out", "/dev/null")
    assert not Path("/dev/null").is_file()
    with pytest.raises(UnavailableError, match="the hits cannot be written: No such file"):
        run("--events", events, "--out", "/none/hits.jsonl")


def test_refused_files_are_named_with_the_reason_the_first_of_them(run, rules, events, monkeypatch) -> None:
    assert "rules/b.yml: không dùng được / cannot be used: " in run("--events", events).stderr
    monkeypatch.setattr(common, "MOST_REFUSED", 1)
    (rules / "c.yml").write_text(REFUSED)
    (rules / "d.yml").write_text(REFUSED)
    said = run("--events", events).stderr
    assert "c.yml" not in said
    assert "and 2 more files that cannot be used" in said


def test_rules_of_which_none_can_be_used_are_an_error(run, rules, events) -> None:
    (rules / "a.yml").write_text(REFUSED)
    with pytest.raises(ContentError, match="there is no detection rule that can be used"):
        run("--events", events)


def test_a_single_file_may_be_given_where_a_folder_of_rules_is(rules, events) -> None:
    words = ["detect", "--rules", str(rules / "a.yml"), "--events", str(events)]
    done = CliRunner().invoke(cli.build("detect"), words, catch_exceptions=False)
    assert (done.exit_code, len(done.stdout.splitlines())) == (0, 2)
    words[2] = str(events)
    with pytest.raises(ContentError, match=r"events\.jsonl: there is no such folder of rules, and it is no \.yml file"):
        CliRunner().invoke(cli.build("detect"), words, catch_exceptions=False)


def test_a_file_of_values_that_is_none_is_told_by_its_own_name(run, events, tmp_path) -> None:
    (tmp_path / "v.yml").write_text("a: [")
    with pytest.raises(ContentError, match=r"v\.yml: no file of values"):
        run("--events", events, "--values", tmp_path / "v.yml")


@pytest.mark.parametrize("arguments", [(), ("--events", "x", "--from", "pcap")])
def test_bad_usage_is_2(run, arguments) -> None:
    run(*arguments, status=2)


def test_rules_that_are_not_there_are_one_clear_error(events, tmp_path) -> None:
    words = ["detect", "--rules", str(tmp_path / "gone"), "--events", str(events)]
    with pytest.raises(ContentError, match="no such folder"):
        CliRunner().invoke(cli.build("detect"), words, catch_exceptions=False)
