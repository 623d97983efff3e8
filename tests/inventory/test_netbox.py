"""The contract with NetBox, against answers written by its documented schema; no real NetBox was available."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from core.errors import ContentError, RefusedError, UnavailableError
from inventory import netbox
from inventory.changes import plan
from inventory.netbox import ENDPOINTS, fetch, netbox_client, read_token
from inventory.netbox_rows import rows_of
from inventory.records import Inventory
from inventory.units import Unit

ANSWERS = Path(__file__).parent / "netbox"
TOKEN = "nbt_example.not-a-real-token"
UNITS = Inventory(
    units=(Unit(id="tc", name="Tối cao", type="supreme"), Unit(id="hn", name="Hà Nội", type="province", parent="tc"))
)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.server.asked.append((self.command, parts.path, query, self.headers["Authorization"]))
        name = parts.path.rstrip("/").rpartition("/")[2]
        status, body = self.server.answers.get(name, (200, None))
        if body is None:
            body = (ANSWERS / f"{name}-{query.get('offset', '0')}.json").read_bytes()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Prints nothing."""


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        found.asked, found.answers = [], {}
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def http(server):
    with netbox_client(f"http://127.0.0.1:{server.server_port}") as client:
        yield client


@pytest.fixture
def objects(http):
    return fetch(http, TOKEN, lambda *_: None)


@pytest.fixture
def rows(objects):
    return rows_of(objects, "wan")


def cells(rows, kind):
    return [row.cells for row in rows[kind]]


def test_every_page_of_every_endpoint_is_asked_for_with_get_and_the_token_alone(http, server):
    told = []
    objects = fetch(http, TOKEN, lambda *progress: told.append(progress))
    assert {name: len(found) for name, found in objects.items()} == {
        "sites": 3,
        "locations": 2,
        "racks": 1,
        "devices": 4,
        "interfaces": 3,
        "vrfs": 1,
        "prefixes": 4,
        "ip-addresses": 3,
        "providers": 2,
        "circuits": 3,
    }
    assert ("devices", 2, 4) in told
    assert told[-1] == ("circuits", 3, 3)
    assert {path for _, path, _, _ in server.asked} == {f"/{path}" for path in ENDPOINTS.values()}
    assert {(verb, token) for verb, _, _, token in server.asked} == {("GET", f"Bearer {TOKEN}")}
    first = next(query for _, path, query, _ in server.asked if path == "/api/dcim/devices/")
    assert first == {"limit": "500", "ordering": "id", "exclude": "config_context"}


def test_a_token_of_the_first_version_is_sent_as_such(http, server):
    fetch(http, "0123456789abcdef", lambda *_: None)
    assert {token for *_, token in server.asked} == {"Token 0123456789abcdef"}


def test_a_site_has_its_tenant_as_unit_its_group_as_tier_and_custom_fields_before_both(rows):
    first, second, third = cells(rows, "sites")
    assert first == {
        "id": "dc",
        "name": "Trung tâm dữ liệu",
        "unit": "tc",
        "tier": "DC",
        "address_space": "wan",
        "location": "Số 1 phố Mẫu, Hà Nội",
        "latitude": "21.0278",
        "longitude": "105.8342",
        "province": "Thành phố Hà Nội",
        "life_cycle": "in_service",
        "owner": "Phòng vận hành hạ tầng",
    }
    assert (second["tier"], second["unit"]) == ("PROVINCE", "hn")
    assert (third["tier"], third["unit"], third["life_cycle"]) == ("AREA", "hn", "commissioning")


def test_locations_and_racks_are_places_in_one_another(rows):
    assert cells(rows, "places") == [
        {"id": "location-1", "site": "dc", "kind": "room", "name": "Phòng máy chủ", "parent": ""},
        {"id": "location-2", "site": "dc", "kind": "room", "name": "Khu lạnh", "parent": "location-1"},
        {"id": "rack-7", "site": "dc", "kind": "rack", "name": "Tủ A1", "parent": "location-2"},
    ]


