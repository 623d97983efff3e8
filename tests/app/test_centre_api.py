"""The centre's two doors, from their outside."""

from __future__ import annotations

import asyncio
import os
import pwd
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar, Request, get
from litestar.testing import TestClient
from prometheus_client import CollectorRegistry, Gauge
from running import free_ports
from sqlalchemy import select

from app.actions.table import ACTIONS
from app.callers import Caller, local_caller
from app.centre_api import MOST_BYTES, PeerCredentials, people_app, relay_app
from app.services import serving
from app.services.serving import serve, unix_listening
from core import audit
from core.centre import ACTOR_HEADER, CentreClient
from core.clock import MINUTE
from core.errors import NotFoundError, RefusedError
from core.outbox import Receipt
from core.snapshots import snapshot
from core.stores.signing_in import LOCKED, MOST_FAILURES
from core.stores.tables import hits as hits_table
from core.stores.tables import users as users_table
from core.stores.users import disable_user

TOKEN = "ab" * 32
KEY = {"Authorization": f"Bearer {TOKEN}"}
RULES = snapshot(b"rules of today")


def only_rules(kind):
    if kind != "rules":
        raise NotFoundError(f"there is no snapshot '{kind}'")
    return RULES


@pytest.fixture
def relay(centre, built):
    registry = CollectorRegistry()
    Gauge("haidang_test", "a figure", registry=registry).set(7)
    with TestClient(built(lambda: relay_app(centre, TOKEN, only_rules, registry))) as client:
        yield client


@pytest.fixture
def chain(reading):
    def look():
        with reading.connect() as connection:
            return [(entry.actor, entry.action, entry.object) for entry in audit.read_chain(connection)]

    return look


