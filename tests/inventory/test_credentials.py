"""What a credential consists of, that it never shows itself, and which sets are for which device."""

from __future__ import annotations

import traceback

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from core.errors import RefusedError
from core.vault import Secret
from inventory.credentials import (
    KINDS,
    AuthProtocol,
    PrivProtocol,
    SnmpV3,
    canonical_target,
    choose,
    choose_for,
    decode_credential,
    encode_credential,
    fields_of,
    kind_of,
    read_credential,
)
from inventory.records import Device, Site

MARK = "MARKER-s3cret"
V3 = {"kind": "snmp_v3", "user": "nms", "auth_passphrase": MARK, "priv_passphrase": MARK + "2"}


def pem(passphrase=b"", form=serialization.PrivateFormat.PKCS8):
    sealing = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return Ed25519PrivateKey.generate().private_bytes(serialization.Encoding.PEM, form, sealing).decode()


KEY, LOCKED_KEY, OPENSSH_KEY = pem(), pem(b"pass phrase"), pem(form=serialization.PrivateFormat.OpenSSH)
WHOLE = {
    "snmp_v2c": {"community": MARK},
    "snmp_v3": V3,
    "ssh_password": {"user": "nms", "password": MARK},
    "ssh_key": {"user": "nms", "private_key": KEY},
    "api_token": {"token": MARK},
}


def refusal(given):
    """The text with which something is refused, after a look that no traceback of it repeats the marker."""
    with pytest.raises(RefusedError) as caught:
        read_credential(given)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert MARK not in told
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_comes_back_from_its_sealed_form(kind):
    credential = read_credential({"kind": kind, **WHOLE[kind]})
    assert kind_of(credential) == kind
    assert decode_credential(Secret(encode_credential(credential).decode())) == credential


@given(community=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=100))
def test_any_community_comes_back_as_it_was(community):
    credential = read_credential({"kind": "snmp_v2c", "community": community})
    again = decode_credential(Secret(encode_credential(credential).decode()))
    assert again.community.reveal() == community


@pytest.mark.parametrize("kind", KINDS)
def test_no_credential_shows_what_it_holds(kind):
    credential = read_credential({"kind": kind, **WHOLE[kind]})
    shown = f"{credential} {credential!r} {msgspec.structs.asdict(credential)}"
    for encode in (msgspec.json.encode, msgspec.msgpack.encode, msgspec.to_builtins):
        with pytest.raises(TypeError) as caught:
            encode(credential)
        shown += str(caught.value)
    for secret in WHOLE[kind].values():
        assert kind == secret or secret not in shown


def test_snmp_v3_uses_sha_256_and_aes_128_unless_told_otherwise():
    plain = read_credential(V3)
    assert isinstance(plain, SnmpV3)
    assert (plain.auth_protocol, plain.priv_protocol) == (AuthProtocol.SHA_256, PrivProtocol.AES_128)
    other = read_credential(V3 | {"auth_protocol": "SHA-512", "priv_protocol": "AES-256"})
    assert (other.auth_protocol, other.priv_protocol) == (AuthProtocol.SHA_512, PrivProtocol.AES_256)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, "this is no kind of credential: use snmp_v2c, snmp_v3, ssh_password, ssh_key, api_token"),
        (MARK, "this is no kind of credential"),
        ({"kind": MARK}, "this is no kind of credential"),
        ({"kind": ["snmp_v2c"]}, "this is no kind of credential"),
        ({"kind": "snmp_v2c"}, "snmp_v2c: 'community' is missing or not as expected; it takes community"),
        ({"kind": "snmp_v2c", "community": 7}, "snmp_v2c: 'community' is missing or not as expected"),
        ({"kind": "snmp_v2c", "community": {MARK: MARK}}, "snmp_v2c: 'community' is missing"),
        ({"kind": "snmp_v2c", "community": "x", MARK: "x"}, "snmp_v2c: a field is unknown or not as expected"),
        ({"kind": "snmp_v2c", "community": ""}, "'community' has 1 to 16384 octets"),
        ({"kind": "snmp_v2c", "community": MARK * 5000}, "'community' has 1 to 16384 octets"),
        ({"kind": "snmp_v2c", "community": f"{MARK}\n"}, "'community' holds a line break"),
        (V3 | {"auth_protocol": MARK}, "snmp_v3: 'auth_protocol' is missing or not as expected; it takes user, auth_"),
        (V3 | {"user": MARK * 3}, "'user' has 1 to 32 octets"),
        (V3 | {"auth_passphrase": "7 chars"}, "'auth_passphrase' has 8 to 16384 octets"),
        (V3 | {"priv_passphrase": "7 chars"}, "'priv_passphrase' has 8 to 16384 octets"),
        ({"kind": "ssh_password", "user": MARK, "password": ""}, "'password' has 1 to"),
        ({"kind": "ssh_key", "user": "nms", "private_key": MARK}, "'private_key' cannot be read: give a private key"),
        ({"kind": "ssh_key", "user": "nms", "private_key": KEY[:60] + MARK}, "'private_key' cannot be read"),
        ({"kind": "ssh_key", "user": "nms", "private_key": KEY, "passphrase": MARK}, "'private_key' cannot be read"),
        ({"kind": "ssh_key", "user": "nms", "private_key": LOCKED_KEY}, "'private_key' cannot be read"),
        ({"kind": "ssh_key", "user": "nms", "private_key": LOCKED_KEY, "passphrase": MARK}, "'private_key' cannot be"),
    ],
)
def test_what_is_no_credential_is_refused_without_repeating_it(given, told):
    text = refusal(given)
    assert text.startswith(told)
    assert "\n" not in text


