"""haidang check: each thing that is looked at, when it is well and when it is not."""

from __future__ import annotations

import datetime as dt
import os
import socket
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from cryptography.x509.oid import NameOID

from app import check as check_module
from app.check import check, has_capability
from core.errors import IntegrityError
from core.files import own_folder
from core.settings import HOME, Settings
from core.stores import credentials
from core.stores.migrate import open_state
from core.vault import Vault
from inventory.credentials import encode_credential, read_credential

BROKEN_RULE = "title: [\n"
UNSUPPORTED = """\
title: Many users
id: 0b0f52a7-52a8-4b0e-8f31-0a4b1f0c7a01
correlation:
    type: value_count
    rules:
        - ssh_login_failed
    group-by:
        - source.ip
    timespan: 5m
    condition:
        field: user.name
        gte: 10
"""


def changed(settings: Settings, **sections: object) -> Settings:
    """The settings with other values in their sections: ``console={"tls_key": ...}``, ``logs={"udp": ...}``."""
    values = settings.model_dump()
    for name, update in sections.items():
        target = values["lane"][name] if name in values["lane"] else values[name]
        if isinstance(update, dict):
            target.update(update)
        else:
            values[name] = update
    return Settings.model_validate(values)


def notes(settings, what):
    return [(note.level, note.text) for note in check(settings) if note.what == what]


def levels(settings):
    return {note.what: note.level for note in check(settings)}


def test_a_sound_platform_has_nothing_but_good_notes(settings):
    sound = changed(settings, inventory=HOME / "lab" / "data" / "sector", logs={"receive_buffer": 4096})
    assert set(levels(sound).values()) == {"good"}
    assert list(levels(sound)) == [
        "packages",
        "data",
        "rules",
        "inventory",
        "console",
        "relay",
        "metrics",
        "snmp metrics",
        "tcp",
        "relp",
        "udp",
        "socket buffer",
        "snmp",
        "accounts",
    ]


def test_one_error_does_not_hide_the_next_look(settings, tmp_path):
    wrong = changed(settings, rules=(tmp_path / "none",), inventory=tmp_path / "nowhere")
    assert [note.what for note in check(wrong) if note.level == "error"] == ["rules", "inventory"]


def test_a_package_that_lies_elsewhere_is_an_error(settings, monkeypatch):
    def elsewhere():
        raise IntegrityError("package 'lab' was found elsewhere")

    monkeypatch.setattr(check_module, "check_layout", elsewhere)
    assert notes(settings, "packages") == [("error", "package 'lab' was found elsewhere")]


def test_a_data_folder_that_cannot_be_written_is_an_error(settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    ((level, text),) = notes(changed(settings, data=tmp_path / "file"), "data")
    assert level == "error"
    assert f"cannot write in folder {tmp_path / 'file'}" in text


def test_rules_are_counted(settings, rules):
    text = f"{len(rules.rules)} rules, {len(rules.correlations)} correlations"
    assert notes(settings, "rules") == [("good", text)]


def test_missing_rules_are_an_error_that_names_the_folder(settings, tmp_path):
    ((level, text),) = notes(changed(settings, rules=(tmp_path / "none",)), "rules")
    assert (level, str(tmp_path / "none") in text) == ("error", True)


@pytest.mark.parametrize(("rule", "reason"), [(BROKEN_RULE, "expected"), (UNSUPPORTED, "value_count")])
def test_a_refused_rule_is_a_warning_with_file_and_reason(settings, tmp_path, rule, reason):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "new.yml").write_text(rule)
    with_own = changed(settings, rules=(*settings.rules, tmp_path / "own"))
    (good, (level, text)) = notes(with_own, "rules")
    assert (good[0], level) == ("good", "warning")
    assert text.startswith(f"{tmp_path.name}/own/new.yml: ")
    assert reason in text


def test_an_inventory_is_counted_and_an_empty_one_is_a_warning(settings):
    assert notes(settings, "inventory") == [("warning", "0 units, 0 sites, 0 devices")]
    ((level, text),) = notes(changed(settings, inventory=HOME / "lab" / "data" / "sector"), "inventory")
    assert (level, "30 sites" in text) == ("good", True)


def test_a_wrong_row_of_the_inventory_is_an_error_that_names_the_place(settings, tmp_path):
    (tmp_path / "units.yml").write_text("- {id: x, name: Sai, type: kingdom}\n")
    ((level, text),) = notes(changed(settings, inventory=tmp_path), "inventory")
    assert (level, "units.yml" in text) == ("error", True)


def test_a_missing_tls_file_is_an_error_that_names_it(settings, tmp_path):
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    ((level, text),) = notes(changed(settings, console={"tls_certificate": certificate, "tls_key": key}), "tls")
    assert level == "error"
    assert f"{certificate} and {key} cannot be used" in text
    assert "No such file" in text


