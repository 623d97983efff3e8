from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from core.errors import SettingsError
from core.settings import HOME, Settings, is_loopback, read_settings, split_address
from core.settings_oidc import WITH_SECOND_FACTOR, GroupRole, OidcGrant, is_trusted_url
from inventory.rights import ROLES, SECOND_FACTOR


@pytest.fixture
def read(tmp_path):
    """The settings in a file with this text."""

    def make(text):
        path = tmp_path / "haidang.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_settings(path)

    return make


def test_without_a_file_the_defaults_hold_from_the_present_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = read_settings(None)
    assert found.data == tmp_path / "haidang-data"
    assert found.rules == (HOME / "detections" / "rules", HOME / "correlation" / "rules")
    assert (found.console.address, found.centre.relay) == ("127.0.0.1:8080", "127.0.0.1:8081")


def test_an_empty_file_gives_the_defaults_from_its_folder(read, tmp_path):
    assert read("").data == tmp_path / "haidang-data"
    assert read("").lane == Settings().lane


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('data = "d"', lambda settings: settings.data),
        ('inventory = "d"', lambda settings: settings.inventory),
        ('rules = ["d"]', lambda settings: settings.rules[0]),
        ('[centre]\nsocket = "d"', lambda settings: settings.socket),
        ('[centre]\nanchors = "d"', lambda settings: settings.anchors),
        ('[console]\ntls_certificate = "d"\ntls_key = "e"', lambda settings: settings.console.tls_certificate),
        ('[console]\ntls_certificate = "e"\ntls_key = "d"', lambda settings: settings.console.tls_key),
    ],
)
def test_a_relative_path_is_meant_from_the_files_folder(read, tmp_path, monkeypatch, text, found):
    monkeypatch.chdir("/")
    assert found(read(text)) == tmp_path / "d"
    assert found(read(text.replace('"d"', '"/somewhere/else"'))) == Path("/somewhere/else")


def test_the_places_of_data_follow_from_its_folder(read):
    found = read('data = "/srv/haidang"')
    assert [str(path) for path in (found.secrets, found.state, found.anchors, found.socket, found.logs)] == [
        "/srv/haidang/secrets",
        "/srv/haidang/centre/state.db",
        "/srv/haidang/centre/anchors",
        "/srv/haidang/centre/api.sock",
        "/srv/haidang/lanes/logs",
    ]


OIDC = """
[console.oidc]
issuer = "https://id.example"
client_id = "haidang"
client_secret_file = "secret"
redirect_uri = "https://hd.example/sign-in/oidc/callback"
grants = [{ group = "soc", role = "analyst" }]
"""


def test_a_provider_has_defaults_and_its_files_are_meant_from_the_folder(read, tmp_path):
    found = read(OIDC).console.oidc
    assert (found.scope, found.name_claim, found.groups_claim) == ("openid profile", "preferred_username", "groups")
    assert found.client_secret_file == tmp_path / "secret"
    assert found.grants == (OidcGrant(group="soc", role="analyst"),)
    assert found.label.vi
    assert read("").console.oidc is None


def test_a_grave_role_needs_a_second_factor_at_the_provider(read):
    for role in WITH_SECOND_FACTOR:
        assert read(OIDC.replace("analyst", role) + 'amr = ["otp"]').console.oidc.proves_second_factor


