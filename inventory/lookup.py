"""Whose is an address? Made once for an address space, so that an answer is one search among sorted bytes."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from inventory.addresses import pack_address, parse_network

if TYPE_CHECKING:
    from collections.abc import Iterable

_Device = TypeVar("_Device")
_Site = TypeVar("_Site")
_Networks: TypeAlias = dict[tuple[int, int], _Site]
"""First address and prefix length, to whose it is."""

_IPV4, _IPV6 = 4, 16
"""Bytes of an address."""


class AddressTable(Generic[_Device, _Site]):
    """The devices and the prefixes of one address space; nothing of another space is in it.

    Some 130 bytes a prefix and 90 a device; it does not grow with what is asked.
    """

    def __init__(self, devices: Iterable[tuple[str, _Device]] = (), prefixes: Iterable[tuple[str, _Site]] = ()) -> None:
        """Of two equal addresses, and of two equal prefixes, the later counts; a device without an address is nowhere.

        Raises:
            ValueError: a prefix is not a network.
        """
        packed = ((pack_address(address), device) for address, device in devices)
        self._devices: dict[bytes | None, _Device] = {address: device for address, device in packed if address}
        ipv4, ipv6 = _by_version(prefixes)
        self._starts4, self._sites4 = _flatten(ipv4, _IPV4)
        self._starts6, self._sites6 = _flatten(ipv6, _IPV6)

    def device_at(self, address: bytes | None) -> _Device | None:
        """The device with this address, as ``pack_address`` gives it."""
        return self._devices.get(address)

    def owner_of(self, address: bytes | None) -> _Site | None:
        """The owner of the longest prefix that holds this address, as ``pack_address`` gives it."""
        if address is None:
            return None
        if len(address) == _IPV4:
            return self._sites4[bisect_right(self._starts4, address)]
        return self._sites6[bisect_right(self._starts6, address)]


def _by_version(prefixes: Iterable[tuple[str, _Site]]) -> tuple[_Networks[_Site], _Networks[_Site]]:
    ipv4: _Networks[_Site] = {}
    ipv6: _Networks[_Site] = {}
    for text, site in prefixes:
        network = parse_network(text)
        kind = ipv4 if network.version == 4 else ipv6  # noqa: PLR2004 - the version of IP
        kind[int(network.network_address), network.prefixlen] = site
    return ipv4, ipv6


def _flatten(networks: _Networks[_Site], size: int) -> tuple[list[bytes], list[_Site | None]]:
    """Where the owner changes, and the owners: the one before the first change, then one after each.

    A network lies wholly inside another or outside it, so those that are open at an address are a stack.
    """
    bits = 8 * size
    changes: dict[int, _Site | None] = {}
    open_ones: list[tuple[int, _Site]] = []
    for start, length in sorted(networks):
        _close(open_ones, changes, start)
        site = networks[start, length]
        changes[start] = site
        open_ones.append((start + (1 << bits - length), site))
    _close(open_ones, changes, 1 << bits)
    changes.pop(1 << bits, None)
    return [start.to_bytes(size, "big") for start in changes], [None, *changes.values()]


def _close(open_ones: list[tuple[int, _Site]], changes: dict[int, _Site | None], start: int) -> None:
    """Ends the networks that end at or before ``start``: there the one around them goes on."""
    while open_ones and open_ones[-1][0] <= start:
        end, _ = open_ones.pop()
        changes[end] = open_ones[-1][1] if open_ones else None
