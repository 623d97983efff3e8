"""All networks that rules name for a field, as tables by length of the prefix: a look-up a length, not a network."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from detections.values import IPAddress, address_of, unmapped
from detections.view import Scalar

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class Networks:
    """Finds the networks that hold an address.

    Args:
        networks: each network's number and text.
    """

    def __init__(self, networks: Iterable[tuple[int, str]]) -> None:
        self._tables: dict[tuple[int, int], dict[int, list[int]]] = {}
        for number, text in networks:
            network = ipaddress.ip_network(text)
            shift = network.max_prefixlen - network.prefixlen
            table = self._tables.setdefault((network.version, shift), {})
            table.setdefault(int(network.network_address) >> shift, []).append(number)

    def holding(self, value: Scalar) -> list[int]:
        """The numbers of the networks that hold the value; an IPv4 address inside an IPv6 one counts too."""
        address = address_of(value)
        if address is None:
            return []
        inner = unmapped(address)
        return self._of(address) + (self._of(inner) if inner is not None else [])

    def _of(self, address: IPAddress) -> list[int]:
        return [
            number
            for (version, shift), table in self._tables.items()
            if version == address.version
            for number in table.get(int(address) >> shift, ())
        ]
