"""Nothing outside of one's units comes back: every route, as every role, at random units of random trees.

The routes are taken from the application itself. One with a parameter that is not named here fails: say how it is
filled, and it is held to the same.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from dataclasses import replace

import msgspec
import pytest
from litestar.routes import HTTPRoute
from litestar.testing import TestClient
from sector_world import RULE, World, fill_logs, fill_series, fill_state, make_world, mark, marks_in, writer
from sqlalchemy import insert

from console.sessions import OWN_ACCOUNT, PUBLIC
from console.stream import Changes, page_events
from console.web import create_app
from core.scope import Grant
from core.stores.catalogue import CatalogueRule, RuleState, put_catalogue
from core.stores.events import LocalEvents
from core.stores.grants import put_grant
from core.stores.tables import users
from inventory.rights import ROLES, may

SEEDS = (1, 2, 3)
ENDLESS = {"/stream"}
"""Streams that never end by themselves: what they say is tested below."""

FILLS = {
    "number": lambda world, name: [str(world.number(name) + 1), str(len(world.names) + 1)],
    "identity": lambda *_: [RULE],
    "address": lambda world, name: [world.address(name)],
    "unit": lambda _, name: [name],
    "site": lambda _, name: [f"s-{name}"],
    "name": lambda _, name: [f"rt-{name}"],
    "file_path": lambda *_: ["console.css"],
    "chosen": lambda *_: ["serious", "new", "overdue"],
}
"""How a route's parameters are filled for the things of a unit."""

QUERIES = {
    "/events": "?span=24h",
    "/events.json": "?span=24h",
    "/events/stream": "?span=24h",
    "/sources": "?q=rt",
    "/devices/{name:str}/interfaces": "?port=Gi1",
}


@pytest.fixture(params=SEEDS)
def world(request, state, clock, tmp_path) -> World:
    """A sector with its incidents, rule, events and sources, and a user of each role at two random units."""
    made = make_world(request.param)
    with state.begin() as connection:
        fill_state(connection, made)
        rule = CatalogueRule(id=RULE, file="a/b/c.yml", title={"vi": "SSH"}, guide={}, state=RuleState.ENABLED)
        put_catalogue(connection, [rule], {"a/b/c.yml": b"title: SSH"})
        chance = random.Random(request.param)  # noqa: S311 - repeatable
        for role, number in itertools.product(ROLES, range(2)):
            row = {"password": "", "must_change": 0, "disabled": 0, "failures": 0, "locked_until": 0, "session": 1}
            row |= {"issuer": "test", "subject": f"{role}{number}"}  # vouched for: no second factor to be typed
            connection.execute(insert(users).values(name=f"{role}{number}", **row))
            unit = chance.choice([name for name in made.living if name != "u0"])
            put_grant(connection, clock.now(), "test", f"{role}{number}", Grant(role, unit))
    fill_logs(tmp_path, made, msgspec.msgpack.encode, b"")
    fill_series(tmp_path, made)
    return made


@pytest.fixture
def open_as(console, world, tmp_path):
    """The console's application, with someone signed in."""
    events = LocalEvents(tmp_path / "spool", tmp_path / "events", decode)
    app = create_app(replace(console, inventory=lambda: world.inventory, events=events))

    def opened(name: str) -> TestClient:
        client = TestClient(app)
        token = re.search(r'name="_csrf_token" value="([0-9a-f]+)"', client.get("/sign-in").text)[1]
        form = {"_csrf_token": token, "name": name, "password": "right and long enough"}
        assert client.post("/sign-in", data=form, follow_redirects=False).status_code == 303
        client.headers["X-Test-Token"] = token
        return client

    return opened


def decode(payload: bytes):
    from core.records import Event  # noqa: PLC0415 - of this helper alone

    return msgspec.msgpack.decode(payload, type=Event)


def routes_of(app) -> list[tuple[str, str, str]]:
    """Method, path and action of every route that needs a right."""
    return [
        (method, route.path, str(handler.opt.get("action", "")))
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"})
        if handler.opt.get("action") not in {PUBLIC, OWN_ACCOUNT}
    ]


