"""How alembic runs our revisions: on the connection it is handed, inside the caller's transaction."""

from __future__ import annotations

from alembic import context

from core.stores.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
