"""Payment files: bytes, MsgId and SHA-256 are stored before anybody approves them, and never change."""

from services.settlement.store.files.approving import approve, approve_one
from services.settlement.store.files.building import BuiltFile, build, put
from services.settlement.store.files.rows import (
    TABLE,
    File,
    approved_content,
    content,
    found,
    instructions_of,
    of_batch,
    page,
)

__all__ = [
    "TABLE",
    "BuiltFile",
    "File",
    "approve",
    "approve_one",
    "approved_content",
    "build",
    "content",
    "found",
    "instructions_of",
    "of_batch",
    "page",
    "put",
]
