"""Calendars, sets of rates and models as rows: inserted when a second person approves them, never changed."""

from services.settlement.store.reference.calendars import calendar, calendars, publish_calendar
from services.settlement.store.reference.checks import check
from services.settlement.store.reference.fx_sets import (
    AlreadyPublished,
    fx_set,
    fx_set_of,
    fx_sets,
    load_fx_set,
    newest_fx_set,
)
from services.settlement.store.reference.models import model, models, publish_model

__all__ = [
    "AlreadyPublished",
    "calendar",
    "calendars",
    "check",
    "fx_set",
    "fx_set_of",
    "fx_sets",
    "load_fx_set",
    "model",
    "models",
    "newest_fx_set",
    "publish_calendar",
    "publish_model",
]
