"""What an import by who has one unit does to others, and tells of them: nothing."""

from __future__ import annotations

import base64
import time
import tracemalloc
import zlib

import msgspec
import pytest

from app.actions.packed_rows import (
    BLOCK_BYTES,
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_LETTERS,
    MOST_ROWS,
    ROWS_IN_BLOCK,
    pack_rows,
    unpack_rows,
)
from app.centre_api import Caller, Surroundings
from core.errors import RefusedError
from core.stores.inventory import Put, put_records, read_records
from core.vault import Vault
from inventory.formats.rows import Row
from inventory.objects import Circuit, Interface, Place
from inventory.records import Device, Inventory, Prefix, Site
from inventory.registry import key_of, records_of
from inventory.stored import decode_inventory
from inventory.units import Unit

SECRET = "bimat"
"""In the name of all that is Nghệ An's alone."""


def site(name: str, space: str, unit: str = "") -> Site:
    return Site(id=name, name=name, unit=unit or f"vks-{name}", address_space=space, tier="PROVINCE")


def device(name: str, at: str, address: str, place: str = "") -> Device:
    return Device(name=name, site=at, address=address, vendor="cisco", model="ISR", role="router", place=place)


SECTOR = Inventory(
    units=(
        Unit(id="tc", name="VKSND tối cao", type="supreme"),
        Unit(id="vks-tha", name="VKSND tỉnh Thanh Hóa", type="province", parent="tc"),
        Unit(id=f"vks-{SECRET}", name="VKSND tỉnh Nghệ An", type="province", parent="tc"),
    ),
    sites=(
        site("tha", "tha"),
        site("tha-2", "wan", "vks-tha"),
        site(SECRET, "wan"),
        site("tha-3", f"vrf-{SECRET}-prefix", "vks-tha"),
    ),
    places=(
        Place(id="p-tha", site="tha", kind="room", name="x"),
        Place(id=f"p-{SECRET}", site=SECRET, kind="room", name="x"),
    ),
    devices=(
        device("rt-tha", "tha", "10.0.0.1", "p-tha"),
        device("rt-tha-2", "tha-2", "10.2.0.1"),
        device(f"rt-{SECRET}", SECRET, "10.1.0.1", f"p-{SECRET}"),
    ),
    interfaces=(Interface(device=f"rt-{SECRET}", name="Gi0/1"), Interface(device="rt-tha", name="Gi0/1")),
    circuits=(Circuit(id=f"c-{SECRET}", site=SECRET, kind="wan", far_site="tha"),),
    prefixes=(
        Prefix(space="wan", prefix="10.1.0.0/16", site=SECRET),
        Prefix(space="wan", prefix="10.2.0.0/16", site="tha-2"),
        Prefix(space="tha", prefix="10.0.0.0/16", site="tha"),
        Prefix(space=f"vrf-{SECRET}-prefix", prefix="10.7.0.0/16", site=SECRET),
    ),
)


@pytest.fixture
def present(centre):
    return lambda: decode_inventory(centre.read(read_records))


@pytest.fixture
def door(centre, settings, opened, present, add_user):
    puts = [
        Put(kind=kind, key=key_of(kind, one), body=msgspec.msgpack.encode(one), verb="add", detail="")
        for kind, found in records_of(SECTOR)
        for one in found
    ]
    centre.change(lambda connection, _: put_records(connection, 1, "test", puts))
    add_user(centre, "ky_su", "engineer", "vks-tha")
    add_user(centre, "ky_su_nganh", "engineer")
    with opened(centre, Surroundings(present, Vault(settings.secrets))) as made:
        made.caller = Caller("ky_su", "user")
        yield made


@pytest.fixture
def ask(door):
    """Imports rows, by table; or only compares them."""

    def asking(action="import", *, remove=False, **tables):
        rows = {
            kind: [Row(place=f"{kind}.csv, line {at}", cells=cells) for at, cells in enumerate(found, start=2)]
            for kind, found in tables.items()
        }
        content = base64.b64encode(pack_rows(rows)).decode()
        return door.ask(f"inventory.{action}", {"content": content, "remove": remove})

    return asking


NEW_SITE = {"id": "moi", "name": "Mới", "unit": "vks-tha", "tier": "AREA"}
NEW_DEVICE = {"name": "moi", "vendor": "x", "model": "y", "role": "server"}

