"""The tables as the queries see them; the migrations say what they promise."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData(schema="catalogue")

EARN_RULES = Table(
    "earn_rules",
    METADATA,
    Column("partner", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("effective_from", DateTime(timezone=True), nullable=False),
    Column("currency", Text, nullable=False),
    Column("rules", JSONB, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("request_hash", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

PURCHASES = Table(
    "purchases",
    METADATA,
    Column("purchase_id", Uuid, primary_key=True),
    Column("partner", Text, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("request_hash", LargeBinary, nullable=False),
    Column("wallet_id", Uuid, nullable=False),
    Column("segments", ARRAY(Text), nullable=False),
    Column("business_date", Date, nullable=False),
    Column("store", Text, nullable=False),
    Column("terminal", Text, nullable=False),
    Column("receipt_no", Text, nullable=False),
    Column("lines", JSONB, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("rules_version", Integer, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("parts", JSONB, nullable=False),
    Column("clawed_back", BigInteger, nullable=False),
    Column("standing", SmallInteger, nullable=False),
    Column("entry_bucket", Integer),
    Column("entry_seq", BigInteger),
)

REFUNDS = Table(
    "refunds",
    METADATA,
    Column("refund_id", Uuid, primary_key=True),
    Column("partner", Text, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("request_hash", LargeBinary, nullable=False),
    Column("purchase_id", Uuid, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("amounts", JSONB, nullable=False),
    Column("parts", JSONB, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("remaining", BigInteger, nullable=False),
    Column("recovered", BigInteger, nullable=False),
    Column("written_off", BigInteger, nullable=False),
    Column("standing", SmallInteger, nullable=False),
    Column("entry_bucket", Integer),
    Column("entry_seq", BigInteger),
)
