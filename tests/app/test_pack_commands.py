"""haidang rules import, rollback, enable, disable, list and packs: the commands against a centre."""

from __future__ import annotations

import base64
import json
import re

import pytest
import typer
from typer.testing import CliRunner

from app.commands import common, packs
from app.content import Content
from app.packs import decode_files
from core.centre import CentreClient
from core.errors import ContentError, NotFoundError, RefusedError

ID = "8f1f6c1e-8c0f-4bb4-9f6b-0d5c1d0f5a{:02d}"
RULE = """\
title: {title}
id: {id}
level: {level}
logsource:
    product: {product}
detection:
    selection:
        message|contains: word
    condition: selection
"""


def rule(number, title="Một", level="high", product="linux"):
    return RULE.format(title=title, id=ID.format(number), level=level, product=product)


class DoorClient:
    """Calls the centre as ``CentreClient`` does, without a socket between."""

    def __init__(self, door, content, centre) -> None:
        self._door, self._content, self._centre = door, content, centre

    def __call__(self, _: object) -> DoorClient:
        return self

    def call(self, action: str, actor: str = "", **values: object) -> object:
        answer = self._door.ask(action, values, actor=actor)
        if answer.is_error:
            raise (NotFoundError if answer.status_code == 404 else RefusedError)(answer.json()["reason"])
        self._centre.publish(self._content.chosen())
        return answer.json()

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def own(tmp_path, settings):
    folder = tmp_path / "own" / "rules"
    folder.mkdir(parents=True)
    (folder / "own.yml").write_text(rule(1, "Của mình"))
    (tmp_path / "haidang.toml").write_text(f'format = 1\ndata = "{settings.data.name}"\nrules = ["own/rules"]\n')
    return settings.model_copy(update={"rules": (folder,)})


@pytest.fixture
def content(own, centre):
    made = Content(own, lambda _: None)
    centre.publish(made.chosen())
    return made


@pytest.fixture
def run(tmp_path, door, content, centre, monkeypatch):
    """Runs a command and returns what it prints on its output."""
    monkeypatch.setattr(common, "CentreClient", DoorClient(door, content, centre))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    app = typer.Typer()
    for name in ("import_pack", "rollback", "enable", "disable", "list_rules", "list_packs"):
        app.command(name)(getattr(packs, name))

    def running(*arguments: str, status: int = 0) -> str:
        words = [*arguments, "--settings", str(tmp_path / "haidang.toml")]
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == status, done.output
        return done.stdout

    return running


@pytest.fixture
def pack(tmp_path):
    """A folder with two rules and one that is broken."""
    folder = tmp_path / "pack"
    (folder / "rules" / "win").mkdir(parents=True)
    (folder / "rules" / "a.yml").write_text(rule(2, level="low"))
    (folder / "rules" / "win" / "b.yml").write_text(rule(3, "Hai", product="windows"))
    (folder / "rules" / "broken.yml").write_text("title: Hỏng\ndetection: [\n")
    return folder


@pytest.fixture
def listed(run):
    """The rules by their id with their state."""
    return lambda *words: {one["id"]: one["state"] for one in json.loads(run("list_rules", *words, "--json"))}


def test_an_import_first_only_shows_the_difference(run, pack, content):
    text = run("import_pack", str(pack), "--name", "hq")
    assert "Thêm / added: 3\n  rules/a.yml\n" in text
    assert "Quy tắc dùng được / rules that load: 2" in text
    assert "cao / high 1, thấp / low 1" in text
    assert "linux 1, windows 1" in text
    assert re.search(r"Bị từ chối / refused: 1\n  rules/broken\.yml: .+", text)
    assert text.endswith("Chưa thay đổi gì: thêm --yes để nhập / nothing has changed: add --yes to import\n")
    assert len(content.rules().rules) == 1


def test_with_yes_the_pack_is_in_use_and_the_same_again_is_nothing_new(run, pack, content, listed):
    assert "Đã nhập thành phiên bản 1 / imported as version 1" in run("import_pack", str(pack), "--name", "hq", "--yes")
    assert len(content.rules().rules) == 3
    assert listed("--pack", "hq") == {ID.format(2): "enabled", ID.format(3): "enabled", "": "refused"}
    assert "Không có gì mới" in run("import_pack", str(pack), "--name", "hq", "--yes")
    (version,) = json.loads(run("list_packs", "--json"))
    assert (version["name"], version["number"], version["active"], version["actor"]) == ("hq", 1, True, "local:test")
    assert "local:test" in run("list_packs")


def test_the_second_version_tells_what_is_new_changed_and_gone_and_can_be_taken_back(run, pack, content):
    run("import_pack", str(pack), "--name", "hq", "--yes")
    (pack / "rules" / "a.yml").unlink()
    (pack / "rules" / "broken.yml").write_text(rule(4))
    (pack / "rules" / "new.yml").write_text(rule(5))
    (told,) = json.loads(run("import_pack", str(pack), "--name", "hq", "--yes", "--json"))
    assert told["difference"] == {
        "added": ["rules/new.yml"],
        "changed": ["rules/broken.yml"],
        "removed": ["rules/a.yml"],
        "same": 1,
    }
    assert told["imported"]["number"] == 2
    assert len(content.rules().rules) == 4
    assert run("rollback", "hq") == "Gói / pack hq: phiên bản / version 1\n"
    assert len(content.rules().rules) == 3
    assert "out of use" in run("rollback", "hq", "--to", "0")
    assert len(content.rules().rules) == 1


