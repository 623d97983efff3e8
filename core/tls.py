"""TLS for whatever listens: keys from files, peers' certificates asked for where it is said whose."""

from __future__ import annotations

import ssl
from pathlib import Path

from core.errors import UnavailableError


def server_context(certificate: Path, key: Path, clients: Path | None = None) -> ssl.SSLContext:
    """What a server needs to speak TLS 1.2 or later.

    Args:
        certificate: a PEM file with the chain.
        key: its key, unencrypted.
        clients: a PEM file of authorities; then only peers with a certificate of theirs are let in.

    Raises:
        UnavailableError: they cannot be used; says why.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, _no_passphrase)
    except (OSError, ssl.SSLError) as error:
        raise UnavailableError(f"tls: {certificate} and {key} cannot be used: {error}") from error
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(clients)
        except (OSError, ssl.SSLError) as error:
            raise UnavailableError(f"tls: {clients} cannot be used: {error}") from error
    return context


def _no_passphrase() -> str:
    raise UnavailableError(
        "tls: the key is encrypted, and nobody is there to type its passphrase: store it without one"
    )
