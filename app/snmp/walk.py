"""A walk with the types of what it finds, as it is saved: JSON lines that the lab's fleet answers with again.

It is done by pysnmp, slower than what polls by a hundred times: what polls does not tell types.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pyasn1.type import univ  # type: ignore[import-untyped]  # it has no types, as the next two
from pysnmp.hlapi.v3arch import asyncio as hlapi  # type: ignore[import-untyped]
from pysnmp.proto import rfc1902  # type: ignore[import-untyped]

from collectors.snmp.session import Target, Version
from core.errors import UnavailableError
from core.records import Record
from inventory.credentials import AuthProtocol, PrivProtocol, SnmpV2c

MOST = 200_000
"""Variables of a walk."""

ROOT = "1.3.6.1"
_ROWS = 25
"""Asked for at once."""

_AUTH = {
    AuthProtocol.MD5: hlapi.USM_AUTH_HMAC96_MD5,
    AuthProtocol.SHA: hlapi.USM_AUTH_HMAC96_SHA,
    AuthProtocol.SHA_224: hlapi.USM_AUTH_HMAC128_SHA224,
    AuthProtocol.SHA_256: hlapi.USM_AUTH_HMAC192_SHA256,
    AuthProtocol.SHA_384: hlapi.USM_AUTH_HMAC256_SHA384,
    AuthProtocol.SHA_512: hlapi.USM_AUTH_HMAC384_SHA512,
}
_PRIV = {
    PrivProtocol.DES: hlapi.USM_PRIV_CBC56_DES,
    PrivProtocol.AES_128: hlapi.USM_PRIV_CFB128_AES,
    PrivProtocol.AES_192: hlapi.USM_PRIV_CFB192_AES,
    PrivProtocol.AES_256: hlapi.USM_PRIV_CFB256_AES,
}
_NUMBERS = (
    (rfc1902.Counter32, "counter32"),
    (rfc1902.Counter64, "counter64"),
    (rfc1902.TimeTicks, "timeticks"),
    (rfc1902.Gauge32, "gauge32"),
    (rfc1902.Unsigned32, "gauge32"),
    (rfc1902.Integer, "integer"),
)


class Variable(Record, frozen=True, kw_only=True, omit_defaults=False):
    """A line of a saved walk; ``type`` and ``value`` as ``python -m lab fleet --walk`` reads them."""

    oid: str
    type: str
    value: str | int | None


async def walk(target: Target, root: str = ROOT, most: int = MOST) -> AsyncIterator[Variable]:
    """All that lies below ``root``, in order.

    Raises:
        UnavailableError: the device does not answer any more, or its walk does not end.
    """
    engine = hlapi.SnmpEngine()
    command = hlapi.walk_cmd if target.version is Version.V1 else hlapi.bulk_walk_cmd
    counts = () if target.version is Version.V1 else (0, _ROWS)
    begin = hlapi.ObjectType(hlapi.ObjectIdentity(root))
    given = (engine, _user(target), await _transport(target), hlapi.ContextData(), *counts, begin)
    left = most
    try:
        async for failure, status, _, found in command(*given, lexicographicMode=False, lookupMib=False):
            if failure or status:
                raise UnavailableError(f"{target.address}: the walk broke off: {failure or status.prettyPrint()}")
            for name, value in found:
                if left == 0:
                    raise UnavailableError(f"{target.address}: more than {most} variables: name a --root")
                left -= 1
                yield _variable(str(name), value)
    finally:
        engine.close_dispatcher()


async def _transport(target: Target) -> Any:
    kind = hlapi.Udp6TransportTarget if ":" in target.address else hlapi.UdpTransportTarget
    return await kind.create((target.address, target.port), timeout=target.timeout, retries=2)


def _user(target: Target) -> Any:
    credential = target.credential
    if isinstance(credential, SnmpV2c):
        return hlapi.CommunityData(credential.community.reveal(), mpModel=0 if target.version is Version.V1 else 1)
    return hlapi.UsmUserData(
        credential.user.reveal(),
        credential.auth_passphrase.reveal(),
        credential.priv_passphrase.reveal(),
        authProtocol=_AUTH[credential.auth_protocol],
        privProtocol=_PRIV[credential.priv_protocol],
    )


def _variable(oid: str, value: Any) -> Variable:
    if isinstance(value, rfc1902.IpAddress):
        return Variable(oid=oid, type="ipaddress", value=".".join(map(str, value.asOctets())))
    if isinstance(value, rfc1902.Opaque):
        return Variable(oid=oid, type="opaque", value=value.asOctets().hex())
    for kind, name in _NUMBERS:
        if isinstance(value, kind):
            return Variable(oid=oid, type=name, value=int(value))
    if isinstance(value, rfc1902.OctetString):
        return _octets(oid, value.asOctets())
    if isinstance(value, univ.ObjectIdentifier | hlapi.ObjectIdentity):
        return Variable(oid=oid, type="oid", value=str(value))
    return Variable(oid=oid, type="null", value=None)


def _octets(oid: str, octets: bytes) -> Variable:
    """As text where it is some; else as hexadecimal digits."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return Variable(oid=oid, type="hex", value=octets.hex())
    is_text = all(letter.isprintable() or letter in "\t\r\n" for letter in text)
    return Variable(oid=oid, type="string" if is_text else "hex", value=text if is_text else octets.hex())