def test_a_device_has_its_primary_address_or_else_that_of_an_interface(rows):
    router, firewall, gateway, nameless = cells(rows, "devices")
    assert router == {
        "name": "rt-dc",
        "site": "dc",
        "address": "10.0.0.1",
        "vendor": "cisco",
        "model": "ASR 1001-X",
        "role": "router",
        "serial": "FXS2145Q0AB",
        "mac": "00:1B:54:AA:00:01",
        "os_version": "IOS XE 17.9",
        "purpose": "Định tuyến lõi",
        "place": "rack-7",
        "position": "12",
        "life_cycle": "in_service",
        "support_end": "2029-04-30",
        "owner": "Phòng vận hành hạ tầng",
    }
    assert (firewall["address"], firewall["place"]) == ("10.1.0.2", "")
    assert gateway["life_cycle"] == "commissioning"
    assert "name" not in nameless


def test_speeds_are_in_mbit_and_stay_unknown_where_netbox_does_not_know_them(rows):
    assert cells(rows, "interfaces") == [
        {"device": "rt-dc", "name": "TenGigabitEthernet0/0/0", "role": "uplink", "speed_mbps": "10000.0"},
        {"device": "fw-hn", "name": "wan1", "role": "uplink"},
        {"device": "mm-hn", "name": "eth0", "speed_mbps": "1000.0"},
    ]


def test_vrfs_are_spaces_beside_the_one_of_what_is_in_none(rows):
    assert cells(rows, "spaces") == [
        {"id": "wan", "name": "wan"},
        {"id": "mgmt", "name": "mgmt", "description": "Quản trị"},
    ]


def test_a_prefix_s_site_is_its_scope_the_site_around_it_or_the_older_field(rows):
    assert [(row.get("space"), row["prefix"], row.get("site")) for row in cells(rows, "prefixes")] == [
        ("wan", "10.0.0.0/24", "dc"),
        ("mgmt", "2001:db8:1::/48", "dc"),
        ("wan", "10.0.0.0/8", None),
        ("wan", "10.1.0.0/24", "hn"),
    ]
    assert [row.fault != "" for row in rows["prefixes"]] == [False, False, True, False]


def test_a_circuit_has_its_carrier_kind_rate_and_ends(rows):
    internet, state, satellite = cells(rows, "circuits")
    assert internet == {
        "id": "vnpt-HN-0001",
        "site": "hn",
        "far_site": "",
        "kind": "internet",
        "carrier": "VNPT",
        "carrier_id": "HN-0001",
        "hotline": "1800 0000",
        "contracted_mbps_down": "300.0",
        "contracted_mbps_up": "100.0",
        "sla_percent": "99.5",
        "life_cycle": "in_service",
        "valid_from": "2025-01-01",
    }
    assert (state["kind"], state["site"], state["far_site"], state["contracted_mbps_up"]) == (
        "state",
        "dc",
        "hn",
        "100.0",
    )
    assert satellite["kind"] == "satellite"


def test_an_import_takes_what_is_whole_names_the_rest_and_changes_nothing_the_second_time(rows):
    found = plan(UNITS, rows)
    assert {problem.place: problem.reason.partition(";")[0] for problem in found.problems} == {
        "NetBox /api/dcim/devices/14/": "Expected `str` of length >= 1 - at `$.address`",
        "NetBox /api/ipam/prefixes/303/": "it is of no site",
        "NetBox /api/circuits/circuits/403/": "Invalid enum value 'satellite' - at `$.kind`",
    }
    assert [device.access for device in found.inventory.devices] == ["full", "full", "read_only"]
    assert len(found.inventory.circuits) == 2
    again = plan(found.inventory, rows)
    assert (again.inventory, again.added, again.changed) == (found.inventory, (), ())


