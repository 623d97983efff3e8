"""Requests say which units they concern and what must not change until they are decided."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_OF_BODY = "json_extract(CAST(body AS TEXT), '$.{}')"


def upgrade() -> None:
    """Adds the columns; what grants a role tells them itself, all else is the whole sector's."""
    units = sa.Column("units", sa.String(), nullable=False, server_default=sa.text("'[\"\"]'"))
    op.add_column("requests", units)
    op.add_column("requests", sa.Column("subject", sa.String(), nullable=False, server_default=sa.text("''")))
    unit, name = _OF_BODY.format("unit"), _OF_BODY.format("name")
    told = f"units = json_array(coalesce({unit}, '')), subject = 'user/' || {name}"
    op.execute(f"UPDATE requests SET {told} WHERE action = 'users.grant'")  # noqa: S608 - of constants
