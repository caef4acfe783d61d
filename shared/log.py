"""Logs: sentences with fields, one JSON object per line on stderr. The journal, not the log, is the record.

A field is written only when its name is known here or was announced by the service: what nobody has cleared cannot
carry personal data. The names of fields left out are written, so that a developer notices.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from shared.lines import Lines

get_logger: Callable[[], structlog.typing.FilteringBoundLogger] = structlog.get_logger

_encode = json.JSONEncoder(default=str, ensure_ascii=False).encode
_fields: ContextVar[Mapping[str, object]] = ContextVar("log_fields", default={})  # noqa: B039  nobody changes it
_DETAIL = re.compile(r"^DETAIL: .*$", re.MULTILINE)
_LIBRARY_FIELDS = frozenset({"event", "level", "time", "service", "logger", "exception", "stack", "left_out"})
_OUR_FIELDS = """
    address age_ms attempt batch batch_id bucket buckets call_id caller checkpoint code count cursor database depth
    detail entries entry error events for_call from_seq grants hold incident items key_id kind lag_ms left_ms limit
    line lots method methods migration ms name partner path pid points port purchase queue reason receipt remaining
    request_id resolved resource retry_after_ms revision role rows run schema seconds seq size sqlstate state
    statement statements status step store terminal threads to_seq trace_id transfer unit version wallet wallets
    window windows
"""
KNOWN_FIELDS = _LIBRARY_FIELDS.union(_OUR_FIELDS.split())


def fields() -> Mapping[str, object]:
    """What every line says that is written while this call, or this task, is worked on."""
    return _fields.get()


def set_fields(mine: Mapping[str, object]) -> None:
    """Say this from now on, and nothing of what was said before."""
    _fields.set(mine)


def add_fields(**more: object) -> None:
    """Say this, too."""
    _fields.set({**_fields.get(), **more})


def configure(service: str, level: str = "info", *, also: Iterable[str] = (), unknown_fields: bool = False) -> None:
    """Send the logs of this process, and those of its libraries, to stderr.

    `also` announces further field names that hold no personal data. `unknown_fields` is for development.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    before: list[structlog.typing.Processor] = [
        _with_fields,
        structlog.stdlib.add_log_level,
        _Stamp(service),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _without_rows,
    ]
    if not unknown_fields:
        before.append(_Cleared(KNOWN_FIELDS.union(also)))
    lines = _lines_to(sys.stderr)
    structlog.configure(
        processors=[*before, _rendered],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: _Loud(lines),
        cache_logger_on_first_use=True,
    )
    _adopt_standard_logging(before, lines, threshold)


def flush() -> None:
    """Write what has been said, now: whoever says next why the process ends has the last word."""
    for handler in logging.getLogger().handlers:
        handler.flush()


def _adopt_standard_logging(before: list[structlog.typing.Processor], lines: Lines, threshold: int) -> None:
    """Libraries speak `logging`: the same lines, from warnings on."""
    handler = logging.StreamHandler(lines)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _rendered],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(threshold, logging.WARNING))


@lru_cache(maxsize=1)
def _lines_to(stream: TextIO) -> Lines:
    """The same for whoever configures twice: loggers keep what they were given first, and lines keep their order."""
    return Lines(stream)


class _Loud:
    """What each level does with its line: a warning must not wait, least of all before a fall."""

    def __init__(self, lines: Lines) -> None:
        self.debug = self.info = lines.put
        self.warning = self.error = self.critical = self.exception = self.fatal = lines.now


def _with_fields(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """The line's own fields beside those of its call."""
    return {**_fields.get(), **event}


def _rendered(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    return _encode(event)


def _without_rows(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """PostgreSQL explains a broken rule with the row that broke it; rows may hold personal data."""
    if "exception" in event:
        event["exception"] = _DETAIL.sub("DETAIL: left out", event["exception"])
    return event


class _Stamp:
    """Who wrote the line, and when by the machine's clock: operators compare logs across services."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._time = structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")

    def __call__(self, logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
        event["service"] = self._service
        return self._time(logger, name, event)


class _Cleared:
    """Drops the fields whose names nobody has cleared."""

    def __init__(self, known: frozenset[str]) -> None:
        self._known = known

    def __call__(self, _logger: WrappedLogger, _name: str, event: MutableMapping[str, Any]) -> EventDict:
        strange = [name for name in event if name not in self._known and not name.startswith("_")]
        for name in strange:
            del event[name]
        if strange:
            event["left_out"] = sorted(strange)
        return event