def write_certificate(folder, name):
    """A key and a certificate that it has signed itself, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, start, start.replace(year=2036))
    signed = builder.sign(key, hashes.SHA256())
    (folder / f"{name}.crt").write_bytes(signed.public_bytes(Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def test_a_certificate_and_its_key_are_good_and_another_ones_key_is_an_error(settings, tmp_path):
    for name in ("one", "two"):
        write_certificate(tmp_path, name)
    certificate = tmp_path / "one.crt"

    def with_key(name):
        return changed(settings, console={"tls_certificate": certificate, "tls_key": tmp_path / name})

    assert notes(with_key("one.key"), "tls") == [("good", f"{certificate} and its key fit")]
    ((level, text),) = notes(with_key("two.key"), "tls")
    assert (level, "cannot be used" in text) == ("error", True)


def test_tls_files_that_hold_no_certificate_are_an_error(settings, tmp_path):
    for name in ("tls.crt", "tls.key"):
        (tmp_path / name).write_text("no certificate")
    tls = {"tls_certificate": tmp_path / "tls.crt", "tls_key": tmp_path / "tls.key"}
    assert levels(changed(settings, console=tls)).get("tls") == "error"


@pytest.mark.parametrize(
    ("what", "section", "key"),
    [
        ("console", "console", "address"),
        ("relay", "centre", "relay"),
        ("metrics", "logs", "metrics"),
        ("tcp", "logs", "tcp"),
        ("relp", "logs", "relp"),
    ],
)
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_taken_port_is_an_error_that_names_it(settings, what, section, key, host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as taken:
        taken.bind((host, 0))
        taken.listen()
        address = f"[{host}]:{taken.getsockname()[1]}" if ":" in host else f"{host}:{taken.getsockname()[1]}"
        busy = changed(settings, **{section: {key: address}})
        assert notes(busy, what) == [("error", f"cannot listen on {address}: Address already in use")]
    assert notes(busy, what) == [("good", f"{address} is free")]


def test_a_taken_udp_port_is_an_error_too(settings):
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # by which another could share the port
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        busy = changed(settings, logs={"udp": address})
        assert notes(busy, "udp") == [("error", f"cannot listen on {address}: Address already in use")]


def test_a_way_in_that_is_closed_is_not_looked_at(settings):
    closed = changed(settings, logs={"udp": "", "tcp": "", "relp": ""})
    assert not {"udp", "tcp", "relp", "socket buffer"} & levels(closed).keys()


def test_one_port_for_two_of_our_own_is_an_error(settings):
    clash = changed(settings, centre={"relay": settings.console.address})
    assert "error" in levels(clash).values()


def test_a_low_port_without_its_capability_is_an_error(settings, monkeypatch):
    low = changed(settings, logs={"udp": "127.0.0.1:514", "tcp": "", "relp": "127.0.0.1:601"})
    monkeypatch.setattr(check_module, "has_capability", lambda _: False)
    text = "CAP_NET_BIND_SERVICE is missing: needed for 127.0.0.1:514, 127.0.0.1:601"
    assert notes(low, "capabilities") == [("error", text)]
    monkeypatch.setattr(check_module, "has_capability", lambda _: True)
    assert notes(low, "capabilities") == []
    monkeypatch.setattr(check_module, "has_capability", lambda _: False)
    assert notes(settings, "capabilities") == []


def test_a_port_that_may_not_be_bound_names_the_capability(settings, monkeypatch):
    class Forbidding(socket.socket):
        def bind(self, _: object) -> None:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(check_module.socket, "socket", Forbidding)
    address = settings.lane.logs.relp
    assert notes(settings, "relp") == [("error", f"{address} needs the capability CAP_NET_BIND_SERVICE")]


def test_a_small_socket_buffer_is_a_warning_that_says_what_to_do(settings, monkeypatch):
    monkeypatch.setattr(check_module, "force_receive_buffer", lambda _, asked: asked - 1)
    ((level, text),) = notes(settings, "socket buffer")
    assert level == "warning"
    assert "asked for 65536 bytes, given 65535" in text
    assert "CAP_NET_ADMIN" in text
    monkeypatch.setattr(check_module, "force_receive_buffer", lambda _, asked: asked)
    assert notes(settings, "socket buffer") == [("good", "65536 bytes")]


def test_capabilities_are_read_from_the_kernel(monkeypatch, tmp_path):
    status = tmp_path / "status"
    monkeypatch.setattr(check_module, "Path", lambda _: status)
    status.write_text("Name:\tx\nCapEff:\t0000000000000400\n")
    assert (has_capability("CAP_NET_BIND_SERVICE"), has_capability("CAP_NET_ADMIN")) == (True, False)
    status.write_text("Name:\tx\nCapEff:\t0000000000001000\n")
    assert (has_capability("CAP_NET_BIND_SERVICE"), has_capability("CAP_NET_ADMIN")) == (False, True)


def test_this_process_has_the_capabilities_that_the_kernel_shows():
    text = Path("/proc/self/status").read_text(encoding="ascii")
    effective = int(text.split("CapEff:")[1].split()[0], 16)
    assert has_capability("CAP_NET_ADMIN") == bool(effective & 1 << 12)


def test_beside_a_running_platform_its_own_ports_are_no_errors(settings):
    assert notes(settings, "platform") == []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        busy = changed(settings, centre={"relay": address})
        assert notes(busy, "relay")[0][0] == "error"
        held = own_folder(settings.data, "platform")
        assert notes(busy, "relay") == [("good", f"{address} is in use: the platform runs")]
        ((level, text),) = notes(busy, "platform")
        assert (level, f"it runs with the data in {settings.data}" in text) == ("good", True)
        twice = changed(settings, centre={"relay": address}, console={"address": address})
        assert "error" in {level for level, _ in notes(twice, "relay")}
        os.close(held)
        assert notes(busy, "platform") == []
    os.close(own_folder(settings.data, "platform"))


def test_a_lane_that_runs_is_recognised_and_a_check_leaves_the_lock_free(settings):
    held = own_folder(settings.data, "platform", shared=True)
    assert check_module.is_running(settings.data)
    os.close(held)
    assert not check_module.is_running(settings.data)
    assert not check_module.is_running(settings.data / "none")


def test_files_to_follow_are_there_or_it_is_said(settings, tmp_path, monkeypatch):
    (tmp_path / "eve.json").touch()
    followed = [{"path": tmp_path / "eve.json*", "format": "eve"}, {"path": tmp_path / "gone", "format": "json"}]
    known = changed(settings, logs={"files": followed})
    assert notes(known, "files") == [
        ("good", f"{tmp_path}/eve.json*: 1 followed"),
        ("warning", f"{tmp_path}/gone: there is no such file yet"),
    ]
    monkeypatch.setattr(check_module.os, "access", lambda *_: False)
    assert notes(known, "files")[0] == ("error", f"{tmp_path}/eve.json cannot be read by this account")


def test_keys_of_the_ways_in_over_tls_are_tried(settings, tmp_path):
    write_certificate(tmp_path, "logs")
    keys = {"tls_certificate": tmp_path / "logs.crt", "tls_key": tmp_path / "logs.key"}
    assert notes(changed(settings, logs=keys), "tls") == [("good", f"{tmp_path}/logs.crt and its key fit")]
    (tmp_path / "logs.key").write_text("no key")
    assert notes(changed(settings, logs=keys), "tls")[0][0] == "error"


def test_a_token_that_is_empty_or_not_there_is_an_error_and_not_no_token(settings, tmp_path):
    token = tmp_path / "token"
    known = changed(settings, logs={"http_token": token})
    assert notes(known, "tls")[0][0] == "error"
    token.write_text(" \n")
    assert "the token for HTTP is empty" in notes(known, "tls")[0][1]
    token.write_text("secret\n")
    assert notes(known, "tls") == []


def put_set(settings, name, kind, target, *, sealed=None):
    credential = read_credential({"kind": "snmp_v2c", "community": "public"})
    body = sealed or Vault(settings.secrets).encrypt(encode_credential(credential), f"credential/{name}")
    engine = open_state(settings.state)
    with engine.begin() as connection:
        credentials.add_set(connection, 1, "test", name, "snmp_v2c", body)
        credentials.assign(connection, 1, "test", credentials.Target(kind, target, name))
    engine.dispose()


def test_without_a_set_no_device_is_polled_and_that_is_no_fault(settings):
    assert ("good", "no device is polled: there is no credential set for SNMP") in notes(settings, "snmp")


def test_what_is_wrong_with_sets_and_what_the_series_need_is_told(settings):
    polled = changed(settings, inventory=HOME / "lab" / "data" / "sector", snmp={"space": "lab"})
    put_set(polled, "core", "family", "cisco")
    put_set(polled, "lost", "site", "nowhere", sealed=b"\x01" + bytes(60))
    told = notes(polled, "snmp")
    text = "\n".join(line for _, line in told)
    assert "credential set 'lost' cannot be used" in text
    assert "credential set 'lost' is for the site 'nowhere'" in text
    assert "30 devices are polled" in text
    assert "without a credential set for SNMP, and not polled: " in text
    assert "series of 720 interfaces need" in text
    assert [level for level, _ in told] == ["good", "warning", "warning", "good", "warning", "good"]


def test_devices_of_another_address_space_are_named(settings):
    other = changed(settings, inventory=HOME / "lab" / "data" / "sector")
    put_set(other, "core", "family", "cisco")
    assert any("another address space than 'default'" in text for _, text in notes(other, "snmp"))
