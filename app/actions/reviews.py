"""Actions of the quarterly review of accounts: begun and decided by administrators, signed by an approver."""

from __future__ import annotations

from typing import Annotated

import msgspec

from app.actions.accounts import is_own, own_user
from app.actions.calls import Answer, Call
from core.clock import vietnam_day
from core.errors import RefusedError
from core.records import Record
from core.stores import reviews, users
from core.stores.grants import roles_text
from core.stores.reviews import ReviewRow, Verdict, quarter_of
from core.stores.users import IDLE, User

Quarter = Annotated[str, msgspec.Meta(pattern=r"^(\d{4}-Q[1-4])?$")]


class OfQuarter(Record, frozen=True, kw_only=True):
    """Names a quarter, ``2026-Q4``; empty for the latest that has a review."""

    quarter: Quarter = ""


class OfVerdict(OfQuarter, frozen=True, kw_only=True):
    """What is decided on an account."""

    user: Annotated[str, msgspec.Meta(max_length=300)]
    verdict: Verdict
    text: Annotated[str, msgspec.Meta(max_length=1000)] = ""


def begin(call: Call) -> Answer:
    """Begins the review of this quarter over all accounts there are now."""
    if not call.scope.is_everything:
        raise RefusedError("a review is of all accounts: an administrator of the whole sector begins it")
    quarter, accounts = quarter_of(vietnam_day(call.now)), users.list_users(call.connection)
    if not accounts:
        raise RefusedError("there are no accounts to review")
    reviews.begin(call.connection, call.now, call.by, quarter, accounts)
    return {"quarter": quarter, "accounts": len(accounts)}


def decide(call: Call) -> Answer:
    """Enters a verdict on an account within the actor's units; to carry it out is another action."""
    asked: OfVerdict = call.values
    if asked.user == call.by:
        raise RefusedError("nobody decides on himself: ask another administrator")
    if asked.verdict != "keep" and not asked.text.strip():
        raise RefusedError("say what is to be changed, or why")
    user = own_user(call, asked.user)
    quarter = reviews.read_review(call.connection, asked.quarter).quarter
    row = ReviewRow(user=user.name, roles=roles_text(user.grants), verdict=asked.verdict, text=asked.text.strip())
    reviews.decide(call.connection, call.now, call.by, quarter, row)
    return {"quarter": quarter, "user": asked.user, "verdict": asked.verdict}


def sign(call: Call) -> Answer:
    """Signs the review."""
    if not call.scope.is_everything:
        raise RefusedError("a review is of all accounts: an approver of the whole sector signs it")
    quarter = reviews.read_review(call.connection, call.values.quarter).quarter
    reviews.sign(call.connection, call.now, call.by, quarter)
    return {"quarter": quarter}


def list_(call: Call) -> Answer:
    """All reviews, and of the chosen one the accounts within the actor's units."""
    found = reviews.list_reviews(call.connection)
    if not found and not call.values.quarter:
        return {"reviews": [], "quarter": "", "rows": []}
    quarter = reviews.read_review(call.connection, call.values.quarter).quarter
    own = [user for user in users.list_users(call.connection) if is_own(call, user)]
    shown = [_shown(row, user, call.now) for user, row in reviews.rows_of(call.connection, quarter, own)]
    return {"reviews": [msgspec.structs.asdict(one) for one in found], "quarter": quarter, "rows": shown}


def _shown(row: ReviewRow, user: User, now: int) -> dict[str, object]:
    """The row with how the account now is; ``is_done`` once what was decided has been carried out."""
    roles = roles_text(user.grants)
    is_changed, has_grown = roles != row.roles, reviews.has_grown(user, row)
    done = {"keep": not has_grown, "change": is_changed and not has_grown, "disable": user.disabled, "": False}
    return {
        **msgspec.structs.asdict(row),
        "roles_now": roles,
        "seen": user.seen,
        "idle": max(user.seen, user.created) < now - IDLE and not user.address,
        "disabled": user.disabled,
        "is_done": done[row.verdict],
    }
