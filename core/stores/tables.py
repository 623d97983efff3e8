"""The tables of the centre's state database. Changes to them are alembic revisions in ``core/migrations``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData()

relay_positions = Table(
    "relay_positions",
    metadata,
    Column("lane", String, primary_key=True),
    Column("epoch", String, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

hits = Table(  # alerts as lanes sent them; correlation rebuilds its windows from these
    "hits",
    metadata,
    Column("id", String, primary_key=True),
    Column("time", BigInteger, nullable=False, index=True),  # of arrival
    Column("body", LargeBinary, nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String, nullable=False, index=True),
    Column("state", String, nullable=False, index=True),
    Column("severity", Integer, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

incident_sites = Table(  # by which a scope is applied
    "incident_sites",
    metadata,
    Column("incident", ForeignKey("incidents.id"), primary_key=True),
    Column("site", String, primary_key=True),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", String, primary_key=True),
    Column("incident", ForeignKey("incidents.id"), nullable=False, index=True),
    Column("start", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

timeline = Table(
    "timeline",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", ForeignKey("incidents.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("detail", String, nullable=False),
    Index("timeline_incident", "incident", "id"),
)

users = Table(
    "users",
    metadata,
    Column("name", String, primary_key=True),
    Column("role", String, nullable=False),
    Column("password", String, nullable=False),  # argon2id, in its own encoded form
    Column("must_change", Integer, nullable=False),
    Column("disabled", Integer, nullable=False),
    Column("failures", Integer, nullable=False),  # wrong passwords since the last right one
    Column("locked_until", BigInteger, nullable=False),  # no password is right before this time
    Column("session", Integer, nullable=False),  # grows when all of the user's sessions end
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("object", String, nullable=False, index=True),
    Column("detail", String, nullable=False),
    Column("previous", String, nullable=False),
    Column("hash", String, nullable=False),
)
