"""Rules and inventory as lanes pull them."""

from __future__ import annotations

import pytest

from app.content import Content, decode_rules, encode_rules, read_inventory
from core import rule_text
from core.errors import ContentError, NotFoundError
from core.sealed import SealedSets, decode_sealed
from core.settings import HOME
from core.sigma import load_rules
from core.stores import credentials
from core.stores.migrate import open_state
from inventory.snapshot import decode_snapshot

RULE = """\
title: {title}
id: {id}
logsource:
    product: linux
detection:
    selection:
        message|contains: {title}
    condition: selection
"""
CORRELATION = """\
title: Many
id: 8f1f6c1e-8c0f-4bb4-9f6b-0d5c1d0f5a03
correlation:
    type: event_count
    rules:
        - {reference}
    group-by:
        - source.ip
    timespan: 5m
    condition:
        gte: 10
"""
FIRST, SECOND = "8f1f6c1e-8c0f-4bb4-9f6b-0d5c1d0f5a01", "8f1f6c1e-8c0f-4bb4-9f6b-0d5c1d0f5a02"
UNITS = "- {id: tc, name: Tối cao, type: supreme}\n"


@pytest.fixture
def own(tmp_path, settings):
    """Settings with a folder of rules and one of inventory."""
    rules, inventory = tmp_path / "rules", tmp_path / "inventory"
    rules.mkdir()
    inventory.mkdir()
    (rules / "first.yml").write_text(RULE.format(title="One", id=FIRST))
    (inventory / "units.yml").write_text(UNITS)
    return settings.model_copy(update={"rules": (rules,), "inventory": inventory})


@pytest.fixture
def said():
    return []


@pytest.fixture
def content(own, said):
    return Content(own, said.append)


def titles(content):
    return sorted(rule.info.title["en"] for rule in content.rules().rules)


def test_what_does_not_change_keeps_its_version(content):
    assert content.snapshot("rules") == content.snapshot("rules")
    assert content.snapshot("inventory") is content.snapshot("inventory")
    assert content.inventory() is content.inventory()


def test_a_changed_rule_file_gives_a_new_version(content, own):
    before = content.snapshot("rules").version
    (own.rules[0] / "first.yml").write_text(RULE.format(title="Changed", id=FIRST))
    assert content.snapshot("rules").version != before
    assert titles(content) == ["Changed"]


def test_a_new_rule_file_deeper_down_is_seen_and_a_removed_one_goes(content, own):
    before = content.snapshot("rules").version
    (own.rules[0] / "area").mkdir()
    (own.rules[0] / "area" / "second.yml").write_text(RULE.format(title="Two", id=SECOND))
    assert titles(content) == ["One", "Two"]
    (own.rules[0] / "area" / "second.yml").unlink()
    assert titles(content) == ["One"]
    assert content.snapshot("rules").version == before


def test_a_new_rule_that_is_broken_is_told_once_by_name_and_its_neighbour_stays(content, own, said):
    (own.rules[0] / "broken.yml").write_text("title: [")
    assert [titles(content) for _ in range(3)] == [["One"]] * 3
    (text,) = said
    assert text.startswith(f"rule {own.rules[0].parent.name}/rules/broken.yml: ")
    assert text.endswith(": it is not used")


def test_a_rule_that_breaks_is_told_once_by_name_and_its_last_good_version_stays(content, own, said):
    before = content.snapshot("rules").version
    (own.rules[0] / "first.yml").write_text("title: [")
    assert [content.snapshot("rules").version for _ in range(3)] == [before] * 3
    assert titles(content) == ["One"]
    (text,) = said
    assert text.startswith(f"rule {own.rules[0].parent.name}/rules/first.yml: ")
    assert text.endswith(": the last good version stays in use")
    (own.rules[0] / "first.yml").write_text(RULE.format(title="Changed", id=FIRST))
    assert titles(content) == ["Changed"]


def test_a_rule_that_breaks_does_not_hold_back_a_change_of_its_neighbour(content, own):
    (own.rules[0] / "second.yml").write_text(RULE.format(title="Two", id=SECOND))
    assert titles(content) == ["One", "Two"]
    (own.rules[0] / "first.yml").write_text("title: [")
    (own.rules[0] / "second.yml").write_text(RULE.format(title="Changed", id=SECOND))
    assert titles(content) == ["Changed", "One"]


def test_a_rule_that_is_removed_after_it_broke_is_gone(content, own):
    (own.rules[0] / "first.yml").write_text("title: [")
    assert titles(content) == ["One"]
    (own.rules[0] / "first.yml").unlink()
    assert titles(content) == []


def test_a_new_correlation_of_a_rule_that_broke_in_the_same_moment_is_used(content, own):
    correlation = CORRELATION.format(reference=FIRST)
    (own.rules[0] / "first.yml").write_text("title: [")
    (own.rules[0] / "second.yml").write_text(correlation)
    assert [rule.info.title["en"] for rule in content.rules().correlations] == ["Many"]