def test_roles_of_groups_are_those_of_rights_but_for_administrators_and_wallboards():
    assert set(get_args(get_args(GroupRole)[0])) == set(ROLES) - {"administrator", "wallboard"}
    assert SECOND_FACTOR - {"administrator"} == WITH_SECOND_FACTOR


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://id.example/x", True),
        ("http://127.0.0.1:8000", True),
        ("http://localhost:1", True),
        ("http://[::1]:1", True),
        ("http://id.example", False),
        ("http://10.0.0.1", False),
        ("http://localhost.example", False),
        ("ftp://127.0.0.1", False),
        ("https://", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_an_address_is_trusted_by_tls_or_on_this_machine(url, trusted):
    assert is_trusted_url(url) is trusted


REFUSED = {
    "an administrator by a group": (
        OIDC.replace("analyst", "administrator"),
        "console.oidc.grants.0.role: no group makes administrators: two people do, in the console, got 'administrator'",
    ),
    "a wallboard by a group": (OIDC.replace("analyst", "wallboard"), "console.oidc.grants.0.role: input should be"),
    "a grave role without a second factor": (
        OIDC.replace("analyst", "engineer"),
        "console.oidc: the role engineer needs a second factor: name in acr or amr how the provider tells of it",
    ),
    "a provider without encryption": (
        OIDC.replace("https://id", "http://id"),
        "console.oidc.issuer: expected an https address without query; http on this machine only, got 'http://id.exam",
    ),
    "another way back": (
        OIDC.replace("oidc/callback", "oidc"),
        "console.oidc.redirect_uri: expected the console's address as people open it, followed by /sign-in/oidc/callb",
    ),
    "a scope without openid": (OIDC + 'scope = "profile"', "console.oidc.scope: expected openid among the words"),
    "a provider without groups": (OIDC.replace('[{ group = "soc", role = "analyst" }]', "[]"), "console.oidc.grants: "),
    "an unknown key of the provider": (
        OIDC + 'clientid = "x"',
        "console.oidc.clientid: unknown key (known here: acr, amr, authorities, client_id, ",
    ),
    "an unknown key of a group": (
        OIDC.replace("role =", "roll ="),
        "console.oidc.grants.0.",
    ),
    "an unknown key": ("dta = 'x'", "dta: unknown key (known here: centre, console, data, format, "),
    "an unknown section": ("[consol]\n", "consol: unknown key (known here: centre, console,"),
    "an unknown key of a section": ("[console]\nadress = 'x'", "console.adress: unknown key (known here: address, "),
    "an unknown key of the lane": ("[lane.logs]\nudb = ''", "lane.logs.udb: unknown key (known here: alarm, "),
    "an unknown lane": ("[lane.snow]\n", "lane.snow: unknown key (known here: logs, snmp)"),
    "a receiver beyond this machine without TLS": (
        '[lane.snmp.remote_write]\nurl = "http://metrics.example/api/v1/write"',
        "lane.snmp.remote_write.url: expected https://..., or http:// and an address of this machine",
    ),
    "a period that is none": ("[lane.snmp]\nperiod_seconds = 0", "lane.snmp.period_seconds: input should be greater "),
    "an unknown key of a source": (
        '[lane.logs.sources."10.0.0.1"]\nzone = "UTC"',
        "lane.logs.sources.10.0.0.1.zone: unknown key (known here: limit, silence_seconds, timezone)",
    ),
    "a wrong type": ("lateness_seconds = 'soon'", "lateness_seconds: input should be a valid number, "),
    "a list for a section": ("console = [1]", "console: input should be a valid dictionary"),
    "a number for a path": ("data = 7", "data: input is not a valid path"),
    "a number for a list": ("rules = 7", "rules: input should be a valid tuple, got 7"),
    "another format": ("format = 2", "format: input should be 1, got 2"),
    "a lateness below zero": ("lateness_seconds = -1", "greater than or equal to 0, got -1"),
    "no number": ("lateness_seconds = nan", "lateness_seconds: input should be a finite number, got nan"),
    "an endless time": ("[centre]\nreopen_hours = inf", "centre.reopen_hours: input should be a finite number"),
    "an unknown language": ("[console]\nlanguage = 'fr'", "console.language: input should be 'vi' or 'en', got 'fr'"),
    "a wrong zone": (
        "[lane.logs]\ntimezone = 'Hanoi'",
        "lane.logs.timezone: expected a zone name such as Asia/Ho_Chi_Minh, got 'Hanoi'",
    ),
    "a wrong zone of a source": (
        '[lane.logs.sources."10.0.0.1"]\ntimezone = "+7"',
        "lane.logs.sources.10.0.0.1.timezone: expected a zone name such as Asia/Ho_Chi_Minh, got '+7'",
    ),
    "a source that is no address": (
        "[lane.logs.sources.firewall]\ntimezone = 'UTC'",
        "lane.logs.sources.firewall: expected the sender's IP address, got 'firewall'",
    ),
    "a name for an address": ("[lane.logs]\nudp = 'localhost:514'", "lane.logs.udp: expected ADDRESS:PORT such as"),
    "an address without a port": ("[lane.logs]\ntcp = '127.0.0.1'", "lane.logs.tcp: expected ADDRESS:PORT such as"),
    "a port out of range": (
        "[lane.logs]\nudp = '127.0.0.1:65536'",
        "lane.logs.udp: expected a port from 1 to 65535, got '127.0.0.1:65536'",
    ),
    "port zero": ("[lane.logs]\nrelp = '127.0.0.1:0'", "lane.logs.relp: expected a port from 1 to 65535"),
    "a console beyond loopback without TLS": (
        "[console]\naddress = '0.0.0.0:8080'",
        "console: an address beyond loopback needs tls_certificate and tls_key",
    ),
    "half of TLS": (
        "[console]\ntls_certificate = 'a.pem'",
        "console: expected both tls_certificate and tls_key, or neither",
    ),
    "a relay beyond loopback": ("[centre]\nrelay = '10.0.0.1:8081'", "centre: the relay listens on loopback only"),
    "a console without an address": ("[console]\naddress = ''", "console: expected ADDRESS:PORT"),
    "text that is no TOML": ("data = ", "not valid TOML: "),
    "bytes that are no text": (b"data = '\xff'", "not valid TOML: "),
}


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_setting_is_one_line_that_names_file_key_and_what_was_expected(read, tmp_path, text, words):
    with pytest.raises(SettingsError) as error:
        read(text)
    said = str(error.value)
    assert said.startswith(f"{tmp_path / 'haidang.toml'}: ")
    assert words in said
    assert "\n" not in said


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read: No such file or directory"):
        read_settings(tmp_path / "none.toml")


def test_beyond_loopback_the_console_starts_with_tls(read):
    found = read("[console]\naddress = '0.0.0.0:443'\ntls_certificate = 'a.pem'\ntls_key = 'a.key'")
    assert found.console.address == "0.0.0.0:443"


def test_an_empty_address_closes_a_way_in(read):
    assert read("[lane.logs]\nudp = ''").lane.logs.udp == ""


def test_a_source_is_known_by_its_address_however_it_is_written(read):
    found = read('[lane.logs.sources."2001:DB8:0::1"]\ntimezone = "UTC"')
    assert found.lane.logs.sources["2001:db8::1"].timezone == "UTC"


@pytest.mark.parametrize(
    ("text", "host", "port"), [("127.0.0.1:514", "127.0.0.1", 514), ("[::1]:65535", "::1", 65535), ("::1:1", "::1", 1)]
)
def test_an_address_is_split_into_host_and_port(text, host, port):
    assert split_address(text) == (host, port)


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), ("::", False)]
)
def test_loopback_is_what_only_this_machine_reaches(host, expected):
    assert is_loopback(host) is expected
