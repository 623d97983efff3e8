"""haidang rules test, lint, explain, convert: what they print, in a pipe."""

from __future__ import annotations

import json

import pytest
import yaml
from typer.testing import CliRunner

from app import cli
from core.errors import ContentError, NotFoundError, RefusedError, UnavailableError

IDENTITY = "11111111-1111-4111-8111-111111111111"
RULE = {
    "title": "A test",
    "id": IDENTITY,
    "name": "a_test",
    "description": "x",
    "level": "low",
    "date": "2026-11-24",
    "author": "An",
    "tags": ["attack.t1110"],
    "logsource": {"product": "windows"},
    "detection": {"selection": {"user.name|endswith": "root"}, "condition": "selection"},
    "haidang": {"title_vi": "Thử", "guide_vi": ["Một"], "guide_en": ["One"]},
}
HIT = {"hit": True, "logsource": {"product": "windows"}, "fields": {"user.name": "root"}, "raw": ""}
MISS = {**HIT, "hit": False, "fields": {"user.name": "an"}}


@pytest.fixture
def folder(tmp_path):
    """A folder of one rule."""
    made = tmp_path / "mine" / "rules"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def write(folder):
    """Writes a rule, with these keys changed, and the events beside it."""

    def writing(*events: object, file: str = "a", **changed: object) -> str:
        path = folder / f"{file}.yml"
        path.write_text(yaml.safe_dump({**RULE, **changed}, sort_keys=False), encoding="utf-8")
        if events:
            text = "".join(json.dumps(event) + "\n" for event in events)
            path.with_suffix(".events.jsonl").write_text(text, encoding="utf-8")
        return str(path)

    return writing


