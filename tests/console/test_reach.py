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
from sector_world import RULE, World, fill_logs, fill_series, fill_state, make_world, mark, marks_in, writer
from sqlalchemy import insert

from console.sessions import OWN_ACCOUNT, PUBLIC
from console.stream import Changes, page_events
from core.scope import Grant
from core.stores.catalogue import CatalogueRule, RuleState, put_catalogue
from core.stores.grants import put_grant
from core.stores.tables import users
from core.stores.users import read_user
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
def open_as(console, world, browse):
    """``open_as(name)`` is the browser of someone who is signed in."""

    def opened(name: str):
        browser = browse(replace(console, inventory=lambda: world.inventory))
        assert browser.sign_in(name).status_code == 303
        return browser

    return opened


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
    with console.state.connect() as connection:
        return read_user(connection, name).grants


@pytest.mark.timeout(600)
@pytest.mark.parametrize("role", ROLES)
def test_no_route_gives_what_lies_outside_of_ones_units(role, world, open_as, console):
    for number in range(2):
        user = f"{role}{number}"
        grants = grants_of(console, user)
        browser = open_as(user)
        token = browser.token()
        for method, path, action in routes_of(browser.client.app):
            if path in ENDLESS:
                continue
            outside = world.outside(grants, action)
            for address in sorted({one for name in world.names for one in addresses(path, world, name)}):
                answer = browser.get(address) if method == "GET" else sent(browser, address, token)
                assert answer.status_code < 500, f"{user} {grants}: {method} {address}"
                assert marks_in(answer.text, outside) == [], f"{user} {grants}: {method} {address}"
                if not may(grants, action):
                    assert answer.status_code in {303, 403}, f"{user}: {method} {address}"
                    assert marks_in(answer.text, world.names) == []


def sent(browser, address: str, token: str):
    form = {"_csrf_token": token, "text": "x", "owner": "analyst0", "verdict": "true_positive"}
    return browser.client.post(address, data=form, follow_redirects=False)


@pytest.mark.parametrize(
    ("page", "action"),
    [
        ("/", "incident.read"),
        ("/sources", "sources.read"),
        ("/sites", "inventory.read"),
        ("/devices", "inventory.read"),
        ("/units", "inventory.read"),
    ],
)
def test_what_is_ones_own_is_shown(page, action, world, open_as, console):
    """The test above would also hold for a console that shows nothing."""
    grants = grants_of(console, "viewer0")
    own = [name for name in world.living if name not in world.outside(grants, action)]
    assert own
    assert marks_in(open_as("viewer0").get(page).text, own) == own


def test_what_was_measured_of_ones_own_devices_is_shown(world, open_as, console):
    own = [name for name in world.living if name not in world.outside(grants_of(console, "viewer0"), "sources.read")]
    browser = open_as("viewer0")
    for name in own:
        page = browser.get(f"/devices/rt-{name}?span=24h").text
        assert f"port {mark(name)}" in page
        assert f"cpu {mark(name)}" in page
        assert f"profile {mark(name)}" in page
        assert mark(name) in browser.get(f"/devices/rt-{name}/interfaces?port=Gi1").text
        assert f"cpu {mark(name)}" in browser.get(f"/devices/rt-{name}/series.json").text


def test_what_is_ones_own_is_found_by_the_search(world, open_as, console):
    own = [name for name in world.living if name not in world.outside(grants_of(console, "analyst0"), "event.read")]
    assert marks_in(open_as("analyst0").get("/events/stream?span=24h").text, own) == own


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
        text = open_as(user).get(f"/incidents/{shared}").text
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
