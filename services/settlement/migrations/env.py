"""Alembic's entry into settlement's migrations. The tables are written in SQL, so there is no metadata to compare."""

from __future__ import annotations

from sqlalchemy import MetaData

from shared.db.migrate import run_here

run_here(MetaData(schema="settlement"))
