"""Rule packs, switches, the catalogue of rules and counts of their hits; alerts by rule."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BATCH = 1000


def upgrade() -> None:
    """Creates the tables and names each alert's rule beside it."""
    _packs()
    _switches()
    _catalogue()
    _hits()
    _alerts_by_rule()


def _packs() -> None:
    op.create_table(
        "rule_texts",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "rule_packs",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", "number"),
    )


def _switches() -> None:
    op.create_table(
        "rules_off",
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("rule"),
    )


def _catalogue() -> None:
    op.create_table(
        "rules",
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("plain", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("file", "number"),
    )
    op.create_index(op.f("ix_rules_id"), "rules", ["id"], unique=False)


def _hits() -> None:
    op.create_table(
        "rule_hits",
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "hour"),
    )
    op.create_index("rule_hits_hour", "rule_hits", ["hour"], unique=False)
    op.create_table(
        "rule_totals",
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rule"),
    )


def _alerts_by_rule() -> None:
    op.add_column("alerts", sa.Column("rule", sa.String(), nullable=False, server_default=sa.text("''")))
    connection = op.get_bind()
    alerts = sa.table("alerts", sa.column("id"), sa.column("rule"), sa.column("body"))
    change = sa.update(alerts).where(alerts.c.id == sa.bindparam("named")).values(rule=sa.bindparam("of"))
    names = connection.execute(sa.select(alerts.c.id)).scalars().all()
    for start in range(0, len(names), _BATCH):
        wanted = sa.select(alerts.c.id, alerts.c.body).where(alerts.c.id.in_(names[start : start + _BATCH]))
        told = [{"named": row.id, "of": _rule_of(row.body)} for row in connection.execute(wanted)]
        connection.execute(change, told)
    op.create_index("alerts_rule", "alerts", ["rule", "start"], unique=False)


def _rule_of(body: bytes) -> str:
    return str(msgspec.msgpack.decode(body)["rule"])