def test_the_relay_takes_a_batch_and_answers_with_a_receipt(relay, batch, hits, event):
    body = msgspec.msgpack.encode(batch(hits([event(1)])))
    answers = [relay.post("/relay", content=body, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    receipts = [msgspec.msgpack.decode(answer.content, type=Receipt) for answer in answers]
    assert receipts == [Receipt(last=1, taken=True), Receipt(last=1, taken=False)]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_the_relay_needs_its_token(relay, batch, hits, event, reading, headers):
    with reading.connect() as connection:
        before = audit.head(connection)
    body = msgspec.msgpack.encode(batch(hits([event(1)])))
    assert relay.post("/relay", content=body, headers=headers).status_code == 409
    assert relay.get("/snapshots/rules", headers=headers).status_code == 409
    with reading.connect() as connection:
        assert audit.head(connection) == before
        assert connection.execute(select(hits_table)).all() == []


@pytest.mark.parametrize("body", [b"", b"\xc1", b"not a batch", msgspec.msgpack.encode({"lane": 1})])
def test_what_is_no_batch_is_malformed(relay, body):
    answer = relay.post("/relay", content=body, headers=KEY)
    assert answer.status_code == 400
    assert answer.json()["reason"]


def test_a_batch_of_another_format_is_refused_by_name(relay, batch):
    newer = msgspec.structs.replace(batch([]), format=2)
    answer = relay.post("/relay", content=msgspec.msgpack.encode(newer), headers=KEY)
    assert (answer.status_code, answer.json()["reason"]) == (409, "lane logs sends format 2, this centre reads 1")


def test_a_snapshot_comes_whole_once_and_then_only_when_it_has_changed(relay):
    first = relay.get("/snapshots/rules", headers=KEY)
    assert (first.status_code, first.content, first.headers["ETag"]) == (200, RULES.content, RULES.version)
    again = relay.get("/snapshots/rules", headers={**KEY, "If-None-Match": RULES.version})
    assert (again.status_code, again.content) == (304, b"")
    other = relay.get("/snapshots/rules", headers={**KEY, "If-None-Match": "0" * 64})
    assert (other.status_code, other.content) == (200, RULES.content)


def test_an_unknown_snapshot_is_not_found(relay):
    answer = relay.get("/snapshots/secrets", headers=KEY)
    assert (answer.status_code, answer.json()) == (404, {"reason": "there is no snapshot 'secrets'"})


def test_metrics_are_open_to_this_machine(relay):
    answer = relay.get("/metrics")
    assert answer.status_code == 200
    assert "haidang_test 7.0" in answer.text


def test_an_unknown_action_is_not_found(door):
    answer = door.ask("incidents.forget", {})
    assert (answer.status_code, answer.json()) == (404, {"reason": "there is no action 'incidents.forget'"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"name": 7, "password": "x"}',
        b'{"name": "an"}',
        b"[]",
        b'{"name": "\xff", "password": "x"}',
        "{}".encode("utf-16"),
    ],
)
def test_what_is_no_json_of_the_action_is_malformed(door, body):
    headers = {"Authorization": f"Bearer {door.token}"}
    answer = door.client.post("/api/session.begin", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["reason"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_not_read(door, chunked):
    part = b" " * (1 << 20)
    parts = [part] * (MOST_BYTES // len(part)) + [b"{}"]
    body = iter(parts) if chunked else b"".join(parts)
    assert door.client.post("/api/users.list", content=body).status_code == 413
    assert door.client.post("/api/users.list", content=b" " * 1000 + b"{}").status_code == 200


def test_only_post_does_anything(door):
    assert door.client.get("/api/users.list").status_code == 405


def test_a_wrong_password_is_refused_counted_and_audited(door, centre, add_user, reading, chain):
    add_user(centre, "an", "analyst")
    answer = door.ask("session.begin", {"name": "an", "password": "wrong"}, console=True)
    assert (answer.status_code, answer.json()) == (403, {"reason": "wrong name or password"})
    with reading.connect() as connection:
        assert connection.execute(select(users_table.c.failures)).scalar_one() == 1
    assert chain()[-1] == ("an", "session.refused", "user/an")


def test_an_unknown_name_gets_the_same_answer_as_a_wrong_password_and_fills_no_chain(door, centre, add_user, chain):
    add_user(centre, "an", "analyst")
    before = chain()
    known, unknown = (door.ask("session.begin", {"name": name, "password": "x"}, console=True) for name in ("an", "be"))
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert chain() == [*before, ("an", "session.refused", "user/an")]


def test_five_wrong_passwords_in_a_row_lock_the_account_for_a_while_also_for_the_right_one(
    door, centre, add_user, clock
):
    right = {"name": "an", "password": add_user(centre, "an", "analyst")}
    wrong = {**right, "password": "wrong"}

    def begin(values):
        return door.ask("session.begin", values, console=True).status_code

    assert [begin(wrong) for _ in range(MOST_FAILURES - 1)] == [403] * 4
    assert begin(right) == 200  # which starts the count anew
    assert [begin(wrong) for _ in range(MOST_FAILURES)] == [403] * 5
    clock.forward(LOCKED - 1)
    assert begin(right) == 403
    clock.forward(1)
    assert begin(right) == 200


def test_sessions_enter_the_audit_chain(door, centre, add_user, chain):
    password = add_user(centre, "an", "analyst")
    door.ask("session.begin", {"name": "an", "password": password}, console=True)
    assert chain()[-1] == ("an", "session.begin", "user/an")


NOBODY = pwd.getpwnam("nobody").pw_uid
ROOT = pwd.getpwuid(0).pw_name


def test_the_account_that_runs_the_centre_and_root_are_administrators_of_the_machine():
    identify = local_caller(NOBODY, {})
    assert identify(NOBODY) == Caller("local:nobody", "local")
    assert identify(0) == Caller(f"local:{ROOT}", "local")


def test_whom_the_settings_map_to_a_user_is_that_user_and_nothing_more():
    identify = local_caller(NOBODY, {"nobody": "an", ROOT: "binh"})
    assert identify(NOBODY) == Caller("an", "user")
    assert identify(0) == Caller("binh", "user")


@pytest.mark.parametrize("uid", [NOBODY, 3_999_999_999])
def test_any_other_account_is_nobody(uid):
    identify = local_caller(uid + 1, {})
    with pytest.raises(RefusedError, match=r"is mapped to no user: see \[centre.accounts\] in haidang.toml"):
        identify(uid)


@contextmanager
def listening(app, path):
    """The application on a Unix socket, as the centre's process serves it."""
    loop = asyncio.new_event_loop()
    serving = loop.create_task(serve(app, unix_listening(path, open_to_all=False), http=PeerCredentials))
    thread = Thread(target=loop.run_until_complete, args=(serving,))
    thread.start()
    try:
        yield CentreClient(path)
    finally:
        loop.call_soon_threadsafe(serving.cancel)
        thread.join()
        loop.close()


def test_over_the_socket_the_kernel_says_who_calls(tmp_path, centre, built, add_user, surroundings):
    add_user(centre, "an", "analyst")
    asked = []

    def identify(uid):
        asked.append(uid)
        return Caller("an", "user")

    path = tmp_path / "api.sock"
    with listening(built(lambda: people_app(centre, TOKEN, identify, surroundings(centre))), path) as client:
        assert client.call("incidents.create", title="Mất mạng") == {"id": 1, "version": 1}
        assert client.call("incidents.acknowledge", id=1) == {"id": 1, "version": 2}
        with pytest.raises(RefusedError, match=r"'an' may not do this: it needs the right users\.read"):
            client.call("users.list")
        with pytest.raises(NotFoundError, match="there is no incident 9"):
            client.call("incidents.note", id=9, text="x")
        client.close()
    assert asked == [os.getuid()] * 4
    assert path.stat().st_mode & 0o777 == 0o600


def test_over_the_socket_the_console_acts_for_its_users(tmp_path, centre, built, add_user, surroundings):
    add_user(centre, "an", "analyst")
    path = tmp_path / "api.sock"

    def nobody(_):
        raise RefusedError("no account")

    with listening(built(lambda: people_app(centre, TOKEN, nobody, surroundings(centre))), path):
        console = CentreClient(path, TOKEN)
        assert console.call("incidents.create", actor="an", title="Mất mạng") == {"id": 1, "version": 1}
        with pytest.raises(RefusedError, match="wrong name or password"):
            console.call("session.begin", name="an", password="wrong")
        console.close()


def test_a_number_larger_than_any_incidents_is_malformed_or_not_found(door):
    assert door.ask("incidents.note", {"id": 1 << 64, "text": "x"}).status_code in {400, 404}


def test_a_right_is_asked_for_before_anything_is_read_for_the_action(door, centre, add_user, monkeypatch):
    add_user(centre, "xem", "viewer")
    add_user(centre, "cu", "engineer", disabled=1)
    read = []
    action = replace(ACTIONS["inventory.compare"], outside=lambda *_: read.append(1), do=lambda _: {})
    monkeypatch.setitem(ACTIONS, "inventory.compare", action)
    for name in ("xem", "cu"):
        answer = door.ask("inventory.compare", {"content": ""}, console=True, actor=name)
        reason = f"'{name}' may not do this: it needs the right inventory.write"
        assert (answer.status_code, answer.json()) == (409, {"reason": reason})
    assert read == []
    assert door.ask("inventory.compare", {"content": ""}).json() == {}
    assert read == [1]


def test_a_right_that_was_lost_meanwhile_is_missed_when_it_is_done(door, centre, add_user, monkeypatch):
    add_user(centre, "kysu", "engineer")
    action = ACTIONS["inventory.compare"]

    def lose(*_):
        centre.change(lambda connection, now: disable_user(connection, now, "quantri", "kysu"))

    monkeypatch.setitem(ACTIONS, "inventory.compare", replace(action, outside=lose))
    answer = door.ask("inventory.compare", {"content": ""}, console=True, actor="kysu")
    assert answer.json() == {"reason": "'kysu' may not do this: it needs the right inventory.write"}


NO_BODIES = {"none": b"", "cut": b'{"title": "x', "other": b'{"title": 7}', "deep": b'{"other": ' + b"[" * 100_000}


@pytest.mark.parametrize("body", NO_BODIES.values(), ids=NO_BODIES)
def test_a_body_that_cannot_be_decoded_is_refused_for_want_of_the_right_first(door, centre, add_user, body):
    add_user(centre, "xem", "viewer")
    add_user(centre, "an", "analyst")

    def post(name):
        headers = {"Authorization": f"Bearer {door.token}", ACTOR_HEADER: name}
        return door.client.post("/api/incidents.create", content=body, headers=headers)

    assert post("xem").json() == {"reason": "'xem' may not do this: it needs the right incident.write"}
    assert post("nobody").status_code == 404
    assert post("an").status_code == 400


def test_refusals_enter_the_chain_once_a_minute_of_an_actor_and_an_action(door, centre, add_user, clock, chain):
    add_user(centre, "xem", "viewer")
    add_user(centre, "xem2", "viewer")
    before = len(chain())

    def ask(user, action):
        assert door.ask(action, {"name": "moi"}, console=True, actor=user).status_code == 409

    for _ in range(3):
        for user in ("xem", "xem2"):
            ask(user, "users.add")
    ask("xem", "users.reset")
    clock.forward(MINUTE - 1)
    ask("xem", "users.add")
    assert chain()[before:] == [
        ("xem", "right.refused", "action/users.add"),
        ("xem2", "right.refused", "action/users.add"),
        ("xem", "right.refused", "action/users.reset"),
    ]
    clock.forward(1)
    ask("xem", "users.add")
    assert chain()[before + 3 :] == [("xem", "right.refused", "action/users.add")]


def test_nobody_says_by_a_header_from_which_address_he_comes():
    @get("/", sync_to_thread=False)
    def told(request: Request[Any, Any, Any]) -> str:
        return f"{request.client.host} {request.url.scheme}"

    bound = serving.listening("test", f"127.0.0.1:{free_ports(1)[0]}")
    loop = asyncio.new_event_loop()
    task = loop.create_task(serve(Litestar([told], openapi_config=None), bound))
    thread = Thread(target=loop.run_until_complete, args=(task,))
    thread.start()
    try:
        host, port = bound.getsockname()
        headers = {"X-Forwarded-For": "10.0.0.5", "X-Forwarded-Proto": "https"}
        assert httpx.get(f"http://{host}:{port}/", headers=headers).text == "127.0.0.1 http"
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()