TAKEN = {
    "a longer prefix in a shared space": {"prefixes": [{"space": "wan", "prefix": "10.1.7.0/24", "site": "tha-2"}]},
    "a prefix in a space that holds one of others": {
        "prefixes": [{"space": f"vrf-{SECRET}-prefix", "prefix": "10.7.1.0/24", "site": "tha-3"}]
    },
    "one's own prefix there": {"prefixes": [{"space": "wan", "prefix": "10.2.0.0/16", "site": "tha"}]},
    "a new site in a shared space": {"sites": [NEW_SITE | {"address_space": "wan"}]},
    "one's own site moved into it": {"sites": [{"id": "tha", "address_space": "wan"}]},
    "one's own site moved out of it": {"sites": [{"id": "tha-2", "address_space": "tha"}]},
    "a device at an address of others": {"devices": [NEW_DEVICE | {"site": "tha-2", "address": "10.1.3.3"}]},
    "one's own device moved to one": {"devices": [{"name": "rt-tha-2", "address": "10.1.3.3"}]},
}


@pytest.mark.parametrize("action", ["import", "compare"])
@pytest.mark.parametrize("tables", TAKEN.values(), ids=TAKEN)
def test_addresses_of_others_are_not_taken(ask, door, present, tables, action):
    before = present()
    answer = ask(action, **tables)
    assert answer.status_code == 409
    assert "another unit" in answer.json()["reason"] or "shared with other units" in answer.json()["reason"]
    assert present() == before
    door.caller = Caller("ky_su_nganh", "user")
    assert ask(action, **tables).json()["counts"]["problems"] == 0  # who has the whole sector may


def test_what_is_in_ones_own_space_is_changed_as_before(ask):
    told = ask(
        sites=[NEW_SITE | {"address_space": "moi"}],
        prefixes=[{"space": "tha", "prefix": "10.0.9.0/24", "site": "tha"}],
        devices=[
            NEW_DEVICE | {"site": "tha-2", "address": "10.2.3.3"},
            {"name": "rt-tha-2", "model": "C8300"},
        ],
    )
    assert told.json()["counts"] == {"added": 3, "changed": 1, "missing": 0, "problems": 0, "unchanged": 0}


OF_OTHERS = {
    "what is there already": {"devices": [{"name": f"rt-{SECRET}", "vendor": "cisco"}]},
    "what is not so": {"devices": [{"name": f"rt-{SECRET}", "vendor": "juniper"}]},
    "what cannot be": {"devices": [{"name": f"rt-{SECRET}", "address": "none"}]},
    "a place of others": {"places": [{"id": f"p-{SECRET}", "site": "tha"}]},
}


@pytest.mark.parametrize("tables", OF_OTHERS.values(), ids=OF_OTHERS)
def test_a_row_of_others_is_refused_alike_whatever_it_says(ask, tables):
    ((kind, rows),) = tables.items()
    key = rows[0].get("name") or rows[0]["id"]
    answer = ask("compare", **tables)
    assert (answer.status_code, answer.json()["reason"]) == (
        409,
        f"{kind}.csv, line 2: {kind} {key!r} is not within your units",
    )


REFERRING = {
    "site": {"devices": [NEW_DEVICE | {"address": "10.0.0.9", "site": "?"}]},
    "place": {"devices": [NEW_DEVICE | {"address": "10.0.0.9", "site": "tha", "place": "p-?"}]},
    "parent": {"places": [{"id": "p", "site": "tha", "kind": "row", "name": "x", "parent": "p-?"}]},
    "b_device": {"links": [{"id": "l", "kind": "wan", "a_device": "rt-tha", "b_device": "rt-?", "b_interface": "x"}]},
    "unit": {"sites": [NEW_SITE | {"address_space": "moi", "unit": "vks-?"}]},
    "far_site": {"circuits": [{"id": "c", "kind": "wan", "site": "tha", "far_site": "?"}]},
    "circuit": {"links": [{"id": "l", "kind": "wan", "a_device": "rt-tha", "b_device": "rt-tha-2", "circuit": "?"}]},
}


@pytest.mark.parametrize("column", REFERRING)
def test_whether_something_of_others_is_there_cannot_be_found_out_by_referring_to_it(ask, column):
    def told(name):
        tables = {
            kind: [{key: cell.replace("?", name) for key, cell in row.items()} for row in rows]
            for kind, rows in REFERRING[column].items()
        }
        answer = ask("compare", **tables)
        assert answer.status_code == 409
        return answer.json()["reason"].replace(name, "?")

    assert told(SECRET) == told("nowhere")


def test_the_rest_of_a_table_is_told_to_be_missing_as_far_as_it_is_ones_own(ask):
    tables = ("sites", "devices", "prefixes", "places", "circuits", "unit_facts")
    answer = ask("compare", remove=True, **{kind: [] for kind in tables})
    missing = {(one["kind"], one["key"]) for one in answer.json()["missing"]}
    assert {("sites", "tha"), ("devices", "rt-tha"), ("places", "p-tha")} <= missing
    assert answer.json()["counts"]["missing"] == len(missing) == 8
    assert SECRET not in answer.text.replace(f"vrf-{SECRET}-prefix", "")


