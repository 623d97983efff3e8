"""Quarterly reviews of all accounts, in the state database. The centre is the only writer.

Source: TCVN 14423:2026, 6.6.2.1 d: the list of accounts is reviewed each quarter. A review is due within its quarter,
in Vietnam's calendar; whoever signs it has decided on none of the accounts. Accounts that are made meanwhile belong to
it, and a verdict is on the roles that the account has when it is given.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from core import audit
from core.errors import NotFoundError, RefusedError
from core.records import Record
from core.stores.grants import roles_text
from core.stores.tables import review_rows, reviews
from core.stores.users import User, is_made_by, list_users

Verdict: TypeAlias = Literal["keep", "change", "disable"]

MONTHS = 3
"""Of a quarter."""


class Review(Record, frozen=True, kw_only=True):
    """A review: its quarter (``2026-Q4``), when and by whom it was begun and signed; 0 and empty until then."""

    quarter: str
    time: int
    actor: str
    signed: int = 0
    signed_by: str = ""


class ReviewRow(Record, frozen=True, kw_only=True):
    """An account in a review: its roles when that began or it was decided on, and the verdict, empty until then."""

    user: str
    roles: str
    verdict: Verdict | Literal[""] = ""
    text: str = ""
    time: int = 0
    actor: str = ""


def quarter_of(day: str) -> str:
    """The quarter of a day (``2026-11-22``): ``2026-Q4``."""
    found = date.fromisoformat(day)
    return f"{found.year}-Q{(found.month - 1) // MONTHS + 1}"


def last_day(quarter: str) -> str:
    """The day on which a review of that quarter is due at the latest."""
    year, month = int(quarter[:4]), int(quarter[-1]) * MONTHS
    return date(year, month, calendar.monthrange(year, month)[1]).isoformat()


def before(quarter: str) -> str:
    """The quarter before."""
    year, number = int(quarter[:4]), int(quarter[-1])
    return f"{year}-Q{number - 1}" if number > 1 else f"{year - 1}-Q4"


def list_reviews(connection: Connection) -> list[Review]:
    """All reviews, the latest first."""
    rows = connection.execute(select(reviews).order_by(reviews.c.quarter.desc()))
    return [Review(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name


def read_review(connection: Connection, quarter: str = "") -> Review:
    """The review of that quarter, else the latest.

    Raises:
        NotFoundError: there is none.
    """
    found = next((one for one in list_reviews(connection) if quarter in {"", one.quarter}), None)
    if found is None:
        of = f" of {quarter}" if quarter else ""
        raise NotFoundError(f"there is no review{of}: begin one with 'haidang users review begin'")
    return found


def read_rows(connection: Connection, quarter: str) -> list[ReviewRow]:
    """The accounts that have a row in it, by name."""
    query = select(review_rows).where(review_rows.c.quarter == quarter).order_by(review_rows.c.user)
    return [_row(row) for row in connection.execute(query)]


def rows_of(connection: Connection, quarter: str, accounts: Iterable[User]) -> list[tuple[User, ReviewRow]]:
    """Each of these accounts with its row; one that was made meanwhile with an empty one."""
    known = {row.user: row for row in read_rows(connection, quarter)}
    return [(one, known.get(one.name) or ReviewRow(user=one.name, roles=roles_text(one.grants))) for one in accounts]


def begin(connection: Connection, now: int, actor: str, quarter: str, accounts: Iterable[User]) -> None:
    """Begins the review of these accounts with the roles that they have now.

    Raises:
        RefusedError: it has begun already.
    """
    if any(one.quarter == quarter for one in list_reviews(connection)):
        raise RefusedError(f"the review of {quarter} has begun already")
    connection.execute(insert(reviews).values(quarter=quarter, time=now, actor=actor))
    empty = {"quarter": quarter, "verdict": "", "text": "", "time": 0, "actor": ""}
    rows = [empty | {"user": one.name, "roles": roles_text(one.grants)} for one in accounts]
    connection.execute(insert(review_rows), rows)
    audit.append(connection, now, actor, "review.begin", f"review/{quarter}", f"{len(rows)} accounts")


def decide(connection: Connection, now: int, actor: str, quarter: str, row: ReviewRow) -> None:
    """Enters the row's verdict and text on an account with the roles that it has now, also in place of an earlier one.

    Raises:
        RefusedError: the review is signed.
    """
    _must_be_open(read_review(connection, quarter))
    values = {"roles": row.roles, "verdict": row.verdict, "text": row.text, "time": now, "actor": actor}
    statement = upsert(review_rows).values(quarter=quarter, user=row.user, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["quarter", "user"], set_=values))
    told = f"{row.user}: {row.verdict}" + (f": {row.text}" if row.text else "")
    audit.append(connection, now, actor, "review.decide", f"review/{quarter}", told)


def sign(connection: Connection, now: int, actor: str, quarter: str) -> None:
    """Signs the review.

    Raises:
        NotFoundError: there is none.
        RefusedError: it is signed, an account has no verdict on its present roles, or the actor ever decided on one,
            or owes his own account to who did.
    """
    _must_be_open(read_review(connection, quarter))
    rows = rows_of(connection, quarter, list_users(connection))
    left = [user.name for user, row in rows if not row.verdict]
    if left:
        raise RefusedError(f"{len(left)} accounts have no verdict yet, the first is '{left[0]}'")
    changed = [user.name for user, row in rows if not _is_of_today(user, row)]
    if changed:
        raise RefusedError(f"{len(changed)} accounts have other roles since their verdict, the first is '{changed[0]}'")
    _must_be_another(connection, now, actor, audit.actors_of(connection, f"review/{quarter}", ("review.decide",)))
    connection.execute(update(reviews).where(reviews.c.quarter == quarter).values(signed=now, signed_by=actor))
    audit.append(connection, now, actor, "review.sign", f"review/{quarter}", f"{len(rows)} accounts")


def has_grown(user: User, row: ReviewRow) -> bool:
    """Whether the account has a role that it did not have then."""
    return not _roles(roles_text(user.grants)) <= _roles(row.roles)


def _is_of_today(user: User, row: ReviewRow) -> bool:
    """Whether the verdict is on the roles of today; what was decided to be changed may have been taken away."""
    return row.roles == roles_text(user.grants) if row.verdict == "keep" else not has_grown(user, row)


def _roles(text: str) -> frozenset[str]:
    return frozenset(text.split(", ")) - {""}


def _must_be_another(connection: Connection, now: int, actor: str, deciders: frozenset[str]) -> None:
    if actor in deciders:
        raise RefusedError("who decided on an account does not sign: ask another person")
    if maker := next((one for one in sorted(deciders) if is_made_by(connection, now, actor, one)), ""):
        raise RefusedError(
            f"'{maker}', who decided on accounts, has made, granted to or reset your account within 30 days: "
            "it takes an approver who owes it to none of those who decided"
        )


def _must_be_open(review: Review) -> None:
    if review.signed:
        raise RefusedError(f"the review of {review.quarter} is signed")


def _row(row: Row[Any]) -> ReviewRow:
    return ReviewRow(user=row.user, roles=row.roles, verdict=row.verdict, text=row.text, time=row.time, actor=row.actor)