def test_rules_are_switched_by_id_level_product_and_file(run, pack, listed, content):
    run("import_pack", str(pack), "--name", "hq", "--yes")
    assert run("disable", ID.format(1), "--reason", "ồn") == "Đã tắt / disabled: 1\n"
    assert run("disable", "--level", "low", "--reason", "x") == "Đã tắt / disabled: 1\n"
    assert run("disable", "--file", "rules/win/*", "--reason", "x") == "Đã tắt / disabled: 1\n"
    assert content.rules().rules == ()
    assert set(listed("--disabled").values()) == {"disabled", "refused"}
    assert run("enable", "--product", "linux") == "Đã bật / enabled: 2\n"
    assert listed("--disabled").keys() == {"", ID.format(3)}
    assert run("enable", "--level", "high") == "Đã bật / enabled: 1\n"
    assert run("enable", "--level", "high") == "Đã bật / enabled: 0\n"


@pytest.mark.parametrize("words", [("--level", "critical"), ("--product", "windoze"), ("--file", "rules/lunix/*")])
@pytest.mark.parametrize("command", [("enable",), ("disable", "--reason", "ồn")])
def test_what_names_no_rule_is_told(run, words, command):
    with pytest.raises(NotFoundError, match="no rule is such"):
        run(*command, *words)


def test_an_id_may_be_written_in_capitals(run, content):
    assert run("disable", ID.format(1).upper(), "--reason", "ồn") == "Đã tắt / disabled: 1\n"
    assert content.rules().rules == ()
    assert run("enable", ID.format(1).upper()) == "Đã bật / enabled: 1\n"


def test_switching_off_needs_a_reason(run, listed):
    run("disable", ID.format(1), status=2)
    run("disable", ID.format(1), "--reason", " ", status=2)
    assert listed()[ID.format(1)] == "enabled"


def test_a_packs_copy_of_our_rule_cannot_be_switched_in_place_of_ours(run, tmp_path, content, listed):
    copies = tmp_path / "copies"
    copies.mkdir()
    (copies / "copy.yml").write_text(rule(1, "Bản sao"))
    (copies / "other.yml").write_text(rule(2))
    run("import_pack", str(copies), "--name", "dup", "--yes")
    assert run("disable", "--file", "packs/dup/*", "--reason", "ồn") == "Đã tắt / disabled: 1\n"
    assert [one.info.file for one in content.rules().rules] == ["own/rules/own.yml"]
    assert listed("--pack", "dup") == {ID.format(1): "refused", ID.format(2): "disabled"}
    with pytest.raises(NotFoundError, match="no rule is such"):
        run("disable", "--file", "packs/dup/copy.yml", "--reason", "ồn")
    assert run("disable", ID.format(1), "--reason", "ồn") == "Đã tắt / disabled: 1\n"
    assert listed("--pack", "dup", "--disabled")[ID.format(1)] == "refused"
    assert listed("--pack", "") == {ID.format(1): "disabled"}
    copy = next(one for one in json.loads(run("list_rules", "--pack", "dup", "--json")) if one["id"] == ID.format(1))
    assert (copy["off"], copy["off_reason"]) == (False, "")


def test_refused_rules_are_switched_off_and_on_like_others_and_listed_so(run, pack, listed):
    (pack / "rules" / "broken.yml").write_text(f"title: Hỏng\nid: {ID.format(7)}\nlevel: low\ndetection: [\n")
    run("import_pack", str(pack), "--name", "hq", "--yes")
    assert run("disable", "--file", "packs/hq/*", "--reason", "quá ồn") == ("Đã tắt / disabled: 3\n")
    rows = {one["id"]: one for one in json.loads(run("list_rules", "--disabled", "--json"))}
    assert {(one["state"], one["off"], one["off_reason"]) for one in rows.values()} == {
        ("disabled", True, "quá ồn"),
        ("refused", True, "quá ồn"),
    }
    table = run("list_rules", "--disabled")
    assert table.count("quá ồn") == 3
    assert "bị từ chối, tắt" in table
    assert run("enable", "--file", "packs/hq/*") == "Đã bật / enabled: 3\n"
    assert listed("--disabled") == {ID.format(7): "refused"}


