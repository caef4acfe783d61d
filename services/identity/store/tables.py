"""The tables of identity. Personal data stands only in columns named `sealed_...`; `lookup` holds keyed hashes."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

METADATA = MetaData(schema="identity")

PARTNERS = Table(
    "partners",
    METADATA,
    Column("partner_id", Text, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

STORES = Table(
    "stores",
    METADATA,
    Column("partner_id", Text, ForeignKey(PARTNERS.c.partner_id), primary_key=True),
    Column("store_id", Text, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

CREDENTIALS = Table(
    "credentials",
    METADATA,
    Column("credential_id", Uuid, primary_key=True),
    Column("partner_id", Text, ForeignKey(PARTNERS.c.partner_id), nullable=False, index=True),
    Column("display_name", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
)

MEMBERS = Table(
    "members",
    METADATA,
    Column("member_id", Uuid, primary_key=True),
    Column("wallet_id", Uuid, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("terms_version", Text, nullable=False),
    Column("segments", ARRAY(Text), nullable=False),
    Column("enrolled_by", Text, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("request_hash", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("enrolled_by", "request_id"),
)

# Apart from what it opens: deleting the row of a member makes everything sealed about that member unreadable for ever.
MEMBER_KEYS = Table(
    "member_keys",
    METADATA,
    Column("member_id", Uuid, ForeignKey(MEMBERS.c.member_id), primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

PROFILES = Table(
    "profiles",
    METADATA,
    Column("member_id", Uuid, ForeignKey(MEMBERS.c.member_id), primary_key=True),
    Column("sealed_profile", LargeBinary, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)

IDENTIFIERS = Table(
    "identifiers",
    METADATA,
    Column("lookup", LargeBinary, primary_key=True),
    Column("member_id", Uuid, ForeignKey(MEMBERS.c.member_id), nullable=False, index=True),
    Column("type", Text, nullable=False),
    Column("sealed_value", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

CODES = Table(
    "codes",
    METADATA,
    Column("member_id", Uuid, ForeignKey(MEMBERS.c.member_id), primary_key=True),
    Column("sealed_seed", LargeBinary, nullable=False),
    Column("last_step", BigInteger, nullable=False),
)

# What the operator's people did to members, and why. Only ever added to.
CHANGES = Table(
    "changes",
    METADATA,
    Column("change_id", Uuid, primary_key=True),
    Column("member_id", Uuid, ForeignKey(MEMBERS.c.member_id), nullable=False, index=True),
    Column("change", Text, nullable=False),
    Column("sealed_reason", LargeBinary),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)
