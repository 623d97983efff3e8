"""IP addresses and networks in one spelling, so that text from any source can be compared."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


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


def parse_network(text: str) -> Network:
    """The network in ``text`` (``10.1.0.0/24``, ``2001:db8::/48``).

    Raises:
        ValueError: ``text`` is not a network, or has bits set after the prefix length.
    """
    return ip_network(text)