@pytest.fixture
def run(tmp_path, folder, monkeypatch):
    """Runs `haidang rules` in a pipe, over that folder, and returns what it prints."""
    for name in ("FORCE_COLOR", "COLUMNS", "HAIDANG_SETTINGS"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "haidang.toml"
    file.write_text(f'format = 1\nrules = ["{folder}"]\n', encoding="utf-8")
    commands = cli.build("rules")

    def running(*arguments: str, status: int = 0) -> str:
        whole = ["rules", *arguments, "--settings", str(file)]
        done = CliRunner().invoke(commands, whole, catch_exceptions=False)
        assert done.exit_code == status, done.output
        return done.stdout

    return running


def test_rules_that_do_as_their_events_say_pass(run, write) -> None:
    write(HIT, MISS)
    assert run("test").endswith(
        "1 rules, 0 events went wrong, 0 rules without events, 0 refused\n",
    )
    assert json.loads(run("test", "--json")) == []


def test_an_event_that_goes_wrong_is_named_with_its_part(run, write) -> None:
    path = write(HIT, {**MISS, "hit": True}, {**HIT, "hit": False})
    text = run("test", path, status=1)
    assert "phải khớp / must hit: ✗ [selection] user.name endswith 'root': có / has: 'an'" in text
    assert "không được khớp / must not hit: ✓ [selection] user.name" in text
    rows = json.loads(run("test", path, "--json", status=1))
    assert [(row["kind"], row["file"], row["rule"], row["line"]) for row in rows] == [
        ("failure", path, "Thử", 2),
        ("failure", path, "Thử", 3),
    ]
    assert rows[0]["failure"]["explanation"]["conditions"][0]["found"] == "an"


def test_an_event_of_another_log_source_is_named_as_that(run, write) -> None:
    write({**HIT, "logsource": {"product": "linux"}})
    assert "✗ nguồn / log source: product windows; bản ghi có / the event has: product linux" in run("test", status=1)


def test_many_parts_are_told_in_few_words(run, write) -> None:
    detection = {"selection": {"user.name": [f"u{number}" for number in range(9)]}, "condition": "selection"}
    write({**HIT, "logsource": {"product": "windows"}}, detection=detection)
    (row,) = json.loads(run("test", "--json", status=1))
    assert row["text"].count("user.name equals") == 3
    assert row["text"].endswith("; … và 6 nữa / and 6 more")


def test_a_rule_without_events_is_named_and_a_refused_one_is_a_failure(run, write) -> None:
    write()
    assert "không có bản ghi mẫu / no events beside it" in run("test")
    write(file="b", id=None)
    text = run("test", status=1)
    assert "the rule has no id" in text
    assert "1 refused" in text


def test_a_folder_that_is_not_there_is_told(run) -> None:
    with pytest.raises(ContentError, match="no such folder"):
        run("test", "/none")
    with pytest.raises(UnavailableError, match="cannot be read"):
        run("lint", "/none.yml")


def test_lint_tells_findings_and_fails_on_errors_alone(run, write) -> None:
    write()
    assert run("lint").endswith("1 rules, 0 errors, 0 warnings\n")
    write(author=None)
    assert "lacks: author" in run("lint")
    write(detection={**RULE["detection"], "filter": {"user.name": "x"}})
    assert "a selection that no condition uses: filter" in run("lint", status=1)
    (row,) = json.loads(run("lint", "--json", status=1))
    assert (row["level"], row["code"], row["file"]) == ("error", "unused", "mine/rules/a.yml")


def test_values_of_the_site_make_a_rule_complete(run, write, tmp_path) -> None:
    path = write(detection={"selection": {"user.name|expand": "%admins%"}, "condition": "selection"})
    assert "lacks values of the site: %admins%" in run("lint", path)
    values = tmp_path / "values.yml"
    values.write_text("admins: [an, binh]\n", encoding="utf-8")
    assert "0 warnings" in run("lint", path, "--values", str(values))
    assert '"an", "binh"' in run("convert", "--to", "eql", "a_test", "--values", str(values))


@pytest.mark.parametrize("named", [IDENTITY, IDENTITY.upper(), "a_test", "mine/rules/a.yml"])
def test_explain_finds_a_rule_by_id_name_or_file(run, write, folder, named) -> None:
    write(HIT, MISS)
    text = run("explain", named, str(folder / "a.events.jsonl"), "--record", "2")
    assert text.splitlines() == [
        f"Thử / A test ({IDENTITY})",
        "✗ không khớp / no hit",
        "✓ nguồn / log source: product windows; bản ghi có / the event has: product windows",
        "✗ [selection] user.name endswith 'root': có / has: 'an'",
    ]


def test_explain_shows_the_condition_as_a_tree(run, write, folder) -> None:
    many = {"user.name": [f"u{number}" for number in range(9)], "b.c": "sh", "a.b": None}
    words = {"words": ["zz"], "condition": "selection and not words"}
    path = write({**HIT, "fields": {"user.name": ["x", "y"], "a.b": None}}, detection={"selection": many, **words})
    lines = run("explain", path, str(folder / "a.events.jsonl")).splitlines()[3:]
    assert lines[:5] == [
        "✗ tất cả / all of",
        "  ✗ tất cả / all of [selection]",
        "    ✗ một trong / any of",
        "      ✗ user.name equals 'u0': có / has: 'x', 'y'",
        "      ✗ user.name equals 'u1': có / has: 'x', 'y'",
    ]
    assert lines[8:] == [
        "      ✗ … và 4 giá trị nữa của / and 4 more values of: user.name",
        "    ✗ b.c equals 'sh': không có trường này / the field is missing (đã tìm / looked for: b.c)",
        "    ✓ a.b equals 'null': có / has: null",
        "  ✓ không / not",
        "    ✗ [words] từ khóa / keyword equals 'zz': không có ở đâu / nowhere in the event",
    ]


def test_explain_as_json_is_the_whole_tree(run, write, folder) -> None:
    path = write(HIT)
    (told,) = json.loads(run("explain", path, str(folder / "a.events.jsonl"), "--json"))
    assert told["hit"]
    assert told["logsource"]["met"]
    assert told["conditions"][0]["wanted"] == {"test": "endswith", "value": "root"}


def test_what_an_event_holds_does_not_steer_the_terminal(run, write, folder) -> None:
    path = write({**HIT, "fields": {"user.name": "\x1b[2J"}})
    assert "\x1b" not in run("explain", path, str(folder / "a.events.jsonl"))


def test_a_rule_that_is_not_there_is_told(run, write, folder) -> None:
    path = write(HIT)
    events = str(folder / "a.events.jsonl")
    with pytest.raises(NotFoundError, match="there is no rule 'other'"):
        run("explain", "other", events)
    write(id=None)
    with pytest.raises(NotFoundError, match=r"refused: .*no id"):
        run("explain", path, events)


def test_a_file_of_several_rules_needs_the_name_of_one(run, write, folder) -> None:
    path = write(HIT)
    second = yaml.safe_dump({**RULE, "id": "22222222-2222-4222-8222-222222222222", "name": "b_test"})
    text = (folder / "a.yml").read_text(encoding="utf-8")
    (folder / "a.yml").write_text(f"{text}---\n{second}", encoding="utf-8")
    events = str(folder / "a.events.jsonl")
    with pytest.raises(NotFoundError, match="name one of them: a_test, b_test"):
        run("explain", path, events)
    assert "hit" in run("explain", "b_test", events)


def test_convert_prints_queries_and_what_has_none(run, write) -> None:
    write()
    write(file="b", **_other("2", ["word"]))
    write(file="c", **_other("3", {"user.name|re": "x+"}))
    lines = run("convert", "--to", "eql").splitlines()
    assert lines[:2] == [
        f"# A test ({IDENTITY})",
        'any where haidang.logsource.product:"windows" and user.name:"*root"',
    ]
    assert "read its regular expression again" in lines[3]
    assert "looks for keywords in every field: word" in lines[-2]
    assert "2 rules converted, 1 not; tìm từ khóa trong mọi trường" in lines[-1]


def _other(digit: str, selection: object) -> dict[str, object]:
    identity = f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}"
    return {"name": digit, "id": identity, "detection": {"selection": selection, "condition": "selection"}}


