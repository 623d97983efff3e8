"""IP addresses and networks in one spelling, so that text from any source can be compared."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import AF_INET, AF_INET6, inet_pton
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_MAPPED = bytes(10) + b"\xff\xff"
"""How an IPv4-mapped IPv6 address begins (RFC 4291, 2.5.5.2)."""

_MAPPED_BITS = 8 * len(_MAPPED)


def parse_address(text: str) -> Address:
    """The address in ``text``; an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) is the IPv4 one.

    A zone (``fe80::1%eth0``) is dropped: it means something on the receiving machine only.

    Raises:
        ValueError: ``text`` is not an address.
    """
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def pack_address(text: str) -> bytes | None:
    """The 4 or 16 bytes of ``parse_address(text)``, in a tenth of its time; None if it is not an address."""
    if "%" in text:
        text = text.partition("%")[0]
    try:
        if ":" not in text:
            return inet_pton(AF_INET, text)
        packed = inet_pton(AF_INET6, text)
    except (OSError, ValueError):  # ValueError: a NUL, or half of a surrogate pair
        return None
    return packed[12:] if packed.startswith(_MAPPED) else packed


def parse_network(text: str) -> Network:
    """The network in ``text`` (``10.1.0.0/24``, ``2001:db8::/48``); one of IPv4-mapped addresses is the IPv4 one.

    Raises:
        ValueError: ``text`` is not a network, or has bits set after the prefix length.
    """
    network = ip_network(text)
    if network.prefixlen >= _MAPPED_BITS and network.network_address.packed.startswith(_MAPPED):
        return IPv4Network((network.network_address.packed[12:], network.prefixlen - _MAPPED_BITS))
    return network