def test_an_address_that_others_have_is_refused_without_their_names(ask):
    answer = ask("compare", devices=[NEW_DEVICE | {"site": "tha-2", "address": "10.2.0.1"}])
    assert "first at the present inventory, devices rt-tha-2" in answer.text  # one's own is named
    answer = ask("compare", devices=[NEW_DEVICE | {"site": "tha-2", "address": "10.1.0.1"}])
    assert "duplicate address 10.1.0.1 in one space, first at what is beyond your units" in answer.text
    assert SECRET not in answer.text


def test_what_depends_on_ones_own_elsewhere_is_not_named(door):
    keys = [("sites", "tha"), ("places", "p-tha"), ("devices", "rt-tha"), ("prefixes", "tha|10.0.0.0/16")]
    keys.append(("interfaces", "rt-tha|Gi0/1"))
    answer = door.ask("inventory.delete", {"keys": keys, "reason": "x"})
    assert answer.json()["reason"] == "something depends on it: it is beyond your units"


def bomb(rows: bytes, count: int, blocks: int) -> bytes:
    block = zlib.compress(b"\xdd" + count.to_bytes(4, "big") + rows * count, 1)
    return msgspec.msgpack.encode([("devices", block)] * blocks)


EMPTY = msgspec.msgpack.encode({"place": "", "cells": {}})
WIDE = msgspec.msgpack.encode({"place": "", "cells": {f"c{number}": "" for number in range(MOST_COLUMNS)}})
TOO_WIDE = msgspec.msgpack.encode({"place": "", "cells": {f"c{number}": "" for number in range(MOST_COLUMNS + 1)}})
LONG = msgspec.msgpack.encode({"place": "", "cells": {"name": "x" * (MOST_LETTERS + 1)}})
FULL = msgspec.msgpack.encode({"place": "", "cells": {"name": "x" * MOST_LETTERS}})

BOMBS = {
    "millions of rows in a block": lambda: bomb(EMPTY, 200_000_000 // len(EMPTY), 1),
    "more rows than a block has": lambda: bomb(EMPTY, ROWS_IN_BLOCK + 1, 1),
    "more rows in all": lambda: bomb(EMPTY, ROWS_IN_BLOCK, MOST_ROWS // ROWS_IN_BLOCK + 1),
    "blocks without end": lambda: bomb(EMPTY, 1, 1_000_000),
    "a row without end": lambda: bomb(TOO_WIDE, 1, 1),
    "a cell without end": lambda: bomb(LONG, 1, 1),
    "a block without end": lambda: bomb(FULL, BLOCK_BYTES // MOST_LETTERS + 1, 1),
    "what packs whole tables": lambda: zlib.compress(b"\x81\xa7devices\xdd\x00\xff\xff\xff" + EMPTY * 10_000_000),
    "nothing but lists": lambda: b"\x91" * 100_000,
    "nothing": lambda: b"",
    "a cut block": lambda: msgspec.msgpack.encode([("devices", zlib.compress(EMPTY)[:-3])]),
}


@pytest.mark.parametrize("made", BOMBS.values(), ids=BOMBS)
def test_rows_without_end_are_refused_before_they_take_memory_or_time(made):
    content = made()
    began = time.process_time()
    with pytest.raises(RefusedError):
        unpack_rows(content)
    assert time.process_time() - began < 1
    tracemalloc.start()
    with pytest.raises(RefusedError):
        unpack_rows(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200 << 20


def test_cells_are_counted_over_all_blocks(monkeypatch):
    monkeypatch.setattr("app.actions.packed_rows.MOST_CELLS", 10 * MOST_COLUMNS)
    assert len(unpack_rows(bomb(WIDE, 10, 1))["devices"]) == 10
    with pytest.raises(RefusedError, match="import them in parts"):
        unpack_rows(bomb(WIDE, 10, 2))
    assert MOST_CELLS >= 10 * MOST_ROWS


def test_rows_come_back_as_they_were_however_many_they_are():
    rows = {
        "devices": [Row(place=f"d, line {n}", cells={"name": f"n{n}"}, fault="x" * (n % 3)) for n in range(2_500)],
        "sites": [Row(place=f"s, line {n}", cells={f"c{m}": "x" * MOST_LETTERS for m in range(90)}) for n in range(40)],
        "places": [],
    }
    assert unpack_rows(pack_rows(rows)) == rows