def page(*results, following=None):
    return json.dumps({"count": 9, "next": following, "previous": None, "results": list(results)}).encode()


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ((403, b"{}"), RefusedError, r"NetBox refuses sites \(403\)"),
        ((401, b"{}"), RefusedError, r"NetBox refuses sites \(401\)"),
        ((404, b""), ContentError, "NetBox has no /api/dcim/sites/"),
        ((302, b""), UnavailableError, "NetBox answers 302 to sites"),
        ((500, b"oh"), UnavailableError, "NetBox answers 500 to sites"),
        ((200, b"<html>"), ContentError, "NetBox sites: .*expected a page of its REST API"),
        ((200, b"[]"), ContentError, "expected a page of its REST API"),
        ((200, b'{"count": 1, "results": [1]}'), ContentError, "expected a page of its REST API"),
        ((200, b'{"count": 1, "results": [{"id": "\xff"}]}'), ContentError, "expected a page of its REST API"),
        ((200, page({}, following="http://a/?offset=0")), ContentError, "its pages lead back"),
        ((200, page(following="http://a/?offset=5")), ContentError, "its pages lead back"),
        ((200, page({}, following="http://a:b/")), ContentError, "next is 'http://a:b/'"),
    ],
)
def test_an_answer_that_cannot_be_used_is_told_in_one_line(http, server, answer, error, message):
    server.answers["sites"] = answer
    with pytest.raises(error, match=message) as caught:
        fetch(http, TOKEN, lambda *_: None)
    assert "\n" not in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_next_page_elsewhere_is_asked_of_the_same_server(http, server):
    server.answers["vrfs"] = (200, page({"id": 1, "name": "v"}, following="https://evil.example/api/?offset=50"))
    with pytest.raises(ContentError, match="lead back"):
        fetch(http, TOKEN, lambda *_: None)
    assert [query.get("offset") for _, path, query, _ in server.asked if path == "/api/ipam/vrfs/"] == [None, "50"]


@pytest.mark.parametrize(
    ("bound", "message"), [("MAX_PAGE_BYTES", "a page of more than 2"), ("MAX_OBJECTS", "more than 2 o")]
)
def test_more_than_a_bound_is_refused(http, monkeypatch, bound, message):
    monkeypatch.setattr(netbox, bound, 2)
    with pytest.raises(ContentError, match=message):
        fetch(http, TOKEN, lambda *_: None)


def test_a_server_that_is_not_there_is_told():
    with netbox_client("http://127.0.0.1:1") as client, pytest.raises(UnavailableError, match="does not answer"):
        fetch(client, TOKEN, lambda *_: None)


def test_objects_of_a_strange_form_make_rows_that_are_refused_and_never_a_crash():
    strange = {
        "id": [1],
        "name": {"a": 1},
        "site": "x",
        "custom_fields": {"tier": {"value": 1}, "kind": []},
        "speed": "1",
    }
    found = rows_of({name: [strange, {}] for name in ENDPOINTS}, "wan")
    assert plan(UNITS, found).inventory.sites == ()


def test_a_token_is_read_from_a_file_that_only_its_owner_reads(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o600)
    assert read_token(path) == TOKEN
    path.chmod(0o640)
    with pytest.raises(ContentError, match="can be read by others: run chmod 600"):
        read_token(path)


@pytest.mark.parametrize("content", [b"", b"two words", b"caf\xc3\xa9", b"a\x00b"])
def test_what_is_no_token_is_refused(tmp_path, content):
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ContentError, match="not a token"):
        read_token(path)


def test_a_token_is_sent_over_tls_with_a_verified_peer_only(tmp_path):
    for url in ("http://netbox.example", "ftp://netbox.example", "netbox.example"):
        with pytest.raises(ContentError, match="expected https://"):
            netbox_client(url)
    with pytest.raises(ContentError, match="is no address"):
        netbox_client("https://netbox:port")
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(ContentError, match="cannot be used as authorities"):
        netbox_client("https://netbox.example", tmp_path / "ca.pem")
    with netbox_client("https://netbox.example/netbox") as client:
        assert client.base_url == httpx.URL("https://netbox.example/netbox/")
        assert client.follow_redirects is False