def test_a_dry_run_shows_what_has_the_id_of_another_rule_and_what_would_stop(run, tmp_path, content):
    packs_ = {"zz": [rule(2), rule(3)], "aa": [rule(2, "Trùng"), rule(1, "Của ta"), rule(4)]}
    for name, texts in packs_.items():
        for number, text in enumerate(texts):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / f"{number}.yml").write_text(text)
        text = run("import_pack", str(tmp_path / name), "--name", name, "--yes")
    assert "same id or name as another rule, not used: 2\n  0.yml: " in text
    assert "would stop" not in text
    files = {one.info.file for one in content.rules().rules}
    assert files == {"own/rules/own.yml", "packs/zz/0.yml", "packs/zz/1.yml", "packs/aa/2.yml"}
    (tmp_path / "zz" / "new.yml").write_text(rule(4, "Mới"))
    assert "rules in use that would stop: 1\n  packs/aa/2.yml: " in run(
        "import_pack", str(tmp_path / "zz"), "--name", "zz"
    )


def test_a_name_that_is_none_is_refused_before_anything_is_shown(run, pack):
    with pytest.raises(RefusedError, match="'BAD NAME' is no name of a pack"):
        run("import_pack", str(pack), "--name", "BAD NAME")


@pytest.mark.parametrize("yes", [(), ("--yes",), ("--yes", "--json")])
def test_a_pack_without_a_usable_rule_is_refused(run, tmp_path, yes):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.yml").write_text(rule(1))
    (tmp_path / "bad" / "b.yml").write_text("title: Hỏng\ndetection: [\n")
    with pytest.raises(RefusedError, match="no rule of pack bad can be used: it is not imported"):
        run("import_pack", str(tmp_path / "bad"), "--name", "bad", *yes)
    assert json.loads(run("list_packs", "--json")) == []


def test_after_a_pack_was_taken_out_of_use_it_comes_back_as_it_was(run, pack):
    run("import_pack", str(pack), "--name", "hq", "--yes")
    (pack / "rules" / "bad.yml").write_text(rule(8))
    run("import_pack", str(pack), "--name", "hq", "--yes")
    run("rollback", "hq")
    run("rollback", "hq", "--to", "0")
    assert run("rollback", "hq") == "Gói / pack hq: phiên bản / version 1\n"


def test_what_stops_with_a_rule_is_told(run, own, content, centre):
    (own.rules[0] / "many.yml").write_text(
        f"title: Nhiều\nid: {ID.format(9)}\ncorrelation:\n    type: event_count\n    rules: [{ID.format(1)}]\n"
        "    group-by: [source.ip]\n    timespan: 5m\n    condition: {gte: 10}\n"
    )
    centre.publish(content.chosen())
    assert "stops too, as it needs them: Nhiều" in run("disable", ID.format(1), "--reason", "ồn")
    assert content.rules().correlations == ()


def test_naming_no_rule_is_bad_usage_and_an_unknown_one_is_told(run):
    run("disable", "--reason", "ồn", status=2)
    with pytest.raises(NotFoundError, match="there is no rule 'nobody'"):
        run("disable", "nobody", "--reason", "ồn")


def test_a_list_shows_words_for_people(run, pack):
    run("import_pack", str(pack), "--name", "hq", "--yes")
    heading, *rows = run("list_rules").splitlines()
    assert heading.split()[:2] == ["Trạng", "thái"]
    assert any(row.split()[:3] == ["bật", "cao", "Hai"] and "windows" in row and "hq" in row for row in rows)
    assert len(run("list_rules", "cua minh").splitlines()) == 2
    assert len(run("list_rules", "--level", "low").splitlines()) == 2


def test_a_pack_that_travels_is_what_was_read(run, pack, door, monkeypatch):
    asked = []
    ask = door.ask
    monkeypatch.setattr(door, "ask", lambda name, values, **more: asked.append(values) or ask(name, values, **more))
    run("import_pack", str(pack), "--name", "hq", "--yes")
    assert asked[0]["source"] == "pack"
    assert decode_files(base64.b64decode(asked[0]["content"])).keys() == {
        "rules/a.yml",
        "rules/broken.yml",
        "rules/win/b.yml",
    }


def test_a_pack_that_is_none_is_told_before_the_centre_is_asked(run, tmp_path):
    with pytest.raises(ContentError, match="cannot be read"):
        run("import_pack", str(tmp_path / "none"), "--name", "hq")


def test_the_centre_refuses_what_is_no_pack_or_no_name(door):
    content = base64.b64encode(b"rubbish").decode()
    answer = door.ask("rules.import", {"name": "hq", "content": content})
    assert (answer.status_code, "the pack cannot be read" in answer.json()["reason"]) == (409, True)


def test_an_answer_on_rules_the_inventory_and_what_was_asked_for_may_take_longer(tmp_path, monkeypatch):
    (tmp_path / "none.sock").touch()
    client = CentreClient(tmp_path / "none.sock")
    waited = []
    monkeypatch.setattr(client._http, "post", lambda *_, timeout, **__: waited.append(timeout) or FakeAnswer())
    client.call("rules.enable")
    client.call("inventory.import")
    client.call("requests.approve")
    client.call("users.list")
    client.close()
    assert waited == [300, 300, 300, 30]


class FakeAnswer:
    """An answer that says nothing."""

    status_code = 200
    is_error = False

    def json(self) -> dict[str, object]:
        return {}
