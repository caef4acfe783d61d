"""Alembic's entry into identity's migrations."""

from __future__ import annotations

from services.identity.store.tables import METADATA
from shared.db.migrate import run_here

run_here(METADATA)