def test_a_broken_inventory_keeps_the_last_good_one_and_says_so_once(content, own, said):
    before = content.snapshot("inventory")
    (own.inventory / "units.yml").write_text(UNITS + "- {id: bad, name: Sai, type: kingdom}\n")
    assert [content.snapshot("inventory") for _ in range(3)] == [before] * 3
    assert [unit.id for unit in content.inventory().units] == ["tc"]
    (text,) = said
    assert text.startswith("the last good version stays in use: ")
    assert "units.yml" in text
    (own.inventory / "units.yml").write_text(UNITS.replace("Tối cao", "Viện tối cao"))
    assert content.inventory().units[0].name == "Viện tối cao"
    assert len(said) == 1


def test_an_inventory_that_vanishes_keeps_the_last_good_one(content, own, said):
    before = content.snapshot("inventory")
    (own.inventory / "units.yml").unlink()
    own.inventory.rmdir()
    assert content.snapshot("inventory") == before
    assert len(said) == 1


@pytest.mark.parametrize("missing", ["rules", "inventory"])
def test_a_folder_missing_at_first_is_an_error_that_names_it(own, said, tmp_path, missing):
    nowhere = tmp_path / "nowhere"
    wrong = {"rules": (nowhere,), "inventory": nowhere}[missing]
    with pytest.raises(ContentError, match=str(nowhere)):
        Content(own.model_copy(update={missing: wrong}), said.append)
    assert said == []


def test_an_unknown_kind_is_not_found(content):
    with pytest.raises(NotFoundError, match="there is no snapshot 'secrets'"):
        content.snapshot("secrets")


def test_without_an_inventory_folder_the_inventory_is_empty(own, said):
    content = Content(own.model_copy(update={"inventory": None}), said.append)
    assert content.inventory().sites == ()
    assert read_inventory(own.model_copy(update={"inventory": None})).units == ()


def test_the_shipped_sector_travels_whole(own):
    sector = read_inventory(own.model_copy(update={"inventory": HOME / "lab" / "data" / "sector"}))
    content = Content(own.model_copy(update={"inventory": HOME / "lab" / "data" / "sector"}), pytest.fail)
    assert content.inventory() == sector
    assert decode_snapshot(content.snapshot("inventory").content).devices == sector.devices
    assert len(sector.sites) == 30


def test_rules_travel_in_the_same_form_whatever_the_order_of_files():
    documents = {"b.yml": b"2", "a.yml": b"1"}
    assert encode_rules(documents) == encode_rules(dict(sorted(documents.items())))


@pytest.mark.parametrize("content", [b"", b"\xc1", b"[]", b"\x81\xa1\xff\xc4\x00"])
def test_what_is_no_snapshot_of_rules_is_told(content):
    with pytest.raises(ContentError, match="the snapshot of the rules cannot be read"):
        decode_rules(content)


def test_a_rule_that_can_be_read_again_is_used_again(content, own, said, monkeypatch):
    """Whoever corrects the rights of a file changes neither its content nor its time."""
    file = own.rules[0] / "first.yml"
    read = rule_text._read
    file.write_text(RULE.format(title="Changed", id=FIRST))

    def refuses(path):
        raise ContentError(f"{path}: permission denied")

    monkeypatch.setattr(rule_text, "_read", refuses)
    assert titles(content) == ["One"]
    monkeypatch.setattr(rule_text, "_read", read)
    file.chmod(0o640)
    assert titles(content) == ["Changed"]
    assert len(said) == 1


def test_a_file_refused_for_two_of_its_rules_is_left_out_and_stops_no_other(content, own, said):
    correlation = CORRELATION.format(reference="nobody")
    (own.rules[0] / "two.yml").write_text(correlation + "---\n" + correlation.replace("5a03", "5a04"))
    assert titles(content) == ["One"]
    (line,) = said
    assert "two.yml" in line


WAITING = """
title: A domain of ours
id: 77777777-7777-4777-8777-777777777777
logsource: {product: linux}
detection: {selection: {a|expand: '%domains%'}, condition: selection}
"""


def test_rules_get_the_sites_values_and_again_when_these_change(own, said, tmp_path):
    values = tmp_path / "values.yml"
    values.write_text("other: x")
    (own.rules[0] / "waiting.yml").write_text(WAITING)
    content = Content(own.model_copy(update={"rule_values": values}), said.append)
    assert titles(content) == ["One"]
    assert "%domains%" in said[0]
    values.write_text("domains: [vks.example]")
    assert titles(content) == ["A domain of ours", "One"]
    assert load_rules(decode_rules(content.snapshot("rules").content)).refused == ()


def test_credential_sets_travel_sealed_and_anew_when_one_is_put_or_assigned(settings):
    content = Content(settings, pytest.fail, kinds=("credentials",))
    first = content.snapshot("credentials")
    assert decode_sealed(first.content) == SealedSets()
    engine = open_state(settings.state)
    with engine.begin() as connection:
        credentials.add_set(connection, 1, "test", "core", "snmp_v3", b"sealed")
        credentials.add_set(connection, 1, "test", "shell", "ssh_key", b"sealed too")
    second = content.snapshot("credentials")
    with engine.begin() as connection:
        credentials.assign(connection, 1, "test", credentials.Target("site", "tha", "core"))
    engine.dispose()
    third = decode_sealed(content.snapshot("credentials").content)
    assert len({first.version, second.version, content.snapshot("credentials").version}) == 3
    assert [(one.name, one.body) for one in third.sets] == [("core", b"sealed")]
    assert third.targets == (("site", "tha", "core"),)
