"""What an action of the centre is: who calls with what values, which right it needs, and who does it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection

from core.clock import vietnam_day
from core.records import Record
from core.scope import Grant, Scope
from core.vault import Vault
from inventory.records import Inventory
from inventory.rights import scope_of

Answer = dict[str, object]

CallerKind: TypeAlias = Literal["user", "console", "local"]


@dataclass(frozen=True, slots=True)
class Actor:
    """In whose name something is done, and what that account was granted."""

    name: str
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One action being done: in whose name, when, on which connection, with what values.

    Attributes:
        right: what the action needs; the scope of a call is where the actor has it.
        before: what the action's ``outside`` found.
        inventory: as it was when the call came.
        vault: keeps secrets unreadable in the database.
        is_folder: the inventory is a folder of files, and not to be changed here.
        kind: through whom the call came: the console, this machine's own account, or a user by a local account.
    """

    connection: Connection
    now: int
    actor: Actor
    right: str
    values: Any
    before: Any
    inventory: Inventory
    vault: Vault
    is_folder: bool = False
    kind: CallerKind = "user"

    @property
    def by(self) -> str:
        """The actor's name."""
        return self.actor.name

    @property
    def scope(self) -> Scope:
        """Where the actor may do this."""
        return self.scope_for(self.right)

    def scope_for(self, right: str) -> Scope:
        """Where the actor may do what needs this right."""
        return scope_of(self.actor.grants, right, self.inventory, vietnam_day(self.now))


@dataclass(frozen=True, slots=True)
class Action:
    """What an action needs: a right (empty: only the console's own token), its values' type, and who does it.

    Attributes:
        outside: what takes long and only reads: it is done before, so that no other change waits for it.
        changes_rules: other rules may be in use afterwards.
        concerns: the units for which a second person has to approve; empty where one person is enough, and with the
            empty name among them where it concerns the whole sector.
        subject: what must stay as it is until the second person has decided, by its name in the audit chain.
    """

    right: str
    takes: type[Record]
    do: Callable[[Call], Answer]
    outside: Callable[[Connection, Any], object] = lambda *_: None
    changes_rules: bool = False
    concerns: Callable[[Call], Collection[str]] = lambda _: ()
    subject: Callable[[Call], str] = lambda _: ""


class Nothing(Record, frozen=True, kw_only=True):
    """No values."""
