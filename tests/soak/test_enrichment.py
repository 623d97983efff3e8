"""Figures of whose an address is: 300 sites with one network, and 10,000 random prefixes of both IP versions.

Every address is asked for the first time: nothing is kept of an answer. What is found is compared with a plain search
through all prefixes.
"""

from __future__ import annotations

import random
import time
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, NamedTuple

import pytest

from core.records import Event, Logsource
from inventory.addresses import pack_address
from inventory.enrich import Enricher
from inventory.records import Device, Inventory, Prefix, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

ADDRESSES = 100_000
PREFIXES = 10_000
DEVICES = 5000
SITES = 300
ROUNDS = 5


class Network(NamedTuple):
    """One prefix as the plain search has it."""

    shift: int
    number: int
    site: str


def _text(version: int, number: int) -> str:
    return str(IPv4Address(number) if version == 4 else IPv6Address(number))


def _bits(version: int) -> int:
    return 32 if version == 4 else 128


def _networks(chance: random.Random, version: int) -> list[Network]:
    """The longest first; of 8 bits or more, as prefixes are announced."""
    made: dict[tuple[int, int], str] = {}
    while len(made) < PREFIXES // 2:
        length = chance.randint(8, _bits(version))
        made[_bits(version) - length, chance.getrandbits(length)] = f"site-{len(made) % SITES}"
    return sorted(Network(shift, number, site) for (shift, number), site in made.items())


def _inventory(chance: random.Random, networks: dict[int, list[Network]]) -> Inventory:
    """The site's own space for each, with the same network and router in all; and the space of all the rest."""
    own = [Site(id=f"own-{n}", name="x", unit="tc", address_space=f"vrf-{n}", tier="AREA") for n in range(SITES)]
    shared = [Site(id=f"site-{n}", name="x", unit="tc", address_space="wan", tier="AREA") for n in range(SITES)]
    addresses = {_text(4, chance.getrandbits(32)) for _ in range(DEVICES)}
    places = [*((site.id, "192.168.1.1") for site in own), *((shared[0].id, address) for address in addresses)]
    return Inventory(
        sites=(*own, *shared),
        devices=tuple(
            Device(name=f"dev-{n}", site=site, address=address, vendor="cisco", model="ISR", role="router")
            for n, (site, address) in enumerate(places)
        ),
        prefixes=(
            *(Prefix(space=site.address_space, prefix="192.168.1.0/24", site=site.id) for site in own),
            *(
                Prefix(space="wan", prefix=f"{_text(version, n << shift)}/{_bits(version) - shift}", site=site)
                for version, ones in networks.items()
                for shift, n, site in ones
            ),
        ),
    )


def _plain(networks: list[Network], number: int) -> str | None:
    return next((site for shift, start, site in networks if number >> shift == start), None)


def _event(address: str, device: str) -> Event:
    fields = {f"field.{n}": n for n in range(16)} | {"message": "x", "observer.ip": address, "host.name": device}
    return Event(id="e/1/1", time=1, seen=2, logsource=Logsource(product="linux"), fields=fields, raw=b"raw")


def _print_rate(name: str, ask: Callable[..., object], questions: Iterable[tuple[object, ...]]) -> None:
    """The best of some rounds, of the processor's time of this process."""
    asked = list(questions)
    spent = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for question in asked:
            ask(*question)
        spent.append(time.process_time() - start)
    print(f"{name}: {len(asked) / min(spent):,.0f} a second a core, {min(spent) / len(asked) * 1e9:.0f} ns each")


def test_the_figures_of_enrichment_and_that_it_finds_what_a_plain_search_finds(capsys) -> None:
    chance = random.Random(5)  # noqa: S311 - the same addresses at every run
    networks = {version: _networks(chance, version) for version in (4, 6)}
    asked = [(v, chance.getrandbits(_bits(v))) for v in (4, 6) for _ in range(ADDRESSES // 2)]
    chance.shuffle(asked)
    texts = [_text(version, number) for version, number in asked]
    inventory = _inventory(chance, networks)
    start = time.process_time()
    table = inventory.addresses_of("wan")
    built = time.process_time() - start
    enricher = Enricher(inventory, "wan")
    known = [device for device in inventory.devices if device.site == "site-0"] * (ADDRESSES // DEVICES)
    with capsys.disabled():
        print(f"\nmade of {len(inventory.prefixes):,} prefixes in {SITES + 1} spaces in {built:.2f} s")
        _print_rate("site of packed address", table.site_of, ((pack_address(text),) for text in texts))
        _print_rate("site of text", inventory.site_of, (("wan", text) for text in texts))
        _print_rate("device at text", inventory.device_at, (("wan", device.address) for device in known))
        _print_rate("owner of text, no name", enricher._owner, ((text, "") for text in texts))
        _print_rate("owner of text, and a name", enricher._owner, ((text, "sv-1") for text in texts))
        _print_rate("owner of a device's text", enricher._owner, ((one.address, one.name) for one in known))
        _print_rate("event of unknown device", enricher.enrich, ((_event(text, "sv-1"),) for text in texts))
        _print_rate("event of known device", enricher.enrich, ((_event(one.address, one.name),) for one in known))
        _print_rate("event without a host", enricher.enrich, ((_event(text, ""),) for text in texts))
    found = [inventory.site_of("wan", text) for text in texts]
    assert [site and site.id for site in found] == [_plain(networks[version], number) for version, number in asked]
    assert all(
        inventory.site_of(f"vrf-{n}", "192.168.1.7").id == inventory.device_at(f"vrf-{n}", "192.168.1.1").site
        and inventory.site_of(f"vrf-{n}", "192.168.1.7").id == f"own-{n}"
        for n in range(SITES)
    )
