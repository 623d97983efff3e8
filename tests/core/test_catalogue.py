"""The catalogue of rules: finding, ordering by hits, and the counts of hits."""

from __future__ import annotations

import pytest

from core.clock import HOUR
from core.errors import NotFoundError
from core.records import Logsource, Severity
from core.stores import catalogue
from core.stores.catalogue import CatalogueRule, Hits, RuleState, Wanted
from core.stores.tables import rule_hits, rule_texts
from core.text import fold

NOW = 500_000 * HOUR + 7


def rule(identity, **changed):
    values = {
        "id": identity,
        "file": f"detections/rules/{identity}.yml",
        "title": {"vi": f"Quy tắc {identity}", "en": f"Rule {identity}"},
        "guide": {},
        "state": RuleState.ENABLED,
    }
    return CatalogueRule(**(values | changed))


@pytest.fixture
def connection(state):
    with state.connect() as opened:
        yield opened


@pytest.fixture
def put(connection):
    """Makes these rules the catalogue."""

    def putting(*entries):
        documents = {one.file: one.file.encode() for one in entries}
        catalogue.put_catalogue(connection, entries, documents)

    return putting


@pytest.fixture
def found(connection):
    """The ids of the rules that are wanted."""

    def finding(**wanted):
        listed = catalogue.list_rules(connection, Wanted(**wanted), NOW, 1000)
        assert catalogue.count_rules(connection, Wanted(**wanted)) == len(listed)
        return [one.rule.id for one in listed]

    return finding


@pytest.fixture
def copied(connection, put):
    """A rule of the site beside two copies of it that were refused, and one more rule in a copy's folder."""
    refused = {"state": RuleState.REFUSED, "reason": "taken"}
    put(
        rule("a", file="packs/dup/a.yml", guide={"vi": ("Sai",)}, **refused),
        rule("a", file="site/rules/a.yml"),
        rule("a", file="aa/b.yml", **refused),
        rule("b", file="packs/dup/b.yml", **refused),
    )
    catalogue.count_hits(connection, ["a", "a", "b"], NOW)


@pytest.mark.usefixtures("copied")
def test_only_the_rule_that_owns_an_id_has_hits(connection):
    listed = {one.rule.file: one.hits.month for one in catalogue.list_rules(connection, Wanted(), NOW, 9)}
    assert listed == {"site/rules/a.yml": 2, "packs/dup/b.yml": 1, "packs/dup/a.yml": 0, "aa/b.yml": 0}


@pytest.mark.usefixtures("copied")
def test_a_refused_copy_brings_no_id_that_could_be_switched(connection):
    assert catalogue.own_ids(connection, Wanted(file="packs/dup/*")) == {"b"}
    assert catalogue.own_ids(connection, Wanted()) == {"a", "b"}
    assert catalogue.file_mates(connection, ["a"]) == ({"a"}, set())


@pytest.mark.usefixtures("copied")
def test_an_id_means_the_rule_that_owns_it(connection):
    assert [one.file for one in catalogue.named_rules(connection, ["a", "b"])] == [
        "site/rules/a.yml",
        "packs/dup/b.yml",
    ]
    assert catalogue.guide_of(connection, "a") == {}
    assert catalogue.find_rule(connection, "a", NOW).rule.file == "site/rules/a.yml"
    assert catalogue.files(connection, Wanted(states=(RuleState.ENABLED,))) == {"site/rules/a.yml"}


def test_of_refused_rules_of_one_id_that_of_the_site_owns_it(connection, put):
    refused = {"state": RuleState.REFUSED, "reason": "it needs what is off"}
    put(rule("a", file="packs/dup/a.yml", **refused), rule("a", file="site/rules/a.yml", **refused))
    assert catalogue.find_rule(connection, "a", NOW).rule.file == "site/rules/a.yml"


def test_what_is_put_replaces_what_was_there(connection, put):
    put(rule("a"), rule("b"))
    put(rule("b", description="đổi"))
    assert [one.rule for one in catalogue.list_rules(connection, Wanted(), NOW, 9)] == [rule("b", description="đổi")]
    assert len(connection.execute(rule_texts.select()).all()) == 1


def test_several_rules_of_one_file_are_kept_apart_and_known_as_mates(connection, put):
    put(rule("a", file="x/two.yml"), rule("b", file="x/two.yml"), rule("c"))
    assert catalogue.file_mates(connection, ["a", "nobody"]) == ({"a", "b"}, {"nobody"})


def test_rules_come_by_hits_then_by_level_then_by_title(connection, put, found):
    put(rule("a"), rule("b"), rule("c", level=Severity.HIGH), rule("d"))
    catalogue.count_hits(connection, ["d", "b", "b"], NOW)
    assert found() == ["b", "d", "c", "a"]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", ["a", "b"]),
        ("dang nhap", ["a", "b"]),
        ("ĐĂNG NHẬP", ["a"]),
        ("đang", ["b"]),
        ("ssh đăng", ["a"]),
        ("t1110", ["a"]),
        ("sshd", ["a"]),
        ("login", ["b"]),
        ("100%", []),
        ("%", []),
        ("_", []),
    ],
)
def test_words_are_found_without_their_diacritics_unless_they_are_typed(put, found, text, ids):
    sshd = Logsource(product="linux", service="sshd")
    put(
        rule("a", title={"vi": "Đăng nhập SSH", "en": "SSH"}, logsource=sshd, techniques=("T1110.001",)),
        rule("b", title={"vi": "Đang nhập liệu", "en": "Login"}),
    )
    assert sorted(found(text=text)) == ids


