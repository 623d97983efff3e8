"""The tables of the centre's state database. Changes to them are alembic revisions in ``core/migrations``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, text

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
    Column("rule", String, nullable=False, server_default=text("''")),
    Index("alerts_rule", "rule", "start"),
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
    Column("password", String, nullable=False),  # argon2id, in its own encoded form; empty where a provider vouches
    Column("must_change", Integer, nullable=False),
    Column("disabled", Integer, nullable=False),
    Column("failures", Integer, nullable=False),  # wrong passwords since the last right one
    Column("locked_until", BigInteger, nullable=False),  # no password is right before this time
    Column("session", Integer, nullable=False),  # grows when all of the user's sessions end
    Column("totp", LargeBinary),  # the secret of the second factor, encrypted by core.vault
    Column("totp_used", BigInteger, nullable=False, server_default=text("0")),  # the last time step that was accepted
    Column("address", String, nullable=False, server_default=text("''")),  # of a wallboard: it signs in from here only
    Column("issuer", String, nullable=False, server_default=text("''")),  # the OpenID provider that vouches for it
    Column("subject", String, nullable=False, server_default=text("''")),  # and its identifier there
    Column("seen", BigInteger, nullable=False, server_default=text("0")),  # the last sign-in
    Column("created", BigInteger, nullable=False, server_default=text("0")),
)

grants = Table(
    "grants",
    metadata,
    Column("user", ForeignKey("users.name"), primary_key=True),
    Column("role", String, primary_key=True),
    Column("unit", String, primary_key=True),  # for its subtree; empty for the whole sector
    Column("time", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
)

requests = Table(  # what needs a second person
    "requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("body", LargeBinary, nullable=False),  # the action's values, JSON
    Column("reason", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("decided", BigInteger, nullable=False, server_default=text("0")),
    Column("decided_by", String, nullable=False, server_default=text("''")),
    Column("answer", String, nullable=False, server_default=text("''")),
    Column("units", String, nullable=False, server_default=text("'[\"\"]'")),  # that it concerned when asked for, JSON
    Column("subject", String, nullable=False, server_default=text("''")),  # which must not change meanwhile: user/an
    sqlite_autoincrement=True,
)

reviews = Table(  # of all accounts, each quarter
    "reviews",
    metadata,
    Column("quarter", String, primary_key=True),  # 2026-Q4
    Column("time", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
    Column("signed", BigInteger, nullable=False, server_default=text("0")),
    Column("signed_by", String, nullable=False, server_default=text("''")),
)

review_rows = Table(
    "review_rows",
    metadata,
    Column("quarter", ForeignKey("reviews.quarter"), primary_key=True),
    Column("user", String, primary_key=True),
    Column("roles", String, nullable=False),  # as they were when the review began, or when the account was decided on
    Column("verdict", String, nullable=False),  # keep, change, disable; empty while open
    Column("text", String, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
)

inventory = Table(  # where the settings name no folder of it
    "inventory",
    metadata,
    Column("kind", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

marks = Table(  # numbers that grow when something changes, so that readers know
    "marks",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

credentials = Table(
    "credentials",
    metadata,
    Column("name", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("body", LargeBinary, nullable=False),  # encrypted by core.vault
    Column("time", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
)

credential_targets = Table(  # what a credential set is for
    "credential_targets",
    metadata,
    Column("kind", String, primary_key=True),  # device, site, prefix, family
    Column("target", String, primary_key=True),
    Column("credential", ForeignKey("credentials.name"), primary_key=True),
)

retention = Table(  # days by class of data, dated
    "retention",
    metadata,
    Column("class", String, primary_key=True),
    Column("time", BigInteger, primary_key=True),
    Column("days", Integer, nullable=False),
    Column("actor", String, nullable=False),
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

rule_texts = Table(  # files of rules by the SHA-256 of their bytes
    "rule_texts",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("content", LargeBinary, nullable=False),  # zlib, RFC 1950
)

rule_packs = Table(  # every version of a pack; at most one of a name is active
    "rule_packs",
    metadata,
    Column("name", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("sha256", String, nullable=False),  # of the manifest
    Column("time", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
    Column("source", String, nullable=False),
    Column("files", Integer, nullable=False),
    Column("active", Integer, nullable=False),
    Column("manifest", LargeBinary, nullable=False),  # path to SHA-256; MessagePack in zlib
)

rules_off = Table(  # rules that people have switched off
    "rules_off",
    metadata,
    Column("rule", String, primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
    Column("reason", String, nullable=False),
)

rules = Table(  # the catalogue: every rule there is, used or not, written anew when the content changes
    "rules",
    metadata,
    Column("file", String, primary_key=True),
    Column("number", Integer, primary_key=True),  # within the file
    Column("id", String, nullable=False, index=True),  # empty for a file that could not be read
    Column("state", String, nullable=False),
    Column("level", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("product", String, nullable=False),
    Column("pack", String, nullable=False),
    Column("title", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("words", String, nullable=False),  # for searching: lower case
    Column("plain", String, nullable=False),  # the same without diacritics
    Column("body", LargeBinary, nullable=False),
)

rule_hits = Table(  # by hours of arrival, for the last month
    "rule_hits",
    metadata,
    Column("rule", String, primary_key=True),
    Column("hour", Integer, primary_key=True),  # since 1970
    Column("count", Integer, nullable=False),
    Index("rule_hits_hour", "hour"),
)

rule_totals = Table(  # for ever
    "rule_totals",
    metadata,
    Column("rule", String, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last", BigInteger, nullable=False),  # arrival of the latest hit
)
