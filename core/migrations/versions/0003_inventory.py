"""The inventory, rights by unit, second factors, requests that need two people, reviews, credentials, retention."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TEXTS = ("address", "issuer", "subject")
_TIMES = ("totp_used", "seen", "created")


def upgrade() -> None:
    """Creates the tables; a user's role becomes a grant over the whole sector."""
    _users()
    _requests()
    _reviews()
    _inventory()
    _credentials()


def _users() -> None:
    op.create_table(
        "grants",
        sa.Column("user", sa.String(), sa.ForeignKey("users.name"), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("user", "role", "unit"),
    )
    op.execute("INSERT INTO grants SELECT name, role, '', 0, 'haidang' FROM users")
    op.drop_column("users", "role")
    op.add_column("users", sa.Column("totp", sa.LargeBinary(), nullable=True))
    for name in _TIMES:
        op.add_column("users", sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    # Who was there before is as if made now, or all would be idle for as long as time is counted.
    op.execute("UPDATE users SET created = CAST(strftime('%s', 'now') AS INTEGER) * 1000000000")
    for name in _TEXTS:
        op.add_column("users", sa.Column(name, sa.String(), nullable=False, server_default=sa.text("''")))


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("decided_by", sa.String(), nullable=False, server_default=sa.text("''")),
        sa.Column("answer", sa.String(), nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_requests_state"), "requests", ["state"], unique=False)
    op.create_table(
        "retention",
        sa.Column("class", sa.String(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("class", "time"),
    )


def _reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("quarter", sa.String(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("signed", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("signed_by", sa.String(), nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("quarter"),
    )
    op.create_table(
        "review_rows",
        sa.Column("quarter", sa.String(), sa.ForeignKey("reviews.quarter"), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("quarter", "user"),
    )


def _inventory() -> None:
    op.create_table(
        "inventory",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key"),
    )
    op.create_table(
        "marks",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "credential_targets",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("credential", sa.String(), sa.ForeignKey("credentials.name"), nullable=False),
        sa.PrimaryKeyConstraint("kind", "target", "credential"),
    )