def test_a_word_in_a_decomposed_form_is_the_same_word(put, found):
    put(rule("a", title={"vi": "Đăng nhập", "en": ""}))
    assert found(text="Đăng nhập") == ["a"]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({"states": (RuleState.DISABLED, RuleState.REFUSED)}, ["b", "c"]),
        ({"levels": (Severity.HIGH,)}, ["b"]),
        ({"products": ("linux",)}, ["c"]),
        ({"pack": "hq"}, ["b"]),
        ({"pack": ""}, ["a", "c"]),
        ({"file": "rules/win*/*"}, ["b"]),
        ({"file": "packs/*"}, ["b"]),
        ({"file": "?.yml"}, ["a", "c"]),
        ({"file": "in*"}, ["b"]),
        ({"file": "n*"}, []),
    ],
)
def test_each_filter_narrows(put, found, wanted, ids):
    put(
        rule("a"),
        rule("b", file="packs/hq/rules/win/in.d/bb.yml", state=RuleState.DISABLED, level=Severity.HIGH),
        rule("c", state=RuleState.REFUSED, logsource=Logsource(product="linux")),
    )
    assert sorted(found(**wanted)) == ids


def test_a_list_is_cut_where_it_is_asked(connection, put):
    put(*(rule(letter) for letter in "abcde"))
    assert [one.rule.id for one in catalogue.list_rules(connection, Wanted(), NOW, 2, 2)] == ["c", "d"]


def test_hits_are_counted_by_day_and_month_to_the_hour(connection, put):
    put(rule("a"))
    for hours in (0, 23, 24, 719, 720, 800):
        catalogue.count_hits(connection, ["a"], NOW - hours * HOUR)
    assert catalogue.find_rule(connection, "a", NOW).hits == Hits(day=2, month=4, last=NOW)


def test_hours_past_telling_are_forgotten_but_not_the_last_hit(connection, put):
    put(rule("a"))
    catalogue.count_hits(connection, ["a"], NOW)
    later = NOW + (catalogue.KEEP_HOURS + 1) * HOUR
    catalogue.count_hits(connection, ["b"], later)
    assert [row.rule for row in connection.execute(rule_hits.select())] == ["b"]
    assert catalogue.find_rule(connection, "a", later).hits == Hits(last=NOW)


def test_a_hit_that_is_counted_late_leaves_the_last_one(connection, put):
    put(rule("a"))
    catalogue.count_hits(connection, ["a"], NOW)
    catalogue.count_hits(connection, ["a"], NOW - HOUR)
    assert catalogue.find_rule(connection, "a", NOW).hits == Hits(day=2, month=2, last=NOW)


def test_of_two_rules_with_one_id_the_one_in_use_is_found(connection, put):
    put(rule("a", file="a/refused.yml", state=RuleState.REFUSED), rule("a", file="z/used.yml"))
    assert catalogue.find_rule(connection, "a", NOW).rule.file == "z/used.yml"


@pytest.mark.parametrize("identity", ["", "nobody"])
def test_an_unknown_rule_is_told(connection, put, identity):
    put(rule("", state=RuleState.REFUSED))
    with pytest.raises(NotFoundError, match=f"there is no rule '{identity}'"):
        catalogue.find_rule(connection, identity, NOW)


def test_guide_and_text_of_a_rule_are_found(connection, put):
    put(rule("a", guide={"vi": ("Xem",), "en": ("Look",)}))
    assert catalogue.guide_of(connection, "a") == {"vi": ("Xem",), "en": ("Look",)}
    assert catalogue.guide_of(connection, "b") == {}
    assert catalogue.rule_text(connection, "detections/rules/a.yml") == b"detections/rules/a.yml"
    with pytest.raises(NotFoundError, match=r"there is no rule file b\.yml"):
        catalogue.rule_text(connection, "b.yml")


def test_what_depends_on_a_rule_is_found_through_others_too(connection, put):
    def correlation(identity, *references):
        return rule(identity, kind="correlation", references=references)

    put(rule("a"), correlation("b", "a"), correlation("c", "b"), correlation("d", "x"))
    assert [one.id for one in catalogue.dependents(connection, ["a"])] == ["b", "c"]
    assert catalogue.dependents(connection, ["c"]) == []


def test_states_and_products_are_counted(connection, put):
    put(rule("a", logsource=Logsource(product="linux")), rule("b"), rule("c", state=RuleState.DISABLED))
    counted = {state: catalogue.count_rules(connection, Wanted(states=(state,))) for state in RuleState}
    assert counted == {
        RuleState.ENABLED: 2,
        RuleState.DISABLED: 1,
        RuleState.REFUSED: 0,
    }
    assert catalogue.products(connection) == ["linux"]


def test_folding_takes_away_every_diacritic():
    assert fold("Viện kiểm sát nhân dân tối cao, Đắk Lắk") == "Vien kiem sat nhan dan toi cao, Dak Lak"
