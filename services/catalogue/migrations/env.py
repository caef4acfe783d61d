"""Where Alembic enters."""

from services.catalogue.store.tables import METADATA
from shared.db.migrate import run_here

run_here(METADATA)