def test_eight_octets_are_enough_for_a_passphrase_though_they_be_fewer_letters():
    assert read_credential(V3 | {"auth_passphrase": "mậtmã"})


def test_a_private_key_is_taken_in_openssh_form_and_with_its_passphrase():
    user = {"kind": "ssh_key", "user": "nms"}
    assert read_credential(user | {"private_key": OPENSSH_KEY})
    assert read_credential(user | {"private_key": LOCKED_KEY, "passphrase": "pass phrase"})


def test_the_fields_of_a_kind_say_what_is_optional_and_what_a_choice():
    fields = {field.name: field for field in fields_of("snmp_v3")}
    assert [name for name, field in fields.items() if field.is_optional] == ["auth_protocol", "priv_protocol"]
    assert fields["priv_protocol"].choices == ("DES", "AES-128", "AES-192", "AES-256")
    assert [field.name for field in fields_of("api_token")] == ["token"]


@pytest.mark.parametrize(
    ("kind", "text", "canonical"),
    [
        ("device", " SW-Core-01 ", "sw-core-01"),
        ("site", " tha ", "tha"),
        ("prefix", "10.1.0.0/16", "10.1.0.0/16"),
        ("prefix", "2001:DB8:0::/48@tha", "2001:db8::/48@tha"),
        ("family", "Cisco  C9300", "cisco c9300"),
    ],
)
def test_a_target_has_one_form(kind, text, canonical):
    assert canonical_target(kind, text) == canonical
    assert canonical_target(kind, canonical) == canonical


@pytest.mark.parametrize(
    ("kind", "text"),
    [("rack", "x"), ("device", " "), ("site", "x" * 301), ("prefix", "10.1.2.3/16"), ("prefix", "x"), ("prefix", "@a")],
)
def test_what_can_be_no_target_is_refused(kind, text):
    with pytest.raises(RefusedError):
        canonical_target(kind, text)


TARGETS = [
    ("family", "cisco", "vendor"),
    ("family", "cisco c9300", "model"),
    ("site", "tha", "z-site"),
    ("site", "tha", "a-site"),
    ("prefix", "10.0.0.0/8", "wide"),
    ("prefix", "10.1.0.0/16", "narrow"),
    ("prefix", "10.1.0.0/16@tha", "narrow-here"),
    ("device", "sw-1", "own"),
]


def chosen(targets, **changed):
    values = {"device": "SW-1", "site": "tha", "prefixes": ["10.1.2.3@tha"], "family": "Cisco C9300-48P"}
    return choose(**(values | changed), targets=targets)


def test_the_most_specific_set_comes_first():
    order = ["own", "narrow-here", "narrow", "wide", "a-site", "z-site", "model", "vendor"]
    assert chosen(TARGETS) == order
    assert chosen(reversed(TARGETS)) == order


def test_a_set_that_fits_twice_comes_once_where_it_fits_best():
    assert chosen([("family", "cisco", "a"), ("site", "tha", "b"), ("device", "sw-1", "a")]) == ["a", "b"]


@pytest.mark.parametrize(
    "target",
    [
        ("device", "sw-10", "x"),
        ("site", "thaa", "x"),
        ("prefix", "10.1.2.0/24@hni", "x"),
        ("prefix", "10.2.0.0/16", "x"),
        ("prefix", "2001:db8::/32", "x"),
        ("family", "cisc", "x"),
        ("family", "cisco c9300-4", "x"),
        ("family", "cisco c9300-48p-a", "x"),
    ],
)
def test_a_set_for_something_else_is_not_chosen(target):
    assert chosen([target]) == []


def test_a_device_without_address_has_the_rest():
    assert chosen(TARGETS, prefixes=[]) == ["own", "a-site", "z-site", "model", "vendor"]


@given(
    st.lists(
        st.tuples(st.just("prefix"), st.integers(0, 32).map(lambda bits: f"{ip(bits)}/{bits}"), st.sampled_from("abc"))
    )
)
def test_the_longest_prefix_wins_whatever_the_order(targets):
    best = {}
    for _, prefix, name in targets:
        best[name] = max(best.get(name, -1), int(prefix.partition("/")[2]))
    assert chosen(targets) == sorted(best, key=lambda name: (-best[name], name))


def ip(bits):
    """The first address of the prefix of this length that holds 10.1.2.3."""
    number = 0x0A010203 >> (32 - bits) << (32 - bits)
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def test_a_device_of_the_inventory_is_chosen_for_by_its_site_address_and_model():
    site = Site(id="tha", name="Thanh Hóa", unit="u", address_space="tha", tier="PROVINCE")
    device = Device(name="SW-1", site="tha", address="10.1.2.3", vendor="Cisco", model="C9300-48P", role="switch")
    assert choose_for(device, site, TARGETS) == chosen(TARGETS)
