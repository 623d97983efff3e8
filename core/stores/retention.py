"""For how many days each class of data is kept, as it was set over time. The centre is the only writer."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, insert, select

from core import audit
from core.records import Record
from core.retention import check_days, classes
from core.stores.tables import retention


class Setting(Record, frozen=True, kw_only=True):
    """From ``time`` (nanoseconds UTC) on, the class is kept for so many days; ``actor`` asked for it."""

    name: str
    time: int
    days: int
    actor: str


def put_days(connection: Connection, now: int, actor: str, setting: tuple[str, int], reason: str) -> None:
    """Has this class kept for so many days from now on.

    Raises:
        RefusedError: there is no such class, or the law asks for more.
    """
    name, days = setting
    check_days(name, days)
    before = days_of(connection)[name]
    connection.execute(insert(retention).values({"class": name, "time": now, "days": days, "actor": actor}))
    detail = msgspec.json.encode({"days": days, "before": before, "reason": reason}).decode()
    audit.append(connection, now, actor, "retention.set", f"retention/{name}", detail)


def list_settings(connection: Connection) -> list[Setting]:
    """All that was set, the latest first."""
    rows = connection.execute(select(retention).order_by(retention.c.time.desc(), retention.c["class"]))
    return [Setting(name=row[0], time=row.time, days=row.days, actor=row.actor) for row in rows]


def days_of(connection: Connection) -> dict[str, int]:
    """The days by class as they now are: the latest setting, else the class's default."""
    said = {setting.name: setting.days for setting in reversed(list_settings(connection))}
    return default_days() | {name: days for name, days in said.items() if name in classes()}


def default_days() -> dict[str, int]:
    """The days by class while nothing is set."""
    return {name: one.default for name, one in classes().items()}
