"""Keys for TLS: what cannot be used is told with the file's name."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from peers import made_keys

from core.errors import UnavailableError
from core.tls import server_context


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return made_keys(tmp_path_factory.mktemp("keys"))


def test_a_server_with_keys_asks_peers_for_certificates_only_where_that_is_said(keys):
    open_to_all = server_context(keys.certificate, keys.key)
    assert (open_to_all.verify_mode, open_to_all.minimum_version) == (ssl.CERT_NONE, ssl.TLSVersion.TLSv1_2)
    assert server_context(keys.certificate, keys.key, keys.authority).verify_mode is ssl.CERT_REQUIRED


def test_keys_that_do_not_fit_or_are_not_there_are_named(keys, tmp_path: Path):
    other = made_keys(tmp_path)
    with pytest.raises(UnavailableError, match=r"server\.pem and .*server\.key cannot be used"):
        server_context(keys.certificate, other.key)
    with pytest.raises(UnavailableError, match=r"gone\.pem cannot be used"):
        server_context(keys.certificate, keys.key, tmp_path / "gone.pem")
