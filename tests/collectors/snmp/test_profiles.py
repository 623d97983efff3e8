from __future__ import annotations

import re
from pathlib import Path

import pytest

from collectors.snmp.profiles import SHIPPED, Kind, Pace, load_profiles, shipped_profiles
from core.errors import ContentError

FAMILIES = {
    "1.3.6.1.4.1.9.1.2494": "cisco",
    "1.3.6.1.4.1.2011.2.23.339": "huawei",
    "1.3.6.1.4.1.2636.1.1.1.2.29": "juniper",
    "1.3.6.1.4.1.12356.101.1.1000": "fortinet",
    "1.3.6.1.4.1.14988.1": "mikrotik",
    "1.3.6.1.4.1.11.2.3.7.11.160": "hp_aruba",
    "1.3.6.1.4.1.25506.11.1.181": "hp_aruba",
    "1.3.6.1.4.1.8072.3.2.10": "net_snmp",
    "1.3.6.1.4.1.318.1.3.27": "apc",
    "1.3.6.1.2.1.33.2.1": "ups",
    "1.3.6.1.4.1.3854.1.2.2.1": "akcp",
    "1.3.6.1.4.1.476.1.42": "liebert",
    "1.3.6.1.4.1.311.1.1.3.1.2": "windows",
}
WIDELY_KNOWN = {
    "IF-MIB::ifHCInOctets": "1.3.6.1.2.1.31.1.1.1.6",
    "IF-MIB::ifOperStatus": "1.3.6.1.2.1.2.2.1.8",
    "BGP4-MIB::bgpPeerState": "1.3.6.1.2.1.15.3.1.2",
    "OSPF-MIB::ospfNbrState": "1.3.6.1.2.1.14.10.1.6",
    "UPS-MIB::upsEstimatedMinutesRemaining": "1.3.6.1.2.1.33.1.2.3",
    "ENTITY-SENSOR-MIB::entPhySensorValue": "1.3.6.1.2.1.99.1.1.1.4",
    "LLDP-MIB::lldpRemSysName": "1.0.8802.1.1.2.1.4.1.1.9",
    "HOST-RESOURCES-MIB::hrProcessorLoad": "1.3.6.1.2.1.25.3.3.1.2",
    "UCD-SNMP-MIB::laLoadInt": "1.3.6.1.4.1.2021.10.1.5",
}


@pytest.mark.parametrize(("object_id", "name"), FAMILIES.items())
def test_a_family_is_chosen_by_the_longest_prefix(object_id, name):
    profile, known = shipped_profiles().choose(object_id)
    assert (profile.name, known) == (name, True)
    assert profile.table("interfaces") is not None
    assert profile.table("system") is not None


@pytest.mark.parametrize("object_id", ["1.3.6.1.4.1.99999.1", "1.3.6.1.4.1.91.1", "", "0.0"])
def test_an_unknown_family_gets_the_generic_profile(object_id):
    profile, known = shipped_profiles().choose(object_id)
    assert (profile.name, known) == ("generic", False)


def test_one_identifier_is_one_object_everywhere():
    objects: dict[str, str] = {}
    for profile in shipped_profiles().by_name.values():
        for table in profile.tables:
            for column in table.columns:
                for oid, name in [(column.oid, column.object)] + (
                    [(column.other.oid, column.other.object)] if column.other else []
                ):
                    assert objects.setdefault(oid, name) == name
    names = {name: oid for oid, name in objects.items()}
    assert len(names) == len(objects)
    assert {name: names[name] for name in WIDELY_KNOWN} == WIDELY_KNOWN


def test_objects_of_the_mib_that_debian_ships_have_their_identifiers():
    mib = Path("/usr/share/snmp/mibs/UCD-SNMP-MIB.txt")
    text = mib.read_text()
    last_arcs = dict(
        re.findall(r"^\s*(\w+)\s+OBJECT-TYPE.*?::=\s*\{\s*\w+\s+(\d+)\s*\}", text, re.DOTALL | re.MULTILINE)
    )
    seen = 0
    for table in shipped_profiles().by_name["net_snmp"].tables:
        for column in table.columns:
            module, _, name = column.object.partition("::")
            if module == mib.stem:
                seen += 1
                assert column.oid.rpartition(".")[2] == last_arcs[name], name
    assert seen >= 5


