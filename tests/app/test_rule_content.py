"""Rules of packs and switched-off rules in what lanes pull; and the centre that follows."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import content as content_module
from app.content import Content, decode_rules
from app.services.centre import InUse
from core.errors import NotFoundError
from core.scope import EVERYTHING
from core.sigma import load_rules
from core.stores import rules
from core.stores.catalogue import Wanted, find_rule, list_rules
from core.stores.incidents import alerts_of_rule

ID = "8f1f6c1e-8c0f-4bb4-9f6b-0d5c1d0f5a{:02d}"
RULE = """\
title: {title}
id: {id}
logsource:
    product: linux
detection:
    selection:
        message|contains: word
    condition: selection
"""
SSH_LOGIN_FAILED = "43b774dd-fe57-4c3e-b194-1c299f864c6d"
SSH_PASSWORD_GUESSING = "2b89676c-cbed-49db-ab83-6a389143c7f8"


def rule(number, title="One"):
    return RULE.format(title=title, id=ID.format(number)).encode()


@pytest.fixture
def own(tmp_path, settings):
    folder = tmp_path / "own" / "rules"
    folder.mkdir(parents=True)
    (folder / "own.yml").write_bytes(rule(1, "Own"))
    return settings.model_copy(update={"rules": (folder,)})


@pytest.fixture
def said():
    return []


@pytest.fixture
def loads(monkeypatch):
    """How many files were loaded each time."""
    counted = []
    load = content_module.load_rules
    monkeypatch.setattr(content_module, "load_rules", lambda files: counted.append(len(files)) or load(files))
    return counted


@pytest.fixture
def content(own, said):
    return Content(own, said.append)


@pytest.fixture
def put(centre):
    """Imports a version of the pack."""

    def putting(*files: bytes):
        named = {f"{number}.yml": text for number, text in enumerate(files)}
        centre.change(lambda connection, now: rules.store_pack(connection, now, "lan", "hq", "", named))

    return putting


@pytest.fixture
def switch_off(centre):
    return lambda *ids: centre.change(lambda connection, now: rules.switch_off(connection, now, "lan", ids, ""))


@pytest.fixture
def twelve_hits(hits, event):
    """Twelve wrong passwords."""
    return hits(map(event, range(12)))


def titles(content):
    return sorted(one.info.title["en"] for one in load_rules(decode_rules(content.snapshot("rules").content)).rules)


def test_a_pack_is_in_use_once_it_is_imported_and_its_earlier_version_once_it_is_taken_back(content, put, centre):
    before = content.snapshot("rules").version
    put(rule(2, "Two"))
    assert titles(content) == ["Own", "Two"]
    put(rule(2, "Changed"), rule(3, "Three"))
    assert titles(content) == ["Changed", "Own", "Three"]
    centre.change(lambda connection, now: rules.roll_back(connection, now, "lan", "hq", 1))
    assert titles(content) == ["Own", "Two"]
    centre.change(lambda connection, now: rules.roll_back(connection, now, "lan", "hq", 0))
    assert content.snapshot("rules").version == before


def test_the_same_files_are_loaded_once_whatever_is_switched(loads, content, put, switch_off, centre):
    put(rule(2, "Two"))
    assert content.chosen() is content.chosen()
    switch_off(ID.format(2))
    assert len(content.rules().rules) == 1
    centre.change(lambda connection, now: rules.switch_on(connection, now, "lan", [ID.format(2)], ""))
    assert len(content.rules().rules) == 2
    assert loads == [1, 2]


def test_an_own_rule_goes_before_the_packs_rule_of_the_same_id(content, put):
    put(rule(1, "Theirs"), rule(2, "Two"))
    assert titles(content) == ["Own", "Two"]
    assert "is already the id or name of a rule in own/rules/own.yml" in content.chosen().refused["packs/hq/0.yml"]


def test_what_is_in_use_goes_before_a_newer_pack_whatever_their_names_are(content, centre):
    def put(name, *texts):
        named = {f"{number}.yml": text for number, text in enumerate(texts)}
        centre.change(lambda connection, now: rules.store_pack(connection, now, "lan", name, "", named))

    put("zz", rule(2, "First"))
    assert titles(content) == ["First", "Own"]
    put("aa", rule(2, "Second"), rule(1, "Theirs"))
    assert titles(content) == ["First", "Own"]
    centre.change(lambda connection, now: rules.roll_back(connection, now, "lan", "zz", 0))
    assert titles(content) == ["Own", "Second"]
    centre.change(lambda connection, now: rules.roll_back(connection, now, "lan", "zz", 1))
    assert titles(content) == ["Own", "Second"]


def test_of_a_pack_only_the_number_of_refused_files_is_said_and_only_once(content, put, switch_off, said):
    put(b"title: [", b"title: [[", rule(2))
    assert titles(content) == ["One", "Own"]
    switch_off(ID.format(2))
    assert titles(content) == ["Own"]
    assert said == ["pack hq: 2 files are not used: see 'haidang rules list --disabled'"]


def test_a_packs_broken_file_is_not_replaced_by_that_of_an_earlier_version(content, put):
    put(rule(2, "Two"))
    assert titles(content) == ["Own", "Two"]
    put(b"title: [")
    assert titles(content) == ["Own"]


def test_a_file_of_which_half_is_switched_off_stays_and_is_told(content, put, switch_off, said):
    put(rule(2, "Two") + b"---\n" + rule(3, "Three"))
    switch_off(ID.format(2))
    assert titles(content) == ["Own", "Three", "Two"]
    assert said == ["rule packs/hq/0.yml: some of its rules are switched off, but not all: it stays in use"]


def test_before_there_is_a_database_there_are_no_packs(own, tmp_path):
    assert titles(Content(own.model_copy(update={"data": tmp_path / "new"}), pytest.fail)) == ["Own"]


def test_what_is_not_wanted_is_not_read(own):
    content = Content(own.model_copy(update={"rules": (Path("nowhere"),)}), pytest.fail, kinds=("inventory",))
    assert content.inventory().sites == ()
    with pytest.raises(NotFoundError):
        content.snapshot("rules")


def test_the_centre_follows_what_is_chosen(content, centre, put, switch_off, reading):
    def listed():
        with reading.connect() as connection:
            return {one.rule.title["en"]: one.rule.state.value for one in list_rules(connection, Wanted(), 1, 100)}

    in_use = InUse(content, centre)
    assert listed() == {"Own": "enabled"}
    put(rule(2, "Two"))
    in_use.refresh()
    assert {one.info.title["en"] for one in centre.rules} == {"Own", "Two"}
    switch_off(ID.format(1))
    in_use.refresh()
    in_use.refresh()
    assert listed() == {"Own": "disabled", "Two": "enabled"}
    assert {one.info.title["en"] for one in centre.rules} == {"Two"}


def test_hits_of_rules_and_firings_of_correlations_are_counted_in_the_step_that_takes_them(
    settings, centre, batch, twelve_hits, reading, clock
):
    in_use = Content(settings, pytest.fail)
    centre.publish(in_use.chosen())
    centre.receive(batch(twelve_hits))
    centre.receive(batch(twelve_hits, epoch="again"))  # a lane that was restored sends what is known
    with reading.connect() as connection:
        assert find_rule(connection, SSH_LOGIN_FAILED, clock.now()).hits == (12, 12, clock.now())
        assert find_rule(connection, SSH_PASSWORD_GUESSING, clock.now()).hits == (1, 1, clock.now())
        ((alert, incident),) = alerts_of_rule(connection, EVERYTHING, SSH_PASSWORD_GUESSING, 9)
        assert (alert.rule, incident.id) == (SSH_PASSWORD_GUESSING, 1)
        assert alerts_of_rule(connection, EVERYTHING, SSH_LOGIN_FAILED, 9) == []
