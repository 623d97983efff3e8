import json
from ipaddress import IPv4Address

import pytest
from fleets import START, Fleet, decode, get_pdu

from core.errors import ContentError
from lab.fleet.agents import Agents, Secrets
from lab.fleet.messages import GET, GET_BULK, V2C, request
from lab.fleet.walks import TYPES, read_walk

ADDRESS = IPv4Address("127.9.0.1").packed
LINES = [
    {"oid": "1.3.6.1.2.1.1.1.0", "type": "string", "value": "Thiết bị cũ"},
    {"oid": ".1.3.6.1.2.1.1.2.0", "type": "oid", "value": "1.3.6.1.4.1.9.1.1"},
    {"oid": "1.3.6.1.2.1.1.3.0", "type": "timeticks", "value": 4294967295},
    {"oid": "1.3.6.1.2.1.4.20.1.1.10.0.0.1", "type": "ipaddress", "value": "10.0.0.1"},
    {"oid": "1.3.6.1.2.1.2.2.1.6.1", "type": "hex", "value": "00:1b:54 FF FE 00"},
    {"oid": "1.3.6.1.2.1.2.2.1.10.1", "type": "counter32", "value": 7},
    {"oid": "1.3.6.1.2.1.2.2.1.10.12", "type": "counter32", "value": "8"},
    {"oid": "1.3.6.1.2.1.31.1.1.1.6.1", "type": "counter64", "value": 18446744073709551615},
    {"oid": "1.3.6.1.4.1.1.1.0", "type": "integer", "value": -5},
]


@pytest.fixture
def walk(tmp_path):
    path = tmp_path / "walk.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in reversed(LINES)) + "\n\n", encoding="utf-8")
    return path


def test_a_saved_walk_is_answered_at_its_address(walk):
    fleet = Fleet("1x1x4")
    agents = Agents(fleet.world, Secrets(), {ADDRESS: read_walk(walk)})
    bulk = request(V2C, b"public", get_pdu(GET_BULK, ["1.0"], second=20))
    found = decode(agents.answer(ADDRESS, bulk, START)).variables
    values = [value for _, _, value in found]
    mac, biggest = bytes.fromhex("001b54fffe00"), 2**64 - 1
    assert values[:4] == ["Thiết bị cũ", "1.3.6.1.4.1.9.1.1", 4294967295, mac]
    assert values[4:] == [7, 8, "10.0.0.1", biggest, -5, ""]
    assert agents.answer(fleet.sector.nodes[0].packed, bulk, START) != agents.answer(ADDRESS, bulk, START)
    one = request(V2C, b"public", get_pdu(GET, ["1.3.6.1.2.1.2.2.1.10.12"]))
    assert decode(agents.answer(ADDRESS, one, START)).values == [8]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "no variable"),
        ("{}", "line 1: "),
        ('{"oid": "1.3", "type": "float", "value": 1}', "line 1: type 'float'; expected one of integer"),
        ('{"oid": "1.x", "type": "integer", "value": 1}', "line 1: '1.x' is no object identifier"),
        ('{"oid": "1.3", "type": "counter32", "value": 4294967296}', "does not fit 32 bits"),
        ('{"oid": "1.3", "type": "integer", "value": "many"}', "line 1: "),
        ('{"oid": "1.3", "type": "integer"}', "line 1: "),
        ('{"oid": "1.3", "type": "hex", "value": "xx"}', "line 1: "),
        ('{"oid": "1.3", "type": "ipaddress", "value": "1.2.3"}', "line 1: "),
    ],
)
def test_a_wrong_walk_names_the_line(tmp_path, line, reason):
    path = tmp_path / "walk.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        read_walk(path)
    assert reason in str(caught.value)
    assert "expected" in str(caught.value)


def test_every_type_can_be_told():
    assert set(TYPES) >= {line["type"] for line in LINES} | {"gauge32", "opaque", "null"}