def addresses(path: str, world: World, name: str) -> list[str]:
    """The route's addresses for all that belongs to a unit."""
    parameters = re.findall(r"\{(\w+)(?::\w+)?\}", path)
    unknown = [parameter for parameter in parameters if parameter not in FILLS]
    assert not unknown, f"{path}: say in FILLS how {unknown} is filled, so that its rights are tested"
    filled = [FILLS[parameter](world, name) for parameter in parameters]
    found = []
    for values in itertools.product(*filled):
        address = path
        for value in values:
            address = re.sub(r"\{\w+(?::\w+)?\}", value, address, count=1)
        found.append(address + QUERIES.get(path, ""))
    return found


def grants_of(console, name: str) -> tuple[Grant, ...]:
    from core.stores.users import read_user  # noqa: PLC0415 - of this helper alone

    with console.state.connect() as connection:
        return read_user(connection, name).grants


@pytest.mark.timeout(600)
@pytest.mark.parametrize("role", ROLES)
def test_no_route_gives_what_lies_outside_of_ones_units(role, world, open_as, console):
    for number in range(2):
        user = f"{role}{number}"
        grants = grants_of(console, user)
        with open_as(user) as client:
            for method, path, action in routes_of(client.app):
                if path in ENDLESS:
                    continue
                outside = world.outside(grants, action)
                for address in sorted({one for name in world.names for one in addresses(path, world, name)}):
                    answer = ask(client, method, address)
                    assert marks_in(answer.text, outside) == [], f"{user} {grants}: {method} {address}"
                    if not may(grants, action):
                        assert answer.status_code in {303, 403}, f"{user}: {method} {address}"
                        assert marks_in(answer.text, world.names) == []


def ask(client: TestClient, method: str, address: str):
    if method == "GET":
        return client.get(address, follow_redirects=False)
    form = {"_csrf_token": client.headers["X-Test-Token"], "text": "x", "owner": "analyst0", "verdict": "true_positive"}
    return client.post(address, data=form, follow_redirects=False)


@pytest.mark.parametrize(("page", "action"), [("/", "incident.read"), ("/sources", "sources.read")])
def test_what_is_ones_own_is_shown(page, action, world, open_as, console):
    """The test above would also hold for a console that shows nothing."""
    grants = grants_of(console, "viewer0")
    own = [name for name in world.living if name not in world.outside(grants, action)]
    with open_as("viewer0") as client:
        text = client.get(page).text
    assert marks_in(text, own) == own


def test_what_was_measured_of_ones_own_devices_is_shown(world, open_as, console):
    own = [name for name in world.living if name not in world.outside(grants_of(console, "viewer0"), "sources.read")]
    with open_as("viewer0") as client:
        for name in own:
            page = client.get(f"/devices/rt-{name}").text
            assert f"port {mark(name)}" in page
            assert f"cpu {mark(name)}" in page
            assert f"profile {mark(name)}" in page
            assert mark(name) in client.get(f"/devices/rt-{name}/interfaces?port=Gi1").text
            assert f"cpu {mark(name)}" in client.get(f"/devices/rt-{name}/series.json").text


def test_what_is_ones_own_is_found_by_the_search(world, open_as, console):
    own = [name for name in world.living if name not in world.outside(grants_of(console, "analyst0"), "event.read")]
    with open_as("analyst0") as client:
        assert marks_in(client.get("/events/stream?span=24h").text, own) == own


def test_of_an_incident_of_two_units_each_sees_its_own_part(world, open_as, state):
    first, second = world.names[1], world.names[2]
    shared = len(world.names) + 1
    for own, other in ((first, second), (second, first)):
        with state.begin() as connection:
            user = f"of_{own}"
            row = {"password": "", "must_change": 0, "disabled": 0, "failures": 0, "locked_until": 0, "session": 1}
            connection.execute(insert(users).values(name=user, **row))
            put_grant(connection, 1, "test", user, Grant("analyst", own))
            connection.execute(insert(users).values(name=writer(own), **row))
            put_grant(connection, 1, "test", writer(own), Grant("viewer", own))
        if other not in world.outside((Grant("analyst", own),), "incident.read"):
            continue  # one lies within the other
        with open_as(user) as client:
            text = client.get(f"/incidents/{shared}").text
        assert f"raw {mark(own)}" in text
        assert f"ghi chú {mark(own)}" in text
        assert "1 dòng của đơn vị khác không hiện." in text
        assert mark(other) not in text


def test_a_live_stream_says_only_that_something_changed(state):
    changes = Changes(state)

    async def first() -> object:
        stream = page_events(changes, lambda: "a mark that differs")
        told = await anext(stream)
        await stream.aclose()
        return told

    told = asyncio.run(first())
    assert (told.event, told.data) == ("refresh", "")
