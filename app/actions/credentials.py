"""What people may ask of the centre about credential sets. No answer and no text of an error holds a secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from app.actions.calls import Answer, Call
from core import audit
from core.errors import IntegrityError, NotFoundError, RefusedError, UnavailableError
from core.records import Record
from core.stores import credentials
from core.stores.credentials import Target
from inventory.credentials import canonical_target, choose_for, encode_credential, kind_of, read_credential


class OfCredential(Record, frozen=True, kw_only=True):
    """A credential set's name and secrets, hidden from the moment they are decoded.

    Attributes:
        credential: the kind and its fields, as ``inventory.credentials.read_credential`` takes them; then that record.
        replace: put them in the place of the set's present ones.
    """

    name: str
    credential: Any
    replace: bool = False

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "credential", read_credential(self.credential))


class OfSet(Record, frozen=True, kw_only=True):
    """Names a credential set."""

    name: str


class OfTarget(Record, frozen=True, kw_only=True):
    """Names a credential set and something it is for: a device, prefix, site or family."""

    name: str
    kind: str
    target: str


class OfDevice(Record, frozen=True, kw_only=True):
    """Names a device."""

    device: str


def put(call: Call) -> Answer:
    """credentials.put (OfCredential): adds a credential set, or replaces one."""
    asked: OfCredential = call.values
    kind = kind_of(asked.credential)
    with _told():
        sealed = call.vault.encrypt(encode_credential(asked.credential), credentials.subject(asked.name))
    write = credentials.replace_set if asked.replace else credentials.add_set
    write(call.connection, call.now, call.by, asked.name, kind, sealed)
    return {"name": asked.name, "kind": kind}


def remove(call: Call) -> Answer:
    """credentials.remove (OfSet): removes a credential set with its targets."""
    credentials.remove_set(call.connection, call.now, call.by, call.values.name)
    return {"name": call.values.name}


def assign(call: Call) -> Answer:
    """credentials.assign (OfTarget): says what a credential set is for."""
    target = _target(call)
    _must_know(call, target)
    credentials.assign(call.connection, call.now, call.by, target)
    return target._asdict()


def unassign(call: Call) -> Answer:
    """credentials.unassign (OfTarget): takes that back, also for what is no longer in the inventory."""
    target = _target(call)
    credentials.unassign(call.connection, call.now, call.by, target)
    return target._asdict()


def list_(call: Call) -> Answer:
    """credentials.list (Nothing): names, kinds, targets, when and by whom."""
    return {"sets": [msgspec.to_builtins(one) for one in credentials.list_sets(call.connection, call.scope)]}


def which(call: Call) -> Answer:
    """credentials.which (OfDevice): the names of the sets for a device, in the order in which they are tried."""
    targets = credentials.read_targets(call.connection, call.scope)
    device = call.inventory.device_named(call.values.device)
    site = call.inventory.site(device.site) if device else None
    if device is None or site is None:
        raise NotFoundError(f"there is no device '{call.values.device}'")
    return {"names": choose_for(device, site, targets)}


def rotate(call: Call) -> Answer:
    """credentials.rotate (Nothing): a new key, and all that is sealed sealed anew under it.

    The old keys stay until ``retire``: this call's changes may still fail to reach the disk.
    """
    with _told():
        key = call.vault.rotate()
        count = credentials.renew_all(call.connection, call.vault)
    detail = msgspec.json.encode({"key": key, "renewed": count}).decode()
    audit.append(call.connection, call.now, call.by, "vault.rotate", "vault", detail)
    return {"renewed": count}


def retire(call: Call) -> Answer:
    """credentials.retire (Nothing): removes the keys by which nothing stored is sealed any more."""
    with _told():
        gone = call.vault.retire(credentials.keys_in_use(call.connection))
    if gone:
        audit.append(call.connection, call.now, call.by, "vault.retire", "vault", ", ".join(gone))
    return {"retired": len(gone)}


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with the vault is told to whoever asked: it says what to do."""
    try:
        yield
    except (IntegrityError, UnavailableError) as error:
        raise RefusedError(str(error)) from error


def _target(call: Call) -> Target:
    asked: OfTarget = call.values
    return Target(asked.kind, canonical_target(asked.kind, asked.target), asked.name)


def _must_know(call: Call, target: Target) -> None:
    find = {"device": call.inventory.device_named, "site": call.inventory.site}.get(target.kind)
    if find and find(target.target) is None:
        raise NotFoundError(f"there is no {target.kind} '{target.target}' in the inventory")