def test_convert_takes_rules_by_name_and_gives_json(run, write) -> None:
    write()
    (row,) = json.loads(run("convert", "--to", "lucene", "--json", "a_test"))
    assert row["queries"] == ["haidang.logsource.product:windows AND user.name:*root"]
    assert row["kind"] == ""


def test_convert_lists_a_refused_file(run, write) -> None:
    (row,) = json.loads(run("convert", "--to", "esql", "--json", write(id=None), status=1))
    assert (row["kind"], row["queries"]) == ("refused", [])


CORRELATION = {
    "title": "Many",
    "id": "22222222-2222-4222-8222-222222222222",
    "name": "many_tests",
    "correlation": {
        "type": "event_count",
        "rules": ["a_test"],
        "group-by": ["source.ip"],
        "timespan": "5m",
        "condition": {"gte": 10},
    },
}


@pytest.mark.parametrize("named", ["many_tests", CORRELATION["id"].upper(), "file"])
def test_a_correlation_rule_that_is_named_is_said_to_be_one(run, write, folder, tmp_path, named) -> None:
    write()
    path = folder / "many.yml"
    path.write_text(yaml.safe_dump(CORRELATION), encoding="utf-8")
    event = tmp_path / "event.jsonl"
    event.write_text("{}\n", encoding="utf-8")
    named = str(path) if named == "file" else named
    with pytest.raises(
        RefusedError, match=r"is a correlation rule, which judges hits .* neither explained nor converted"
    ):
        run("explain", named, str(event))
    if named != str(path):
        with pytest.raises(RefusedError, match="is a correlation rule"):
            run("convert", "--to", "eql", named)


def test_of_a_folder_the_correlation_rules_are_listed_as_not_converted(run, write, folder) -> None:
    write()
    (folder / "many.yml").write_text(yaml.safe_dump(CORRELATION), encoding="utf-8")
    text = run("convert", "--to", "eql")
    assert "a correlation rule, which cannot be converted: Many" in text
    assert "1 rules converted, 1 not" in text


@pytest.mark.parametrize("text", ["a: [", "- a", "a: {b: c}", "a: &x [*x]"])
def test_a_file_of_values_that_is_none_is_told_by_its_own_name(run, write, tmp_path, text) -> None:
    values = tmp_path / "v.yml"
    values.write_text(text, encoding="utf-8")
    for words in (("test", write()), ("lint", write()), ("convert", "--to", "eql", "a_test")):
        with pytest.raises(ContentError, match=r"v\.yml: no file of values of placeholders: (?!site/values)"):
            run(*words, "--values", str(values))


def test_what_is_neither_a_folder_nor_a_yml_file_is_told(run, tmp_path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(ContentError, match=r"a\.txt: there is no such folder of rules, and it is no \.yml file"):
        run("test", str(tmp_path / "a.txt"))


def test_two_folders_with_files_of_one_name_are_told(run, tmp_path) -> None:
    for side in ("x", "y"):
        (tmp_path / side / "site" / "rules").mkdir(parents=True)
        (tmp_path / side / "site" / "rules" / "a.yml").write_text("x")
    with pytest.raises(ContentError, match=r"another folder already holds site/rules/a\.yml"):
        run("test", str(tmp_path / "x/site/rules"), str(tmp_path / "y/site/rules"))


@pytest.mark.parametrize("command", ["import", "rollback", "enable", "disable", "list", "packs"])
def test_the_commands_of_packs_stand_beside_them(run, command) -> None:
    assert "--settings" in run(command, "--help")