def test_interfaces_are_read_by_twelve_columns_a_minute():
    table = shipped_profiles().by_name["generic"].table("interfaces")
    assert table is not None
    minute = [column for column in table.columns if column.pace is Pace.MINUTE]
    assert len(minute) == 12
    assert table.column("in_octets").other.kind is Kind.COUNTER32


COLUMN = "      a: {oid: 1.3.6.1.2.1.1.3, object: SNMPv2-MIB::sysUpTime, kind: gauge}\n"
WRONG = [
    ("title: x\ntables:\n  t:\n    columns:\n      a: {oid: 1.3.6.1.2.1.1.3, object: X::y, kind: gadget}\n", 5, "kind"),
    ("title: x\ntables:\n  t:\n    columns:\n      a: {oid: 1.3.x, object: X::y, kind: gauge}\n", 5, "oid"),
    (
        "title: x\ntables:\n  t:\n    columns:\n      a: {oid: 1.3.6.1.2.1.1.3, object: sysUpTime, kind: gauge}\n",
        5,
        "object",
    ),
    (
        "title: x\ntables:\n  t:\n    columns:\n      a: {oid: 1.3.6.1.2.1, object: X::y, kind: gauge, sclae: 2}\n",
        5,
        "sclae",
    ),
    (f"title: x\ntables:\n  t:\n    rows: b\n    columns:\n{COLUMN}", 3, "'rows' names no column: 'b'"),
    (f"title: x\ntables:\n  t:\n    seris: hosts\n    columns:\n{COLUMN}", 3, "seris"),
    (f"title: x\ntables:\n  t:\n    series: hots\n    columns:\n{COLUMN}", 3, "series"),
    (f"title: x\ntables:\n  t:\n    derived: {{c: [a, -d]}}\n    columns:\n{COLUMN}", 3, "'-d' is no column"),
    (f"title: x\ntables:\n  t:\n    columns:\n{COLUMN}{COLUMN}", 6, "given twice"),
    (
        "title: x\ntables:\n  t:\n    columns:\n      a: {oid: 1.3.6.1.2.1, object: X::y, kind: state}\n",
        3,
        "without 'states'",
    ),
    ("title: x\ninclude: [nobody]\n", 2, "no profile 'nobody'"),
    ("title: x\ninclude: [wrong]\n", 2, "includes itself"),
    ("title: x\ncolour: red\n", 2, "'colour' is unknown"),
    ("title: x\nfamilies: [9]\n", 2, "families"),
    ("title: x\ntables: [1]\n", 2, "a mapping"),
    ("title: x\ntables:\n  t: {}\n", 3, "'columns'"),
    ("title: [\n", 2, "YAML"),
]


@pytest.mark.parametrize(("text", "line", "said"), WRONG)
def test_what_is_wrong_is_told_with_file_line_and_key(tmp_path, text, line, said):
    (tmp_path / "generic.yml").write_text((SHIPPED / "generic.yml").read_text())
    (tmp_path / "wrong.yml").write_text(text)
    with pytest.raises(ContentError) as error:
        load_profiles(tmp_path)
    assert f"wrong.yml, line {line}:" in str(error.value)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_two_profiles_cannot_claim_one_family(tmp_path):
    (tmp_path / "generic.yml").write_text("title: x\nfamilies: [1.3.6.1.4.1.9]\n")
    (tmp_path / "other.yml").write_text("title: x\nfamilies: [1.3.6.1.4.1.9]\n")
    with pytest.raises(ContentError, match=r"other.yml, line 2: .* 'generic'"):
        load_profiles(tmp_path)


def test_a_folder_without_the_generic_profile_is_refused(tmp_path):
    with pytest.raises(ContentError, match=r"generic\.yml is missing"):
        load_profiles(tmp_path)


def test_a_table_of_ones_own_replaces_the_included_one():
    profile = shipped_profiles().by_name["apc"]
    assert profile.table("ups").column("source").object == "PowerNet-MIB::upsBasicOutputStatus"
    assert shipped_profiles().by_name["liebert"].table("ups").column("source").object == "UPS-MIB::upsOutputSource"
